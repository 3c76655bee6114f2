/*
 * The access policies of a vault by themselves: added to, replaced, taken away, entry by entry.
 */
#include "access/coverage.h"
#include "arm/keyvault.h"
#include "base/map.h"

struct policies_body {
	struct body_list policies;
};

/* clang-format off */

static const struct field property_fields[] = {
	{ .name = "accessPolicies", .kind = FIELD_LIST, .required = true, .max = POLICIES_MAX,
	    .fields = policy_fields, .size = sizeof(struct policy_body),
	    .offset = offsetof(struct policies_body, policies) },
	{ 0 },
};

static const struct field body_fields[] = {
	{ .name = "properties", .kind = FIELD_OBJECT, .required = true,
	    .fields = property_fields },
	{ 0 },
};

/* clang-format on */

/* Whose it is: the same text for the same principal through the same application. */
static bool
policy_who(const struct access_policy *policy, struct arena *arena, view *out, struct error *err)
{
	return arena_print(arena, out, "%s/%s/%s", policy->tenant.text, policy->object.text,
		   policy->application.text) ||
	    error_memory(err);
}

/* What becomes of one that is there; false when nothing is left of it. */
typedef bool policy_merge(struct access_policy *present, const struct access_policy *given);

static bool
merge_add(struct access_policy *present, const struct access_policy *given)
{
	present->keys |= given->keys;
	present->secrets |= given->secrets;
	present->certificates |= given->certificates;
	present->storage |= given->storage;
	return true;
}

static bool
merge_replace(struct access_policy *present, const struct access_policy *given)
{
	*present = *given;
	return true;
}

static void
map_done(struct map **map)
{
	map_free(*map);
}

static bool
check_policy(const struct shape *shape, const struct access_policy *policy, struct error *err)
{
	return view_eq(uuid_view(&policy->tenant), uuid_view(&shape->vault.tenant)) ||
	    error_set(err, ERR_BAD_REQUEST,
		"All identities in accessPolicies must use the same tenant ID as the vault's, "
		"'%s'.",
		shape->vault.tenant.text);
}

bool
shape_policies(const struct shape *shape, const struct body_list *list, struct arena *arena,
    struct access_policy **out, size_t *count, struct error *err)
{
	AUTO(map_done) struct map *seen = map_new();
	const struct policy_body *bodies = list->items;
	struct access_policy *policies = arena_alloc(arena, (list->count + 1) * sizeof(*policies));
	size_t found = 0;

	if (seen == NULL || policies == NULL)
		return error_memory(err);
	for (size_t i = 0; i < list->count; i++) {
		struct access_policy *policy = &policies[found], *before;
		view who;

		if (!policy_read(&bodies[i], policy, err) || !check_policy(shape, policy, err))
			return false;
		if (!policy_who(policy, arena, &who, err))
			return false;
		before = map_get(seen, who);
		if (before != NULL)
			(void)merge_add(before, policy);
		else if (!map_put(seen, who, policy))
			return error_memory(err);
		else
			found++;
	}
	*out = policies;
	*count = found;
	return true;
}

static const struct kind {
	view name;
	policy_merge *merge;
	bool adds; /* those that are not there yet */
} kinds[] = {
	{ V_INIT("add"), merge_add, true },
	{ V_INIT("replace"), merge_replace, true },
	{ V_INIT("remove"), policy_subtract, false },
};

static const struct kind *
kind_of(view name)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (view_ieq(name, kinds[i].name))
			return &kinds[i];
	}
	return NULL;
}

/* Those that are there, merged with what is given for them; the given ones that were used leave. */
static bool
merge_present(struct vault *vault, const struct kind *kind, struct map *given,
    struct access_policy *out, size_t *count, struct arena *arena, struct error *err)
{
	for (size_t i = 0; i < vault->policy_count; i++) {
		struct access_policy policy = vault->policies[i], *change;
		view who;

		if (!policy_who(&policy, arena, &who, err))
			return false;
		change = map_remove(given, who);
		if (change == NULL || kind->merge(&policy, change))
			out[(*count)++] = policy;
	}
	return true;
}

static bool
merge(struct shape *shape, const struct kind *kind, const struct body_list *list,
    struct arena *arena, struct error *err)
{
	AUTO(map_done) struct map *given = map_new();
	struct access_policy *changes, *out;
	size_t change_count, count = 0;

	if (!shape_policies(shape, list, arena, &changes, &change_count, err))
		return false;
	out = arena_alloc(arena, (shape->vault.policy_count + change_count + 1) * sizeof(*out));
	if (given == NULL || out == NULL)
		return error_memory(err);
	for (size_t i = 0; i < change_count; i++) {
		view who;

		if (!policy_who(&changes[i], arena, &who, err))
			return false;
		if (!map_put(given, who, &changes[i]))
			return error_memory(err);
	}
	if (!merge_present(&shape->vault, kind, given, out, &count, arena, err))
		return false;
	for (size_t i = 0; kind->adds && i < change_count; i++) {
		view who;

		if (!policy_who(&changes[i], arena, &who, err))
			return false;
		if (map_get(given, who) != NULL)
			out[count++] = changes[i];
	}
	if (count > POLICIES_MAX)
		return error_set(err, ERR_BAD_REQUEST,
		    "A vault can have %d access policies at most.", POLICIES_MAX);
	shape->vault.policies = out;
	shape->vault.policy_count = count;
	return true;
}

static void
write_reply(struct request *r, const struct resource *resource, const struct vault *vault)
{
	struct json *json = reply_json(r);

	json_open(json, '{');
	json_text_open(json, "id");
	json_text_part(json, resource->id);
	json_text_part(json, V("/accessPolicies/"));
	json_text_close(json);
	json_text(json, "type", V(KEYVAULT "/vaults/accessPolicies"));
	json_text(json, "location", resource->location);
	json_open_in(json, "properties", '{');
	json_open_in(json, "accessPolicies", '[');
	for (size_t i = 0; i < vault->policy_count; i++)
		policy_write(json, &vault->policies[i]);
	json_close(json, ']');
	json_close(json, '}');
	json_close(json, '}');
}

/* A vault that goes by role assignments keeps them, too; they are without effect there. */
static bool
run_change(struct request *r, struct error *err)
{
	const struct policies_body *body = r->body;
	const struct kind *kind = kind_of(r->params[3]);
	struct resource resource;
	struct vault vault;
	struct shape shape;

	if (kind == NULL)
		return error_set(err, ERR_BAD_REQUEST,
		    "The operation '%.*s' on access policies is not one of 'add', 'replace' and "
		    "'remove'.",
		    VIEW_ARG(r->params[3]));
	if (!vault_of(r, vault_path_less(r->path, 2), true, &resource, &vault, err) ||
	    !shape_read(&vault, &resource, r->arena, &shape, err) ||
	    !merge(&shape, kind, &body->policies, r->arena, err))
		return false;
	resource_changed_by(&resource, &r->caller, false);
	r->object_id = resource.id;
	if (!shape_print(&shape, r->arena, &resource, err) ||
	    !resource_put(&r->tx, &resource, err) || !vault_update(&r->tx, &shape.vault, err))
		return false;
	write_reply(r, &resource, &shape.vault);
	return true;
}

/* What would become of whom if role assignments decided instead. */
static bool
run_coverage(struct request *r, struct error *err)
{
	struct coverage coverage = { .access = r->services->access,
		.directory = r->services->directory };
	struct resource resource;
	struct vault vault;

	if (!vault_of(r, vault_path_less(r->path, 3), false, &resource, &vault, err))
		return false;
	coverage.tenant = vault.tenant;
	coverage.vault = vault.scope;
	coverage.policies = vault.policies;
	coverage.count = vault.policy_count;
	coverage_write(&coverage, reply_json(r));
	return true;
}

/* clang-format off */

#define ROW RESOURCE_ROW(vault_type), .guard = GUARD_SCOPE
#define VAULT RESOURCE_GROUP_PATH KEYVAULT "/vaults/{vault}"

const struct op keyvault_policy_ops[] = {
	{ "VaultAccessPolicyChange", ROW, .method = HTTP_PUT,
	    .path = VAULT "/accessPolicies/{kind}",
	    .action = KEYVAULT "/vaults/accessPolicies/write", .body = body_fields,
	    .body_size = sizeof(struct policies_body), .run = run_change },
	{ "VaultPolicyCoverage", ROW, .method = HTTP_GET, .cost = COST_POOL,
	    .path = VAULT "/providers/Strongroom.Authorization/coverage",
	    .action = KEYVAULT "/vaults/read", .run = run_coverage },
	{ 0 },
};

/* clang-format on */
