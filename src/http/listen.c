/* Addresses to listeners.  All loops share one port; the kernel spreads the connections. */
#include "base/file.h"
#include "http/conn.h"
#include "http/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 4096
#define PATH_MODE 0666 /* whoever may see it may ask */
#define PORT_TRIES 16  /* a port that is free on one address may be taken on the next */

struct socket_name {
	struct sockaddr_storage name;
	socklen_t len;
};

static bool
socket_name_parse(const char *text, unsigned port, struct socket_name *out, struct error *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&out->name;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->name;

	*out = (struct socket_name){ 0 };
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
bind_to(int fd, const struct socket_name *address, bool shared)
{
	return turn_on(fd, SOL_SOCKET, SO_REUSEADDR) &&
	    (!shared || turn_on(fd, SOL_SOCKET, SO_REUSEPORT)) &&
	    (address->name.ss_family != AF_INET6 || turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
	    turn_on(fd, IPPROTO_TCP, TCP_NODELAY) && /* what is accepted inherits it */
	    bind(fd, (const struct sockaddr *)&address->name, address->len) == 0;
}

static int
bound_socket(const struct socket_name *address, bool shared)
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
free_port(const struct socket_name *address)
{
	AUTO(fd_done) int fd = bound_socket(address, false);
	struct socket_name bound = { .len = sizeof(bound.name) };

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

void
socket_init(struct http_loop *loop, bool unix_domain, union socket *out)
{
	if (unix_domain)
		(void)uv_pipe_init(&loop->uv, &out->pipe, 0);
	else
		(void)uv_tcp_init(&loop->uv, &out->tcp);
}

static struct listener *
listener_new(struct http_loop *loop, bool unix_domain)
{
	struct listener *listener = &loop->listeners[loop->listener_count++];

	socket_init(loop, unix_domain, &listener->socket);
	listener->loop = loop;
	listener->unix_domain = unix_domain;
	listener->socket.handle.data = listener;
	return listener;
}

static bool
listener_open(struct http_loop *loop, const struct socket_name *address, bool shared)
{
	struct listener *listener = listener_new(loop, false);
	int fd = bound_socket(address, shared);

	if (fd < 0)
		return false;
	if (uv_tcp_open(&listener->socket.tcp, fd) != 0) {
		fd_done(&fd);
		return false;
	}
	return uv_listen(&listener->socket.stream, BACKLOG, on_connection) == 0;
}

static const struct {
	int number;
	const char *text;
} advices[] = {
	{ EADDRINUSE, " (stop what has it, or choose another by --port)" },
	{ EACCES,
	    " (below 1024: let systemd start it, or --port 8443 --public-port 443 behind a "
	    "forwarder)" },
	{ EADDRNOTAVAIL, " (--listen takes addresses of this machine, as 0.0.0.0)" },
};

static bool
listen_failed(const char *address, unsigned port, struct error *err)
{
	const char *advice = "";

	if (errno == 0)
		errno = EADDRINUSE;
	for (size_t i = 0; i < COUNT_OF(advices); i++) {
		if (advices[i].number == errno)
			advice = advices[i].text;
	}
	return error_set(err, ERR_INTERNAL, "can't listen on %s port %u: %s%s", address, port,
	    uv_strerror(uv_translate_sys_error(errno)), advice);
}

static bool
listen_on_address(const struct http_settings *settings, struct http_loop *loops, const char *text,
    unsigned port, struct error *err)
{
	struct socket_name address;

	if (!socket_name_parse(text, port, &address, err))
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
		struct socket_name address;

		if (!socket_name_parse(*text, chosen, &address, err))
			return false;
		errno = 0;
		chosen = free_port(&address);
		if (chosen == 0)
			return listen_failed(*text, settings->port, err);
	}
	*port = chosen;
	return true;
}

/* A socket that is left from before: who listens on our ports has no rival. */
static bool
remove_stale(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) != 0 || !S_ISSOCK(stat.st_mode) || unlink(path) == 0;
}

static bool
listen_on_path(struct http_loop *loop, const char *path, struct error *err)
{
	struct listener *listener = listener_new(loop, true);
	int result;

	if (!remove_stale(path))
		return error_errno(err, path);
	result = uv_pipe_bind(&listener->socket.pipe, path);
	if (result == 0)
		result = uv_listen(&listener->socket.stream, BACKLOG, on_connection);
	if (result == 0 && chmod(path, PATH_MODE) != 0)
		return error_errno(err, path);
	return result == 0 ||
	    error_set(err, ERR_INTERNAL, "can't listen on %s: %s", path, uv_strerror(result));
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
		loops[i].listeners =
		    calloc(count + 1, /* one for a path */ sizeof(*loops[i].listeners));
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
	return settings->unix_path == NULL || listen_on_path(loops, settings->unix_path, err);
}
