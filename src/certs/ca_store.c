#include "certs/ca_store.h"

#include "base/pack.h"

#define FORMAT 1

static bool
ca_path(struct arena *arena, const struct vault *vault, view *out, struct error *err)
{
	return arena_join(arena, (const view[]){ V("v/"), uuid_view(&vault->id), V("/authority") },
		   3, out) ||
	    error_memory(err);
}

static bool
serial_path(struct arena *arena, const struct vault *vault, const char *what, view serial,
    view *out, struct error *err)
{
	char hex[2 * CA_SERIAL_MAX];

	if (serial.len > CA_SERIAL_MAX)
		return error_set(err, ERR_CERTIFICATE_NOT_FOUND, "No certificate has this serial.");
	hex_encode(serial, hex);
	return arena_join(arena,
		   (const view[]){ V("v/"), uuid_view(&vault->id), V("/authority/"), view_of(what),
		       V("/"), { hex, 2 * serial.len } },
		   6, out) ||
	    error_memory(err);
}

void
ca_done(struct ca *ca)
{
	plain_free(ca->document);
	ca->document = NULL;
}

static void
pack_half(struct buf *out, const struct ca_half *half)
{
	AUTO(buf_free) struct buf packed = { 0 };
	const struct key key = { .material = half->material };

	key_pack(&key, &packed);
	pack_bytes(out, buf_view(&packed));
	pack_bytes(out, half->certificate);
	pack_bytes(out, half->spki);
	pack_bytes(out, half->name);
	out->failed |= packed.failed;
}

static bool
unpack_half(struct unpack *in, view path, struct ca_half *out)
{
	struct key key;

	if (!key_unpack(unpack_bytes(in), &key))
		return false;
	out->material = key.material;
	out->material.path = out->material.head = path;
	out->certificate = unpack_bytes(in);
	out->spki = unpack_bytes(in);
	out->name = unpack_bytes(in);
	return true;
}

bool
ca_write(struct tx *tx, const struct vault *vault, const struct ca *ca, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	pack_u8(&document, FORMAT);
	pack_half(&document, &ca->root);
	pack_half(&document, &ca->intermediate);
	if (!buf_ok(&document))
		return error_memory(err);
	return ca_path(tx->arena, vault, &path, err) &&
	    tx_put(tx, vault->key, path, &document, err);
}

bool
ca_read(struct tx *tx, const struct vault *vault, enum intent intent, struct ca *out, bool *found,
    struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct unpack in;
	struct ca ca = { 0 };
	view path;

	*found = false;
	if (!ca_path(tx->arena, vault, &path, err) ||
	    !(intent == TO_CHANGE ? tx_take : tx_get)(tx, vault->key, path, &document, err))
		return false;
	if (document == NULL)
		return true;
	in = unpack_of(plain_view(document));
	if (unpack_u8(&in) != FORMAT || !unpack_half(&in, path, &ca.root) ||
	    !unpack_half(&in, path, &ca.intermediate) || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "an authority's document can't be read");
	*out = ca;
	out->document = document;
	document = NULL;
	*found = true;
	return true;
}

bool
ca_put_issued(struct tx *tx, const struct vault *vault, view serial, view certificate,
    int64_t not_after, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	pack_u8(&document, FORMAT);
	pack_bytes(&document, certificate);
	pack_i64(&document, not_after);
	if (!buf_ok(&document))
		return error_memory(err);
	return serial_path(tx->arena, vault, "issued", serial, &path, err) &&
	    tx_put(tx, vault->key, path, &document, err);
}

static bool
unpack_issued(view document, struct ca_issued *out)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT;

	(void)unpack_bytes(&in);
	out->not_after = unpack_i64(&in);
	return fine && unpack_end(&in);
}

bool
ca_get_issued(struct tx *tx, const struct vault *vault, view serial, struct ca_issued *out,
    bool *found, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	view path;

	*found = false;
	if (!serial_path(tx->arena, vault, "issued", serial, &path, err) ||
	    !tx_get(tx, vault->key, path, &document, err))
		return false;
	if (document == NULL)
		return true;
	*found = unpack_issued(plain_view(document), out);
	return *found || error_set(err, ERR_CORRUPT, "what was issued can't be read");
}

/* One that can't be read is left: it is no reason not to issue another. */
static bool
is_old(const struct vault *vault, const struct document *document, int64_t now)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct ca_issued issued;
	struct error problem;

	return keyring_unseal(vault->key, &document->value, document->key, &plain, &problem) &&
	    unpack_issued(plain_view(plain), &issued) && issued.not_after < now - CA_KEPT_SECONDS;
}

/* ${limit} of them behind ${after} at most, how many there were in ${count}. */
static bool
forget_some(struct tx *tx, const struct vault *vault, view after, size_t limit, int64_t now,
    size_t *count, struct error *err)
{
	struct document *documents;
	view prefix, revoked;

	if (!serial_path(tx->arena, vault, "issued", V(""), &prefix, err) ||
	    !store_scan(tx->reader, prefix, after, limit, tx->arena, &documents, count, err) ||
	    !serial_path(tx->arena, vault, "revoked", V(""), &revoked, err))
		return false;
	for (size_t i = 0; i < *count; i++) {
		view path, serial = view_from(documents[i].key, prefix.len);

		if (!is_old(vault, &documents[i], now))
			continue;
		if (!arena_join(tx->arena, (const view[]){ revoked, serial }, 2, &path))
			return error_memory(err);
		if (!tx_delete(tx, documents[i].key, err) || !tx_delete(tx, path, err))
			return false;
	}
	return true;
}

bool
ca_forget_old(struct tx *tx, const struct vault *vault, view serial, int64_t now, struct error *err)
{
	size_t count, more;
	view after;

	if (!serial_path(tx->arena, vault, "issued", serial, &after, err) ||
	    !forget_some(tx, vault, after, CA_LOOKED_AT, now, &count, err))
		return false;
	/* Behind the last comes the first. */
	return count == CA_LOOKED_AT ||
	    forget_some(tx, vault, V(""), CA_LOOKED_AT - count, now, &more, err);
}

bool
ca_put_revoked(struct tx *tx, const struct vault *vault, view serial,
    const struct ca_revoked *revoked, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	pack_u8(&document, FORMAT);
	pack_i64(&document, revoked->since);
	pack_i64(&document, revoked->not_after);
	pack_u8(&document, (uint8_t)revoked->reason);
	if (!buf_ok(&document))
		return error_memory(err);
	return serial_path(tx->arena, vault, "revoked", serial, &path, err) &&
	    tx_put(tx, vault->key, path, &document, err);
}

static bool
unpack_revoked(view document, struct ca_revoked *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT;

	out->since = unpack_i64(&in);
	out->not_after = unpack_i64(&in);
	out->reason = unpack_u8(&in);
	return (fine && unpack_end(&in)) ||
	    error_set(err, ERR_CORRUPT, "what was revoked can't be read");
}

bool
ca_get_revoked(struct tx *tx, const struct vault *vault, view serial, enum intent intent,
    struct ca_revoked *out, bool *found, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	view path;

	*found = false;
	if (!serial_path(tx->arena, vault, "revoked", serial, &path, err) ||
	    !(intent == TO_CHANGE ? tx_take : tx_get)(tx, vault->key, path, &document, err))
		return false;
	*found = document != NULL;
	return document == NULL || unpack_revoked(plain_view(document), out, err);
}

/* One of the documents that a scan found; the serial in ${bytes}. */
static bool
read_entry(const struct vault *vault, const struct document *document, size_t prefix,
    uint8_t bytes[CA_SERIAL_MAX], view *serial, struct ca_revoked *out, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	view hex = view_from(document->key, prefix);

	if (!keyring_unseal(vault->key, &document->value, document->key, &plain, err) ||
	    !unpack_revoked(plain_view(plain), out, err))
		return false;
	if (hex.len > (size_t)2 * CA_SERIAL_MAX || !hex_decode(hex, bytes))
		return error_set(err, ERR_CORRUPT, "what was revoked has no serial");
	*serial = (view){ (const char *)bytes, hex.len / 2 };
	return true;
}

/* Nobody needs to be told of it any more. */
static bool
has_ended(const struct ca_revoked *revoked, int64_t now)
{
	return revoked->not_after < now;
}

static bool
scan_revoked(struct tx *tx, const struct vault *vault, size_t *prefix_len, struct document **out,
    size_t *count, struct error *err)
{
	view prefix;

	if (!serial_path(tx->arena, vault, "revoked", V(""), &prefix, err))
		return false;
	*prefix_len = prefix.len;
	return store_scan(tx->reader, prefix, V(""), CA_REVOKED_MAX, tx->arena, out, count, err);
}

bool
ca_scan_revoked(struct tx *tx, const struct vault *vault, int64_t now, struct crl_entry **out,
    size_t *count, struct error *err)
{
	struct document *documents;
	size_t found, prefix;

	*count = 0;
	if (!scan_revoked(tx, vault, &prefix, &documents, &found, err))
		return false;
	*out = arena_alloc(tx->arena, (found + 1) * sizeof(**out));
	if (*out == NULL)
		return error_memory(err);
	for (size_t i = 0; i < found; i++) {
		struct crl_entry *entry = &(*out)[*count];
		uint8_t bytes[CA_SERIAL_MAX];
		struct ca_revoked revoked;
		view serial;

		if (!read_entry(vault, &documents[i], prefix, bytes, &serial, &revoked, err))
			return false;
		if (has_ended(&revoked, now))
			continue;
		*entry = (struct crl_entry){ .revoked = revoked.since, .reason = revoked.reason };
		if (!arena_copy(tx->arena, serial, &entry->serial))
			return error_memory(err);
		++*count;
	}
	return true;
}

bool
ca_drop_ended(struct tx *tx, const struct vault *vault, int64_t now, size_t *dropped,
    struct error *err)
{
	struct document *documents;
	size_t found, prefix;

	*dropped = 0;
	if (!scan_revoked(tx, vault, &prefix, &documents, &found, err))
		return false;
	for (size_t i = 0; i < found && *dropped < CA_DROPPED_MAX; i++) {
		uint8_t bytes[CA_SERIAL_MAX];
		struct ca_revoked revoked;
		view serial, issued;

		if (!read_entry(vault, &documents[i], prefix, bytes, &serial, &revoked, err))
			return false;
		if (!has_ended(&revoked, now))
			continue;
		if (!serial_path(tx->arena, vault, "issued", serial, &issued, err) ||
		    !tx_delete(tx, issued, err) || !tx_delete(tx, documents[i].key, err))
			return false;
		++*dropped;
	}
	return true;
}

bool
ca_count_revoked(struct tx *tx, const struct vault *vault, size_t *out, struct error *err)
{
	view prefix, *paths;

	return serial_path(tx->arena, vault, "revoked", V(""), &prefix, err) &&
	    store_keys(tx->reader, prefix, V(""), CA_REVOKED_MAX, tx->arena, &paths, out, err);
}

/* Beside "revoked/", so that who scans that does not meet it. */
static bool
changes_path(struct tx *tx, const struct vault *vault, view *out, struct error *err)
{
	view path;

	return ca_path(tx->arena, vault, &path, err) &&
	    (arena_join(tx->arena, (const view[]){ path, V("/changes") }, 2, out) ||
		error_memory(err));
}

bool
ca_changes(struct tx *tx, const struct vault *vault, enum intent intent, int64_t *out,
    struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct unpack in;
	bool fine;
	view path;

	*out = 0;
	if (!changes_path(tx, vault, &path, err) ||
	    !(intent == TO_CHANGE ? tx_take : tx_get)(tx, vault->key, path, &document, err))
		return false;
	if (document == NULL)
		return true;
	in = unpack_of(plain_view(document));
	fine = unpack_u8(&in) == FORMAT;
	*out = unpack_i64(&in);
	return (fine && unpack_end(&in)) ||
	    error_set(err, ERR_CORRUPT, "how often a list changed can't be read");
}

bool
ca_count_change(struct tx *tx, const struct vault *vault, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	int64_t changes;
	view path;

	if (!changes_path(tx, vault, &path, err) ||
	    !ca_changes(tx, vault, TO_CHANGE, &changes, err))
		return false;
	pack_u8(&document, FORMAT);
	pack_i64(&document, changes + 1);
	return (buf_ok(&document) || error_memory(err)) &&
	    tx_put(tx, vault->key, path, &document, err);
}
