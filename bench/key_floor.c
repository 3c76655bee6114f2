/*
 * key_floor KIND SECONDS THREADS: keys generated a second, by libcrypto alone.
 *
 * KIND is RSA-2048 or P-256.  Prints how many there were, the seconds they took, and the seconds of
 * processor time.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 256

static bool rsa;
static double seconds;
static atomic_ulong made;

static double
clock_of(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *
generate(void *arg)
{
	const double end = clock_of(CLOCK_MONOTONIC) + seconds;

	(void)arg;
	while (clock_of(CLOCK_MONOTONIC) < end) {
		EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");

		if (key == NULL) {
			(void)fprintf(stderr, "key_floor: no key\n");
			exit(EXIT_FAILURE);
		}
		EVP_PKEY_free(key);
		made++;
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	double begun;
	long count;

	if (argc != 4 || (count = strtol(argv[3], NULL, 10)) < 1 || count > THREADS_MAX) {
		(void)fprintf(stderr, "usage: key_floor RSA-2048|P-256 SECONDS THREADS\n");
		return EXIT_FAILURE;
	}
	rsa = strcmp(argv[1], "RSA-2048") == 0;
	seconds = strtod(argv[2], NULL);
	begun = clock_of(CLOCK_MONOTONIC);
	for (long i = 0; i < count; i++) {
		if (pthread_create(&threads[i], NULL, generate, NULL) != 0)
			return EXIT_FAILURE;
	}
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("%lu %.6f %.6f\n", (unsigned long)made, clock_of(CLOCK_MONOTONIC) - begun,
	    clock_of(CLOCK_PROCESS_CPUTIME_ID));
	return EXIT_SUCCESS;
}
