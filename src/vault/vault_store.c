#include "vault/vault_store.h"

#include "base/pack.h"

#include <string.h>

#define FORMAT 2
#define FORMAT_RBAC_ONLY 1 /* before access policies and network rules */

enum {
	FLAG_PROTECTION = 1,
	FLAG_RBAC = 2,
	FLAG_PREMIUM = 4,
	FLAG_DEPLOYMENT = 8,
	FLAG_DISK = 16,
	FLAG_TEMPLATE = 32
};
enum { NETWORK_DENY = 1, NETWORK_BYPASS = 2 };

bool
vault_path(struct arena *arena, const char *prefix, view name, view *out, struct error *err)
{
	size_t len = strlen(prefix);
	char *text = arena_alloc(arena, len + name.len + 1);

	if (text == NULL)
		return error_memory(err);
	memcpy(text, prefix, len);
	for (size_t i = 0; i < name.len; i++)
		text[len + i] = ascii_lower(name.ptr[i]);
	*out = (view){ text, len + name.len };
	return true;
}

static void
encode_network(const struct network_rules *rules, struct buf *out)
{
	pack_u8(out, (uint8_t)rules->public_access);
	pack_u8(out,
	    (uint8_t)((rules->deny ? NETWORK_DENY : 0) | (rules->bypass ? NETWORK_BYPASS : 0)));
	pack_u32(out, (uint32_t)rules->block_count);
	for (size_t i = 0; i < rules->block_count; i++) {
		const struct address_block *block = &rules->blocks[i];

		pack_bytes(out,
		    (view){ (const char *)block->base.bytes, sizeof(block->base.bytes) });
		pack_u8(out, (uint8_t)block->prefix);
	}
}

void
vault_encode(const struct vault *vault, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_bytes(out, uuid_view(&vault->id));
	pack_bytes(out, uuid_view(&vault->tenant));
	pack_bytes(out, uuid_view(&vault->subscription));
	pack_bytes(out, vault->name);
	pack_bytes(out, vault->resource_group);
	pack_bytes(out, vault->location);
	pack_i64(out, vault->created);
	pack_u8(out, (uint8_t)vault->retention_days);
	pack_u8(out,
	    (uint8_t)((vault->purge_protection ? FLAG_PROTECTION : 0) |
		(vault->rbac ? FLAG_RBAC : 0) | (vault->premium ? FLAG_PREMIUM : 0) |
		(vault->for_deployment ? FLAG_DEPLOYMENT : 0) |
		(vault->for_disk_encryption ? FLAG_DISK : 0) |
		(vault->for_template_deployment ? FLAG_TEMPLATE : 0)));
	encode_network(&vault->network, out);
	pack_u32(out, (uint32_t)vault->policy_count);
	for (size_t i = 0; i < vault->policy_count; i++)
		policy_pack(&vault->policies[i], out);
}

static void
decode_flags(uint8_t flags, struct vault *out)
{
	out->purge_protection = (flags & FLAG_PROTECTION) != 0;
	out->rbac = (flags & FLAG_RBAC) != 0;
	out->premium = (flags & FLAG_PREMIUM) != 0;
	out->for_deployment = (flags & FLAG_DEPLOYMENT) != 0;
	out->for_disk_encryption = (flags & FLAG_DISK) != 0;
	out->for_template_deployment = (flags & FLAG_TEMPLATE) != 0;
}

static bool
decode_block(struct unpack *in, struct address_block *out)
{
	view base = unpack_bytes(in);

	out->prefix = unpack_u8(in);
	if (base.len != sizeof(out->base.bytes) || out->prefix > 128)
		return false;
	memcpy(out->base.bytes, base.ptr, sizeof(out->base.bytes));
	return true;
}

/* A length is believed only as far as an API could have let it come. */
static bool
decode_network(struct unpack *in, struct arena *arena, struct network_rules *out)
{
	uint8_t access = unpack_u8(in), flags = unpack_u8(in);
	size_t count = unpack_u32(in);
	struct address_block *blocks;

	if (access > PUBLIC_BY_PERIMETER || count > NETWORK_BLOCKS_MAX)
		return false;
	blocks = arena_alloc(arena, (count + 1) * sizeof(*blocks));
	for (size_t i = 0; i < count; i++) {
		if (blocks == NULL || !decode_block(in, &blocks[i]))
			return false;
	}
	*out = (struct network_rules){ access, (flags & NETWORK_DENY) != 0,
		(flags & NETWORK_BYPASS) != 0, blocks, count };
	return blocks != NULL;
}

static bool
decode_policies(struct unpack *in, struct arena *arena, struct vault *out)
{
	size_t count = unpack_u32(in);
	struct access_policy *policies;

	if (count > POLICIES_MAX)
		return false;
	policies = arena_alloc(arena, (count + 1) * sizeof(*policies));
	for (size_t i = 0; i < count; i++) {
		if (policies == NULL || !policy_unpack(in, &policies[i]))
			return false;
	}
	out->policies = policies;
	out->policy_count = count;
	return policies != NULL;
}

bool
vault_decode(view document, struct arena *arena, struct vault *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	struct vault vault = { .rbac = true, .network = { .bypass = true } };
	uint8_t format = unpack_u8(&in), flags;
	bool fine = (format == FORMAT || format == FORMAT_RBAC_ONLY) &&
	    uuid_parse(unpack_bytes(&in), &vault.id) &&
	    uuid_parse(unpack_bytes(&in), &vault.tenant) &&
	    uuid_parse(unpack_bytes(&in), &vault.subscription);

	vault.name = unpack_bytes(&in);
	vault.resource_group = unpack_bytes(&in);
	vault.location = unpack_bytes(&in);
	vault.created = unpack_i64(&in);
	vault.retention_days = unpack_u8(&in);
	flags = unpack_u8(&in);
	if (format == FORMAT) {
		decode_flags(flags, &vault);
		fine = fine && decode_network(&in, arena, &vault.network) &&
		    decode_policies(&in, arena, &vault);
	} else {
		vault.purge_protection = flags != 0;
	}
	if (!fine || !unpack_end(&in))
		return arena_corrupt(arena, "a vault's document can't be read", err);
	*out = vault;
	return true;
}

bool
vault_scope(struct vault *vault, struct arena *arena, struct error *err)
{
	char *capital;

	if (!arena_print(arena, &vault->scope,
		"/subscriptions/%s/resourceGroups/%.*s/providers/Microsoft.KeyVault/vaults/%.*s",
		vault->subscription.text, VIEW_ARG(vault->resource_group), VIEW_ARG(vault->name)))
		return error_memory(err);
	capital = arena_alloc(arena, vault->scope.len + 1);
	if (capital == NULL)
		return error_memory(err);
	for (size_t i = 0; i < vault->scope.len; i++)
		capital[i] = ascii_upper(vault->scope.ptr[i]);
	vault->scope_capital = (view){ capital, vault->scope.len };
	return true;
}
