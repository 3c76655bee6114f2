/*
 * Lists of directory objects, filtered, a page at a time.
 */
#include "graph/row.h"

#include "base/percent.h"
#include "graph/filter.h"

#define SCAN_MAX 4096 /* objects looked at in one request; the next page goes on behind them */

bool
graph_page_read(const struct request *r, struct graph_page *out, struct error *err)
{
	uint64_t top = GRAPH_TOP_DEFAULT;
	view text;

	*out = (struct graph_page){ .left = 0 };
	if (request_query(r, "$top", &text) &&
	    (!view_u64(text, &top) || top < 1 || top > GRAPH_TOP_MAX))
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "Invalid page size specified: it must be between 1 and %d inclusive.",
		    GRAPH_TOP_MAX);
	out->left = (size_t)top;
	if (request_query(r, "$skiptoken", &text) && !uuid_parse(text, &out->after))
		return error_set(err, ERR_GRAPH_BAD_REQUEST, "The $skiptoken is not valid.");
	if (request_query(r, "$select", &text) && !graph_select_parse(text, &out->select))
		return error_set(err, ERR_GRAPH_BAD_REQUEST, "$select names too many properties.");
	return true;
}

bool
graph_page_next(struct request *r, const struct uuid *last, struct error *err)
{
	static const char *const kept[] = { "$filter", "$top", "$select" };
	AUTO(buf_free) struct buf link = { 0 };
	view value;

	buf_print(&link, "https://%.*s%.*s?$skiptoken=%s", VIEW_ARG(r->authority),
	    VIEW_ARG(r->path), last->text);
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		if (!request_query(r, kept[i], &value))
			continue;
		buf_print(&link, "&%s=", kept[i]);
		percent_encode(value, &link);
	}
	json_text(&r->json, "@odata.nextLink", buf_view(&link));
	return buf_ok(&link) || error_memory(err);
}

struct list {
	struct json *json;
	const struct graph_kind *kind;
	struct graph_page page;
	struct graph_filter filter;
	struct uuid last; /* the last one looked at */
};

static bool
list_visit(void *ctx, const void *object)
{
	struct list *list = ctx;

	list->last = *(const struct uuid *)(const void *)((const char *)object + list->kind->mark);
	if (!graph_filter_match(&list->filter, object))
		return true;
	json_open(list->json, '{');
	graph_members_write(list->kind->members, &list->page.select, object, list->json);
	json_close(list->json, '}');
	return --list->page.left > 0;
}

/* The same object may be meant by several keys. */
static bool
seen_before(const struct uuid *ids, size_t count, const struct uuid *id)
{
	for (size_t i = 0; i < count; i++) {
		if (view_eq(uuid_view(&ids[i]), uuid_view(id)))
			return true;
	}
	return false;
}

/* Objects that a key names are found without looking at the others. */
static bool
list_named(struct request *r, struct list *list, const size_t *keys, size_t key_count,
    struct error *err)
{
	const struct filter *filter = &list->filter.filter;
	struct uuid seen[FILTER_VALUES_MAX];
	size_t seen_count = 0;

	for (size_t i = 0; i < key_count; i++) {
		const struct filter_term *term = &filter->terms[keys[i]];
		const char *name = list->filter.members[keys[i]]->name;

		for (size_t j = 0; j < term->count && list->page.left > 0; j++) {
			AUTO(graph_object_done) struct graph_object object;

			if (!graph_load_key(&r->tx, &r->caller.tenant, list->kind, name,
				filter->values[term->first + j], STORE_READ, &object, err)) {
				if (err->code != ERR_GRAPH_NOT_FOUND)
					return false;
				continue;
			}
			if (seen_before(seen, seen_count, graph_object_id(&object)))
				continue;
			seen[seen_count++] = *graph_object_id(&object);
			(void)list_visit(list, &object.as);
		}
	}
	return true;
}

static bool
list_items(struct request *r, struct list *list, bool *end, struct error *err)
{
	size_t keys[FILTER_TERMS_MAX];
	size_t key_count = graph_filter_keys(&list->filter, keys);

	*end = true;
	if (key_count > 0)
		return list_named(r, list, keys, key_count, err);
	return list->kind->walk(&r->tx, &r->caller.tenant, view_of(list->page.after.text), SCAN_MAX,
	    list_visit, list, end, err);
}

bool
graph_list(struct request *r, struct error *err)
{
	struct list list = { .kind = r->op->detail };
	view filter = V("");
	bool end;

	(void)request_query(r, "$filter", &filter);
	if (!graph_page_read(r, &list.page, err) ||
	    !graph_filter_parse(filter, list.kind->members, r->arena, &list.filter, err))
		return false;
	list.last = list.page.after;
	list.json = reply_json(r);
	json_open(list.json, '{');
	graph_context(r->authority, list.kind->collection, false, list.json);
	json_open_in(list.json, "value", '[');
	if (!list_items(r, &list, &end, err))
		return false;
	json_close(list.json, ']');
	if (!end && !graph_page_next(r, &list.last, err))
		return false;
	json_close(list.json, '}');
	return graph_written(r, err);
}
