/*
 * Operators of conditions: how one attribute's value compares with one of the condition's.  For
 * access/condition only.
 */
#ifndef ACCESS_CONDITION_VALUE_H
#define ACCESS_CONDITION_VALUE_H

#include "base/view.h"

enum value_kind { VALUE_TEXT, VALUE_GUID, VALUE_NUMBER, VALUE_TIME, VALUE_FLAG };

struct condition_operator {
	const char *name;
	enum value_kind kind;
	bool any_case;
	/* ${fold}: in any case.  Values of another kind compare as false. */
	bool (*holds)(view left, view right, bool fold);
};

/* condition_operator_find(name): In any case; NULL when there is none. */
const struct condition_operator *condition_operator_find(view name);

/* condition_value_fits(kind, text): Is it one? */
bool condition_value_fits(enum value_kind kind, view text);

/* condition_time(text, nanos): "2026-01-31T23:59:59[.1234567]Z" as Unix nanoseconds. */
bool condition_time(view text, int64_t *nanos);

#endif
