/*
 * What the audit log's tests share: a log with a store and a keyring in a directory of its own.
 */
#ifndef AUDIT_FIXTURE_H
#define AUDIT_FIXTURE_H

#include "audit/audit.h"

#define PATH_LEN 256

struct fixture {
	char root[64], log[PATH_LEN], key[PATH_LEN], url[PATH_LEN];
	struct audit_settings settings;
	bool rest; /* the log's oldest segments may be archived */
	struct store *store;
	struct keyring *keyring;
	struct audit *audit;
};

/* fixture_make: An empty directory, nothing open.  fixture_drop removes it. */
void fixture_make(struct fixture *f);
void fixture_drop(struct fixture *f);

/* fixture_copy(f, from, to): Copy a file within the root. */
void fixture_copy(const struct fixture *f, const char *from, const char *to);

/* Each asserts that it worked, but for fixture_try_open, which leaves ${f}->audit NULL. */
void fixture_open(struct fixture *f);
bool fixture_try_open(struct fixture *f, struct error *err);
void fixture_close(struct fixture *f);

/* {"id":"<name><number>"}: appended, or committed together with a document of that name. */
bool fixture_append(struct fixture *f, const char *name, unsigned number);
bool fixture_commit(struct fixture *f, const char *name, unsigned number);

/* fixture_log(f, out): All segments, one behind the other. */
void fixture_log(const struct fixture *f, struct buf *out);
size_t fixture_segments(const struct fixture *f);

/* fixture_count(f, name, number): How often is that record in the log? */
size_t fixture_count(const struct fixture *f, const char *name, unsigned number);

/* fixture_verify(f, report, err): By the store's key and head; opens the store if it is closed. */
bool fixture_verify(struct fixture *f, struct audit_report *report, struct error *err);

size_t occurrences(view text, view what);

#endif
