/*
 * What the documents of identity/ share, and those that lead from an object id to what it names:
 * "oid/<object id>".
 */
#ifndef IDENTITY_OBJECT_STORE_H
#define IDENTITY_OBJECT_STORE_H

#include "base/uuid.h"
#include "keyring/tx.h"

/* Numbers of stored documents: never changed, only added to. */
enum object_kind {
	OBJECT_ANY,
	OBJECT_SERVICE_PRINCIPAL, /* an application's or a managed identity's */
	OBJECT_APPLICATION,
	OBJECT_USER,
	OBJECT_GROUP,
	OBJECT_KINDS
};

enum store_use {
	STORE_READ,
	STORE_CHANGE, /* the commit is refused when it changes until then */
};

struct oid {
	enum object_kind kind;
	struct uuid tenant;
	struct uuid id; /* an application's appid; of others the object id again */
	bool identity;  /* a service principal: a managed identity's */
	bool disabled;
};

/*
 * directory_read(tx, path, use, out, err):
 * A document as the transaction sees it, with its own changes; NULL when there is none.  The caller
 * frees ${out}.
 */
MUST_USE bool directory_read(struct tx *tx, view path, enum store_use use, struct plain **out,
    struct error *err);

/* oid_unpack(document, out, err): Also those of earlier servers. */
MUST_USE bool oid_unpack(view document, struct oid *out, struct error *err);

/* oid_get(tx, id, use, out, err): ERR_GRAPH_NOT_FOUND when there is none. */
MUST_USE bool oid_get(struct tx *tx, view id, enum store_use use, struct oid *out,
    struct error *err);

/* oid_add: A new one; ERR_GRAPH_BAD_REQUEST when the id is taken. */
MUST_USE bool oid_add(struct tx *tx, const struct uuid *id, const struct oid *object,
    struct error *err);
MUST_USE bool oid_put(struct tx *tx, const struct uuid *id, const struct oid *object,
    struct error *err);
MUST_USE bool oid_delete(struct tx *tx, const struct uuid *id, struct error *err);

/* object_not_found(err, id): ERR_GRAPH_NOT_FOUND in Graph's words.  Always false. */
bool object_not_found(struct error *err, view id);

/* object_taken(err, property): ERR_GRAPH_BAD_REQUEST in Graph's words.  Always false. */
bool object_taken(struct error *err, const char *property);

/*
 * directory_walk(tx, prefix, after, limit, visit, ctx, end, err):
 * Call ${visit} with at most ${limit} opened documents under ${prefix} whose keys sort behind
 * ${prefix}${after}, in order, until it sets *more to false or fails; ${end} tells that there are
 * no more.
 */
typedef bool directory_visit(void *ctx, view document, bool *more, struct error *err);
MUST_USE bool directory_walk(struct tx *tx, view prefix, view after, size_t limit,
    directory_visit *visit, void *ctx, bool *end, struct error *err);

#endif
