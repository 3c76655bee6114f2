/*
 * Assignments, roles, denials and access policies as something may have damaged them in the store;
 * scopes, patterns of actions and filters as strangers write them.
 */
#include "access/filter.h"
#include "access/index.h"
#include "access/policy.h"
#include "access/role_store.h"
#include "base/fuzzing.h"

#include <string.h>

#define ARENA_MAX ((size_t)4 * 1024 * 1024)
#define NAME "00000000-0000-4000-8000-000000000001"

static void
try_documents(view bytes, struct arena *arena)
{
	static const struct uuid home = { "00000000-0000-4000-8000-00000000000a" };
	struct unpack in = unpack_of(bytes);
	struct access_policy policy;
	struct assignment assignment;
	struct deny deny;
	struct role role;
	struct error err = { 0 };

	if (assignment_decode(V(NAME), bytes, &home, &assignment, &err))
		check(assignment.scope.len < bytes.len && assignment.condition.len < bytes.len);
	if (deny_decode(V(NAME), bytes, arena, &deny, &err)) {
		check(deny.principal_count + deny.excluded_count <= bytes.len);
		(void)deny_forbids(&deny, V("Microsoft.KeyVault/vaults/read"), false);
	}
	if (role_decode(V("00000000-0000-4000-8000-00000000000a/" NAME), bytes, arena, &role, &err))
		(void)permissions_hold(&role.permissions, V("a/b/c"), true);
	if (policy_unpack(&in, &policy)) {
		for (size_t i = 0; data_action_at(i) != NULL; i++)
			(void)policy_allows_at(&policy, i);
	}
}

static void
try_scopes(view text)
{
	struct scope_path path;
	view inner = text, outer = view_cut(&inner, '\n');

	scope_fold(text, &path);
	check(path.count <= SCOPE_LEVELS_MAX + 1 && scope_folded(&path).len <= SCOPE_MAX);
	for (size_t i = 0; i < path.count; i++)
		check(memcmp(scope_level(&path, i).ptr, path.text, path.levels[i]) == 0);
	check(scope_contains(text, text) && scope_same(text, text));
	check(!view_starts(text, V("/")) || scope_contains(V("/"), text));
	check(scope_subscription(text).len <= text.len);
	/* Pattern and action: as long as they may be. */
	outer.len = outer.len < ROLE_ACTION_MAX ? outer.len : ROLE_ACTION_MAX;
	(void)action_matches(outer, inner);
	check(action_matches(V("*"), inner));
}

static void
try_filter(view text, struct arena *arena)
{
	struct list_term terms[] = { { .name = "atScope", .form = FILTER_CALL },
		{ .name = "assignedTo", .form = FILTER_ASK },
		{ .name = "principalId", .form = FILTER_EQ } };

	if (list_filter_parse(text, terms, COUNT_OF(terms), arena))
		check(terms[0].value.len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view text = { (const char *)data, len };

	arena_init(&arena, ARENA_MAX);
	try_documents(text, &arena);
	try_scopes(text);
	try_filter(text, &arena);
	return 0;
}
