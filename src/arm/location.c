#include "arm/location.h"

#include "arm/arm.h"
#include "vault/vault.h"

/* Public knowledge about the original's regions. */
static const struct location {
	const char *name, *title;
} locations[] = {
	{ "australiacentral", "Australia Central" },
	{ "australiacentral2", "Australia Central 2" },
	{ "australiaeast", "Australia East" },
	{ "australiasoutheast", "Australia Southeast" },
	{ "austriaeast", "Austria East" },
	{ "belgiumcentral", "Belgium Central" },
	{ "brazilsouth", "Brazil South" },
	{ "brazilsoutheast", "Brazil Southeast" },
	{ "canadacentral", "Canada Central" },
	{ "canadaeast", "Canada East" },
	{ "centralindia", "Central India" },
	{ "centralus", "Central US" },
	{ "chilecentral", "Chile Central" },
	{ "eastasia", "East Asia" },
	{ "eastus", "East US" },
	{ "eastus2", "East US 2" },
	{ "francecentral", "France Central" },
	{ "francesouth", "France South" },
	{ "germanynorth", "Germany North" },
	{ "germanywestcentral", "Germany West Central" },
	{ "indonesiacentral", "Indonesia Central" },
	{ "israelcentral", "Israel Central" },
	{ "italynorth", "Italy North" },
	{ "japaneast", "Japan East" },
	{ "japanwest", "Japan West" },
	{ "jioindiacentral", "Jio India Central" },
	{ "jioindiawest", "Jio India West" },
	{ "koreacentral", "Korea Central" },
	{ "koreasouth", "Korea South" },
	{ "malaysiawest", "Malaysia West" },
	{ "mexicocentral", "Mexico Central" },
	{ "newzealandnorth", "New Zealand North" },
	{ "northcentralus", "North Central US" },
	{ "northeurope", "North Europe" },
	{ "norwayeast", "Norway East" },
	{ "norwaywest", "Norway West" },
	{ "polandcentral", "Poland Central" },
	{ "qatarcentral", "Qatar Central" },
	{ "southafricanorth", "South Africa North" },
	{ "southafricawest", "South Africa West" },
	{ "southcentralus", "South Central US" },
	{ "southeastasia", "Southeast Asia" },
	{ "southindia", "South India" },
	{ "spaincentral", "Spain Central" },
	{ "swedencentral", "Sweden Central" },
	{ "swedensouth", "Sweden South" },
	{ "switzerlandnorth", "Switzerland North" },
	{ "switzerlandwest", "Switzerland West" },
	{ "uaecentral", "UAE Central" },
	{ "uaenorth", "UAE North" },
	{ "uksouth", "UK South" },
	{ "ukwest", "UK West" },
	{ "westcentralus", "West Central US" },
	{ "westeurope", "West Europe" },
	{ "westindia", "West India" },
	{ "westus", "West US" },
	{ "westus2", "West US 2" },
	{ "westus3", "West US 3" },
};

bool
location_normal(struct arena *arena, view text, view *out, struct error *err)
{
	char *name = arena_alloc(arena, text.len + 1);
	size_t len = 0;

	if (name == NULL)
		return error_memory(err);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != ' ')
			name[len++] = ascii_lower(text.ptr[i]);
	}
	*out = (view){ name, len };
	return true;
}

static const struct location *
find(view name)
{
	for (size_t i = 0; i < COUNT_OF(locations); i++) {
		if (view_eq(view_of(locations[i].name), name))
			return &locations[i];
	}
	return NULL;
}

/* The setting may be written "West Europe", too. */
static bool
is_own(const struct services *services, view name)
{
	view own = view_of(services->location);
	size_t at = 0;

	for (size_t i = 0; i < own.len; i++) {
		if (own.ptr[i] == ' ')
			continue;
		if (at == name.len || name.ptr[at++] != ascii_lower(own.ptr[i]))
			return false;
	}
	return own.len > 0 && at == name.len;
}

bool
location_known(const struct services *services, view name)
{
	return find(name) != NULL || is_own(services, name);
}

view
location_title(view name)
{
	const struct location *location = find(name);

	return location == NULL ? name : view_of(location->title);
}

view
location_at(size_t i)
{
	return i < COUNT_OF(locations) ? view_of(locations[i].title) : V("");
}

static void
write_location(struct request *r, view name)
{
	struct json *json = &r->json;

	json_open(json, '{');
	json_text_open(json, "id");
	json_text_part(json, V("/subscriptions/"));
	json_text_part(json, r->params[0]);
	json_text_part(json, V("/locations/"));
	json_text_part(json, name);
	json_text_close(json);
	json_text(json, "name", name);
	json_text(json, "type", V("Region"));
	json_text(json, "displayName", location_title(name));
	json_text(json, "regionalDisplayName", location_title(name));
	json_open_in(json, "metadata", '{');
	json_text(json, "regionType", V("Physical"));
	json_text(json, "regionCategory", V("Recommended"));
	json_text(json, "geographyGroup", vault_geography(name));
	json_text(json, "geography", vault_geography(name));
	json_close(json, '}');
	json_close(json, '}');
}

static bool
run_list(struct request *r, struct error *err)
{
	view own;

	if (!location_normal(r->arena, view_of(r->services->location), &own, err))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	if (own.len > 0 && find(own) == NULL)
		write_location(r, own);
	for (size_t i = 0; i < COUNT_OF(locations); i++)
		write_location(r, view_of(locations[i].name));
	json_close(&r->json, ']');
	json_close(&r->json, '}');
	return true;
}

const struct op location_ops[] = {
	{ "LocationList", .plane = PLANE_MANAGEMENT, .method = HTTP_GET, .guard = GUARD_SCOPE,
	    .versioning = VERSION_ARM, .path = "/subscriptions/{subscription}/locations",
	    .action = "Microsoft.Resources/subscriptions/locations/read", .run = run_list },
	{ 0 },
};
