/*
 * Lists: of live and deleted objects, in the order of their names; of an object's versions, in the
 * order of their ids.
 */
#include "vault/object_store.h"

static bool
unseal(struct request *r, const struct document *document, struct plain **out, struct error *err)
{
	return keyring_unseal(r->vault->key, &document->value, document->key, out, err);
}

/* Whose list it is. */
struct listing {
	const struct object_type *type;
	const struct object *object; /* of versions */
};

static bool
is_shown(const struct request *r, const struct object_type *type, const struct version *version)
{
	return type->hidden == NULL || !type->hidden(version) || page_wants_pending(r);
}

/* A head and its latest version, which both have an owner. */
static bool
open_head(struct request *r, const struct object_type *type, const struct document *document,
    struct object *object, struct version *latest, struct error *err)
{
	return unseal(r, document, &object->document, err) &&
	    head_decode(object->document, object, err) &&
	    version_latest(r, type, object, latest, err);
}

static bool
write_head(struct request *r, const struct document *document, void *ctx, struct error *err)
{
	const struct object_type *type = ((const struct listing *)ctx)->type;
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };

	if (!open_head(r, type, document, &object, &latest, err))
		return false;
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
	struct listing listing = { .type = type };
	view prefix;

	return heads_prefix(r, type, state, &prefix, err) &&
	    page_write(r, prefix, write_head, &listing, err);
}

static bool
visit(struct request *r, const struct object_type *type, const struct document *document,
    object_visit *each, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };

	return open_head(r, type, document, &object, &latest, err) &&
	    each(r, &object, &latest, ctx, err);
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
write_version(struct request *r, const struct document *document, void *ctx, struct error *err)
{
	const struct listing *listing = ctx;
	AUTO(version_done) struct version version = { 0 };

	if (!unseal(r, document, &version.document, err) ||
	    !version_decode(version.document, &version, err))
		return false;
	if (!is_shown(r, listing->type, &version))
		return true;
	json_open(&r->json, '{');
	listing->type->write_item(r, listing->object, &version, true);
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
	struct listing listing = { type, &object };
	bool found;
	view prefix;

	if (!object_name_check(r->params[0], err) ||
	    !object_read(r, type, OBJECT_LIVE, r->params[0], TO_READ, &object, &found, err))
		return false;
	if (!found)
		return write_no_versions(r, err);
	return versions_prefix(r->arena, uuid_view(&r->vault->id), type->letter, view_of(object.id),
		   &prefix, err) &&
	    page_write(r, prefix, write_version, &listing, err);
}
