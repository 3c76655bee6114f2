/* Addresses to listeners.  All loops share one port; the kernel spreads the connections. */
#include "base/file.h"
#include "http/conn.h"
#include "http/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096
#define PORT_TRIES 16 /* a port that is free on one address may be taken on the next */

struct address {
	struct sockaddr_storage name;
	socklen_t len;
};

static bool
address_parse(const char *text, unsigned port, struct address *out, struct error *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&out->name;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->name;

	*out = (struct address){ 0 };
	if (port > 65535)
		return error_set(err, ERR_BAD_PARAMETER, "port %u does not exist", port);
	if (uv_ip4_addr(text, (int)port, v4) == 0)
		out->len = sizeof(*v4);
	else if (uv_ip6_addr(text, (int)port, v6) == 0)
		out->len = sizeof(*v6);
	else
		return error_set(err, ERR_BAD_PARAMETER, "%s is not a numeric address", text);
	return true;
}

static bool
turn_on(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on)) == 0;
}

static bool
bind_to(int fd, const struct address *address, bool shared)
{
	return turn_on(fd, SOL_SOCKET, SO_REUSEADDR) &&
	    (!shared || turn_on(fd, SOL_SOCKET, SO_REUSEPORT)) &&
	    (address->name.ss_family != AF_INET6 || turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
	    turn_on(fd, IPPROTO_TCP, TCP_NODELAY) && /* what is accepted inherits it */
	    bind(fd, (const struct sockaddr *)&address->name, address->len) == 0;
}

static int
bound_socket(const struct address *address, bool shared)
{
	int fd = socket(address->name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind_to(fd, address, shared))
		return fd;
	fd_done(&fd);
	return -1;
}

/*
 * A shared port would let us listen beside a server that is already there, and each would get some
 * of the connections.  Ask for it alone first.  Returns the port, 0 when it is taken.
 */
static unsigned
free_port(const struct address *address)
{
	AUTO(fd_done) int fd = bound_socket(address, false);
	struct address bound = { .len = sizeof(bound.name) };

	if (fd < 0 || listen(fd, 1) != 0 ||
	    getsockname(fd, (struct sockaddr *)&bound.name, &bound.len) != 0)
		return 0;
	return ntohs(address->name.ss_family == AF_INET6
		? ((struct sockaddr_in6 *)&bound.name)->sin6_port
		: ((struct sockaddr_in *)&bound.name)->sin_port);
}

static void
on_connection(uv_stream_t *stream, int status)
{
	struct listener *listener = stream->data;

	if (status == 0)
		conn_accept(listener);
	else
		listener->loop->accept_errors++;
}

static bool
listener_open(struct http_loop *loop, const struct address *address, bool shared)
{
	struct listener *listener = &loop->listeners[loop->listener_count];
	int fd;

	if (uv_tcp_init(&loop->uv, &listener->tcp) != 0)
		return false;
	listener->loop = loop;
	listener->tcp.data = listener;
	loop->listener_count++;
	fd = bound_socket(address, shared);
	if (fd < 0)
		return false;
	if (uv_tcp_open(&listener->tcp, fd) != 0) {
		fd_done(&fd);
		return false;
	}
	return uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection) == 0;
}

static bool
listen_failed(const char *address, unsigned port, struct error *err)
{
	if (errno == 0)
		errno = EADDRINUSE;
	return error_set(err, ERR_INTERNAL, "can't listen on %s port %u: %s", address, port,
	    uv_strerror(uv_translate_sys_error(errno)));
}

static bool
listen_on_address(const struct http_settings *settings, struct http_loop *loops, const char *text,
    unsigned port, struct error *err)
{
	struct address address;

	if (!address_parse(text, port, &address, err))
		return false;
	for (unsigned i = 0; i < settings->loops; i++) {
		if (!listener_open(&loops[i], &address, settings->loops > 1))
			return listen_failed(text, port, err);
	}
	return true;
}

/* A port that is free on all addresses. */
static bool
choose_port(const struct http_settings *settings, unsigned *port, struct error *err)
{
	unsigned chosen = settings->port;

	for (const char *const *text = settings->addresses; *text != NULL; text++) {
		struct address address;

		if (!address_parse(*text, chosen, &address, err))
			return false;
		errno = 0;
		chosen = free_port(&address);
		if (chosen == 0)
			return listen_failed(*text, settings->port, err);
	}
	*port = chosen;
	return true;
}

static size_t
address_count(const struct http_settings *settings)
{
	size_t count = 0;

	while (settings->addresses[count] != NULL)
		count++;
	return count;
}

bool
listen_on(const struct http_settings *settings, struct http_loop *loops, unsigned *port,
    struct error *err)
{
	size_t count = address_count(settings);
	bool chosen = false;

	for (unsigned i = 0; i < settings->loops; i++) {
		loops[i].listeners = calloc(count + 1, sizeof(*loops[i].listeners));
		if (loops[i].listeners == NULL)
			return error_memory(err);
	}
	for (int i = 0; !chosen && i < (settings->port == 0 ? PORT_TRIES : 1); i++)
		chosen = choose_port(settings, port, err);
	if (!chosen)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!listen_on_address(settings, loops, settings->addresses[i], *port, err))
			return false;
	}
	return true;
}
