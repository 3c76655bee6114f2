#include "crypto/memory.h"

#include "base/starved.h"
#include "base/wipe.h"

#include <openssl/crypto.h>
#include <stdlib.h>

static _Thread_local bool failed;

/*
 * Wiping here costs a memset per free; having OpenSSL do it (SSL_OP_CLEANSE_PLAINTEXT) costs its
 * byte-wise cleanse of a whole record buffer per request, and covers less.
 */
static void
give_back(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	wipe_free(memory);
}

static void *
noted(void *memory, size_t size)
{
	if (memory == NULL && size > 0) {
		failed = true;
		starved_note();
	}
	return memory;
}

static void *
take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return noted(malloc(size), size);
}

static void *
resize(void *memory, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return noted(wipe_realloc(memory, size), size);
}

bool
crypto_wipe_memory(void)
{
	return CRYPTO_set_mem_functions(take, resize, give_back) == 1;
}

bool
crypto_memory_failed(void)
{
	bool had = failed;

	failed = false;
	return had;
}
