/* Locks as lock.c keeps them, for their rows. */
#ifndef ARM_LOCK_STORE_H
#define ARM_LOCK_STORE_H

#include "arm/lock.h"

#define LOCK_NAME_MAX 90 /* bytes */
#define LOCK_ID_MAX 500  /* bytes of scope and name: a store's key holds them */
#define LOCK_NOTES_MAX 512
#define LOCKS_MAX 1000 /* in a subscription */

struct lock {
	view scope; /* the locked resource's id, as that is written */
	view name, notes;
	bool read_only; /* else: may not be deleted */
};

MUST_USE bool lock_put(struct tx *tx, const struct lock *lock, struct error *err);
MUST_USE bool lock_delete(struct tx *tx, const struct lock *lock, struct error *err);

/* lock_get(tx, scope, name, change, out, found, err): In tx->arena; ${change}: to be changed. */
MUST_USE bool lock_get(struct tx *tx, view scope, view name, bool change, struct lock *out,
    bool *found, struct error *err);

/* locks_list(locks, query, arena, out, count, err): Copies, ordered by scope and name. */
struct lock_query {
	view scope;
	bool above; /* those that hold there; else those there and below */
};
MUST_USE bool locks_list(struct locks *locks, const struct lock_query *query, struct arena *arena,
    struct lock **out, size_t *count, struct error *err);

/* locks_count(locks, scope): At the scope and below. */
size_t locks_count(struct locks *locks, view scope);

#endif
