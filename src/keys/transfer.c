#include "keys/transfer.h"

#include "base/base64.h"

struct transfer_body {
	struct body_text schema, kid, alg, enc, ciphertext;
};

/* clang-format off */

#define TEXT(called, member, limit) \
	{ .name = called, .kind = FIELD_TEXT, .max = limit, .required = true, \
	  .offset = offsetof(struct transfer_body, member) }

static const struct field header_fields[] = {
	TEXT("kid", kid, 512),
	TEXT("alg", alg, 32),
	TEXT("enc", enc, 64),
	{ 0 },
};

static const struct field transfer_fields[] = {
	TEXT("schema_version", schema, 16),
	{ .name = "header", .kind = FIELD_OBJECT, .fields = header_fields, .required = true },
	TEXT("ciphertext", ciphertext, TRANSFER_TEXT_MAX),
	{ 0 },
};

/* clang-format on */

static bool
malformed(const char *what, struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER,
	    "The property \"key_hsm\" must be a key transfer blob: %s.", what);
}

static bool
decode(view text, struct arena *arena, view *out, struct error *err)
{
	char *bytes = arena_alloc(arena, text.len + 1);
	size_t len;

	if (bytes == NULL)
		return error_memory(err);
	if (!base64_decode(BASE64URL, text, bytes, &len) &&
	    !base64_decode(BASE64, text, bytes, &len))
		return malformed("it is not base64url", err);
	*out = (view){ bytes, len };
	return true;
}

bool
transfer_read(view text, struct arena *arena, struct transfer *out, struct error *err)
{
	struct transfer_body body = { 0 };
	struct error inner;
	view json, wrapped;

	if (!decode(text, arena, &json, err))
		return false;
	if (!body_read(json, transfer_fields, &body, arena, &inner))
		return inner.code == ERR_BAD_PARAMETER ? malformed("it is not that JSON", err)
						       : error_memory(err);
	if (!view_eq(body.schema.text, V("1.0.0")))
		return malformed("its schema_version is not 1.0.0", err);
	if (!view_eq(body.alg.text, V("dir")) || !view_eq(body.enc.text, V("CKM_RSA_AES_KEY_WRAP")))
		return malformed("its alg is not dir, or its enc not CKM_RSA_AES_KEY_WRAP", err);
	if (!decode(body.ciphertext.text, arena, &wrapped, err))
		return false;
	*out = (struct transfer){ body.kid.text, wrapped };
	return true;
}

/* "https://AUTHORITY/keys/NAME/VERSION" */
static bool
parse_kid(const struct request *r, view kid, view *name, view *version)
{
	view rest = kid;

	if (!view_eq(view_cut(&rest, '/'), V("https:")) || view_cut(&rest, '/').len > 0 ||
	    !view_ieq(view_cut(&rest, '/'), r->authority) ||
	    !view_eq(view_cut(&rest, '/'), V("keys")))
		return false;
	*name = view_cut(&rest, '/');
	*version = rest;
	return rest.len > 0;
}

static bool
no_exchange(struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER,
	    "The property \"key_hsm\" names no key exchange key of this vault: an enabled version "
	    "of a key of type RSA-HSM whose only operation is import.");
}

bool
transfer_exchange(struct request *r, const struct transfer *transfer, struct key *out,
    struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	view name, id;

	if (!parse_kid(r, transfer->kid, &name, &id))
		return no_exchange(err);
	if (!object_require(r, &key_type, name, id, TO_READ, &object, &version, err))
		return err->code == ERR_KEY_NOT_FOUND || err->code == ERR_BAD_PARAMETER
		    ? no_exchange(err)
		    : false;
	if (!key_of(r, &object, &version, out, err))
		return false;
	if (!version.attributes.enabled || !out->material.spec.exchange)
		return no_exchange(err);
	return key_keep(r, out, err);
}
