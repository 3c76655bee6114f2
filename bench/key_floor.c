/*
 * key_floor KIND SECONDS THREADS: what is done with keys in a second, by libcrypto alone.
 *
 * KIND is RSA-2048 or P-256: keys generated; or wrap or unwrap: RSA-OAEP-256 by one RSA-2048 key of
 * 32 bytes.  Prints how many there were, the seconds they took, and the seconds of processor time.
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
#define WRAPPED 256 /* bytes */
#define CONTENT 32

static EVP_PKEY *key;
static unsigned char wrapped[WRAPPED];
static double seconds;
static atomic_ulong made;

static void
must(bool fine)
{
	if (fine)
		return;
	(void)fprintf(stderr, "key_floor: libcrypto failed\n");
	exit(EXIT_FAILURE);
}

static double
clock_of(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
generate(EVP_PKEY *generated)
{
	must(generated != NULL);
	EVP_PKEY_free(generated);
}

static void
generate_rsa(EVP_PKEY_CTX *none)
{
	(void)none;
	generate(EVP_RSA_gen(2048));
}

static void
generate_ec(EVP_PKEY_CTX *none)
{
	(void)none;
	generate(EVP_EC_gen("P-256"));
}

static EVP_PKEY_CTX *
started(int (*start)(EVP_PKEY_CTX *context))
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);

	must(context != NULL && start(context) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1);
	return context;
}

static void
wrap(EVP_PKEY_CTX *context)
{
	static const unsigned char content[CONTENT];
	unsigned char out[WRAPPED];
	size_t len = sizeof(out);

	must(EVP_PKEY_encrypt(context, out, &len, content, sizeof(content)) == 1);
}

static void
unwrap(EVP_PKEY_CTX *context)
{
	unsigned char out[WRAPPED];
	size_t len = sizeof(out);

	must(EVP_PKEY_decrypt(context, out, &len, wrapped, sizeof(wrapped)) == 1 && len == CONTENT);
}

static const struct kind {
	const char *name;
	int (*start)(EVP_PKEY_CTX *context); /* NULL: it needs no key */
	void (*once)(EVP_PKEY_CTX *context);
} kinds[] = {
	{ "RSA-2048", NULL, generate_rsa },
	{ "P-256", NULL, generate_ec },
	{ "wrap", EVP_PKEY_encrypt_init, wrap },
	{ "unwrap", EVP_PKEY_decrypt_init, unwrap },
};
static const struct kind *kind;

static bool
find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			kind = &kinds[i];
	}
	return kind != NULL;
}

static void
make_wrapped(void)
{
	static const unsigned char content[CONTENT];
	size_t len = sizeof(wrapped);
	EVP_PKEY_CTX *context;

	key = EVP_RSA_gen(2048);
	must(key != NULL);
	context = started(EVP_PKEY_encrypt_init);
	must(EVP_PKEY_encrypt(context, wrapped, &len, content, sizeof(content)) == 1);
	EVP_PKEY_CTX_free(context);
}

static void *
work(void *arg)
{
	EVP_PKEY_CTX *context = kind->start == NULL ? NULL : started(kind->start);
	const double end = clock_of(CLOCK_MONOTONIC) + seconds;

	while (clock_of(CLOCK_MONOTONIC) < end) {
		kind->once(context);
		made++;
	}
	EVP_PKEY_CTX_free(context);
	return arg;
}

int
main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	double begun, used;
	long count;

	if (argc != 4 || !find_kind(argv[1]) || (count = strtol(argv[3], NULL, 10)) < 1 ||
	    count > THREADS_MAX) {
		(void)fprintf(stderr,
		    "usage: key_floor RSA-2048|P-256|wrap|unwrap SECONDS THREADS\n");
		return EXIT_FAILURE;
	}
	seconds = strtod(argv[2], NULL);
	if (kind->start != NULL)
		make_wrapped();
	begun = clock_of(CLOCK_MONOTONIC);
	used = clock_of(CLOCK_PROCESS_CPUTIME_ID);
	for (long i = 0; i < count; i++)
		must(pthread_create(&threads[i], NULL, work, NULL) == 0);
	for (long i = 0; i < count; i++)
		must(pthread_join(threads[i], NULL) == 0);
	printf("%lu %.6f %.6f\n", (unsigned long)made, clock_of(CLOCK_MONOTONIC) - begun,
	    clock_of(CLOCK_PROCESS_CPUTIME_ID) - used);
	return EXIT_SUCCESS;
}
