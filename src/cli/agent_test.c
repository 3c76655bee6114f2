/* The agent between a workload's plain HTTP and an authority that speaks TLS: real sockets. */
#include "cli/agent.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/testing.h"
#include "crypto/keypair.h"
#include "http/tls.h"
#include "http/tls_test_peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define TENANT "9d6a3a3c-0000-4000-8000-000000000001"
#define MACHINE "9d6a3a3c-0000-4000-8000-000000000002"
#define SHOP "9d6a3a3c-0000-4000-8000-00000000000a"
#define BANK "9d6a3a3c-0000-4000-8000-00000000000b"
#define OTHER "54321" /* a user nobody is */
#define ASSERTION_TYPE "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"

struct runner {
	struct http_server *server;
	pthread_t thread;
};

struct scene {
	char folder[32], ca[64], socket[64];
	struct test_cert cert;
	struct tls *tls;
	struct runner authority, local;
	atomic_uint asked;
	atomic_uint unwell; /* so many times the authority answers 503 */
	atomic_uint refuse; /* AADSTS number */
	struct agent_settings settings;
	struct private_key *key;
	struct agent *agent;
};

static struct error err;

static void *
serve(void *server)
{
	struct error why;

	assert_true(http_server_run(server, &why));
	return NULL;
}

static void
runner_start(struct runner *runner)
{
	assert_int_equal(pthread_create(&runner->thread, NULL, serve, runner->server), 0);
}

static void
runner_stop(struct runner *runner)
{
	http_server_stop(runner->server);
	assert_int_equal(pthread_join(runner->thread, NULL), 0);
}

static bool
has(view text, const char *part)
{
	return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

/* As the authority's version 1 endpoint: numbers are texts. */
static void
grant(struct scene *scene, struct http_exchange *exchange)
{
	long long now = clock_wall();

	buf_print(&exchange->reply.body,
	    "{\"access_token\":\"token-%u\",\"expires_on\":\"%lld\",\"not_before\":\"%lld\","
	    "\"expires_in\":\"3600\"}",
	    scene->asked, now + 3600, now);
}

static void
authority_work(struct http_exchange *exchange)
{
	(void)exchange;
	(void)usleep(100000); /* long enough for others to come in between */
}

static void
authority_done(struct http_exchange *exchange)
{
	struct scene *scene = exchange->user;
	view body = exchange->request.body;

	exchange->reply.status = 200;
	if (!view_eq(exchange->request.path, V("/" TENANT "/oauth2/token")) ||
	    exchange->request.method != HTTP_POST ||
	    !view_starts(body, V("grant_type=client_credentials&client_id=9d6a3a3c-")) ||
	    !has(body, "&resource=https%3A%2F%2Fv.x") ||
	    !has(body, "&client_assertion_type=" ASSERTION_TYPE "&client_assertion=ey")) {
		exchange->reply.status = 418;
	} else if (scene->unwell > 0) {
		scene->unwell--;
		exchange->reply.status = 503;
	} else if (scene->refuse > 0) {
		exchange->reply.status = 400;
		buf_print(&exchange->reply.body,
		    "{\"error_codes\":[%u],\"error_description\":\"AADSTS%u: no \\\"way\\\"\"}",
		    scene->refuse, scene->refuse);
	} else {
		grant(scene, exchange);
	}
	http_send(exchange);
}

static void
authority_answer(void *ctx, struct http_exchange *exchange)
{
	struct scene *scene = ctx;

	scene->asked++;
	exchange->user = scene;
	http_work(exchange, authority_work, authority_done);
}

static void
open_authority(struct scene *scene)
{
	static const char *const addresses[] = { "127.0.0.1", NULL };
	const struct http_settings settings = { .addresses = addresses,
		.loops = 1,
		.max_connections = 50,
		.max_head = 4096,
		.max_body = 65536,
		.max_fields = 30,
		.max_arena = 65536,
		.head_seconds = 5,
		.body_seconds = 5,
		.idle_seconds = 5,
		.write_seconds = 5,
		.drain_seconds = 1,
		.tls = scene->tls,
		.answer = authority_answer,
		.ctx = scene };

	assert_fine(http_server_open(&settings, &scene->authority.server, &err), &err);
	runner_start(&scene->authority);
}

static void
read_settings(struct scene *scene)
{
	AUTO(buf_free) struct buf text = { 0 };

	buf_print(&text,
	    "login = https://localhost:%u\ntenant = " TENANT "\nmachine = " MACHINE "\n"
	    "listen = 127.0.0.1:0\nca = %s\nsocket = %s\n"
	    "[identity shop]\nclient-id = " SHOP "\nusers = %u\n"
	    "[identity bank]\nclient-id = " BANK "\nusers = " OTHER "\n",
	    http_server_port(scene->authority.server), scene->ca, scene->socket,
	    (unsigned)geteuid());
	assert_fine(agent_settings_read(buf_view(&text), &scene->settings, &err), &err);
}

static int
begin(void **ctx)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	AUTO(buf_free) struct buf pem = { 0 }, spki = { 0 };
	struct agent_host host;

	assert_non_null(scene);
	(void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/agent_test_XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	(void)snprintf(scene->ca, sizeof(scene->ca), "%s/ca.pem", scene->folder);
	(void)snprintf(scene->socket, sizeof(scene->socket), "%s/socket", scene->folder);
	scene->cert = test_cert_new();
	assert_fine(file_write(scene->ca, buf_view(&scene->cert.chain), 0600, &err), &err);
	assert_fine(tls_new(buf_view(&scene->cert.chain), buf_view(&scene->cert.key), &scene->tls,
			&err),
	    &err);
	open_authority(scene);
	read_settings(scene);
	assert_fine(keypair_new(&pem, &spki, &err), &err);
	assert_fine(private_key_from_pem(buf_view(&pem), &scene->key, &err), &err);
	host = (struct agent_host){ &scene->settings, scene->key };
	assert_fine(agent_open(&host, &scene->agent, &err), &err);
	scene->local.server = agent_server(scene->agent);
	runner_start(&scene->local);
	*ctx = scene;
	return 0;
}

static int
end(void **ctx)
{
	struct scene *scene = *ctx;

	runner_stop(&scene->local);
	runner_stop(&scene->authority);
	agent_close(scene->agent);
	http_server_free(scene->authority.server);
	agent_settings_free(&scene->settings);
	private_key_free(scene->key);
	tls_free(scene->tls);
	test_cert_done(&scene->cert);
	(void)unlink(scene->ca);
	(void)unlink(scene->socket);
	(void)rmdir(scene->folder);
	free(scene);
	return 0;
}

static int
connect_unix(const struct scene *scene)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", scene->socket);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)(void *)&name, sizeof(name)), 0);
	return fd;
}

static void
send_ask(int fd, const char *line, const char *fields)
{
	AUTO(buf_free) struct buf text = { 0 };

	buf_print(&text, "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", line,
	    fields);
	assert_int_equal(send(fd, text.ptr, text.len, 0), text.len);
}

static void
receive(int fd, struct buf *reply)
{
	const struct timeval limit = { .tv_sec = 20 };
	char bytes[4096];
	ssize_t len;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	while ((len = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		buf_add(reply, (view){ bytes, (size_t)len });
	(void)close(fd);
}

static void
reply_has(int fd, int status, const char *part)
{
	AUTO(buf_free) struct buf reply = { 0 };
	char first[32];

	(void)snprintf(first, sizeof(first), "HTTP/1.1 %d ", status);
	receive(fd, &reply);
	if (!view_starts(buf_view(&reply), view_of(first)) || !has(buf_view(&reply), part))
		fail_msg("wanted %d %s, got %.*s", status, part, VIEW_ARG(buf_view(&reply)));
}

static void
ask_is(struct scene *scene, const char *line, const char *fields, int status, const char *part)
{
	int fd = peer_connect(http_server_port(scene->local.server));

	send_ask(fd, line, fields);
	reply_has(fd, status, part);
	fd = connect_unix(scene);
	send_ask(fd, line, fields);
	reply_has(fd, status, part);
}

#define METADATA "Metadata: true\r\n"
#define IMDS "GET /metadata/identity/oauth2/token/?api-version=2018-02-01&resource=https://v.x"

static void
test_answers_as_imds(void **ctx)
{
	struct scene *scene = *ctx;
	AUTO(buf_free) struct buf reply = { 0 };
	int fd = connect_unix(scene);
	view text;

	ask_is(scene, IMDS, METADATA, 200, "\"access_token\":\"token-1\"");
	ask_is(scene, IMDS "&client_id=" SHOP, METADATA, 200, "\"access_token\":\"token-1\"");
	assert_int_equal(scene->asked, 1);
	ask_is(scene, IMDS "/", METADATA, 200, "\"access_token\":\"token-2\"");
	send_ask(fd, IMDS, METADATA);
	receive(fd, &reply);
	text = buf_view(&reply);
	assert_true(has(text, "\"client_id\":\"" SHOP "\""));
	assert_true(has(text, "\"resource\":\"https://v.x\",\"token_type\":\"Bearer\""));
	assert_true(has(text, "\"expires_on\":\"1") && has(text, "\"expires_in\":\"3"));
	assert_true(has(text, "\"ext_expires_in\":\"3") && has(text, "\"not_before\":\"1"));
	assert_true(has(text, "\r\nCache-Control: no-store\r\n"));
}

static void
environment(struct scene *scene, struct buf *line)
{
	AUTO(buf_free) struct buf reply = { 0 };
	char endpoint[96];
	int fd = connect_unix(scene);
	const char *value;

	send_ask(fd, "GET /environment", "");
	receive(fd, &reply);
	buf_add_char(&reply, '\0');
	(void)snprintf(endpoint, sizeof(endpoint),
	    "\r\n\r\nexport IDENTITY_ENDPOINT=http://127.0.0.1:%u/msi/token\n",
	    http_server_port(scene->local.server));
	assert_true(has(buf_view(&reply), endpoint));
	value = strstr(reply.ptr, "\nexport IDENTITY_HEADER=");
	assert_non_null(value);
	buf_print(line, "X-IDENTITY-HEADER: %.64s\r\n",
	    value + sizeof("\nexport IDENTITY_HEADER=") - 1);
	buf_add_char(line, '\0');
}

#define APP "GET /msi/token?api-version=2019-08-01&resource=https://v.x"

static void
test_answers_as_app_service(void **ctx)
{
	AUTO(buf_free) struct buf header = { 0 }, again = { 0 };
	struct scene *scene = *ctx;

	environment(scene, &header);
	environment(scene, &again);
	assert_text(buf_view(&header), buf_view(&again));
	ask_is(scene, APP, header.ptr, 200, "\"access_token\":\"token-1\"");
	ask_is(scene, APP "&client_id=" SHOP, header.ptr, 200, "\"client_id\":\"" SHOP "\"");
	ask_is(scene, APP, "", 401, "X-IDENTITY-HEADER is missing");
	ask_is(scene, APP, "X-IDENTITY-HEADER: 00\r\n", 403, "is not the one of user");
	ask_is(scene, APP "&client_id=" MACHINE, header.ptr, 400,
	    "\"statusCode\":400,\"message\":\"Identity not found\"}");
	header.ptr[30] = header.ptr[30] == '0' ? '1' : '0';
	ask_is(scene, APP, header.ptr, 403, "is not the one of user");
	assert_int_equal(scene->asked, 1);
}

static void
test_refuses(void **ctx)
{
	static const struct {
		const char *line, *fields;
		int status;
		const char *part;
	} rows[] = {
		{ IMDS, "", 400, "Required metadata header not specified" },
		{ IMDS, METADATA "X-Forwarded-For: 1.2.3.4\r\n", 400, "forwarded" },
		{ IMDS "&client_id=" BANK, METADATA, 403, "may not have that identity" },
		{ IMDS "&client_id=" MACHINE, METADATA, 400,
		    "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}" },
		{ IMDS "&msi_res_id=/subscriptions/x", METADATA, 400, "Identity not found" },
		{ "GET /", METADATA, 404, "\"error\":\"not_found\"" },
		{ "POST /oauth2/token", METADATA "Content-Length: 0\r\n", 405,
		    "\r\nAllow: GET\r\n" },
		{ "OPTIONS /msi/token", "", 405, "\"error\":\"method_not_allowed\"" },
		{ "GET /oauth2/token?resource=x", METADATA, 400, "'api-version' is missing" },
		{ "GET x", METADATA, 400, "\"error\":\"invalid_request\"" },
	};
	struct scene *scene = *ctx;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		ask_is(scene, rows[i].line, rows[i].fields, rows[i].status, rows[i].part);
	assert_int_equal(scene->asked, 0);
}

static void
test_asks_the_authority_once(void **ctx)
{
	struct scene *scene = *ctx;
	int fds[20];

	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		fds[i] = i % 2 ? connect_unix(scene)
			       : peer_connect(http_server_port(scene->local.server));
		send_ask(fds[i], IMDS, METADATA);
	}
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		reply_has(fds[i], 200, "\"access_token\":\"token-1\"");
	assert_int_equal(scene->asked, 1);
}

static void
test_tries_again(void **ctx)
{
	struct scene *scene = *ctx;

	scene->unwell = 2;
	ask_is(scene, IMDS, METADATA, 200, "\"access_token\":\"token-3\"");
	assert_int_equal(scene->asked, 3);
}

static void
test_tells_what_the_authority_says(void **ctx)
{
	struct scene *scene = *ctx;

	scene->refuse = 700016;
	ask_is(scene, IMDS, METADATA, 400, "\"error_description\":\"Identity not found\"");
	scene->refuse = 500011;
	ask_is(scene, IMDS, METADATA, 400, "{\"error\":\"invalid_resource\"");
	scene->refuse = 700024;
	ask_is(scene, IMDS, METADATA, 400, "AADSTS700024: no \\\"way\\\"");
	/* Nothing of it is kept. */
	scene->refuse = 0;
	ask_is(scene, IMDS, METADATA, 200, "\"access_token\":\"token-7\"");
}

/* The authority's certificate is looked at: another authority in its place gets nothing. */
static void
test_believes_no_stranger(void **ctx)
{
	struct scene *scene = *ctx;
	struct test_cert other = test_cert_new();

	assert_fine(tls_replace(scene->tls, buf_view(&other.chain), buf_view(&other.key), &err),
	    &err);
	{
		int fd = connect_unix(scene);

		send_ask(fd, IMDS, METADATA);
		reply_has(fd, 503, "\"error\":\"temporarily_unavailable\"");
	}
	assert_int_equal(scene->asked, 0);
	test_cert_done(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers_as_imds, begin, end),
		cmocka_unit_test_setup_teardown(test_answers_as_app_service, begin, end),
		cmocka_unit_test_setup_teardown(test_refuses, begin, end),
		cmocka_unit_test_setup_teardown(test_asks_the_authority_once, begin, end),
		cmocka_unit_test_setup_teardown(test_tries_again, begin, end),
		cmocka_unit_test_setup_teardown(test_tells_what_the_authority_says, begin, end),
		cmocka_unit_test_setup_teardown(test_believes_no_stranger, begin, end),
	};

	return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
