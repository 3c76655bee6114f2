#include "identity/token_issue.h"

#include "base/base64.h"
#include "base/json.h"
#include "crypto/random.h"

#include <stdio.h>

static void
write_header(const struct token_key *key, struct buf *out)
{
	struct json json = json_to(out);

	json_open(&json, '{');
	json_text(&json, "typ", V("JWT"));
	json_text(&json, "alg", V("RS256"));
	json_text(&json, "kid", key->kid);
	json_close(&json, '}');
}

void
token_write_random(struct json *json, const char *name, view prefix, size_t len)
{
	AUTO(buf_free) struct buf text = { 0 };
	char bytes[TOKEN_OPAQUE_BYTES];

	random_bytes(bytes, len);
	buf_add(&text, prefix);
	base64_encode(BASE64URL, (view){ bytes, len }, &text);
	json_text(json, name, buf_view(&text));
}

/* The claims of a v1.0 access token of an application, in Entra's order. */
static void
write_claims(const struct directory *directory, const struct token_wish *wish, struct buf *out)
{
	const struct registration *application = wish->application;
	char issuer[sizeof(((struct caller *)0)->issuer)];
	struct json json = json_to(out);

	(void)snprintf(issuer, sizeof(issuer), "%s/%s/", directory->issuer,
	    application->tenant.text);
	json_open(&json, '{');
	json_text(&json, "aud", wish->resource);
	json_text(&json, "iss", view_of(issuer));
	json_number(&json, "iat", wish->now);
	json_number(&json, "nbf", wish->now);
	json_number(&json, "exp", wish->now + TOKEN_SECONDS);
	token_write_random(&json, "aio", V(""), TOKEN_OPAQUE_BYTES);
	json_text(&json, "appid", uuid_view(&application->id));
	json_text(&json, "appidacr", wish->proof);
	json_text(&json, "idp", view_of(issuer));
	json_text(&json, "idtyp", V("app"));
	json_text(&json, "oid", uuid_view(&application->object));
	token_write_random(&json, "rh", V("1."), TOKEN_OPAQUE_BYTES);
	json_text(&json, "sub", uuid_view(&application->object));
	json_text(&json, "tid", uuid_view(&application->tenant));
	token_write_random(&json, "uti", V(""), 16);
	json_text(&json, "ver", V("1.0"));
	if (wish->host.len > 0)
		json_text(&json, "xms_az_rid", wish->host);
	if (application->kind == REGISTRATION_IDENTITY)
		json_text(&json, "xms_mirid", application->resource);
	json_number(&json, "xms_tcdt", wish->tenant_created);
	json_close(&json, '}');
}

bool
token_seal(struct directory *directory, const struct uuid *tenant, int64_t now, view claims,
    struct buf *out, struct error *err)
{
	AUTO(token_key_done)
	struct token_key *key = directory_hold_current(directory, tenant, now);
	AUTO(buf_free) struct buf json = { 0 }, text = { 0 }, signature = { 0 };

	if (key == NULL)
		return error_set(err, ERR_UNAVAILABLE, "The tenant has no signing key.");
	write_header(key, &json);
	base64_encode(BASE64URL, buf_view(&json), &text);
	buf_add_char(&text, '.');
	base64_encode(BASE64URL, claims, &text);
	if (!buf_ok(&json) || !buf_ok(&text))
		return error_memory(err);
	if (!signing_key_sign(key->private_key, SIGNATURE_RS256, buf_view(&text), &signature, err))
		return false;
	buf_add_char(&text, '.');
	base64_encode(BASE64URL, buf_view(&signature), &text);
	buf_add(out, buf_view(&text));
	return (buf_ok(&text) && buf_ok(out)) || error_memory(err);
}

bool
token_issue(struct directory *directory, const struct token_wish *wish, struct buf *out,
    struct error *err)
{
	AUTO(buf_free) struct buf claims = { 0 };

	write_claims(directory, wish, &claims);
	if (!buf_ok(&claims))
		return error_memory(err);
	return token_seal(directory, &wish->application->tenant, wish->now, buf_view(&claims), out,
	    err);
}
