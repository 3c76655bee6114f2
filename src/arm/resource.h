/*
 * Resources: what resource management keeps, found by id.  A provider is one file with a table of
 * its types and the rows that the table gives; everything that resources have in common (ids,
 * groups, locations, tags, versions, lists, replies, locks) is here, once.
 *
 * Documents, sealed under the system key: "r<resource id in lower case>"; groups are resources.
 */
#ifndef ARM_RESOURCE_H
#define ARM_RESOURCE_H

#include "api/body.h"
#include "api/request.h"

struct resource_type;

/* A stored resource; views borrow from its document or the request. */
struct resource {
	const struct resource_type *type;
	view id;       /* names as at creation, types as the provider's table writes them */
	view name;     /* the last segment */
	view location; /* "westeurope": lower case, without spaces; "" for types without one */
	const struct body_tag *tags;
	size_t tag_count;
	view kind;                /* "" is left out */
	view sku, identity;       /* JSON values as they are shown; "" is left out */
	view properties;          /* a JSON object */
	int64_t created, changed; /* Unix nanoseconds, vault time */
	struct uuid created_by, changed_by;
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

struct resource_type {
	const char *space;            /* "Microsoft.KeyVault" */
	const char *name;             /* "vaults", "vaults/secrets" */
	const char *const *versions;  /* newest first, ended by NULL */
	bool placeless;               /* has no location of its own */
	resource_put_hook *put;       /* checks the body, fills in wanted->properties; writes the
	                                  documents of its own to r->tx */
	resource_remove_hook *remove; /* also when the whole group goes; NULL: nothing to do */
};

/* Every body of a resource begins with these. */
struct resource_body {
	struct body_text location;
	struct body_tags tags;
};

/*
 * The rows of a tracked type: PUT, PATCH, GET, HEAD, DELETE, list in the group, list in the
 * subscription; .detail is the type; actions are "<space>/<name>/read|write|delete".
 */

/* resource_get(tx, services, id, use, out, found, err): By id, in any case; lives in tx->arena. */
MUST_USE bool resource_get(struct tx *tx, const struct services *services, view id, bool change,
    struct resource *out, bool *found, struct error *err);
MUST_USE bool resource_put(struct tx *tx, const struct resource *resource, struct error *err);
MUST_USE bool resource_delete(struct tx *tx, view id, struct error *err);

/* resource_write(json, resource): As a reply shows it. */
void resource_write(struct json *json, const struct resource *resource);

#endif
