/*
 * The one clock.  clock_now() is the vault's time: what the vault keeps (created, expiry,
 * retention, rotation, what is due) goes by it, and a development server can move it.
 * clock_wall() is what peers' own clocks say, and never moves: tokens, TLS certificates and log
 * times go by it, because others judge those by their clocks.  clock_mono() only measures.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now(void);        /* Unix seconds, moved by clock_set_offset */
int64_t clock_wall(void);       /* Unix seconds */
int64_t clock_wall_nanos(void); /* Unix nanoseconds */
int64_t clock_mono(void);       /* nanoseconds since some start */

int64_t clock_offset(void);             /* seconds clock_now() is ahead of clock_wall() */
void clock_set_offset(int64_t seconds); /* safe from any thread */

/* clock_iso(wall_nanos, out): "2026-01-31T23:59:59.1234567Z", as the audit log prints time. */
#define CLOCK_ISO_LEN 28
void clock_iso(int64_t wall_nanos, char out[CLOCK_ISO_LEN + 1]);

/*
 * clock_iso_seconds(seconds, out):
 * The same of Unix seconds.  They reach further than nanoseconds do: a certificate may last until
 * 9999.  What lies beyond a year of four digits is the first or the last second of those.
 */
void clock_iso_seconds(int64_t seconds, char out[CLOCK_ISO_LEN + 1]);

#endif
