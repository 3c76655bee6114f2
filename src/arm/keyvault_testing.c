#include "arm/keyvault_testing.h"

#include "arm/group.h"

#include <stdlib.h>

static const struct provider *const providers[] = { &resources_provider, &keyvault_provider, NULL };
static const struct op *const tables[] = { group_ops, keyvault_ops, keyvault_deleted_ops,
	keyvault_policy_ops, keyvault_secret_ops, keyvault_fixed_ops, NULL };

struct site {
	struct estate estate; /* first */
	struct vaults *vaults;
};

int
site_setup(void **state)
{
	struct site *site = calloc(1, sizeof(*site));

	assert_non_null(site);
	estate_make(&site->estate, providers, tables);
	assert_fine(vaults_open(site->estate.place.store, site->estate.place.keyring, &site->vaults,
			&site->estate.err),
	    &site->estate.err);
	site->estate.services.vaults = site->vaults;
	*state = site;
	return 0;
}

int
site_teardown(void **state)
{
	struct site *site = *state;

	vaults_close(site->vaults);
	estate_drop(&site->estate);
	free(site);
	return 0;
}

const struct vault *
site_vault(struct estate *e, const char *name)
{
	return vaults_find(e->services.vaults, view_of(name));
}

void
vault_done(const struct vault **vault)
{
	vault_release(*vault);
}

view
site_code(const struct estate *e)
{
	return view_of(error_table[e->err.code].name);
}
