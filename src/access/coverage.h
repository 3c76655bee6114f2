/*
 * From access policies to roles: what would change for whom if a vault's role assignments decided
 * instead of its policies.
 */
#ifndef ACCESS_COVERAGE_H
#define ACCESS_COVERAGE_H

#include "access/decide.h"
#include "access/policy.h"

struct coverage {
	struct access *access;
	struct directory *directory;
	struct uuid tenant;
	view vault; /* its resource id */
	const struct access_policy *policies;
	size_t count;
};

/*
 * coverage_write(coverage, json):
 * An object: per policy what it allows, what its principal would lose ("missing"), the narrowest
 * built-in roles that would keep it ("proposedRoles") and what those allow beyond it ("gained").
 * {"vault", "entries", "covered", "uncovered", "value": [...]}.  "compound" ones can't be
 * expressed by a role: the grant would hold through any application.
 * Thousands of decisions: for a row that runs in the pool.
 */
void coverage_write(const struct coverage *coverage, struct json *json);

/*
 * coverage_roles(needed, out): The narrowest built-in roles that allow a set of data actions (bits
 * by data_action_at's index); returns how many.
 */
#define COVERAGE_ROLES_MAX 4
size_t coverage_roles(uint64_t needed, const struct role *out[COVERAGE_ROLES_MAX]);

#endif
