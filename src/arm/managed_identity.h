/*
 * Microsoft.ManagedIdentity: user-assigned identities, each with a service principal of the
 * directory that lives as long as the resource does, and their federated credentials.
 */
#ifndef ARM_MANAGED_IDENTITY_H
#define ARM_MANAGED_IDENTITY_H

#include "arm/provider.h"

#define IDENTITY_SPACE "Microsoft.ManagedIdentity"
#define IDENTITY_TYPE "userAssignedIdentities"

/* What a resource's identity is called in the directory. */
struct identity_ids {
	struct uuid tenant;
	struct uuid object;      /* principalId */
	struct uuid application; /* clientId */
};

/* identity_ids_of(resource, out): Of a user-assigned identity; false: it is none. */
bool identity_ids_of(const struct resource *resource, struct identity_ids *out);

/* identity_name_valid(name): 3 to 128 letters, digits, dashes, underscores; no sign in front. */
bool identity_name_valid(view name);

extern const struct provider managed_identity_provider;
extern const struct op managed_identity_ops[];

#endif
