#include "keys/rotation.h"

#include "base/pack.h"
#include "keys/key.h"

#define FORMAT 1

void
rotation_done(struct rotation *rotation)
{
	plain_free(rotation->document);
	rotation->document = NULL;
}

static bool
path_of(struct request *r, const struct object *object, view *out, struct error *err)
{
	return object_policy_path(r->arena, uuid_view(&r->vault->id), key_type.letter,
	    view_of(object->id), out, err);
}

static bool
decode(struct plain *document, struct rotation *out, struct error *err)
{
	struct unpack in = unpack_of(plain_view(document));
	struct rotation rotation = { .document = document };
	bool fine = unpack_u8(&in) == FORMAT;
	view policy;

	rotation.due.rotate = unpack_i64(&in);
	rotation.due.notify = unpack_i64(&in);
	rotation.announced = unpack_bytes(&in);
	rotation.announced_exp = unpack_i64(&in);
	policy = unpack_bytes(&in);
	if (!fine || !unpack_end(&in) || !rotation_policy_unpack(policy, &rotation.policy))
		return error_set(err, ERR_CORRUPT, "a key's rotation policy can't be read");
	*out = rotation;
	return true;
}

bool
rotation_read(struct request *r, const struct object *object, enum intent intent,
    struct rotation *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	view path;

	if (!path_of(r, object, &path, err) ||
	    !(intent == TO_CHANGE ? tx_take : tx_get)(&r->tx, r->vault->key, path, &document, err))
		return false;
	if (document == NULL) {
		*out = (struct rotation){ 0 };
		rotation_policy_default(&out->policy);
		return true;
	}
	if (!decode(document, out, err))
		return false;
	document = NULL;
	return true;
}

static bool
pack_policy(const struct rotation *rotation, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf policy = { 0 };

	rotation_policy_pack(&rotation->policy, &policy);
	pack_bytes(out, buf_view(&policy));
	return buf_ok(&policy) || error_memory(err);
}

/* That every key has the usual policy is not worth a document. */
static bool
is_worth_keeping(const struct rotation *rotation, const struct rotation_next *next)
{
	return rotation->policy.created != 0 || next->rotate != 0 || next->notify != 0 ||
	    rotation->announced.len > 0;
}

static bool
put(struct request *r, const struct object *object, const struct rotation *rotation,
    const struct rotation_next *next, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	if (!path_of(r, object, &path, err))
		return false;
	if (!is_worth_keeping(rotation, next))
		return rotation->document == NULL || tx_delete(&r->tx, path, err);
	pack_u8(&document, FORMAT);
	pack_i64(&document, next->rotate);
	pack_i64(&document, next->notify);
	pack_bytes(&document, rotation->announced);
	pack_i64(&document, rotation->announced_exp);
	return pack_policy(rotation, &document, err) &&
	    tx_put(&r->tx, r->vault->key, path, &document, err);
}

static bool
move(struct request *r, const struct object *object, enum due_kind kind, int64_t from, int64_t to,
    struct error *err)
{
	const struct due before = due_of(r, &key_type, object, kind, from);
	const struct due after = due_of(r, &key_type, object, kind, to);

	if (from == to)
		return true;
	return (from == 0 || due_delete(&r->tx, &before, err)) &&
	    (to == 0 || due_put(&r->tx, &after, err));
}

bool
rotation_write(struct request *r, const struct object *object, const struct rotation *rotation,
    const struct rotation_next *next, struct error *err)
{
	const struct rotation_next *due = &rotation->due;

	return move(r, object, DUE_ROTATE, due->rotate, next->rotate, err) &&
	    move(r, object, DUE_NOTIFY, due->notify, next->notify, err) &&
	    put(r, object, rotation, next, err);
}

static bool
was_announced(const struct rotation *rotation, const struct version *version)
{
	return view_eq(rotation->announced, version->id) &&
	    rotation->announced_exp == version->attributes.exp;
}

void
rotation_schedule(const struct rotation *rotation, const struct version *latest,
    struct rotation_next *out)
{
	*out = (struct rotation_next){ 0 };
	if (latest == NULL)
		return;
	rotation_policy_next(&rotation->policy, &latest->attributes, out);
	if (!latest->attributes.enabled)
		out->rotate = 0;
	if (was_announced(rotation, latest))
		out->notify = 0;
}

bool
rotation_changed(struct request *r, const struct object *object, const struct version *latest,
    struct error *err)
{
	AUTO(rotation_done) struct rotation rotation = { 0 };
	struct rotation_next next;

	if (!rotation_read(r, object, TO_CHANGE, &rotation, err))
		return false;
	rotation_schedule(&rotation, latest, &next);
	if (next.rotate == rotation.due.rotate && next.notify == rotation.due.notify)
		return true;
	return rotation_write(r, object, &rotation, &next, err);
}

bool
rotation_pack(struct request *r, const struct object *object, struct buf *out, struct error *err)
{
	AUTO(rotation_done) struct rotation rotation = { 0 };

	if (!rotation_read(r, object, TO_READ, &rotation, err))
		return false;
	if (rotation.policy.created != 0)
		rotation_policy_pack(&rotation.policy, out);
	return true;
}

/* The object is a new one, whose id nobody knows: there is no document yet. */
bool
rotation_restore(struct request *r, const struct object *object, view policy,
    const struct version *latest, struct error *err)
{
	struct rotation rotation = { 0 };
	struct rotation_next next;

	rotation_policy_default(&rotation.policy);
	if (policy.len > 0 && !rotation_policy_unpack(policy, &rotation.policy))
		return error_set(err, ERR_CORRUPT, "a key's rotation policy can't be read");
	rotation_schedule(&rotation, latest, &next);
	return rotation_write(r, object, &rotation, &next, err);
}
