#include "keyring/sealed.h"
#include "crypto/hash.h"

#include <string.h>

#define FORMAT 1

static const view labels[] = {
	[PURPOSE_ROOT] = V_INIT("strongroom:root:"),
	[PURPOSE_DOCUMENT] = V_INIT("strongroom:document:"),
	[PURPOSE_SIGNING_KEY] = V_INIT("strongroom:signing-key:"),
	[PURPOSE_BACKUP] = V_INIT("strongroom:backup:"),
	[PURPOSE_MAC] = V_INIT("strongroom:mac:"),
	[PURPOSE_KEY] = V_INIT("strongroom:key:"),
};

#define LABEL_MAX 32

struct labelled {
	char bytes[LABEL_MAX + SEALED_AAD_MAX];
	size_t len;
};

static bool
label(enum purpose purpose, view rest, struct labelled *out, struct error *err)
{
	view front = labels[purpose];

	if (rest.len > SEALED_AAD_MAX)
		return error_set(err, ERR_INTERNAL, "A name to be bound in is too long.");
	memcpy(out->bytes, front.ptr, front.len);
	if (rest.len > 0)
		memcpy(out->bytes + front.len, rest.ptr, rest.len);
	out->len = front.len + rest.len;
	return true;
}

bool
sealed_make(struct aead *aead, enum purpose purpose, view plain, view aad, char *out,
    struct error *err)
{
	struct labelled bound;

	if (!label(purpose, aad, &bound, err))
		return false;
	out[0] = FORMAT;
	return aead_seal(aead, plain, (view){ bound.bytes, bound.len }, out + 1, err);
}

bool
sealed_open(struct aead *aead, enum purpose purpose, view sealed, view aad, struct plain **out,
    struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct labelled bound;

	if (sealed.len < SEALED_OVERHEAD || sealed.ptr[0] != FORMAT)
		return error_set(err, ERR_CORRUPT, "A sealed document has an unknown format.");
	if (!label(purpose, aad, &bound, err))
		return false;
	plain = plain_new(sealed.len - SEALED_OVERHEAD);
	if (plain == NULL)
		return error_memory(err);
	if (!aead_open(aead, view_from(sealed, 1), (view){ bound.bytes, bound.len },
		plain_bytes(plain), err))
		return false;
	*out = plain;
	plain = NULL;
	return true;
}

bool
sealed_derive(view key, enum purpose purpose, view name, struct plain **out, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct labelled info;

	if (!label(purpose, name, &info, err))
		return false;
	plain = plain_new(AEAD_KEY_LEN);
	if (plain == NULL)
		return error_memory(err);
	if (!hkdf_sha256(key, V(""), (view){ info.bytes, info.len }, (uint8_t *)plain_bytes(plain),
		AEAD_KEY_LEN, err))
		return false;
	*out = plain;
	plain = NULL;
	return true;
}
