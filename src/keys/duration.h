/*
 * Durations as rotation policies have them: ISO 8601, by the calendar.  A month after 31 January is
 * the last day of February.
 */
#ifndef KEYS_DURATION_H
#define KEYS_DURATION_H

#include "base/attr.h"
#include "base/view.h"

#define DURATION_TEXT_MAX 32
#define DURATION_YEARS_MAX 100 /* of any of its parts, converted */

struct duration {
	unsigned months, days, hours; /* years are twelve months, weeks seven days */
};

/*
 * duration_parse(text, out):
 * "P1Y10D", "P3M", "PT48H": years, months and days in this order, then T and hours, each at most
 * once and at least one of them; or weeks alone.  Whole numbers, capital letters.  Minutes and
 * seconds are refused.
 */
MUST_USE bool duration_parse(view text, struct duration *out);

/*
 * duration_after(time, duration, out), duration_before:
 * Go that far from a time in Unix seconds; months first, then what has a fixed length.  Back no
 * further than 1970; false when either end is beyond the year 9999, or ${time} before 1970.
 */
MUST_USE bool duration_after(int64_t time, const struct duration *duration, int64_t *out);
MUST_USE bool duration_before(int64_t time, const struct duration *duration, int64_t *out);

/*
 * duration_apart(longer, shorter, days):
 * When both begin together, does ${longer} end at least ${days} days after ${shorter}, on whichever
 * day they begin?
 */
bool duration_apart(const struct duration *longer, const struct duration *shorter, unsigned days);

#endif
