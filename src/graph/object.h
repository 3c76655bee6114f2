/*
 * Directory objects as Graph shows them: one kind a collection.
 */
#ifndef GRAPH_OBJECT_H
#define GRAPH_OBJECT_H

#include "identity/application_store.h"
#include "graph/member.h"
#include "identity/group_store.h"
#include "identity/user_store.h"

typedef bool graph_visit(void *ctx, const void *object);

/* An object of a kind: its own struct, read from a document. */
struct graph_kind {
	const char *collection;
	const char *type; /* "@odata.type" */
	enum object_kind object;
	const struct graph_member *members; /* offsets in the kind's own struct */
	size_t mark;                        /* of the struct uuid that walk continues behind */
	/* walk: As registration_walk. */
	bool (*walk)(struct tx *tx, const struct uuid *tenant, view after, size_t limit,
	    graph_visit *visit, void *ctx, bool *end, struct error *err);
};

extern const struct graph_kind graph_application, graph_service_principal; /* registration */
extern const struct graph_kind graph_user;                                 /* struct user */
extern const struct graph_kind graph_group; /* struct security_group */

/* One that was read; the caller frees it with graph_object_done. */
struct graph_object {
	const struct graph_kind *kind; /* NULL: nothing */
	struct plain *document;
	union {
		struct registration registration;
		struct user user;
		struct security_group group;
	} as;
};

/*
 * graph_load(tx, tenant, id, wanted, use, out, err):
 * An object of the tenant by its object id; ERR_GRAPH_NOT_FOUND when there is none of the wanted
 * kind (or OBJECT_ANY).
 */
MUST_USE bool graph_load(struct tx *tx, const struct uuid *tenant, view id, enum object_kind wanted,
    enum store_use use, struct graph_object *out, struct error *err);

/* graph_load_key: The same of one kind, by the member ${key}, which must be one. */
MUST_USE bool graph_load_key(struct tx *tx, const struct uuid *tenant,
    const struct graph_kind *kind, const char *key, view value, enum store_use use,
    struct graph_object *out, struct error *err);
void graph_object_done(struct graph_object *object);

/* Its own object id. */
const struct uuid *graph_object_id(const struct graph_object *object);

/* graph_context(authority, name, entity, json): The member "@odata.context". */
void graph_context(view authority, const char *name, bool entity, struct json *json);

/* graph_secret(secret, text, json): The members of a passwordCredential; ${text} empty: hidden. */
void graph_secret(const struct client_secret *secret, view text, struct json *json);

#endif
