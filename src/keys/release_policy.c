#include "keys/release_policy.h"

#include "base/base64.h"
#include "base/json_tree.h"
#include "base/pack.h"
#include "identity/attestation.h"
#include "identity/jwks.h"

#define FORMAT 1
#define USUAL_TYPE V("application/json; charset=utf-8")

/* clang-format off */

const struct field release_policy_fields[] = {
	{ .name = "contentType", .kind = FIELD_TEXT, .max = RELEASE_TYPE_MAX,
	  .offset = offsetof(struct release_policy_body, type) },
	{ .name = "data", .kind = FIELD_TEXT, .max = RELEASE_DATA_MAX * 2,
	  .offset = offsetof(struct release_policy_body, data) },
	{ .name = "immutable", .kind = FIELD_FLAG,
	  .offset = offsetof(struct release_policy_body, immutable) },
	{ 0 },
};

/* clang-format on */

bool
release_policy_sent(const struct release_policy_body *body)
{
	return body->type.given || body->data.given || body->immutable.given;
}

static bool
invalid(struct error *err, const char *why)
{
	return error_set(err, ERR_BAD_PARAMETER, "Invalid key release policy: %s.", why);
}

/* The conditions of an object that has a list of them; NULL when it has none, or two. */
static const json_t *
list_of(const json_t *object, bool *all)
{
	const json_t *all_of = json_object_get(object, "allOf");
	const json_t *any_of = json_object_get(object, "anyOf");

	if ((all_of == NULL) == (any_of == NULL))
		return NULL;
	*all = all_of != NULL;
	return *all ? all_of : any_of;
}

/* What a claim has to be; NULL when it is not said in either way, or something else is. */
static const json_t *
value_of(const json_t *condition)
{
	const json_t *value = json_object_get(condition, "equals");

	if (json_tree_member(condition, "claim").len == 0)
		return NULL;
	if (value != NULL)
		return json_object_size(condition) == 2 ? value : NULL;
	return json_object_size(condition) == 3 &&
		view_eq(json_tree_member(condition, "condition"), V("equals"))
	    ? json_object_get(condition, "value")
	    : NULL;
}

/* Checking */

static bool
check_value(const json_t *condition, struct error *err)
{
	const json_t *value = value_of(condition);

	if (value == NULL)
		return invalid(err, "a condition is a claim and what it equals, or a list of them");
	return json_is_string(value) || json_is_number(value) || json_is_boolean(value) ||
	    invalid(err, "a claim equals a text, a number, true or false");
}

static bool check_list(const json_t *list, unsigned depth, unsigned *left, struct error *err);

static bool
check_condition(const json_t *condition, unsigned depth, unsigned *left, struct error *err)
{
	const json_t *list;
	bool all;

	if (*left == 0)
		return invalid(err, "it has too many conditions");
	--*left;
	list = list_of(condition, &all);
	if (list == NULL)
		return check_value(condition, err);
	if (json_object_size(condition) != 1)
		return invalid(err, "a list of conditions has nothing beside it");
	return check_list(list, depth + 1, left, err);
}

/* An empty list of which all must hold would hold for everybody. */
static bool
check_list(const json_t *list, unsigned depth, unsigned *left, struct error *err)
{
	if (depth > RELEASE_DEPTH_MAX)
		return invalid(err, "its conditions are nested too deep");
	if (!json_is_array(list) || json_array_size(list) == 0)
		return invalid(err, "allOf and anyOf are lists of at least one condition");
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!check_condition(json_array_get(list, i), depth, left, err))
			return false;
	}
	return true;
}

static bool
check_authority(const json_t *authority, unsigned *left, struct error *err)
{
	const json_t *list;
	bool all;

	if (!issuer_url_good(json_tree_member(authority, "authority")))
		return invalid(err, "an authority is an https URL");
	list = list_of(authority, &all);
	if (list == NULL || json_object_size(authority) != 2)
		return invalid(err, "an authority has either allOf or anyOf");
	return check_list(list, 1, left, err);
}

/* The versions that clients write: they mean the same. */
static bool
check_version(const json_t *tree, struct error *err)
{
	view version = json_tree_member(tree, "version");

	if (json_object_size(tree) == 1)
		return true;
	return (json_object_size(tree) == 2 &&
		   (view_eq(version, V("1.0.0")) || view_eq(version, V("1.0")))) ||
	    invalid(err, "it has a version, 1.0.0, and anyOf");
}

static bool
check(view data, struct error *err)
{
	AUTO(json_tree_done) json_t *tree = NULL;
	unsigned left = RELEASE_CONDITIONS_MAX;
	const json_t *authorities;

	if (!json_tree_read(data, JSON_REJECT_DUPLICATES, &tree, err))
		return false;
	authorities = json_object_get(tree, "anyOf");
	if (!json_is_array(authorities) || json_array_size(authorities) == 0)
		return invalid(err, "it is not a JSON object with anyOf, a list of authorities");
	if (!check_version(tree, err))
		return false;
	for (size_t i = 0; i < json_array_size(authorities); i++) {
		if (!check_authority(json_array_get(authorities, i), &left, err))
			return false;
	}
	return true;
}

static bool
decode(const struct body_text *text, struct arena *arena, view *out, struct error *err)
{
	char *bytes = arena_alloc(arena, text->text.len + 1);
	size_t len;

	if (bytes == NULL)
		return error_memory(err);
	if (!base64_decode(BASE64URL, text->text, bytes, &len))
		return invalid(err, "its data are not base64url");
	if (len > RELEASE_DATA_MAX)
		return invalid(err, "it is too long");
	*out = (view){ bytes, len };
	return check(*out, err);
}

static bool
check_type(view type, struct error *err)
{
	bool fine = view_istarts(type, V("application/json"));

	for (size_t i = 0; i < type.len; i++)
		fine = fine && type.ptr[i] >= 0x20 && type.ptr[i] < 0x7f;
	return fine || invalid(err, "its contentType is not application/json");
}

static bool
same(const struct release_policy *a, const struct release_policy *b)
{
	return a->immutable == b->immutable && view_eq(a->type, b->type) &&
	    view_eq(a->data, b->data);
}

static bool
fixed(struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER,
	    "AKV.SKR.1020: Immutable Key Release Policy cannot be modified.");
}

bool
release_policy_fill(const struct release_policy_body *body, const struct release_policy *before,
    struct arena *arena, struct release_policy *out, struct error *err)
{
	struct release_policy policy = *before;

	if (policy.type.len == 0)
		policy.type = USUAL_TYPE;
	if (body->immutable.given)
		policy.immutable = body->immutable.value;
	if (body->type.given)
		policy.type = body->type.text;
	if (body->data.given && !decode(&body->data, arena, &policy.data, err))
		return before->immutable && err->code == ERR_BAD_PARAMETER ? fixed(err) : false;
	if (before->immutable && !same(before, &policy))
		return fixed(err);
	if (policy.data.len == 0)
		return invalid(err, "it has no data");
	if (!check_type(policy.type, err))
		return false;
	*out = policy;
	return true;
}

void
release_policy_pack(const struct release_policy *policy, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_u8(out, policy->immutable);
	pack_bytes(out, policy->type);
	pack_bytes(out, policy->data);
}

bool
release_policy_unpack(view document, struct release_policy *out)
{
	struct unpack in = unpack_of(document);
	struct release_policy policy = { 0 };
	bool fine = unpack_u8(&in) == FORMAT;

	policy.immutable = unpack_u8(&in) != 0;
	policy.type = unpack_bytes(&in);
	policy.data = unpack_bytes(&in);
	if (!fine || !unpack_end(&in))
		return false;
	*out = policy;
	return true;
}

void
release_policy_write(struct json *json, const struct release_policy *policy)
{
	json_open_in(json, "release_policy", '{');
	json_text(json, "contentType", policy->type);
	json_bytes(json, "data", policy->data);
	json_flag(json, "immutable", policy->immutable);
	json_close(json, '}');
}

/* Judging */

/* A name with dots leads into objects; one that is there as a whole is meant as a whole. */
static const json_t *
claim_find(const json_t *claims, view path)
{
	while (json_is_object(claims) && path.len > 0) {
		const json_t *whole = json_object_getn(claims, path.ptr, path.len);
		view label;

		if (whole != NULL)
			return whole;
		label = view_cut(&path, '.');
		claims = json_object_getn(claims, label.ptr, label.len);
	}
	return NULL;
}

/* "true" and "false", also where they are said as texts. */
static view
truth_of(const json_t *value)
{
	if (json_is_boolean(value))
		return json_is_true(value) ? V("true") : V("false");
	return json_tree_text(value);
}

static bool
equal(const json_t *wanted, const json_t *found)
{
	if (json_is_boolean(wanted) || json_is_boolean(found))
		return view_eq(truth_of(wanted), truth_of(found));
	return json_equal(wanted, found) == 1;
}

static bool holds(const json_t *condition, const json_t *claims, unsigned depth);

static bool
list_holds(const json_t *list, bool all, const json_t *claims, unsigned depth)
{
	size_t count = json_array_size(list), good = 0;

	for (size_t i = 0; i < count; i++)
		good += holds(json_array_get(list, i), claims, depth);
	return all ? good == count && count > 0 : good > 0;
}

static bool
holds(const json_t *condition, const json_t *claims, unsigned depth)
{
	const json_t *list, *wanted, *found;
	bool all;

	if (depth > RELEASE_DEPTH_MAX)
		return false;
	list = list_of(condition, &all);
	if (list != NULL)
		return list_holds(list, all, claims, depth + 1);
	wanted = value_of(condition);
	found = claim_find(claims, json_tree_member(condition, "claim"));
	return wanted != NULL && found != NULL && equal(wanted, found);
}

static bool
authority_allows(const json_t *one, view authority, const json_t *claims)
{
	const json_t *list;
	bool all;

	if (!attestation_same_authority(json_tree_member(one, "authority"), authority))
		return false;
	list = list_of(one, &all);
	return list != NULL && list_holds(list, all, claims, 1);
}

bool
release_policy_allows(view data, view authority, view claims)
{
	AUTO(json_tree_done) json_t *policy = NULL;
	AUTO(json_tree_done) json_t *said = NULL;
	const json_t *authorities;
	struct error ignored;

	if (!json_tree_read(data, JSON_REJECT_DUPLICATES, &policy, &ignored) ||
	    !json_tree_read(claims, JSON_REJECT_DUPLICATES, &said, &ignored))
		return false;
	authorities = json_object_get(policy, "anyOf");
	for (size_t i = 0; json_is_object(said) && i < json_array_size(authorities); i++) {
		if (authority_allows(json_array_get(authorities, i), authority, said))
			return true;
	}
	return false;
}
