#include "graph/object.h"

#include "crypto/hash.h"
#include "graph/text.h"

#include <stddef.h>

static void
write_time(struct json *json, const char *name, int64_t seconds)
{
	char text[GRAPH_TIME_LEN + 1];

	json_text(json, name, graph_time_print(seconds, text));
}

static void
write_name(struct json *json, view name)
{
	if (name.len > 0)
		json_text(json, "displayName", name);
	else
		json_null_value(json, "displayName");
}

void
graph_secret(const struct client_secret *secret, view text, struct json *json)
{
	json_null_value(json, "customKeyIdentifier");
	write_name(json, secret->name);
	write_time(json, "startDateTime", secret->start);
	write_time(json, "endDateTime", secret->end);
	json_text(json, "hint", (view){ secret->hint, sizeof(secret->hint) });
	json_text(json, "keyId", uuid_view(&secret->id));
	if (text.len > 0)
		json_text(json, "secretText", text);
	else
		json_null_value(json, "secretText");
}

/* The thumbprint in hex, as people know it from elsewhere. */
static void
write_thumbprint(view der, struct json *json)
{
	uint8_t digest[SHA1_LEN];
	char text[2 * SHA1_LEN];
	struct error err;

	if (!sha1(der, digest, &err)) {
		json_null_value(json, "customKeyIdentifier");
		return;
	}
	hex_encode((view){ (const char *)digest, sizeof(digest) }, text);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = ascii_upper(text[i]);
	json_text(json, "customKeyIdentifier", (view){ text, sizeof(text) });
}

static void
write_certificate(const struct client_certificate *certificate, struct json *json)
{
	json_open(json, '{');
	write_thumbprint(certificate->der, json);
	write_name(json, certificate->name);
	write_time(json, "startDateTime", certificate->start);
	write_time(json, "endDateTime", certificate->end);
	json_text(json, "keyId", uuid_view(&certificate->id));
	json_text(json, "type", V("AsymmetricX509Cert"));
	json_text(json, "usage", V("Verify"));
	json_null_value(json, "key");
	json_close(json, '}');
}

static void
write_certificates(const void *object, const char *name, struct json *json)
{
	const struct registration *from = object;

	json_open_in(json, name, '[');
	for (size_t i = 0; i < from->certificate_count; i++)
		write_certificate(&from->certificates[i], json);
	json_close(json, ']');
}

static void
write_secrets(const void *object, const char *name, struct json *json)
{
	const struct registration *from = object;

	json_open_in(json, name, '[');
	for (size_t i = 0; i < from->secret_count; i++) {
		json_open(json, '{');
		graph_secret(&from->secrets[i], V(""), json);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void
write_redirects(const struct registration *from, enum redirect_kind kind, struct json *json)
{
	json_open_in(json, "redirectUris", '[');
	for (size_t i = 0; i < from->redirect_count; i++) {
		if (from->redirect_kinds[i] == kind)
			json_text(json, NULL, from->redirects[i]);
	}
	json_close(json, ']');
}

static void
write_web(const void *object, const char *name, struct json *json)
{
	json_open_in(json, name, '{');
	json_null_value(json, "homePageUrl");
	json_null_value(json, "logoutUrl");
	write_redirects(object, REDIRECT_WEB, json);
	json_close(json, '}');
}

static void
write_public(const void *object, const char *name, struct json *json)
{
	json_open_in(json, name, '{');
	write_redirects(object, REDIRECT_PUBLIC, json);
	json_close(json, '}');
}

static void
write_spa(const void *object, const char *name, struct json *json)
{
	json_open_in(json, name, '{');
	write_redirects(object, REDIRECT_SPA, json);
	json_close(json, '}');
}

static void
write_enabled(const void *object, const char *name, struct json *json)
{
	const struct registration *from = object;

	json_flag(json, name, !from->disabled);
}

static bool
principal_type_value(const void *object, size_t i, view *out)
{
	const struct registration *from = object;

	*out = from->kind == REGISTRATION_IDENTITY ? V("ManagedIdentity") : V("Application");
	return i == 0;
}

static void
write_principal_type(const void *object, const char *name, struct json *json)
{
	view type;

	if (principal_type_value(object, 0, &type))
		json_text(json, name, type);
}

static bool
principal_name_value(const void *object, size_t i, view *out)
{
	const struct registration *from = object;

	*out = uuid_view(&from->id);
	return i == 0;
}

static void
write_principal_names(const void *object, const char *name, struct json *json)
{
	const struct registration *from = object;

	json_open_in(json, name, '[');
	json_text(json, NULL, uuid_view(&from->id));
	json_close(json, ']');
}

/* Who made a managed identity, a client of resource management or a host with its own. */
static void
write_alternative_names(const void *object, const char *name, struct json *json)
{
	const struct registration *from = object;

	json_open_in(json, name, '[');
	if (from->kind == REGISTRATION_IDENTITY) {
		json_text(json, NULL, V("isExplicit=True"));
		json_text(json, NULL, from->resource);
	}
	json_close(json, ']');
}

static bool
no_value(const void *object, size_t i, view *out)
{
	(void)object;
	(void)i;
	(void)out;
	return false;
}

#define OF(member) offsetof(struct registration, member)

static const struct graph_member application_members[] = {
	{ "id", MEMBER_UUID, OF(own), .filter = true, .key = true },
	{ .name = "deletedDateTime", .kind = MEMBER_NULL },
	{ "appId", MEMBER_UUID, OF(id), .filter = true, .key = true },
	{ "displayName", MEMBER_TEXT, OF(name), .filter = true },
	{ .name = "createdDateTime", .kind = MEMBER_TIME, .offset = OF(created) },
	{ "signInAudience", MEMBER_FIXED, .fixed = "AzureADMyOrg", .filter = true },
	{ "identifierUris", MEMBER_EMPTY, .value = no_value, .filter = true },
	{ "tags", MEMBER_EMPTY, .value = no_value, .filter = true },
	{ "web", MEMBER_OTHER, .write = write_web },
	{ "publicClient", MEMBER_OTHER, .write = write_public },
	{ "spa", MEMBER_OTHER, .write = write_spa },
	{ "keyCredentials", MEMBER_OTHER, .write = write_certificates },
	{ "passwordCredentials", MEMBER_OTHER, .write = write_secrets },
	{ .name = NULL },
};

/* The credentials are the application's: there is one list of them. */
static const struct graph_member principal_members[] = {
	{ "id", MEMBER_UUID, OF(object), .filter = true, .key = true },
	{ .name = "deletedDateTime", .kind = MEMBER_NULL },
	{ "accountEnabled", MEMBER_OTHER, .write = write_enabled },
	{ "appId", MEMBER_UUID, OF(id), .filter = true, .key = true },
	{ .name = "appDisplayName", .kind = MEMBER_TEXT, .offset = OF(name) },
	{ "appOwnerOrganizationId", MEMBER_UUID, OF(tenant), .filter = true },
	{ "displayName", MEMBER_TEXT, OF(name), .filter = true },
	{ .name = "createdDateTime", .kind = MEMBER_TIME, .offset = OF(created) },
	{ "servicePrincipalType", MEMBER_OTHER, .write = write_principal_type,
	    .value = principal_type_value, .filter = true },
	{ "servicePrincipalNames", MEMBER_OTHER, .write = write_principal_names,
	    .value = principal_name_value, .filter = true, .key = true },
	{ "alternativeNames", MEMBER_OTHER, .write = write_alternative_names },
	{ "tags", MEMBER_EMPTY, .value = no_value, .filter = true },
	{ "keyCredentials", MEMBER_OTHER, .write = write_certificates },
	{ "passwordCredentials", MEMBER_OTHER, .write = write_secrets },
	{ .name = NULL },
};

struct walk {
	graph_visit *visit;
	void *ctx;
};

static bool
visit_application(void *ctx, const struct registration *registration)
{
	const struct walk *walk = ctx;

	return registration->kind == REGISTRATION_IDENTITY || walk->visit(walk->ctx, registration);
}

static bool
visit_principal(void *ctx, const struct registration *registration)
{
	const struct walk *walk = ctx;

	return registration->bare || walk->visit(walk->ctx, registration);
}

static bool
walk_applications(struct tx *tx, const struct uuid *tenant, view after, size_t limit,
    graph_visit *visit, void *ctx, bool *end, struct error *err)
{
	struct walk walk = { visit, ctx };

	return registration_walk(tx, uuid_view(tenant), after, limit, visit_application, &walk, end,
	    err);
}

static bool
walk_principals(struct tx *tx, const struct uuid *tenant, view after, size_t limit,
    graph_visit *visit, void *ctx, bool *end, struct error *err)
{
	struct walk walk = { visit, ctx };

	return registration_walk(tx, uuid_view(tenant), after, limit, visit_principal, &walk, end,
	    err);
}

const struct graph_kind graph_application = {
	.collection = "applications",
	.type = "#microsoft.graph.application",
	.object = OBJECT_APPLICATION,
	.members = application_members,
	.mark = OF(id),
	.walk = walk_applications,
};

const struct graph_kind graph_service_principal = {
	.collection = "servicePrincipals",
	.type = "#microsoft.graph.servicePrincipal",
	.object = OBJECT_SERVICE_PRINCIPAL,
	.members = principal_members,
	.mark = OF(id),
	.walk = walk_principals,
};

void
graph_context(view authority, const char *name, bool entity, struct json *json)
{
	json_text_open(json, "@odata.context");
	json_text_part(json, V("https://"));
	json_text_part(json, authority);
	json_text_part(json, V("/v1.0/$metadata#"));
	json_text_part(json, view_of(name));
	json_text_part(json, entity ? V("/$entity") : V(""));
	json_text_close(json);
}
