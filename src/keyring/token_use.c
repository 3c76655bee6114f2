#include "keyring/token_private.h"
#include "crypto/openssl.h"
#include "keyring/lengths.h"
#include "keyring/token_padding.h"

#include <string.h>

/* What the analyzer is told about callers (token_private.h) is in the way of the definition. */
#undef job_failed

#define MAC_MAX 64

/* Operations.  PKCS#11's calls for them have the same arguments. */

struct calls {
	CK_RV (*begin)(CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
	CK_RV (*finish)(CK_SESSION_HANDLE, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *);
};

static struct calls
calls_for(const struct job *job, enum token_call call)
{
	const CK_FUNCTION_LIST *calls = job->visit->token->calls;

	switch (call) {
	case CALL_ENCRYPT: return (struct calls){ calls->C_EncryptInit, calls->C_Encrypt };
	case CALL_DECRYPT: return (struct calls){ calls->C_DecryptInit, calls->C_Decrypt };
	default: return (struct calls){ calls->C_SignInit, calls->C_Sign };
	}
}

CK_RV
job_begin(const struct job *job, enum token_call call, CK_MECHANISM *mechanism)
{
	return calls_for(job, call).begin(job->visit->session, mechanism, job->key);
}

CK_RV
job_finish(const struct job *job, enum token_call call, view value, void *out, size_t *len)
{
	CK_ULONG written = (CK_ULONG)*len;
	CK_RV rv = calls_for(job, call).finish(job->visit->session,
	    (CK_BYTE *)(uintptr_t)octets(value), value.len, out, &written);

	if (rv != CKR_OK)
		return rv;
	if (written > *len) /* a token that counts wrongly is not one to be read from */
		return CKR_DEVICE_ERROR;
	*len = written;
	return CKR_OK;
}

CK_RV
job_run(const struct job *job, enum token_call call, CK_MECHANISM *mechanism, view value, void *out,
    size_t *len)
{
	CK_RV rv = job_begin(job, call, mechanism);

	return rv != CKR_OK ? rv : job_finish(job, call, value, out, len);
}

bool
job_failed(const struct job *job, enum token_call call, CK_RV rv, struct error *err)
{
	if (call != CALL_DECRYPT)
		return visit_failed(job->visit, rv, err);
	return visit_blames_caller(job->visit, rv) ? undecryptable(err)
						   : visit_failed(job->visit, rv, err);
}

/* Is the mechanism, or this use of it, unknown to the token? */
static bool
is_refusal(CK_RV rv)
{
	return rv == CKR_MECHANISM_INVALID || rv == CKR_MECHANISM_PARAM_INVALID ||
	    rv == CKR_ARGUMENTS_BAD;
}

static bool
run_into(const struct job *job, enum token_call call, CK_MECHANISM *mechanism, view value,
    size_t room, view *out, struct error *err)
{
	char *bytes = arena_alloc(job->arena, room);
	CK_RV rv;

	if (bytes == NULL)
		return error_memory(err);
	rv = job_run(job, call, mechanism, value, bytes, &room);
	*out = (view){ bytes, room };
	return rv == CKR_OK || job_failed(job, call, rv, err);
}

/* What came of the bare key: as long as the modulus, though a token may leave out zeros. */
static bool
run_bare(const struct job *job, enum token_call call, view value, view *out, struct error *err)
{
	CK_MECHANISM mechanism = { CKM_RSA_X_509, NULL, 0 };
	size_t size = job->spec->bits / 8;
	char *bytes;
	view got = V("");

	if (!run_into(job, call, &mechanism, value, size, &got, err))
		return false;
	bytes = arena_alloc(job->arena, size);
	if (bytes == NULL)
		return error_memory(err);
	memcpy(bytes + size - got.len, got.ptr, got.len);
	*out = (view){ bytes, size };
	return true;
}

/* RSA that decrypts */

static bool
decrypt_pkcs1(const struct job *job, view *out, struct error *err)
{
	CK_MECHANISM mechanism = { CKM_RSA_PKCS, NULL, 0 };

	return run_into(job, CALL_DECRYPT, &mechanism, job->in->value, job->spec->bits / 8, out,
	    err);
}

static bool
decrypt_oaep(const struct job *job, view *out, struct error *err)
{
	bool sha1 = job->algorithm->digest == DIGEST_SHA1;
	CK_RSA_PKCS_OAEP_PARAMS params = {
		.hashAlg = sha1 ? CKM_SHA_1 : CKM_SHA256,
		.mgf = sha1 ? CKG_MGF1_SHA1 : CKG_MGF1_SHA256,
		.source = CKZ_DATA_SPECIFIED,
	};
	CK_MECHANISM mechanism = { CKM_RSA_PKCS_OAEP, &params, sizeof(params) };
	size_t len = job->spec->bits / 8;
	char *bytes = arena_alloc(job->arena, len);
	CK_RV rv;
	view block;

	if (bytes == NULL)
		return error_memory(err);
	rv = job_begin(job, CALL_DECRYPT, &mechanism);
	if (is_refusal(rv))
		return run_bare(job, CALL_DECRYPT, job->in->value, &block, err) &&
		    padding_oaep(job->algorithm->digest, block, job->arena, out, err);
	if (rv == CKR_OK)
		rv = job_finish(job, CALL_DECRYPT, job->in->value, bytes, &len);
	*out = (view){ bytes, len };
	return rv == CKR_OK || job_failed(job, CALL_DECRYPT, rv, err);
}

/* RSA that signs */

/* DigestInfo: what PKCS#1 v1.5 puts before a digest (RFC 8017, 9.2). */
static view
digest_info(enum key_digest digest)
{
#define SHA2_INFO(total, last, len)                                                 \
	V_INIT("\x30" total "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" last \
	       "\x05\x00\x04" len)
	static const view infos[] = {
		[DIGEST_SHA256] = SHA2_INFO("\x31", "\x01", "\x20"),
		[DIGEST_SHA384] = SHA2_INFO("\x41", "\x02", "\x30"),
		[DIGEST_SHA512] = SHA2_INFO("\x51", "\x03", "\x40"),
	};

	return (size_t)digest < COUNT_OF(infos) ? infos[digest] : V("");
}

static bool
sign_pkcs1(const struct job *job, view *out, struct error *err)
{
	CK_MECHANISM mechanism = { CKM_RSA_PKCS, NULL, 0 };
	view parts[] = { digest_info(job->algorithm->digest), job->in->value }, value;

	if (!arena_join(job->arena, parts, COUNT_OF(parts), &value))
		return error_memory(err);
	return run_into(job, CALL_SIGN, &mechanism, value, job->spec->bits / 8, out, err);
}

static bool
sign_pss(const struct job *job, view *out, struct error *err)
{
	static const CK_RSA_PKCS_PSS_PARAMS all[] = {
		[DIGEST_SHA256] = { CKM_SHA256, CKG_MGF1_SHA256, 32 },
		[DIGEST_SHA384] = { CKM_SHA384, CKG_MGF1_SHA384, 48 },
		[DIGEST_SHA512] = { CKM_SHA512, CKG_MGF1_SHA512, 64 },
	};
	CK_RSA_PKCS_PSS_PARAMS params = all[job->algorithm->digest];
	CK_MECHANISM mechanism = { CKM_RSA_PKCS_PSS, &params, sizeof(params) };
	size_t len = job->spec->bits / 8;
	char *bytes = arena_alloc(job->arena, len);
	CK_RV rv;
	view block;

	if (bytes == NULL)
		return error_memory(err);
	rv = job_begin(job, CALL_SIGN, &mechanism);
	if (is_refusal(rv))
		return padding_pss(job->algorithm->digest, job->in->value, job->spec->bits,
			   job->arena, &block, err) &&
		    run_bare(job, CALL_SIGN, block, out, err);
	if (rv == CKR_OK)
		rv = job_finish(job, CALL_SIGN, job->in->value, bytes, &len);
	*out = (view){ bytes, len };
	return rv == CKR_OK || job_failed(job, CALL_SIGN, rv, err);
}

/* r || s of equal length: filled up to the field's. */
static bool
sign_ecdsa(const struct job *job, view *out, struct error *err)
{
	CK_MECHANISM mechanism = { CKM_ECDSA, NULL, 0 };
	size_t field = key_field_len(job->spec->curve), half;
	char *bytes = arena_alloc(job->arena, 2 * field);
	view raw = V("");

	if (bytes == NULL)
		return error_memory(err);
	if (!run_into(job, CALL_SIGN, &mechanism, job->in->value, 2 * field, &raw, err))
		return false;
	half = raw.len / 2;
	memcpy(bytes + field - half, raw.ptr, half);
	memcpy(bytes + 2 * field - half, raw.ptr + half, half);
	*out = (view){ bytes, 2 * field };
	return true;
}

static bool
hmac(const struct job *job, view *out, struct error *err)
{
	static const CK_MECHANISM_TYPE types[] = {
		[DIGEST_SHA256] = CKM_SHA256_HMAC,
		[DIGEST_SHA384] = CKM_SHA384_HMAC,
		[DIGEST_SHA512] = CKM_SHA512_HMAC,
	};
	CK_MECHANISM mechanism = { types[job->algorithm->digest], NULL, 0 };
	size_t len = MAC_MAX;
	char *bytes = arena_alloc(job->arena, len);
	CK_RV rv;

	if (bytes == NULL)
		return error_memory(err);
	rv = job_begin(job, CALL_SIGN, &mechanism);
	if (is_refusal(rv) || rv == CKR_KEY_TYPE_INCONSISTENT || rv == CKR_KEY_SIZE_RANGE ||
	    rv == CKR_KEY_FUNCTION_NOT_PERMITTED)
		return error_set(err, ERR_BAD_PARAMETER,
		    "The algorithm is not available for keys of this token.");
	if (rv == CKR_OK)
		rv = job_finish(job, CALL_SIGN, job->in->value, bytes, &len);
	*out = (view){ bytes, len };
	return rv == CKR_OK || job_failed(job, CALL_SIGN, rv, err);
}

static bool
use_hmac(const struct job *job, enum key_use use, struct key_result *out, struct error *err)
{
	view mac;

	if (!hmac(job, &mac, err))
		return false;
	if (use == KEY_VERIFY)
		*out =
		    (struct key_result){ .verified = constant_time_equal(mac, job->in->signature) };
	else
		*out = (struct key_result){ .value = mac };
	return true;
}

/* What takes a private key: families that do are rows. */
static bool
use_private(const struct job *job, enum key_use use, struct key_result *out, struct error *err)
{
	static const struct {
		bool (*decrypt)(const struct job *, view *, struct error *);
		bool (*sign)(const struct job *, view *, struct error *);
	} rows[] = {
		[FAMILY_RSA_PKCS1] = { decrypt_pkcs1, sign_pkcs1 },
		[FAMILY_RSA_OAEP] = { decrypt_oaep, NULL },
		[FAMILY_RSA_PSS] = { NULL, sign_pss },
		[FAMILY_ECDSA] = { NULL, sign_ecdsa },
	};
	bool (*call)(const struct job *, view *, struct error *) = NULL;
	view value;

	if (use == KEY_DECRYPT)
		call = rows[job->algorithm->family].decrypt;
	else if (use == KEY_SIGN)
		call = rows[job->algorithm->family].sign;
	if (call == NULL)
		return error_set(err, ERR_INTERNAL, "The algorithm does not fit the key.");
	if (!call(job, &value, err))
		return false;
	*out = (struct key_result){ .value = value };
	return true;
}

bool
job_use(struct job *job, enum key_use use, struct key_result *out, struct error *err)
{
	if (job->spec->kind != KEY_OCT)
		return use_private(job, use, out, err);
	return job->algorithm->signs ? use_hmac(job, use, out, err) : token_use_aes(job, out, err);
}

bool
token_use(struct token *token, const struct key_spec *spec, view id,
    const struct key_algorithm *algorithm, enum key_use use, const struct key_message *in,
    struct arena *arena, struct key_result *out, struct error *err)
{
	AUTO(visit_done) struct visit visit = { .token = NULL };
	struct job job = { &visit, spec, algorithm, CK_INVALID_HANDLE, use == KEY_ENCRYPT, in,
		arena };
	bool signs = use == KEY_SIGN || use == KEY_VERIFY, ok;

	if (!key_algorithm_fits(algorithm, spec) || signs != algorithm->signs)
		return error_set(err, ERR_INTERNAL, "The algorithm does not fit the key.");
	if (!lengths_fit(spec, algorithm, use, in, err) || !visit_begin(token, &visit, err))
		return false;
	(void)pthread_rwlock_rdlock(&token->objects);
	ok = token_find_key(&visit, spec, id, &job.key, err) && job_use(&job, use, out, err);
	(void)pthread_rwlock_unlock(&token->objects);
	return ok;
}
