#include "crypto/password.h"

#include "crypto/random.h"

#include <argon2.h>
#include <string.h>

/* OWASP's least: 19 MiB, twice over, one lane. */
#define ROUNDS 2
#define KIBIBYTES 19456
#define LANES 1
#define SALT_LEN 16
#define HASH_LEN 32
#define TEXT_MAX 128

static bool
hash_with(view password, const uint8_t salt[SALT_LEN], char out[TEXT_MAX])
{
	return password.len <= UINT32_MAX &&
	    argon2id_hash_encoded(ROUNDS, KIBIBYTES, LANES, password.ptr, password.len, salt,
		SALT_LEN, HASH_LEN, out, TEXT_MAX) == ARGON2_OK;
}

bool
password_hash(view password, struct buf *out, struct error *err)
{
	uint8_t salt[SALT_LEN];
	char text[TEXT_MAX];

	random_bytes(salt, sizeof(salt));
	if (!hash_with(password, salt, text))
		return error_memory(err);
	buf_add(out, view_of(text));
	return buf_ok(out) || error_memory(err);
}

bool
password_matches(view password, view hash, bool *out, struct error *err)
{
	char text[TEXT_MAX];
	int code;

	*out = false;
	if (hash.len >= sizeof(text) || password.len > UINT32_MAX)
		return password_waste(password, err);
	memcpy(text, hash.ptr, hash.len);
	text[hash.len] = '\0';
	code = argon2id_verify(text, password.ptr, password.len);
	*out = code == ARGON2_OK;
	return code != ARGON2_MEMORY_ALLOCATION_ERROR || error_memory(err);
}

bool
password_waste(view password, struct error *err)
{
	static const uint8_t salt[SALT_LEN];
	char text[TEXT_MAX];

	return password.len > UINT32_MAX || hash_with(password, salt, text) || error_memory(err);
}
