/*
 * Fetching an issuer's keys over real TLS, from a site that does not always mean well.
 */
#include "base/log.h"
#include "base/testing.h"
#include "http/client.h"
#include "http/test_site.h"
#include "identity/issuer_testing.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct test_site *site;
static char ca_file[40];
static char base[40]; /* "https://localhost:<port>" */

static void
write_configuration(struct buf *out, const char *issuer, const char *keys)
{
	buf_print(out, "{\"issuer\":\"%s/%s\",\"jwks_uri\":\"%s/%s\"}", base, issuer, base, keys);
}

static void
answer(void *ctx, struct http_exchange *exchange)
{
	struct http_reply *reply = &exchange->reply;
	view path = exchange->request.path, first = view_from(path, 1);

	((struct test_site *)ctx)->answered++;
	exchange->user = ctx;
	first = view_cut(&first, '/');
	reply->status = 200;
	if (view_eq(path, V("/keys"))) {
		buf_add(&reply->body, buf_view(&outside.keys));
	} else if (view_eq(first, V("good"))) {
		write_configuration(&reply->body, "good", "keys");
	} else if (view_eq(first, V("other"))) {
		write_configuration(&reply->body, "good", "keys");
	} else if (view_eq(first, V("moved"))) {
		reply->status = 302;
		buf_print(&reply->fields, "Location: %s/good/.well-known/openid-configuration\r\n",
		    base);
	} else if (view_eq(first, V("huge"))) {
		char *room = buf_room(&reply->body, ISSUER_DOCUMENT_MAX + 1);

		assert_non_null(room);
		memset(room, ' ', ISSUER_DOCUMENT_MAX + 1);
		reply->body.len = ISSUER_DOCUMENT_MAX + 1;
		write_configuration(&reply->body, "huge", "keys");
	} else if (view_eq(first, V("plain"))) {
		buf_print(&reply->body,
		    "{\"issuer\":\"%s/plain\",\"jwks_uri\":\"http://localhost:%s/keys\"}", base,
		    strrchr(base, ':') + 1);
	} else {
		reply->status = 404;
	}
	http_send(exchange);
}

static int
setup(void **state)
{
	FILE *file;
	int fd;

	outside_make();
	(void)test_site_make((void **)&site);
	site->settings.answer = answer;
	test_site_start(site);
	(void)snprintf(base, sizeof(base), "https://localhost:%u", http_server_port(site->server));
	(void)snprintf(ca_file, sizeof(ca_file), "/tmp/issuer_ca_XXXXXX");
	fd = mkstemp(ca_file);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(site->cert.chain.ptr, 1, site->cert.chain.len, file),
	    site->cert.chain.len);
	assert_int_equal(fclose(file), 0);
	*state = site;
	return 0;
}

static int
teardown(void **state)
{
	(void)unlink(ca_file);
	(void)test_site_end(state);
	outside_end();
	return 0;
}

static enum issuer_verdict
ask(struct issuers *issuers, const char *issuer)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct error err;
	struct jwt jwt;

	arena_init(&arena, JWT_ARENA_MAX);
	assert_fine(jwt_parse(outside_token("RS256", "{}"), 1024, &arena, &jwt, &err), &err);
	return issuers_verify(issuers, view_of(issuer), &jwt, ISSUER_MAY_FETCH);
}

static enum issuer_verdict
verify(const char *ca, const char *name)
{
	const struct issuers_settings settings = { .fetch = issuer_fetch_https,
		.ctx = (void *)(uintptr_t)ca };
	struct issuers *issuers = NULL;
	enum issuer_verdict verdict;
	struct error err;
	char issuer[80];

	assert_fine(issuers_new(&settings, &issuers, &err), &err);
	(void)snprintf(issuer, sizeof(issuer), "%s/%s", base, name);
	verdict = ask(issuers, issuer);
	issuers_free(issuers);
	return verdict;
}

static void
test_fetching(void **state)
{
	static const char *const bad[] = { "other", "moved", "huge", "plain", "lost" };
	unsigned before;

	(void)state;
	assert_int_equal(verify(ca_file, "good"), ISSUER_GOOD);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (verify(ca_file, bad[i]) != ISSUER_UNREACHABLE)
			fail_msg("%s", bad[i]);
	}
	/* Nobody is asked who can't show a certificate. */
	before = site->answered;
	assert_int_equal(verify(NULL, "good"), ISSUER_UNREACHABLE);
	assert_int_equal(site->answered, before);
	assert_int_equal(verify("/nowhere/ca.pem", "good"), ISSUER_UNREACHABLE);
}

static void
test_addresses(void **state)
{
	static const struct {
		const char *text;
		bool refused;
	} cases[] = {
		{ "169.254.169.254", true },
		{ "169.254.0.1", true },
		{ "169.253.0.1", false },
		{ "127.0.0.1", false },
		{ "10.0.0.1", false },
		{ "fe80::1", true },
		{ "febf::1", true },
		{ "fec0::1", false },
		{ "fd00::1", false },
		{ "::1", false },
		{ "::ffff:169.254.169.254", true },
		{ "::ffff:10.0.0.1", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
		struct sockaddr_in four = { .sin_family = AF_INET };
		bool is_six = strchr(cases[i].text, ':') != NULL;

		assert_int_equal(is_six ? inet_pton(AF_INET6, cases[i].text, &six.sin6_addr)
					: inet_pton(AF_INET, cases[i].text, &four.sin_addr),
		    1);
		if (client_refuses(is_six ? (const struct sockaddr *)&six
					  : (const struct sockaddr *)&four) != cases[i].refused)
			fail_msg("%s", cases[i].text);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fetching),
		cmocka_unit_test(test_addresses),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
