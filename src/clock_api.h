/*
 * The clock of a development server: `POST /strongroom/clock` on the management host moves it, for
 * administrators; its offset is kept, so that a restart does not turn it back.
 *
 * Document, sealed under the system key: "dev/clock".
 */
#ifndef CLOCK_API_H
#define CLOCK_API_H

#include "api/request.h"

/* clock_restore(store, keyring, err): At start: set the clock as it was left. */
MUST_USE bool clock_restore(struct store *store, struct keyring *keyring, struct error *err);

extern const struct op clock_ops[];

#endif
