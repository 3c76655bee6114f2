#include "keyring/token_private.h"
#include "crypto/openssl.h"

#include <string.h>

#define WRAPPING_LABEL V("strongroom-wrapping")
#define LABEL_BEGIN "strongroom:"
#define WRAPPED_MAX 4096 /* RSA-4096 as PKCS#8 takes 2375 bytes */
#define CHUNK 16         /* objects found at a time */

/* A key's name in the token. */
struct name {
	uint8_t id[TOKEN_ID_LEN];
	char label[sizeof(LABEL_BEGIN) - 1 + HEX16_LEN];
};

static bool
make_name(view id, struct name *out, struct error *err)
{
	if (id.len != HEX16_LEN || !hex_decode(id, out->id))
		return error_set(err, ERR_INTERNAL, "A key's id is malformed.");
	memcpy(out->label, LABEL_BEGIN, sizeof(LABEL_BEGIN) - 1);
	hex_encode((view){ (const char *)out->id, sizeof(out->id) },
	    out->label + sizeof(LABEL_BEGIN) - 1);
	return true;
}

/* Finding */

static CK_RV
find_some(const struct visit *visit, struct template *template, CK_OBJECT_HANDLE *out, size_t most,
    size_t *count)
{
	const CK_FUNCTION_LIST *calls = visit->token->calls;
	CK_ULONG found = 0;
	CK_RV rv = calls->C_FindObjectsInit(visit->session, template->rows, template->count);
	CK_RV end;

	if (rv != CKR_OK)
		return rv;
	rv = calls->C_FindObjects(visit->session, out, (CK_ULONG)most, &found);
	end = calls->C_FindObjectsFinal(visit->session);
	*count = found;
	return rv != CKR_OK ? rv : end;
}

CK_RV
token_find(const struct visit *visit, struct template *template, CK_OBJECT_HANDLE *out)
{
	CK_OBJECT_HANDLE found;
	size_t count;
	CK_RV rv = find_some(visit, template, &found, 1, &count);

	if (rv == CKR_OK)
		*out = count > 0 ? found : CK_INVALID_HANDLE;
	return rv;
}

static void
name_wrapping(struct template *template)
{
	template_add_number(template, CKA_CLASS, CKO_SECRET_KEY);
	template_add_number(template, CKA_KEY_TYPE, CKK_AES);
	template_add_bool(template, CKA_TOKEN, true);
	template_add(template, CKA_LABEL, WRAPPING_LABEL.ptr, WRAPPING_LABEL.len);
}

CK_RV
token_find_wrapping(const struct visit *visit, CK_OBJECT_HANDLE *out)
{
	struct template template = { .count = 0 };

	name_wrapping(&template);
	return token_find(visit, &template, out);
}

static bool
find_named(struct visit *visit, const struct key_spec *spec, const struct name *name,
    CK_OBJECT_HANDLE *out, struct error *err)
{
	struct template template = { .count = 0 };
	CK_RV rv;

	template_describe(&template, spec);
	template_add_bool(&template, CKA_TOKEN, true);
	template_add(&template, CKA_ID, name->id, sizeof(name->id));
	rv = token_find(visit, &template, out);
	return rv == CKR_OK || visit_failed(visit, rv, err);
}

/* A key that is not there: another reason than an absent token is not told apart. */
bool
token_find_key(struct visit *visit, const struct key_spec *spec, view id, CK_OBJECT_HANDLE *out,
    struct error *err)
{
	struct name name;

	if (!make_name(id, &name, err) || !find_named(visit, spec, &name, out, err))
		return false;
	if (*out != CK_INVALID_HANDLE)
		return true;
	/* Sessions stay in use when it is only that key. */
	(void)visit_alive(visit);
	return error_set(err, ERR_UNAVAILABLE, "The HSM token is not available at the moment.");
}

/* The wrapping key */

static bool
make_wrapping(struct visit *visit, CK_OBJECT_HANDLE *out, struct error *err)
{
	CK_MECHANISM mechanism = { CKM_AES_KEY_GEN, NULL, 0 };
	struct template template = { .count = 0 };
	CK_RV rv;

	name_wrapping(&template);
	template_add_bool(&template, CKA_PRIVATE, true);
	template_add_bool(&template, CKA_SENSITIVE, true);
	template_add_bool(&template, CKA_EXTRACTABLE, false);
	template_add_bool(&template, CKA_WRAP, true);
	template_add_bool(&template, CKA_UNWRAP, true);
	/* What it wrapped would be read by decrypting it. */
	template_add_bool(&template, CKA_ENCRYPT, false);
	template_add_bool(&template, CKA_DECRYPT, false);
	template_add_bool(&template, CKA_SIGN, false);
	template_add_number(&template, CKA_VALUE_LEN, 32);
	rv = visit->token->calls->C_GenerateKey(visit->session, &mechanism, template.rows,
	    template.count, out);
	return rv == CKR_OK || visit_failed(visit, rv, err);
}

/* Under the lock, for writing.  One that was seen and is not found now: the token is going away. */
static bool
use_wrapping(struct visit *visit, bool make, CK_OBJECT_HANDLE *out, struct error *err)
{
	CK_RV rv = token_find_wrapping(visit, out);

	if (rv != CKR_OK)
		return visit_failed(visit, rv, err);
	if (*out == CK_INVALID_HANDLE && atomic_load(&visit->token->wraps))
		return visit_away(visit, err);
	if (*out == CK_INVALID_HANDLE && !make)
		return error_set(err, ERR_MALFORMED_BACKUP,
		    "The backup blob was made with another HSM token.");
	if (*out == CK_INVALID_HANDLE && !make_wrapping(visit, out, err))
		return false;
	atomic_store(&visit->token->wraps, true);
	return true;
}

/* Without padding only what is made of whole half blocks is wrapped: AES keys. */
static size_t
wrap_mechanisms(const struct token *token, const struct key_spec *spec, CK_MECHANISM out[2])
{
	size_t count = 0;

	if (token->wrap_keys != 0)
		out[count++] = (CK_MECHANISM){ token->wrap_keys, NULL, 0 };
	if (token->wraps_blocks && spec->kind == KEY_OCT)
		out[count++] = (CK_MECHANISM){ CKM_AES_KEY_WRAP, NULL, 0 };
	return count;
}

static bool
wrap(struct visit *visit, const struct key_spec *spec, CK_OBJECT_HANDLE wrapping,
    CK_OBJECT_HANDLE draft, struct arena *arena, view *out, struct error *err)
{
	unsigned char bytes[WRAPPED_MAX];
	CK_ULONG len = sizeof(bytes);
	CK_MECHANISM mechanisms[2];
	CK_RV rv;

	if (wrap_mechanisms(visit->token, spec, mechanisms) == 0)
		return error_set(err, ERR_BAD_PARAMETER,
		    "Keys of this type can't be made in this token.");
	rv = visit->token->calls->C_WrapKey(visit->session, &mechanisms[0], wrapping, draft, bytes,
	    &len);
	if (rv != CKR_OK)
		return visit_failed(visit, rv, err);
	return arena_copy(arena, (view){ (const char *)bytes, len }, out) || error_memory(err);
}

CK_RV
token_unwrap(struct visit *visit, const struct key_spec *spec, CK_OBJECT_HANDLE wrapping,
    view wrapped, struct template *template, CK_OBJECT_HANDLE *out)
{
	CK_MECHANISM mechanisms[2];
	size_t count = wrap_mechanisms(visit->token, spec, mechanisms);
	CK_RV rv = CKR_MECHANISM_INVALID;

	for (size_t i = 0; i < count && rv != CKR_OK; i++)
		rv = visit->token->calls->C_UnwrapKey(visit->session, &mechanisms[i], wrapping,
		    (unsigned char *)(uintptr_t)octets(wrapped), wrapped.len, template->rows,
		    template->count, out);
	return rv;
}

/* Into the token, for good: not extractable from the beginning. */
static CK_RV
unwrap(struct visit *visit, const struct key_spec *spec, const struct name *name,
    CK_OBJECT_HANDLE wrapping, view wrapped)
{
	struct template template = { .count = 0 };
	CK_OBJECT_HANDLE key;

	template_describe(&template, spec);
	template_add_bool(&template, CKA_TOKEN, true);
	template_add_bool(&template, CKA_EXTRACTABLE, false);
	template_add(&template, CKA_ID, name->id, sizeof(name->id));
	template_add(&template, CKA_LABEL, name->label, sizeof(name->label));
	template_allow(&template, spec);
	return token_unwrap(visit, spec, wrapping, wrapped, &template, &key);
}

static bool
keep_locked(const struct draft *draft, const struct key_spec *spec, const struct name *name,
    struct arena *arena, view *wrapped, struct error *err)
{
	struct visit *visit = draft->visit;
	CK_OBJECT_HANDLE wrapping;
	CK_RV rv;

	if (!use_wrapping(visit, true, &wrapping, err) ||
	    !wrap(visit, spec, wrapping, draft->key, arena, wrapped, err))
		return false;
	rv = unwrap(visit, spec, name, wrapping, *wrapped);
	return rv == CKR_OK || visit_failed(visit, rv, err);
}

bool
draft_keep(const struct draft *draft, const struct key_spec *spec, view id, struct arena *arena,
    view *wrapped, struct error *err)
{
	struct token *token = draft->visit->token;
	struct name name;
	view out;
	bool ok;

	if (!make_name(id, &name, err))
		return false;
	(void)pthread_rwlock_wrlock(&token->objects);
	ok = keep_locked(draft, spec, &name, arena, &out, err);
	(void)pthread_rwlock_unlock(&token->objects);
	if (ok)
		*wrapped = out;
	return ok;
}

bool
token_generate(struct token *token, const struct key_spec *spec, view id, struct arena *arena,
    struct key_numbers *public, view *wrapped, struct error *err)
{
	AUTO(visit_done) struct visit visit = { .token = NULL };
	AUTO(draft_done) struct draft draft = { &visit, CK_INVALID_HANDLE };
	struct key_numbers numbers;

	if (!visit_begin(token, &visit, err) ||
	    !draft_generate(&visit, spec, arena, &draft, &numbers, err) ||
	    !draft_keep(&draft, spec, id, arena, wrapped, err))
		return false;
	*public = numbers;
	return true;
}

bool
token_import(struct token *token, const struct key_spec *spec, view id,
    const struct key_numbers *numbers, struct arena *arena, view *wrapped, struct error *err)
{
	AUTO(visit_done) struct visit visit = { .token = NULL };
	AUTO(draft_done) struct draft draft = { &visit, CK_INVALID_HANDLE };

	return visit_begin(token, &visit, err) &&
	    draft_import(&visit, spec, numbers, &draft, err) &&
	    draft_keep(&draft, spec, id, arena, wrapped, err);
}

static bool
restore_locked(struct visit *visit, const struct key_spec *spec, const struct name *name,
    view wrapped, struct error *err)
{
	CK_OBJECT_HANDLE wrapping, key;
	CK_RV rv;

	if (!find_named(visit, spec, name, &key, err))
		return false;
	if (key != CK_INVALID_HANDLE)
		return true;
	if (!use_wrapping(visit, false, &wrapping, err))
		return false;
	rv = unwrap(visit, spec, name, wrapping, wrapped);
	if (rv == CKR_OK)
		return true;
	if (!visit_blames_caller(visit, rv))
		return visit_failed(visit, rv, err);
	return error_set(err, ERR_MALFORMED_BACKUP,
	    "The backup blob was made with another HSM token.");
}

bool
token_restore(struct token *token, const struct key_spec *spec, view id, view wrapped,
    struct error *err)
{
	AUTO(visit_done) struct visit visit = { .token = NULL };
	struct name name;
	bool ok;

	if (!make_name(id, &name, err) || !visit_begin(token, &visit, err))
		return false;
	(void)pthread_rwlock_wrlock(&token->objects);
	ok = restore_locked(&visit, spec, &name, wrapped, err);
	(void)pthread_rwlock_unlock(&token->objects);
	return ok;
}

/* Whatever has that id: there is one, unless somebody else made more. */
static bool
destroy_all(struct visit *visit, const struct name *name, struct error *err)
{
	CK_OBJECT_HANDLE keys[CHUNK];
	struct template template = { .count = 0 };
	size_t count = 0;
	CK_RV rv;

	template_add_bool(&template, CKA_TOKEN, true);
	template_add(&template, CKA_ID, name->id, sizeof(name->id));
	rv = find_some(visit, &template, keys, CHUNK, &count);
	for (size_t i = 0; rv == CKR_OK && i < count; i++)
		rv = visit->token->calls->C_DestroyObject(visit->session, keys[i]);
	if (rv != CKR_OK)
		return visit_failed(visit, rv, err);
	/* Nothing is found in a token that is away, either. */
	return count > 0 || visit_alive(visit) || visit_away(visit, err);
}

bool
token_destroy(struct token *token, view id, struct error *err)
{
	AUTO(visit_done) struct visit visit = { .token = NULL };
	struct name name;
	bool ok;

	if (!make_name(id, &name, err) || !visit_begin(token, &visit, err))
		return false;
	(void)pthread_rwlock_wrlock(&token->objects);
	ok = destroy_all(&visit, &name, err);
	(void)pthread_rwlock_unlock(&token->objects);
	return ok;
}
