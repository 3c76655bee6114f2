/*
 * Lists of texts as roles and deny assignments keep them: NULL-terminated, each with a NUL.
 */
#ifndef ACCESS_TEXTS_H
#define ACCESS_TEXTS_H

#include "base/arena.h"
#include "base/pack.h"

void texts_pack(struct buf *out, const char *const *list);

/* Each false without memory; texts_unpack also when there are more than a role may have. */
MUST_USE bool texts_unpack(struct unpack *in, struct arena *arena, const char *const **out);
MUST_USE bool text_copy(struct arena *arena, view text, const char **out);
MUST_USE bool texts_copy(const char *const *from, struct arena *arena, const char *const **out);

#endif
