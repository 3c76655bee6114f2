/*
 * Service limits: how much may be asked of one vault within ten seconds (reference of the data
 * plane, section 17).
 *
 * Each class has a budget of its own; using a larger RSA key takes more of it.  Windows are fixed,
 * not sliding: all budgets are whole again when the next one begins.  What is refused takes
 * nothing.  Exact, without a lock, from any number of threads.
 */
#ifndef THROTTLE_THROTTLE_H
#define THROTTLE_THROTTLE_H

#include "api/op.h"
#include "base/attr.h"
#include "keyring/key.h"

#include <stdint.h>

#define THROTTLE_PERCENT_MAX 100000

struct throttle; /* one vault's counters */

/*
 * throttle_new(percent):
 * With so many percent of the documents' limits, up to THROTTLE_PERCENT_MAX; 0: everything passes.
 * A limit is at least what one request takes.  NULL without memory.
 */
MUST_USE struct throttle *throttle_new(unsigned percent);

/* Counted by holders, the maker being the first; NULL is fine in both. */
struct throttle *throttle_hold(struct throttle *throttle);
void throttle_release(struct throttle *throttle);

/*
 * throttle_charge(throttle, class, spec, err):
 * Take what one request of ${class} costs, with a key like ${spec} (NULL: without a key).
 * ERR_THROTTLED when the window has not so much left.  THROTTLE_NONE costs nothing; without a
 * throttle (NULL) there is no limit.  _at: as of ${now}, in clock_mono's nanoseconds, for tests.
 */
MUST_USE bool throttle_charge(struct throttle *throttle, enum throttle_class class,
    const struct key_spec *spec, struct error *err);
MUST_USE bool throttle_charge_at(struct throttle *throttle, enum throttle_class class,
    const struct key_spec *spec, int64_t now, struct error *err);

/* throttle_wait(): Seconds until the next window begins, 1 to 10. */
unsigned throttle_wait(void);
unsigned throttle_wait_at(int64_t now);

#endif
