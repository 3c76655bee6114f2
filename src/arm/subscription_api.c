/*
 * Subscriptions and tenants: what a caller may see of them.
 */
#include "access/access.h"
#include "arm/arm.h"
#include "identity/tenant_store.h"

/* Seen by those of its tenant who have a role somewhere in it. */
static bool
visible(struct request *r, const struct subscription *subscription)
{
	view scope;

	return view_eq(uuid_view(&subscription->tenant), uuid_view(&r->caller.tenant)) &&
	    arena_print(r->arena, &scope, "/subscriptions/%s", subscription->id.text) &&
	    access_reaches(r->services->access, &r->caller.tenant, &r->caller.object, scope);
}

static void
write_subscription(struct json *json, const struct subscription *subscription)
{
	json_open(json, '{');
	json_text_open(json, "id");
	json_text_part(json, V("/subscriptions/"));
	json_text_part(json, uuid_view(&subscription->id));
	json_text_close(json);
	json_text(json, "authorizationSource", V("RoleBased"));
	json_open_in(json, "managedByTenants", '[');
	json_close(json, ']');
	json_text(json, "subscriptionId", uuid_view(&subscription->id));
	json_text(json, "tenantId", uuid_view(&subscription->tenant));
	json_text(json, "displayName", subscription->name);
	json_text(json, "state", V("Enabled"));
	json_open_in(json, "subscriptionPolicies", '{');
	json_text(json, "locationPlacementId", V("Public_2014-09-01"));
	json_text(json, "quotaId", V("PayAsYouGo_2014-09-01"));
	json_text(json, "spendingLimit", V("Off"));
	json_close(json, '}');
	json_close(json, '}');
}

static bool
run_list(struct request *r, struct error *err)
{
	struct subscription *list;
	int64_t shown = 0;
	size_t count;

	if (!subscriptions_list(r->services->subscriptions, &r->caller.tenant, r->arena, &list,
		&count, err))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	for (size_t i = 0; i < count; i++) {
		if (!visible(r, &list[i]))
			continue;
		write_subscription(&r->json, &list[i]);
		shown++;
	}
	json_close(&r->json, ']');
	json_open_in(&r->json, "count", '{');
	json_text(&r->json, "type", V("Total"));
	json_number(&r->json, "value", shown);
	json_close(&r->json, '}');
	json_close(&r->json, '}');
	return true;
}

static bool
run_get(struct request *r, struct error *err)
{
	struct subscription subscription;
	struct uuid id;

	if (!uuid_parse(r->params[0], &id) ||
	    !subscriptions_find(r->services->subscriptions, &id, r->arena, &subscription) ||
	    !visible(r, &subscription))
		return error_set(err, ERR_SUBSCRIPTION_NOT_FOUND,
		    "The subscription '%.*s' could not be found.", VIEW_ARG(r->params[0]));
	write_subscription(reply_json(r), &subscription);
	return true;
}

/* The tenant's own document has its name. */
static bool
tenant_name(struct request *r, view *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct tenant_record record;
	view path;

	*out = V("");
	if (!arena_print(r->arena, &path, "t/%s", r->caller.tenant.text))
		return error_memory(err);
	if (!tx_get(&r->tx, keyring_system(r->services->keyring), path, &document, err))
		return false;
	if (document == NULL)
		return true;
	if (!tenant_record_read(plain_view(document), &record, err))
		return false;
	return arena_copy(r->arena, record.name, out) || error_memory(err);
}

static bool
run_tenants(struct request *r, struct error *err)
{
	struct json *json;
	view name;

	if (!tenant_name(r, &name, err))
		return false;
	json = reply_json(r);
	json_open(json, '{');
	json_open_in(json, "value", '[');
	json_open(json, '{');
	json_text_open(json, "id");
	json_text_part(json, V("/tenants/"));
	json_text_part(json, uuid_view(&r->caller.tenant));
	json_text_close(json);
	json_text(json, "tenantId", uuid_view(&r->caller.tenant));
	json_text(json, "tenantCategory", V("Home"));
	json_text(json, "tenantType", V("AAD"));
	if (name.len > 0)
		json_text(json, "displayName", name);
	json_open_in(json, "domains", '[');
	json_close(json, ']');
	json_close(json, '}');
	json_close(json, ']');
	json_close(json, '}');
	return true;
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .method = HTTP_GET, .guard = GUARD_CALLER, \
	    .versioning = VERSION_ARM

const struct op subscription_ops[] = {
	{ "SubscriptionList", ROW, .path = "/subscriptions", .cost = COST_POOL, .run = run_list },
	{ "SubscriptionGet", ROW, .path = "/subscriptions/{subscription}", .run = run_get },
	{ "TenantList", ROW, .path = "/tenants", .run = run_tenants },
	{ 0 },
};

/* clang-format on */
