/*
 * What every test needs: cmocka with the headers it wants first, and assertions about views.
 */
#ifndef BASE_TESTING_H
#define BASE_TESTING_H

#include "base/error.h"
#include "base/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define assert_text(got, wanted) assert_text_at(got, wanted, __FILE__, __LINE__)
#define assert_fine(ok, err) assert_fine_at(ok, err, __FILE__, __LINE__)

static inline void
assert_text_at(view got, view wanted, const char *file, int line)
{
	if (view_eq(got, wanted))
		return;
	print_error("\"%.*s\" != \"%.*s\"\n", VIEW_ARG(got), VIEW_ARG(wanted));
	_fail(file, line);
}

/* What should have worked says why it did not. */
static inline void
assert_fine_at(bool ok, const struct error *err, const char *file, int line)
{
	if (ok)
		return;
	print_error("%s: %s\n", error_table[err->code].name, err->message);
	_fail(file, line);
}

#endif
