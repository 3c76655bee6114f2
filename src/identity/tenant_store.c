#include "identity/tenant_store.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/pack.h"
#include "crypto/random.h"
#include "identity/identity.h"

#define FORMAT 1
#define KID_BYTES 20
#define TENANT_NAME_MAX 256

static bool
corrupt(struct error *err, const char *what)
{
	return error_set(err, ERR_CORRUPT, "A %s's document is not readable.", what);
}

bool
tenant_record_read(view document, struct tenant_record *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool known = unpack_u8(&in) == FORMAT;
	struct tenant_record record = { .created = unpack_i64(&in) };

	record.name = unpack_bytes(&in);
	if (!known || !unpack_end(&in))
		return corrupt(err, "tenant");
	*out = record;
	return true;
}

bool
signing_record_read(view document, struct signing_record *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool known = unpack_u8(&in) == FORMAT;
	struct signing_record record = { .created = unpack_i64(&in) };

	record.spki = unpack_bytes(&in);
	record.private_key.bytes = unpack_bytes(&in);
	if (!known || !unpack_end(&in))
		return corrupt(err, "signing key");
	*out = record;
	return true;
}

struct tenant_path
tenant_path_parse(view path)
{
	struct tenant_path found = { .kind = TENANT_OTHER };
	view id, word;

	if (!view_starts(path, V("t/")))
		return found;
	path = view_from(path, 2);
	id = view_cut(&path, '/');
	if (!uuid_parse(id, &found.tenant))
		return found;
	if (path.len == 0) {
		found.kind = TENANT_ITSELF;
		return found;
	}
	word = view_cut(&path, '/');
	found.kid = path;
	if (view_eq(word, V("signing")) && path.len > 0)
		found.kind = TENANT_SIGNING;
	return found;
}

bool
signing_path(struct arena *arena, const struct uuid *tenant, view kid, view *out, struct error *err)
{
	return arena_print(arena, out, "t/%s/signing/%.*s", tenant->text, VIEW_ARG(kid)) ||
	    error_memory(err);
}

/* The kid is as long as Entra's, which are thumbprints; ours mean nothing. */
static bool
new_kid(struct buf *out, struct error *err)
{
	char bytes[KID_BYTES];

	random_bytes(bytes, sizeof(bytes));
	base64_encode(BASE64URL, (view){ bytes, sizeof(bytes) }, out);
	return buf_ok(out) || error_memory(err);
}

bool
signing_create(struct tx *tx, const struct uuid *tenant, int64_t now, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 }, kid = { 0 };
	struct sealed private_key;
	view path, spki;

	if (!new_kid(&kid, err) || !signing_path(tx->arena, tenant, buf_view(&kid), &path, err) ||
	    !keyring_new_signing_key(tx->keyring, SIGNING_RSA_2048, path, tx->arena, &private_key,
		&spki, err))
		return false;
	pack_u8(&document, FORMAT);
	pack_i64(&document, now);
	pack_bytes(&document, spki);
	pack_bytes(&document, private_key.bytes);
	return tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
tenant_create(struct tx *tx, const struct uuid *id, view name, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	AUTO(plain_done) struct plain *before = NULL;
	struct vault_key *key = keyring_system(tx->keyring);
	view path;

	if (name.len > TENANT_NAME_MAX || !utf8_valid(name))
		return error_set(err, ERR_BAD_PARAMETER, "The tenant's name is not valid.");
	if (!arena_print(tx->arena, &path, "t/%s", id->text))
		return error_memory(err);
	if (!tx_take(tx, key, path, &before, err))
		return false;
	if (before != NULL)
		return error_set(err, ERR_CONFLICT, "The tenant %s exists already.", id->text);
	pack_u8(&document, FORMAT);
	pack_i64(&document, clock_wall_nanos());
	pack_bytes(&document, name);
	return tx_put(tx, key, path, &document, err) && signing_create(tx, id, clock_wall(), err);
}
