#include "arm/list.h"

#include "access/decide.h"
#include "api/paging.h"

#include <string.h>

#define BATCH 64                            /* documents read at a time */
#define SCAN_MAX 2048                       /* documents a page looks at; it ends early then */
#define BODY_FULL ((size_t)4 * 1024 * 1024) /* bytes from which on nothing is added to a page */

/* A page on its way. */
struct paging {
	size_t limit, written, scanned;
	const struct memberships *who; /* the caller with its groups */
	bool over;                     /* nothing is left in the store */
	char marker[STORE_KEY_MAX];
	view after; /* in ->marker */
};

bool
caller_may(const struct request *r, view action, view scope)
{
	const struct access_question question = {
		.tenant = r->caller.tenant,
		.principal = r->caller.object,
		.action = action,
		.scope = scope,
	};
	struct access_decision decision;

	return access_decide(r->services->access, &question, &decision);
}

/* What one must be allowed to do to see it. */
static bool
read_action(struct request *r, const struct list *list, const struct resource_type *type, view *out)
{
	*out = view_of(list->action);
	return list->action != NULL ||
	    (type != NULL && arena_print(r->arena, out, "%s/%s/read", type->space, type->name));
}

/*
 * Of each one by itself, however much the caller may read at the scope: below it there are deny
 * assignments, and names that a condition does not hold for.
 */
static bool
may_see(struct request *r, const struct list *list, const struct resource *resource,
    const struct memberships *who)
{
	struct access_question question = {
		.tenant = r->caller.tenant,
		.principal = r->caller.object,
		.scope = resource->id,
	};
	struct access_decision decision;

	return read_action(r, list, resource->type, &question.action) &&
	    access_decide_among(r->services->access, &question, who, &decision);
}

bool
list_admit(struct request *r, const struct list *list, struct error *err)
{
	view action;

	/* Of all types: each is asked about. */
	if (!read_action(r, list, list->type, &action))
		action = V("Microsoft.Resources/subscriptions/resources/read");
	else if (caller_may(r, action, list->scope))
		return true;
	return access_reaches(r->services->access, &r->caller.tenant, &r->caller.object,
		   list->scope) ||
	    access_refuse(r, action, list->scope, &(struct access_decision){ 0 }, err);
}

static bool
read_memberships(struct request *r, struct paging *out, struct error *err)
{
	struct memberships *who = arena_alloc(r->arena, sizeof(*who));

	if (who == NULL)
		return error_memory(err);
	directory_memberships(r->services->directory, &r->caller.object, who);
	out->who = who;
	return true;
}

static bool
read_query(struct request *r, const struct list *list, struct paging *out, struct error *err)
{
	view marker;

	if (!page_top(r, LIST_PAGE, LIST_PAGE_MAX, &out->limit, err) ||
	    !page_marker(r, list->prefix, &marker, err))
		return false;
	if (marker.len > sizeof(out->marker))
		return error_set(err, ERR_BAD_REQUEST, "The $skiptoken is not valid.");
	memcpy(out->marker, marker.ptr, marker.len);
	out->after = (view){ out->marker, marker.len };
	return true;
}

/* Told by the key alone: what is not asked for need not be opened. */
static bool
right_key(const struct list *list, view key, struct arena *arena)
{
	struct resource_id id;
	struct error ignored;

	if (list->type == NULL && list->name.len == 0)
		return true;
	if (!resource_id_parse(view_from(key, 1), arena, &id, &ignored))
		return false;
	return (list->name.len == 0 || view_ieq(id.name, list->name)) &&
	    (list->type == NULL || id.space.len == 0 ||
		(view_ieq(id.space, view_of(list->type->space)) &&
		    view_ieq(id.type, view_of(list->type->name))));
}

static bool
show(struct request *r, const struct list *list, view key, struct paging *paging, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct resource resource;

	if (!right_key(list, key, r->arena))
		return true;
	if (!tx_get(&r->tx, keyring_system(r->services->keyring), key, &plain, err))
		return false;
	if (plain == NULL)
		return true;
	if (!resource_decode(plain_view(plain), r->services, r->arena, &resource, err))
		return false;
	if ((list->wanted != NULL && !list->wanted(list->ctx, &resource)) ||
	    !may_see(r, list, &resource, paging->who))
		return true;
	if (list->write == NULL)
		resource_show(r, &resource);
	else
		list->write(&r->json, &resource);
	paging->written++;
	return true;
}

static bool
is_full(const struct request *r, const struct paging *paging)
{
	return paging->written == paging->limit || r->out->body.len >= BODY_FULL;
}

static bool
show_batch(struct request *r, const struct list *list, struct paging *paging, struct error *err)
{
	view *keys;
	size_t count;

	if (!store_keys(r->tx.reader, list->prefix, paging->after, BATCH, r->arena, &keys, &count,
		err))
		return false;
	paging->over = count < BATCH;
	for (size_t i = 0; i < count; i++) {
		struct arena_mark mark = arena_mark(r->arena);
		bool fine;

		if (is_full(r, paging)) {
			paging->over = false;
			return true;
		}
		fine = show(r, list, keys[i], paging, err);
		/* What was read is written, and not needed any more. */
		arena_rewind(r->arena, mark);
		if (!fine)
			return false;
		memcpy(paging->marker, keys[i].ptr, keys[i].len);
		paging->after = (view){ paging->marker, keys[i].len };
	}
	paging->scanned += count;
	return true;
}

bool
list_run(struct request *r, const struct list *list, struct error *err)
{
	struct paging paging = { 0 };

	if (!list_admit(r, list, err) || !read_query(r, list, &paging, err) ||
	    !read_memberships(r, &paging, err))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	while (!paging.over && !is_full(r, &paging) && paging.scanned < SCAN_MAX) {
		struct arena_mark mark = arena_mark(r->arena);
		bool fine = show_batch(r, list, &paging, err);

		arena_rewind(r->arena, mark);
		if (!fine)
			return false;
	}
	json_close(&r->json, ']');
	if (!page_next_arm(r, list->prefix, paging.over ? V("") : paging.after, err))
		return false;
	json_close(&r->json, '}');
	return true;
}
