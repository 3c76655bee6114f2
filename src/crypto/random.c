#include "crypto/random.h"

#include "base/clock.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/*
 * Ids are taken from the end of a buffer of the thread: a call of the generator costs as much as
 * sealing a document.  A forked child must not go on with its parent's buffer, so it counts as a
 * new generation.
 */
#define POOL_SIZE 1024
#define ID_LEN 16

struct pool {
	unsigned char bytes[POOL_SIZE];
	size_t left;
	unsigned generation;
};

static _Thread_local struct pool pool;
static atomic_uint generation;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

/* OpenSSL's generator takes memory, now and then; the kernel's does not. */
static void
kernel_bytes(void *out, size_t len)
{
	char *at = out;

	ERR_clear_error();
	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0 && errno != EINTR)
			abort();
		at += got > 0 ? got : 0;
		len -= got > 0 ? (size_t)got : 0;
	}
}

void
random_bytes(void *out, size_t len)
{
	if (RAND_priv_bytes_ex(NULL, out, len, 0) != 1)
		kernel_bytes(out, len);
}

static void
forked(void)
{
	atomic_fetch_add(&generation, 1);
}

static void
watch_forks(void)
{
	if (pthread_atfork(NULL, NULL, forked) != 0)
		abort();
}

static void
pool_fill(unsigned now)
{
	(void)pthread_once(&fork_once, watch_forks);
	if (RAND_bytes_ex(NULL, pool.bytes, POOL_SIZE, 0) != 1)
		kernel_bytes(pool.bytes, POOL_SIZE);
	pool.left = POOL_SIZE;
	pool.generation = now;
}

void
random_id(uint8_t out[16])
{
	unsigned now = atomic_load_explicit(&generation, memory_order_relaxed);

	if (pool.left == 0 || pool.generation != now)
		pool_fill(now);
	pool.left -= ID_LEN;
	memcpy(out, pool.bytes + pool.left, ID_LEN);
	explicit_bzero(pool.bytes + pool.left, ID_LEN);
}

void
random_uuid(struct uuid *out)
{
	uint8_t bytes[ID_LEN];

	random_id(bytes);
	uuid_from(bytes, out);
}

void
random_version(char out[HEX16_LEN + 1])
{
	uint8_t bytes[ID_LEN];

	random_id(bytes);
	hex_encode((view){ (const char *)bytes, sizeof(bytes) }, out);
	out[HEX16_LEN] = '\0';
}

void
random_ordered(char out[HEX16_LEN + 1])
{
	uint64_t milliseconds = (uint64_t)clock_wall_nanos() / 1000000;
	uint8_t bytes[16];

	random_id(bytes);
	for (size_t i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(milliseconds >> (8 * (5 - i)));
	hex_encode((view){ (const char *)bytes, sizeof(bytes) }, out);
	out[HEX16_LEN] = '\0';
}
