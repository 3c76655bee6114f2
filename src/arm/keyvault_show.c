/*
 * Vaults as clients see them.
 */
#include "arm/keyvault.h"

#include "base/pack.h"

#include <stdio.h>

#define FORMAT 1
#define IPV4_BITS 96 /* of a mapped address, before the address itself */

static const char *const accesses[] = {
	[PUBLIC_ENABLED] = "Enabled",
	[PUBLIC_DISABLED] = "Disabled",
	[PUBLIC_BY_PERIMETER] = "SecuredByPerimeter",
};

/* With the prefix, which a client may leave out. */
static void
write_block(struct json *json, const struct address_block *block)
{
	char address[ADDRESS_TEXT], prefix[8];
	unsigned bits = address_is_ipv4(&block->base) ? block->prefix - IPV4_BITS : block->prefix;

	(void)snprintf(prefix, sizeof(prefix), "/%u", bits);
	json_open(json, '{');
	json_text_open(json, "value");
	json_text_part(json, address_print(&block->base, address));
	json_text_part(json, view_of(prefix));
	json_text_close(json);
	json_close(json, '}');
}

static void
write_network(struct json *json, const struct shape *shape)
{
	const struct network_rules *rules = &shape->vault.network;

	json_open_in(json, "networkAcls", '{');
	json_text(json, "bypass", rules->bypass ? V("AzureServices") : V("None"));
	json_text(json, "defaultAction", rules->deny ? V("Deny") : V("Allow"));
	json_open_in(json, "ipRules", '[');
	for (size_t i = 0; i < rules->block_count; i++)
		write_block(json, &rules->blocks[i]);
	json_close(json, ']');
	json_open_in(json, "virtualNetworkRules", '[');
	for (size_t i = 0; i < shape->subnet_count; i++) {
		json_open(json, '{');
		json_text(json, "id", shape->subnets[i].subnet);
		if (shape->subnets[i].lenient)
			json_flag(json, "ignoreMissingVnetServiceEndpoint", true);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_close(json, '}');
}

static void
write_properties(struct json *json, const struct shape *shape)
{
	const struct vault *vault = &shape->vault;

	json_open(json, '{');
	json_open_in(json, "sku", '{');
	json_text(json, "family", V("A"));
	json_text(json, "name", vault->premium ? V("premium") : V("standard"));
	json_close(json, '}');
	json_text(json, "tenantId", uuid_view(&vault->tenant));
	json_open_in(json, "accessPolicies", '[');
	for (size_t i = 0; i < vault->policy_count; i++)
		policy_write(json, &vault->policies[i]);
	json_close(json, ']');
	if (shape->acls)
		write_network(json, shape);
	json_flag(json, "enabledForDeployment", vault->for_deployment);
	json_flag(json, "enabledForDiskEncryption", vault->for_disk_encryption);
	json_flag(json, "enabledForTemplateDeployment", vault->for_template_deployment);
	json_flag(json, "enableSoftDelete", true);
	json_number(json, "softDeleteRetentionInDays", vault->retention_days);
	json_flag(json, "enableRbacAuthorization", vault->rbac);
	/* False is no value of it: it can't be sent back. */
	if (vault->purge_protection)
		json_flag(json, "enablePurgeProtection", true);
	json_text(json, "publicNetworkAccess", view_of(accesses[vault->network.public_access]));
	json_close(json, '}');
}

static void
pack_hidden(const struct shape *shape, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_u8(out, shape->acls);
	pack_u32(out, (uint32_t)shape->subnet_count);
	for (size_t i = 0; i < shape->subnet_count; i++) {
		pack_bytes(out, shape->subnets[i].subnet);
		pack_u8(out, shape->subnets[i].lenient);
	}
}

bool
shape_print(const struct shape *shape, struct arena *arena, struct resource *resource,
    struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 }, hidden = { 0 };
	struct json json = json_to(&text);

	write_properties(&json, shape);
	pack_hidden(shape, &hidden);
	if (!buf_ok(&text) || !buf_ok(&hidden) ||
	    !arena_copy(arena, buf_view(&text), &resource->properties) ||
	    !arena_copy(arena, buf_view(&hidden), &resource->hidden))
		return error_memory(err);
	return true;
}

bool
shape_read(const struct vault *vault, const struct resource *resource, struct arena *arena,
    struct shape *out, struct error *err)
{
	struct unpack in = unpack_of(resource->hidden);
	struct shape shape = { .vault = *vault };
	bool fine = unpack_u8(&in) == FORMAT;
	struct subnet_rule *subnets;

	shape.acls = unpack_u8(&in) != 0;
	shape.subnet_count = unpack_u32(&in);
	if (!fine || shape.subnet_count > SUBNET_RULES_MAX)
		return error_set(err, ERR_CORRUPT, "a vault's resource can't be read");
	subnets = arena_alloc(arena, (shape.subnet_count + 1) * sizeof(*subnets));
	if (subnets == NULL)
		return error_memory(err);
	for (size_t i = 0; i < shape.subnet_count; i++) {
		subnets[i].subnet = unpack_bytes(&in);
		subnets[i].lenient = unpack_u8(&in) != 0;
	}
	if (!unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "a vault's resource can't be read");
	shape.subnets = subnets;
	*out = shape;
	return true;
}

/* Host names are in lower case, however the vault was named. */
void
vault_uri(struct request *r, view name, const char *rest)
{
	json_text_part(&r->json, V("https://"));
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);

		json_text_part(&r->json, (view){ &c, 1 });
	}
	json_text_part(&r->json, V(".vault."));
	json_text_part(&r->json, r->domain);
	json_text_part(&r->json, view_of(rest));
}

void
vault_show(struct request *r, const struct resource *resource)
{
	struct json *json = &r->json;
	view inside = resource->properties;

	json_open_in(json, "properties", '{');
	if (inside.len > 2) {
		buf_add(json->out, (view){ inside.ptr + 1, inside.len - 2 });
		json->comma = true;
	}
	json_text_open(json, "vaultUri");
	vault_uri(r, resource->name, "/");
	json_text_close(json);
	json_text(json, "provisioningState", V("Succeeded"));
	json_close(json, '}');
}
