/*
 * Principals in memory: loaded at start, followed through every commit, bounded.
 */
#include "base/pack.h"
#include "crypto/random.h"
#include "identity/application_store.h"
#include "identity/group_store.h"
#include "identity/principal.h"
#include "identity/testing.h"
#include "identity/user_store.h"

static struct memberships memberships;

static struct uuid
add_user(const char *upn, bool enabled)
{
	struct user user = {
		.tenant = town.tenant,
		.upn = view_of(upn),
		.name = V("A name"),
		.enabled = enabled,
	};

	random_uuid(&user.object);
	REQUIRE(user_add(&town.tx, &user, &town.err));
	return user.object;
}

static struct uuid
add_group_of(const struct uuid *tenant)
{
	struct security_group group = { .tenant = *tenant, .name = V("g"), .nickname = V("g") };

	random_uuid(&group.object);
	REQUIRE(security_group_add(&town.tx, &group, &town.err));
	return group.object;
}

static struct uuid
add_group(void)
{
	return add_group_of(&town.tenant);
}

static void
commit(void)
{
	town_commit();
	town_begin();
}

/* The next server's directory, on the same store; nothing may be committed after it is closed. */
static struct directory *
open_again(void)
{
	struct directory *directory;

	REQUIRE(directory_open(town.store, town.keyring, V(ISSUER), 2, &directory, &town.err));
	return directory;
}

static size_t
counted(const struct uuid *object)
{
	directory_memberships(town.directory, object, &memberships);
	assert_string_equal(memberships.ids[0].text, object->text);
	return memberships.count - 1;
}

static void
test_kinds(void **state)
{
	AUTO(plain_done) struct plain *secret = NULL;
	struct application application;
	struct uuid user, group, off, nobody;
	struct principal principal;
	view name;

	(void)state;
	application = town_application("My app", &secret);
	user = add_user("ada@example.org", true);
	off = add_user("off@example.org", false);
	group = add_group();
	commit();
	assert_true(directory_principal(town.directory, &application.object, &principal));
	assert_int_equal(principal.kind, PRINCIPAL_APPLICATION);
	assert_string_equal(principal.application.text, application.id.text);
	assert_string_equal(principal.tenant.text, town.tenant.text);
	assert_string_equal(principal.object.text, application.object.text);
	assert_true(principal.enabled);
	assert_true(directory_principal(town.directory, &user, &principal));
	assert_int_equal(principal.kind, PRINCIPAL_USER);
	assert_int_equal(principal.application.text[0], '\0');
	assert_true(directory_principal(town.directory, &off, &principal));
	assert_false(principal.enabled);
	assert_true(directory_principal(town.directory, &group, &principal));
	assert_int_equal(principal.kind, PRINCIPAL_GROUP);
	random_uuid(&nobody);
	assert_false(directory_principal(town.directory, &nobody, &principal));
	/* An application's id is not a principal's. */
	assert_false(directory_principal(town.directory, &application.id, &principal));

	REQUIRE(principal_name(&town.tx, &application.object, &name, &town.err));
	assert_true(view_eq(name, V("My app")));
	REQUIRE(principal_name(&town.tx, &user, &name, &town.err));
	assert_true(view_eq(name, V("ada@example.org")));
	REQUIRE(principal_name(&town.tx, &nobody, &name, &town.err));
	assert_int_equal(name.len, 0);
}

/* An application object's own id is nobody a role could be given to. */
static void
test_own_ids_are_nobody(void **state)
{
	AUTO(plain_done) struct plain *secret = NULL, *document = NULL;
	struct application application = town_application("a", &secret);
	struct registration registration;
	struct principal principal;

	(void)state;
	REQUIRE(registration_get(&town.tx, uuid_view(&town.tenant), uuid_view(&application.id),
	    STORE_CHANGE, &document, &registration, &town.err));
	assert_false(directory_principal(town.directory, &registration.own, &principal));
	REQUIRE(registration_enable(&town.tx, &registration, false, &town.err));
	REQUIRE(registration_put(&town.tx, &registration, &town.err));
	commit();
	assert_true(directory_principal(town.directory, &application.object, &principal));
	assert_false(principal.enabled);
	assert_int_equal(principal.kind, PRINCIPAL_APPLICATION);
}

static void
put(view path, struct buf *document)
{
	REQUIRE(tx_put(&town.tx, keyring_system(town.keyring), path, document, &town.err));
}

/* What an earlier server wrote: format 2, without flags. */
static void
test_old_documents(void **state)
{
	AUTO(plain_done) struct plain *secret = NULL;
	AUTO(buf_free) struct buf old = { 0 }, bad = { 0 };
	struct application application = town_application("a", &secret);
	struct principal principal;
	view path;

	(void)state;
	pack_u8(&old, 2);
	pack_u8(&old, OBJECT_SERVICE_PRINCIPAL);
	pack_bytes(&old, uuid_view(&town.tenant));
	pack_bytes(&old, uuid_view(&application.id));
	assert_true(arena_print(&town.arena, &path, "oid/%s", application.object.text));
	put(path, &old);
	commit();
	assert_true(directory_principal(town.directory, &application.object, &principal));
	assert_true(principal.enabled);
	assert_string_equal(principal.application.text, application.id.text);
	/* What can't be read is let in no longer. */
	pack_u8(&bad, 99);
	put(path, &bad);
	commit();
	assert_false(directory_principal(town.directory, &application.object, &principal));
}

static void
test_loaded_at_start(void **state)
{
	struct uuid user, gone, inner, outer;
	struct principal principal;
	struct directory *next;

	(void)state;
	user = add_user("ada@example.org", true);
	gone = add_user("bob@example.org", true);
	inner = add_group();
	outer = add_group();
	REQUIRE(membership_add(&town.tx, &inner, &user, &town.err));
	REQUIRE(membership_add(&town.tx, &outer, &inner, &town.err));
	REQUIRE(membership_add(&town.tx, &outer, &gone, &town.err));
	commit();
	assert_int_equal(counted(&user), 2);
	REQUIRE(oid_delete(&town.tx, &gone, &town.err));
	REQUIRE(membership_delete(&town.tx, &outer, &gone, &town.err));
	commit();
	next = open_again();
	assert_true(directory_principal(next, &user, &principal));
	assert_false(directory_principal(next, &gone, &principal));
	directory_memberships(next, &user, &memberships);
	assert_int_equal(memberships.count, 3);
	assert_true(memberships.whole);
	/* Both follow what is committed. */
	REQUIRE(membership_delete(&town.tx, &inner, &user, &town.err));
	commit();
	assert_int_equal(counted(&user), 0);
	directory_memberships(next, &user, &memberships);
	assert_int_equal(memberships.count, 1);
	directory_close(next);
}

/* A group of another tenant, should there ever be such a membership, gives nothing. */
static void
test_tenants_are_apart(void **state)
{
	struct uuid other, user, group;

	(void)state;
	random_uuid(&other);
	user = add_user("ada@example.org", true);
	group = add_group_of(&other);
	REQUIRE(membership_add(&town.tx, &group, &user, &town.err));
	commit();
	assert_int_equal(counted(&user), 0);
}

/* A document that is not under its own key was moved there by somebody else. */
static void
test_forged_membership(void **state)
{
	struct arena arena = { 0 };
	struct uuid user, group, other;
	struct document document;
	struct change change = { .kind = CHANGE_PUT };
	view path;

	(void)state;
	user = add_user("ada@example.org", true);
	group = add_group();
	other = add_group();
	REQUIRE(membership_add(&town.tx, &group, &user, &town.err));
	commit();
	arena_init(&arena, 65536);
	assert_true(arena_print(&town.arena, &path, "member/%s/%s", group.text, user.text));
	REQUIRE(store_get(town.reader, path, &arena, &document, &town.err));
	assert_true(arena_print(&town.arena, &change.key, "member/%s/%s", other.text, user.text));
	change.value = document.value;
	REQUIRE(store_commit_wait(town.store, &change, 1, V(""), &town.err));
	assert_int_equal(counted(&user), 1);
	arena_free(&arena);
}

static void
test_bounded(void **state)
{
	struct uuid user, first, group;

	(void)state;
	user = add_user("ada@example.org", true);
	first = add_group();
	REQUIRE(membership_add(&town.tx, &first, &user, &town.err));
	commit();
	for (size_t i = 0; i < MEMBERSHIPS_MAX - 2; i++) {
		group = add_group();
		REQUIRE(membership_add(&town.tx, &group, &first, &town.err));
		if (i % 100 == 0)
			commit();
	}
	commit();
	assert_int_equal(counted(&user), MEMBERSHIPS_MAX - 1);
	assert_true(memberships.whole);
	/* One that is reached twice takes no more room. */
	REQUIRE(membership_add(&town.tx, &group, &user, &town.err));
	commit();
	assert_int_equal(counted(&user), MEMBERSHIPS_MAX - 1);
	assert_true(memberships.whole);
	group = add_group();
	REQUIRE(membership_add(&town.tx, &group, &first, &town.err));
	commit();
	assert_int_equal(counted(&user), MEMBERSHIPS_MAX - 1);
	assert_false(memberships.whole);
}

static void
test_leaving(void **state)
{
	struct uuid user, groups[MEMBERSHIPS_DIRECT_MAX];
	size_t count;

	(void)state;
	user = add_user("ada@example.org", true);
	for (int i = 0; i < 3; i++) {
		struct uuid group = add_group();

		REQUIRE(membership_add(&town.tx, &group, &user, &town.err));
	}
	commit();
	principal_groups(town.directory, &user, groups, &count);
	assert_int_equal(count, 3);
	REQUIRE(principal_leave(town.directory, &town.tx, &user, &town.err));
	commit();
	principal_groups(town.directory, &user, groups, &count);
	assert_int_equal(count, 0);
}

#define PRINCIPAL_TEST(test) cmocka_unit_test_setup_teardown(test, town_setup, town_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PRINCIPAL_TEST(test_kinds),
		PRINCIPAL_TEST(test_own_ids_are_nobody),
		PRINCIPAL_TEST(test_old_documents),
		PRINCIPAL_TEST(test_loaded_at_start),
		PRINCIPAL_TEST(test_tenants_are_apart),
		PRINCIPAL_TEST(test_forged_membership),
		PRINCIPAL_TEST(test_bounded),
		PRINCIPAL_TEST(test_leaving),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
