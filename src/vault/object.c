#include "vault/object.h"

#include "base/clock.h"
#include "crypto/random.h"
#include "vault/due.h"
#include "vault/object_store.h"

#include <string.h>

#define DAY ((int64_t)86400)

static bool
bad_name(view name, struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER, "The request URI contains an invalid name: %.*s",
	    VIEW_ARG(name));
}

bool
object_name_check(view name, struct error *err)
{
	bool fine = name.len >= 1 && name.len <= OBJECT_NAME_MAX;

	for (size_t i = 0; fine && i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);

		fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
	}
	return fine || bad_name(name, err);
}

bool
object_refuse_reserved(const struct object_type *type, view name, struct error *err)
{
	for (const char *const *word = type->reserved; word != NULL && *word != NULL; word++) {
		if (view_ieq(name, view_of(*word)))
			return bad_name(name, err);
	}
	return true;
}

view
object_version_param(const struct request *r)
{
	return r->param_count > 1 ? r->params[1] : V("");
}

static bool
not_found(const struct object_type *type, view name, view version, struct error *err)
{
	return error_set(err, type->not_found,
	    "A %s with (name/id) %.*s%s%.*s was not found in this key vault. If you recently "
	    "deleted this %s you may be able to recover it using the correct recovery command. For "
	    "help resolving this issue, please see "
	    "https://go.microsoft.com/fwlink/?linkid=2125182",
	    type->noun, VIEW_ARG(name),
	    version.len == 0           ? ""
		: type->versions_named ? "/versions/"
				       : "/",
	    VIEW_ARG(version), type->noun);
}

bool
object_unknown(const struct object_type *type, view name, struct error *err)
{
	if (!type->terse)
		return not_found(type, name, V(""), err);
	return error_set(err, type->not_found, "%s not found: %.*s", type->title, VIEW_ARG(name));
}

static bool
deleted_not_found(const struct object_type *type, view name, struct error *err)
{
	return error_set(err, type->not_found, "Deleted %s not found: %.*s", type->title,
	    VIEW_ARG(name));
}

static bool
name_held(const struct object_type *type, view name, struct error *err)
{
	return error_set(err, ERR_OBJECT_DELETED,
	    "%s %.*s is currently in a deleted but recoverable state, and its name cannot be "
	    "reused; in this state, the %s can only be recovered or purged.",
	    type->title, VIEW_ARG(name), type->noun);
}

bool
object_name(struct request *r, const struct object_type *type, const struct object *object,
    view version, struct error *err)
{
	const view parts[] = { V("https://"), r->authority, V("/"), view_of(type->collection),
		V("/"), object->name, version.len > 0 ? V("/") : V(""), version };

	return arena_join(r->arena, parts, COUNT_OF(parts), &r->object_id) || error_memory(err);
}

bool
object_require(struct request *r, const struct object_type *type, view name, view version,
    enum intent intent, struct object *object, struct version *out, struct error *err)
{
	view wanted = version;
	bool found;

	if (!object_name_check(name, err) ||
	    !object_read(r, type, OBJECT_LIVE, name, intent, object, &found, err))
		return false;
	if (!found)
		return not_found(type, name, version, err);
	if (wanted.len == 0)
		wanted = object->latest;
	if (!version_read(r, type, object, wanted, intent, out, err))
		return false;
	if (out->document == NULL)
		return not_found(type, name, version, err);
	return object_name(r, type, object, out->id, err);
}

/* A new object can't have a reserved name, nor one that a deleted object holds. */
static bool
refuse_taken(struct request *r, const struct object_type *type, view name, struct error *err)
{
	AUTO(object_done) struct object deleted = { 0 };
	bool found;

	if (!object_refuse_reserved(type, name, err) ||
	    !object_read(r, type, OBJECT_DELETED, name, TO_CHANGE, &deleted, &found, err))
		return false;
	return !found || name_held(type, name, err);
}

bool
object_refuse_managed(const struct object_type *type, const struct object *object,
    const char *operation, struct error *err)
{
	return !object->managed ||
	    error_set(err, type->managed,
		"Operation \"%s\" is not allowed as this object's lifetime is managed by Key Vault.",
		operation);
}

bool
object_require_free(struct request *r, const struct object_type *type, view name, struct error *err)
{
	AUTO(object_done) struct object live = { 0 };
	bool found;

	return object_name_check(name, err) &&
	    object_read(r, type, OBJECT_LIVE, name, TO_READ, &live, &found, err) &&
	    (!found || object_refuse_managed(type, &live, "set", err)) &&
	    refuse_taken(r, type, name, err);
}

bool
object_paths(struct request *r, const struct object_type *type, const struct object *object,
    view version, view *path, view *head, struct error *err)
{
	return version_path(r, type, object, version, path, err) &&
	    head_path(r, type, OBJECT_LIVE, object->name, head, err);
}

static bool
new_text(struct arena *arena, view *out, struct error *err)
{
	char hex[HEX16_LEN + 1];

	random_version(hex);
	return arena_copy(arena, view_of(hex), out) || error_memory(err);
}

/* A name is either a certificate's or anybody's. */
static bool
check_owner(const struct object_type *type, const struct object *object, bool managing,
    struct error *err)
{
	if (!managing)
		return object_refuse_managed(type, object, "set", err);
	return object->managed ||
	    error_set(err, ERR_CONFLICT,
		"A %s named %.*s exists already, and is no certificate's: the certificate can't "
		"have its name.",
		type->noun, VIEW_ARG(object->name));
}

bool
object_require_ours(struct request *r, const struct object_type *type, view name, struct error *err)
{
	AUTO(object_done) struct object live = { 0 };
	bool found;

	return object_read(r, type, OBJECT_LIVE, name, TO_CHANGE, &live, &found, err) &&
	    (!found || check_owner(type, &live, true, err)) && refuse_taken(r, type, name, err);
}

bool
object_add_version(struct request *r, const struct object_type *type, view name,
    struct object *object, struct version *version, struct error *err)
{
	bool managing = object->managed, found;

	if (!object_read(r, type, OBJECT_LIVE, name, TO_CHANGE, object, &found, err) ||
	    (found && !check_owner(type, object, managing, err)))
		return false;
	if (!found) {
		if (!refuse_taken(r, type, name, err))
			return false;
		object->name = name;
		random_ordered(object->id);
	}
	if (version->id.len == 0 && !new_text(r->arena, &version->id, err))
		return false;
	object->latest = version->id;
	if (version->attributes.created == 0)
		version->attributes.created = clock_now();
	version->attributes.updated = version->attributes.created;
	return object_name(r, type, object, version->id, err) &&
	    object_write_version(r, type, object, version, err) && head_write(r, type, object, err);
}

static void
write_deleted(struct request *r, const struct object_type *type, const struct object *object,
    const struct version *version)
{
	struct json *json = reply_json(r);

	json_open(json, '{');
	write_id(r, "recoveryId", type->deleted, object, V(""));
	json_number(json, "deletedDate", object->deleted);
	json_number(json, "scheduledPurgeDate", object->purge);
	type->write(r, object, version);
	json_close(json, '}');
}

typedef bool change_object(struct request *r, const struct object_type *type, struct object *object,
    struct error *err);

/* The same to what lives and dies with an object. */
static bool
change_members(struct request *r, const struct object_type *type, enum object_state state,
    view name, change_object *change, struct error *err)
{
	for (size_t i = 0; type->members != NULL && type->members[i] != NULL; i++) {
		AUTO(object_done) struct object object = { 0 };
		bool found;

		if (!object_read(r, type->members[i], state, name, TO_CHANGE, &object, &found, err))
			return false;
		if (found && object.managed && !change(r, type->members[i], &object, err))
			return false;
	}
	return true;
}

static bool
policy_to_show(struct request *r, const struct object_type *type, struct object *object,
    struct error *err)
{
	return !type->shows_policy || object_read_policy(r, type, TO_READ, object, err);
}

static bool
delete_one(struct request *r, const struct object_type *type, struct object *object,
    struct error *err)
{
	view live;

	object->deleted = clock_now();
	object->purge = object->deleted + r->vault->retention_days * DAY;
	return head_path(r, type, OBJECT_LIVE, object->name, &live, err) &&
	    tx_delete(&r->tx, live, err) && head_write(r, type, object, err) &&
	    due_put_purge(r, type, object, err) && object_changed(r, type, object, NULL, err);
}

bool
object_delete(struct request *r, const struct object_type *type, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	view name = r->params[0];

	if (!object_require(r, type, name, V(""), TO_CHANGE, &object, &version, err) ||
	    !object_refuse_managed(type, &object, "delete", err) ||
	    !policy_to_show(r, type, &object, err) || !delete_one(r, type, &object, err) ||
	    !change_members(r, type, OBJECT_LIVE, name, delete_one, err))
		return false;
	write_deleted(r, type, &object, &version);
	return true;
}

/* The deleted object of that name, or the "Deleted … not found" error. */
static bool
require_deleted(struct request *r, const struct object_type *type, enum intent intent,
    struct object *object, struct error *err)
{
	view name = r->params[0];
	bool found;

	if (!object_name_check(name, err) ||
	    !object_read(r, type, OBJECT_DELETED, name, intent, object, &found, err))
		return false;
	if (!found)
		return deleted_not_found(type, name, err);
	return object_name(r, type, object, V(""), err);
}

bool
object_get_deleted(struct request *r, const struct object_type *type, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };

	if (!require_deleted(r, type, TO_READ, &object, err) ||
	    !version_latest(r, type, &object, &version, err) ||
	    !policy_to_show(r, type, &object, err))
		return false;
	/* The original: pollers take the 403 for "the deletion is through". */
	if (!version.attributes.enabled && type->disabled != ERR_NONE)
		return error_set(err, type->disabled,
		    "Operation get is not allowed on a disabled %s.", type->noun);
	write_deleted(r, type, &object, &version);
	return true;
}

/* Take a deleted object's head and its due purge away. */
static bool
take_deleted_away(struct request *r, const struct object_type *type, const struct object *object,
    struct error *err)
{
	view path;

	return head_path(r, type, OBJECT_DELETED, object->name, &path, err) &&
	    tx_delete(&r->tx, path, err) && due_delete_purge(r, type, object, err);
}

/* Recovering what is live is another error than recovering what never was. */
static bool
refuse_live(struct request *r, const struct object_type *type, struct error *err)
{
	AUTO(object_done) struct object live = { 0 };
	bool found;

	if (!object_name_check(r->params[0], err) ||
	    !object_read(r, type, OBJECT_LIVE, r->params[0], TO_CHANGE, &live, &found, err))
		return false;
	return !found ||
	    error_set(err, ERR_NOT_DELETED, "%s exists already: %.*s", type->title,
		VIEW_ARG(r->params[0]));
}

static bool
recover_one(struct request *r, const struct object_type *type, struct object *object,
    struct error *err)
{
	AUTO(version_done) struct version latest = { 0 };

	if (!version_latest(r, type, object, &latest, err) ||
	    !take_deleted_away(r, type, object, err))
		return false;
	object->deleted = object->purge = 0;
	return head_write(r, type, object, err) && object_changed(r, type, object, &latest, err);
}

bool
object_recover(struct request *r, const struct object_type *type, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	bool found;

	if (!refuse_live(r, type, err) ||
	    !object_read(r, type, OBJECT_DELETED, r->params[0], TO_CHANGE, &object, &found, err))
		return false;
	if (!found)
		return object_unknown(type, r->params[0], err);
	if (!object_refuse_managed(type, &object, "recover", err) ||
	    !version_latest(r, type, &object, &version, err) ||
	    !object_name(r, type, &object, version.id, err) ||
	    !policy_to_show(r, type, &object, err) || !recover_one(r, type, &object, err) ||
	    !change_members(r, type, OBJECT_DELETED, r->params[0], recover_one, err))
		return false;
	json_open(reply_json(r), '{');
	type->write(r, &object, &version);
	json_close(&r->json, '}');
	return true;
}

static bool
purge_one(struct request *r, const struct object_type *type, struct object *object,
    struct error *err)
{
	return take_deleted_away(r, type, object, err) &&
	    due_sweep_versions(&r->tx, uuid_view(&r->vault->id), type->letter, view_of(object->id),
		err);
}

bool
object_purge(struct request *r, const struct object_type *type, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };

	if (!require_deleted(r, type, TO_CHANGE, &object, err) ||
	    !object_refuse_managed(type, &object, "purge", err))
		return false;
	if (r->vault->purge_protection)
		return error_set(err, ERR_FORBIDDEN,
		    "Operation \"purge\" is not allowed because purge protection is enabled for "
		    "this vault. Key Vault service will automatically purge it after the retention "
		    "period has passed.\r\nVault: %.*s;location=%.*s",
		    VIEW_ARG(r->vault->name), VIEW_ARG(r->vault->location));
	r->out->status = 204;
	return purge_one(r, type, &object, err) &&
	    change_members(r, type, OBJECT_DELETED, object.name, purge_one, err);
}

void
write_id(struct request *r, const char *name, const char *collection, const struct object *object,
    view version)
{
	struct json *json = &r->json;

	json_text_open(json, name);
	json_text_part(json, V("https://"));
	json_text_part(json, r->authority);
	json_text_part(json, V("/"));
	json_text_part(json, view_of(collection));
	json_text_part(json, V("/"));
	json_text_part(json, object->name);
	if (version.len > 0) {
		json_text_part(json, V("/"));
		json_text_part(json, version);
	}
	json_text_close(json);
}

void
write_managed(struct request *r, const struct object *object)
{
	if (object->managed)
		json_flag(&r->json, "managed", true);
}
