/*
 * For the tests of vaults as resources: an estate with Microsoft.KeyVault in it.
 */
#ifndef ARM_KEYVAULT_TESTING_H
#define ARM_KEYVAULT_TESTING_H

#include "arm/keyvault.h"
#include "arm/testing.h"
#include "base/testing.h"

#define G S "/resourceGroups/Group"
#define VAULTS G "/providers/Microsoft.KeyVault/vaults"
#define V1 VAULTS "/Vault-One"
#define SECRET V1 "/secrets/Word"
#define KV S "/providers/Microsoft.KeyVault"
#define DELETED KV "/locations/westeurope/deletedVaults/vault-one"
#define OLD "?api-version=2023-07-01"
#define NEW "?api-version=2026-02-01"
#define STRANGER "00000000-0000-4000-8000-0000000000ee"
#define ONE "00000000-0000-4000-8000-000000000001"
#define TWO "00000000-0000-4000-8000-000000000002"

/* clang-format off */

#define BODY(more) \
	"{\"location\":\"West Europe\",\"tags\":{\"t\":\"1\"},\"properties\":{" \
	"\"tenantId\":\"" ESTATE_TENANT "\"," \
	"\"sku\":{\"family\":\"A\",\"name\":\"standard\"}" more "}}"
#define JUST(properties) "{\"properties\":{" properties "}}"
#define POLICY(object, secrets) \
	"{\"tenantId\":\"" ESTATE_TENANT "\",\"objectId\":\"" object \
	"\",\"permissions\":{\"secrets\":[" secrets "]}}"

/* clang-format on */

/* A request by the estate's owner, and the status it must have. */
#define DO(method, target, body, status)                                             \
	do {                                                                         \
		int status_ = estate_do(e, HTTP_##method, target, body);             \
                                                                                     \
		if (status_ != (status))                                             \
			print_error("%s: %d %s\n", target, status_, e->err.message); \
		assert_int_equal(status_, status);                                   \
	} while (0)

/* For cmocka: *state is the struct estate. */
int site_setup(void **state);
int site_teardown(void **state);

/* site_vault(e, name): As the data plane finds it; vault_done for AUTO. */
const struct vault *site_vault(struct estate *e, const char *name);
void vault_done(const struct vault **vault);

view site_code(const struct estate *e); /* of the last refusal */

#endif
