#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define NANOS ((int64_t)1000000000)

static _Atomic int64_t offset;

static int64_t
nanos_of(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * NANOS + ts.tv_nsec;
}

int64_t
clock_wall_nanos(void)
{
	return nanos_of(CLOCK_REALTIME);
}

int64_t
clock_wall(void)
{
	return clock_wall_nanos() / NANOS;
}

int64_t
clock_now(void)
{
	return clock_wall() + atomic_load_explicit(&offset, memory_order_relaxed);
}

int64_t
clock_mono(void)
{
	return nanos_of(CLOCK_MONOTONIC);
}

int64_t
clock_offset(void)
{
	return atomic_load(&offset);
}

void
clock_set_offset(int64_t seconds)
{
	atomic_store(&offset, seconds);
}

void
clock_iso(int64_t wall_nanos, char out[CLOCK_ISO_LEN + 1])
{
	time_t seconds = (time_t)(wall_nanos / NANOS);
	unsigned ticks = (unsigned)(wall_nanos % NANOS / 100);
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)snprintf(out, CLOCK_ISO_LEN + 1, "%04u-%02u-%02uT%02u:%02u:%02u.%07uZ",
	    (unsigned)(tm.tm_year + 1900) % 10000U, (unsigned)(tm.tm_mon + 1) % 100U,
	    (unsigned)tm.tm_mday % 100U, (unsigned)tm.tm_hour % 100U, (unsigned)tm.tm_min % 100U,
	    (unsigned)tm.tm_sec % 100U, ticks % 10000000U);
}
