/*
 * Resource providers: a namespace and the types in it.  A provider is one file, which ends with its
 * struct provider and its rows; the list of all is in providers.c.
 */
#ifndef ARM_PROVIDER_H
#define ARM_PROVIDER_H

#include "arm/resource.h"

struct provider {
	const char *space;                        /* "Microsoft.KeyVault" */
	const struct resource_type *const *types; /* NULL at the end */
	bool registered; /* in every subscription, without being asked to */
};

/* All there are, NULL at the end: services.providers. */
extern const struct provider *const provider_list[];
extern const struct provider authorization_provider; /* Microsoft.Authorization: locks */

/* Names match in any case; NULL when there is none. */
const struct provider *provider_find(const struct services *services, view space);
const struct resource_type *provider_type(const struct services *services, view space, view type);

/*
 * provider_version_check(r, version, err):
 * For the guard, after ${version} was found to look like one: is it one of the type's that r->path
 * is about?  True for what no table knows.  ERR_NO_REGISTERED_PROVIDER, with the versions there
 * are.
 */
MUST_USE bool provider_version_check(const struct request *r, view version, struct error *err);

/*
 * provider_unrouted(r, err):
 * Why is there no row for r->path?  Turns ERR_NOT_FOUND in ${err} into ERR_INVALID_NAMESPACE or
 * ERR_INVALID_TYPE where that is the reason.
 */
void provider_unrouted(const struct request *r, struct error *err);

#endif
