#include "keys/key_body.h"

#include "base/base64.h"
#include "keys/transfer.h"

/* clang-format off */

static const struct field exportable_fields[] = {
	{ .name = "exportable", .kind = FIELD_FLAG,
	  .offset = offsetof(struct key_common_body, exportable) },
	{ 0 },
};

static const struct field release_fields[] = {
	{ .name = "data", .kind = FIELD_TEXT,
	  .offset = offsetof(struct key_common_body, release_data) },
	{ 0 },
};

/* The attributes stand here twice, because keys have one more than every object has. */
#define COMMON_FIELDS \
	{ .name = "tags", .kind = FIELD_TAGS, .max = OBJECT_TAGS_MAX, \
	  .offset = offsetof(struct key_common_body, tags) }, \
	{ .name = "attributes", .kind = FIELD_OBJECT, .fields = attributes_fields, \
	  .offset = offsetof(struct key_common_body, attributes) }, \
	{ .name = "attributes", .kind = FIELD_OBJECT, .fields = exportable_fields }, \
	{ .name = "release_policy", .kind = FIELD_OBJECT, .fields = release_fields }

#define OPS_FIELD \
	{ .name = "key_ops", .kind = FIELD_TEXTS, .max = KEY_OPS_MAX, \
	  .size = KEY_NAME_OF_OP_MAX, .offset = offsetof(struct key_common_body, ops) }

#define TEXT(type, called, member, limit) \
	{ .name = called, .kind = FIELD_TEXT, .max = limit, .offset = offsetof(type, member) }

/* The common body stands first in the others. */
const struct field key_update_fields[] = { COMMON_FIELDS, OPS_FIELD, { 0 } };

const struct field key_create_fields[] = {
	COMMON_FIELDS,
	OPS_FIELD,
	{ .name = "kty", .kind = FIELD_TEXT, .max = 16, .required = true,
	  .offset = offsetof(struct key_create_body, kty) },
	TEXT(struct key_create_body, "crv", crv, 16),
	{ .name = "key_size", .kind = FIELD_NUMBER,
	  .offset = offsetof(struct key_create_body, size) },
	{ .name = "public_exponent", .kind = FIELD_NUMBER,
	  .offset = offsetof(struct key_create_body, exponent) },
	{ 0 },
};

#define NUMBER(member) TEXT(struct key_import_body, #member, member, KEY_NUMBER_TEXT_MAX)

static const struct field jwk_fields[] = {
	TEXT(struct key_import_body, "kty", kty, 16),
	TEXT(struct key_import_body, "crv", crv, 16),
	OPS_FIELD,
	NUMBER(n), NUMBER(e), NUMBER(d), NUMBER(p), NUMBER(q), NUMBER(dp), NUMBER(dq), NUMBER(qi),
	NUMBER(x), NUMBER(y), NUMBER(k),
	TEXT(struct key_import_body, "key_hsm", transfer, TRANSFER_TEXT_MAX),
	{ 0 },
};

const struct field key_random_fields[] = {
	{ .name = "count", .kind = FIELD_NUMBER, .required = true,
	  .offset = offsetof(struct key_random_body, count) },
	{ 0 },
};

const struct field key_import_fields[] = {
	COMMON_FIELDS,
	{ .name = "key", .kind = FIELD_OBJECT, .fields = jwk_fields, .required = true },
	{ .name = "Hsm", .kind = FIELD_FLAG, .offset = offsetof(struct key_import_body, hsm) },
	{ 0 },
};

/* clang-format on */

static bool
kind_of(view kty, struct key_spec *out, struct error *err)
{
	return key_type_find(kty, out) ||
	    error_set(err, ERR_KEY_TYPE, "Invalid kty value: %.*s", VIEW_ARG(kty));
}

static bool
curve_of(view crv, struct key_spec *out, struct error *err)
{
	out->curve = key_curve_find(crv);
	if (out->curve == 0)
		return error_set(err, ERR_BAD_PARAMETER, "Invalid crv value: %.*s", VIEW_ARG(crv));
	return true;
}

/* A size chooses the curve when none is named, and must be that of the one that is. */
static bool
curve_by_size(const struct body_number *size, struct key_spec *out, struct error *err)
{
	for (enum key_curve curve = KEY_P256; curve <= KEY_P521; curve++) {
		if (size->value != key_field_bits(curve) ||
		    (out->curve != 0 && out->curve != curve))
			continue;
		out->curve = curve;
		return true;
	}
	return error_set(err, ERR_BAD_PARAMETER,
	    "Unsupported key size (%lld). Supported sizes are [256, 384, 521]",
	    (long long)size->value);
}

static bool
ec_of_create(const struct key_create_body *body, struct key_spec *out, struct error *err)
{
	if (body->crv.given && !curve_of(body->crv.text, out, err))
		return false;
	if (body->size.given && !curve_by_size(&body->size, out, err))
		return false;
	if (out->curve == 0)
		out->curve = KEY_P256;
	out->bits = key_field_bits(out->curve);
	return true;
}

bool
key_spec_of_create(const struct key_create_body *body, struct key_spec *out, struct error *err)
{
	struct key_spec spec = { 0 };

	if (!kind_of(body->kty.text, &spec, err))
		return false;
	if (spec.kind == KEY_EC) {
		if (!ec_of_create(body, &spec, err))
			return false;
	} else if (!body->size.given) {
		spec.bits = spec.kind == KEY_RSA ? 2048 : 256;
	} else if (body->size.value > 0 && body->size.value <= UINT16_MAX) {
		spec.bits = (unsigned)body->size.value;
	}
	*out = spec;
	return true;
}

bool
key_spec_of_import(const struct key_import_body *body, struct key_spec *out, struct error *err)
{
	struct key_spec spec = { 0 };

	if (!kind_of(body->kty.text, &spec, err))
		return false;
	spec.hsm = spec.hsm || body->hsm.value;
	/* The original's vaults take in symmetric keys only for an HSM. */
	if (spec.kind == KEY_OCT && !spec.hsm)
		return error_set(err, ERR_KEY_TYPE, "Invalid kty value: oct");
	if (spec.kind == KEY_EC) {
		if (!curve_of(body->crv.text, &spec, err))
			return false;
		spec.bits = key_field_bits(spec.curve);
	}
	*out = spec;
	return true;
}

bool
key_bytes(const char *name, const struct body_text *text, struct arena *arena, view *out,
    struct error *err)
{
	char *bytes = arena_alloc(arena, text->text.len + 1);
	size_t len;

	if (bytes == NULL)
		return error_memory(err);
	if (!base64_decode(BASE64URL, text->text, bytes, &len))
		return error_set(err, ERR_BAD_PARAMETER, "Property '%s' is not base64url.", name);
	*out = (view){ bytes, len };
	return true;
}

bool
key_numbers_of_import(const struct key_import_body *body, struct arena *arena,
    struct key_numbers *out, struct error *err)
{
	const struct {
		const char *name;
		const struct body_text *text;
		view *out;
	} numbers[] = {
		{ "n", &body->n, &out->n },
		{ "e", &body->e, &out->e },
		{ "d", &body->d, &out->d },
		{ "p", &body->p, &out->p },
		{ "q", &body->q, &out->q },
		{ "dp", &body->dp, &out->dp },
		{ "dq", &body->dq, &out->dq },
		{ "qi", &body->qi, &out->qi },
		{ "x", &body->x, &out->x },
		{ "y", &body->y, &out->y },
		{ "k", &body->k, &out->k },
	};

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		if (!key_bytes(numbers[i].name, numbers[i].text, arena, numbers[i].out, err))
			return false;
	}
	return true;
}

bool
key_exportable_check(const struct key_common_body *body, struct error *err)
{
	if (body->exportable.value)
		return error_set(err, ERR_BAD_PARAMETER,
		    "AKV.SKR.1001: Exportable keys are not available in this vault.");
	if (body->release_data.given)
		return error_set(err, ERR_BAD_PARAMETER,
		    "AKV.SKR.1005: Non-exportable keys must not have release policy.");
	return true;
}
