/*
 * Memory of the heap that may hold plaintext, for libraries that let one choose: wiped when it is
 * given back.
 */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H

#include <stddef.h>

void wipe_free(void *memory); /* NULL is fine */

/*
 * wipe_stack():
 * Wipe what those who were called before have left below the caller's frame, 16 KB of it.  A
 * library whose functions are bound when they are first called has all vector registers, and so the
 * text that was just copied, put there by the dynamic linker.
 */
void wipe_stack(void);

/*
 * wipe_realloc(memory, size):
 * As realloc, for what malloc gave, or NULL; what it moves from is wiped.  A ${size} of 0 frees.
 */
void *wipe_realloc(void *memory, size_t size);

#endif
