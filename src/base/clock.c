#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define YEAR_0 INT64_C(-62167219200) /* Unix seconds */
#define YEAR_10000 INT64_C(253402300800)
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

/* "2026-01-31T23:59:59" of the second that was asked for last: most calls ask for the same. */
struct second {
	int64_t second;
	char text[CLOCK_ISO_LEN + 1];
};

static void
print_second(int64_t second, struct second *out)
{
	time_t time = (time_t)second;
	struct tm tm;

	(void)gmtime_r(&time, &tm);
	(void)snprintf(out->text, sizeof(out->text), "%04u-%02u-%02uT%02u:%02u:%02u",
	    (unsigned)(tm.tm_year + 1900) % 10000U, (unsigned)(tm.tm_mon + 1) % 100U,
	    (unsigned)tm.tm_mday % 100U, (unsigned)tm.tm_hour % 100U, (unsigned)tm.tm_min % 100U,
	    (unsigned)tm.tm_sec % 100U);
	out->second = second;
}

void
clock_iso(int64_t wall_nanos, char out[CLOCK_ISO_LEN + 1])
{
	static _Thread_local struct second last = { .second = INT64_MIN };
	uint64_t ticks = (uint64_t)(wall_nanos % NANOS / 100);

	if (last.second != wall_nanos / NANOS)
		print_second(wall_nanos / NANOS, &last);
	memcpy(out, last.text, CLOCK_ISO_LEN - 9);
	out[CLOCK_ISO_LEN - 9] = '.';
	for (int i = CLOCK_ISO_LEN - 2; i > CLOCK_ISO_LEN - 9; i--) {
		out[i] = (char)('0' + ticks % 10);
		ticks /= 10;
	}
	out[CLOCK_ISO_LEN - 1] = 'Z';
	out[CLOCK_ISO_LEN] = '\0';
}

void
clock_iso_seconds(int64_t seconds, char out[CLOCK_ISO_LEN + 1])
{
	struct second second;

	seconds = seconds > YEAR_0 ? seconds : YEAR_0;
	print_second(seconds < YEAR_10000 ? seconds : YEAR_10000 - 1, &second);
	memcpy(out, second.text, CLOCK_ISO_LEN - 9);
	memcpy(out + CLOCK_ISO_LEN - 9, ".0000000Z", 10);
}
