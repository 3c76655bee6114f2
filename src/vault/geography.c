#include "vault/vault.h"

#include "base/attr.h"

/* Public knowledge about the original's regions: which geography each belongs to. */
static const struct {
	const char *geography;
	const char *regions; /* between spaces */
} geographies[] = {
	{ "asiapacific", " eastasia southeastasia " },
	{ "australia", " australiacentral australiacentral2 australiaeast australiasoutheast " },
	{ "austria", " austriaeast " },
	{ "belgium", " belgiumcentral " },
	{ "brazil", " brazilsouth brazilsoutheast " },
	{ "canada", " canadacentral canadaeast " },
	{ "chile", " chilecentral " },
	{ "europe", " northeurope westeurope " },
	{ "france", " francecentral francesouth " },
	{ "germany", " germanynorth germanywestcentral " },
	{ "india", " centralindia southindia westindia jioindiacentral jioindiawest " },
	{ "indonesia", " indonesiacentral " },
	{ "israel", " israelcentral " },
	{ "italy", " italynorth " },
	{ "japan", " japaneast japanwest " },
	{ "korea", " koreacentral koreasouth " },
	{ "malaysia", " malaysiawest " },
	{ "mexico", " mexicocentral " },
	{ "newzealand", " newzealandnorth " },
	{ "norway", " norwayeast norwaywest " },
	{ "poland", " polandcentral " },
	{ "qatar", " qatarcentral " },
	{ "southafrica", " southafricanorth southafricawest " },
	{ "spain", " spaincentral " },
	{ "sweden", " swedencentral swedensouth " },
	{ "switzerland", " switzerlandnorth switzerlandwest " },
	{ "uae", " uaenorth uaecentral " },
	{ "uk", " uksouth ukwest " },
	{ "unitedstates",
	    " centralus eastus eastus2 northcentralus southcentralus westcentralus westus westus2 "
	    "westus3 " },
};

static bool
lists(view regions, view location)
{
	while (regions.len > 0) {
		if (view_ieq(view_cut(&regions, ' '), location))
			return true;
	}
	return false;
}

view
vault_geography(view location)
{
	for (size_t i = 0; i < COUNT_OF(geographies) && location.len > 0; i++) {
		if (lists(view_of(geographies[i].regions), location))
			return view_of(geographies[i].geography);
	}
	return location;
}
