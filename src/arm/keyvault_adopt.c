/*
 * Vaults that the server makes itself, and those from before vaults were resources.
 */
#include "arm/group.h"
#include "arm/keyvault.h"
#include "arm/location.h"
#include "base/pack.h"
#include "keyring/work.h"

#include <string.h>

#define PAGE 100
#define VAULT_PREFIX "vault/"
#define DONE "upgrade/vault-resources" /* the document that says that all have their resources */
#define FORMAT 1

/* What a server makes, nobody has made. */
static bool
put_resource(struct tx *tx, const struct vault *vault, struct error *err)
{
	struct resource resource = { .type = &vault_type,
		.id = vault->scope,
		.name = vault->name,
		.created = vault->created * INT64_C(1000000000),
		.changed = vault->created * INT64_C(1000000000) };
	const struct caller nobody = { 0 };
	const struct shape shape = { .vault = *vault };

	return resource_group_create(tx, &vault->subscription, vault->resource_group,
		   vault->location, &nobody, err) &&
	    location_normal(tx->arena, vault->location, &resource.location, err) &&
	    shape_print(&shape, tx->arena, &resource, err) && resource_put(tx, &resource, err);
}

bool
vault_make(struct tx *tx, struct vault *vault, struct error *err)
{
	return location_normal(tx->arena, vault->location, &vault->location, err) &&
	    vault_create(tx, vault, err) && put_resource(tx, vault, err);
}

static bool
adopt(struct tx *tx, view name, struct error *err)
{
	static const struct services none = { 0 };
	struct resource resource;
	struct vault vault;
	bool found;

	if (!vault_take(tx, name, &vault, &found, err))
		return false;
	if (!found)
		return true;
	if (!resource_get(tx, &none, vault.scope, true, &resource, &found, err))
		return false;
	return found || put_resource(tx, &vault, err);
}

struct adoption {
	char marker[STORE_KEY_MAX];
	view after;
	bool over;
};

static bool
finish(struct tx *tx, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };

	pack_u8(&document, FORMAT);
	return tx_put(tx, keyring_system(tx->keyring), V(DONE), &document, err);
}

static bool
adopt_page(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	AUTO(plain_done) struct plain *done = NULL;
	struct adoption *adoption = ctx;
	size_t count;
	view *keys;

	(void)journal;
	adoption->over = true;
	if (!tx_get(tx, keyring_system(tx->keyring), V(DONE), &done, err))
		return false;
	if (done != NULL)
		return true;
	if (!store_keys(tx->reader, V(VAULT_PREFIX), adoption->after, PAGE, tx->arena, &keys,
		&count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!adopt(tx, view_from(keys[i], sizeof(VAULT_PREFIX) - 1), err))
			return false;
	}
	if (count < PAGE)
		return finish(tx, err);
	adoption->over = false;
	memcpy(adoption->marker, keys[count - 1].ptr, keys[count - 1].len);
	adoption->after = (view){ adoption->marker, keys[count - 1].len };
	return true;
}

bool
vaults_adopt(struct store *store, struct keyring *keyring, struct error *err)
{
	struct adoption adoption = { .over = false };

	while (!adoption.over) {
		if (!work_run(store, keyring, adopt_page, &adoption, err))
			return false;
	}
	return true;
}
