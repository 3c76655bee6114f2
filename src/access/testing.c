#include "access/testing.h"

#include "base/pack.h"
#include "base/testing.h"
#include "keyring/work.h"

#include <stdio.h>

#define EDGES_MAX 4096

struct world world;

static struct edge {
	struct uuid member, group;
} edges[EDGES_MAX];
static size_t edge_count;

struct uuid
id_of(unsigned number)
{
	struct uuid id;

	(void)snprintf(id.text, sizeof(id.text), "00000000-0000-4000-8000-%012x", number);
	return id;
}

void
join(unsigned member, unsigned group)
{
	assert_true(edge_count < EDGES_MAX);
	edges[edge_count++] = (struct edge){ id_of(member), id_of(group) };
}

void
leave_all(void)
{
	edge_count = 0;
}

static void
member_add(struct memberships *who, const struct uuid *id)
{
	for (size_t i = 0; i < who->count; i++) {
		if (memcmp(who->ids[i].text, id->text, UUID_LEN) == 0)
			return;
	}
	if (who->count == MEMBERSHIPS_MAX)
		who->whole = false;
	else
		who->ids[who->count++] = *id;
}

void
directory_memberships(struct directory *directory, const struct uuid *object,
    struct memberships *out)
{
	(void)directory;
	out->whole = true;
	out->count = 0;
	member_add(out, object);
	for (size_t i = 0; i < out->count; i++) {
		for (size_t j = 0; j < edge_count; j++) {
			if (memcmp(edges[j].member.text, out->ids[i].text, UUID_LEN) == 0)
				member_add(out, &edges[j].group);
		}
	}
}

/* Who ends with 'f' is nobody, with 'e' of the other tenant, with 'd' a group. */
bool
directory_principal(struct directory *directory, const struct uuid *object, struct principal *out)
{
	char last = object->text[UUID_LEN - 1];

	(void)directory;
	*out = (struct principal){
		.kind = last == 'd' ? PRINCIPAL_GROUP : PRINCIPAL_APPLICATION,
		.object = *object,
		.tenant = id_of(last == 'e' ? OTHER_TENANT : TENANT),
		.enabled = true,
	};
	return last != 'f';
}

const char *
principal_type(enum principal_kind kind)
{
	return kind == PRINCIPAL_GROUP ? "Group"
	    : kind == PRINCIPAL_USER   ? "User"
				       : "ServicePrincipal";
}

bool
principal_name(struct tx *tx, const struct uuid *object, view *out, struct error *err)
{
	return arena_print(tx->arena, out, "name of %s", object->text) || error_memory(err);
}

void
world_reopen(void)
{
	struct uuid home = id_of(TENANT);

	access_close(world.access);
	world.access = NULL;
	assert_fine(access_open(world.place.store, world.place.keyring, NULL, &home, &world.access,
			&world.err),
	    &world.err);
}

int
world_setup(void **state)
{
	(void)state;
	place_make(&world.place, false);
	world.access = NULL;
	leave_all();
	arena_init(&world.arena, (size_t)64 << 20);
	world_reopen();
	return 0;
}

int
world_teardown(void **state)
{
	(void)state;
	arena_free(&world.arena);
	access_close(world.access);
	place_remove(&world.place);
	return 0;
}

static void
run(work_body *body, const void *ctx)
{
	assert_fine(work_run(world.place.store, world.place.keyring, body, (void *)(uintptr_t)ctx,
			&world.err),
	    &world.err);
}

struct subscription_ctx {
	struct uuid id, tenant;
};

static bool
subscription_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	const struct subscription_ctx *subscription = ctx;
	view path;

	(void)journal;
	pack_u8(&document, 1);
	pack_bytes(&document, uuid_view(&subscription->id));
	pack_bytes(&document, uuid_view(&subscription->tenant));
	pack_bytes(&document, V("a name"));
	return arena_print(tx->arena, &path, "sub/%s", subscription->id.text) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

void
add_subscription(unsigned id, unsigned tenant)
{
	run(subscription_body, &(struct subscription_ctx){ id_of(id), id_of(tenant) });
}

static bool
put_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	(void)journal;
	return assignment_put(tx, ctx, err);
}

void
add_assignment(const struct assignment *assignment)
{
	run(put_body, assignment);
}

static bool
change_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	(void)journal;
	return assignment_update(tx, ctx, err);
}

void
change_assignment(const struct assignment *assignment)
{
	run(change_body, assignment);
}

void
grant(unsigned name, unsigned principal, const char *role, view scope)
{
	const struct role *definition = role_find_named(view_of(role));
	struct assignment assignment = {
		.name = id_of(name),
		.principal = id_of(principal),
		.tenant = id_of(TENANT),
		.scope = scope,
		.principal_type = V("ServicePrincipal"),
		.created = 1000 + name,
		.updated = 2000 + name,
		.created_by = id_of(99),
		.updated_by = id_of(98),
	};

	assert_non_null(definition);
	assignment.role = role_id(definition);
	add_assignment(&assignment);
}

static bool
delete_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	(void)journal;
	return assignment_delete(tx, ctx, err);
}

void
revoke(unsigned name)
{
	struct uuid id = id_of(name);
	struct assignment present;

	assert_true(assignment_find(world.access, &id, &world.arena, &present));
	run(delete_body, &present);
}

static bool
deny_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	(void)journal;
	return deny_put(tx, ctx, false, err);
}

void
add_deny(const struct deny *deny)
{
	run(deny_body, deny);
}

static bool
undeny_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	(void)journal;
	return deny_delete(tx, ctx, err);
}

void
remove_deny(unsigned name)
{
	struct uuid id = id_of(name);
	struct deny present;

	assert_true(deny_find(world.access, &id, &world.arena, &present));
	run(undeny_body, &present);
}

struct role_ctx {
	const struct role *role;
	bool present;
};

static bool
role_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	const struct role_ctx *role = ctx;

	(void)journal;
	return role_put(tx, role->role, role->present, err);
}

void
add_role(const struct role *role, bool present)
{
	run(role_body, &(struct role_ctx){ role, present });
}

static bool
unrole_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	(void)journal;
	return role_delete(tx, ctx, err);
}

void
remove_role(const struct role *role)
{
	run(unrole_body, role);
}

bool
may(unsigned principal, view action, bool data, view scope)
{
	struct access_question question = {
		.tenant = id_of(TENANT),
		.principal = id_of(principal),
		.action = action,
		.data = data,
		.scope = scope,
	};
	struct access_decision decision;

	return access_decide(world.access, &question, &decision);
}
