#include "arm/keyvault.h"

#include "base/clock.h"

/* Newest first. */
static const char *const versions[] = {
	"2026-05-15",
	"2026-04-01-preview",
	"2026-03-01-preview",
	"2026-02-01",
	"2025-05-01",
	"2024-12-01-preview",
	"2024-11-01",
	"2024-04-01-preview",
	"2023-08-01-preview",
	"2023-07-01",
	"2023-02-01",
	"2022-11-01",
	"2022-07-01",
	"2022-02-01-preview",
	"2021-11-01-preview",
	"2021-10-01",
	"2021-06-01-preview",
	"2021-04-01-preview",
	"2020-04-01-preview",
	"2019-09-01",
	"2018-02-14-preview",
	"2018-02-14",
	"2016-10-01",
	"2015-06-01",
	NULL,
};

/* What a vault begins with. */
static bool
fresh_shape(const struct resource_change *change, struct shape *out, struct error *err)
{
	struct request *r = change->r;
	struct resource_id id;

	if (!vault_name_check(change->wanted->name, err) ||
	    !resource_id_parse(change->wanted->id, r->arena, &id, err))
		return false;
	*out = (struct shape){
		.vault = {
			.tenant = r->caller.tenant,
			.name = change->wanted->name,
			.resource_group = id.group,
			.location = change->wanted->location,
			.created = clock_now(),
			.retention_days = RETENTION_MAX,
			.network = { .bypass = true },
		},
	};
	return uuid_parse(id.subscription, &out->vault.subscription) ||
	    error_set(err, ERR_BAD_REQUEST, "The subscription's id is not valid.");
}

static bool
inconsistent(struct error *err)
{
	return error_set(err, ERR_CORRUPT, "a vault has only one of its two documents");
}

static bool
present_shape(const struct resource_change *change, struct shape *out, struct error *err)
{
	struct request *r = change->r;
	struct vault vault;
	bool found;

	if (!vault_take(&r->tx, change->present->name, &vault, &found, err))
		return false;
	if (!found)
		return inconsistent(err);
	return shape_read(&vault, change->present, r->arena, out, err);
}

static bool
put_vault(struct resource_change *change, struct error *err)
{
	struct tx *tx = &change->r->tx;
	bool fresh = change->present == NULL;
	struct shape shape;

	if (fresh ? !fresh_shape(change, &shape, err) : !present_shape(change, &shape, err))
		return false;
	return shape_apply(change, &shape, err) &&
	    shape_print(&shape, change->r->arena, change->wanted, err) &&
	    (fresh ? vault_create(tx, &shape.vault, err) : vault_update(tx, &shape.vault, err));
}

/* The resource's document goes along as it is, to come back as it was. */
static bool
remove_vault(struct tx *tx, const struct services *services, const struct resource *resource,
    const struct caller *caller, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct vault vault;
	bool found;
	view key;

	(void)services;
	(void)caller;
	if (!vault_take(tx, resource->name, &vault, &found, err) ||
	    !resource_key(tx->arena, resource->id, &key, err) ||
	    !tx_take(tx, keyring_system(tx->keyring), key, &document, err))
		return false;
	if (!found || document == NULL)
		return inconsistent(err);
	return vault_delete(tx, &vault, plain_view(document), err);
}

const struct resource_type vault_type = {
	.space = KEYVAULT,
	.name = "vaults",
	.versions = versions,
	.put = put_vault,
	.show = vault_show,
	.remove = remove_vault,
};

/* Their rows are their own; the types are listed for their versions. */
static const struct resource_type secret_type_ = { .space = KEYVAULT,
	.name = "vaults/secrets",
	.versions = versions,
	.placeless = true };
static const struct resource_type policy_type = { .space = KEYVAULT,
	.name = "vaults/accessPolicies",
	.versions = versions,
	.placeless = true };
static const struct resource_type deleted_type = { .space = KEYVAULT,
	.name = "deletedVaults",
	.versions = versions,
	.placeless = true };

static const struct resource_type *const types[] = { &vault_type, &secret_type_, &policy_type,
	&deleted_type, NULL };

const struct provider keyvault_provider = { KEYVAULT, types, true };

bool
vault_of(struct request *r, view id, bool change, struct resource *resource, struct vault *vault,
    struct error *err)
{
	struct resource_id parsed;
	bool found;

	if (!resource_id_parse(id, r->arena, &parsed, err) ||
	    !resource_get(&r->tx, r->services, id, change, resource, &found, err))
		return false;
	if (!found)
		return resource_not_found(&parsed, err);
	if (!(change ? vault_take : vault_get)(&r->tx, resource->name, vault, &found, err))
		return false;
	return found || inconsistent(err);
}

view
vault_path_less(view path, unsigned levels)
{
	while (path.len > 0 && levels > 0) {
		if (path.ptr[--path.len] == '/')
			levels--;
	}
	return path;
}

static bool
run_put(struct request *r, struct error *err)
{
	const struct vault_body *body = r->body;

	if (view_ieq(body->create_mode.text, V("recover")))
		return vault_run_recover(r, err);
	return resource_run_put(r, err);
}

/* clang-format off */

#define VAULTS RESOURCE_GROUP_PATH KEYVAULT "/vaults"
#define ROW RESOURCE_ROW(vault_type), .guard = GUARD_SCOPE
#define BODY .body = vault_fields, .body_size = sizeof(struct vault_body)

const struct op keyvault_ops[] = {
	{ "VaultPut", ROW, .method = HTTP_PUT, .path = VAULTS "/{name}",
	    .action = KEYVAULT "/vaults/write", BODY, .run = run_put },
	{ "VaultPatch", ROW, .method = HTTP_PATCH, .path = VAULTS "/{name}",
	    .action = KEYVAULT "/vaults/write", BODY, .run = resource_run_patch },
	{ "VaultGet", ROW, .method = HTTP_GET, .path = VAULTS "/{name}",
	    .action = KEYVAULT "/vaults/read", .run = resource_run_get },
	{ "VaultHead", ROW, .method = HTTP_HEAD, .path = VAULTS "/{name}",
	    .action = KEYVAULT "/vaults/read", .run = resource_run_head },
	{ "VaultDelete", ROW, .method = HTTP_DELETE, .path = VAULTS "/{name}",
	    .action = KEYVAULT "/vaults/delete", .cost = COST_POOL,
	    .run = resource_run_delete },
	{ "VaultList", RESOURCE_ROW(vault_type), .guard = GUARD_CALLER, .method = HTTP_GET,
	    .path = VAULTS, .cost = COST_POOL, .run = resource_run_list },
	{ "VaultListAll", RESOURCE_ROW(vault_type), .guard = GUARD_CALLER, .method = HTTP_GET,
	    .path = RESOURCE_SUBSCRIPTION_PATH KEYVAULT "/vaults", .cost = COST_POOL,
	    .run = resource_run_list },
	{ 0 },
};

/* clang-format on */
