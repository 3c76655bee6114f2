#include "signin/refresh_store.h"

#include "base/pack.h"

#include <string.h>

#define FORMAT 2
#define FORMAT_UNPROVEN 1 /* without facts.proven */

bool
refresh_prefix(struct arena *arena, const struct uuid *tenant, const struct uuid *user, view *out,
    struct error *err)
{
	return (user == NULL
		       ? arena_print(arena, out, "t/%s/refresh/", tenant->text)
		       : arena_print(arena, out, "t/%s/refresh/%s/", tenant->text, user->text)) ||
	    error_memory(err);
}

static bool
path_of(struct arena *arena, const struct refresh_name *name, view *out, struct error *err)
{
	return arena_print(arena, out, "t/%s/refresh/%s/%s", name->tenant.text, name->user.text,
		   name->family) ||
	    error_memory(err);
}

/* Exactly ${len} bytes; zeros when they are not there. */
static void
unpack_fixed(struct unpack *in, uint8_t *out, size_t len)
{
	view bytes = unpack_bytes(in);

	if (bytes.len != len)
		in->failed = true;
	else
		memcpy(out, bytes.ptr, len);
}

static void
unpack_before(struct unpack *in, struct refresh_family *out)
{
	uint32_t count = unpack_u32(in);

	if (count > REFRESH_BEFORE_MAX) {
		in->failed = true;
		return;
	}
	out->count = count;
	for (size_t i = 0; i < count; i++) {
		out->before[i].at = unpack_i64(in);
		unpack_fixed(in, out->before[i].digest, SHA256_LEN);
		unpack_fixed(in, out->before[i].nonce, REFRESH_NONCE_LEN);
	}
}

bool
refresh_family_read(view document, struct refresh_family *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	struct refresh_family family = { .used = 0 };
	unsigned format = unpack_u8(&in);
	bool known = format == FORMAT || format == FORMAT_UNPROVEN;
	view client = unpack_bytes(&in);

	family.facts.sessions = unpack_i64(&in);
	family.facts.created = unpack_i64(&in);
	family.facts.resource = unpack_bytes(&in);
	family.facts.proven = format == FORMAT && unpack_u8(&in) != 0;
	family.used = unpack_i64(&in);
	family.revoked = unpack_u8(&in) != 0;
	unpack_fixed(&in, family.current, SHA256_LEN);
	unpack_before(&in, &family);
	if (!known || !unpack_end(&in) ||
	    (client.len > 0 && !uuid_parse(client, &family.facts.client)))
		return error_set(err, ERR_CORRUPT, "a refresh token's document does not read");
	*out = family;
	return true;
}

static void
family_write(const struct refresh_family *family, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_bytes(out, view_of(family->facts.client.text));
	pack_i64(out, family->facts.sessions);
	pack_i64(out, family->facts.created);
	pack_bytes(out, family->facts.resource);
	pack_u8(out, family->facts.proven);
	pack_i64(out, family->used);
	pack_u8(out, family->revoked);
	pack_bytes(out, (view){ (const char *)family->current, SHA256_LEN });
	pack_u32(out, (uint32_t)family->count);
	for (size_t i = 0; i < family->count; i++) {
		pack_i64(out, family->before[i].at);
		pack_bytes(out, (view){ (const char *)family->before[i].digest, SHA256_LEN });
		pack_bytes(out, (view){ (const char *)family->before[i].nonce, REFRESH_NONCE_LEN });
	}
}

bool
refresh_family_take(struct tx *tx, const struct refresh_name *name, struct refresh_family *out,
    bool *there, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct refresh_family family;
	view path;

	if (!path_of(tx->arena, name, &path, err) ||
	    !tx_take(tx, keyring_system(tx->keyring), path, &document, err))
		return false;
	*there = document != NULL;
	if (document == NULL)
		return true;
	if (!refresh_family_read(plain_view(document), &family, err))
		return false;
	if (!arena_copy(tx->arena, family.facts.resource, &family.facts.resource))
		return error_memory(err);
	*out = family;
	return true;
}

bool
refresh_family_put(struct tx *tx, const struct refresh_name *name,
    const struct refresh_family *family, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	family_write(family, &document);
	return path_of(tx->arena, name, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
refresh_family_expired(const struct refresh_family *family, int64_t now)
{
	if (family->revoked)
		return now - family->used >= REFRESH_REVOKED_KEPT;
	return now - family->used >= REFRESH_IDLE || now - family->facts.created >= REFRESH_LIFE;
}
