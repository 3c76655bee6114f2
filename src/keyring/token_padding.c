#include "keyring/token_padding.h"
#include "crypto/openssl.h"
#include "crypto/random.h"
#include "keyring/lengths.h"

#include <openssl/crypto.h>
#include <string.h>

#define HASH_MAX 64
#define PSS_ZEROS 8

static const EVP_MD *
digest_md(enum key_digest digest)
{
	switch (digest) {
	case DIGEST_SHA1: return EVP_sha1();
	case DIGEST_SHA384: return EVP_sha384();
	case DIGEST_SHA512: return EVP_sha512();
	default: return EVP_sha256();
	}
}

static bool
hash_parts(enum key_digest digest, const view *parts, size_t count, unsigned char *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, digest_md(digest), NULL) == 1;

	for (size_t i = 0; ok && i < count; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* MGF1 (RFC 8017, B.2.1), applied: ${out} ^= mask. */
static bool
mask(enum key_digest digest, view seed, unsigned char *out, size_t len)
{
	size_t size = key_digest_len(digest);
	unsigned char hash[HASH_MAX] = { 0 };
	bool ok = true;

	for (size_t at = 0; ok && at < len; at++) {
		uint32_t counter = (uint32_t)(at / size);
		const char bytes[4] = { (char)(counter >> 24), (char)(counter >> 16),
			(char)(counter >> 8), (char)counter };
		view parts[] = { seed, { bytes, sizeof(bytes) } };

		if (at % size == 0)
			ok = hash_parts(digest, parts, COUNT_OF(parts), hash);
		out[at] ^= hash[at % size];
	}
	OPENSSL_cleanse(hash, sizeof(hash));
	return ok;
}

/* 1 when ${a}, at most 2^31, is zero, else 0; without a branch. */
static unsigned
is_zero(unsigned a)
{
	return ((a - 1U) >> 31) & (~a >> 31);
}

/* DB: hash of the label, zeros, a 1, the message. ${at}: where the message begins. */
static bool
parse_db(const unsigned char *db, size_t len, const unsigned char *label, size_t size,
    unsigned first, size_t *at)
{
	unsigned good = is_zero(first), found = 0, begin = 0;

	good &= is_zero((unsigned)CRYPTO_memcmp(db, label, size) & 0xff);
	for (size_t i = size; i < len; i++) {
		unsigned one = is_zero(db[i] ^ 1U) & ~found & 1U;

		/* Before the 1 there is nothing but zeros. */
		good &= found | one | is_zero(db[i]);
		begin |= (unsigned)(i + 1) & (0U - one);
		found |= one;
	}
	*at = begin;
	return (good & found) == 1;
}

bool
padding_oaep(enum key_digest digest, view block, struct arena *arena, view *out, struct error *err)
{
	size_t size = key_digest_len(digest), at, db_len;
	unsigned char label[HASH_MAX];
	unsigned char *bytes = arena_alloc(arena, block.len), *seed, *db;

	if (bytes == NULL)
		return error_memory(err);
	if (block.len < 2 * size + 2)
		return undecryptable(err);
	memcpy(bytes, block.ptr, block.len);
	seed = bytes + 1;
	db = seed + size;
	db_len = block.len - 1 - size;
	if (!hash_parts(digest, NULL, 0, label) ||
	    !mask(digest, (view){ (const char *)db, db_len }, seed, size) ||
	    !mask(digest, (view){ (const char *)seed, size }, db, db_len))
		return openssl_unable(err);
	if (!parse_db(db, db_len, label, size, bytes[0], &at))
		return undecryptable(err);
	*out = (view){ (const char *)db + at, db_len - at };
	return true;
}

/* RFC 8017, 9.1.1.  The modulus has whole bytes, so of the first one the highest bit is 0. */
bool
padding_pss(enum key_digest digest, view hash, unsigned bits, struct arena *arena, view *out,
    struct error *err)
{
	static const char zeros[PSS_ZEROS];
	size_t size = hash.len, len = bits / 8, db_len = len - size - 1;
	unsigned char *bytes = arena_alloc(arena, len), *salt, *h;
	view parts[] = { { zeros, sizeof(zeros) }, hash, { NULL, size } };

	if (bytes == NULL)
		return error_memory(err);
	salt = bytes + db_len - size;
	h = bytes + db_len;
	random_bytes(salt, size);
	salt[-1] = 1;
	parts[2].ptr = (const char *)salt;
	if (!hash_parts(digest, parts, COUNT_OF(parts), h) ||
	    !mask(digest, (view){ (const char *)h, size }, bytes, db_len))
		return openssl_unable(err);
	bytes[0] &= 0x7f;
	bytes[len - 1] = 0xbc;
	*out = (view){ (const char *)bytes, len };
	return true;
}
