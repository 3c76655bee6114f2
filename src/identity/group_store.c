#include "identity/group_store.h"

#include "base/pack.h"

#define FORMAT 1
#define FLAG_MAIL 1
#define FLAG_SECURITY 2
#define SWEEP_MAX 1000 /* memberships deleted with their group */

static bool
group_path(struct tx *tx, const struct uuid *tenant, const struct uuid *object, view *out,
    struct error *err)
{
	return arena_print(tx->arena, out, "t/%s/group/%s", tenant->text, object->text) ||
	    error_memory(err);
}

static bool
member_path(struct tx *tx, const struct uuid *group, view member, view *out, struct error *err)
{
	return arena_print(tx->arena, out, "member/%s/%.*s", group->text, VIEW_ARG(member)) ||
	    error_memory(err);
}

static bool
group_unpack(view document, struct security_group *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT;
	unsigned flags;

	*out = (struct security_group){ .created = 0 };
	fine &= uuid_parse(unpack_bytes(&in), &out->tenant);
	fine &= uuid_parse(unpack_bytes(&in), &out->object);
	flags = unpack_u8(&in);
	out->mail_enabled = (flags & FLAG_MAIL) != 0;
	out->security_enabled = (flags & FLAG_SECURITY) != 0;
	out->name = unpack_bytes(&in);
	out->nickname = unpack_bytes(&in);
	out->description = unpack_bytes(&in);
	out->created = unpack_i64(&in);
	return (fine && unpack_end(&in)) ||
	    error_set(err, ERR_CORRUPT, "A group's document is not readable.");
}

bool
security_group_get(struct tx *tx, const struct uuid *object, enum store_use use,
    struct plain **document, struct security_group *out, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct oid found;
	view path;

	if (!oid_get(tx, uuid_view(object), STORE_READ, &found, err))
		return false;
	if (found.kind != OBJECT_GROUP)
		return object_not_found(err, uuid_view(object));
	if (!group_path(tx, &found.tenant, object, &path, err) ||
	    !directory_read(tx, path, use, &plain, err))
		return false;
	if (plain == NULL)
		return object_not_found(err, uuid_view(object));
	if (!group_unpack(plain_view(plain), out, err))
		return false;
	*document = plain;
	plain = NULL;
	return true;
}

bool
security_group_put(struct tx *tx, const struct security_group *group, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	unsigned flags = 0;
	view path;

	if (!group_path(tx, &group->tenant, &group->object, &path, err))
		return false;
	flags |= group->mail_enabled ? FLAG_MAIL : 0;
	flags |= group->security_enabled ? FLAG_SECURITY : 0;
	pack_u8(&document, FORMAT);
	pack_bytes(&document, uuid_view(&group->tenant));
	pack_bytes(&document, uuid_view(&group->object));
	pack_u8(&document, (uint8_t)flags);
	pack_bytes(&document, group->name);
	pack_bytes(&document, group->nickname);
	pack_bytes(&document, group->description);
	pack_i64(&document, group->created);
	return tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
security_group_add(struct tx *tx, const struct security_group *group, struct error *err)
{
	const struct oid object = {
		.kind = OBJECT_GROUP,
		.tenant = group->tenant,
		.id = group->object,
	};

	return oid_add(tx, &group->object, &object, err) && security_group_put(tx, group, err);
}

/* What is left behind by a very large one counts for nothing: object ids are never used again. */
static bool
sweep(struct tx *tx, const struct uuid *group, struct error *err)
{
	view prefix, *keys;
	size_t count;

	if (!member_path(tx, group, V(""), &prefix, err) ||
	    !store_keys(tx->reader, prefix, V(""), SWEEP_MAX, tx->arena, &keys, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!tx_delete(tx, keys[i], err))
			return false;
	}
	return true;
}

bool
security_group_delete(struct tx *tx, const struct security_group *group, struct error *err)
{
	view path;

	return group_path(tx, &group->tenant, &group->object, &path, err) &&
	    tx_delete(tx, path, err) && oid_delete(tx, &group->object, err) &&
	    sweep(tx, &group->object, err);
}

struct walk {
	security_group_visit *visit;
	void *ctx;
};

static bool
visit_document(void *ctx, view document, bool *more, struct error *err)
{
	const struct walk *walk = ctx;
	struct security_group group;

	if (!group_unpack(document, &group, err))
		return false;
	*more = walk->visit(walk->ctx, &group);
	return true;
}

bool
security_group_walk(struct tx *tx, const struct uuid *tenant, view after, size_t limit,
    security_group_visit *visit, void *ctx, bool *end, struct error *err)
{
	static const struct uuid none;
	struct walk walk = { visit, ctx };
	view prefix;

	return group_path(tx, tenant, &none, &prefix, err) &&
	    directory_walk(tx, prefix, after, limit, visit_document, &walk, end, err);
}

bool
membership_has(struct tx *tx, const struct uuid *group, const struct uuid *member, bool *out,
    struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	view path;

	if (!member_path(tx, group, uuid_view(member), &path, err) ||
	    !directory_read(tx, path, STORE_CHANGE, &document, err))
		return false;
	*out = document != NULL;
	return true;
}

/* The document says no more than its key does; sealed under it, it can't be forged. */
bool
membership_add(struct tx *tx, const struct uuid *group, const struct uuid *member,
    struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	struct oid object;
	view path;

	if (!oid_get(tx, uuid_view(group), STORE_CHANGE, &object, err) ||
	    !oid_get(tx, uuid_view(member), STORE_CHANGE, &object, err) ||
	    !member_path(tx, group, uuid_view(member), &path, err))
		return false;
	pack_u8(&document, FORMAT);
	return tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
membership_delete(struct tx *tx, const struct uuid *group, const struct uuid *member,
    struct error *err)
{
	view path;

	return member_path(tx, group, uuid_view(member), &path, err) && tx_delete(tx, path, err);
}

bool
membership_list(struct tx *tx, const struct uuid *group, view after, size_t limit,
    struct uuid **out, size_t *count, struct error *err)
{
	view prefix, marker, *keys;
	struct uuid *ids;

	if (!member_path(tx, group, V(""), &prefix, err) ||
	    !member_path(tx, group, after, &marker, err) ||
	    !store_keys(tx->reader, prefix, marker, limit, tx->arena, &keys, count, err))
		return false;
	ids = arena_alloc(tx->arena, (*count + 1) * sizeof(*ids));
	if (ids == NULL)
		return error_memory(err);
	for (size_t i = 0; i < *count; i++) {
		if (!uuid_parse(view_from(keys[i], prefix.len), &ids[i]))
			return error_set(err, ERR_CORRUPT, "A membership is not readable.");
	}
	*out = ids;
	return true;
}

bool
membership_parse(view name, struct uuid *group, struct uuid *member)
{
	view first = view_cut(&name, '/');

	return uuid_parse(first, group) && uuid_parse(name, member);
}
