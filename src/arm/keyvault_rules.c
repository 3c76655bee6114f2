/*
 * The rules of a vault's properties: what a client may send, and what becomes of it.
 */
#include "arm/keyvault.h"
#include "arm/list.h"
#include "base/clock.h"

#include <string.h>

/* Vaults made through this version or a newer one go by role assignments unless told otherwise. */
#define RBAC_VERSION "2026-02-01"

#define CHANGE_MODEL "Microsoft.Authorization/roleAssignments/write"

struct ip_rule {
	struct body_text value;
};

struct subnet_body {
	struct body_text id;
	struct body_flag lenient;
};

/* clang-format off */

#define TEXT(name_, member) \
	{ .name = name_, .kind = FIELD_TEXT, .max = 256, \
	    .offset = offsetof(struct vault_body, member) }
#define FLAG(name_, member) \
	{ .name = name_, .kind = FIELD_FLAG, .offset = offsetof(struct vault_body, member) }
#define LIST(name_, member, max_, fields_, item) \
	{ .name = name_, .kind = FIELD_LIST, .max = max_, .fields = fields_, \
	    .size = sizeof(item), .offset = offsetof(struct vault_body, member) }

static const struct field ip_fields[] = {
	{ .name = "value", .kind = FIELD_TEXT, .required = true, .max = 256,
	    .offset = offsetof(struct ip_rule, value) },
	{ 0 },
};

static const struct field subnet_fields[] = {
	{ .name = "id", .kind = FIELD_TEXT, .required = true, .max = RESOURCE_ID_MAX,
	    .offset = offsetof(struct subnet_body, id) },
	{ .name = "ignoreMissingVnetServiceEndpoint", .kind = FIELD_FLAG,
	    .offset = offsetof(struct subnet_body, lenient) },
	{ 0 },
};

static const struct field acl_fields[] = {
	TEXT("bypass", bypass),
	TEXT("defaultAction", default_action),
	LIST("ipRules", ip_rules, NETWORK_BLOCKS_MAX, ip_fields, struct ip_rule),
	LIST("virtualNetworkRules", subnets, SUBNET_RULES_MAX, subnet_fields, struct subnet_body),
	{ 0 },
};

static const struct field sku_fields[] = {
	TEXT("family", family),
	TEXT("name", tier),
	{ 0 },
};

static const struct field property_fields[] = {
	TEXT("tenantId", tenant),
	TEXT("createMode", create_mode),
	TEXT("publicNetworkAccess", public_access),
	{ .name = "sku", .kind = FIELD_OBJECT, .fields = sku_fields },
	{ .name = "networkAcls", .kind = FIELD_OBJECT, .fields = acl_fields },
	LIST("accessPolicies", policies, POLICIES_MAX, policy_fields, struct policy_body),
	FLAG("enableRbacAuthorization", rbac),
	FLAG("enableSoftDelete", soft_delete),
	FLAG("enablePurgeProtection", protection),
	FLAG("enabledForDeployment", deployment),
	FLAG("enabledForDiskEncryption", disk_encryption),
	FLAG("enabledForTemplateDeployment", template_deployment),
	{ .name = "softDeleteRetentionInDays", .kind = FIELD_NUMBER,
	    .offset = offsetof(struct vault_body, retention) },
	{ 0 },
};

const struct field vault_fields[] = {
	RESOURCE_FIELDS(struct vault_body),
	{ .name = "properties", .kind = FIELD_OBJECT, .fields = property_fields },
	{ 0 },
};

/* clang-format on */

/* One application of a body to a vault. */
struct work {
	struct request *r;
	const struct vault_body *body;
	struct shape *shape;
	bool fresh;
};

static bool
invalid(const char *property, view value, struct error *err)
{
	return error_set(err, ERR_BAD_REQUEST,
	    "An invalid value was provided for '%s'. The value '%.*s' is not one of its values.",
	    property, VIEW_ARG(value));
}

static bool
missing(const char *property, struct error *err)
{
	return error_set(err, ERR_BAD_REQUEST,
	    "The request body must contain the property 'properties.%s'.", property);
}

/* The place of ${text} among ${names}, in any case. */
static bool
choose(const struct body_text *text, const char *property, const char *const *names, size_t count,
    size_t *out, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (view_ieq(text->text, view_of(names[i]))) {
			*out = i;
			return true;
		}
	}
	return invalid(property, text->text, err);
}

static bool
apply_tenant(struct work *work, struct error *err)
{
	const struct body_text *given = &work->body->tenant;
	struct vault *vault = &work->shape->vault;
	struct uuid tenant;

	if (!given->given)
		return !work->fresh || missing("tenantId", err);
	if (!uuid_parse(given->text, &tenant))
		return invalid("tenantId", given->text, err);
	if (!view_eq(uuid_view(&tenant), uuid_view(&vault->tenant)))
		return error_set(err, ERR_BAD_REQUEST,
		    "The tenant ID '%s' does not match the tenant '%s' of the vault's "
		    "subscription.",
		    tenant.text, vault->tenant.text);
	return true;
}

static bool
apply_sku(struct work *work, struct error *err)
{
	static const char *const families[] = { "A" }, *const tiers[] = { "standard", "premium" };
	const struct vault_body *body = work->body;
	size_t family = 0, tier = 0;

	if (!body->tier.given)
		return (!work->fresh && !body->family.given) || missing("sku.name", err);
	if (!body->family.given)
		return missing("sku.family", err);
	if (!choose(&body->family, "sku.family", families, COUNT_OF(families), &family, err) ||
	    !choose(&body->tier, "sku.name", tiers, COUNT_OF(tiers), &tier, err))
		return false;
	work->shape->vault.premium = tier == 1;
	return true;
}

static bool
apply_create_mode(struct work *work, struct error *err)
{
	static const char *const modes[] = { "default", "recover" };
	size_t mode;

	/* Recovery has its own way (keyvault_deleted.c). */
	return !work->body->create_mode.given ||
	    choose(&work->body->create_mode, "createMode", modes, COUNT_OF(modes), &mode, err);
}

static bool
apply_soft_delete(struct work *work, struct error *err)
{
	if (!work->body->soft_delete.given || work->body->soft_delete.value)
		return true;
	return error_set(err, ERR_BAD_REQUEST,
	    "The property \"enableSoftDelete\" can be set to false only for creating new vault. "
	    "Enabling the 'soft delete' functionality is an irreversible action, and it is enabled "
	    "for every vault.");
}

static bool
apply_protection(struct work *work, struct error *err)
{
	if (!work->body->protection.given)
		return true;
	if (!work->body->protection.value)
		return error_set(err, ERR_BAD_REQUEST,
		    "The property \"enablePurgeProtection\" cannot be set to false. Enabling the "
		    "purge protection for a vault is an irreversible action.");
	work->shape->vault.purge_protection = true;
	return true;
}

static bool
apply_retention(struct work *work, struct error *err)
{
	const struct body_number *given = &work->body->retention;
	struct vault *vault = &work->shape->vault;

	if (!given->given || (!work->fresh && given->value == vault->retention_days))
		return true;
	if (given->value < RETENTION_MIN || given->value > RETENTION_MAX)
		return error_set(err, ERR_BAD_REQUEST,
		    "The property \"softDeleteRetentionInDays\" must be between %d and %d.",
		    RETENTION_MIN, RETENTION_MAX);
	if (!work->fresh)
		return error_set(err, ERR_BAD_REQUEST,
		    "The property \"softDeleteRetentionInDays\" has been set already and it can't "
		    "be modified.");
	vault->retention_days = (unsigned)given->value;
	return true;
}

static bool
default_model(const struct request *r)
{
	view version;

	return request_query(r, "api-version", &version) && view_cmp(version, V(RBAC_VERSION)) >= 0;
}

/*
 * Who may change the model may give away everything in the vault: so one needs the right to give
 * rights.
 */
static bool
apply_model(struct work *work, struct error *err)
{
	const struct body_flag *given = &work->body->rbac;
	struct vault *vault = &work->shape->vault;
	struct request *r = work->r;

	if (work->fresh) {
		vault->rbac = given->given ? given->value : default_model(r);
		return true;
	}
	if (!given->given || given->value == vault->rbac)
		return true;
	if (!caller_may(r, V(CHANGE_MODEL), vault->scope))
		return error_set(err, ERR_AUTHORIZATION_FAILED,
		    "The client '%s' with object id '%s' does not have authorization to perform "
		    "action '" CHANGE_MODEL
		    "' over scope '%.*s' or the scope is invalid. If access was recently granted, "
		    "please refresh your credentials.",
		    r->caller.application.text, r->caller.object.text, VIEW_ARG(vault->scope));
	vault->rbac = given->value;
	return true;
}

static void
take_flag(const struct body_flag *given, bool *out)
{
	if (given->given)
		*out = given->value;
}

static bool
apply_flags(struct work *work, struct error *err)
{
	struct vault *vault = &work->shape->vault;

	(void)err;
	take_flag(&work->body->deployment, &vault->for_deployment);
	take_flag(&work->body->disk_encryption, &vault->for_disk_encryption);
	take_flag(&work->body->template_deployment, &vault->for_template_deployment);
	return true;
}

static bool
apply_blocks(struct work *work, struct error *err)
{
	const struct body_list *given = &work->body->ip_rules;
	const struct ip_rule *rules = given->items;
	struct network_rules *network = &work->shape->vault.network;
	struct address_block *blocks;

	if (!given->given)
		return true;
	blocks = arena_alloc(work->r->arena, (given->count + 1) * sizeof(*blocks));
	if (blocks == NULL)
		return error_memory(err);
	for (size_t i = 0; i < given->count; i++) {
		if (!network_block_parse(rules[i].value.text, work->r->services->private_ranges,
			&blocks[i], err))
			return false;
	}
	network->blocks = blocks;
	network->block_count = given->count;
	return true;
}

static bool
read_subnet(struct request *r, const struct subnet_body *given, struct subnet_rule *out,
    struct error *err)
{
	struct resource_id id;

	if (!resource_id_parse(given->id.text, r->arena, &id, err))
		return false;
	if (!view_ieq(id.space, V("Microsoft.Network")) ||
	    !view_ieq(id.type, V("virtualNetworks/subnets")))
		return invalid("virtualNetworkRules.id", given->id.text, err);
	out->lenient = given->lenient.value;
	return id_lower(r->arena, given->id.text, &out->subnet, err);
}

static bool
apply_subnets(struct work *work, struct error *err)
{
	const struct body_list *given = &work->body->subnets;
	const struct subnet_body *bodies = given->items;
	struct subnet_rule *rules;

	if (!given->given)
		return true;
	rules = arena_alloc(work->r->arena, (given->count + 1) * sizeof(*rules));
	if (rules == NULL)
		return error_memory(err);
	for (size_t i = 0; i < given->count; i++) {
		if (!read_subnet(work->r, &bodies[i], &rules[i], err))
			return false;
	}
	work->shape->subnets = rules;
	work->shape->subnet_count = given->count;
	return true;
}

static bool
apply_network(struct work *work, struct error *err)
{
	static const char *const accesses[] = { "Enabled", "Disabled", "SecuredByPerimeter" };
	static const char *const bypasses[] = { "None", "AzureServices" };
	static const char *const actions[] = { "Allow", "Deny" };
	const struct vault_body *body = work->body;
	struct network_rules *network = &work->shape->vault.network;
	size_t choice = 0;

	if (body->public_access.given) {
		if (!choose(&body->public_access, "publicNetworkAccess", accesses,
			COUNT_OF(accesses), &choice, err))
			return false;
		network->public_access = (enum public_access)choice;
	}
	if (body->bypass.given) {
		if (!choose(&body->bypass, "networkAcls.bypass", bypasses, COUNT_OF(bypasses),
			&choice, err))
			return false;
		network->bypass = choice == 1;
	}
	if (body->default_action.given) {
		if (!choose(&body->default_action, "networkAcls.defaultAction", actions,
			COUNT_OF(actions), &choice, err))
			return false;
		network->deny = choice == 1;
	}
	if (body->bypass.given || body->default_action.given || body->ip_rules.given ||
	    body->subnets.given)
		work->shape->acls = true;
	return true;
}

static bool
apply_policies(struct work *work, struct error *err)
{
	struct vault *vault = &work->shape->vault;
	struct access_policy *policies;

	if (!work->body->policies.given)
		return true;
	if (!shape_policies(work->shape, &work->body->policies, work->r->arena, &policies,
		&vault->policy_count, err))
		return false;
	vault->policies = policies;
	return true;
}

static bool (*const rules[])(struct work *work, struct error *err) = {
	apply_tenant,
	apply_sku,
	apply_create_mode,
	apply_soft_delete,
	apply_protection,
	apply_retention,
	apply_model,
	apply_flags,
	apply_network,
	apply_blocks,
	apply_subnets,
	apply_policies,
};

bool
shape_apply(struct resource_change *change, struct shape *shape, struct error *err)
{
	struct work work = { change->r, change->body, shape, change->present == NULL };

	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		if (!rules[i](&work, err))
			return false;
	}
	return true;
}
