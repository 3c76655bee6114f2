/*
 * Objects: what secrets, keys and certificates have in common.  An object is a name with versions;
 * it is live, or deleted and waiting for recovery or its purge.
 *
 * Documents, sealed under the vault's key; L is the type's letter, NAME in upper case:
 *	v/<vault>/L/<NAME>		the head of a live object
 *	v/<vault>/dL/<NAME>		the head of a deleted one
 *	v/<vault>/vL/<object>/<version>	a version; <object> is the object's own random id
 *	v/<vault>/Lp/<object>		what belongs to it as a whole, in an encoding of its type's
 *
 * The versions hang off the id and not off the name, so that a new object of a purged one's name
 * can't meet the old one's versions, and deleting or recovering moves one small document.
 */
#ifndef VAULT_OBJECT_H
#define VAULT_OBJECT_H

#include "api/body.h"
#include "api/paging.h"
#include "api/request.h"
#include "base/plain.h"
#include "vault/vault.h"

#define OBJECT_NAME_MAX 127
#define OBJECT_TAGS_MAX 15
#define BACKUP_VERSIONS_MAX 500

struct object {
	struct plain *document; /* what the views point into */
	view name;              /* as the one wrote it who made it */
	char id[HEX16_LEN + 1];
	view latest;            /* version */
	int64_t deleted, purge; /* 0: live */
	bool managed;           /* it is a certificate's: see struct object_type */
	struct plain *whole;    /* what ${policy} points into; NULL: something else */
	view policy;            /* what belongs to it as a whole; see object_read_policy */
};

struct attributes {
	bool enabled, has_nbf, has_exp;
	int64_t nbf, exp, created, updated;
};

struct version {
	struct plain *document;
	view id;
	struct attributes attributes;
	view tags;    /* packed; see tags_pack */
	view content; /* the type's own, packed */
};

struct object_type {
	char letter;
	const char *noun, *title;            /* "secret", "Secret" */
	const char *collection, *deleted;    /* "secrets", "deletedsecrets" */
	enum error_code not_found, disabled; /* disabled: what reading a disabled one answers */
	bool versions_named;                 /* one that is not found is "NAME/versions/VERSION" */
	bool terse; /* an unknown one is "Key not found: NAME" to backup and recover */
	size_t tag_name_max, tag_value_max;
	/* Names that paths of the collection mean something else by, NULL at the end; or NULL. */
	const char *const *reserved;
	/*
	 * Of types whose objects have others of the same name that live and die with them, as
	 * certificates their keys and secrets: the others' types, NULL at the end.  Those objects
	 * are managed; changing one by itself is refused with its type's ${managed}.
	 */
	const struct object_type *const *members;
	enum error_code managed;
	bool shows_policy; /* write() wants object->policy */
	/* Not to be listed unless includePending=true; NULL: everything is. */
	bool (*hidden)(const struct version *version);
	/* Write the members of a whole object, without what a deleted one has in front. */
	void (
	    *write)(struct request *r, const struct object *object, const struct version *version);
	/* Write the members of a list's item; ${versioned}: its id names the version. */
	void (*write_item)(struct request *r, const struct object *object,
	    const struct version *version, bool versioned);
	/*
	 * Turn a version's content into what a backup holds, sealed for ${binding} (see
	 * keyring_seal_backup) where the content is not enough by itself, and back, for the object
	 * and the vault it comes to.  NULL: it is kept as it is.
	 */
	bool (*to_backup)(struct request *r, view binding, struct version *version,
	    struct error *err);
	bool (*from_backup)(struct request *r, const struct object *object, view binding,
	    struct version *version, struct error *err);
	/*
	 * Of types whose objects have something beside their versions, as keys their rotation
	 * policies.  changed: the latest version was added or changed, or the
	 * object recovered; NULL: it was deleted.  pack_policy: append what a backup is to hold;
	 * nothing when there is nothing.  restore_policy: write it, and act as on a change; empty
	 * when the backup holds none, ERR_CORRUPT when it can't be read.
	 */
	bool (*changed)(struct request *r, const struct object *object,
	    const struct version *latest, struct error *err);
	bool (*pack_policy)(struct request *r, const struct object *object, struct buf *out,
	    struct error *err);
	bool (*restore_policy)(struct request *r, const struct object *object, view policy,
	    const struct version *latest, struct error *err);
};

void object_done(struct object *object);    /* for AUTO */
void version_done(struct version *version); /* for AUTO */

enum object_state { OBJECT_LIVE, OBJECT_DELETED };
enum intent { TO_READ, TO_CHANGE }; /* to change: the commit is refused if it changes meanwhile */

/* object_name_check(name, err): ERR_BAD_PARAMETER unless it is 1 to 127 of [0-9a-zA-Z-]. */
MUST_USE bool object_name_check(view name, struct error *err);

/* object_refuse_reserved(type, name, err): ERR_BAD_PARAMETER when none may be made of that name. */
MUST_USE bool object_refuse_reserved(const struct object_type *type, view name, struct error *err);

/*
 * object_read(r, type, state, name, intent, out, found, err):
 * Read the head of an object.  Owned by the caller: AUTO(object_done).
 */
MUST_USE bool object_read(struct request *r, const struct object_type *type,
    enum object_state state, view name, enum intent intent, struct object *out, bool *found,
    struct error *err);

/*
 * object_read_policy(r, type, intent, object, err):
 * Fill in object->policy: empty when there is none.
 * object_write_policy(r, type, object, policy, err): Put it back, or another.
 */
MUST_USE bool object_read_policy(struct request *r, const struct object_type *type,
    enum intent intent, struct object *object, struct error *err);
MUST_USE bool object_write_policy(struct request *r, const struct object_type *type,
    const struct object *object, const struct buf *policy, struct error *err);

/*
 * object_refuse_managed(type, object, operation, err):
 * The type's error when the object is managed: only its certificate may do that to it.
 */
MUST_USE bool object_refuse_managed(const struct object_type *type, const struct object *object,
    const char *operation, struct error *err);

/*
 * object_require(r, type, name, version, intent, object, out, err):
 * The live object and one version of it (the latest when ${version} is empty), or the type's
 * "was not found" error.  Checks the name first.
 */
MUST_USE bool object_require(struct request *r, const struct object_type *type, view name,
    view version, enum intent intent, struct object *object, struct version *out,
    struct error *err);

/*
 * object_require_free(r, type, name, err):
 * A version can be added: the name is not reserved, no deleted object holds it, and no
 * certificate does.
 */
MUST_USE bool object_require_free(struct request *r, const struct object_type *type, view name,
    struct error *err);

/*
 * object_require_ours(r, type, name, err):
 * The same for a managed object: ERR_CONFLICT when the name is a stand-alone one's.
 */
MUST_USE bool object_require_ours(struct request *r, const struct object_type *type, view name,
    struct error *err);

/*
 * object_paths(r, type, object, version, path, head, err):
 * The store keys of a version and of its object's head, in the request's arena.
 */
MUST_USE bool object_paths(struct request *r, const struct object_type *type,
    const struct object *object, view version, view *path, view *head, struct error *err);

/*
 * object_policy_path(arena, vault, letter, object, out, err):
 * The store key of what belongs to an object as a whole.  It is deleted with the object's purge.
 */
MUST_USE bool object_policy_path(struct arena *arena, view vault, char letter, view object,
    view *out, struct error *err);

/*
 * object_add_version(r, type, name, object, version, err):
 * Add a version to the live object of that name, or make the object.  Fills in ${object} and the
 * version's id (when the caller left it empty) and times (its creation only when the caller left
 * it 0).  ERR_OBJECT_DELETED when the name belongs to a deleted one.  Who adds to a managed object
 * says so before, in ${object}: otherwise it is refused, as is a name that is not managed
 * (ERR_CONFLICT).
 */
MUST_USE bool object_add_version(struct request *r, const struct object_type *type, view name,
    struct object *object, struct version *version, struct error *err);

/* object_write_version(r, type, object, version, err): Put a changed version back. */
MUST_USE bool object_write_version(struct request *r, const struct object_type *type,
    const struct object *object, const struct version *version, struct error *err);

/*
 * object_each(r, type, after, limit, each, ctx, last, err):
 * Call ${each} for at most ${limit} live objects behind the name ${after} (empty: from the first),
 * in order, with their latest versions.  ${last}: the name to go on behind; empty when that was
 * all.
 */
typedef bool object_visit(struct request *r, const struct object *object,
    const struct version *latest, void *ctx, struct error *err);
MUST_USE bool object_each(struct request *r, const struct object_type *type, view after,
    size_t limit, object_visit *each, void *ctx, view *last, struct error *err);

/*
 * What rows of every type do: the parameters are the path's.  object_rows.h has them as functions
 * of rows.
 */
MUST_USE bool object_list(struct request *r, const struct object_type *type,
    enum object_state state, struct error *err);
MUST_USE bool object_list_versions(struct request *r, const struct object_type *type,
    struct error *err);
MUST_USE bool object_delete(struct request *r, const struct object_type *type, struct error *err);
MUST_USE bool object_get_deleted(struct request *r, const struct object_type *type,
    struct error *err);
MUST_USE bool object_recover(struct request *r, const struct object_type *type, struct error *err);
MUST_USE bool object_purge(struct request *r, const struct object_type *type, struct error *err);
MUST_USE bool object_backup(struct request *r, const struct object_type *type, struct error *err);
MUST_USE bool object_restore(struct request *r, const struct object_type *type, view blob,
    struct error *err);

/* object_version_param(r): The version that the path names; empty: the latest. */
view object_version_param(const struct request *r);

/* What a client sends to restore one. */
struct object_restore_body {
	struct body_text value;
};
extern const struct field object_restore_fields[];

/* Members that all types write alike. */
/* object_name(r, type, object, version, err): Note for the audit log what the request is about. */
MUST_USE bool object_name(struct request *r, const struct object_type *type,
    const struct object *object, view version, struct error *err);

void write_id(struct request *r, const char *name, const char *collection,
    const struct object *object, view version);
void write_attributes(struct request *r, const struct attributes *attributes);
void write_attributes_open(struct request *r, const struct attributes *attributes); /* for more */
void write_tags(struct request *r, view tags); /* nothing when there are none */
void write_managed(struct request *r, const struct object *object); /* nothing when it is not */

#endif
