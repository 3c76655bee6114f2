/*
 * Providers as clients see them: what types there are, in which versions; registration, which is
 * remembered.
 *
 * Documents: "reg/<subscription>/<space in lower case>": whether it is registered.
 */
#include "access/decide.h"
#include "arm/arm.h"
#include "arm/list.h"
#include "arm/location.h"
#include "arm/provider.h"

static bool
registration_path(struct request *r, const struct provider *provider, view *out, struct error *err)
{
	struct uuid subscription;
	view space;

	if (!uuid_parse(r->params[0], &subscription))
		return error_set(err, ERR_SUBSCRIPTION_INVALID,
		    "The provided subscription identifier '%.*s' is malformed or invalid.",
		    VIEW_ARG(r->params[0]));
	if (!id_lower(r->arena, view_of(provider->space), &space, err))
		return false;
	return arena_print(r->arena, out, "reg/%s/%.*s", subscription.text, VIEW_ARG(space)) ||
	    error_memory(err);
}

static bool
is_registered(struct request *r, const struct provider *provider, bool *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	view path;

	if (!registration_path(r, provider, &path, err) ||
	    !tx_get(&r->tx, keyring_system(r->tx.keyring), path, &document, err))
		return false;
	*out = document == NULL ? provider->registered : view_eq(plain_view(document), V("1"));
	return true;
}

static void
write_type(struct request *r, const struct resource_type *type)
{
	struct json *json = &r->json;
	view location;

	json_open(json, '{');
	json_text(json, "resourceType", view_of(type->name));
	json_open_in(json, "locations", '[');
	for (size_t i = 0; !type->placeless && (location = location_at(i)).len > 0; i++)
		json_text(json, NULL, location);
	json_close(json, ']');
	json_open_in(json, "apiVersions", '[');
	for (const char *const *version = type->versions; *version != NULL; version++)
		json_text(json, NULL, view_of(*version));
	json_close(json, ']');
	json_text(json, "defaultApiVersion", view_of(type->versions[0]));
	json_text(json, "capabilities",
	    type->placeless ? V("None") : V("SupportsTags, SupportsLocation"));
	json_close(json, '}');
}

static void
write_provider(struct request *r, const struct provider *provider, bool registered)
{
	struct json *json = &r->json;

	json_open(json, '{');
	json_text_open(json, "id");
	json_text_part(json, V("/subscriptions/"));
	json_text_part(json, r->params[0]);
	json_text_part(json, V("/providers/"));
	json_text_part(json, view_of(provider->space));
	json_text_close(json);
	json_text(json, "namespace", view_of(provider->space));
	json_open_in(json, "resourceTypes", '[');
	for (const struct resource_type *const *type = provider->types; *type != NULL; type++)
		write_type(r, *type);
	json_close(json, ']');
	json_text(json, "registrationState", registered ? V("Registered") : V("NotRegistered"));
	json_text(json, "registrationPolicy",
	    provider->registered ? V("RegistrationFree") : V("RegistrationRequired"));
	json_close(json, '}');
}

/* No secret, but nothing for those who have no business in the subscription. */
static bool
admit(struct request *r, view action, struct error *err)
{
	view scope;

	if (!arena_print(r->arena, &scope, "/subscriptions/%.*s", VIEW_ARG(r->params[0])))
		return error_memory(err);
	if (action.len > 0
		? caller_may(r, action, scope)
		: access_reaches(r->services->access, &r->caller.tenant, &r->caller.object, scope))
		return true;
	return access_refuse(r, action.len > 0 ? action : V("Microsoft.Resources/providers/read"),
	    scope, &(struct access_decision){ 0 }, err);
}

static bool
run_list(struct request *r, struct error *err)
{
	if (!admit(r, V(""), err))
		return false;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	for (const struct provider *const *at = r->services->providers; *at != NULL; at++) {
		bool registered;

		if (!is_registered(r, *at, &registered, err))
			return false;
		write_provider(r, *at, registered);
	}
	json_close(&r->json, ']');
	json_close(&r->json, '}');
	return true;
}

static bool
find(const struct request *r, const struct provider **out, struct error *err)
{
	*out = provider_find(r->services, r->params[1]);
	return *out != NULL ||
	    error_set(err, ERR_INVALID_NAMESPACE, "The resource namespace '%.*s' is invalid.",
		VIEW_ARG(r->params[1]));
}

static bool
run_get(struct request *r, struct error *err)
{
	const struct provider *provider;
	bool registered;

	if (!admit(r, V(""), err) || !find(r, &provider, err) ||
	    !is_registered(r, provider, &registered, err))
		return false;
	reply_json(r);
	write_provider(r, provider, registered);
	return true;
}

static bool
change(struct request *r, bool registered, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	const struct provider *provider;
	view path, action;

	if (!find(r, &provider, err))
		return false;
	if (!arena_print(r->arena, &action, "%s/%s/action", provider->space,
		registered ? "register" : "unregister"))
		return error_memory(err);
	buf_add_char(&document, registered ? '1' : '0');
	if (!admit(r, action, err) || !registration_path(r, provider, &path, err) ||
	    !tx_put(&r->tx, keyring_system(r->tx.keyring), path, &document, err))
		return false;
	reply_json(r);
	write_provider(r, provider, registered);
	return true;
}

static bool
run_register(struct request *r, struct error *err)
{
	return change(r, true, err);
}

static bool
run_unregister(struct request *r, struct error *err)
{
	return change(r, false, err);
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .guard = GUARD_CALLER, .versioning = VERSION_ARM
#define PATH "/subscriptions/{subscription}/providers"

const struct op provider_ops[] = {
	{ "ProviderList", ROW, .method = HTTP_GET, .path = PATH, .run = run_list },
	{ "ProviderGet", ROW, .method = HTTP_GET, .path = PATH "/{space}", .run = run_get },
	{ "ProviderRegister", ROW, .method = HTTP_POST, .path = PATH "/{space}/register",
	    .run = run_register },
	{ "ProviderUnregister", ROW, .method = HTTP_POST, .path = PATH "/{space}/unregister",
	    .run = run_unregister },
	{ 0 },
};

/* clang-format on */
