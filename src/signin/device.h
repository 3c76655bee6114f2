/*
 * Devices that sign in through a browser elsewhere (RFC 8628): the pages' side.
 */
#ifndef SIGNIN_DEVICE_H
#define SIGNIN_DEVICE_H

#include "api/request.h"
#include "signin/errand.h"

#define DEVICE_INTERVAL 5 /* seconds between two questions of a device */

/*
 * device_find(r, code, out, err):
 * The device that waits under a code as somebody typed it; lies in the request's arena.  Who
 * guesses is slowed down.  ERR_STS_EXPIRED_CODE, ERR_STS_LOCKED.
 */
MUST_USE bool device_find(struct request *r, view code, struct errand *out, struct error *err);

/* device_answer: What the person said of the device of ${errand}. ERR_STS_EXPIRED_CODE. */
MUST_USE bool device_answer(struct request *r, const struct errand *errand, bool yes,
    struct error *err);

#endif
