#include "cli/peer.h"

#include "base/testing.h"

#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER 54321 /* a user nobody is */

static struct error err;

struct line {
	int listener, client, server;
};

static int
listener_on(int family, struct sockaddr_storage *name, socklen_t *len)
{
	int fd = socket(family, SOCK_STREAM, 0);

	*name = (struct sockaddr_storage){ .ss_family = (sa_family_t)family };
	if (family == AF_INET6)
		((struct sockaddr_in6 *)(void *)name)->sin6_addr = in6addr_loopback;
	else
		((struct sockaddr_in *)(void *)name)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*len = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)name, *len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)name, len), 0);
	return fd;
}

static struct line
connected(int family)
{
	struct sockaddr_storage name;
	struct line line;
	socklen_t len;

	line.listener = listener_on(family, &name, &len);
	line.client = socket(family, SOCK_STREAM, 0);
	assert_int_equal(connect(line.client, (struct sockaddr *)&name, len), 0);
	line.server = accept(line.listener, NULL, NULL);
	assert_true(line.server >= 0);
	return line;
}

static void
hang_up(struct line *line)
{
	(void)close(line->client);
	(void)close(line->server);
	(void)close(line->listener);
}

static void
test_knows_itself(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	uid_t uid;
	int pair[2];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(families); i++) {
		struct line line = connected(families[i]);

		uid = 7;
		assert_fine(peer_user(line.server, &uid, &err), &err);
		assert_int_equal(uid, geteuid());
		hang_up(&line);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	uid = 7;
	assert_fine(peer_user(pair[0], &uid, &err), &err);
	assert_int_equal(uid, geteuid());
	(void)close(pair[0]);
	(void)close(pair[1]);
}

/* The child connects as ${uid} and stays until it is cut off. */
static void
be_client(int family, uid_t uid, const struct sockaddr_storage *name, socklen_t len)
{
	char byte;
	int fd;

	if (uid != geteuid() && (setgroups(0, NULL) != 0 || setuid(uid) != 0))
		_exit(2);
	fd = socket(family, SOCK_STREAM, 0);
	if (connect(fd, (const struct sockaddr *)name, len) != 0)
		_exit(3);
	_exit(read(fd, &byte, 1) == 0 ? 0 : 4);
}

static void
test_knows_another(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	uid_t who = geteuid() == 0 ? OTHER : geteuid();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(families); i++) {
		struct sockaddr_storage name;
		socklen_t len;
		uid_t uid = 7;
		int listener = listener_on(families[i], &name, &len), server, status;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			be_client(families[i], who, &name, len);
		server = accept(listener, NULL, NULL);
		assert_true(server >= 0);
		assert_fine(peer_user(server, &uid, &err), &err);
		assert_int_equal(uid, who);
		(void)close(server);
		(void)close(listener);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
}

/* A v6 socket that speaks to a v4 address: Java's way. */
static void
test_knows_a_mapped_client(void **state)
{
	struct sockaddr_storage name;
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6 };
	socklen_t len;
	uid_t uid = 7;
	int listener = listener_on(AF_INET, &name, &len), client, server;

	(void)state;
	mapped.sin6_port = ((struct sockaddr_in *)(void *)&name)->sin_port;
	assert_int_equal(inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr), 1);
	client = socket(AF_INET6, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)(void *)&mapped, sizeof(mapped)), 0);
	server = accept(listener, NULL, NULL);
	assert_fine(peer_user(server, &uid, &err), &err);
	assert_int_equal(uid, geteuid());
	(void)close(client);
	(void)close(server);
	(void)close(listener);
}

static void
leave(struct line *line)
{
	(void)close(line->client);
	line->client = -1;
}

static void
refused(int fd)
{
	uid_t uid = 7;

	assert_false(peer_user(fd, &uid, &err));
	assert_int_equal(err.code, ERR_FORBIDDEN);
	assert_int_equal(uid, 7);
}

static void
test_refuses_who_is_gone(void **state)
{
	struct linger reset = { .l_onoff = 1 };
	struct line line = connected(AF_INET);

	(void)state;
	refused(-1);
	refused(STDERR_FILENO);
	refused(line.listener);
	leave(&line);
	refused(line.server);
	hang_up(&line);
	line = connected(AF_INET);
	assert_int_equal(setsockopt(line.client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	leave(&line);
	refused(line.server);
	hang_up(&line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_knows_itself),
		cmocka_unit_test(test_knows_another),
		cmocka_unit_test(test_knows_a_mapped_client),
		cmocka_unit_test(test_refuses_who_is_gone),
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
