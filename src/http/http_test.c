/* The server as clients see it: real sockets, real TLS, the certificate verified. */
#include "http/http.h"

#include "base/clock.h"
#include "http/test_site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void
pause_ms(unsigned milliseconds)
{
	(void)usleep(milliseconds * 1000);
}

/* Send ${request}; what comes back, as far as Content-Length says, must be ${reply}. */
static void
exchange_is(struct peer *peer, view request, view reply)
{
	AUTO(buf_free) struct buf got = { 0 };

	assert_true(peer_send(peer, request));
	(void)peer_reply(peer, &got);
	if (!view_eq(buf_view(&got), reply))
		fail_msg("got %.*s", VIEW_ARG(buf_view(&got)));
}

/* Send ${request}; the reply must have ${status} and be the last thing on the connection. */
static void
refused_with(struct peer *peer, view request, int status)
{
	AUTO(buf_free) struct buf got = { 0 };
	char line[32], body[32];

	(void)snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	(void)snprintf(body, sizeof(body), "\r\n\r\nrefused %d", status);
	assert_true(peer_send(peer, request));
	if (!peer_rest(peer, &got) || !view_starts(buf_view(&got), view_of(line)) ||
	    !view_ends(buf_view(&got), view_of(body)))
		fail_msg("wanted %d, got %.*s", status, VIEW_ARG(buf_view(&got)));
	assert_non_null(strstr(got.ptr, "\r\nConnection: close\r\n"));
}

/* What happens on the site's threads happens in time, however busy the machine. */
static void
await(const atomic_uint *count, unsigned wanted)
{
	for (unsigned i = 0; *count < wanted && i < 30000; i++)
		pause_ms(1);
	assert_int_equal(*count, wanted);
}

static double
seconds_since(int64_t start)
{
	return (double)(clock_mono() - start) / 1e9;
}

static void
test_keep_alive(void **ctx)
{
	static const struct {
		view request, reply;
	} rows[] = {
		{ V_INIT("GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n"),
		    V_INIT(
			"HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Length: 9\r\n\r\nGET /a?b ") },
		{ V_INIT("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz"),
		    V_INIT(
			"HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Length: 10\r\n\r\nPUT /a xyz") },
		{ V_INIT("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
			 "1\r\nx\r\n2;a=b\r\nyz\r\n0\r\nA: b\r\n\r\n"),
		    V_INIT(
			"HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Length: 11\r\n\r\nPOST /a xyz") },
		{ V_INIT("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"),
		    V_INIT("HTTP/1.1 204 No Content\r\nX-Test: yes\r\n\r\n") },
		{ V_INIT("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"),
		    V_INIT("HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Length: 17\r\n\r\n"
			   "worked GET /slow ") },
		{ V_INIT("GET /posted HTTP/1.1\r\nHost: h\r\n\r\n"),
		    V_INIT(
			"HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Length: 12\r\n\r\nGET /posted ") },
		{ V_INIT("GET /told HTTP/1.1\r\nHost: h:1\r\n\r\n"),
		    V_INIT("HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Length: 21\r\n\r\n"
			   "127.0.0.1 TLSv1.3 h:1") },
		{ V_INIT("GET /parting HTTP/1.1\r\nHost: h\r\n\r\n"),
		    V_INIT(
			"HTTP/1.1 299 \r\nX-Test: yes\r\nContent-Length: 3\r\nConnection: close\r\n"
			"\r\nbye") },
	};
	struct test_site *site = *ctx;
	AUTO(peer_done) struct peer peer = { .fd = -1 };
	AUTO(buf_free) struct buf rest = { 0 };

	peer = test_site_guest(site);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		exchange_is(&peer, rows[i].request, rows[i].reply);
	assert_true(peer_rest(&peer, &rest));
	assert_int_equal(rest.len, 0);
	assert_int_equal(site->answered, COUNT_OF(rows));
}

static void
test_closing_requests(void **ctx)
{
	static const view rows[] = {
		V_INIT("HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
		V_INIT("HEAD /a HTTP/1.0\r\nHost: h\r\n\r\n"),
		V_INIT("HEAD /a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n"),
	};
	struct test_site *site = *ctx;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(peer_done) struct peer peer = test_site_guest(site);
		AUTO(buf_free) struct buf got = { 0 };

		assert_true(peer_send(&peer, rows[i]) && peer_rest(&peer, &got));
		assert_true(view_eq(buf_view(&got),
		    V("HTTP/1.1 200 OK\r\nX-Test: yes\r\n"
		      "Content-Length: 8\r\nConnection: close\r\n\r\n")));
	}
}

/* The requests arrive in pieces of ${step} bytes; the replies come in order. */
static void
pipeline(struct test_site *site, size_t step)
{
	AUTO(peer_done) struct peer peer = test_site_guest(site);
	AUTO(buf_free) struct buf all = { 0 };

	for (unsigned i = 0; i < 500; i++)
		buf_print(&all, "POST /%u HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy", i);
	for (view rest = buf_view(&all); rest.len > 0; rest = view_from(rest, step))
		assert_true(
		    peer_send(&peer, (view){ rest.ptr, rest.len < step ? rest.len : step }));
	for (unsigned i = 0; i < 500; i++) {
		AUTO(buf_free) struct buf got = { 0 };
		char body[32];

		(void)snprintf(body, sizeof(body), "\r\n\r\nPOST /%u xy", i);
		assert_true(peer_reply(&peer, &got) && view_ends(buf_view(&got), view_of(body)));
	}
}

static void
test_pipelining(void **ctx)
{
	struct test_site *site = *ctx;

	pipeline(site, SIZE_MAX / 2);
	pipeline(site, 1000);
	pipeline(site, 7);
}

/* A request behind one that takes its time waits for it. */
static void
test_pipelining_behind_work(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done) struct peer peer = { .fd = -1 };
	AUTO(buf_free) struct buf got = { 0 };

	peer = test_site_guest(site);
	assert_true(
	    peer_send(&peer, V("GET /slow HTTP/1.1\r\nHost: h\r\n\r\nGET /a HTTP/1.1\r\n")));
	pause_ms(50);
	assert_true(peer_send(&peer, V("Host: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n")));
	for (int i = 0; i < 3; i++)
		assert_true(peer_reply(&peer, &got));
	assert_true(view_ends(buf_view(&got), V("GET /b ")));
}

static void
test_expect(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done) struct peer peer = { .fd = -1 };

	peer = test_site_guest(site);
	exchange_is(&peer,
	    V("PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
	      "Content-Length: 3\r\n\r\n"),
	    V("HTTP/1.1 100 Continue\r\n\r\n"));
	exchange_is(&peer, V("xyz"),
	    V("HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Length: 10\r\n\r\nPUT /a xyz"));
	exchange_is(&peer,
	    V("PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
	      "Content-Length: 1\r\n\r\nx"),
	    V("HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Length: 8\r\n\r\nPUT /a x"));
	refused_with(&peer,
	    V("PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
	      "Content-Length: 200001\r\n\r\n"),
	    413);
}

static void
test_refusals(void **ctx)
{
	static const struct {
		view request;
		int status;
	} rows[] = {
		{ V_INIT("GET / HTTP/1.1\r\n\r\n"), 400 },
		{ V_INIT("GET / HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\n"), 0 },
		{ V_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400 },
		{ V_INIT("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"), 405 },
		{ V_INIT("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 200001\r\n\r\n"), 413 },
		{ V_INIT("PUT / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n"), 417 },
		{ V_INIT(
		      "GET / HTTP/1.1\r\nHost: h\r\n1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n9:\r\n"
		      "10:\r\n11:\r\n12:\r\n13:\r\n14:\r\n15:\r\n16:\r\n17:\r\n18:\r\n19:\r\n20:\r\n\r\n"),
		    431 },
		{ V_INIT("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nslow"), 408 },
		{ V_INIT("GET / HTTP/1.1\r\nHost: slow"), 408 },
	};
	struct test_site *site = *ctx;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(peer_done) struct peer peer = test_site_guest(site);
		AUTO(buf_free) struct buf got = { 0 };

		if (rows[i].status != 0) {
			refused_with(&peer, rows[i].request, rows[i].status);
			continue;
		}
		assert_true(peer_send(&peer, rows[i].request) && peer_reply(&peer, &got));
		assert_true(view_ends(buf_view(&got), V("GET / ")));
		refused_with(&peer, V("x"), 400);
	}
}

/* The client still sends its body when the refusal goes out: it must not be cut off by a reset. */
static void
test_refused_while_sending(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done) struct peer peer = { .fd = -1 };
	AUTO(buf_free) struct buf body = { 0 };

	peer = test_site_guest(site);
	buf_add(&body, V("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n"));
	while (body.len < 1000000)
		buf_add(&body, V("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
	refused_with(&peer, buf_view(&body), 413);
}

static void
test_large(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done) struct peer peer = { .fd = -1 };
	AUTO(buf_free) struct buf request = { 0 }, got = { 0 };

	peer = test_site_guest(site);
	buf_add(&request, V("POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n"));
	assert_non_null(memset(buf_room(&request, 200000), 'x', 200000));
	request.len += 200000;
	for (int i = 0; i < 3; i++) {
		buf_reset(&got);
		assert_true(peer_send(&peer, buf_view(&request)) && peer_reply(&peer, &got));
		assert_true(got.len > TEST_BIG && got.ptr[got.len - TEST_BIG] == 'b' &&
		    got.ptr[got.len - 1] == 'b');
	}
}

#define CROWD 100

static void
test_many(void **ctx)
{
	struct test_site *site = *ctx;
	struct peer peers[CROWD];

	for (size_t i = 0; i < CROWD; i++)
		peers[i] = test_site_guest(site);
	assert_int_equal(http_server_connections(site->server), CROWD);
	for (size_t i = 0; i < CROWD; i++)
		assert_true(peer_send(&peers[i], V("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")));
	for (size_t i = 0; i < CROWD; i++) {
		exchange_is(&peers[i], V("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"),
		    V("HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Length: 7\r\n\r\nGET /a "));
		peer_done(&peers[i]);
	}
	assert_int_equal(site->loops_seen, 3); /* both */
}

static void
test_too_many(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done) struct peer first = { .fd = -1 };
	AUTO(peer_done) struct peer second = { .fd = -1 };

	site->settings.max_connections = 1;
	test_site_start(site);
	first = test_site_guest(site);
	second =
	    peer_open(http_server_port(site->server), &(struct peer_wish){ .trust = &site->cert });
	assert_null(second.ssl);
	exchange_is(&first, V("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
	    V("HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Length: 7\r\n\r\nGET /a "));
	peer_done(&first);
	while (http_server_connections(site->server) > 0)
		pause_ms(10);
	first = test_site_guest(site);
	assert_non_null(first.ssl);
}

/* A connection that says nothing, or half a handshake. */
static void
test_slow_handshake(void **ctx)
{
	static const view rows[] = { V_INIT(""), V_INIT("\x16\x03\x01\x02\x00\x01\x00") };
	struct test_site *site = *ctx;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int fd = peer_connect(http_server_port(site->server));
		int64_t start = clock_mono();
		char byte;

		assert_int_equal(write(fd, rows[i].ptr, rows[i].len), rows[i].len);
		assert_true(read(fd, &byte, 1) <= 0);
		assert_true(seconds_since(start) > 0.9 && seconds_since(start) < 8);
		(void)close(fd);
	}
}

/* One byte now and then does not put off the end. */
static void
test_dripping_head(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done) struct peer peer = { .fd = -1 };
	AUTO(buf_free) struct buf got = { 0 };
	int64_t start;

	peer = test_site_guest(site);
	start = clock_mono();
	for (int i = 0; i < 6; i++) {
		assert_true(peer_send(&peer, V("G")) || i > 0);
		pause_ms(i == 0 ? 0 : 200);
	}
	(void)peer_rest(&peer, &got);
	assert_true(seconds_since(start) < 8);
}

static void
test_idle(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done) struct peer peer = { .fd = -1 };
	AUTO(buf_free) struct buf got = { 0 };
	int64_t start;

	site->settings.idle_seconds = 1;
	test_site_start(site);
	peer = test_site_guest(site);
	start = clock_mono();
	assert_true(peer_rest(&peer, &got));
	assert_int_equal(got.len, 0);
	assert_true(seconds_since(start) > 0.9 && seconds_since(start) < 8);
}

static void
test_never_reading(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done) struct peer peer = { .fd = -1 };
	int64_t start;

	peer = test_site_guest(site);
	for (int i = 0; i < 5; i++)
		assert_true(peer_send(&peer, V("GET /big HTTP/1.1\r\nHost: h\r\n\r\n")));
	start = clock_mono();
	while (http_server_connections(site->server) > 0 && seconds_since(start) < 6)
		pause_ms(50);
	assert_int_equal(http_server_connections(site->server), 0);
	assert_true(site->answered < 5);
}

static void
test_half_closed(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done) struct peer peer = { .fd = -1 };
	AUTO(buf_free) struct buf got = { 0 };

	peer = test_site_guest(site);
	assert_true(peer_send(&peer,
	    V("GET /slow HTTP/1.1\r\nHost: h\r\n\r\nGET /a HTTP/1.1\r\n"
	      "Host: h\r\n\r\n")));
	assert_true(SSL_shutdown(peer.ssl) >= 0);
	assert_int_equal(shutdown(peer.fd, SHUT_WR), 0);
	assert_true(peer_reply(&peer, &got) && peer_reply(&peer, &got));
	assert_true(view_ends(buf_view(&got), V("GET /a ")));
}

static void
test_gone_while_working(void **ctx)
{
	static const view rows[] = {
		V_INIT("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"),
		V_INIT("GET /posted HTTP/1.1\r\nHost: h\r\n\r\n"),
		V_INIT("GET /big HTTP/1.1\r\nHost: h\r\n\r\n"),
	};
	struct test_site *site = *ctx;

	for (unsigned i = 0; i < 60; i++) {
		struct linger reset = { .l_onoff = i % 2, .l_linger = 0 };
		struct peer peer = test_site_guest(site);

		assert_int_equal(setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)),
		    0);
		assert_true(peer_send(&peer, rows[i % COUNT_OF(rows)]));
		/* A reset also takes what has not been read: the later half may never be asked. */
		if (i < 30)
			await(&site->answered, i + 1);
		pause_ms(i % 30);
		peer_done(&peer);
		if (i == 29)
			await(&site->seen, 30); /* recorded all the same */
	}
}

static void
test_drain(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done) struct peer busy = { .fd = -1 }, idle = { .fd = -1 };
	AUTO(buf_free) struct buf got = { 0 }, none = { 0 };
	int64_t start;

	site->settings.drain_seconds = 60;
	test_site_start(site);
	busy = test_site_guest(site);
	idle = test_site_guest(site);
	assert_true(peer_send(&busy, V("GET /held HTTP/1.1\r\nHost: h\r\n\r\n")));
	await(&site->answered, 1);
	start = clock_mono();
	http_server_stop(site->server);
	assert_true(peer_rest(&idle, &none));
	site->released = true;
	assert_true(peer_rest(&busy, &got));
	assert_true(view_ends(buf_view(&got), V("Connection: close\r\n\r\nGET /held ")));
	peer_done(&busy);
	test_site_stop(site);
	assert_true(seconds_since(start) < 30);
}

/* Someone who does not let go is let go of. */
static void
test_drain_by_force(void **ctx)
{
	struct test_site *site = *ctx;
	AUTO(peer_done) struct peer stuck = { .fd = -1 };
	int64_t start = clock_mono();

	site->settings.drain_seconds = 1;
	site->settings.write_seconds = site->settings.body_seconds = 60;
	test_site_start(site);
	stuck = test_site_guest(site);
	assert_true(
	    peer_send(&stuck, V("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nslow")));
	pause_ms(100);
	test_site_stop(site);
	assert_true(seconds_since(start) > 0.9 && seconds_since(start) < 8);
}

static void
test_stop_before_run(void **ctx)
{
	struct test_site *site = *ctx;
	struct error err;

	assert_true(http_server_open(&site->settings, &site->server, &err));
	http_server_stop(site->server);
	assert_true(http_server_run(site->server, &err));
}

static void
test_taken_port(void **ctx)
{
	static const char *const wrong[] = { "localhost", NULL };
	struct test_site *site = *ctx;
	struct http_settings other = site->settings;
	struct http_server *server = NULL;
	struct error err;

	other.port = http_server_port(site->server);
	assert_false(http_server_open(&other, &server, &err));
	other.port = 0;
	other.addresses = wrong;
	assert_false(http_server_open(&other, &server, &err));
	assert_null(server);
}

#define MADE(name) cmocka_unit_test_setup_teardown(name, test_site_make, test_site_end)
#define HASTY(name) cmocka_unit_test_setup_teardown(name, test_site_make_hasty, test_site_end)
#define RUNNING(name) cmocka_unit_test_setup_teardown(name, test_site_make_running, test_site_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RUNNING(test_keep_alive),
		RUNNING(test_closing_requests),
		RUNNING(test_pipelining),
		RUNNING(test_pipelining_behind_work),
		RUNNING(test_expect),
		HASTY(test_refusals),
		RUNNING(test_refused_while_sending),
		RUNNING(test_large),
		RUNNING(test_many),
		MADE(test_too_many),
		HASTY(test_slow_handshake),
		HASTY(test_dripping_head),
		MADE(test_idle),
		HASTY(test_never_reading),
		RUNNING(test_half_closed),
		RUNNING(test_gone_while_working),
		MADE(test_drain),
		MADE(test_drain_by_force),
		MADE(test_stop_before_run),
		RUNNING(test_taken_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
