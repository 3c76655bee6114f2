/*
 * What vaults' authorities signed for anybody who asks, lists of what was revoked and answers of
 * OCSP, to be given again.  Kept by a digest of what they say (whose, about what, in which state):
 * once something else is to be said that is another answer, and none has to be taken out.
 *
 * In memory only, ANSWERS_MAX of them and ANSWERS_BYTES at most, those asked for longest ago given
 * up first.  Any thread.
 */
#ifndef CERTS_CA_ANSWERS_H
#define CERTS_CA_ANSWERS_H

#include "base/buf.h"

#define ANSWERS_MAX 8192
#define ANSWERS_BYTES ((size_t)32 * 1024 * 1024)

struct ca_answers;

MUST_USE struct ca_answers *ca_answers_new(void); /* NULL: no memory */
void ca_answers_free(struct ca_answers *answers); /* NULL is fine */

/*
 * ca_answers_get(answers, what, now, out):
 * Append the answer.  False when there is none that is good at ${now}, Unix seconds.
 */
bool ca_answers_get(struct ca_answers *answers, view what, int64_t now, struct buf *out);

/* ca_answers_put(answers, what, from, until, der): Good from ${from} on, and before ${until}. */
void ca_answers_put(struct ca_answers *answers, view what, int64_t from, int64_t until, view der);

size_t ca_answers_count(struct ca_answers *answers);

#endif
