/*
 * The decision against a slow and obvious model of the rules: small worlds of roles, groups,
 * scopes, assignments and denies are drawn at random, and both are asked the same questions.  The
 * model shares no code with the index.  A failure prints the seed; SEED=n runs that one again.
 */
#include "access/testing.h"
#include "base/testing.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define WORLDS 50
#define QUESTIONS 2200
#define PRINCIPALS 12 /* and as many groups */
#define ASSIGNMENTS 60
#define DENIES 6
#define ROLES 8

static uint64_t seed;

static unsigned
draw(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 20) % below);
}

static const char *const actions[] = { "A/x/read", "A/x/write", "A/x/y/read", "A/z/delete",
	"B/x/read", "B/secret/get/action" };
static const char *const patterns[] = { "*", "*/read", "A/*", "a/X/*", "A/x/read", "*/x/*",
	"B/*/action", "B/secret/get/action", "A/*/y/*" };

#define S1 "/subscriptions/00000000-0000-4000-8000-000000000101"
#define S2 "/subscriptions/00000000-0000-4000-8000-000000000102"
#define S3 "/subscriptions/00000000-0000-4000-8000-000000000103" /* there is no such one */
#define KV "/providers/Microsoft.KeyVault/vaults/"
static const char *const scopes[] = { "/", S1, S1 "/resourceGroups/g1", S1 "/resourceGroups/g12",
	S1 "/resourceGroups/g1" KV "v1", S1 "/resourceGroups/g1" KV "v1/secrets/a",
	S1 "/resourceGroups/g1" KV "v1/secrets/ab", S1 "/resourceGroups/g1" KV "v2", S2,
	S2 "/resourceGroups/g1", S2 "/resourceGroups/g1" KV "v1", S3, "/subscriptions",
	"/subscriptions/00000000-0000-4000-8000-000000000101/resourcegroups/G1" KV "V1/Secrets/A" };

/* What there is. */
struct model_role {
	unsigned id, tenant;
	const char *lists[4][4]; /* actions, not, data, not data */
	bool removed;
};
struct model_assignment {
	unsigned name, principal, tenant, role;
	const char *scope;
	bool conditioned; /* only for the secret "a" */
	bool revoked;
};

#define CONDITION V("@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'a'")
struct model_deny {
	unsigned name, tenant;
	const char *scope;
	const char *lists[4][4];
	unsigned principals[3], excluded[3]; /* 0 ends; 1: everyone */
	bool here_only, removed;
};

static struct model_role roles[ROLES];
static struct model_assignment assignments[ASSIGNMENTS];
static struct model_deny denies[DENIES];
static bool edge[2 * PRINCIPALS][2 * PRINCIPALS]; /* member, group */

/* Principals are 0x10 ..., the second half are groups. */
static unsigned
principal_id(unsigned index)
{
	return 0x10 + index;
}

/* The model's own matching: by recursion. */
static bool
model_matches(const char *pattern, const char *action)
{
	if (*pattern == '\0')
		return *action == '\0';
	if (*pattern == '*')
		return model_matches(pattern + 1, action) ||
		    (*action != '\0' && model_matches(pattern, action + 1));
	return *action != '\0' &&
	    tolower((unsigned char)*pattern) == tolower((unsigned char)*action) &&
	    model_matches(pattern + 1, action + 1);
}

static bool
model_any(const char *const *list, const char *action)
{
	for (; *list != NULL; list++) {
		if (model_matches(*list, action))
			return true;
	}
	return false;
}

static bool
model_permits(const char *const lists[4][4], const char *action, bool data)
{
	return model_any(lists[data ? 2 : 0], action) && !model_any(lists[data ? 3 : 1], action);
}

/* -1: not at all; 0: the same; 1: ${inner} is below ${outer}. */
static int
model_below(const char *outer, const char *inner)
{
	size_t len = strcmp(outer, "/") == 0 ? 0 : strlen(outer);

	if (strncasecmp(outer, inner, len) != 0)
		return -1;
	if (len == 0)
		return strcmp(inner, "/") == 0 ? 0 : 1;
	return inner[len] == '\0' ? 0 : inner[len] == '/' ? 1 : -1;
}

static void
model_members(unsigned index, bool in[2 * PRINCIPALS])
{
	if (in[index])
		return;
	in[index] = true;
	for (unsigned i = 0; i < 2 * PRINCIPALS; i++) {
		if (edge[index][i])
			model_members(i, in);
	}
}

static bool
model_listed(const unsigned list[3], const bool in[2 * PRINCIPALS])
{
	for (unsigned i = 0; i < 3 && list[i] != 0; i++) {
		if (list[i] == 1 || in[list[i] - principal_id(0)])
			return true;
	}
	return false;
}

struct model_question {
	unsigned tenant, principal;
	const char *action, *scope;
	bool data;
};

/* Which tenant a scope is in; 0: everybody's own root; 1: no such place. */
static unsigned
model_tenant(const char *scope)
{
	return strncasecmp(scope, S1, strlen(S1)) == 0 ? TENANT
	    : strncmp(scope, S2, strlen(S2)) == 0      ? OTHER_TENANT
	    : strncmp(scope, S3, strlen(S3)) == 0      ? 1
						       : 0;
}

static bool
model_denies(const struct model_deny *deny, const struct model_question *q,
    const bool in[2 * PRINCIPALS])
{
	int below = model_below(deny->scope, q->scope);

	return !deny->removed && deny->tenant == q->tenant && below >= 0 &&
	    !(below == 1 && deny->here_only) && model_permits(deny->lists, q->action, q->data) &&
	    model_listed(deny->principals, in) && !model_listed(deny->excluded, in);
}

static bool
model_holds(const struct model_assignment *a, const char *scope)
{
	size_t len = strlen(scope);

	return !a->conditioned || (len > 10 && strcasecmp(scope + len - 10, "/secrets/a") == 0);
}

static bool
model_grants(const struct model_assignment *a, const struct model_question *q,
    const bool in[2 * PRINCIPALS], bool holds)
{
	const struct model_role *role = &roles[a->role];

	return !a->revoked && a->tenant == q->tenant && in[a->principal] && !role->removed &&
	    role->tenant == a->tenant && model_below(a->scope, q->scope) >= 0 &&
	    !(model_tenant(q->scope) == 1 && strcmp(a->scope, "/") == 0) &&
	    model_permits(role->lists, q->action, q->data) && model_holds(a, q->scope) == holds;
}

static void
fail_here(const struct model_question *q, const struct access_decision *got, const char *why)
{
	print_error("%s: principal %x, tenant %x, %s%s at %s: %s, assignment %s, deny %s\n", why,
	    principal_id(q->principal), q->tenant, q->action, q->data ? " (data)" : "", q->scope,
	    access_reason_name(got->reason), got->assignment.text, got->deny.text);
	fail();
}

/* What the decision names is one of those that the model finds. */
static void
check_explained(const struct model_question *q, const struct access_decision *got,
    const bool in[2 * PRINCIPALS])
{
	bool found = false;

	for (unsigned i = 0; i < ASSIGNMENTS && got->reason != ACCESS_DENIED; i++) {
		struct uuid name = id_of(assignments[i].name);
		struct uuid holder = id_of(principal_id(assignments[i].principal));
		bool direct = assignments[i].principal == q->principal;

		found = found ||
		    (strcmp(name.text, got->assignment.text) == 0 &&
			model_grants(&assignments[i], q, in, got->allowed) &&
			strcmp(got->through.text, direct ? "" : holder.text) == 0);
	}
	for (unsigned i = 0; i < DENIES && got->reason == ACCESS_DENIED; i++) {
		struct uuid name = id_of(denies[i].name);

		found = found ||
		    (strcmp(name.text, got->deny.text) == 0 && model_denies(&denies[i], q, in));
	}
	if (!found && got->reason != ACCESS_NO_ASSIGNMENT)
		fail_here(q, got, "explained wrongly");
}

static enum access_reason
model_decide(const struct model_question *q, const bool in[2 * PRINCIPALS])
{
	unsigned place = model_tenant(q->scope);

	if (place > 1 && place != q->tenant)
		return ACCESS_NO_ASSIGNMENT;
	for (unsigned i = 0; i < DENIES; i++) {
		if (model_denies(&denies[i], q, in))
			return ACCESS_DENIED;
	}
	for (unsigned i = 0; i < ASSIGNMENTS; i++) {
		if (model_grants(&assignments[i], q, in, true))
			return ACCESS_ASSIGNED;
	}
	for (unsigned i = 0; i < ASSIGNMENTS; i++) {
		if (model_grants(&assignments[i], q, in, false))
			return ACCESS_CONDITION;
	}
	return ACCESS_NO_ASSIGNMENT;
}

static bool
ask(void)
{
	struct model_question q = {
		.tenant = draw(4) > 0 ? TENANT : OTHER_TENANT,
		.principal = draw(2 * PRINCIPALS),
		.action = actions[draw(COUNT_OF(actions))],
		.scope = scopes[draw(COUNT_OF(scopes))],
		.data = draw(2) == 0,
	};
	struct access_question question = {
		.tenant = id_of(q.tenant),
		.principal = id_of(principal_id(q.principal)),
		.action = view_of(q.action),
		.data = q.data,
		.scope = view_of(q.scope),
	};
	struct access_decision got;
	bool in[2 * PRINCIPALS] = { false };
	enum access_reason wanted;

	model_members(q.principal, in);
	wanted = model_decide(&q, in);
	(void)access_decide(world.access, &question, &got);
	if (got.reason != wanted || got.allowed != (wanted == ACCESS_ASSIGNED))
		fail_here(&q, &got, access_reason_name(wanted));
	check_explained(&q, &got, in);
	return got.allowed;
}

static void
draw_lists(const char *lists[4][4])
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned count = i % 2 == 0 ? draw(4) : draw(3) / 2;

		for (unsigned j = 0; j < 4; j++)
			lists[i][j] = j < count ? patterns[draw(COUNT_OF(patterns))] : NULL;
	}
}

static struct role
role_of(const struct model_role *from, struct uuid *id, struct role_custom *custom)
{
	static const char *const anywhere[] = { "/", NULL };

	*id = id_of(from->id);
	*custom = (struct role_custom){
		.tenant = id_of(from->tenant),
		.scopes = anywhere,
		.created_by = id_of(1),
		.updated_by = id_of(1),
	};
	return (struct role){ id->text, "a role", "",
		{ from->lists[0], from->lists[1], from->lists[2], from->lists[3] }, NULL, custom };
}

static void
make_role(unsigned index, bool present)
{
	struct role_custom custom;
	struct uuid id;
	struct role role;

	roles[index].id = 0x500 + index;
	roles[index].tenant = index % 4 == 3 ? OTHER_TENANT : TENANT;
	roles[index].removed = false;
	draw_lists(roles[index].lists);
	role = role_of(&roles[index], &id, &custom);
	add_role(&role, present);
}

static void
unmake_role(unsigned index)
{
	struct role_custom custom;
	struct uuid id;
	struct role role = role_of(&roles[index], &id, &custom);

	roles[index].removed = true;
	remove_role(&role);
}

static void
make_assignment(unsigned index)
{
	struct model_assignment *a = &assignments[index];
	struct assignment assignment;

	*a = (struct model_assignment){
		.name = 0x1000 + index,
		.principal = draw(2 * PRINCIPALS),
		.tenant = draw(4) > 0 ? TENANT : OTHER_TENANT,
		.role = draw(ROLES),
		.scope = scopes[draw(COUNT_OF(scopes))],
		.conditioned = draw(4) == 0,
	};
	assignment = (struct assignment){
		.name = id_of(a->name),
		.principal = id_of(principal_id(a->principal)),
		.tenant = id_of(a->tenant),
		.role = id_of(roles[a->role].id),
		.scope = view_of(a->scope),
		.principal_type = V("User"),
		.condition = a->conditioned ? CONDITION : V(""),
		.created_by = id_of(1),
		.updated_by = id_of(1),
	};
	add_assignment(&assignment);
}

static size_t
convert(const unsigned from[3], struct deny_principal out[3])
{
	size_t count = 0;

	for (; count < 3 && from[count] != 0; count++) {
		out[count].type = "User";
		if (from[count] == 1)
			(void)uuid_parse(V(EVERYONE), &out[count].id);
		else
			out[count].id = id_of(from[count]);
	}
	return count;
}

static void
make_deny(unsigned index)
{
	struct deny_principal principals[3], excluded[3];
	struct model_deny *d = &denies[index];
	struct deny deny;

	*d = (struct model_deny){
		.name = 0x2000 + index,
		.tenant = draw(5) > 0 ? TENANT : OTHER_TENANT,
		.scope = scopes[draw(COUNT_OF(scopes))],
		.here_only = draw(3) == 0,
	};
	draw_lists(d->lists);
	for (unsigned i = 0; i < 1 + draw(3); i++)
		d->principals[i] = draw(6) == 0 ? 1 : principal_id(draw(2 * PRINCIPALS));
	for (unsigned i = 0; i < draw(4) && i < 3; i++)
		d->excluded[i] = draw(20) == 0 ? 1 : principal_id(draw(2 * PRINCIPALS));
	deny = (struct deny){
		.name = id_of(d->name),
		.tenant = id_of(d->tenant),
		.scope = d->scope,
		.title = "a deny",
		.description = "",
		.permissions = { d->lists[0], d->lists[1], d->lists[2], d->lists[3] },
		.principals = principals,
		.excluded = excluded,
		.principal_count = convert(d->principals, principals),
		.excluded_count = convert(d->excluded, excluded),
		.here_only = d->here_only,
		.created_by = id_of(1),
		.updated_by = id_of(1),
	};
	add_deny(&deny);
}

static void
make_groups(void)
{
	memset(edge, 0, sizeof(edge));
	for (unsigned i = 0; i < 3 * PRINCIPALS; i++) {
		unsigned member = draw(2 * PRINCIPALS), group = PRINCIPALS + draw(PRINCIPALS);

		if (edge[member][group])
			continue;
		edge[member][group] = true;
		join(principal_id(member), principal_id(group));
	}
}

static void
make_world(void)
{
	assert_int_equal(world_setup(NULL), 0);
	add_subscription(0x101, TENANT);
	add_subscription(0x102, OTHER_TENANT);
	make_groups();
	for (unsigned i = 0; i < ROLES; i++)
		make_role(i, false);
	for (unsigned i = 0; i < ASSIGNMENTS; i++)
		make_assignment(i);
	for (unsigned i = 0; i < DENIES; i++)
		make_deny(i);
}

/* Some of it goes, some of it changes, and it is read anew. */
static void
change_world(void)
{
	for (unsigned i = 0; i < ASSIGNMENTS; i += 1 + draw(4)) {
		revoke(assignments[i].name);
		assignments[i].revoked = true;
	}
	for (unsigned i = 0; i < DENIES; i += 1 + draw(3)) {
		remove_deny(denies[i].name);
		denies[i].removed = true;
	}
	make_role(draw(ROLES / 2), true);
	unmake_role(ROLES / 2 + draw(ROLES / 2));
	if (draw(2) == 0)
		world_reopen();
}

static unsigned
ask_many(void)
{
	unsigned allowed = 0;

	for (unsigned i = 0; i < QUESTIONS / 2; i++)
		allowed += ask();
	return allowed;
}

static void
test_against_the_model(void **state)
{
	unsigned allowed = 0;

	(void)state;
	for (unsigned i = 0; i < WORLDS; i++) {
		make_world();
		allowed += ask_many();
		change_world();
		allowed += ask_many();
		assert_int_equal(world_teardown(NULL), 0);
	}
	/* A model that always refuses would prove nothing. */
	assert_true(allowed > WORLDS * QUESTIONS / 50);
	assert_true(allowed < WORLDS * QUESTIONS / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_the_model) };
	const char *given = getenv("SEED");
	uint64_t first = given != NULL ? strtoull(given, NULL, 10) : 20261122;
	int failed;

	seed = first | 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (failed != 0)
		print_error("SEED=%llu\n", (unsigned long long)first);
	return failed;
}
