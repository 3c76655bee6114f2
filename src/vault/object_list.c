/*
 * Lists: of live and deleted objects, in the order of their names; of an object's versions, in the
 * order of their ids.
 */
#include "vault/object_store.h"

/* One item of a page: the document found by the scan, opened. */
typedef bool write_listed(struct request *r, const struct object_type *type, void *ctx,
    struct plain *document, struct error *err);

static bool
unseal(struct request *r, const struct document *document, struct plain **out, struct error *err)
{
	return keyring_unseal(r->vault->key, &document->value, document->key, out, err);
}

static bool
write_page(struct request *r, const struct object_type *type, view prefix, write_listed *write,
    void *ctx, struct error *err)
{
	struct document *documents;
	struct page page;
	size_t count, shown;
	view after = V(""), marker = V("");

	if (!page_read(r, prefix, &page, err))
		return false;
	if (page.after.len > 0 &&
	    !arena_print(r->arena, &after, "%.*s%.*s", VIEW_ARG(prefix), VIEW_ARG(page.after)))
		return error_memory(err);
	/* One more than is shown tells whether there is a next page. */
	if (!store_scan(r->tx.reader, prefix, after, page.limit + 1, r->arena, &documents, &count,
		err))
		return false;
	shown = count > page.limit ? page.limit : count;
	if (count > shown)
		marker = view_from(documents[shown - 1].key, prefix.len);
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	for (size_t i = 0; i < shown; i++) {
		struct plain *document = NULL;

		if (!unseal(r, &documents[i], &document, err) ||
		    !write(r, type, ctx, document, err))
			return false;
	}
	json_close(&r->json, ']');
	if (!page_next(r, prefix, &page, marker, err))
		return false;
	json_close(&r->json, '}');
	return true;
}

static bool
is_shown(const struct request *r, const struct object_type *type, const struct version *version)
{
	view pending;

	return type->hidden == NULL || !type->hidden(version) ||
	    (request_query(r, "includePending", &pending) && view_ieq(pending, V("true")));
}

static bool
write_head(struct request *r, const struct object_type *type, void *ctx, struct plain *document,
    struct error *err)
{
	AUTO(object_done) struct object object = { .document = document };
	AUTO(version_done) struct version latest = { 0 };

	(void)ctx;
	if (!head_decode(document, &object, err) ||
	    !version_read(r, type, &object, object.latest, TO_READ, &latest, err))
		return false;
	if (latest.document == NULL)
		return error_set(err, ERR_CORRUPT, "an object's latest version is missing");
	if (!is_shown(r, type, &latest))
		return true;
	json_open(&r->json, '{');
	if (object.deleted != 0) {
		write_id(r, "recoveryId", type->deleted, &object, V(""));
		json_number(&r->json, "deletedDate", object.deleted);
		json_number(&r->json, "scheduledPurgeDate", object.purge);
	}
	type->write_item(r, &object, &latest, false);
	json_close(&r->json, '}');
	return true;
}

bool
object_list(struct request *r, const struct object_type *type, enum object_state state,
    struct error *err)
{
	view prefix;

	return heads_prefix(r, type, state, &prefix, err) &&
	    write_page(r, type, prefix, write_head, NULL, err);
}

static bool
visit(struct request *r, const struct object_type *type, const struct document *document,
    object_visit *each, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };

	if (!unseal(r, document, &object.document, err) ||
	    !head_decode(object.document, &object, err) ||
	    !version_read(r, type, &object, object.latest, TO_READ, &latest, err))
		return false;
	if (latest.document == NULL)
		return error_set(err, ERR_CORRUPT, "an object's latest version is missing");
	return each(r, &object, &latest, ctx, err);
}

bool
object_each(struct request *r, const struct object_type *type, view after, size_t limit,
    object_visit *each, void *ctx, view *last, struct error *err)
{
	struct document *documents;
	view prefix, start = V("");
	size_t count;

	if (!heads_prefix(r, type, OBJECT_LIVE, &prefix, err) ||
	    (after.len > 0 && !head_path(r, type, OBJECT_LIVE, after, &start, err)) ||
	    !store_scan(r->tx.reader, prefix, start, limit + 1, r->arena, &documents, &count, err))
		return false;
	*last = count > limit ? view_from(documents[limit - 1].key, prefix.len) : V("");
	for (size_t i = 0; i < count && i < limit; i++) {
		if (!visit(r, type, &documents[i], each, ctx, err))
			return false;
	}
	return true;
}

static bool
write_version(struct request *r, const struct object_type *type, void *ctx, struct plain *document,
    struct error *err)
{
	const struct object *object = ctx;
	AUTO(version_done) struct version version = { .document = document };

	if (!version_decode(document, &version, err))
		return false;
	if (!is_shown(r, type, &version))
		return true;
	json_open(&r->json, '{');
	type->write_item(r, object, &version, true);
	json_close(&r->json, '}');
	return true;
}

/*
 * The original: versions of what is not there are an empty list, not an error.  What the page is
 * asked for is looked at all the same; no skip token is of this list.
 */
static bool
write_no_versions(struct request *r, struct error *err)
{
	struct page page;

	if (!page_read(r, V("nothing"), &page, err))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	json_close(&r->json, ']');
	json_null_value(&r->json, "nextLink");
	json_close(&r->json, '}');
	return true;
}

bool
object_list_versions(struct request *r, const struct object_type *type, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	bool found;
	view prefix;

	if (!object_name_check(r->params[0], err) ||
	    !object_read(r, type, OBJECT_LIVE, r->params[0], TO_READ, &object, &found, err))
		return false;
	if (!found)
		return write_no_versions(r, err);
	return versions_prefix(r->arena, uuid_view(&r->vault->id), type->letter, view_of(object.id),
		   &prefix, err) &&
	    write_page(r, type, prefix, write_version, &object, err);
}
