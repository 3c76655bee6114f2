/*
 * The clock of a development server: `POST /strongroom/clock` on the management host moves it, for
 * administrators; its offset is kept, so that a restart does not turn it back.
 *
 * Document, sealed under the system key: "dev/clock".
 */
#ifndef CLOCK_API_H
#define CLOCK_API_H

#include "api/request.h"
#include "keyring/mirror.h"

/*
 * clock_open(store, keyring, out, err):
 * Set the clock as it was left, and from then on as every commit says.  Closed with mirror_close.
 */
MUST_USE bool clock_open(struct store *store, struct keyring *keyring, struct mirror **out,
    struct error *err);

extern const struct op clock_ops[];

#endif
