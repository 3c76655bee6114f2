#include "arm/group.h"
#include "arm/machine.h"
#include "arm/managed_identity.h"
#include "arm/provider.h"

const struct provider *const provider_list[] = {
	&machine_provider,
	&managed_identity_provider,
	&resources_provider,
	&authorization_provider,
	NULL,
};

const struct provider *
provider_find(const struct services *services, view space)
{
	const struct provider *const *at = services->providers;

	while (at != NULL && *at != NULL && !view_ieq(view_of((*at)->space), space))
		at++;
	return at == NULL ? NULL : *at;
}

const struct resource_type *
provider_type(const struct services *services, view space, view type)
{
	const struct provider *provider = provider_find(services, space);
	const struct resource_type *const *at = provider == NULL ? NULL : provider->types;

	while (at != NULL && *at != NULL && !view_ieq(view_of((*at)->name), type))
		at++;
	return at == NULL ? NULL : *at;
}
