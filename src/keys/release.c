#include "keys/release.h"

static bool
refused(struct error *err, const char *text)
{
	return error_set(err, ERR_BAD_PARAMETER, "%s", text);
}

static bool
may_be_exportable(const struct request *r, const struct key *key, struct error *err)
{
	if (!r->vault->premium || r->version->rank < VERSION_7_3)
		return refused(err,
		    "AKV.SKR.1001: The exportable attribute is only supported with premium vaults and "
		    "API version >= '7.3-preview'.");
	if (key->material.spec.exchange)
		return refused(err, "A key exchange key can't be exportable.");
	return key->material.spec.hsm ||
	    refused(err, "AKV.SKR.1006: Exportable keys must be in an HSM.");
}

static bool
policy_of(const struct key *key, struct release_policy *out, struct error *err)
{
	*out = (struct release_policy){ .type = V(""), .data = V("") };
	return key->release_policy.len == 0 || release_policy_unpack(key->release_policy, out) ||
	    error_set(err, ERR_CORRUPT, "a key's release policy can't be read");
}

static bool
policy_put(struct request *r, const struct release_policy *policy, struct key *key,
    struct error *err)
{
	AUTO(buf_free) struct buf packed = { 0 };

	release_policy_pack(policy, &packed);
	return (buf_ok(&packed) && arena_copy(r->arena, buf_view(&packed), &key->release_policy)) ||
	    error_memory(err);
}

/* ${key} has the policy from before. */
static bool
apply_policy(struct request *r, const struct release_policy_body *body, struct key *key,
    struct error *err)
{
	struct release_policy before, policy;

	if (!release_policy_sent(body))
		return true;
	return policy_of(key, &before, err) &&
	    release_policy_fill(body, &before, r->arena, &policy, err) &&
	    policy_put(r, &policy, key, err);
}

static bool
apply(struct request *r, const struct key_common_body *body, struct key *key, struct error *err)
{
	if (!key->exportable)
		return !release_policy_sent(&body->release_policy) ||
		    refused(err, "AKV.SKR.1005: Non-exportable keys must not have release policy.");
	if (!may_be_exportable(r, key, err) || !apply_policy(r, &body->release_policy, key, err))
		return false;
	return key->release_policy.len > 0 ||
	    refused(err, "AKV.SKR.1004: Exportable keys must have release policy.");
}

/* What the latest version of the key is, when there is one; its policy lies in the arena then. */
static bool
latest_of(struct request *r, view name, enum intent intent, struct key *out, bool *found,
    struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };

	if (!object_read(r, &key_type, OBJECT_LIVE, name, intent, &object, found, err))
		return false;
	return !*found ||
	    (object_require(r, &key_type, name, V(""), intent, &object, &version, err) &&
		key_of(r, &object, &version, out, err) && key_keep(r, out, err));
}

bool
release_settle(struct request *r, view name, const struct key_common_body *body, enum intent intent,
    struct key *key, struct error *err)
{
	struct key before = { .release_policy = V("") };
	bool found;

	if (!latest_of(r, name, intent, &before, &found, err))
		return false;
	key->exportable = body->exportable.given ? body->exportable.value : before.exportable;
	if (found && key->exportable != before.exportable)
		return refused(err,
		    "AKV.SKR.1003: The exportable attribute of a key cannot be changed.");
	key->release_policy = before.release_policy;
	return apply(r, body, key, err);
}

bool
release_amend(struct request *r, const struct key_common_body *body, struct key *key,
    struct error *err)
{
	if (body->exportable.given && body->exportable.value != key->exportable)
		return refused(err, "AKV.SKR.1014: Cannot modify the exportable state of a key.");
	if (!release_policy_sent(&body->release_policy))
		return true;
	if (object_version_param(r).len > 0)
		return refused(err,
		    "AKV.SKR.1016: Key Release Policy can only be set on versionless key.");
	return apply(r, body, key, err);
}

bool
release_inherit(const struct version *before, struct key *key, struct error *err)
{
	struct key latest;

	if (!key_unpack(before->content, &latest))
		return error_set(err, ERR_CORRUPT, "a key's content can't be read");
	key->exportable = latest.exportable;
	key->release_policy = latest.release_policy;
	return true;
}

bool
release_show(struct request *r, const struct object *object, struct version *version,
    struct error *err)
{
	AUTO(object_done) struct object again = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	view shown = r->object_id;
	struct key key;

	if (!key_unpack(version->content, &key) || !key.exportable ||
	    view_eq(version->id, object->latest))
		return true;
	if (!object_require(r, &key_type, object->name, V(""), TO_READ, &again, &latest, err))
		return false;
	r->object_id = shown;
	return release_inherit(&latest, &key, err) && key_put(r, &key, version, err);
}
