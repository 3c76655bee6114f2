#include "audit/remembered.h"

#include "audit/line.h"
#include "base/pack.h"

#include <string.h>

#define KEY V("audit/key")
#define PUBLIC V("audit/public")
#define HEAD V("audit/head")
#define KEY_NAME V("audit")
#define FORMAT 1
#define ARENA_MAX ((size_t)64 * 1024)

/* Reading: a snapshot of the store for as long as it is in scope. */
struct snapshot {
	struct store_reader *reader;
	bool begun;
};

static void
snapshot_done(struct snapshot *snapshot)
{
	if (snapshot->begun)
		store_end(snapshot->reader);
	store_reader_free(snapshot->reader);
}

static bool
snapshot_begin(struct snapshot *snapshot, struct store *store, struct error *err)
{
	if (!store_reader_new(store, &snapshot->reader, err))
		return false;
	snapshot->begun = store_begin(snapshot->reader, err);
	return snapshot->begun;
}

static void
remembered_pack(const struct remembered *head, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_i64(out, (int64_t)head->at.seq);
	pack_bytes(out, view_of(head->at.chain));
	pack_i64(out, (int64_t)head->journal);
	pack_i64(out, (int64_t)head->segment);
	pack_i64(out, (int64_t)head->offset);
}

static bool
remembered_unpack(view bytes, struct remembered *out, struct error *err)
{
	struct unpack in = unpack_of(bytes);
	uint8_t format = unpack_u8(&in);
	struct remembered head = { .at.seq = (uint64_t)unpack_i64(&in) };
	view chain = unpack_bytes(&in);

	head.journal = (uint64_t)unpack_i64(&in);
	head.segment = (uint64_t)unpack_i64(&in);
	head.offset = (uint64_t)unpack_i64(&in);
	if (!unpack_end(&in) || format != FORMAT ||
	    chain.len != (head.at.seq == 0 ? 0 : AUDIT_CHAIN_LEN))
		return error_set(err, ERR_CORRUPT, "What is known of the audit log can't be read.");
	if (chain.len > 0)
		memcpy(head.at.chain, chain.ptr, chain.len);
	*out = head;
	return true;
}

/* Read and unseal; ${out} stays NULL when it is absent. */
static bool
get(struct store_reader *reader, struct keyring *keyring, struct arena *arena, view path,
    struct plain **out, struct error *err)
{
	struct document document;

	if (!store_get(reader, path, arena, &document, err))
		return false;
	return document.revision == 0 ||
	    keyring_unseal(keyring_system(keyring), &document.value, path, out, err);
}

static bool
put(struct keyring *keyring, struct arena *arena, view path, view plain, struct change *out,
    struct error *err)
{
	struct change change = { .kind = CHANGE_PUT, .key = path };

	if (!keyring_seal(keyring_system(keyring), plain, path, arena, &change.value, err))
		return false;
	*out = change;
	return true;
}

static bool
put_head(struct keyring *keyring, struct arena *arena, const struct remembered *head,
    struct change *out, struct error *err)
{
	AUTO(buf_free) struct buf packed = { 0 };

	remembered_pack(head, &packed);
	if (!buf_ok(&packed))
		return error_memory(err);
	return put(keyring, arena, HEAD, buf_view(&packed), out, err);
}

bool
remembered_keep(struct store *store, struct keyring *keyring, const struct remembered *head,
    struct error *err)
{
	AUTO(arena_free) struct arena arena;
	struct change change;

	arena_init(&arena, ARENA_MAX);
	return put_head(keyring, &arena, head, &change, err) &&
	    store_commit_wait(store, &change, 1, V(""), err);
}

/* All three documents in one commit: a log is never without its key. */
static bool
make(struct store *store, struct keyring *keyring, struct arena *arena, struct error *err)
{
	const struct remembered empty = { 0 };
	struct change changes[4] = {
		{ .kind = CHANGE_EXPECT, .key = KEY },
		{ .kind = CHANGE_PUT, .key = KEY },
	};
	view spki;

	return keyring_new_signing_key(keyring, SIGNING_P256, KEY_NAME, arena, &changes[1].value,
		   &spki, err) &&
	    put(keyring, arena, PUBLIC, spki, &changes[2], err) &&
	    put_head(keyring, arena, &empty, &changes[3], err) &&
	    store_commit_wait(store, changes, COUNT_OF(changes), V(""), err);
}

static bool
read_head(struct store_reader *reader, struct keyring *keyring, struct arena *arena,
    struct remembered *out, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;

	if (!get(reader, keyring, arena, HEAD, &plain, err))
		return false;
	if (plain == NULL)
		return error_set(err, ERR_CORRUPT,
		    "What is known of the audit log is missing: a server has never run with this "
		    "data folder, or it was changed.");
	return remembered_unpack(plain_view(plain), out, err);
}

static bool
read_public(struct store_reader *reader, struct keyring *keyring, struct arena *arena, view *out,
    struct error *err)
{
	AUTO(plain_done) struct plain *spki = NULL;

	if (!get(reader, keyring, arena, PUBLIC, &spki, err))
		return false;
	if (spki == NULL)
		return error_set(err, ERR_CORRUPT, "The audit log's public key is missing.");
	return arena_copy(arena, plain_view(spki), out) ? true : error_memory(err);
}

static bool
exists(struct store *store, struct arena *arena, bool *out, struct error *err)
{
	AUTO(snapshot_done) struct snapshot snapshot = { 0 };
	struct document document;

	if (!snapshot_begin(&snapshot, store, err) ||
	    !store_get(snapshot.reader, KEY, arena, &document, err))
		return false;
	*out = document.revision != 0;
	return true;
}

static bool
load(struct store *store, struct keyring *keyring, struct arena *arena, struct audit_keys *out,
    struct error *err)
{
	AUTO(snapshot_done) struct snapshot snapshot = { 0 };
	struct document key;
	view spki;

	return snapshot_begin(&snapshot, store, err) &&
	    store_get(snapshot.reader, KEY, arena, &key, err) &&
	    read_head(snapshot.reader, keyring, arena, &out->head, err) &&
	    read_public(snapshot.reader, keyring, arena, &spki, err) &&
	    public_key_from_spki(spki, &out->verifying, err) &&
	    keyring_load_signing_key(keyring, KEY_NAME, &key.value, &out->signing, err);
}

bool
remembered_open(struct store *store, struct keyring *keyring, struct audit_keys *out,
    struct error *err)
{
	AUTO(arena_free) struct arena arena;
	bool there;

	arena_init(&arena, ARENA_MAX);
	return exists(store, &arena, &there, err) && (there || make(store, keyring, &arena, err)) &&
	    load(store, keyring, &arena, out, err);
}

void
audit_keys_free(struct audit_keys *keys)
{
	signing_key_free(keys->signing);
	public_key_free(keys->verifying);
	*keys = (struct audit_keys){ 0 };
}

bool
audit_stored_head(struct store *store, struct keyring *keyring, struct arena *arena,
    view *public_key, struct audit_head *head, struct error *err)
{
	AUTO(snapshot_done) struct snapshot snapshot = { 0 };
	struct remembered remembered;

	if (!snapshot_begin(&snapshot, store, err) ||
	    !read_head(snapshot.reader, keyring, arena, &remembered, err) ||
	    !read_public(snapshot.reader, keyring, arena, public_key, err))
		return false;
	*head = remembered.at;
	return true;
}

bool
remembered_read(struct store_reader *reader, struct keyring *keyring, struct remembered *out,
    struct error *err)
{
	AUTO(arena_free) struct arena arena;

	arena_init(&arena, ARENA_MAX);
	return read_head(reader, keyring, &arena, out, err);
}
