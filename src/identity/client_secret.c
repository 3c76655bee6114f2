#include "identity/client_secret.h"

#include "crypto/random.h"

#include <string.h>

/*
 * A hash that is slow on purpose guards what people choose.  These are 240 random bits: nobody
 * finds one by trying, however fast the hash.
 */
static bool
hash_of(const struct client_secret *secret, view text, uint8_t out[SHA256_LEN], struct error *err)
{
	return hmac_sha256((view){ (const char *)secret->salt, sizeof(secret->salt) }, text, out,
	    err);
}

bool
client_secret_make(struct client_secret *out, struct plain **text, struct error *err)
{
	/* 64 characters that need no escaping in a form, a URL or a shell. */
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
	AUTO(plain_done) struct plain *made = plain_new(CLIENT_SECRET_LEN);
	char *chars;

	if (made == NULL)
		return error_memory(err);
	chars = plain_bytes(made);
	random_bytes(chars, CLIENT_SECRET_LEN);
	for (size_t i = 0; i < CLIENT_SECRET_LEN; i++)
		chars[i] = alphabet[chars[i] & 63];
	random_bytes(out->salt, sizeof(out->salt));
	memcpy(out->hint, chars, sizeof(out->hint));
	if (!hash_of(out, plain_view(made), out->hash, err))
		return false;
	*text = made;
	made = NULL;
	return true;
}

static bool
fits(const struct client_secret *secret, view text, bool *out, struct error *err)
{
	uint8_t hash[SHA256_LEN];

	if (!hash_of(secret, text, hash, err))
		return false;
	*out = constant_time_equal((view){ (const char *)hash, sizeof(hash) },
	    (view){ (const char *)secret->hash, sizeof(secret->hash) });
	return true;
}

bool
client_secret_check(const struct client_secret *secrets, size_t count, view text, int64_t now,
    enum secret_verdict *out, struct error *err)
{
	static const struct client_secret nothing;
	bool good = false, expired = false, same;

	/* A longer one is not ours, and not worth hashing 32 times. */
	if (text.len > (size_t)CLIENT_SECRET_LEN * 4)
		text = V("");
	/* No secret hashes to zeros. */
	if (count == 0 && !fits(&nothing, text, &same, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		bool current = secrets[i].start <= now && now < secrets[i].end;

		if (!fits(&secrets[i], text, &same, err))
			return false;
		good |= same & current;
		expired |= same & !current;
	}
	*out = good ? SECRET_GOOD : expired ? SECRET_EXPIRED : SECRET_WRONG;
	return true;
}
