/*
 * What every test needs: cmocka with the headers it wants first, assertions about views, and a way
 * to remove a folder.
 */
#ifndef BASE_TESTING_H
#define BASE_TESTING_H

#include "base/error.h"
#include "base/view.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

static inline int
remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
	(void)stat;
	(void)kind;
	(void)at;
	return remove(path);
}

/* With all that is in it, which has to work. */
static inline void
remove_folder(const char *path)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread at a time makes and removes them */
	assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
