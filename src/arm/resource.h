/*
 * Resources: what resource management keeps, found by id.  A provider is one file with a table of
 * its types and the rows that the table gives; everything that resources have in common (ids,
 * groups, locations, tags, versions, lists, replies, locks) is here, once.
 *
 * Documents, sealed under the system key: "r<resource id in lower case>", so that what a group or
 * a subscription holds is one range, in order; groups, which are resources, "g<id in lower case>".
 */
#ifndef ARM_RESOURCE_H
#define ARM_RESOURCE_H

#include "api/body.h"
#include "api/request.h"
#include "arm/id.h"

#define RESOURCES_SPACE "Microsoft.Resources"
#define GROUPS_TYPE "resourceGroups"

struct resource_type;

/* A stored resource; views borrow from its document or the request. */
struct resource {
	const struct resource_type *type; /* NULL: of a provider that is no more */
	view id;       /* names as at creation, types as the provider's table writes them */
	view name;     /* the last segment */
	view location; /* "westeurope": lower case, without spaces; "" for types without one */
	const struct body_tag *tags;
	size_t tag_count;
	view kind;                   /* "" is left out, as are the next three */
	view sku, identity;          /* JSON values as they are shown */
	view managed_by;             /* the id of the resource that manages it */
	view etag;                   /* types that have one: see resource_fresh_etag */
	view properties;             /* a JSON object; the rest of what is shown */
	view hidden;                 /* the type's own bytes; never shown */
	bool deleting;               /* a group whose resources are being removed */
	int64_t created, changed;    /* Unix nanoseconds, vault time */
	view created_by, changed_by; /* a user's sign-in name, or an application's id */
	bool created_by_person, changed_by_person;
};

/* A PUT or PATCH on its way through the type's function. */
struct resource_change {
	struct request *r;
	const struct resource *present; /* NULL: it is new */
	struct resource *wanted; /* envelope filled in from the body; the function does the rest */
	const void *body;        /* r->body */
	bool patch;
};

typedef bool resource_put_hook(struct resource_change *change, struct error *err);
typedef bool resource_remove_hook(struct tx *tx, const struct services *services,
    const struct resource *resource, const struct caller *caller, struct error *err);

typedef void resource_show_hook(struct request *r, const struct resource *resource);

struct resource_type {
	const char *space;            /* "Microsoft.KeyVault" */
	const char *name;             /* "vaults", "vaults/secrets" */
	const char *const *versions;  /* newest first, ended by NULL */
	bool placeless;               /* has no location of its own */
	bool global;                  /* is everywhere: "global" is a location */
	bool extension;               /* hangs off any scope; its lists are of that scope alone */
	bool always_ok;               /* PUT answers 200 also when it creates */
	bool etags;                   /* shows and minds them */
	resource_put_hook *put;       /* checks the body, fills in wanted->properties; writes the
	                                  documents of its own to r->tx; NULL: properties stay */
	resource_show_hook *show;     /* writes the member `properties`, when what is kept is not
	                                  all there is to show; NULL: it is */
	resource_remove_hook *remove; /* also when the whole group goes; NULL: nothing to do.
	                                  The resource's own document is removed by the caller */
};

/* Every body of a resource begins with these; see RESOURCE_FIELDS. */
struct resource_body {
	struct body_text location;
	struct body_tags tags;
};

/* clang-format off */

/*
 * RESOURCE_FIELDS(body): The first fields of a body, a struct with a `struct resource_body common`
 * in it.
 */
#define RESOURCE_FIELDS(body) \
	{ .name = "location", .kind = FIELD_TEXT, .max = 256, \
	    .offset = offsetof(body, common.location) }, \
	{ .name = "tags", .kind = FIELD_TAGS, .offset = offsetof(body, common.tags) }

/*
 * The rows of a type: PUT, PATCH, GET, HEAD, DELETE, list in the group, list in the subscription.
 * ${title}: of the rows' names, "Vault" gives VaultPut; ${space}, ${name}: literals, as the type
 * has them; ${type_}: the struct resource_type, also .detail; ${fields_}, ${body_}: the body's
 * table and struct.  Actions are "<space>/<name>/read|write|delete"; lists show each caller what
 * they may read.
 */
#define RESOURCE_ROWS(title, space, name, type_, fields_, body_) \
	RESOURCE_ROWS_AT(title, RESOURCE_GROUP_PATH space "/" name, space "/" name, type_, \
	    fields_, body_), \
	{ title "ListAll", RESOURCE_ROW(type_), .method = HTTP_GET, .guard = GUARD_CALLER, \
	    .path = RESOURCE_SUBSCRIPTION_PATH space "/" name, .cost = COST_POOL, \
	    .run = resource_run_list }

/* The same of a child: ${path} "vaults/{vault}/secrets", ${name} "vaults/secrets". */
#define RESOURCE_CHILD_ROWS(title, space, path_, name, type_, fields_, body_) \
	RESOURCE_ROWS_AT(title, RESOURCE_GROUP_PATH space "/" path_, space "/" name, type_, \
	    fields_, body_)

#define RESOURCE_ROWS_AT(title, path_, action_, type_, fields_, body_) \
	{ title "Put", RESOURCE_ROW(type_), .method = HTTP_PUT, .guard = GUARD_SCOPE, \
	    .path = path_ "/{name}", .action = action_ "/write", .body = fields_, \
	    .body_size = sizeof(body_), .run = resource_run_put }, \
	{ title "Patch", RESOURCE_ROW(type_), .method = HTTP_PATCH, .guard = GUARD_SCOPE, \
	    .path = path_ "/{name}", .action = action_ "/write", .body = fields_, \
	    .body_size = sizeof(body_), .run = resource_run_patch }, \
	{ title "Get", RESOURCE_ROW(type_), .method = HTTP_GET, .guard = GUARD_SCOPE, \
	    .path = path_ "/{name}", .action = action_ "/read", .run = resource_run_get }, \
	{ title "Head", RESOURCE_ROW(type_), .method = HTTP_HEAD, .guard = GUARD_SCOPE, \
	    .path = path_ "/{name}", .action = action_ "/read", .run = resource_run_head }, \
	{ title "Delete", RESOURCE_ROW(type_), .method = HTTP_DELETE, .guard = GUARD_SCOPE, \
	    .path = path_ "/{name}", .action = action_ "/delete", .cost = COST_POOL, \
	    .run = resource_run_delete }, \
	{ title "List", RESOURCE_ROW(type_), .method = HTTP_GET, .guard = GUARD_CALLER, \
	    .path = path_, .cost = COST_POOL, .run = resource_run_list }

#define RESOURCE_GROUP_PATH "/subscriptions/{subscription}/resourceGroups/{group}/providers/"
#define RESOURCE_SUBSCRIPTION_PATH "/subscriptions/{subscription}/providers/"
#define RESOURCE_ROW(type_) \
	.plane = PLANE_MANAGEMENT, .versioning = VERSION_ARM, .detail = &(type_)

/* clang-format on */

/*
 * What the rows run.  A type with a way of its own (a PUT that recovers, a reply with more in it)
 * writes that row itself and calls these from its function.  The id is the request's path.
 */
op_run resource_run_put, resource_run_patch, resource_run_get, resource_run_head,
    resource_run_delete, resource_run_list;

/*
 * resource_get(tx, services, id, change, out, found, err):
 * By id, in any case; lives in tx->arena.  With ${change}, the commit expects it unchanged (or
 * absent).  ERR_BAD_REQUEST for what is no id.
 */
MUST_USE bool resource_get(struct tx *tx, const struct services *services, view id, bool change,
    struct resource *out, bool *found, struct error *err);
MUST_USE bool resource_put(struct tx *tx, const struct resource *resource, struct error *err);
MUST_USE bool resource_delete(struct tx *tx, view id, struct error *err);

/*
 * resource_remove(tx, services, resource, caller, err):
 * Its type's remove hook, its children and extensions with theirs, its document.  ERR_CONFLICT when
 * they are more than one commit should hold.
 */
MUST_USE bool resource_remove(struct tx *tx, const struct services *services,
    const struct resource *resource, const struct caller *caller, struct error *err);

/* resource_remove_only: The hook and the document; for who sees to what is below. */
MUST_USE bool resource_remove_only(struct tx *tx, const struct services *services,
    const struct resource *resource, const struct caller *caller, struct error *err);

/* assignments_remove(tx, services, scope, err): The roles given at ${scope} and below. */
MUST_USE bool assignments_remove(struct tx *tx, const struct services *services, view scope,
    struct error *err);

/* resource_expect(tx, id, err): The commit is refused if its document changes until then. */
MUST_USE bool resource_expect(struct tx *tx, view id, struct error *err);

/* resource_decode(document, services, arena, out, err): ${document} must outlive ${out}. */
MUST_USE bool resource_decode(view document, const struct services *services, struct arena *arena,
    struct resource *out, struct error *err);

/* resource_key(arena, id, out, err): Where the document of ${id} is. */
MUST_USE bool resource_key(struct arena *arena, view id, view *out, struct error *err);

/* resource_not_found(id, err): The original's text, by what ${id} names. Always false. */
bool resource_not_found(const struct resource_id *id, struct error *err);

/* resource_write(json, resource): As a reply shows it, one JSON object. */
void resource_write(struct json *json, const struct resource *resource);
/* resource_show: The same to r->json, with what only a request can tell; see ->show. */
void resource_show(struct request *r, const struct resource *resource);
/* The same in parts, for types that add members: between json_open and json_close. */
void resource_write_envelope(struct json *json, const struct resource *resource);
void resource_write_tags(struct json *json, const struct resource *resource);

/* resource_changed_by(resource, caller, fresh): Who and when; ${fresh}: it is new. */
void resource_changed_by(struct resource *resource, const struct caller *caller, bool fresh);

/* resource_fresh_etag(r, resource, err): A new one, for types that have them. */
MUST_USE bool resource_fresh_etag(struct request *r, struct resource *resource, struct error *err);

/*
 * resource_change_location, resource_change_tags(change, given, err):
 * Into ${change}->wanted what the body says: a location that is required, known, and the same as
 * before; tags within their limits.
 */
MUST_USE bool resource_change_location(struct resource_change *change,
    const struct body_text *given, struct error *err);
MUST_USE bool resource_change_tags(struct resource_change *change, const struct body_tags *given,
    struct error *err);

#endif
