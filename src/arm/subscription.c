#include "arm/arm.h"

#include "access/access.h"
#include "base/pack.h"

#define PREFIX "sub/"
#define FORMAT 1
#define LIST_MAX 1000

static bool
path_of(struct arena *arena, view id, view *out, struct error *err)
{
	return arena_print(arena, out, PREFIX "%.*s", VIEW_ARG(id)) || error_memory(err);
}

bool
subscription_create(struct tx *tx, const struct subscription *subscription, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	pack_u8(&document, FORMAT);
	pack_bytes(&document, uuid_view(&subscription->id));
	pack_bytes(&document, uuid_view(&subscription->tenant));
	pack_bytes(&document, subscription->name);
	return path_of(tx->arena, uuid_view(&subscription->id), &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

static bool
decode(view document, struct subscription *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT && uuid_parse(unpack_bytes(&in), &out->id) &&
	    uuid_parse(unpack_bytes(&in), &out->tenant);

	out->name = unpack_bytes(&in);
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "a subscription's document can't be read");
	return true;
}

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
	json_close(json, '}');
}

static bool
write_if_visible(struct request *r, const struct document *document, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct subscription subscription;

	if (!keyring_unseal(keyring_system(r->services->keyring), &document->value, document->key,
		&plain, err) ||
	    !decode(plain_view(plain), &subscription, err))
		return false;
	if (visible(r, &subscription))
		write_subscription(&r->json, &subscription);
	return true;
}

static bool
run_list(struct request *r, struct error *err)
{
	struct document *documents;
	size_t count;

	if (!store_scan(r->tx.reader, V(PREFIX), V(""), LIST_MAX, r->arena, &documents, &count,
		err))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	for (size_t i = 0; i < count; i++) {
		if (!write_if_visible(r, &documents[i], err))
			return false;
	}
	json_close(&r->json, ']');
	json_close(&r->json, '}');
	return true;
}

static bool
run_get(struct request *r, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct subscription subscription;
	struct uuid id;
	view path;

	if (uuid_parse(r->params[0], &id)) {
		if (!path_of(r->arena, uuid_view(&id), &path, err) ||
		    !tx_get(&r->tx, keyring_system(r->services->keyring), path, &document, err))
			return false;
	}
	if (document != NULL && !decode(plain_view(document), &subscription, err))
		return false;
	if (document == NULL || !visible(r, &subscription))
		return error_set(err, ERR_SUBSCRIPTION_NOT_FOUND,
		    "The subscription '%.*s' could not be found.", VIEW_ARG(r->params[0]));
	write_subscription(reply_json(r), &subscription);
	return true;
}

static bool
run_tenants(struct request *r, struct error *err)
{
	struct json *json = reply_json(r);

	(void)err;
	json_open(json, '{');
	json_open_in(json, "value", '[');
	json_open(json, '{');
	json_text_open(json, "id");
	json_text_part(json, V("/tenants/"));
	json_text_part(json, uuid_view(&r->caller.tenant));
	json_text_close(json);
	json_text(json, "tenantId", uuid_view(&r->caller.tenant));
	json_text(json, "tenantCategory", V("Home"));
	json_close(json, '}');
	json_close(json, ']');
	json_close(json, '}');
	return true;
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .method = HTTP_GET, .guard = GUARD_CALLER, \
	    .versioning = VERSION_ARM

const struct op subscription_ops[] = {
	{ "SubscriptionList", ROW, .path = "/subscriptions", .run = run_list },
	{ "SubscriptionGet", ROW, .path = "/subscriptions/{subscription}", .run = run_get },
	{ "TenantList", ROW, .path = "/tenants", .run = run_tenants },
	{ 0 },
};

/* clang-format on */
