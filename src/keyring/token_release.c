/*
 * Keys leave the token only here, wrapped for whom they are released to.  What is wrapped is an
 * object of the session, unwrapped from what the token wrapped when the key was made: the key that
 * stands in the token is never extractable.
 */
#include "keyring/token_private.h"

#define RELEASED_MAX 4096 /* RSA-4096 as PKCS#8 takes 2375 bytes */

/* The key itself, for nothing but to be wrapped. */
static bool
draft_recall(struct visit *visit, const struct key_spec *spec, view wrapped, struct draft *out,
    struct error *err)
{
	struct template template = { .count = 0 };
	CK_OBJECT_HANDLE wrapping = CK_INVALID_HANDLE;
	CK_RV rv = token_find_wrapping(visit, &wrapping);

	if (rv != CKR_OK)
		return visit_failed(visit, rv, err);
	if (wrapping == CK_INVALID_HANDLE)
		return visit_away(visit, err);
	template_describe(&template, spec);
	template_add_bool(&template, CKA_TOKEN, false);
	template_add_bool(&template, CKA_EXTRACTABLE, true);
	template_add_bool(&template, CKA_SIGN, false);
	template_add_bool(&template, CKA_DECRYPT, false);
	rv = token_unwrap(visit, spec, wrapping, wrapped, &template, &out->key);
	if (rv == CKR_OK)
		return true;
	out->key = CK_INVALID_HANDLE;
	return visit_failed(visit, rv, err);
}

static bool
draft_transport(struct visit *visit, view key, struct draft *out, struct error *err)
{
	static const struct key_spec aes = { .kind = KEY_OCT };
	struct template template = { .count = 0 };
	CK_RV rv;

	template_describe(&template, &aes);
	template_add_bool(&template, CKA_TOKEN, false);
	template_add_bool(&template, CKA_EXTRACTABLE, false);
	template_add_bool(&template, CKA_WRAP, true);
	template_add_bool(&template, CKA_ENCRYPT, false);
	template_add_bool(&template, CKA_DECRYPT, false);
	template_add(&template, CKA_VALUE, key.ptr, key.len);
	rv = visit->token->calls->C_CreateObject(visit->session, template.rows, template.count,
	    &out->key);
	if (rv == CKR_OK)
		return true;
	out->key = CK_INVALID_HANDLE;
	return visit_failed(visit, rv, err);
}

static bool
release_locked(struct visit *visit, const struct key_spec *spec, view wrapped, view transport,
    struct arena *arena, view *out, struct error *err)
{
	AUTO(draft_done) struct draft key = { visit, CK_INVALID_HANDLE };
	AUTO(draft_done) struct draft under = { visit, CK_INVALID_HANDLE };
	CK_MECHANISM mechanism = { visit->token->wrap_keys, NULL, 0 };
	unsigned char bytes[RELEASED_MAX];
	CK_ULONG len = sizeof(bytes);
	CK_RV rv;

	if (mechanism.mechanism == 0)
		return error_set(err, ERR_BAD_PARAMETER,
		    "This server's HSM token can't wrap keys for their release.");
	if (!draft_recall(visit, spec, wrapped, &key, err) ||
	    !draft_transport(visit, transport, &under, err))
		return false;
	rv = visit->token->calls->C_WrapKey(visit->session, &mechanism, under.key, key.key, bytes,
	    &len);
	if (rv != CKR_OK)
		return visit_failed(visit, rv, err);
	return arena_copy(arena, (view){ (const char *)bytes, len }, out) || error_memory(err);
}

bool
token_release(struct token *token, const struct key_spec *spec, view wrapped, view transport,
    struct arena *arena, view *out, struct error *err)
{
	AUTO(visit_done) struct visit visit = { .token = NULL };
	bool ok;

	if (!visit_begin(token, &visit, err))
		return false;
	(void)pthread_rwlock_wrlock(&token->objects);
	ok = release_locked(&visit, spec, wrapped, transport, arena, out, err);
	(void)pthread_rwlock_unlock(&token->objects);
	return ok;
}
