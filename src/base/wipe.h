/*
 * Memory of the heap that may hold plaintext, for libraries that let one choose: wiped when it is
 * given back.
 */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H

#include <stddef.h>

void wipe_free(void *memory); /* NULL is fine */

/*
 * wipe_realloc(memory, size):
 * As realloc, for what malloc gave, or NULL; what it moves from is wiped.  A ${size} of 0 frees.
 */
void *wipe_realloc(void *memory, size_t size);

#endif
