#include "access/condition_value.h"

#include "base/attr.h"
#include "base/uuid.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 40

static bool
same(char a, char b, bool fold)
{
	return a == b || (fold && ascii_lower(a) == ascii_lower(b));
}

static bool
starts(view text, view prefix, bool fold)
{
	return fold ? view_istarts(text, prefix) : view_starts(text, prefix);
}

static bool
text_equals(view left, view right, bool fold)
{
	return fold ? view_ieq(left, right) : view_eq(left, right);
}

static bool
text_not_equals(view left, view right, bool fold)
{
	return !text_equals(left, right, fold);
}

static bool
text_starts(view left, view right, bool fold)
{
	return starts(left, right, fold);
}

static bool
text_not_starts(view left, view right, bool fold)
{
	return !starts(left, right, fold);
}

static bool
text_ends(view left, view right, bool fold)
{
	return left.len >= right.len &&
	    text_equals(view_from(left, left.len - right.len), right, fold);
}

static bool
text_not_ends(view left, view right, bool fold)
{
	return !text_ends(left, right, fold);
}

static bool
text_contains(view left, view right, bool fold)
{
	for (size_t i = 0; i + right.len <= left.len; i++) {
		if (starts(view_from(left, i), right, fold))
			return true;
	}
	return right.len == 0;
}

static bool
text_not_contains(view left, view right, bool fold)
{
	return !text_contains(left, right, fold);
}

/*
 * '*' stands for any text, '?' for one character.  On a mismatch only the last '*' is widened,
 * which is enough.
 */
static bool
is_like(view pattern, view text, bool fold)
{
	size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			resume = t;
		} else if (p < pattern.len &&
		    (pattern.ptr[p] == '?' || same(pattern.ptr[p], text.ptr[t], fold))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

static bool
text_is_like(view left, view right, bool fold)
{
	return is_like(right, left, fold);
}

static bool
text_not_like(view left, view right, bool fold)
{
	return !is_like(right, left, fold);
}

/* An order of two values that can be told, or none. */
enum placed { BEFORE, EQUAL, BEHIND, APART };

static enum placed
placed_of(int64_t difference_sign)
{
	return difference_sign < 0 ? BEFORE : difference_sign > 0 ? BEHIND : EQUAL;
}

static bool
number_parse(view text, double *out)
{
	char copy[NUMBER_MAX + 1], *end;

	if (text.len == 0 || text.len > NUMBER_MAX)
		return false;
	/* No spaces, no hexadecimal numbers, no "inf". */
	for (size_t i = 0; i < text.len; i++) {
		if (strchr("0123456789+-.eE", text.ptr[i]) == NULL || text.ptr[i] == '\0')
			return false;
	}
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	*out = strtod(copy, &end);
	return *end == '\0';
}

static enum placed
place_numbers(view left, view right)
{
	double a, b;

	if (!number_parse(left, &a) || !number_parse(right, &b))
		return APART;
	return placed_of((a > b) - (a < b));
}

static bool
digits(view text, size_t at, size_t count, int64_t *out)
{
	uint64_t value;

	if (at + count > text.len || !view_u64((view){ text.ptr + at, count }, &value))
		return false;
	*out = (int64_t)value;
	return true;
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t era, years, days;

	year -= month <= 2;
	era = year / 400;
	years = year - era * 400;
	days = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + years * 365 + years / 4 - years / 100 + days - 719468;
}

static bool
fraction_parse(view text, int64_t *nanos)
{
	int64_t unit = 100000000;

	*nanos = 0;
	for (size_t i = 0; i < text.len; i++, unit /= 10) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9' || unit == 0)
			return false;
		*nanos += (text.ptr[i] - '0') * unit;
	}
	return text.len > 0;
}

static bool
has_shape(view text)
{
	static const view shape = V_INIT("0000-00-00T00:00:00");

	for (size_t i = 0; i < shape.len; i++) {
		bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';

		if (shape.ptr[i] == '0' ? !digit : text.ptr[i] != shape.ptr[i])
			return false;
	}
	return true;
}

bool
condition_time(view text, int64_t *nanos)
{
	int64_t year, month, day, hour, minute, second, fraction = 0;

	if (text.len < 20 || text.len > 30 || !view_ends(text, V("Z")) || !has_shape(text))
		return false;
	if (!digits(text, 0, 4, &year) || !digits(text, 5, 2, &month) ||
	    !digits(text, 8, 2, &day) || !digits(text, 11, 2, &hour) ||
	    !digits(text, 14, 2, &minute) || !digits(text, 17, 2, &second))
		return false;
	if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31 ||
	    hour > 23 || minute > 59 || second > 60)
		return false;
	if (text.len > 20 &&
	    (text.ptr[19] != '.' ||
		!fraction_parse((view){ text.ptr + 20, text.len - 21 }, &fraction)))
		return false;
	second += ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60;
	*nanos = second * 1000000000 + fraction;
	return true;
}

static enum placed
place_times(view left, view right)
{
	int64_t a, b;

	if (!condition_time(left, &a) || !condition_time(right, &b))
		return APART;
	return placed_of((a > b) - (a < b));
}

static bool
flag_equals(view left, view right, bool fold)
{
	(void)fold;
	return condition_value_fits(VALUE_FLAG, left) && view_ieq(left, right);
}

static bool
flag_not_equals(view left, view right, bool fold)
{
	return condition_value_fits(VALUE_FLAG, left) && condition_value_fits(VALUE_FLAG, right) &&
	    !flag_equals(left, right, fold);
}

static bool
guid_equals(view left, view right, bool fold)
{
	struct uuid a, b;

	(void)fold;
	return uuid_parse(left, &a) && uuid_parse(right, &b) &&
	    view_eq(uuid_view(&a), uuid_view(&b));
}

static bool
guid_not_equals(view left, view right, bool fold)
{
	struct uuid a, b;

	(void)fold;
	return uuid_parse(left, &a) && uuid_parse(right, &b) &&
	    !view_eq(uuid_view(&a), uuid_view(&b));
}

#define ORDERING(name, test)                                        \
	static bool number_##name(view left, view right, bool fold) \
	{                                                           \
		enum placed placed = place_numbers(left, right);    \
                                                                    \
		(void)fold;                                         \
		return test;                                        \
	}                                                           \
	static bool time_##name(view left, view right, bool fold)   \
	{                                                           \
		enum placed placed = place_times(left, right);      \
                                                                    \
		(void)fold;                                         \
		return test;                                        \
	}

ORDERING(equals, placed == EQUAL)
ORDERING(not_equals, placed == BEFORE || placed == BEHIND)
ORDERING(less, placed == BEFORE)
ORDERING(less_or_equal, placed == BEFORE || placed == EQUAL)
ORDERING(greater, placed == BEHIND)
ORDERING(greater_or_equal, placed == BEHIND || placed == EQUAL)

/* clang-format off */

static const struct condition_operator operators[] = {
	{ "StringEquals", VALUE_TEXT, false, text_equals },
	{ "StringEqualsIgnoreCase", VALUE_TEXT, true, text_equals },
	{ "StringNotEquals", VALUE_TEXT, false, text_not_equals },
	{ "StringNotEqualsIgnoreCase", VALUE_TEXT, true, text_not_equals },
	{ "StringStartsWith", VALUE_TEXT, false, text_starts },
	{ "StringStartsWithIgnoreCase", VALUE_TEXT, true, text_starts },
	{ "StringNotStartsWith", VALUE_TEXT, false, text_not_starts },
	{ "StringNotStartsWithIgnoreCase", VALUE_TEXT, true, text_not_starts },
	{ "StringEndsWith", VALUE_TEXT, false, text_ends },
	{ "StringEndsWithIgnoreCase", VALUE_TEXT, true, text_ends },
	{ "StringNotEndsWith", VALUE_TEXT, false, text_not_ends },
	{ "StringNotEndsWithIgnoreCase", VALUE_TEXT, true, text_not_ends },
	{ "StringContains", VALUE_TEXT, false, text_contains },
	{ "StringContainsIgnoreCase", VALUE_TEXT, true, text_contains },
	{ "StringNotContains", VALUE_TEXT, false, text_not_contains },
	{ "StringNotContainsIgnoreCase", VALUE_TEXT, true, text_not_contains },
	{ "StringLike", VALUE_TEXT, false, text_is_like },
	{ "StringLikeIgnoreCase", VALUE_TEXT, true, text_is_like },
	{ "StringNotLike", VALUE_TEXT, false, text_not_like },
	{ "StringNotLikeIgnoreCase", VALUE_TEXT, true, text_not_like },
	{ "GuidEquals", VALUE_GUID, false, guid_equals },
	{ "GuidNotEquals", VALUE_GUID, false, guid_not_equals },
	{ "NumericEquals", VALUE_NUMBER, false, number_equals },
	{ "NumericNotEquals", VALUE_NUMBER, false, number_not_equals },
	{ "NumericLessThan", VALUE_NUMBER, false, number_less },
	{ "NumericLessThanEquals", VALUE_NUMBER, false, number_less_or_equal },
	{ "NumericGreaterThan", VALUE_NUMBER, false, number_greater },
	{ "NumericGreaterThanEquals", VALUE_NUMBER, false, number_greater_or_equal },
	{ "DateTimeEquals", VALUE_TIME, false, time_equals },
	{ "DateTimeNotEquals", VALUE_TIME, false, time_not_equals },
	{ "DateTimeLessThan", VALUE_TIME, false, time_less },
	{ "DateTimeLessThanEquals", VALUE_TIME, false, time_less_or_equal },
	{ "DateTimeGreaterThan", VALUE_TIME, false, time_greater },
	{ "DateTimeGreaterThanEquals", VALUE_TIME, false, time_greater_or_equal },
	{ "BoolEquals", VALUE_FLAG, false, flag_equals },
	{ "BoolNotEquals", VALUE_FLAG, false, flag_not_equals },
};

/* clang-format on */

const struct condition_operator *
condition_operator_find(view name)
{
	for (size_t i = 0; i < COUNT_OF(operators); i++) {
		if (view_ieq(name, view_of(operators[i].name)))
			return &operators[i];
	}
	return NULL;
}

bool
condition_value_fits(enum value_kind kind, view text)
{
	struct uuid id;
	double number;
	int64_t time;

	switch (kind) {
	case VALUE_TEXT: return true;
	case VALUE_GUID: return uuid_parse(text, &id);
	case VALUE_NUMBER: return number_parse(text, &number);
	case VALUE_TIME: return condition_time(text, &time);
	case VALUE_FLAG: return view_ieq(text, V("true")) || view_ieq(text, V("false"));
	}
	return false;
}
