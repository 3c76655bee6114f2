/*
 * What has to happen later, written in the same commit as its cause: "due/<time>/…", the time as 16
 * hex digits of Unix seconds, so that the scheduler reads them in order.  Sealed under the system
 * key.
 */
#ifndef VAULT_DUE_H
#define VAULT_DUE_H

#include "vault/object.h"

#define DUE_PREFIX "due/"

enum due_kind {
	DUE_PURGE = 1,       /* a deleted object's retention is over */
	DUE_SWEEP = 2,       /* versions of a purged object that one commit could not take */
	DUE_VAULT = 3,       /* a deleted vault's retention is over */
	DUE_VAULT_SWEEP = 4, /* documents of a purged vault */
};

/* due_put_purge, due_delete_purge: With an object's deletion; with its recovery or purge. */
MUST_USE bool due_put_purge(struct request *r, const struct object_type *type,
    const struct object *object, struct error *err);
MUST_USE bool due_delete_purge(struct request *r, const struct object_type *type,
    const struct object *object, struct error *err);

/*
 * due_sweep_versions(tx, vault, letter, object, err):
 * Delete the versions of an object that is gone; when they are more than a commit should hold,
 * leave the rest to the scheduler.
 */
MUST_USE bool due_sweep_versions(struct tx *tx, view vault, char letter, view object,
    struct error *err);

/* due_put_vault, due_delete_vault: With a vault's deletion; with its recovery or purge. */
MUST_USE bool due_put_vault(struct tx *tx, const struct vault *vault, int64_t time,
    struct error *err);
MUST_USE bool due_delete_vault(struct tx *tx, const struct vault *vault, int64_t time,
    struct error *err);

/*
 * due_sweep_vault(tx, vault, err):
 * Delete documents of a vault that is gone, as many as a commit should hold; leave the rest to the
 * scheduler.
 */
MUST_USE bool due_sweep_vault(struct tx *tx, view vault, struct error *err);

/*
 * due_run(tx, path, now, done, err):
 * Do what the document at ${path} says, if it still is to be done, and delete it, in ${tx}. When
 * an object or a vault was purged, ${done} says which, for the audit log; its views lie in
 * tx->arena.
 *
 * An object's retention also ends while its vault is deleted: it is purged on time, and recovering
 * the vault does not bring it back.
 */
#define DUE_LETTER_VAULT 'v' /* no object's letter */
struct due_done {
	char letter;        /* 0: nothing to tell */
	view scope;         /* the vault's resource id */
	view scope_capital; /* and in capitals */
	view name;          /* the object's, or the vault's */
};
MUST_USE bool due_run(struct tx *tx, view path, int64_t now, struct due_done *done,
    struct error *err);

/* due_time(path, out): When the document at ${path} is due. */
MUST_USE bool due_time(view path, int64_t *out);

#endif
