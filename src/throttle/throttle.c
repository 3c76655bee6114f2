#include "throttle/throttle.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <stdlib.h>

#define SECOND ((int64_t)1000000000)
#define WINDOW (10 * SECOND)

/* How many times the smallest key's cost a larger key's is. */
struct weights {
	unsigned rsa_3072, rsa_4096;
};

/* What a vault has in a window. */
static const struct limit {
	unsigned units; /* of requests without a key, or with a small one; 0: no limit */
	struct weights weights;
} limits[] = {
	[THROTTLE_NONE] = { 0, { 1, 1 } },
	[THROTTLE_HSM_CREATE] = { 10, { 1, 1 } },
	[THROTTLE_SOFT_CREATE] = { 20, { 1, 1 } },
	[THROTTLE_HSM_USE] = { 2000, { 4, 8 } },
	[THROTTLE_SOFT_USE] = { 4000, { 4, 8 } },
	[THROTTLE_SET] = { 300, { 1, 1 } },
	[THROTTLE_OTHER] = { 4000, { 1, 1 } },
	[THROTTLE_AUTHORITY] = { 200, { 1, 1 } }, /* ours: the original has none */
};

struct throttle {
	atomic_uint holders;
	unsigned percent;
	/* The window's number in the upper half, what was taken in it in the lower one. */
	_Atomic uint64_t taken[COUNT_OF(limits)];
};

struct throttle *
throttle_new(unsigned percent)
{
	struct throttle *throttle = calloc(1, sizeof(*throttle));

	if (throttle == NULL)
		return NULL;
	atomic_init(&throttle->holders, 1);
	throttle->percent = percent < THROTTLE_PERCENT_MAX ? percent : THROTTLE_PERCENT_MAX;
	for (size_t i = 0; i < COUNT_OF(limits); i++)
		atomic_init(&throttle->taken[i], 0);
	return throttle;
}

struct throttle *
throttle_hold(struct throttle *throttle)
{
	if (throttle != NULL)
		(void)atomic_fetch_add(&throttle->holders, 1);
	return throttle;
}

void
throttle_release(struct throttle *throttle)
{
	if (throttle != NULL && atomic_fetch_sub(&throttle->holders, 1) == 1)
		free(throttle);
}

/* Sizes between the documents' count as the next larger one. */
static unsigned
weight_of(const struct limit *limit, const struct key_spec *spec)
{
	if (spec == NULL || spec->kind != KEY_RSA || spec->bits <= 2048)
		return 1;
	return spec->bits <= 3072 ? limit->weights.rsa_3072 : limit->weights.rsa_4096;
}

/* Is there so much left?  Then take it. */
static bool
take(_Atomic uint64_t *taken, uint32_t window, uint32_t weight, uint32_t limit)
{
	uint64_t before = atomic_load(taken), after;

	do {
		uint32_t number = (uint32_t)(before >> 32), used = (uint32_t)before;

		/* A thread that read the clock late must not bring an old window back. */
		if ((int32_t)(window - number) > 0) {
			number = window;
			used = 0;
		}
		if (weight > limit - (used < limit ? used : limit))
			return false;
		after = (uint64_t)number << 32 | (used + weight);
	} while (!atomic_compare_exchange_weak(taken, &before, after));
	return true;
}

bool
throttle_charge_at(struct throttle *throttle, enum throttle_class class,
    const struct key_spec *spec, int64_t now, struct error *err)
{
	uint32_t weight, share;

	if (throttle == NULL || throttle->percent == 0 || limits[class].units == 0)
		return true;
	weight = weight_of(&limits[class], spec);
	share = (uint32_t)((uint64_t)limits[class].units * throttle->percent / 100);
	if (take(&throttle->taken[class], (uint32_t)(now / WINDOW), weight,
		share > weight ? share : weight))
		return true;
	return error_set(err, ERR_THROTTLED,
	    "Request was not processed because too many requests were received. Reason: "
	    "VaultRequestTypeLimitReached");
}

bool
throttle_charge(struct throttle *throttle, enum throttle_class class, const struct key_spec *spec,
    struct error *err)
{
	return throttle_charge_at(throttle, class, spec, clock_mono(), err);
}

unsigned
throttle_wait_at(int64_t now)
{
	return (unsigned)((WINDOW - now % WINDOW + SECOND - 1) / SECOND);
}

unsigned
throttle_wait(void)
{
	return throttle_wait_at(clock_mono());
}
