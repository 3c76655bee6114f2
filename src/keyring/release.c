#include "crypto/random.h"
#include "keyring/material.h"
#include "keyring/material_token.h"
#include "keyring/software.h"

#define TRANSPORT_LEN 32
#define WORK_MAX ((size_t)64 * 1024)

static const struct key_spec transport_spec = { .kind = KEY_OCT, .bits = 8 * TRANSPORT_LEN };

static bool
transport_new(struct plain **bytes, struct software_key **out, struct error *err)
{
	struct plain *fresh = plain_new(TRANSPORT_LEN);

	if (fresh == NULL)
		return error_memory(err);
	random_bytes(plain_bytes(fresh), TRANSPORT_LEN);
	*bytes = fresh;
	return software_open(&transport_spec, plain_view(fresh), out, err);
}

/* RFC 5649. */
static bool
transport_use(struct software_key *transport, enum key_use use, view value, struct arena *arena,
    view *out, struct error *err)
{
	const struct key_algorithm *algorithm = key_algorithm_find(V("CKM_AES_KEY_WRAP_PAD"));
	const struct key_message in = { .value = value };
	struct key_result result;

	if (!software_use(transport, algorithm, use, &in, arena, &result, err))
		return false;
	*out = result.value;
	return true;
}

/* How long the sequence is that a DER text begins with (X.690, section 8.1.3); 0: it has none. */
static size_t
der_len(view der)
{
	const unsigned char *at = (const unsigned char *)der.ptr;
	size_t len = 0, head;

	if (der.len < 4 || at[0] != 0x30)
		return 0;
	if (at[1] < 0x80)
		return 2 + (size_t)at[1];
	head = at[1] & 0x7fU;
	if (head < 1 || head > 2)
		return 0;
	for (size_t i = 0; i < head; i++)
		len = len << 8 | at[2 + i];
	return 2 + head + len;
}

/*
 * Some tokens fill a private key up with zeros to whole half blocks before they wrap it (PKCS#11
 * 2.40, section 2.14.3, can be read so): that is not PKCS#8 to whoever unwraps it.
 */
static bool
trim(const struct key_spec *spec, view *key, struct error *err)
{
	size_t len = spec->kind == KEY_OCT ? spec->bits / 8 : der_len(*key);

	if (len == 0 || len > key->len || key->len - len >= 8)
		return error_set(err, ERR_INTERNAL,
		    "The HSM token wrapped a key that can't be read.");
	key->len = len;
	return true;
}

/* ${out} lies in ${work}, which is wiped when it is freed. */
static bool
fetch(struct keyring *keyring, struct vault_key *key, const struct material *material,
    view transport_bytes, struct software_key *transport, struct arena *work, view *out,
    struct error *err)
{
	AUTO(plain_done) struct plain *kept = NULL;
	view wrapped;

	return material_open_private(key, material, &kept, err) &&
	    material_token_release(keyring, &material->spec, view_from(plain_view(kept), 1),
		transport_bytes, work, &wrapped, err) &&
	    transport_use(transport, KEY_DECRYPT, wrapped, work, out, err) &&
	    trim(&material->spec, out, err);
}

/*
 * The transport key is made here and not in the token, whose OAEP may know SHA-1 only, and for as
 * long as it takes to wrap it the key itself is in this process, too.  A token could not do better:
 * it would wrap a key for whatever target this process named.  What guards a release is the policy,
 * and that is judged here.
 */
bool
material_release(struct keyring *keyring, struct vault_key *key, const struct material *material,
    const struct public_key *target, enum oaep oaep, struct arena *arena, view *out,
    struct error *err)
{
	AUTO(plain_done) struct plain *bytes = NULL;
	AUTO(software_done) struct software_key *transport = NULL;
	AUTO(arena_free) struct arena work = { 0 };
	AUTO(buf_free) struct buf head = { 0 };
	view private, released;

	arena_init(&work, WORK_MAX);
	if (!material->spec.hsm)
		return error_set(err, ERR_INTERNAL, "Keys in software are not released.");
	if (!transport_new(&bytes, &transport, err) ||
	    !public_key_wrap(target, oaep, plain_view(bytes), &head, err) ||
	    !fetch(keyring, key, material, plain_view(bytes), transport, &work, &private, err) ||
	    !transport_use(transport, KEY_ENCRYPT, private, &work, &released, err))
		return false;
	return arena_join(arena, (const view[]){ buf_view(&head), released }, 2, out) ||
	    error_memory(err);
}
