#include "acme/jws.h"

#include "base/base64.h"
#include "base/json.h"
#include "crypto/hash.h"

static view
octets_of(const uint8_t *bytes, size_t len)
{
	return (view){ (const char *)bytes, len };
}

/* The members in the order that the thumbprint wants. */
static void
write_key(const struct acme *acme, const char *name, struct json *json)
{
	if (name == NULL)
		json_open(json, '{');
	else
		json_open_in(json, name, '{');
	json_text(json, "crv", V("P-256"));
	json_text(json, "kty", V("EC"));
	json_bytes(json, "x", octets_of(acme->x, sizeof(acme->x)));
	json_bytes(json, "y", octets_of(acme->y, sizeof(acme->y)));
	json_close(json, '}');
}

/* The signing input: both parts in base64url, a dot between. */
static bool
make_input(view protected, view payload, struct buf *out, size_t *head, struct error *err)
{
	base64_encode(BASE64URL, protected, out);
	*head = out->len;
	buf_add_char(out, '.');
	base64_encode(BASE64URL, payload, out);
	return buf_ok(out) || error_memory(err);
}

static bool
write_jws(const struct buf *input, size_t head, view signature, struct buf *out, struct error *err)
{
	struct json json = json_to(out);

	json_open(&json, '{');
	json_text(&json, "protected", (view){ input->ptr, head });
	json_text(&json, "payload", view_from(buf_view(input), head + 1));
	json_bytes(&json, "signature", signature);
	json_close(&json, '}');
	return buf_ok(out) || error_memory(err);
}

bool
jws_make(const struct acme *acme, const char *account, const char *nonce, const char *url,
    view payload, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf header = { 0 }, input = { 0 };
	struct json json = json_to(&header);
	uint8_t signature[ACME_SIGNATURE_LEN];
	size_t head;

	json_open(&json, '{');
	json_text(&json, "alg", V("ES256"));
	if (account == NULL)
		write_key(acme, "jwk", &json);
	else
		json_text(&json, "kid", view_of(account));
	json_text(&json, "nonce", view_of(nonce));
	json_text(&json, "url", view_of(url));
	json_close(&json, '}');
	if (!buf_ok(&header))
		return error_memory(err);
	return make_input(buf_view(&header), payload, &input, &head, err) &&
	    acme->sign(acme->ctx, buf_view(&input), signature, err) &&
	    write_jws(&input, head, octets_of(signature, sizeof(signature)), out, err);
}

bool
jws_binding(const struct acme *acme, const char *url, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf header = { 0 }, key = { 0 }, input = { 0 };
	struct json json = json_to(&header), payload = json_to(&key);
	uint8_t mac[SHA256_LEN];
	size_t head;

	json_open(&json, '{');
	json_text(&json, "alg", V("HS256"));
	json_text(&json, "kid", acme->binding_id);
	json_text(&json, "url", view_of(url));
	json_close(&json, '}');
	write_key(acme, NULL, &payload);
	if (!buf_ok(&header) || !buf_ok(&key))
		return error_memory(err);
	return make_input(buf_view(&header), buf_view(&key), &input, &head, err) &&
	    hmac_sha256(acme->binding_key, buf_view(&input), mac, err) &&
	    write_jws(&input, head, octets_of(mac, sizeof(mac)), out, err);
}

bool
jws_key_authorization(const struct acme *acme, view token, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf key = { 0 };
	struct json json = json_to(&key);
	uint8_t thumbprint[SHA256_LEN];
	view text;

	write_key(acme, NULL, &json);
	text = buf_view(&key);
	if (!buf_ok(&key))
		return error_memory(err);
	if (!sha256(&text, 1, thumbprint, err))
		return false;
	buf_add(out, token);
	buf_add_char(out, '.');
	base64_encode(BASE64URL, octets_of(thumbprint, sizeof(thumbprint)), out);
	return buf_ok(out) || error_memory(err);
}

bool
jws_dns_value(view authorization, struct buf *out, struct error *err)
{
	uint8_t digest[SHA256_LEN];

	if (!sha256(&authorization, 1, digest, err))
		return false;
	base64_encode(BASE64URL, octets_of(digest, sizeof(digest)), out);
	return buf_ok(out) || error_memory(err);
}
