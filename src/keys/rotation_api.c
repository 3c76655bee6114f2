/*
 * The rows of a key's rotation policy.
 */
#include "base/clock.h"
#include "keys/key.h"
#include "keys/rotation.h"

static bool
require(struct request *r, enum intent intent, struct object *key, struct version *latest,
    struct rotation *rotation, struct error *err)
{
	if (r->version->rank < VERSION_7_3)
		return error_set(err, ERR_BAD_PARAMETER,
		    "Rotation policies of keys need api-version 7.3 or later.");
	return object_require(r, &key_type, r->params[0], V(""), intent, key, latest, err) &&
	    rotation_read(r, key, intent, rotation, err);
}

static void
reply(struct request *r, const struct object *key, const struct rotation_policy *policy)
{
	(void)reply_json(r);
	rotation_policy_write(r, key, policy);
}

bool
rotation_policy_get(struct request *r, struct error *err)
{
	AUTO(object_done) struct object key = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	AUTO(rotation_done) struct rotation rotation = { 0 };

	if (!require(r, TO_READ, &key, &latest, &rotation, err))
		return false;
	reply(r, &key, &rotation.policy);
	return true;
}

bool
rotation_policy_set(struct request *r, struct error *err)
{
	AUTO(object_done) struct object key = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	AUTO(rotation_done) struct rotation rotation = { 0 };
	struct rotation_policy policy;
	struct rotation_next next;

	if (!require(r, TO_CHANGE, &key, &latest, &rotation, err) ||
	    !object_refuse_managed(&key_type, &key, "setrotationpolicy", err) ||
	    !rotation_policy_fill(r->body, &policy, err))
		return false;
	policy.updated = clock_now();
	policy.created = rotation.policy.created != 0 ? rotation.policy.created : policy.updated;
	rotation.policy = policy;
	rotation_schedule(&rotation, &latest, &next);
	if (!rotation_write(r, &key, &rotation, &next, err))
		return false;
	reply(r, &key, &policy);
	return true;
}
