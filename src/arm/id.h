/*
 * Resource ids: "/subscriptions/{guid}/resourceGroups/{name}/providers/{space}/{type}/{name}[/…]".
 * Compared in any case.  The last "/providers/" splits the scope from the resource, so that
 * resources hang off any other.
 */
#ifndef ARM_ID_H
#define ARM_ID_H

#include "base/arena.h"
#include "base/error.h"
#include "base/uuid.h"

#define RESOURCE_ID_MAX 460 /* bytes: a store's key holds one, and what stands around it */
#define GROUP_NAME_MAX 90

/* The parts of an id; views into its text, but for the type of a child. */
struct resource_id {
	view text;
	view subscription; /* as written; empty at the tenant */
	view group;        /* the group's name; empty outside of groups */
	view group_id;     /* "/subscriptions/…/resourceGroups/…" */
	view scope;        /* what stands before the last "/providers/" */
	view space;        /* empty for subscriptions and groups */
	view type;         /* "vaults", "vaults/secrets" */
	view path;         /* what stands behind the space: "vaults/v/secrets/s" */
	view name;         /* the last segment */
	view parent;       /* of a child: the id less its last two segments; else empty */
};

/*
 * resource_id_parse(text, arena, out, err):
 * ERR_BAD_REQUEST for what is no id: no leading slash, empty or dotted segments, control
 * characters, a subscription that is no GUID, a type without a name, more than RESOURCE_ID_MAX.
 */
MUST_USE bool resource_id_parse(view text, struct arena *arena, struct resource_id *out,
    struct error *err);

/* id_lower(arena, id, out, err): As ids are compared. */
MUST_USE bool id_lower(struct arena *arena, view id, view *out, struct error *err);

/* id_group(id): The name of the group that ${id} is in, or is; empty for those in none. */
view id_group(view id);

/* group_name_valid: 1 to 90 letters, digits and "_-.()" (and beyond ASCII), no '.' at the end. */
bool group_name_valid(view name);
view group_name_fault(view name); /* the first character that does not fit; may be empty */

/* resource_name_valid: No type allows <>%&\?/:#, control characters and a '.' at the end. */
bool resource_name_valid(view name);

#endif
