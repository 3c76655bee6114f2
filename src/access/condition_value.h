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

/* operator_find(name): In any case; NULL when there is none. */
const struct condition_operator *operator_find(view name);

/* value_fits(kind, text): Is it one? */
bool value_fits(enum value_kind kind, view text);

/* time_parse(text, nanos): "2026-01-31T23:59:59[.1234567]Z" as Unix nanoseconds. */
bool time_parse(view text, int64_t *nanos);

/* like(pattern, text, fold): '*' stands for any text, '?' for one character. */
bool text_like(view pattern, view text, bool fold);

#endif
