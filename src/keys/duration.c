#include "keys/duration.h"

#include <time.h>

#define DAY ((int64_t)86400)
#define HOUR ((int64_t)3600)
#define TIME_MAX INT64_C(253402300799) /* the last second of 9999 */
#define DIGITS_MAX 6

/* In the order of the text; the numbers of those that lead to one member add up. */
static const struct unit {
	char letter;
	bool of_day, alone; /* behind the T; without others */
	size_t offset;      /* of the member it counts in */
	unsigned factor, max;
} units[] = {
	{ 'Y', false, false, offsetof(struct duration, months), 12, DURATION_YEARS_MAX },
	{ 'M', false, false, offsetof(struct duration, months), 1, DURATION_YEARS_MAX * 12 },
	{ 'W', false, true, offsetof(struct duration, days), 7, DURATION_YEARS_MAX * 52 },
	{ 'D', false, false, offsetof(struct duration, days), 1, DURATION_YEARS_MAX * 365 },
	{ 'H', true, false, offsetof(struct duration, hours), 1, DURATION_YEARS_MAX * 365 * 24 },
};

/* Digits and the letter behind them. */
static bool
take_part(view *rest, unsigned *number, char *letter)
{
	size_t len = 0;
	uint64_t value;

	while (len < rest->len && rest->ptr[len] >= '0' && rest->ptr[len] <= '9')
		len++;
	if (len == rest->len || len > DIGITS_MAX || !view_u64((view){ rest->ptr, len }, &value))
		return false;
	*number = (unsigned)value;
	*letter = rest->ptr[len];
	*rest = view_from(*rest, len + 1);
	return true;
}

/* The unit of that letter, behind those that were there. */
static bool
find_unit(char letter, bool of_day, size_t *at)
{
	while (*at < COUNT_OF(units)) {
		const struct unit *unit = &units[(*at)++];

		if (unit->letter == letter && unit->of_day == of_day)
			return true;
	}
	return false;
}

bool
duration_parse(view text, struct duration *out)
{
	struct duration duration = { 0 };
	bool of_day = false, alone = false;
	size_t at = 0, parts = 0;
	view rest = view_from(text, 1);

	if (text.len > DURATION_TEXT_MAX || !view_starts(text, V("P")) || rest.len == 0)
		return false;
	while (rest.len > 0) {
		const struct unit *unit;
		unsigned number;
		char letter;

		if (!of_day && rest.ptr[0] == 'T') {
			of_day = true;
			rest = view_from(rest, 1);
		}
		if (!take_part(&rest, &number, &letter) || !find_unit(letter, of_day, &at))
			return false;
		unit = &units[at - 1];
		if (number > unit->max)
			return false;
		*(unsigned *)((char *)&duration + unit->offset) += number * unit->factor;
		alone = alone || unit->alone;
		parts++;
	}
	if (alone && parts > 1)
		return false;
	*out = duration;
	return true;
}

static bool
in_range(int64_t time)
{
	return time >= 0 && time <= TIME_MAX;
}

static int
days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 1 && leap ? 29 : days[month];
}

/* Go ${months} on or back; a day that the month does not have becomes its last. */
static bool
go_months(int64_t from, int months, int64_t *out)
{
	time_t seconds = (time_t)from;
	struct tm tm;
	int count, last;

	if (!in_range(from) || gmtime_r(&seconds, &tm) == NULL)
		return false;
	count = (tm.tm_year + 1900) * 12 + tm.tm_mon + months;
	tm.tm_year = count / 12 - 1900;
	tm.tm_mon = count % 12;
	last = days_of_month(count / 12, tm.tm_mon);
	if (tm.tm_mday > last)
		tm.tm_mday = last;
	*out = timegm(&tm);
	return true;
}

static int64_t
fixed_part(const struct duration *duration)
{
	return duration->days * DAY + duration->hours * HOUR;
}

bool
duration_after(int64_t time, const struct duration *duration, int64_t *out)
{
	int64_t result;

	if (!go_months(time, (int)duration->months, &result))
		return false;
	result += fixed_part(duration);
	if (!in_range(result))
		return false;
	*out = result;
	return true;
}

bool
duration_before(int64_t time, const struct duration *duration, int64_t *out)
{
	int64_t result;

	if (!go_months(time, -(int)duration->months, &result))
		return false;
	result -= fixed_part(duration);
	*out = result > 0 ? result : 0;
	return true;
}

static bool
apart_from(int64_t time, const struct duration *longer, const struct duration *shorter,
    unsigned days)
{
	int64_t last, first;

	return duration_after(time, longer, &last) && duration_after(time, shorter, &first) &&
	    last - first >= days * DAY;
}

/*
 * They are closest when begun on a month's first day, or on its last, which is what months are cut
 * by: so these are tried, in four years with a leap year among them.
 */
bool
duration_apart(const struct duration *longer, const struct duration *shorter, unsigned days)
{
	int64_t first = INT64_C(946684800); /* 2000-01-01 */

	for (int month = 0; month < 48; month++) {
		int64_t next = first + days_of_month(2000 + month / 12, month % 12) * DAY;

		if (!apart_from(first, longer, shorter, days) ||
		    !apart_from(next - DAY, longer, shorter, days))
			return false;
		first = next;
	}
	return true;
}
