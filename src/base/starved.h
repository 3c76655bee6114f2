/*
 * Has memory failed?  Many a function says only that it could not: a parser that something is
 * malformed, a look-up that nothing is there.  Whoever begins a piece of work therefore asks here
 * at its end, so that nobody is blamed, and nothing done, for want of memory.  Each thread has its
 * own.
 */
#ifndef BASE_STARVED_H
#define BASE_STARVED_H

#include "base/error.h"

/*
 * starved_note():
 * Something got no memory, or a request's budget is spent.  Arenas, bufs, plains, maps, the
 * libraries' allocations and error_memory say so themselves.
 */
void starved_note(void);

void starved_begin(void); /* a piece of work: what failed before is not about it */

/*
 * starved_judge(fine, err):
 * How it ended: as ${fine} and ${err} have it; but when memory failed meanwhile, by that alone,
 * whatever was made of it on the way.  ERR_STORE_CONFLICT, which is another try, stays.
 */
MUST_USE bool starved_judge(bool fine, struct error *err);

#endif
