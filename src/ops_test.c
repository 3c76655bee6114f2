/*
 * The tables of all operations, held against what they have to be.
 */
#include "access/role.h"
#include "api/route.h"
#include "base/testing.h"

#include <stdio.h>

typedef void visit(const struct op *op);

static void
each(visit *fn)
{
	for (const struct op *const *table = op_tables; *table != NULL; table++) {
		for (const struct op *op = *table; op->name != NULL; op++)
			fn(op);
	}
}

static bool
is_one_of(const char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i], text) == 0)
			return true;
	}
	return false;
}

/* Reference of the data plane, section 13.2, as far as there are rows; keys/rng/action is ours. */
static const char *const data_actions[] = {
	"secrets/delete",
	"secrets/backup/action",
	"secrets/purge/action",
	"secrets/update/action",
	"secrets/recover/action",
	"secrets/restore/action",
	"secrets/readMetadata/action",
	"secrets/getSecret/action",
	"secrets/setSecret/action",
	"keys/delete",
	"keys/read",
	"keys/backup/action",
	"keys/purge/action",
	"keys/update/action",
	"keys/recover/action",
	"keys/restore/action",
	"keys/create/action",
	"keys/import/action",
	"keys/rotate/action",
	"keys/encrypt/action",
	"keys/decrypt/action",
	"keys/wrap/action",
	"keys/unwrap/action",
	"keys/sign/action",
	"keys/verify/action",
	"keys/rng/action",
	"keyrotationpolicies/read",
	"keyrotationpolicies/write",
	"keys/release/action",
	"certificatecas/delete",
	"certificatecas/read",
	"certificatecas/write",
	"certificatecontacts/write",
	"certificates/read",
	"certificates/delete",
	"certificates/backup/action",
	"certificates/purge/action",
	"certificates/update/action",
	"certificates/create/action",
	"certificates/import/action",
	"certificates/recover/action",
	"certificates/restore/action",
};

/* Section 15. */
static const char *const data_names[] = { "SecretSet", "SecretGet", "SecretUpdate", "SecretDelete",
	"SecretList", "SecretListVersions", "SecretPurge", "SecretBackup", "SecretRestore",
	"SecretRecover", "SecretGetDeleted", "SecretListDeleted", "KeyCreate", "KeyImport",
	"KeyRotate", "KeyGet", "KeyGetAttestation", "KeyUpdate", "KeyDelete", "KeyList",
	"KeyListVersions", "KeyBackup", "KeyRestore", "KeyListDeleted", "KeyGetDeleted",
	"KeyRecover", "KeyPurge", "KeyEncrypt", "KeyDecrypt", "KeyWrap", "KeyUnwrap", "KeySign",
	"KeyVerify", "KeyRotationPolicyGet", "KeyRotationPolicySet", "RandomBytesGet", "KeyRelease",
	"CertificateIssuersList", "CertificateIssuerGet", "CertificateIssuerSet",
	"CertificateIssuerUpdate", "CertificateIssuerDelete", "CertificateContactsGet",
	"CertificateContactsSet", "CertificateContactsDelete", "CertificateCreate",
	"CertificateImport", "CertificateGet", "CertificateUpdate", "CertificatePolicyGet",
	"CertificatePolicyUpdate", "CertificateDelete", "CertificateList",
	"CertificateListVersions", "CertificateBackup", "CertificateRestore",
	"CertificateListDeleted", "CertificateGetDeleted", "CertificateRecover", "CertificatePurge",
	"CertificatePendingGet", "CertificatePendingUpdate", "CertificatePendingDelete",
	"CertificatePendingMerge", "AuthorityRevoke" };

static void
check_complete(const struct op *op)
{
	if (op->guard == GUARD_UNSET || op->run == NULL || op->path == NULL ||
	    op->method == HTTP_OTHER)
		fail_msg("%s is not complete", op->name);
	if ((op->guard == GUARD_DATA || op->guard == GUARD_SCOPE) != (op->action != NULL))
		fail_msg("%s: an action belongs to its guard", op->name);
	if ((op->body != NULL) != (op->body_size > 0))
		fail_msg("%s: a body has fields and a size", op->name);
}

static void
test_rows_are_complete(void **state)
{
	(void)state;
	each(check_complete);
}

/* Only the open rows of discovery, sign-in and health may go without a token. */
static void
check_public(const struct op *op)
{
	static const char *const open[] = { "Health", "MetadataEndpoints", "AuthorityRootGet",
		"AuthorityIntermediateGet", "AuthorityCrlGet", "AuthorityOcsp",
		"AuthorityOcspGet" };

	if (op->guard == GUARD_PUBLIC && op->plane != PLANE_LOGIN)
		assert_true(is_one_of(open, COUNT_OF(open), op->name));
	if (op->unrecorded)
		assert_string_equal(op->name, "Health");
	/* The authority's callers have no token yet. */
	if (op->plane == PLANE_LOGIN || op->plane == PLANE_NONE)
		assert_int_equal(op->guard, GUARD_PUBLIC);
}

static void
test_few_rows_are_public(void **state)
{
	(void)state;
	each(check_public);
}

static void
check_data(const struct op *op)
{
	const struct role *administrator = role_find_named(V("Key Vault Administrator"));
	const struct role *owner = role_find_named(V("Owner"));
	char action[128];
	int len;

	if (op->plane != PLANE_VAULT || op->guard == GUARD_PUBLIC)
		return;
	assert_int_equal(op->guard, GUARD_DATA);
	assert_int_equal(op->versioning, VERSION_VAULT);
	if (!is_one_of(data_actions, COUNT_OF(data_actions), op->action) ||
	    !is_one_of(data_names, COUNT_OF(data_names), op->name))
		fail_msg("%s, %s", op->name, op->action);
	len = snprintf(action, sizeof(action), "Microsoft.KeyVault/vaults/%s", op->action);
	assert_true(role_allows(administrator, (view){ action, (size_t)len }, true));
	assert_false(role_allows(owner, (view){ action, (size_t)len }, true));
}

static void
test_data_actions(void **state)
{
	(void)state;
	each(check_data);
}

static size_t
rows_with(const char *name, const char *action)
{
	size_t count = 0;

	for (const struct op *const *table = op_tables; *table != NULL; table++) {
		for (const struct op *op = *table; op->name != NULL; op++)
			count += (name != NULL && strcmp(op->name, name) == 0) ||
			    (action != NULL && op->action != NULL &&
				strcmp(op->action, action) == 0);
	}
	return count;
}

static void
test_every_data_operation_is_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(data_actions); i++)
		assert_true(rows_with(NULL, data_actions[i]) > 0);
	for (size_t i = 0; i < COUNT_OF(data_names); i++)
		assert_true(rows_with(data_names[i], NULL) > 0);
}

static void
check_scope(const struct op *op)
{
	/* Questions that come with a body. */
	static const char *const asks[] = { "VaultCheckName", "ManagedHsmCheckName",
		"AccessExplain" };
	bool reads = op->method == HTTP_GET || op->method == HTTP_HEAD ||
	    is_one_of(asks, COUNT_OF(asks), op->name);

	if (op->guard != GUARD_SCOPE)
		return;
	assert_int_equal(op->plane, PLANE_MANAGEMENT);
	assert_int_equal(op->versioning, VERSION_ARM);
	assert_true(view_starts(view_of(op->action), V("Microsoft.")));
	assert_true(role_allows(role_find_named(V("Owner")), view_of(op->action), false));
	/* Reading is what readers may do, and nothing else; a question may come as a POST. */
	if (role_allows(role_find_named(V("Reader")), view_of(op->action), false) != reads)
		fail_msg("%s: %s", op->name, op->action);
}

/*
 * The guard lets a condition on the body pass for these two actions: only the rows that ask again
 * may have them.
 */
static void
check_granting(const struct op *op)
{
	if (op->action == NULL || strstr(op->action, "/roleAssignments/") == NULL ||
	    strstr(op->action, "/read") != NULL)
		return;
	assert_true(strcmp(op->name, "RoleAssignmentPut") == 0 ||
	    strcmp(op->name, "RoleAssignmentDelete") == 0);
}

static void
test_who_may_grant_is_asked_twice(void **state)
{
	(void)state;
	each(check_granting);
}

static void
test_scope_actions(void **state)
{
	(void)state;
	each(check_scope);
}

static struct router *router;

/* A path that the row is for: "{name}" is "x", "{scope}" a subscription, "{rest...}" more. */
static void
path_for(const struct op *op, struct buf *out)
{
	view rest = view_of(op->path);

	while (rest.len > 0) {
		view segment = view_cut(&rest, '/');

		if (view_eq(segment, V("{scope}")))
			buf_add(out, V("/subscriptions/x"));
		else if (view_ends(segment, V("...}")))
			buf_add(out, V("/x/y"));
		else if (view_starts(segment, V("{")))
			buf_add(out, V("/x"));
		else if (segment.len > 0)
			buf_print(out, "/%.*s", VIEW_ARG(segment));
	}
}

static void
check_reachable(const struct op *op)
{
	AUTO(buf_free) struct buf path = { 0 };
	struct request r = { .plane = op->plane };
	struct error err;

	path_for(op, &path);
	r.path = buf_view(&path);
	if (!router_match(router, op->method, &r, &err) || r.op != op)
		fail_msg("%s: %.*s leads elsewhere", op->name, VIEW_ARG(r.path));
}

static void
test_every_row_is_reachable(void **state)
{
	struct error err;

	(void)state;
	assert_fine(router_new(op_tables, &router, &err), &err);
	each(check_reachable);
	router_free(router);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_complete),
		cmocka_unit_test(test_few_rows_are_public),
		cmocka_unit_test(test_data_actions),
		cmocka_unit_test(test_every_data_operation_is_there),
		cmocka_unit_test(test_scope_actions),
		cmocka_unit_test(test_who_may_grant_is_asked_twice),
		cmocka_unit_test(test_every_row_is_reachable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
