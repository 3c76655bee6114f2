/*
 * Who is at the other end of a local connection, by the kernel's word: SO_PEERCRED for a Unix
 * socket, the owner of the client's socket (sock_diag(7)) for a TCP connection on loopback.
 */
#ifndef CLI_PEER_H
#define CLI_PEER_H

#include "base/error.h"

#include <sys/types.h>

/*
 * peer_user(fd, uid, err):
 * The user who made the client's socket.  ERR_FORBIDDEN when the kernel does not tell: a client on
 * another host or in another network namespace, one that has closed already, a user who has no
 * number here.  Never blocks for long.
 */
MUST_USE bool peer_user(int fd, uid_t *uid, struct error *err);

#endif
