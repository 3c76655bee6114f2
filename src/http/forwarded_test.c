/* Behind a forwarder, crowded, and without TLS: over real sockets. */
#include "base/clock.h"
#include "http/http.h"
#include "http/test_site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define S "\r\n\r\n\0\r\nQUIT\n"
#define PORTS "\x30\x39\x01\xbb"
#define V4(last) S "\x21\x11\x00\x0c\xcb\x00\x71" last "\x0a\x00\x00\x01" PORTS
#define IP6 "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09"
#define TOLD "GET /told HTTP/1.1\r\nHost: h\r\n\r\n"

static struct address_block forwarders;

static void
start_behind(struct test_site *site, const char *block)
{
	assert_true(address_block_parse(view_of(block), &forwarders));
	site->settings.proxies = &forwarders;
	site->settings.proxy_count = 1;
	test_site_start(site);
}

static struct peer
guest(struct test_site *site, view before)
{
	return peer_open(http_server_port(site->server),
	    &(struct peer_wish){ .trust = &site->cert, .before = before });
}

/* Who does the server say we are? */
static void
told_is(struct peer *peer, const char *wanted)
{
	AUTO(buf_free) struct buf got = { 0 };
	char end[96];

	assert_non_null(peer->ssl);
	(void)snprintf(end, sizeof(end), "\r\n\r\n%s TLSv1.3 h", wanted);
	assert_true(peer_send(peer, V(TOLD)) && peer_reply(peer, &got));
	if (!view_ends(buf_view(&got), view_of(end)))
		fail_msg("wanted %s, got %.*s", wanted, VIEW_ARG(buf_view(&got)));
}

static void
test_tells_the_client(void **ctx)
{
	static const struct {
		view header;
		const char *client;
	} rows[] = {
		{ V_INIT(V4("\x07")), "203.0.113.7" },
		{ V_INIT(S "\x21\x21\x00\x24" IP6 IP6 PORTS), "2001:db8::9" },
		{ V_INIT(
		      S "\x21\x11\x00\x10\xcb\x00\x71\x07\x0a\x00\x00\x01" PORTS "\x04\x00\x01x"),
		    "203.0.113.7" },
		{ V_INIT(S "\x20\x00\x00\x00"), "127.0.0.1" },
	};
	struct test_site *site = *ctx;

	start_behind(site, "127.0.0.0/8");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(peer_done) struct peer peer = guest(site, rows[i].header);

		told_is(&peer, rows[i].client);
		told_is(&peer, rows[i].client);
	}
}

/* Header and handshake in one piece, as a forwarder under load sends them. */
static void
test_takes_what_follows(void **ctx)
{
	static const char header[] = V4("\x07") "\x16\x03\x01\x00\x04\x63\x00\x00\x00";
	struct test_site *site = *ctx;
	char alert[16];
	int fd;

	start_behind(site, "127.0.0.0/8");
	fd = peer_connect(http_server_port(site->server));
	assert_int_equal(send(fd, header, sizeof(header) - 1, 0), sizeof(header) - 1);
	/* It came as far as TLS, which complains in its own words. */
	assert_true(recv(fd, alert, sizeof(alert), 0) > 0);
	assert_int_equal(alert[0], 0x15);
	(void)close(fd);
}

static void
test_refuses_without_a_header(void **ctx)
{
	static const view rows[] = {
		V_INIT(""), V_INIT("PROXY TCP4 203.0.113.7 10.0.0.1 1 2\r\n"),
		V_INIT(S "\x21\x12\x00\x0c\xcb\x00\x71\x07\x0a\x00\x00\x01" PORTS),
		V_INIT(S "\x21\x11\x10\x01"), V_INIT(V4("\x07") V4("\x07")), /* one is enough */
	};
	struct test_site *site = *ctx;

	start_behind(site, "127.0.0.0/8");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(peer_done) struct peer peer = guest(site, rows[i]);

		assert_null(peer.ssl);
	}
	assert_int_equal(site->answered, 0);
}

static void
test_believes_no_stranger(void **ctx)
{
	AUTO(peer_done) struct peer liar = { .fd = -1 }, honest = { .fd = -1 };
	struct test_site *site = *ctx;

	start_behind(site, "192.0.2.0/24");
	liar = guest(site, V(V4("\x07")));
	assert_null(liar.ssl);
	honest = guest(site, V(""));
	told_is(&honest, "127.0.0.1");
}

static void
test_waits_for_no_header(void **ctx)
{
	struct test_site *site = *ctx;
	int64_t start = clock_mono();
	char byte;
	int fd;

	site->settings.head_seconds = 1;
	start_behind(site, "127.0.0.0/8");
	fd = peer_connect(http_server_port(site->server));
	assert_int_equal(send(fd, S, 7, 0), 7);
	/* The client itself would give up after ten seconds. */
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	assert_true(clock_mono() - start < (int64_t)8 * 1000000000);
	(void)close(fd);
	/* A client that leaves in the middle of it leaves nothing behind (see test_site_end). */
	fd = peer_connect(http_server_port(site->server));
	assert_int_equal(send(fd, S, 7, 0), 7);
	(void)close(fd);
	fd = peer_connect(http_server_port(site->server));
	assert_int_equal(send(fd, S, 7, 0), 7);
	test_site_stop(site);
	(void)close(fd);
}

static void
wait_for_connections(struct test_site *site, unsigned count)
{
	for (int i = 0; i < 200 && http_server_connections(site->server) != count; i++)
		(void)usleep(10000);
	assert_int_equal(http_server_connections(site->server), count);
}

static void
test_counts_addresses(void **ctx)
{
	AUTO(peer_done) struct peer one = { .fd = -1 }, two = { .fd = -1 }, three = { .fd = -1 };
	struct test_site *site = *ctx;

	site->settings.max_from_address = 2;
	test_site_start(site);
	one = test_site_guest(site);
	two = test_site_guest(site);
	three = guest(site, V(""));
	assert_null(three.ssl);
	told_is(&two, "127.0.0.1");
	peer_done(&one);
	wait_for_connections(site, 1);
	one = test_site_guest(site);
	told_is(&one, "127.0.0.1");
}

/* A forwarder's clients are counted one by one, and it by itself never. */
static void
test_counts_forwarded_addresses(void **ctx)
{
	AUTO(peer_done) struct peer one = { .fd = -1 }, two = { .fd = -1 }, other = { .fd = -1 };
	struct test_site *site = *ctx;

	site->settings.max_from_address = 2;
	start_behind(site, "127.0.0.0/8");
	one = guest(site, V(V4("\x07")));
	two = guest(site, V(V4("\x07")));
	other = guest(site, V(V4("\x07")));
	assert_null(other.ssl);
	peer_done(&other);
	other = guest(site, V(V4("\x08")));
	told_is(&one, "203.0.113.7");
	told_is(&two, "203.0.113.7");
	told_is(&other, "203.0.113.8");
	peer_done(&one);
	wait_for_connections(site, 2);
	one = guest(site, V(V4("\x07")));
	told_is(&one, "203.0.113.7");
}

static void
plain_told_is(int fd, const char *wanted)
{
	char got[512];
	size_t len = 0;

	assert_int_equal(send(fd, TOLD, sizeof(TOLD) - 1, 0), sizeof(TOLD) - 1);
	while (len < sizeof(got) && (len == 0 || got[len - 1] != 'h')) {
		ssize_t more = recv(fd, got + len, sizeof(got) - len, 0);

		assert_true(more > 0);
		len += (size_t)more;
	}
	assert_true(view_ends((view){ got, len }, view_of(wanted)));
}

static int
connect_to_path(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)(void *)&name, sizeof(name)), 0);
	return fd;
}

static void
test_speaks_without_tls(void **ctx)
{
	char folder[] = "/tmp/http_plain_XXXXXX", path[64];
	struct test_site *site = *ctx;
	struct stat stat_;
	int fd;

	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/s", folder);
	/* One that was left behind is replaced. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	{
		struct sockaddr_un name = { .sun_family = AF_UNIX };

		(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
		assert_int_equal(bind(fd, (struct sockaddr *)(void *)&name, sizeof(name)), 0);
	}
	(void)close(fd);
	site->settings.tls = NULL;
	site->settings.unix_path = path;
	site->settings.max_from_address = 1;
	test_site_start(site);
	fd = peer_connect(http_server_port(site->server));
	plain_told_is(fd, "\r\n\r\n127.0.0.1  h");
	plain_told_is(fd, "\r\n\r\n127.0.0.1  h");
	(void)close(fd);
	for (int i = 0; i < 3; i++) {
		fd = connect_to_path(path);
		plain_told_is(fd, "\r\n\r\n  h");
		plain_told_is(fd, "\r\n\r\n  h");
		if (i > 0)
			(void)close(fd);
	}
	assert_int_equal(stat(path, &stat_), 0);
	assert_int_equal(stat_.st_mode & 0777, 0666);
	(void)unlink(path);
	(void)rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tells_the_client, test_site_make,
		    test_site_end),
		cmocka_unit_test_setup_teardown(test_takes_what_follows, test_site_make,
		    test_site_end),
		cmocka_unit_test_setup_teardown(test_refuses_without_a_header, test_site_make,
		    test_site_end),
		cmocka_unit_test_setup_teardown(test_believes_no_stranger, test_site_make,
		    test_site_end),
		cmocka_unit_test_setup_teardown(test_waits_for_no_header, test_site_make,
		    test_site_end),
		cmocka_unit_test_setup_teardown(test_counts_addresses, test_site_make,
		    test_site_end),
		cmocka_unit_test_setup_teardown(test_counts_forwarded_addresses, test_site_make,
		    test_site_end),
		cmocka_unit_test_setup_teardown(test_speaks_without_tls, test_site_make,
		    test_site_end),
	};

	return cmocka_run_group_tests_name("forwarded", tests, NULL, NULL);
}
