/* What TLS is spoken, and replacing the certificate while running. */
#include "http/tls.h"

#include "http/test_site.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ASK V("GET /told HTTP/1.1\r\nHost: h\r\n\r\n")
#define H2 V("\x02h2")
#define H2_AND_HTTP1 V("\x02h2\x08http/1.1")

static struct peer
guest(const struct test_site *site, const struct peer_wish *wish)
{
	return peer_open(http_server_port(site->server), wish);
}

static bool
answers(struct peer *peer, view version)
{
	AUTO(buf_free) struct buf got = { 0 };

	return peer->ssl != NULL && peer_send(peer, ASK) && peer_reply(peer, &got) &&
	    view_ends(buf_view(&got), version);
}

static void
test_versions(void **ctx)
{
	struct test_site *site = *ctx;
	static const struct {
		int version;
		view text; /* empty: refused */
	} rows[] = {
		{ TLS1_VERSION, V_INIT("") },
		{ TLS1_1_VERSION, V_INIT("") },
		{ TLS1_2_VERSION, V_INIT(" TLSv1.2 h") },
		{ TLS1_3_VERSION, V_INIT(" TLSv1.3 h") },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(peer_done)
		struct peer peer = guest(site,
		    &(struct peer_wish){ .trust = &site->cert, .version = rows[i].version });

		assert_int_equal(peer.ssl != NULL, rows[i].text.len > 0);
		if (peer.ssl != NULL)
			assert_true(answers(&peer, rows[i].text));
	}
}

static void
test_alpn(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done)
	struct peer both =
	    guest(site, &(struct peer_wish){ .trust = &site->cert, .alpn = H2_AND_HTTP1 });
	AUTO(peer_done)
	struct peer only_h2 = guest(site, &(struct peer_wish){ .trust = &site->cert, .alpn = H2 });
	const unsigned char *chosen;
	unsigned len;

	assert_non_null(both.ssl);
	SSL_get0_alpn_selected(both.ssl, &chosen, &len);
	assert_true(view_eq((view){ (const char *)chosen, len }, V("http/1.1")));
	assert_true(answers(&both, V(" TLSv1.3 h")));
	assert_null(only_h2.ssl);
}

static void
test_no_renegotiation(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done)
	struct peer peer =
	    guest(site, &(struct peer_wish){ .trust = &site->cert, .version = TLS1_2_VERSION });

	assert_true(answers(&peer, V(" TLSv1.2 h")));
	assert_int_equal(SSL_renegotiate(peer.ssl), 1);
	assert_int_not_equal(SSL_do_handshake(peer.ssl), 1);
}

/* Plain HTTP, or noise, is closed and nothing else is disturbed. */
static void
test_not_tls(void **ctx)
{
	struct test_site *site = *ctx;
	static const view rows[] = {
		V_INIT("GET /told HTTP/1.1\r\nHost: h\r\n\r\n"),
		V_INIT("\x16\x03\x01\xff\xff\x01\x02\x03\x04\x05\x06\x07\x08"),
		V_INIT("\x00"),
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int fd = peer_connect(http_server_port(site->server));
		char bytes[64];

		assert_int_equal(write(fd, rows[i].ptr, rows[i].len), rows[i].len);
		while (read(fd, bytes, sizeof(bytes)) > 0)
			;
		(void)close(fd);
	}
}

static void
test_replace(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(test_cert_done) struct test_cert second = test_cert_new();
	AUTO(peer_done) struct peer old = guest(site, &(struct peer_wish){ .trust = &site->cert });
	struct error err;

	assert_true(answers(&old, V(" TLSv1.3 h")));
	assert_true(tls_replace(site->tls, buf_view(&second.chain), buf_view(&second.key), &err));
	AUTO(peer_done) struct peer fresh = guest(site, &(struct peer_wish){ .trust = &second });
	AUTO(peer_done)
	struct peer stale = guest(site, &(struct peer_wish){ .trust = &site->cert });

	assert_true(answers(&old, V(" TLSv1.3 h")));
	assert_true(answers(&fresh, V(" TLSv1.3 h")));
	assert_null(stale.ssl);
}

static void
test_wrong_replacement(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(test_cert_done) struct test_cert second = test_cert_new();
	const view none = V("");
	const view cut = { site->cert.chain.ptr, site->cert.chain.len / 2 };
	const struct {
		view chain, key;
	} rows[] = {
		{ none, none },
		{ buf_view(&second.chain), none },
		{ none, buf_view(&second.key) },
		{ buf_view(&second.chain), buf_view(&site->cert.key) },
		{ cut, buf_view(&site->cert.key) },
		{ buf_view(&second.key), buf_view(&second.chain) },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct tls *tls = NULL;
		struct error err = { 0 };

		assert_false(tls_replace(site->tls, rows[i].chain, rows[i].key, &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		assert_false(tls_new(rows[i].chain, rows[i].key, &tls, &err));
		assert_null(tls);
	}
	AUTO(peer_done) struct peer peer = guest(site, &(struct peer_wish){ .trust = &site->cert });

	assert_true(answers(&peer, V(" TLSv1.3 h")));
}

/* A ticket of the old context is worth nothing in the new one. */
static void
test_resumption(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done)
	struct peer whole = guest(site, &(struct peer_wish){ .trust = &site->cert });
	SSL_SESSION *session;
	struct error err;

	assert_true(answers(&whole, V(" TLSv1.3 h")));
	session = SSL_get1_session(whole.ssl);
	AUTO(peer_done)
	struct peer again =
	    guest(site, &(struct peer_wish){ .trust = &site->cert, .session = session });

	assert_true(answers(&again, V(" TLSv1.3 h")));
	assert_int_equal(SSL_session_reused(again.ssl), 1);
	assert_true(
	    tls_replace(site->tls, buf_view(&site->cert.chain), buf_view(&site->cert.key), &err));
	AUTO(peer_done)
	struct peer late =
	    guest(site, &(struct peer_wish){ .trust = &site->cert, .session = session });

	assert_true(answers(&late, V(" TLSv1.3 h")));
	assert_int_equal(SSL_session_reused(late.ssl), 0);
	SSL_SESSION_free(session);
}

static void *
replace_again_and_again(void *ctx)
{
	struct test_site *site = ctx;
	struct error err;

	for (int i = 0; i < 50; i++)
		assert_true(tls_replace(site->tls, buf_view(&site->cert.chain),
		    buf_view(&site->cert.key), &err));
	return NULL;
}

static void
test_replace_under_load(void **ctx)
{
	struct test_site *site = *ctx;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, replace_again_and_again, site), 0);
	for (int i = 0; i < 20; i++) {
		AUTO(peer_done)
		struct peer peer = guest(site, &(struct peer_wish){ .trust = &site->cert });

		assert_true(answers(&peer, V(" TLSv1.3 h")));
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
}

#define RUNNING(name) cmocka_unit_test_setup_teardown(name, test_site_make_running, test_site_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RUNNING(test_versions),
		RUNNING(test_alpn),
		RUNNING(test_no_renegotiation),
		RUNNING(test_not_tls),
		RUNNING(test_replace),
		RUNNING(test_wrong_replacement),
		RUNNING(test_resumption),
		RUNNING(test_replace_under_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
