#include "cli/peer.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define NOBODY 65534 /* what the kernel calls users that have no number in our namespace */
#define WAIT_MICROSECONDS 500000

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

struct answer {
	struct nlmsghdr head;
	struct inet_diag_msg body;
	char rest[512]; /* attributes that nobody asked for */
};

static bool
unknown(struct error *err)
{
	return error_set(err, ERR_FORBIDDEN,
	    "The system does not tell which local user this connection is from.");
}

static bool
unix_user(int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || len != sizeof(peer))
		return false;
	*uid = peer.uid;
	return true;
}

/* One end of a connection, as sock_diag names it: in the network's order. */
static bool
end_of(const struct sockaddr_storage *name, __be16 *port, __be32 address[4])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)name;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)name;

	if (name->ss_family == AF_INET) {
		*port = v4->sin_port;
		memcpy(address, &v4->sin_addr, sizeof(v4->sin_addr));
	} else if (name->ss_family == AF_INET6) {
		*port = v6->sin6_port;
		memcpy(address, &v6->sin6_addr, sizeof(v6->sin6_addr));
	} else {
		return false;
	}
	return true;
}

/* The client's end: its source is our peer. */
static bool
ask_for(int fd, const struct sockaddr_storage *ours, struct question *out)
{
	struct sockaddr_storage theirs = { 0 };
	socklen_t len = sizeof(theirs);
	struct question question = {
		.head = { .nlmsg_len = sizeof(question),
		    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		    .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = (__u8)ours->ss_family,
		    .sdiag_protocol = IPPROTO_TCP,
		    .idiag_states = 1U << TCP_ESTABLISHED,
		    .id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } },
	};
	struct inet_diag_sockid *id = &question.body.id;

	if (getpeername(fd, (struct sockaddr *)&theirs, &len) != 0 ||
	    !end_of(&theirs, &id->idiag_sport, id->idiag_src) ||
	    !end_of(ours, &id->idiag_dport, id->idiag_dst))
		return false;
	*out = question;
	return true;
}

static bool
ask_kernel(const struct question *question, struct answer *out)
{
	const struct timeval wait = { .tv_usec = WAIT_MICROSECONDS };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK }, from = { 0 };
	AUTO(fd_done)
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	socklen_t len = sizeof(from);
	ssize_t got;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
	    sendto(fd, question, sizeof(*question), 0, (struct sockaddr *)&kernel,
		sizeof(kernel)) != (ssize_t)sizeof(*question))
		return false;
	got = recvfrom(fd, out, sizeof(*out), 0, (struct sockaddr *)&from, &len);
	return got >= (ssize_t)NLMSG_LENGTH(sizeof(out->body)) && from.nl_pid == 0 &&
	    out->head.nlmsg_type == SOCK_DIAG_BY_FAMILY;
}

/*
 * The kernel falls back to a socket that listens on the client's port, and calls sockets that
 * nobody holds any more root's: only an open connection with these very ends, and an inode, counts.
 */
static bool
fits(const struct answer *answer, const struct question *question)
{
	const struct inet_diag_sockid *got = &answer->body.id, *asked = &question->body.id;
	size_t len = question->body.sdiag_family == AF_INET ? 4 : 16;

	return answer->body.idiag_state == TCP_ESTABLISHED && answer->body.idiag_inode != 0 &&
	    got->idiag_sport == asked->idiag_sport && got->idiag_dport == asked->idiag_dport &&
	    (answer->body.idiag_family != question->body.sdiag_family ||
		(memcmp(got->idiag_src, asked->idiag_src, len) == 0 &&
		    memcmp(got->idiag_dst, asked->idiag_dst, len) == 0));
}

static bool
tcp_user(int fd, const struct sockaddr_storage *ours, uid_t *uid)
{
	struct question question;
	struct answer answer = { 0 };

	if (!ask_for(fd, ours, &question) || !ask_kernel(&question, &answer) ||
	    !fits(&answer, &question))
		return false;
	*uid = answer.body.idiag_uid;
	return true;
}

bool
peer_user(int fd, uid_t *uid, struct error *err)
{
	struct sockaddr_storage ours = { 0 };
	socklen_t len = sizeof(ours);
	uid_t user;
	bool told;

	if (fd < 0 || getsockname(fd, (struct sockaddr *)&ours, &len) != 0)
		return unknown(err);
	told = ours.ss_family == AF_UNIX ? unix_user(fd, &user) : tcp_user(fd, &ours, &user);
	if (!told || user == NOBODY || user == (uid_t)-1)
		return unknown(err);
	*uid = user;
	return true;
}
