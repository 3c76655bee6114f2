/*
 * Drafts: keys on their way into the token.  They are objects of a session, so that one which may
 * be extracted never stands in the token itself, whenever the process or the token stops.
 */
#include "keyring/token_private.h"

#include <string.h>

#define POINT_MAX 133 /* of P-521, uncompressed */
#define POINT_DER_MAX (POINT_MAX + 3)
#define MODULUS_MAX 512
#define EXPONENT_MAX 8

void
template_add(struct template *template, CK_ATTRIBUTE_TYPE type, const void *bytes, size_t len)
{
	template->rows[template->count++] =
	    (CK_ATTRIBUTE){ type, (void *)(uintptr_t)bytes, (CK_ULONG)len };
}

void
template_add_bool(struct template *template, CK_ATTRIBUTE_TYPE type, bool value)
{
	static const CK_BBOOL values[] = { CK_FALSE, CK_TRUE };

	template_add(template, type, &values[value], sizeof(values[value]));
}

void
template_add_number(struct template *template, CK_ATTRIBUTE_TYPE type, CK_ULONG value)
{
	CK_ULONG *number = &template->numbers[template->number_count++];

	*number = value;
	template_add(template, type, number, sizeof(*number));
}

void
template_describe(struct template *template, const struct key_spec *spec)
{
	static const CK_KEY_TYPE types[] = {
		[KEY_RSA] = CKK_RSA,
		[KEY_EC] = CKK_EC,
		[KEY_OCT] = CKK_AES,
	};

	template_add_number(template, CKA_CLASS,
	    spec->kind == KEY_OCT ? CKO_SECRET_KEY : CKO_PRIVATE_KEY);
	template_add_number(template, CKA_KEY_TYPE, types[spec->kind]);
	template_add_bool(template, CKA_PRIVATE, true);
	template_add_bool(template, CKA_SENSITIVE, true);
}

/* None of them wraps: what is in the token is wrapped under the token's own key only. */
void
template_allow(struct template *template, const struct key_spec *spec)
{
	template_add_bool(template, CKA_SIGN, !spec->exchange);
	template_add_bool(template, CKA_DECRYPT, spec->kind != KEY_EC && !spec->exchange);
	template_add_bool(template, CKA_UNWRAP, spec->exchange);
	if (spec->kind != KEY_OCT)
		return;
	template_add_bool(template, CKA_ENCRYPT, true);
	template_add_bool(template, CKA_WRAP, false);
}

void
template_draft(struct template *template, const struct key_spec *spec)
{
	template_describe(template, spec);
	template_add_bool(template, CKA_TOKEN, false);
	template_add_bool(template, CKA_EXTRACTABLE, true);
	template_allow(template, spec);
}

/* One that can't be destroyed goes with its session. */
void
draft_done(struct draft *draft)
{
	if (draft->key == CK_INVALID_HANDLE)
		return;
	if (draft->visit->token->calls->C_DestroyObject(draft->visit->session, draft->key) !=
	    CKR_OK)
		draft->visit->away = true;
}

view
token_curve(enum key_curve curve)
{
	static const view params[] = {
		[KEY_P256] = V_INIT("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
		[KEY_P256K] = V_INIT("\x06\x05\x2b\x81\x04\x00\x0a"),
		[KEY_P384] = V_INIT("\x06\x05\x2b\x81\x04\x00\x22"),
		[KEY_P521] = V_INIT("\x06\x05\x2b\x81\x04\x00\x23"),
	};

	return params[curve];
}

/* Public numbers */

static bool
odd_object(struct error *err)
{
	return error_set(err, ERR_INTERNAL, "The HSM token made a key that can't be read.");
}

bool
token_read(struct visit *visit, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *out,
    size_t room, view *read, struct error *err)
{
	CK_ATTRIBUTE row = { type, out, (CK_ULONG)room };
	CK_RV rv = visit->token->calls->C_GetAttributeValue(visit->session, object, &row, 1);

	if (rv != CKR_OK)
		return visit_failed(visit, rv, err);
	if (row.ulValueLen > room)
		return odd_object(err);
	*read = (view){ out, row.ulValueLen };
	return true;
}

bool
token_read_rsa(struct visit *visit, CK_OBJECT_HANDLE object, struct arena *arena,
    struct key_numbers *out, struct error *err)
{
	char modulus[MODULUS_MAX + 1], exponent[EXPONENT_MAX];
	view n = V(""), e = V("");

	if (!token_read(visit, object, CKA_MODULUS, modulus, sizeof(modulus), &n, err) ||
	    !token_read(visit, object, CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent), &e, err))
		return false;
	*out = (struct key_numbers){ 0 };
	return (arena_copy(arena, key_without_zeros(n), &out->n) &&
		   arena_copy(arena, key_without_zeros(e), &out->e)) ||
	    error_memory(err);
}

/* Uncompressed, in an octet string of DER; some tokens leave that out. */
static bool
parse_point(view point, size_t field, view *x, view *y)
{
	size_t len = 1 + 2 * field;

	if (point.len == len + 2 && view_starts(point, V("\x04")) &&
	    (unsigned char)point.ptr[1] == len)
		point = view_from(point, 2);
	else if (point.len == len + 3 && view_starts(point, V("\x04\x81")) &&
	    (unsigned char)point.ptr[2] == len)
		point = view_from(point, 3);
	if (point.len != len || point.ptr[0] != 4)
		return false;
	*x = (view){ point.ptr + 1, field };
	*y = (view){ point.ptr + 1 + field, field };
	return true;
}

static bool
read_ec(struct visit *visit, const struct key_spec *spec, CK_OBJECT_HANDLE object,
    struct arena *arena, struct key_numbers *out, struct error *err)
{
	char bytes[POINT_DER_MAX];
	view point = V(""), x, y;

	if (!token_read(visit, object, CKA_EC_POINT, bytes, sizeof(bytes), &point, err))
		return false;
	if (!parse_point(point, key_field_len(spec->curve), &x, &y))
		return odd_object(err);
	*out = (struct key_numbers){ 0 };
	return (arena_copy(arena, x, &out->x) && arena_copy(arena, y, &out->y)) ||
	    error_memory(err);
}

/* Generating */

static bool
generate_secret(struct visit *visit, const struct key_spec *spec, struct draft *out,
    struct error *err)
{
	CK_MECHANISM mechanism = { CKM_AES_KEY_GEN, NULL, 0 };
	struct template template = { .count = 0 };
	CK_RV rv;

	template_draft(&template, spec);
	template_add_number(&template, CKA_VALUE_LEN, spec->bits / 8);
	rv = visit->token->calls->C_GenerateKey(visit->session, &mechanism, template.rows,
	    template.count, &out->key);
	if (rv == CKR_OK)
		return true;
	out->key = CK_INVALID_HANDLE;
	return visit_failed(visit, rv, err);
}

static void
as_public(struct template *template, const struct key_spec *spec)
{
	view params = spec->kind == KEY_EC ? token_curve(spec->curve) : V("\x01\x00\x01");

	template_add_bool(template, CKA_TOKEN, false);
	template_add_bool(template, CKA_PRIVATE, false);
	template_add_bool(template, CKA_VERIFY, true);
	if (spec->kind == KEY_RSA)
		template_add_number(template, CKA_MODULUS_BITS, spec->bits);
	template_add(template, spec->kind == KEY_EC ? CKA_EC_PARAMS : CKA_PUBLIC_EXPONENT,
	    params.ptr, params.len);
}

static bool
generate_pair(struct visit *visit, const struct key_spec *spec, struct draft *private,
    struct draft *public, struct error *err)
{
	CK_MECHANISM mechanism = { spec->kind == KEY_EC ? CKM_EC_KEY_PAIR_GEN
							: CKM_RSA_PKCS_KEY_PAIR_GEN,
		NULL, 0 };
	struct template of_private = { .count = 0 }, of_public = { .count = 0 };
	CK_RV rv;

	template_draft(&of_private, spec);
	as_public(&of_public, spec);
	rv = visit->token->calls->C_GenerateKeyPair(visit->session, &mechanism, of_public.rows,
	    of_public.count, of_private.rows, of_private.count, &public->key, &private->key);
	if (rv == CKR_OK)
		return true;
	public->key = private->key = CK_INVALID_HANDLE;
	return visit_failed(visit, rv, err);
}

bool
draft_generate(struct visit *visit, const struct key_spec *spec, struct arena *arena,
    struct draft *out, struct key_numbers *public, struct error *err)
{
	AUTO(draft_done) struct draft half = { visit, CK_INVALID_HANDLE };

	if (spec->kind == KEY_OCT) {
		*public = (struct key_numbers){ 0 };
		return generate_secret(visit, spec, out, err);
	}
	if (!generate_pair(visit, spec, out, &half, err))
		return false;
	if (spec->kind == KEY_EC)
		return read_ec(visit, spec, half.key, arena, public, err);
	return token_read_rsa(visit, half.key, arena, public, err) &&
	    (public->n.len == spec->bits / 8 || odd_object(err));
}

/* Importing */

static void
add_numbers(struct template *template, const struct key_spec *spec,
    const struct key_numbers *numbers)
{
	const struct {
		CK_ATTRIBUTE_TYPE type;
		view value;
	} rsa[] = {
		{ CKA_MODULUS, numbers->n },
		{ CKA_PUBLIC_EXPONENT, numbers->e },
		{ CKA_PRIVATE_EXPONENT, numbers->d },
		{ CKA_PRIME_1, numbers->p },
		{ CKA_PRIME_2, numbers->q },
		{ CKA_EXPONENT_1, numbers->dp },
		{ CKA_EXPONENT_2, numbers->dq },
		{ CKA_COEFFICIENT, numbers->qi },
	};
	view params, number;

	for (size_t i = 0; spec->kind == KEY_RSA && i < COUNT_OF(rsa); i++) {
		number = key_without_zeros(rsa[i].value);
		template_add(template, rsa[i].type, number.ptr, number.len);
	}
	if (spec->kind == KEY_EC) {
		params = token_curve(spec->curve);
		number = key_without_zeros(numbers->d);
		template_add(template, CKA_EC_PARAMS, params.ptr, params.len);
		template_add(template, CKA_VALUE, number.ptr, number.len);
	}
	if (spec->kind == KEY_OCT)
		template_add(template, CKA_VALUE, numbers->k.ptr, numbers->k.len);
}

bool
draft_import(struct visit *visit, const struct key_spec *spec, const struct key_numbers *numbers,
    struct draft *out, struct error *err)
{
	struct template template = { .count = 0 };
	CK_RV rv;

	template_draft(&template, spec);
	add_numbers(&template, spec, numbers);
	rv = visit->token->calls->C_CreateObject(visit->session, template.rows, template.count,
	    &out->key);
	if (rv == CKR_OK)
		return true;
	out->key = CK_INVALID_HANDLE;
	return visit_failed(visit, rv, err);
}
