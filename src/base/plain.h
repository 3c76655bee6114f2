/*
 * Plaintext has its own type, and the store can't accept it.  A `struct plain` lives in memory of
 * its own that is locked (never swapped) and left out of core dumps, and is wiped when freed.  A
 * `struct sealed` is ciphertext: only the keyring makes one out of plaintext, only it opens one.
 */
#ifndef BASE_PLAIN_H
#define BASE_PLAIN_H

#include "base/attr.h"
#include "base/error.h"
#include "base/view.h"

struct plain;

struct sealed {
	view bytes;
};

/* plain_new(len): Room for ${len} bytes, zeroed; NULL without memory. The caller frees it. */
MUST_USE struct plain *plain_new(size_t len);
MUST_USE struct plain *plain_copy(view bytes);

char *plain_bytes(struct plain *plain);
view plain_view(const struct plain *plain); /* borrowed: as long as ${plain} */

/* plain_resize(plain, len): Cut to ${len} bytes, which must not exceed what it was made with. */
void plain_resize(struct plain *plain, size_t len);

void plain_free(struct plain *plain);  /* wipe, free; NULL is fine */
void plain_done(struct plain **plain); /* for AUTO */

bool constant_time_equal(view a, view b); /* the lengths may show, the bytes don't */

/*
 * plain_protect(err):
 * Once, at start: no core dumps, no ptrace by others, and all memory locked as it is touched.
 * False when the system does not allow the locking (RLIMIT_MEMLOCK); the rest is done all the same.
 */
bool plain_protect(struct error *err);

/* plain_protect_or_warn(): The same; what is not allowed is a warning in the operator's log. */
void plain_protect_or_warn(void);

#endif
