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

/* Names match in any case; NULL when there is none. */
const struct provider *provider_find(const struct services *services, view space);
const struct resource_type *provider_type(const struct services *services, view space, view type);

#endif
