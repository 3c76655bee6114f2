#include "access/coverage.h"

#include "access/shape.h"

#include <stdio.h>

#define PREFIX "Microsoft.KeyVault/vaults/"
#define ACTION_MAX 96

static view
whole_action(size_t index, char buffer[ACTION_MAX])
{
	int len = snprintf(buffer, ACTION_MAX, PREFIX "%s", data_action_at(index));

	return (view){ buffer, (size_t)len };
}

static uint64_t
bit(size_t index)
{
	return (uint64_t)1 << index;
}

static uint64_t
allowed_by_role(const struct role *role)
{
	char buffer[ACTION_MAX];
	uint64_t set = 0;

	for (size_t i = 0; data_action_at(i) != NULL; i++) {
		if (role_allows(role, whole_action(i, buffer), true))
			set |= bit(i);
	}
	return set;
}

/*
 * Random bytes come with a policy's `get`.  They are about no key, and the narrowest role that has
 * them manages all keys: nobody is to be proposed that for their sake.
 */
static bool
is_random_bytes(size_t index)
{
	return view_eq(view_of(data_action_at(index)), V("keys/rng/action"));
}

static uint64_t
allowed_by_policy(const struct access_policy *policy)
{
	uint64_t set = 0;

	for (size_t i = 0; data_action_at(i) != NULL; i++) {
		if (policy_allows_at(policy, i) && !is_random_bytes(i))
			set |= bit(i);
	}
	return set;
}

static unsigned
size_of(uint64_t set)
{
	return (unsigned)__builtin_popcountll(set);
}

/* The built-in role that allows all of ${needed} and the least beyond it; NULL: none does. */
static const struct role *
narrowest(uint64_t needed)
{
	const struct role *role, *best = NULL;
	unsigned least = UINT32_MAX;

	for (size_t i = 0; (role = role_at(i)) != NULL; i++) {
		uint64_t set = allowed_by_role(role);

		if ((needed & ~set) == 0 && size_of(set) < least) {
			least = size_of(set);
			best = role;
		}
	}
	return best;
}

static void
add_role(const struct role *role, const struct role *out[COVERAGE_ROLES_MAX], size_t *count)
{
	for (size_t i = 0; i < *count; i++) {
		if (out[i] == role)
			return;
	}
	if (role != NULL && *count < COVERAGE_ROLES_MAX)
		out[(*count)++] = role;
}

static uint64_t
allowed_by_roles(const struct role *const *roles, size_t count)
{
	uint64_t set = 0;

	for (size_t i = 0; i < count; i++)
		set |= allowed_by_role(roles[i]);
	return set;
}

/* One role for each collection, or one for all of them when that is not broader. */
size_t
coverage_roles(uint64_t needed, const struct role *out[COVERAGE_ROLES_MAX])
{
	static const view collections[] = { V_INIT("keys"), V_INIT("secrets"),
		V_INIT("certificates") };
	const struct role *single = narrowest(needed);
	size_t count = 0;

	if (needed == 0)
		return 0;
	for (size_t i = 0; i < COUNT_OF(collections); i++) {
		uint64_t part = 0;

		for (size_t j = 0; data_action_at(j) != NULL; j++) {
			if (view_eq(data_action_collection(j), collections[i]))
				part |= needed & bit(j);
		}
		if (part != 0)
			add_role(narrowest(part), out, &count);
	}
	if (single != NULL &&
	    size_of(allowed_by_role(single)) <= size_of(allowed_by_roles(out, count))) {
		out[0] = single;
		return 1;
	}
	return count;
}

/* What role assignments allow the policy's principal at the vault today. */
static uint64_t
allowed_by_assignments(const struct coverage *coverage, const struct access_policy *policy)
{
	struct access_question question = {
		.tenant = coverage->tenant,
		.principal = policy->object,
		.data = true,
		.scope = coverage->vault,
	};
	struct access_decision decision;
	struct memberships who;
	char buffer[ACTION_MAX];
	uint64_t set = 0;

	directory_memberships(coverage->directory, &policy->object, &who);
	for (size_t i = 0; data_action_at(i) != NULL; i++) {
		question.action = whole_action(i, buffer);
		if (access_decide_among(coverage->access, &question, &who, &decision))
			set |= bit(i);
	}
	return set;
}

static void
write_actions(struct json *json, const char *name, uint64_t set)
{
	char buffer[ACTION_MAX];

	json_open_in(json, name, '[');
	for (size_t i = 0; data_action_at(i) != NULL; i++) {
		if ((set & bit(i)) != 0)
			json_text(json, NULL, whole_action(i, buffer));
	}
	json_close(json, ']');
}

static uint64_t
write_roles(struct json *json, view vault, uint64_t needed)
{
	const struct role *roles[COVERAGE_ROLES_MAX];
	size_t count = coverage_roles(needed, roles);

	json_open_in(json, "proposedRoles", '[');
	for (size_t i = 0; i < count; i++) {
		json_open(json, '{');
		shape_definition_id(json, "roleDefinitionId", vault, view_of(roles[i]->id));
		json_text(json, "roleName", view_of(roles[i]->name));
		json_close(json, '}');
	}
	json_close(json, ']');
	return allowed_by_roles(roles, count);
}

/* Returns whether the principal would lose nothing. */
static bool
write_entry(const struct coverage *coverage, const struct access_policy *policy, struct json *json)
{
	uint64_t wanted = allowed_by_policy(policy);
	uint64_t present = allowed_by_assignments(coverage, policy);
	uint64_t missing = wanted & ~present, proposed;
	bool compound = policy->application.text[0] != '\0';

	json_open(json, '{');
	json_text(json, "objectId", uuid_view(&policy->object));
	if (compound)
		json_text(json, "applicationId", uuid_view(&policy->application));
	json_flag(json, "compound", compound);
	json_flag(json, "covered", missing == 0);
	write_actions(json, "allowed", wanted);
	write_actions(json, "missing", missing);
	/* What is there already needs no role; the rest is proposed as a whole. */
	proposed = write_roles(json, coverage->vault, missing == 0 ? 0 : wanted);
	write_actions(json, "gained", proposed & ~wanted & ~present);
	json_close(json, '}');
	return missing == 0;
}

void
coverage_write(const struct coverage *coverage, struct json *json)
{
	size_t covered = 0;

	json_open(json, '{');
	json_text(json, "vault", coverage->vault);
	json_open_in(json, "value", '[');
	for (size_t i = 0; i < coverage->count; i++)
		covered += write_entry(coverage, &coverage->policies[i], json);
	json_close(json, ']');
	json_number(json, "entries", (int64_t)coverage->count);
	json_number(json, "covered", (int64_t)covered);
	json_number(json, "uncovered", (int64_t)(coverage->count - covered));
	json_close(json, '}');
}
