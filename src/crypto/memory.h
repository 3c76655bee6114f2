/*
 * OpenSSL's memory: wiped whenever it is given back.  What passes through TLS (secrets' values) and
 * what OpenSSL copies of keys does not lie around in the heap afterwards.
 */
#ifndef CRYPTO_MEMORY_H
#define CRYPTO_MEMORY_H

#include <stdbool.h>

/* crypto_wipe_memory(): Once, before any other use of OpenSSL; false when it is too late. */
bool crypto_wipe_memory(void);

#endif
