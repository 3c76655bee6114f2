/* What the store's tests share: a store in a folder of its own, and short words for changes. */
#ifndef STORE_TESTING_H
#define STORE_TESTING_H

#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
	char folder[64], path[96], url[160];
	struct store *store;
	struct store_reader *reader; /* between store_begin and store_end */
	struct arena arena;
	struct error err;
};

extern const char *fixture_scheme; /* "sqlite" or "memory" */

int fixture_setup(void **state); /* for cmocka: a fresh store, opened, with a reader */
int fixture_teardown(void **state);
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f); /* the files stay */
void fixture_renew(struct fixture *f); /* the reader's snapshot */

struct change put(const char *key, const char *value);
struct change del(const char *key);
struct change expect(const char *key, uint64_t revision);

/* commit(f, changes, count, journal): True when it is durable; else f->err says why not. */
bool commit(struct fixture *f, const struct change *changes, size_t count, const char *journal);
bool commit1(struct fixture *f, struct change change);

/* read1(f, key): By the fixture's reader, as of its last renewal. */
struct document read1(struct fixture *f, const char *key);
uint64_t revision_of(struct fixture *f, const char *key);
void assert_value(struct fixture *f, const char *key, const char *value); /* NULL: absent */
void assert_view(view got, view wanted);

/* journal_text(f): The lines that are there: "3:line 4:line". */
const char *journal_text(struct fixture *f);

#endif
