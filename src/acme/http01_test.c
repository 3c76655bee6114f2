#include "acme/http01.h"
#include "base/testing.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static uint16_t port;
static struct http01 *http01;

static bool
find(void *ctx, view token, struct buf *out)
{
	(void)ctx;
	if (view_eq(token, V("abc-_9")))
		buf_add(out, V("abc-_9.proof"));
	return !view_eq(token, V("starved"));
}

/* A port that was free a moment ago. */
static uint16_t
free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	(void)close(fd);
	return ntohs(at.sin_port);
}

static int
open_listener(void **state)
{
	char address[32];
	struct error err;

	(void)state;
	port = free_port();
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	assert_fine(http01_open(address, find, NULL, &http01, &err), &err);
	/* Taken. */
	assert_false(http01_open(address, find, NULL, &http01, &err));
	return 0;
}

static int
close_listener(void **state)
{
	(void)state;
	http01_close(http01);
	http01_close(NULL);
	return 0;
}

static int
call(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* What comes until the end. */
static void
hear(int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t got;

	while (len < size - 1 && (got = recv(fd, out + len, size - 1 - len, 0)) > 0)
		len += (size_t)got;
	out[len] = '\0';
	(void)close(fd);
}

static void
ask(view request, char *out, size_t size)
{
	int fd = call();

	assert_int_equal(send(fd, request.ptr, request.len, MSG_NOSIGNAL), request.len);
	hear(fd, out, size);
}

#define PATH "/.well-known/acme-challenge/"
#define END " HTTP/1.1\r\nHost: a\r\n\r\n"

static void
test_answers(void **state)
{
	static const struct {
		view request;
		const char *status;
	} rows[] = {
		{ V_INIT("GET " PATH "abc-_9" END), "HTTP/1.1 200 OK\r\n" },
		{ V_INIT("GET " PATH "abc-_9 HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 OK\r\n" },
		{ V_INIT("GET " PATH "other" END), "HTTP/1.1 404 " },
		{ V_INIT("GET " PATH "starved" END), "HTTP/1.1 503 " },
		{ V_INIT("GET " PATH END), "HTTP/1.1 404 " },
		{ V_INIT("GET " PATH "../x" END), "HTTP/1.1 404 " },
		{ V_INIT("GET " PATH "abc-_9?x" END), "HTTP/1.1 404 " },
		{ V_INIT("GET /" END), "HTTP/1.1 404 " },
		{ V_INIT("GET /healthstatus" END), "HTTP/1.1 404 " },
		{ V_INIT("POST " PATH "abc-_9" END), "HTTP/1.1 404 " },
		{ V_INIT("GET " PATH "abc-_9\r\n\r\n"), "HTTP/1.1 404 " },
		{ V_INIT("\r\n\r\n"), "HTTP/1.1 404 " },
		{ V_INIT("\0\xff\r\n\r\n"), "HTTP/1.1 404 " },
	};
	char reply[1024];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		ask(rows[i].request, reply, sizeof(reply));
		if (!view_starts(view_of(reply), view_of(rows[i].status)))
			fail_msg("%zu: %s", i, reply);
		assert_int_equal(strstr(reply, "proof") != NULL,
		    strstr(rows[i].status, "200") != NULL);
	}
	ask(rows[0].request, reply, sizeof(reply));
	assert_non_null(strstr(reply, "\r\nContent-Length: 12\r\n"));
	assert_non_null(strstr(reply, "\r\n\r\nabc-_9.proof"));
}

static void
test_too_much_is_cut_off(void **state)
{
	char request[4096], reply[1024];

	(void)state;
	memset(request, 'a', sizeof(request));
	ask((view){ request, 2048 }, reply, sizeof(reply));
	assert_string_equal(reply, "");
}

/* More callers than there are places for, who say nothing, hold nobody up for long. */
static void
test_the_silent_are_cut_off(void **state)
{
	int silent[80];
	char reply[1024];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(silent); i++)
		silent[i] = call();
	ask(V("GET " PATH "abc-_9" END), reply, sizeof(reply));
	assert_non_null(strstr(reply, "proof"));
	for (size_t i = 0; i < COUNT_OF(silent); i++)
		(void)close(silent[i]);
}

static void
test_addresses(void **state)
{
	static const struct {
		const char *text;
		bool fine;
	} rows[] = {
		{ "0.0.0.0:80", true },
		{ "[::]:80", true },
		{ "[::1]:65535", true },
		{ "", false },
		{ "80", false },
		{ ":80", false },
		{ "localhost:80", false },
		{ "127.0.0.1", false },
		{ "127.0.0.1:0", false },
		{ "127.0.0.1:65536", false },
		{ "127.0.0.1:80x", false },
		{ "::1:80", false },
		{ "[::1]80", false },
		{ "[::1", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (http01_address_valid(rows[i].text) != rows[i].fine)
			fail_msg("%s", rows[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_too_much_is_cut_off),
		cmocka_unit_test(test_the_silent_are_cut_off),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, open_listener, close_listener);
}
