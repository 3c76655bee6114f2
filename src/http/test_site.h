/* For tests: a server in a thread of its own, that answers in all the ways there are. */
#ifndef HTTP_TEST_SITE_H
#define HTTP_TEST_SITE_H

#include "http/http.h"
#include "http/tls_test_peer.h"

#include <pthread.h>
#include <stdatomic.h>

#define TEST_BIG ((size_t)4 << 20) /* bytes of the reply to /big */

struct test_site {
	struct test_cert cert;
	struct tls *tls;
	struct http_settings settings; /* may be changed until it is started */
	struct http_server *server;
	pthread_t thread;
	bool running;
	atomic_uint answered, turns, seen;
	atomic_uint loops_seen; /* a bit each */
	atomic_bool released;   /* what /held waits for */
};

/*
 * For cmocka.  The first makes a site and does not start it, the second starts it too; the third
 * starts one that gives nobody more than a second, the others wait for slow machines.  The teardown
 * stops it, and fails when an answered request was not shown to the turn function.
 */
int test_site_make(void **ctx);
int test_site_make_running(void **ctx);
int test_site_make_hasty(void **ctx);
int test_site_end(void **ctx);

void test_site_start(struct test_site *site);
void test_site_stop(struct test_site *site);

/* test_site_guest(site): A client that trusts the site's first certificate, connected. */
struct peer test_site_guest(struct test_site *site);

#endif
