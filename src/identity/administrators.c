#include "identity/administrators.h"

#include "base/pack.h"
#include "identity/application_store.h"

#define FORMAT 1

static bool
list_path(struct tx *tx, const struct uuid *tenant, view *out, struct error *err)
{
	return arena_print(tx->arena, out, "t/%s/administrators", tenant->text) ||
	    error_memory(err);
}

static bool
list_unpack(view document, struct administrators *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT;
	size_t count = unpack_u32(&in);

	fine &= count <= ADMINISTRATORS_MAX;
	for (size_t i = 0; fine && i < count; i++)
		fine = uuid_parse(unpack_bytes(&in), &out->ids[i]);
	out->count = fine ? count : 0;
	return (fine && unpack_end(&in)) ||
	    error_set(err, ERR_CORRUPT, "The administrators' document is not readable.");
}

static bool
collect(void *ctx, const struct registration *registration)
{
	struct administrators *out = ctx;

	if (registration->administrator && out->count < ADMINISTRATORS_MAX)
		out->ids[out->count++] = registration->object;
	return out->count < ADMINISTRATORS_MAX;
}

bool
administrators_read(struct tx *tx, const struct uuid *tenant, enum store_use use,
    struct administrators *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	view path;
	bool end;

	out->count = 0;
	if (!list_path(tx, tenant, &path, err) || !directory_read(tx, path, use, &document, err))
		return false;
	if (document != NULL)
		return list_unpack(plain_view(document), out, err);
	/* An earlier server's directory: applications only, few of them, and no list yet. */
	return registration_walk(tx, uuid_view(tenant), V(""), SIZE_MAX, collect, out, &end, err);
}

static bool
write_list(struct tx *tx, const struct uuid *tenant, const struct administrators *list,
    struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	if (!list_path(tx, tenant, &path, err))
		return false;
	pack_u8(&document, FORMAT);
	pack_u32(&document, (uint32_t)list->count);
	for (size_t i = 0; i < list->count; i++)
		pack_bytes(&document, uuid_view(&list->ids[i]));
	return tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

static size_t
position(const struct administrators *list, const struct uuid *object)
{
	size_t i = 0;

	while (i < list->count && !view_eq(uuid_view(&list->ids[i]), uuid_view(object)))
		i++;
	return i;
}

bool
administrators_add(struct tx *tx, const struct uuid *tenant, const struct uuid *object,
    struct error *err)
{
	struct administrators list;

	if (!administrators_read(tx, tenant, STORE_CHANGE, &list, err))
		return false;
	if (position(&list, object) < list.count)
		return true;
	if (list.count == ADMINISTRATORS_MAX)
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "There can't be more than %d administrators.", ADMINISTRATORS_MAX);
	list.ids[list.count++] = *object;
	return write_list(tx, tenant, &list, err);
}

/* Whether one of the list, other than the one at ${except}, may sign in. */
static bool
another_left(struct tx *tx, const struct administrators *list, size_t except, bool *out,
    struct error *err)
{
	struct oid found;

	*out = false;
	for (size_t i = 0; i < list->count && !*out; i++) {
		if (i == except)
			continue;
		if (!oid_get(tx, uuid_view(&list->ids[i]), STORE_READ, &found, err)) {
			if (err->code != ERR_GRAPH_NOT_FOUND)
				return false;
			continue;
		}
		*out = !found.disabled;
	}
	return true;
}

/* The list is written also when it stays as it is: of two who disable each other one comes last. */
bool
administrators_leave(struct tx *tx, const struct uuid *tenant, const struct uuid *object, bool keep,
    struct error *err)
{
	struct administrators list;
	size_t at;
	bool left;

	if (!administrators_read(tx, tenant, STORE_CHANGE, &list, err))
		return false;
	at = position(&list, object);
	if (at == list.count)
		return true;
	if (!another_left(tx, &list, at, &left, err))
		return false;
	if (!left)
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "The last administrator of the directory can't be removed.");
	if (!keep)
		list.ids[at] = list.ids[--list.count];
	return write_list(tx, tenant, &list, err);
}
