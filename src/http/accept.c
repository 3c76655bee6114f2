/* How a connection begins: who it is from, whether there is room, what a forwarder says. */
#include "http/conn.h"
#include "http/crowd.h"
#include "http/proxy.h"
#include "http/tls_conn.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void
on_turned_away(uv_handle_t *handle)
{
	free(handle);
}

/* Take a connection only to close it; otherwise libuv would listen no more. */
static void
turn_away(struct listener *listener)
{
	union socket *socket = malloc(sizeof(*socket));

	listener->stalled = socket == NULL;
	if (socket == NULL)
		return;
	socket_init(listener->loop, listener->unix_domain, socket);
	(void)uv_accept(&listener->socket.stream, &socket->stream);
	uv_close(&socket->handle, on_turned_away);
}

static struct conn *
conn_new(struct listener *listener)
{
	struct http_loop *loop = listener->loop;
	struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		return NULL;
	conn->tls = tls_conn_new(loop->settings->tls);
	if (conn->tls == NULL) {
		free(conn);
		return NULL;
	}
	conn->loop = loop;
	socket_init(loop, listener->unix_domain, &conn->socket);
	conn->socket.handle.data = conn;
	return conn;
}

static void
conn_name(struct conn *conn, const struct address *address)
{
	conn->address = *address;
	conn->peer_ipv6 = !address_is_ipv4(address);
	(void)address_print(address, conn->peer);
}

/* The other end's address; false when it is gone already. */
static bool
conn_find_peer(struct conn *conn)
{
	struct sockaddr_storage name;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&name;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&name;
	struct address address;
	int len = sizeof(name);

	if (uv_tcp_getpeername(&conn->socket.tcp, (struct sockaddr *)&name, &len) != 0)
		return false;
	if (name.ss_family == AF_INET6)
		memcpy(address.bytes, &v6->sin6_addr, sizeof(address.bytes));
	else
		address = address_from_ipv4((const uint8_t *)&v4->sin_addr);
	conn_name(conn, &address);
	return true;
}

static bool
is_forwarder(const struct conn *conn)
{
	const struct http_settings *settings = conn->loop->settings;

	for (size_t i = 0; i < settings->proxy_count; i++) {
		if (address_block_holds(&settings->proxies[i], &conn->address))
			return true;
	}
	return false;
}

static bool
conn_enter(struct conn *conn)
{
	conn->counted = conn->loop->crowd != NULL && crowd_enter(conn->loop->crowd, &conn->address);
	return conn->counted || conn->loop->crowd == NULL;
}

/* A forwarder is not counted before it has said for whom it comes. */
static bool
conn_admit(struct conn *conn, const struct listener *listener)
{
	if (listener->unix_domain)
		return true;
	if (!conn_find_peer(conn))
		return false;
	if (is_forwarder(conn)) {
		conn->state = CONN_FORWARDED;
		return true;
	}
	return conn_enter(conn);
}

void
conn_accept(struct listener *listener)
{
	struct http_loop *loop = listener->loop;
	unsigned open = atomic_fetch_add(loop->connections, 1);
	struct conn *conn = open < loop->settings->max_connections ? conn_new(listener) : NULL;

	if (conn == NULL) {
		atomic_fetch_sub(loop->connections, 1);
		turn_away(listener);
		return;
	}
	listener->stalled = false;
	conn_link(conn);
	conn->deadline = loop_deadline(loop, loop->settings->head_seconds);
	if (uv_accept(&listener->socket.stream, &conn->socket.stream) != 0 ||
	    !conn_admit(conn, listener))
		conn_close(conn);
	else
		conn_read(conn, true);
}

/* With LOCAL the forwarder is the client. */
static bool
conn_introduce(struct conn *conn, const struct proxy_header *header)
{
	if (!header->local)
		conn_name(conn, &header->client);
	conn->state = CONN_HANDSHAKE;
	return conn_enter(conn);
}

void
conn_take_forwarded(struct conn *conn, view bytes)
{
	AUTO(buf_free) struct buf begun = conn->early;
	struct proxy_header header;
	enum proxy_state state;

	conn->early = (struct buf){ 0 };
	if (begun.len > 0) {
		buf_add(&begun, bytes);
		bytes = buf_view(&begun);
	}
	state = buf_ok(&begun) ? proxy_parse(bytes, &header) : PROXY_REFUSED;
	if (state == PROXY_PART && begun.len == 0)
		buf_add(&begun, bytes);
	if (state == PROXY_PART && buf_ok(&begun)) {
		conn->early = begun;
		begun = (struct buf){ 0 };
	} else if (state != PROXY_WHOLE || !conn_introduce(conn, &header)) {
		conn_close(conn);
	} else if (bytes.len > header.len) {
		conn_take_cipher(conn, view_from(bytes, header.len));
	}
}
