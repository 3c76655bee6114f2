/*
 * handshakes HOST PORT CAFILE SECONDS THREADS full|resumed: TLS 1.3 handshakes a second.
 *
 * Each thread connects to this machine, shakes hands, verifies HOST's certificate, waits for a
 * session ticket and closes.  With `resumed` it shows the ticket it was given last, and a
 * connection that was not resumed ends the program.  Prints how many there were and the seconds
 * they took.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 256

static const char *host;
static struct sockaddr_in address;
static SSL_CTX *context;
static double seconds;
static bool resumed;
static atomic_ulong made;

static void
must(bool fine, const char *what)
{
	if (fine)
		return;
	(void)fprintf(stderr, "handshakes: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(EXIT_FAILURE);
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Closed with a reset: no port waits for the other side, and there are as many as one likes. */
static int
connected(void)
{
	const struct linger reset = { .l_onoff = 1 };
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0,
	    "no connection");
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* The session that the ticket stands for; ${session}: the one to go on with, or NULL. */
static SSL_SESSION *
handshake(SSL_SESSION *session)
{
	SSL *ssl = SSL_new(context);
	int fd = connected();
	SSL_SESSION *next;
	char byte;

	must(ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_set1_host(ssl, host) == 1 &&
		SSL_set_tlsext_host_name(ssl, host) == 1,
	    "no memory");
	must(session == NULL || SSL_set_session(ssl, session) == 1, "no session");
	must(SSL_connect(ssl) == 1, "no handshake");
	must(session == NULL || SSL_session_reused(ssl) == 1, "not resumed");
	/* Returns behind the first ticket, because nothing is tried again by itself. */
	must(SSL_read(ssl, &byte, 1) < 0 && SSL_get_error(ssl, -1) == SSL_ERROR_WANT_READ,
	    "no ticket");
	next = SSL_get1_session(ssl);
	must(next != NULL && SSL_SESSION_is_resumable(next), "no session");
	/* A session whose connection was not closed in order is not resumed. */
	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	(void)close(fd);
	return next;
}

static void *
work(void *arg)
{
	SSL_SESSION *session = resumed ? handshake(NULL) : NULL;
	const double end = now() + seconds;

	while (now() < end) {
		SSL_SESSION *next = handshake(session);

		SSL_SESSION_free(resumed ? session : next);
		session = resumed ? next : NULL;
		made++;
	}
	SSL_SESSION_free(session);
	return arg;
}

int
main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	long count = argc == 7 ? strtol(argv[5], NULL, 10) : 0;
	double begun;

	if (count < 1 || count > THREADS_MAX) {
		(void)fprintf(stderr,
		    "usage: handshakes HOST PORT CAFILE SECONDS THREADS full|resumed\n");
		return EXIT_FAILURE;
	}
	host = argv[1];
	address.sin_family = AF_INET;
	address.sin_port = htons((unsigned short)strtoul(argv[2], NULL, 10));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	seconds = strtod(argv[4], NULL);
	resumed = strcmp(argv[6], "resumed") == 0;
	context = SSL_CTX_new(TLS_client_method());
	must(context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
		SSL_CTX_load_verify_locations(context, argv[3], NULL) == 1,
	    "no authority");
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
	begun = now();
	for (long i = 0; i < count; i++)
		must(pthread_create(&threads[i], NULL, work, NULL) == 0, "no thread");
	for (long i = 0; i < count; i++)
		must(pthread_join(threads[i], NULL) == 0, "no thread");
	printf("%lu %.6f\n", (unsigned long)made, now() - begun);
	return EXIT_SUCCESS;
}
