/*
 * OpenSSL's memory: wiped whenever it is given back.  What passes through TLS (secrets' values) and
 * what OpenSSL copies of keys does not lie around in the heap afterwards.
 */
#ifndef CRYPTO_MEMORY_H
#define CRYPTO_MEMORY_H

#include <stdbool.h>

/* crypto_wipe_memory(): Once, before any other use of OpenSSL; false when it is too late. */
bool crypto_wipe_memory(void);

/*
 * crypto_memory_failed(): Has an allocation of OpenSSL's failed on this thread since it was asked
 * here last?  Only where crypto_wipe_memory was called.
 */
bool crypto_memory_failed(void);

#endif
