/*
 * Random numbers: OpenSSL's generator, or the kernel's when memory is short.  random_bytes for
 * keys; random_id for names that need to be unguessable but not secret (request ids, versions),
 * drawn from a buffer of the thread.
 */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include "base/error.h"
#include "base/uuid.h"

/* random_bytes(out, len): Never fails: a process without random numbers must not go on (abort). */
void random_bytes(void *out, size_t len);
void random_id(uint8_t out[16]);
void random_uuid(struct uuid *out);

/*
 * random_ordered(out):
 * 32 hex digits that begin with the time in milliseconds: what is made one after the other lies
 * side by side in an index.  For internal ids that nobody is shown.
 */
void random_ordered(char out[HEX16_LEN + 1]);
void random_version(char out[HEX16_LEN + 1]); /* 32 lower-case hex digits */

#endif
