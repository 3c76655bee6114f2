/*
 * Removal: a resource goes with everything below it, and with the roles given there: a new one of
 * its name is another one.
 */
#include "access/access.h"
#include "arm/resource.h"

#define ROLES_MAX 5000 /* given at what is removed, in one commit */
#define ROLES_PAGE 500
#define BELOW_MAX 500 /* documents of one resource's children and extensions */

bool
resource_remove_only(struct tx *tx, const struct services *services,
    const struct resource *resource, const struct caller *caller, struct error *err)
{
	if (resource->type != NULL && resource->type->remove != NULL &&
	    !resource->type->remove(tx, services, resource, caller, err))
		return false;
	return resource_delete(tx, resource->id, err);
}

/* Children and extensions, from the deepest of each branch up: parents sort before them. */
static bool
remove_below(struct tx *tx, const struct services *services, view prefix,
    const struct caller *caller, struct error *err)
{
	view *keys;
	size_t count;

	if (!store_keys(tx->reader, prefix, V(""), BELOW_MAX + 1, tx->arena, &keys, &count, err))
		return false;
	if (count > BELOW_MAX)
		return error_set(err, ERR_CONFLICT,
		    "The resource has more than %d resources below it. Delete some of them first.",
		    BELOW_MAX);
	while (count-- > 0) {
		struct resource below;
		bool found;

		if (!resource_get(tx, services, view_from(keys[count], 1), true, &below, &found,
			err))
			return false;
		if (found && !resource_remove_only(tx, services, &below, caller, err))
			return false;
	}
	return true;
}

static bool
remove_page(struct tx *tx, const struct assignment_query *query, const struct assignment_page *page,
    size_t *removed, struct error *err)
{
	for (size_t i = 0; i < page->count; i++) {
		if (++*removed > ROLES_MAX)
			return error_set(err, ERR_CONFLICT,
			    "There are more than %d role assignments at '%.*s' and below. Delete "
			    "some of them first.",
			    ROLES_MAX, VIEW_ARG(query->scope));
		if (!assignment_delete(tx, &page->items[i], err))
			return false;
	}
	return true;
}

bool
assignments_remove(struct tx *tx, const struct services *services, view scope, struct error *err)
{
	struct assignment_query query = { .scope = scope, .not_above = true };
	struct assignment_page page = { .next = V("") };
	view rest = view_from(scope, sizeof("/subscriptions/") - 1);
	size_t removed = 0;

	if (!subscription_tenant(services->access, view_cut(&rest, '/'), &query.tenant))
		return true;
	do {
		if (!assignments_page(services->access, &query, page.next, ROLES_PAGE, tx->arena,
			&page, err) ||
		    !remove_page(tx, &query, &page, &removed, err))
			return false;
	} while (page.next.len > 0);
	return true;
}

bool
resource_remove(struct tx *tx, const struct services *services, const struct resource *resource,
    const struct caller *caller, struct error *err)
{
	view prefix;

	if (!resource_key(tx->arena, resource->id, &prefix, err))
		return false;
	if (!arena_join(tx->arena, (const view[]){ prefix, V("/") }, 2, &prefix))
		return error_memory(err);
	return assignments_remove(tx, services, resource->id, err) &&
	    remove_below(tx, services, prefix, caller, err) &&
	    resource_remove_only(tx, services, resource, caller, err);
}
