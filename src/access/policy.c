#include "access/policy.h"

#include "identity/principal.h"

#include <string.h>

#define NAMES_MAX 24

/* The permissions of one collection, in the original's order: a name's place is its bit. */
static const struct collection {
	const char *name;
	size_t body, set; /* in struct policy_body, in struct access_policy */
	const char *names[NAMES_MAX];
} collections[] = {
	{ "keys", offsetof(struct policy_body, keys), offsetof(struct access_policy, keys),
	    { "get", "list", "update", "create", "import", "delete", "recover", "backup", "restore",
		"decrypt", "encrypt", "unwrapKey", "wrapKey", "verify", "sign", "purge", "release",
		"rotate", "getrotationpolicy", "setrotationpolicy", "all" } },
	{ "secrets", offsetof(struct policy_body, secrets), offsetof(struct access_policy, secrets),
	    { "get", "list", "set", "delete", "recover", "backup", "restore", "purge", "all" } },
	{ "certificates", offsetof(struct policy_body, certificates),
	    offsetof(struct access_policy, certificates),
	    { "get", "list", "update", "create", "import", "delete", "recover", "backup", "restore",
		"managecontacts", "manageissuers", "getissuers", "listissuers", "setissuers",
		"deleteissuers", "purge", "all" } },
	{ "storage", offsetof(struct policy_body, storage), offsetof(struct access_policy, storage),
	    { "get", "list", "delete", "set", "update", "regeneratekey", "recover", "purge",
		"backup", "restore", "setsas", "listsas", "getsas", "deletesas", "all" } },
};

/* clang-format off */

#define TEXT(text, member) { .name = text, .kind = FIELD_TEXT, .max = 64, \
	    .offset = offsetof(struct policy_body, member)
#define SET(text, member) { .name = text, .kind = FIELD_TEXTS, .max = 64, .size = 32, \
	    .offset = offsetof(struct policy_body, member) }

static const struct field permissions[] = {
	SET("keys", keys),
	SET("secrets", secrets),
	SET("certificates", certificates),
	SET("storage", storage),
	{ 0 },
};

const struct field policy_fields[] = {
	TEXT("tenantId", tenant), .required = true },
	TEXT("objectId", object), .required = true },
	TEXT("applicationId", application) },
	{ .name = "permissions", .kind = FIELD_OBJECT, .required = true, .fields = permissions },
	{ 0 },
};

const size_t policy_body_size = sizeof(struct policy_body);

/* What each data action needs; some can be had by one of two permissions. */
static const struct need {
	const char *action, *collection, *permission, *or;
} needs[] = {
	{ "secrets/getSecret/action", "secrets", "get", NULL },
	{ "secrets/readMetadata/action", "secrets", "list", NULL },
	{ "secrets/setSecret/action", "secrets", "set", NULL },
	{ "secrets/update/action", "secrets", "set", NULL },
	{ "secrets/delete", "secrets", "delete", NULL },
	{ "secrets/backup/action", "secrets", "backup", NULL },
	{ "secrets/restore/action", "secrets", "restore", NULL },
	{ "secrets/recover/action", "secrets", "recover", NULL },
	{ "secrets/purge/action", "secrets", "purge", NULL },
	{ "keys/read", "keys", "get", NULL },
	{ "keys/update/action", "keys", "update", NULL },
	{ "keys/create/action", "keys", "create", NULL },
	{ "keys/import/action", "keys", "import", NULL },
	{ "keys/delete", "keys", "delete", NULL },
	{ "keys/recover/action", "keys", "recover", NULL },
	{ "keys/backup/action", "keys", "backup", NULL },
	{ "keys/restore/action", "keys", "restore", NULL },
	{ "keys/purge/action", "keys", "purge", NULL },
	{ "keys/encrypt/action", "keys", "encrypt", NULL },
	{ "keys/decrypt/action", "keys", "decrypt", NULL },
	{ "keys/wrap/action", "keys", "wrapKey", NULL },
	{ "keys/unwrap/action", "keys", "unwrapKey", NULL },
	{ "keys/sign/action", "keys", "sign", NULL },
	{ "keys/verify/action", "keys", "verify", NULL },
	{ "keys/release/action", "keys", "release", NULL },
	{ "keys/rotate/action", "keys", "rotate", NULL },
	{ "keys/rng/action", "keys", "get", NULL },
	{ "keyrotationpolicies/read", "keys", "getrotationpolicy", NULL },
	{ "keyrotationpolicies/write", "keys", "setrotationpolicy", NULL },
	{ "certificates/read", "certificates", "get", NULL },
	{ "certificates/update/action", "certificates", "update", NULL },
	{ "certificates/create/action", "certificates", "create", NULL },
	{ "certificates/import/action", "certificates", "import", NULL },
	{ "certificates/delete", "certificates", "delete", NULL },
	{ "certificates/recover/action", "certificates", "recover", NULL },
	{ "certificates/backup/action", "certificates", "backup", NULL },
	{ "certificates/restore/action", "certificates", "restore", NULL },
	{ "certificates/purge/action", "certificates", "purge", NULL },
	{ "certificatecas/read", "certificates", "getissuers", "manageissuers" },
	{ "certificatecas/write", "certificates", "setissuers", "manageissuers" },
	{ "certificatecas/delete", "certificates", "deleteissuers", "manageissuers" },
	{ "certificatecontacts/write", "certificates", "managecontacts", NULL },
};

/* clang-format on */

static const struct collection *
collection_find(view name)
{
	for (size_t i = 0; i < COUNT_OF(collections); i++) {
		if (view_ieq(name, view_of(collections[i].name)))
			return &collections[i];
	}
	return NULL;
}

/* The bit of a permission; 0 when there is none of that name. */
static uint32_t
bit_of(const struct collection *collection, view name)
{
	for (size_t i = 0; i < NAMES_MAX && collection->names[i] != NULL; i++) {
		if (view_ieq(name, view_of(collection->names[i])))
			return (uint32_t)1 << i;
	}
	return 0;
}

static uint32_t *
set_of(struct access_policy *policy, const struct collection *collection)
{
	return (void *)((char *)policy + collection->set);
}

static uint32_t
bits_in(const struct access_policy *policy, const struct collection *collection)
{
	return *(const uint32_t *)(const void *)((const char *)policy + collection->set);
}

static bool
read_set(const struct policy_body *body, const struct collection *collection, uint32_t *out,
    struct error *err)
{
	const struct body_texts *texts = (const void *)((const char *)body + collection->body);

	*out = 0;
	for (size_t i = 0; i < texts->count; i++) {
		uint32_t bit = bit_of(collection, texts->texts[i]);

		if (bit == 0)
			return error_set(err, ERR_BAD_REQUEST,
			    "'%.*s' is not one of the permissions to %s.",
			    VIEW_ARG(texts->texts[i]), collection->name);
		*out |= bit;
	}
	return true;
}

static bool
read_id(const struct body_text *text, const char *name, struct uuid *out, struct error *err)
{
	return uuid_parse(text->text, out) ||
	    error_set(err, ERR_BAD_REQUEST,
		"The value '%.*s' of %s in an access policy is not a GUID.", VIEW_ARG(text->text),
		name);
}

bool
policy_read(const struct policy_body *body, struct access_policy *out, struct error *err)
{
	struct access_policy policy = { 0 };

	if (!read_id(&body->tenant, "tenantId", &policy.tenant, err) ||
	    !read_id(&body->object, "objectId", &policy.object, err) ||
	    (body->application.text.len > 0 &&
		!read_id(&body->application, "applicationId", &policy.application, err)))
		return false;
	for (size_t i = 0; i < COUNT_OF(collections); i++) {
		if (!read_set(body, &collections[i], set_of(&policy, &collections[i]), err))
			return false;
	}
	*out = policy;
	return true;
}

/* Every permission of the collection but purge, which "all" does not stand for. */
static uint32_t
spelt_out(const struct collection *collection)
{
	return bit_of(collection, V("all")) - 1 - bit_of(collection, V("purge"));
}

bool
policy_subtract(struct access_policy *policy, const struct access_policy *other)
{
	bool left = false;

	for (size_t i = 0; i < COUNT_OF(collections); i++) {
		const struct collection *collection = &collections[i];
		uint32_t all = bit_of(collection, V("all")), taken = bits_in(other, collection);
		uint32_t *set = set_of(policy, collection);

		if ((taken & all) != 0)
			*set = 0;
		else if (taken != 0 && (*set & all) != 0)
			*set = (*set | spelt_out(collection)) & ~all;
		*set &= ~taken;
		left = left || *set != 0;
	}
	return left;
}

static void
write_set(struct json *json, const struct access_policy *policy,
    const struct collection *collection)
{
	uint32_t bits = bits_in(policy, collection);

	json_open_in(json, collection->name, '[');
	for (size_t i = 0; i < NAMES_MAX && collection->names[i] != NULL; i++) {
		if ((bits >> i & 1) != 0)
			json_text(json, NULL, view_of(collection->names[i]));
	}
	json_close(json, ']');
}

void
policy_write(struct json *json, const struct access_policy *policy)
{
	json_open(json, '{');
	json_text(json, "tenantId", uuid_view(&policy->tenant));
	json_text(json, "objectId", uuid_view(&policy->object));
	if (policy->application.text[0] != '\0')
		json_text(json, "applicationId", uuid_view(&policy->application));
	json_open_in(json, "permissions", '{');
	for (size_t i = 0; i < COUNT_OF(collections); i++) {
		/* A retired feature: shown only where it was given. */
		if (strcmp(collections[i].name, "storage") != 0 || policy->storage != 0)
			write_set(json, policy, &collections[i]);
	}
	json_close(json, '}');
	json_close(json, '}');
}

static view
id_view(const struct uuid *id)
{
	return id->text[0] == '\0' ? V("") : uuid_view(id);
}

void
policy_pack(const struct access_policy *policy, struct buf *out)
{
	pack_bytes(out, uuid_view(&policy->tenant));
	pack_bytes(out, uuid_view(&policy->object));
	pack_bytes(out, id_view(&policy->application));
	pack_u32(out, policy->keys);
	pack_u32(out, policy->secrets);
	pack_u32(out, policy->certificates);
	pack_u32(out, policy->storage);
}

bool
policy_unpack(struct unpack *in, struct access_policy *out)
{
	view application;

	*out = (struct access_policy){ 0 };
	if (!uuid_parse(unpack_bytes(in), &out->tenant) ||
	    !uuid_parse(unpack_bytes(in), &out->object))
		return false;
	application = unpack_bytes(in);
	if (application.len > 0 && !uuid_parse(application, &out->application))
		return false;
	out->keys = unpack_u32(in);
	out->secrets = unpack_u32(in);
	out->certificates = unpack_u32(in);
	out->storage = unpack_u32(in);
	return !in->failed;
}

static const struct need *
need_of(view action)
{
	for (size_t i = 0; i < COUNT_OF(needs); i++) {
		if (view_ieq(action, view_of(needs[i].action)))
			return &needs[i];
	}
	return NULL;
}

bool
policy_need(view action, view permission, view *collection, view *name)
{
	const struct need *need = need_of(action);

	if (need == NULL)
		return false;
	*collection = view_of(need->collection);
	*name = permission.len > 0 ? permission : view_of(need->permission);
	return bit_of(collection_find(*collection), *name) != 0;
}

/* Which bits allow it, any of them: "all" stands for everything but purge. */
static uint32_t
bits_for(const struct need *need, view permission)
{
	const struct collection *collection = collection_find(view_of(need->collection));
	view name = permission.len > 0 ? permission : view_of(need->permission);
	uint32_t bits = bit_of(collection, name);

	if (bits == 0)
		return 0;
	if (need->or != NULL)
		bits |= bit_of(collection, view_of(need->or));
	return view_ieq(name, V("purge")) ? bits : bits | bit_of(collection, V("all"));
}

static bool
is_for(const struct access_policy *policy, const struct caller *caller,
    const struct memberships *who)
{
	if (!view_eq(uuid_view(&policy->tenant), uuid_view(&caller->tenant)))
		return false;
	if (policy->application.text[0] != '\0' &&
	    !view_eq(uuid_view(&policy->application), uuid_view(&caller->application)))
		return false;
	for (size_t i = 0; i < who->count; i++) {
		if (view_eq(uuid_view(&policy->object), uuid_view(&who->ids[i])))
			return true;
	}
	return false;
}

bool
policies_allow(const struct access_policy *policies, size_t count, struct directory *directory,
    const struct caller *caller, view action, view permission)
{
	const struct need *need = need_of(action);
	struct memberships who;
	uint32_t bits;

	if (need == NULL || count == 0)
		return false;
	bits = bits_for(need, permission);
	directory_memberships(directory, &caller->object, &who);
	/* Nothing is ever taken away here: those that are known decide. */
	for (size_t i = 0; i < count; i++) {
		uint32_t set = bits_in(&policies[i], collection_find(view_of(need->collection)));

		if ((set & bits) != 0 && is_for(&policies[i], caller, &who))
			return true;
	}
	return false;
}

_Static_assert(COUNT_OF(needs) <= DATA_ACTIONS_MAX, "sets of data actions are bits");

const char *
data_action_at(size_t index)
{
	return index < COUNT_OF(needs) ? needs[index].action : NULL;
}

view
data_action_collection(size_t index)
{
	return view_of(needs[index].collection);
}

/* Reading one and listing all are one action: either permission asks for it. */
bool
policy_allows_at(const struct access_policy *policy, size_t index)
{
	const struct need *need = &needs[index];
	uint32_t bits = bits_in(policy, collection_find(view_of(need->collection)));

	if ((bits & bits_for(need, V(""))) != 0)
		return true;
	if (view_ends(view_of(need->action), V("/readMetadata/action")))
		return (bits & bits_for(need, V("get"))) != 0;
	if (view_eq(view_of(need->action), V("certificatecas/read")))
		return (bits & bits_for(need, V("listissuers"))) != 0;
	return view_ends(view_of(need->action), V("/read")) &&
	    (bits & bits_for(need, V("list"))) != 0;
}
