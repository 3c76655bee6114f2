/*
 * What has to happen later, written in the same commit as its cause: "due/<time>/…", the time as 16
 * hex digits of Unix seconds, so that the scheduler reads them in order.  What takes its time is
 * under "slow/<time>/…", done by a thread of its own; what waits for others, who may not answer,
 * under "away/<time>/…", done by a few (jobs/lanes.h).  The rest does not wait for either.
 * Sealed under the system key.
 */
#ifndef VAULT_DUE_H
#define VAULT_DUE_H

#include "vault/object.h"

#define DUE_PREFIX "due/"
#define DUE_SLOW_PREFIX "slow/"
#define DUE_AWAY_PREFIX "away/"

enum due_kind {
	DUE_PURGE = 1,       /* a deleted object's retention is over */
	DUE_SWEEP = 2,       /* versions of a purged object that one commit could not take */
	DUE_VAULT = 3,       /* a deleted vault's retention is over */
	DUE_VAULT_SWEEP = 4, /* documents of a purged vault */
	/* Those of folders to the right, which due_run does not know; see jobs/due_job.c. */
	DUE_ROTATE = 5,    /* slow: a key gets a new version */
	DUE_NOTIFY = 6,    /* a key's coming expiry is announced */
	DUE_ISSUE = 7,     /* a certificate's pending operation goes on */
	DUE_ENROL = 8,     /* away: the same, by asking an issuer */
	DUE_MAIL = 9,      /* away: a message is sent */
	DUE_LIFETIME = 10, /* slow: a certificate's lifetime actions */
};

/* Which thing; its views are borrowed. */
struct due {
	enum due_kind kind;
	int64_t time;
	view vault_name, vault; /* the id tells a new vault of an old name apart */
	char letter;
	view object, name;
};

/* due_of(r, type, object, kind, time): What is to happen to an object of the request's vault. */
struct due due_of(const struct request *r, const struct object_type *type,
    const struct object *object, enum due_kind kind, int64_t time);

/* due_put, due_delete: One document for a kind, an object and a time. */
MUST_USE bool due_put(struct tx *tx, const struct due *due, struct error *err);
MUST_USE bool due_delete(struct tx *tx, const struct due *due, struct error *err);

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
 * due_peek(tx, path, out, found, err):
 * What the document at ${path} says; lives in tx->arena.
 */
MUST_USE bool due_peek(struct tx *tx, view path, struct due *out, bool *found, struct error *err);

/*
 * due_take(tx, path, now, out, found, err):
 * The same, and delete it: who takes it does it in this transaction.  Not found when its time has
 * not come.
 */
MUST_USE bool due_take(struct tx *tx, view path, int64_t now, struct due *out, bool *found,
    struct error *err);

/*
 * due_backoff(first, most, tries):
 * Seconds to wait after so many tries that failed before: ${first}, then twice as long each time,
 * and never more than ${most}.
 */
int64_t due_backoff(int64_t first, int64_t most, uint32_t tries);

/*
 * due_vault(tx, due, out, state, err):
 * The vault it is about, as vault_take.  It is looked up in the snapshot and not in memory: one
 * that is being deleted or recovered must not be missed, for the due document would be gone.
 */
enum due_vault_state { VAULT_GONE, VAULT_LIVE, VAULT_DELETED };
MUST_USE bool due_vault(struct tx *tx, const struct due *due, struct vault *out,
    enum due_vault_state *state, struct error *err);

/*
 * due_run(tx, due, now, done, err):
 * Do what was taken, if it still is to be done.  When an object or a vault was purged, ${done} says
 * which, for the audit log; its views lie in tx->arena.
 *
 * An object's retention also ends while its vault is deleted: it is purged on time, and recovering
 * the vault does not bring it back.
 */
#define DUE_LETTER_VAULT 'v' /* no object's letter */
struct due_done {
	char letter;           /* 0: nothing to tell */
	const char *operation; /* as the audit log calls it; NULL: a purge */
	int status;            /* HTTP; 0: 204 */
	view description;      /* why */
	view scope;            /* the vault's resource id */
	view scope_capital;    /* and in capitals */
	view name, version;    /* the object's; or the vault's, and none */
};
MUST_USE bool due_run(struct tx *tx, const struct due *due, int64_t now, struct due_done *done,
    struct error *err);

/* due_tell(tx, vault, letter, name, done, err): Fill in what is to be told, for a kind's own. */
MUST_USE bool due_tell(struct tx *tx, const struct vault *vault, char letter, view name,
    struct due_done *done, struct error *err);

/* due_time(path, out): When the document at ${path} is due. */
MUST_USE bool due_time(view path, int64_t *out);

#endif
