#include "keyring/lengths.h"

#define PKCS1_OVERHEAD 11
#define BLOCK_LEN ((size_t)16)
#define GCM_IV_LEN 12
#define GCM_TAG_LEN 16
#define VALUE_MAX ((size_t)1 << 30) /* libraries count in ints */

bool
undecryptable(struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER, "The parameter is incorrect.\r\n");
}

static bool
exactly(view value, size_t wanted, const char *property, struct error *err)
{
	if (value.len == wanted)
		return true;
	return error_set(err, ERR_BAD_PARAMETER,
	    "Invalid length of '%s': %zu bytes. Supported lengths: %zu bytes.", property, value.len,
	    wanted);
}

/* One to ${max} bytes. */
static bool
in_range(view value, size_t max, struct error *err)
{
	if (value.len > 0 && value.len <= max)
		return true;
	return error_set(err, ERR_BAD_PARAMETER,
	    "Invalid length of 'value': %zu bytes. Supported lengths: 1 to %zu bytes.", value.len,
	    max);
}

/* Of a ciphertext: no different from others that do not decrypt. */
static bool
multiple(view value, bool encrypt, size_t of, size_t least, struct error *err)
{
	if (value.len >= least && value.len % of == 0)
		return true;
	if (!encrypt)
		return undecryptable(err);
	return error_set(err, ERR_BAD_PARAMETER,
	    "Invalid length of 'value': %zu bytes. Supported lengths: multiples of %zu bytes, at "
	    "least %zu.",
	    value.len, of, least);
}

static bool
signed_fits(const struct key_spec *spec, const struct key_algorithm *algorithm, view value,
    struct error *err)
{
	size_t wanted = key_digest_len(algorithm->digest);

	return wanted == 0 ? in_range(value, spec->bits / 8 - PKCS1_OVERHEAD, err)
			   : exactly(value, wanted, "value", err);
}

static bool
rsa_fits(const struct key_spec *spec, const struct key_algorithm *algorithm, bool encrypt,
    view value, struct error *err)
{
	size_t size = spec->bits / 8;
	size_t overhead = algorithm->family == FAMILY_RSA_PKCS1
	    ? PKCS1_OVERHEAD
	    : 2 * key_digest_len(algorithm->digest) + 2;

	if (encrypt)
		return in_range(value, size - overhead, err);
	return value.len == size || undecryptable(err);
}

static bool
cbc_fits(const struct key_message *in, bool encrypt, bool padded, struct error *err)
{
	return exactly(in->iv, BLOCK_LEN, "iv", err) &&
	    ((padded && encrypt) || multiple(in->value, encrypt, BLOCK_LEN, BLOCK_LEN, err));
}

static bool
wrap_fits(view value, bool encrypt, bool padded, struct error *err)
{
	size_t least = padded ? 1 : 16;

	if (!encrypt)
		least = padded ? 16 : 24;
	return multiple(value, encrypt, padded && encrypt ? 1 : 8, least, err);
}

static bool
aes_fits(enum key_family family, bool encrypt, const struct key_message *in, struct error *err)
{
	if (in->value.len > VALUE_MAX || in->aad.len > VALUE_MAX)
		return error_set(err, ERR_BAD_PARAMETER, "The value is too long.");
	switch (family) {
	case FAMILY_AES_GCM:
		return encrypt ||
		    (exactly(in->iv, GCM_IV_LEN, "iv", err) &&
			exactly(in->tag, GCM_TAG_LEN, "tag", err));
	case FAMILY_AES_CBC: return cbc_fits(in, encrypt, false, err);
	case FAMILY_AES_CBC_PAD: return cbc_fits(in, encrypt, true, err);
	case FAMILY_AES_KW: return wrap_fits(in->value, encrypt, false, err);
	case FAMILY_AES_KWP: return wrap_fits(in->value, encrypt, true, err);
	default: return true;
	}
}

bool
lengths_fit(const struct key_spec *spec, const struct key_algorithm *algorithm, enum key_use use,
    const struct key_message *in, struct error *err)
{
	bool encrypt = use == KEY_ENCRYPT;

	if (use == KEY_SIGN || use == KEY_VERIFY)
		return signed_fits(spec, algorithm, in->value, err);
	if (spec->kind == KEY_RSA)
		return rsa_fits(spec, algorithm, encrypt, in->value, err);
	return aes_fits(algorithm->family, encrypt, in, err);
}
