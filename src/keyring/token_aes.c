#include "keyring/token_private.h"
#include "crypto/openssl.h"
#include "crypto/random.h"
#include "keyring/lengths.h"

#include <openssl/crypto.h>
#include <string.h>

#define BLOCK_LEN ((size_t)16)
#define HALF_LEN ((size_t)8)
#define GCM_IV_LEN 12
#define GCM_TAG_LEN 16
#define ROUNDS 6

/* Wrapped block by block, each one a call of the token's. */
#define WRAP_MAX 4096

static enum token_call
direction(const struct job *job)
{
	return job->encrypt ? CALL_ENCRYPT : CALL_DECRYPT;
}

static bool
run_value(const struct job *job, CK_MECHANISM *mechanism, view value, view *out, struct error *err)
{
	size_t room = value.len + 2 * BLOCK_LEN;
	char *bytes = arena_alloc(job->arena, room);
	CK_RV rv;

	if (bytes == NULL)
		return error_memory(err);
	rv = job_run(job, direction(job), mechanism, value, bytes, &room);
	*out = (view){ bytes, room };
	return rv == CKR_OK || job_failed(job, direction(job), rv, err);
}

/* GCM: in PKCS#11 the tag stands behind the ciphertext. */

static bool
gcm(const struct job *job, view iv, view value, view *out, struct error *err)
{
	CK_GCM_PARAMS params = {
		.pIv = (CK_BYTE *)(uintptr_t)iv.ptr,
		.ulIvLen = iv.len,
		.ulIvBits = iv.len * 8,
		.pAAD = (CK_BYTE *)(uintptr_t)octets(job->in->aad),
		.ulAADLen = job->in->aad.len,
		.ulTagBits = 8UL * GCM_TAG_LEN,
	};
	CK_MECHANISM mechanism = { CKM_AES_GCM, &params, sizeof(params) };

	return run_value(job, &mechanism, value, out, err);
}

/* The nonce is ours: one that comes twice would give the key's authentication away. */
static bool
gcm_encrypt(const struct job *job, struct key_result *out, struct error *err)
{
	char *iv = arena_alloc(job->arena, GCM_IV_LEN);
	view sealed;

	if (iv == NULL)
		return error_memory(err);
	random_bytes(iv, GCM_IV_LEN);
	if (!gcm(job, (view){ iv, GCM_IV_LEN }, job->in->value, &sealed, err))
		return false;
	if (sealed.len != job->in->value.len + GCM_TAG_LEN)
		return visit_failed(job->visit, CKR_FUNCTION_REJECTED, err);
	*out = (struct key_result){ .value = { sealed.ptr, job->in->value.len },
		.iv = { iv, GCM_IV_LEN },
		.tag = view_from(sealed, job->in->value.len) };
	return true;
}

static bool
gcm_decrypt(const struct job *job, struct key_result *out, struct error *err)
{
	view parts[] = { job->in->value, job->in->tag }, sealed, value;

	if (!arena_join(job->arena, parts, COUNT_OF(parts), &sealed))
		return error_memory(err);
	if (!gcm(job, job->in->iv, sealed, &value, err))
		return false;
	*out = (struct key_result){ .value = value };
	return true;
}

static bool
use_gcm(const struct job *job, struct key_result *out, struct error *err)
{
	return job->encrypt ? gcm_encrypt(job, out, err) : gcm_decrypt(job, out, err);
}

static bool
use_cbc(const struct job *job, struct key_result *out, struct error *err)
{
	CK_MECHANISM mechanism = { job->algorithm->family == FAMILY_AES_CBC ? CKM_AES_CBC
									    : CKM_AES_CBC_PAD,
		(void *)(uintptr_t)job->in->iv.ptr, job->in->iv.len };
	view value;

	if (!run_value(job, &mechanism, job->in->value, &value, err))
		return false;
	*out = (struct key_result){ .value = value };
	if (job->encrypt)
		out->iv = job->in->iv;
	return true;
}

/*
 * Key wrapping.  PKCS#11 wraps objects, and what comes here are bytes: so it is built of single
 * blocks that the token encrypts.  The state is the check value, then the halves of the value.
 */

static CK_RV
crypt_block(const struct job *job, unsigned char block[BLOCK_LEN])
{
	CK_MECHANISM mechanism = { CKM_AES_ECB, NULL, 0 };
	unsigned char result[BLOCK_LEN];
	size_t len = sizeof(result);
	CK_RV rv = job_run(job, direction(job), &mechanism,
	    (view){ (const char *)block, BLOCK_LEN }, result, &len);

	if (rv == CKR_OK)
		memcpy(block, result, sizeof(result));
	OPENSSL_cleanse(result, sizeof(result));
	return rv;
}

/* The step's number, big-endian, to the check value. */
static void
add_step(unsigned char block[BLOCK_LEN], size_t step)
{
	for (size_t i = HALF_LEN; step > 0; step >>= 8)
		block[--i] ^= (unsigned char)step;
}

/* RFC 3394, 2.2.1 and 2.2.2: ${step} from 1 to 6 n, or back. */
static CK_RV
wrap_step(const struct job *job, unsigned char *state, size_t halves, size_t step)
{
	unsigned char *half = state + HALF_LEN * (1 + (step - 1) % halves);
	unsigned char block[BLOCK_LEN];
	CK_RV rv;

	memcpy(block, state, HALF_LEN);
	memcpy(block + HALF_LEN, half, HALF_LEN);
	if (!job->encrypt)
		add_step(block, step);
	rv = crypt_block(job, block);
	if (job->encrypt)
		add_step(block, step);
	memcpy(state, block, HALF_LEN);
	memcpy(half, block + HALF_LEN, HALF_LEN);
	OPENSSL_cleanse(block, sizeof(block));
	return rv;
}

/* A single half is one block (RFC 5649, 4.1). */
static bool
wrap_state(const struct job *job, unsigned char *state, size_t len, struct error *err)
{
	size_t halves = len / HALF_LEN - 1, steps = ROUNDS * halves;
	CK_RV rv = CKR_OK;

	if (halves == 1)
		rv = crypt_block(job, state);
	for (size_t i = 1; halves > 1 && rv == CKR_OK && i <= steps; i++)
		rv = wrap_step(job, state, halves, job->encrypt ? i : steps + 1 - i);
	/* No block of ECB is a bad one. */
	return rv == CKR_OK || visit_failed(job->visit, rv, err);
}

/* What stands before the value: the check value of RFC 3394, or RFC 5649's with its length. */
static void
check_value(bool padded, size_t len, unsigned char out[HALF_LEN])
{
	static const unsigned char with_length[] = { 0xa6, 0x59, 0x59, 0xa6 };

	memset(out, 0xa6, HALF_LEN);
	if (!padded)
		return;
	memcpy(out, with_length, sizeof(with_length));
	for (size_t i = 0; i < 4; i++)
		out[4 + i] = (unsigned char)(len >> 8 * (3 - i));
}

static bool
wrap_data(const struct job *job, bool padded, view *out, struct error *err)
{
	view value = job->in->value;
	size_t len = HALF_LEN + (value.len + HALF_LEN - 1) / HALF_LEN * HALF_LEN;
	unsigned char *state = arena_alloc(job->arena, len); /* zeroed: the padding */

	if (state == NULL)
		return error_memory(err);
	check_value(padded, value.len, state);
	memcpy(state + HALF_LEN, value.ptr, value.len);
	if (!wrap_state(job, state, len, err))
		return false;
	*out = (view){ (const char *)state, len };
	return true;
}

/* How long the value says it is; no more than there is and padded with less than a half. */
static size_t
said_length(const unsigned char *state, size_t room, bool padded)
{
	size_t len =
	    (size_t)state[4] << 24 | (size_t)state[5] << 16 | (size_t)state[6] << 8 | state[7];

	if (!padded || len > room || room - len >= HALF_LEN)
		return room;
	return len;
}

static bool
unwrap_data(const struct job *job, bool padded, view *out, struct error *err)
{
	size_t total = job->in->value.len, room = total - HALF_LEN, len;
	unsigned char *state = arena_alloc(job->arena, total), wanted[HALF_LEN];
	unsigned char bad;

	if (state == NULL)
		return error_memory(err);
	memcpy(state, job->in->value.ptr, total);
	if (!wrap_state(job, state, total, err))
		return false;
	/* A length that can't be is taken for the whole, and is found out by the comparison. */
	len = said_length(state, room, padded);
	check_value(padded, len, wanted);
	bad = (unsigned char)CRYPTO_memcmp(state, wanted, HALF_LEN);
	for (size_t i = len; i < room; i++)
		bad |= state[HALF_LEN + i];
	if (bad != 0)
		return undecryptable(err);
	*out = (view){ (const char *)state + HALF_LEN, len };
	return true;
}

static bool
use_wrap(const struct job *job, struct key_result *out, struct error *err)
{
	CK_MECHANISM mechanism = { CKM_AES_KEY_WRAP, NULL, 0 };
	bool padded = job->algorithm->family == FAMILY_AES_KWP, ok;
	view value;

	if (job->in->value.len > WRAP_MAX)
		return error_set(err, ERR_BAD_PARAMETER, "The value is too long.");
	if (!padded && job->visit->token->wraps_data)
		ok = run_value(job, &mechanism, job->in->value, &value, err);
	else
		ok = job->encrypt ? wrap_data(job, padded, &value, err)
				  : unwrap_data(job, padded, &value, err);
	if (ok)
		*out = (struct key_result){ .value = value };
	return ok;
}

bool
token_use_aes(const struct job *job, struct key_result *out, struct error *err)
{
	switch (job->algorithm->family) {
	case FAMILY_AES_GCM: return use_gcm(job, out, err);
	case FAMILY_AES_CBC:
	case FAMILY_AES_CBC_PAD: return use_cbc(job, out, err);
	case FAMILY_AES_KW:
	case FAMILY_AES_KWP: return use_wrap(job, out, err);
	default: return error_set(err, ERR_INTERNAL, "The algorithm does not fit the key.");
	}
}
