#include "identity/graph_row.h"

#include "api/percent.h"
#include "identity/graph_ids.h"
#include "identity/graph_text.h"

#define TOP_DEFAULT 100
#define TOP_MAX 999
#define SCAN_MAX 2048 /* applications looked at in one request; the next page goes on behind them */

bool
graph_find(struct tx *tx, const struct uuid *tenant, view id, enum object_kind *kind,
    enum store_use use, struct plain **document, struct registration *out, struct error *err)
{
	AUTO(plain_done) struct plain *found = NULL;

	if (!registration_by_object(tx, id, kind, use, &found, out, err))
		return false;
	if (!view_eq(uuid_view(&out->tenant), uuid_view(tenant)))
		return error_set(err, ERR_GRAPH_NOT_FOUND,
		    "Resource '%s' does not exist or one of its queried reference-property "
		    "objects are not present.",
		    *kind == OBJECT_APPLICATION ? out->own.text : out->object.text);
	*document = found;
	found = NULL;
	return true;
}

static bool
written(const struct request *r, struct error *err)
{
	return buf_ok(&r->out->body) || error_memory(err);
}

bool
graph_reply(struct request *r, int status, const struct graph_kind *kind,
    const struct registration *registration, struct error *err)
{
	const struct uuid *id =
	    kind->object == OBJECT_APPLICATION ? &registration->own : &registration->object;
	struct json *json = reply_json(r);

	r->out->status = status;
	json_open(json, '{');
	graph_context(r->authority, kind->collection, true, json);
	kind->write(registration, json);
	json_close(json, '}');
	return (arena_print(r->arena, &r->object_id, "https://%.*s/v1.0/%s/%s",
		    VIEW_ARG(r->authority), kind->collection, id->text) &&
		   buf_ok(&r->out->body)) ||
	    error_memory(err);
}

struct list {
	struct json *json;
	const struct graph_kind *kind;
	struct graph_filter filter;
	size_t left;      /* items that may still be written */
	struct uuid last; /* the last application looked at */
};

static bool
list_wants(const struct list *list, const struct registration *registration)
{
	switch (list->filter.kind) {
	case FILTER_NONE: return true;
	case FILTER_APP_ID: return view_ieq(list->filter.text, uuid_view(&registration->id));
	case FILTER_NAME: return view_ieq(list->filter.text, registration->name);
	case FILTER_NAME_STARTS: return view_istarts(registration->name, list->filter.text);
	}
	return false;
}

static bool
list_visit(void *ctx, const struct registration *registration)
{
	struct list *list = ctx;

	list->last = registration->id;
	if (list_wants(list, registration)) {
		json_open(list->json, '{');
		list->kind->write(registration, list->json);
		json_close(list->json, '}');
		list->left--;
	}
	return list->left > 0;
}

static bool
read_page(struct request *r, struct list *list, struct uuid *after, bool *has_after,
    struct error *err)
{
	uint64_t top = TOP_DEFAULT;
	view text;

	if (request_query(r, "$top", &text) && (!view_u64(text, &top) || top < 1 || top > TOP_MAX))
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "Invalid page size specified: it must be between 1 and %d inclusive.", TOP_MAX);
	list->left = (size_t)top;
	*has_after = request_query(r, "$skiptoken", &text);
	if (*has_after && !uuid_parse(text, after))
		return error_set(err, ERR_GRAPH_BAD_REQUEST, "The $skiptoken is not valid.");
	return !request_query(r, "$filter", &text) ||
	    graph_filter_parse(text, r->arena, &list->filter, err);
}

static bool
write_next(struct request *r, const struct list *list, struct error *err)
{
	static const char *const kept[] = { "$filter", "$top" };
	AUTO(buf_free) struct buf link = { 0 };
	view value;

	buf_print(&link, "https://%.*s%.*s?$skiptoken=%s", VIEW_ARG(r->authority),
	    VIEW_ARG(r->path), list->last.text);
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		if (!request_query(r, kept[i], &value))
			continue;
		buf_print(&link, "&%s=", kept[i]);
		percent_encode(value, &link);
	}
	json_text(list->json, "@odata.nextLink", buf_view(&link));
	return buf_ok(&link) || error_memory(err);
}

/* One application is found without looking at the others. */
static bool
list_one(struct request *r, struct list *list, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration registration;

	if (!registration_get(&r->tx, uuid_view(&r->caller.tenant), list->filter.text, STORE_READ,
		&document, &registration, err))
		return err->code == ERR_GRAPH_NOT_FOUND;
	(void)list_visit(list, &registration);
	return true;
}

static bool
list_answer(struct request *r, const struct graph_kind *kind, struct error *err)
{
	struct list list = { .kind = kind };
	struct uuid after = { "" };
	bool has_after, end = true, ok;

	if (!read_page(r, &list, &after, &has_after, err))
		return false;
	list.json = reply_json(r);
	json_open(list.json, '{');
	graph_context(r->authority, kind->collection, false, list.json);
	json_open_in(list.json, "value", '[');
	if (list.filter.kind == FILTER_APP_ID)
		ok = list_one(r, &list, err);
	else
		ok = registration_walk(&r->tx, uuid_view(&r->caller.tenant),
		    has_after ? uuid_view(&after) : V(""), SCAN_MAX, list_visit, &list, &end, err);
	if (!ok)
		return false;
	json_close(list.json, ']');
	if (!end && !write_next(r, &list, err))
		return false;
	json_close(list.json, '}');
	return written(r, err);
}

bool
graph_applications_list(struct request *r, struct error *err)
{
	return list_answer(r, &graph_application, err);
}

bool
graph_service_principals_list(struct request *r, struct error *err)
{
	return list_answer(r, &graph_service_principal, err);
}

static bool
get_answer(struct request *r, const struct graph_kind *kind, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	enum object_kind wanted = kind->object;
	struct registration registration;

	return graph_find(&r->tx, &r->caller.tenant, r->params[0], &wanted, STORE_READ, &document,
		   &registration, err) &&
	    graph_reply(r, 200, kind, &registration, err);
}

bool
graph_application_get(struct request *r, struct error *err)
{
	return get_answer(r, &graph_application, err);
}

bool
graph_service_principal_get(struct request *r, struct error *err)
{
	return get_answer(r, &graph_service_principal, err);
}

bool
graph_me(struct request *r, struct error *err)
{
	(void)r;
	return error_set(err, ERR_BAD_REQUEST,
	    "/me request is only valid with delegated authentication flow.");
}

/* No types: all of them. */
static bool
type_wanted(const struct graph_ids *wanted, const struct graph_kind *kind)
{
	view name = view_from(view_of(kind->type), sizeof("#microsoft.graph.") - 1);

	for (size_t i = 0; i < wanted->type_count; i++) {
		if (view_ieq(wanted->types[i], name) ||
		    view_ieq(wanted->types[i], V("directoryObject")))
			return true;
	}
	return wanted->type_count == 0;
}

/* Ids that name nothing are left out. */
static bool
write_object(struct request *r, view id, const struct graph_ids *wanted, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(plain_done) struct plain *document = NULL;
	enum object_kind found = OBJECT_ANY;
	const struct graph_kind *kind;
	struct registration registration;
	struct tx tx = r->tx;

	/* A thousand documents would not fit into what one request may use. */
	arena_init(&arena, (size_t)1024 * 1024);
	tx.arena = &arena;
	if (!graph_find(&tx, &r->caller.tenant, id, &found, STORE_READ, &document, &registration,
		err))
		return err->code == ERR_GRAPH_NOT_FOUND;
	kind = found == OBJECT_APPLICATION ? &graph_application : &graph_service_principal;
	if (!type_wanted(wanted, kind))
		return true;
	json_open(&r->json, '{');
	json_text(&r->json, "@odata.type", view_of(kind->type));
	kind->write(&registration, &r->json);
	json_close(&r->json, '}');
	return true;
}

bool
graph_get_by_ids(struct request *r, struct error *err)
{
	struct graph_ids wanted;
	struct json *json;

	if (!graph_ids_read(r->in->body, r->arena, &wanted, err))
		return false;
	json = reply_json(r);
	json_open(json, '{');
	graph_context(r->authority, "directoryObjects", false, json);
	json_open_in(json, "value", '[');
	for (size_t i = 0; i < wanted.id_count; i++) {
		if (!write_object(r, wanted.ids[i], &wanted, err))
			return false;
	}
	json_close(json, ']');
	json_close(json, '}');
	return written(r, err);
}
