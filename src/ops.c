/*
 * Every operation there is, by folder.  A row not reached from here does not exist.
 */
#include "access/access.h"
#include "arm/arm.h"
#include "arm/keyvault.h"
#include "arm/machine.h"
#include "arm/managed_identity.h"
#include "arm/trusted_issuer.h"
#include "certs/ca.h"
#include "certs/certificate.h"
#include "certs/contact.h"
#include "certs/issuer.h"
#include "clock_api.h"
#include "graph/graph.h"
#include "health.h"
#include "keys/key.h"
#include "secrets/secret.h"
#include "signin/signin.h"

const struct op *const op_tables[] = {
	health_ops,
	sts_ops,
	graph_ops,
	metadata_ops,
	subscription_ops,
	trusted_issuer_ops,
	alias_ops,
	group_ops,
	location_ops,
	resources_ops,
	provider_ops,
	lock_ops,
	managed_identity_ops,
	machine_ops,
	tags_ops,
	assignment_ops,
	role_ops,
	deny_ops,
	explain_ops,
	secret_ops,
	key_ops_table,
	key_use_ops,
	key_release_ops,
	certificate_ops,
	pending_ops,
	issuer_ops,
	contact_ops,
	ca_ops,
	keyvault_ops,
	keyvault_deleted_ops,
	keyvault_policy_ops,
	keyvault_secret_ops,
	keyvault_fixed_ops,
	clock_ops,
	NULL,
};
