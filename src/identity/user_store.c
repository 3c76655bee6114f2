#include "identity/user_store.h"

#include "base/clock.h"
#include "base/pack.h"

#define FORMAT 1
#define FLAG_ENABLED 1
#define FLAG_ADMINISTRATOR 2
#define FLAG_MUST_CHANGE 4

static bool
user_path(struct tx *tx, const struct uuid *tenant, const struct uuid *object, view *out,
    struct error *err)
{
	return arena_print(tx->arena, out, "t/%s/user/%s", tenant->text, object->text) ||
	    error_memory(err);
}

/* Sign-in names are the same in any case. */
static bool
upn_path(struct tx *tx, const struct uuid *tenant, view upn, view *out, struct error *err)
{
	char lower[UPN_MAX];

	for (size_t i = 0; i < upn.len && i < UPN_MAX; i++)
		lower[i] = ascii_lower(upn.ptr[i]);
	return arena_print(tx->arena, out, "t/%s/upn/%.*s", tenant->text,
		   (int)(upn.len < UPN_MAX ? upn.len : UPN_MAX), lower) ||
	    error_memory(err);
}

static void
user_pack(const struct user *from, struct buf *out)
{
	unsigned flags = 0;

	flags |= from->enabled ? FLAG_ENABLED : 0;
	flags |= from->administrator ? FLAG_ADMINISTRATOR : 0;
	flags |= from->must_change ? FLAG_MUST_CHANGE : 0;
	pack_u8(out, FORMAT);
	pack_bytes(out, uuid_view(&from->tenant));
	pack_bytes(out, uuid_view(&from->object));
	pack_u8(out, (uint8_t)flags);
	pack_bytes(out, from->upn);
	pack_bytes(out, from->name);
	pack_bytes(out, from->mail);
	pack_bytes(out, from->given);
	pack_bytes(out, from->family);
	pack_bytes(out, from->password_hash);
	pack_i64(out, from->created);
	pack_i64(out, from->sessions_started);
}

static bool
user_unpack(view document, struct user *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT;
	unsigned flags;

	*out = (struct user){ .enabled = false };
	fine &= uuid_parse(unpack_bytes(&in), &out->tenant);
	fine &= uuid_parse(unpack_bytes(&in), &out->object);
	flags = unpack_u8(&in);
	out->enabled = (flags & FLAG_ENABLED) != 0;
	out->administrator = (flags & FLAG_ADMINISTRATOR) != 0;
	out->must_change = (flags & FLAG_MUST_CHANGE) != 0;
	out->upn = unpack_bytes(&in);
	out->name = unpack_bytes(&in);
	out->mail = unpack_bytes(&in);
	out->given = unpack_bytes(&in);
	out->family = unpack_bytes(&in);
	out->password_hash = unpack_bytes(&in);
	out->created = unpack_i64(&in);
	out->sessions_started = unpack_i64(&in);
	return (fine && unpack_end(&in)) ||
	    error_set(err, ERR_CORRUPT, "A user's document is not readable.");
}

static bool
read_user(struct tx *tx, const struct uuid *tenant, const struct uuid *object, enum store_use use,
    struct plain **document, struct user *out, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	view path;

	if (!user_path(tx, tenant, object, &path, err) ||
	    !directory_read(tx, path, use, &plain, err))
		return false;
	if (plain == NULL)
		return object_not_found(err, uuid_view(object));
	if (!user_unpack(plain_view(plain), out, err))
		return false;
	*document = plain;
	plain = NULL;
	return true;
}

bool
user_get(struct tx *tx, const struct uuid *object, enum store_use use, struct plain **document,
    struct user *out, struct error *err)
{
	struct oid found;

	if (!oid_get(tx, uuid_view(object), STORE_READ, &found, err))
		return false;
	if (found.kind != OBJECT_USER)
		return object_not_found(err, uuid_view(object));
	return read_user(tx, &found.tenant, object, use, document, out, err);
}

bool
user_by_upn(struct tx *tx, const struct uuid *tenant, view upn, enum store_use use,
    struct plain **document, struct user *out, struct error *err)
{
	AUTO(plain_done) struct plain *found = NULL;
	struct unpack in;
	struct uuid object;
	view path;

	if (upn.len == 0 || upn.len > UPN_MAX)
		return object_not_found(err, upn);
	if (!upn_path(tx, tenant, upn, &path, err) ||
	    !directory_read(tx, path, STORE_READ, &found, err))
		return false;
	if (found == NULL)
		return error_set(err, ERR_GRAPH_NOT_FOUND,
		    "Resource '%.*s' does not exist or one of its queried reference-property "
		    "objects are not present.",
		    VIEW_ARG(upn));
	in = unpack_of(plain_view(found));
	if (unpack_u8(&in) != FORMAT || !uuid_parse(unpack_bytes(&in), &object) || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "A sign-in name's document is not readable.");
	return read_user(tx, tenant, &object, use, document, out, err);
}

static bool
write_user(struct tx *tx, const struct user *user, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	if (!user_path(tx, &user->tenant, &user->object, &path, err))
		return false;
	user_pack(user, &document);
	return tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

static bool
take_name(struct tx *tx, const struct user *user, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	AUTO(plain_done) struct plain *before = NULL;
	view path;

	if (!upn_path(tx, &user->tenant, user->upn, &path, err) ||
	    !directory_read(tx, path, STORE_CHANGE, &before, err))
		return false;
	if (before != NULL)
		return object_taken(err, "userPrincipalName");
	pack_u8(&document, FORMAT);
	pack_bytes(&document, uuid_view(&user->object));
	return tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

static bool
leave_name(struct tx *tx, const struct user *user, struct error *err)
{
	view path;

	return upn_path(tx, &user->tenant, user->upn, &path, err) && tx_delete(tx, path, err);
}

static struct oid
object_of(const struct user *user)
{
	return (struct oid){
		.kind = OBJECT_USER,
		.tenant = user->tenant,
		.id = user->object,
		.disabled = !user->enabled,
	};
}

bool
user_add(struct tx *tx, const struct user *user, struct error *err)
{
	const struct oid object = object_of(user);

	return take_name(tx, user, err) && oid_add(tx, &user->object, &object, err) &&
	    write_user(tx, user, err);
}

bool
user_put(struct tx *tx, const struct user *before, const struct user *user, struct error *err)
{
	const struct oid object = object_of(user);

	if (!view_ieq(before->upn, user->upn) &&
	    (!leave_name(tx, before, err) || !take_name(tx, user, err)))
		return false;
	if (before->enabled != user->enabled && !oid_put(tx, &user->object, &object, err))
		return false;
	return write_user(tx, user, err);
}

bool
user_delete(struct tx *tx, const struct user *user, struct error *err)
{
	view path;

	return user_path(tx, &user->tenant, &user->object, &path, err) &&
	    tx_delete(tx, path, err) && leave_name(tx, user, err) &&
	    oid_delete(tx, &user->object, err);
}

struct walk {
	user_visit *visit;
	void *ctx;
};

static bool
visit_document(void *ctx, view document, bool *more, struct error *err)
{
	const struct walk *walk = ctx;
	struct user user;

	if (!user_unpack(document, &user, err))
		return false;
	*more = walk->visit(walk->ctx, &user);
	return true;
}

bool
user_walk(struct tx *tx, const struct uuid *tenant, view after, size_t limit, user_visit *visit,
    void *ctx, bool *end, struct error *err)
{
	static const struct uuid none;
	struct walk walk = { visit, ctx };
	view prefix;

	return user_path(tx, tenant, &none, &prefix, err) &&
	    directory_walk(tx, prefix, after, limit, visit_document, &walk, end, err);
}

void
user_end_sessions(struct user *user)
{
	int64_t now = clock_wall();

	/* Refresh tokens remember which value it had: it has to be another each time. */
	user->sessions_started = now > user->sessions_started ? now : user->sessions_started + 1;
}
