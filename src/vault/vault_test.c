#include "base/pack.h"
#include "base/testing.h"
#include "keyring/work.h"
#include "throttle/throttle.h"
#include "vault/testing.h"

static struct world w;

static void
test_names(void **state)
{
	static const struct {
		view name;
		bool valid;
	} rows[] = {
		{ V_INIT("abc"), true },
		{ V_INIT("ABC"), true },
		{ V_INIT("a12"), true },
		{ V_INIT("a-b"), true },
		{ V_INIT("a-b-c-1"), true },
		{ V_INIT("abcdefghijklmnopqrstuvwx"), true },
		{ V_INIT("abcdefghijklmnopqrstuvwxy"), false },
		{ V_INIT("ab"), false },
		{ V_INIT(""), false },
		{ V_INIT("1ab"), false },
		{ V_INIT("-ab"), false },
		{ V_INIT("ab-"), false },
		{ V_INIT("a--b"), false },
		{ V_INIT("a_b"), false },
		{ V_INIT("a.b"), false },
		{ V_INIT("a b"), false },
		{ V_INIT("ab\0"), false },
		{ V_INIT("a/b"), false },
		{ V_INIT("\xc3\xa4"
			 "bc"),
		    false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(vault_name_valid(rows[i].name), rows[i].valid);
}

static void
test_recovery_levels(void **state)
{
	static const struct {
		unsigned days;
		bool protection;
		const char *level;
	} rows[] = {
		{ 90, false, "Recoverable+Purgeable" },
		{ 90, true, "Recoverable" },
		{ 89, false, "CustomizedRecoverable+Purgeable" },
		{ 7, false, "CustomizedRecoverable+Purgeable" },
		{ 7, true, "CustomizedRecoverable" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct vault vault = { .retention_days = rows[i].days,
			.purge_protection = rows[i].protection };

		assert_string_equal(vault_recovery_level(&vault), rows[i].level);
	}
}

static void
test_geographies(void **state)
{
	static const struct {
		view location, geography;
	} rows[] = {
		{ V_INIT("westeurope"), V_INIT("europe") },
		{ V_INIT("NorthEurope"), V_INIT("europe") },
		{ V_INIT("eastus"), V_INIT("unitedstates") },
		{ V_INIT("eastus2"), V_INIT("unitedstates") },
		{ V_INIT("westus2"), V_INIT("unitedstates") },
		{ V_INIT("westus3"), V_INIT("unitedstates") },
		{ V_INIT("switzerlandnorth"), V_INIT("switzerland") },
		{ V_INIT("local"), V_INIT("local") },
		{ V_INIT("Local"), V_INIT("Local") },
		{ V_INIT("us"), V_INIT("us") },
		{ V_INIT("eastus2 westus"), V_INIT("eastus2 westus") },
		{ V_INIT(""), V_INIT("") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_text(vault_geography(rows[i].location), rows[i].geography);
}

static void
check_vault(view name)
{
	const struct vault *vault = vaults_find(w.vaults, name);

	assert_non_null(vault);
	assert_text(vault->name, V("My-Vault"));
	assert_text(vault->location, V("westeurope"));
	assert_text(vault->resource_group, V("Group"));
	assert_int_equal(vault->retention_days, 7);
	assert_true(vault->purge_protection);
	assert_text(vault->scope,
	    V("/subscriptions/00000000-0000-4000-8000-00000000000b/resourceGroups/Group/providers/"
	      "Microsoft.KeyVault/vaults/My-Vault"));
	vault_release(vault);
}

static void
test_is_found_in_any_case_and_after_a_restart(void **state)
{
	(void)state;
	world_vault(&w, "My-Vault", "westeurope", 7, true);
	check_vault(V("my-vault"));
	check_vault(V("MY-VAULT"));
	world_reopen(&w);
	check_vault(V("My-Vault"));
	assert_null(vaults_find(w.vaults, V("my-vaul")));
	assert_null(vaults_find(w.vaults, V("my-vault-")));
	assert_null(vaults_find(w.vaults, V("")));
	assert_null(vaults_find(w.vaults, V("a-name-that-is-longer-than-any-vault-may-have")));
}

static bool
create_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct vault vault = { .tenant = world_subscription,
		.subscription = world_subscription,
		.name = view_of(ctx),
		.retention_days = 90 };

	(void)journal;
	return vault_create(tx, &vault, err);
}

static void
test_a_name_is_taken_once(void **state)
{
	static char names[][6] = { "taken", "TAKEN" }, impossible[] = "a--b";

	(void)state;
	world_vault(&w, "taken", "local", 90, false);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		assert_false(
		    work_run(w.place.store, w.place.keyring, create_body, names[i], &w.err));
		assert_int_equal(w.err.code, ERR_VAULT_EXISTS);
	}
	assert_false(work_run(w.place.store, w.place.keyring, create_body, impossible, &w.err));
	assert_int_equal(w.err.code, ERR_VAULT_NAME_INVALID);
}

/* Everything the data plane goes by, through the store and back, also after an update. */
static bool
rules_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	static const struct access_policy policies[] = {
		{ .tenant = { "00000000-0000-4000-8000-00000000000a" },
		    .object = { "00000000-0000-4000-8000-000000000001" },
		    .keys = 1,
		    .secrets = 0x1ff,
		    .certificates = 4 },
		{ .tenant = { "00000000-0000-4000-8000-00000000000a" },
		    .object = { "00000000-0000-4000-8000-000000000002" },
		    .application = { "00000000-0000-4000-8000-000000000003" },
		    .storage = 9 },
	};
	static struct address_block blocks[2];
	struct vault vault;
	bool found;

	(void)ctx;
	(void)journal;
	assert_true(address_block_parse(V("203.0.113.0/24"), &blocks[0]));
	assert_true(address_block_parse(V("2001:db8::/32"), &blocks[1]));
	if (!vault_take(tx, V("ruled"), &vault, &found, err))
		return false;
	assert_true(found);
	vault.rbac = false;
	vault.premium = vault.for_deployment = vault.for_template_deployment = true;
	vault.policies = policies;
	vault.policy_count = COUNT_OF(policies);
	vault.network = (struct network_rules){ PUBLIC_DISABLED, true, false, blocks, 2 };
	return vault_update(tx, &vault, err);
}

static void
check_rules(void)
{
	const struct vault *vault = vaults_find(w.vaults, V("ruled"));
	struct address inside, outside;

	assert_non_null(vault);
	assert_false(vault->rbac);
	assert_true(vault->premium && vault->for_deployment && vault->for_template_deployment);
	assert_false(vault->for_disk_encryption);
	assert_int_equal(vault->policy_count, 2);
	assert_int_equal(vault->policies[0].secrets, 0x1ff);
	assert_text(uuid_view(&vault->policies[1].application),
	    V("00000000-0000-4000-8000-000000000003"));
	assert_int_equal(vault->policies[1].storage, 9);
	assert_int_equal(vault->network.public_access, PUBLIC_DISABLED);
	assert_true(vault->network.deny);
	assert_false(vault->network.bypass);
	assert_int_equal(vault->network.block_count, 2);
	assert_true(address_parse(V("203.0.113.9"), &inside));
	assert_true(address_parse(V("203.0.114.9"), &outside));
	assert_true(address_block_holds(&vault->network.blocks[0], &inside));
	assert_false(address_block_holds(&vault->network.blocks[0], &outside));
	vault_release(vault);
}

static void
test_keeps_rules_and_policies(void **state)
{
	(void)state;
	world_vault(&w, "ruled", "local", 90, false);
	assert_fine(work_run(w.place.store, w.place.keyring, rules_body, NULL, &w.err), &w.err);
	check_rules();
	world_reopen(&w);
	check_rules();
}

static unsigned
one_percent(const void *ctx, view name)
{
	assert_text(name, view_of(ctx));
	return 1;
}

/* How many secrets can be set in this window. */
static unsigned
count_sets(const char *name)
{
	const struct vault *vault = vaults_find(w.vaults, view_of(name));
	unsigned count = 0;

	assert_non_null(vault);
	while (count < 10 && throttle_charge_at(vault->throttle, THROTTLE_SET, NULL, 0, &w.err))
		count++;
	vault_release(vault);
	return count;
}

static bool
drop_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	(void)ctx;
	(void)journal;
	return tx_delete(tx, V("vault/ruled"), err);
}

/* What was asked of a vault stays with it when its document changes, not with its name. */
static void
test_limits_stay_with_the_vault(void **state)
{
	(void)state;
	world_vault(&w, "ruled", "local", 90, false);
	assert_int_equal(count_sets("ruled"), 10);
	assert_fine(vaults_throttle(w.vaults, one_percent, "ruled", &w.err), &w.err);
	assert_int_equal(count_sets("ruled"), 3);
	assert_fine(work_run(w.place.store, w.place.keyring, rules_body, NULL, &w.err), &w.err);
	assert_int_equal(count_sets("ruled"), 0);
	assert_fine(work_run(w.place.store, w.place.keyring, drop_body, NULL, &w.err), &w.err);
	world_vault(&w, "ruled", "local", 90, false);
	assert_int_equal(count_sets("ruled"), 3);
}

static bool
step_charge(struct request *r, void *ctx, struct error *err)
{
	unsigned *passed = ctx;

	/* A row's function that is run again. */
	for (int i = 0; i < 5; i++) {
		if (!vault_charge(r, THROTTLE_NONE, NULL, err) ||
		    !vault_charge(r, THROTTLE_HSM_CREATE, NULL, err))
			return false;
	}
	*passed += 1;
	return true;
}

static void
test_a_request_counts_once(void **state)
{
	unsigned passed = 0;

	(void)state;
	world_vault(&w, "ruled", "local", 90, false);
	assert_fine(vaults_throttle(w.vaults, one_percent, "ruled", &w.err), &w.err);
	assert_fine(world_do(&w, "ruled", "x", step_charge, &passed), &w.err);
	/* The second one may fall into the next window; the third one then doesn't. */
	while (passed < 3 && world_do(&w, "ruled", "x", step_charge, &passed))
		continue;
	assert_int_equal(w.err.code, ERR_THROTTLED);
}

/* As the first servers wrote it: role assignments decide, no rules. */
static bool
old_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	static const struct uuid id = { "00000000-0000-4000-8000-0000000000ff" };
	AUTO(buf_free) struct buf document = { 0 };
	struct change key;

	(void)ctx;
	(void)journal;
	pack_u8(&document, 1);
	pack_bytes(&document, uuid_view(&id));
	pack_bytes(&document, uuid_view(&world_subscription));
	pack_bytes(&document, uuid_view(&world_subscription));
	pack_bytes(&document, V("Old"));
	pack_bytes(&document, V("dev"));
	pack_bytes(&document, V("local"));
	pack_i64(&document, 1700000000);
	pack_u8(&document, 30);
	pack_u8(&document, 1);
	return keyring_new_key(tx->keyring, uuid_view(&id), tx->arena, &key, err) &&
	    tx_change(tx, key, err) &&
	    tx_put(tx, keyring_system(tx->keyring), V("vault/old"), &document, err);
}

static void
test_reads_the_old_format(void **state)
{
	const struct vault *vault;

	(void)state;
	assert_fine(work_run(w.place.store, w.place.keyring, old_body, NULL, &w.err), &w.err);
	vault = vaults_find(w.vaults, V("old"));
	assert_non_null(vault);
	assert_true(vault->rbac && vault->purge_protection && vault->network.bypass);
	assert_false(vault->premium || vault->network.deny);
	assert_int_equal(vault->network.public_access, PUBLIC_ENABLED);
	assert_int_equal(vault->policy_count, 0);
	assert_int_equal(vault->retention_days, 30);
	assert_true(vault->created == 1700000000);
	vault_release(vault);
}

static void
test_names_are_listed_in_order(void **state)
{
	static const view wanted[] = { V_INIT("aaa"), V_INIT("bbb"), V_INIT("ccc") };
	view *names;
	size_t count;

	(void)state;
	world_vault(&w, "ccc", "local", 90, false);
	world_vault(&w, "aaa", "local", 90, false);
	world_vault(&w, "bbb", "local", 90, false);
	assert_fine(vaults_names(w.vaults, &w.arena, &names, &count, &w.err), &w.err);
	assert_int_equal(count, COUNT_OF(wanted));
	for (size_t i = 0; i < count; i++)
		assert_text(names[i], wanted[i]);
}

#define FRESH(test) cmocka_unit_test_prestate_setup_teardown(test, world_setup, world_teardown, &w)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_recovery_levels),
		cmocka_unit_test(test_geographies),
		FRESH(test_is_found_in_any_case_and_after_a_restart),
		FRESH(test_a_name_is_taken_once),
		FRESH(test_keeps_rules_and_policies),
		FRESH(test_limits_stay_with_the_vault),
		FRESH(test_a_request_counts_once),
		FRESH(test_reads_the_old_format),
		FRESH(test_names_are_listed_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
