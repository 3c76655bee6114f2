#include "acme/http01.h"

#include "acme/acme.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS 64
#define HEAD_MAX 2048
#define PATIENCE ((int64_t)5 * 1000000000) /* nanoseconds for a request */
#define BACKLOG 64

struct slot {
	int fd; /* negative: free */
	int64_t until;
	size_t len;
	char head[HEAD_MAX];
};

struct http01 {
	http01_find *find;
	void *ctx;
	int fd, stop[2]; /* a pipe: what is written there ends the thread */
	pthread_t thread;
	struct slot slots[SLOTS];
};

/* An address of either family, as the socket calls want it. */
struct where {
	struct sockaddr_storage address;
	socklen_t len;
};

static void
where_set(const struct address *address, uint16_t port, struct where *out)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };

	memcpy(&six.sin6_addr, address->bytes, sizeof(address->bytes));
	memcpy(&four.sin_addr, address->bytes + 12, sizeof(four.sin_addr));
	if (address_is_ipv4(address)) {
		memcpy(&out->address, &four, sizeof(four));
		out->len = sizeof(four);
	} else {
		memcpy(&out->address, &six, sizeof(six));
		out->len = sizeof(six);
	}
}

static bool
where_parse(view text, struct where *out)
{
	struct address address;
	uint64_t port;
	view host;

	if (view_starts(text, V("["))) {
		text = view_from(text, 1);
		host = view_cut(&text, ']');
		if (!view_starts(text, V(":")))
			return false;
		text = view_from(text, 1);
	} else {
		host = view_cut(&text, ':');
	}
	if (!address_parse(host, &address) || !view_u64(text, &port) || port == 0 || port > 65535)
		return false;
	*out = (struct where){ 0 };
	where_set(&address, (uint16_t)port, out);
	return true;
}

bool
http01_address_valid(const char *address)
{
	struct where where;

	return where_parse(view_of(address), &where);
}

static void
slot_close(struct slot *slot)
{
	if (slot->fd >= 0)
		(void)close(slot->fd);
	slot->fd = -1;
}

view
http01_token_asked(view head)
{
	static const view prefix = V_INIT("/.well-known/acme-challenge/");
	view line = view_cut(&head, '\r');
	view method = view_cut(&line, ' '), path = view_cut(&line, ' ');

	if (!view_eq(method, V("GET")) || !view_starts(line, V("HTTP/1.")) ||
	    !view_starts(path, prefix))
		return V("");
	path = view_from(path, prefix.len);
	return acme_token_valid(path) ? path : V("");
}

static void
answer(struct http01 *http01, struct slot *slot)
{
	AUTO(buf_free) struct buf proof = { 0 }, out = { 0 };
	view token = http01_token_asked((view){ slot->head, slot->len });
	bool looked = token.len == 0 || http01->find(http01->ctx, token, &proof);
	const char *status = "404 Not Found";

	if (!looked || !buf_ok(&proof)) {
		buf_reset(&proof);
		status = "503 Service Unavailable";
	} else if (proof.len > 0) {
		status = "200 OK";
	}
	buf_print(&out,
	    "HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %zu\r\n"
	    "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
	    status, proof.len);
	buf_add(&out, buf_view(&proof));
	/* It fits a fresh socket's buffer; a peer that does not take it gets nothing. */
	if (buf_ok(&out))
		(void)!send(slot->fd, out.ptr, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(slot->fd, SHUT_WR);
	slot_close(slot);
}

static void
take(struct http01 *http01, struct slot *slot)
{
	ssize_t len =
	    recv(slot->fd, slot->head + slot->len, sizeof(slot->head) - slot->len, MSG_DONTWAIT);

	if (len <= 0) {
		slot_close(slot);
		return;
	}
	slot->len += (size_t)len;
	if (memmem(slot->head, slot->len, "\r\n\r\n", 4) != NULL)
		answer(http01, slot);
	else if (slot->len == sizeof(slot->head))
		slot_close(slot);
}

/* More than there are slots for wait in the backlog. */
static void
take_in(struct http01 *http01)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &http01->slots[i];

		if (slot->fd >= 0)
			continue;
		slot->fd = accept4(http01->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (slot->fd < 0)
			return;
		slot->len = 0;
		slot->until = clock_mono() + PATIENCE;
	}
}

/* What to wait for: [0] the end, [1] the listener while there is room, [2 + i] slot i. */
static size_t
collect(const struct http01 *http01, struct pollfd *polls, bool *busy)
{
	size_t taken = 0;

	polls[0] = (struct pollfd){ .fd = http01->stop[0], .events = POLLIN };
	for (size_t i = 0; i < SLOTS; i++) {
		polls[2 + i] = (struct pollfd){ .fd = http01->slots[i].fd, .events = POLLIN };
		taken += http01->slots[i].fd >= 0;
	}
	polls[1] = (struct pollfd){ .fd = taken < SLOTS ? http01->fd : -1, .events = POLLIN };
	*busy = taken > 0;
	return 2 + SLOTS;
}

static void *
thread_main(void *ctx)
{
	struct http01 *http01 = ctx;
	struct pollfd polls[2 + SLOTS];

	for (;;) {
		bool busy;
		size_t count = collect(http01, polls, &busy);

		(void)poll(polls, count, busy ? 1000 : -1);
		if (polls[0].revents != 0)
			return NULL;
		for (size_t i = 0; i < SLOTS; i++) {
			struct slot *slot = &http01->slots[i];

			if (slot->fd >= 0 && polls[2 + i].revents != 0)
				take(http01, slot);
			else if (slot->fd >= 0 && clock_mono() > slot->until)
				slot_close(slot);
		}
		if (polls[1].revents != 0)
			take_in(http01);
	}
}

/* The socket is the caller's to close, also after a failure. */
static bool
listen_at(const char *address, int *fd, struct error *err)
{
	struct where where;
	int one = 1;

	if (!where_parse(view_of(address), &where))
		return error_set(err, ERR_BAD_REQUEST, "%s is not ADDRESS:PORT", address);
	*fd = socket(where.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return error_errno(err, "a socket for HTTP-01");
	(void)setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return (bind(*fd, (const struct sockaddr *)&where.address, where.len) == 0 &&
		   listen(*fd, BACKLOG) == 0) ||
	    error_errno(err, address);
}

static void
free_all(struct http01 *http01)
{
	for (size_t i = 0; i < SLOTS; i++)
		slot_close(&http01->slots[i]);
	fd_done(&http01->fd);
	fd_done(&http01->stop[0]);
	fd_done(&http01->stop[1]);
	free(http01);
}

bool
http01_open(const char *address, http01_find *find, void *ctx, struct http01 **out,
    struct error *err)
{
	struct http01 *http01 = calloc(1, sizeof(*http01));

	if (http01 == NULL)
		return error_memory(err);
	http01->find = find;
	http01->ctx = ctx;
	http01->fd = http01->stop[0] = http01->stop[1] = -1;
	for (size_t i = 0; i < SLOTS; i++)
		http01->slots[i].fd = -1;
	if (!listen_at(address, &http01->fd, err)) {
		free_all(http01);
		return false;
	}
	if (pipe2(http01->stop, O_CLOEXEC) != 0 ||
	    pthread_create(&http01->thread, NULL, thread_main, http01) != 0) {
		free_all(http01);
		return error_set(err, ERR_UNAVAILABLE, "the thread for HTTP-01 can't be started");
	}
	*out = http01;
	return true;
}

void
http01_close(struct http01 *http01)
{
	if (http01 == NULL)
		return;
	(void)!write(http01->stop[1], "", 1);
	(void)pthread_join(http01->thread, NULL);
	free_all(http01);
}
