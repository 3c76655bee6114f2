#include "crypto/memory.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/*
 * Wiping here costs a memset per free; having OpenSSL do it (SSL_OP_CLEANSE_PLAINTEXT) costs its
 * byte-wise cleanse of a whole record buffer per request, and covers less.
 */
static void
wipe_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

static void *
plain_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(size);
}

static void *
wipe_realloc(void *memory, size_t size, const char *file, int line)
{
	size_t before = memory == NULL ? 0 : malloc_usable_size(memory);
	void *larger;

	if (memory != NULL && size <= before && size > 0)
		return memory;
	larger = size == 0 ? NULL : malloc(size);
	if (larger == NULL && size > 0)
		return NULL;
	if (memory != NULL && larger != NULL)
		memcpy(larger, memory, before < size ? before : size);
	wipe_free(memory, file, line);
	return larger;
}

bool
crypto_wipe_memory(void)
{
	return CRYPTO_set_mem_functions(plain_malloc, wipe_realloc, wipe_free) == 1;
}
