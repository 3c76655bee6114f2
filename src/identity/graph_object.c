#include "identity/graph_object.h"

#include "crypto/hash.h"
#include "identity/graph_text.h"

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
write_credentials(const struct registration *from, struct json *json)
{
	json_open_in(json, "keyCredentials", '[');
	for (size_t i = 0; i < from->certificate_count; i++)
		write_certificate(&from->certificates[i], json);
	json_close(json, ']');
	json_open_in(json, "passwordCredentials", '[');
	for (size_t i = 0; i < from->secret_count; i++) {
		json_open(json, '{');
		graph_secret(&from->secrets[i], V(""), json);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void
write_empty(struct json *json, const char *name)
{
	json_open_in(json, name, '[');
	json_close(json, ']');
}

static void
write_application(const struct registration *from, struct json *json)
{
	json_text(json, "id", uuid_view(&from->own));
	json_null_value(json, "deletedDateTime");
	json_text(json, "appId", uuid_view(&from->id));
	json_text(json, "displayName", from->name);
	write_time(json, "createdDateTime", from->created);
	json_text(json, "signInAudience", V("AzureADMyOrg"));
	write_empty(json, "identifierUris");
	write_empty(json, "tags");
	write_credentials(from, json);
}

static void
write_service_principal(const struct registration *from, struct json *json)
{
	json_text(json, "id", uuid_view(&from->object));
	json_null_value(json, "deletedDateTime");
	json_flag(json, "accountEnabled", true);
	json_text(json, "appId", uuid_view(&from->id));
	json_text(json, "appDisplayName", from->name);
	json_text(json, "appOwnerOrganizationId", uuid_view(&from->tenant));
	json_text(json, "displayName", from->name);
	write_time(json, "createdDateTime", from->created);
	json_text(json, "servicePrincipalType", V("Application"));
	json_open_in(json, "servicePrincipalNames", '[');
	json_text(json, NULL, uuid_view(&from->id));
	json_close(json, ']');
	write_empty(json, "alternativeNames");
	write_empty(json, "tags");
	/* The credentials are the application's. */
	write_empty(json, "keyCredentials");
	write_empty(json, "passwordCredentials");
}

const struct graph_kind graph_application = {
	.collection = "applications",
	.type = "#microsoft.graph.application",
	.object = OBJECT_APPLICATION,
	.write = write_application,
};

const struct graph_kind graph_service_principal = {
	.collection = "servicePrincipals",
	.type = "#microsoft.graph.servicePrincipal",
	.object = OBJECT_SERVICE_PRINCIPAL,
	.write = write_service_principal,
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
