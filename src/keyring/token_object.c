#include "keyring/token_object.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/pack.h"
#include "keyring/ring.h"
#include "keyring/work.h"

#define FORMAT 1
#define OWNED_PREFIX "hsm/"
#define DROP_PREFIX "hsm-drop/"
#define KEEP_SECONDS 3600 /* longer than a request may take */
#define RETRY_SECONDS 60
#define PAGE 100
#define ARENA_MAX ((size_t)1024 * 1024)

static bool
drop_path(struct arena *arena, view id, view *out, struct error *err)
{
	return arena_join(arena, (const view[]){ V(DROP_PREFIX), id }, 2, out) || error_memory(err);
}

/* From ${time} on. */
static bool
drop_put(struct tx *tx, view id, int64_t time, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	pack_u8(&document, FORMAT);
	pack_i64(&document, time);
	return drop_path(tx->arena, id, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

static bool
drop_take(struct tx *tx, view id, int64_t *time, bool *found, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct unpack in;
	view path;
	bool fine;

	*found = false;
	if (!drop_path(tx->arena, id, &path, err) ||
	    !tx_take(tx, keyring_system(tx->keyring), path, &document, err))
		return false;
	if (document == NULL)
		return true;
	in = unpack_of(plain_view(document));
	fine = unpack_u8(&in) == FORMAT;
	*time = unpack_i64(&in);
	*found = fine && unpack_end(&in);
	return *found ||
	    error_set(err, ERR_CORRUPT, "what is to be destroyed in the token can't be read");
}

static bool
drop_delete(struct tx *tx, view id, struct error *err)
{
	view path;

	return drop_path(tx->arena, id, &path, err) && tx_delete(tx, path, err);
}

static bool
announce_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	const view *id = ctx;

	(void)journal;
	return drop_put(tx, *id, clock_now() + KEEP_SECONDS, err);
}

static bool
read_revision(struct store_reader *reader, view path, struct arena *arena, uint64_t *out,
    struct error *err)
{
	struct document document;
	bool fine;

	if (!store_begin(reader, err))
		return false;
	fine = store_get(reader, path, arena, &document, err);
	store_end(reader);
	*out = fine ? document.revision : 0;
	return fine;
}

bool
token_object_announce(struct keyring *keyring, view id, uint64_t *revision, struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	AUTO(arena_free) struct arena arena = { 0 };
	view path;

	arena_init(&arena, ARENA_MAX);
	return work_run(keyring->store, keyring, announce_body, &id, err) &&
	    drop_path(&arena, id, &path, err) && store_reader_new(keyring->store, &reader, err) &&
	    read_revision(reader, path, &arena, revision, err);
}

static bool
owned_path(struct arena *arena, view vault, view object, view id, view *out, struct error *err)
{
	const view parts[] = { V(OWNED_PREFIX), vault, V("/"), object,
		object.len > 0 ? V("/") : V(""), id };

	return arena_join(arena, parts, COUNT_OF(parts), out) || error_memory(err);
}

/* The request's snapshot may be older than what was announced: so it is not read, but expected. */
bool
token_object_keep(struct tx *tx, view vault, view object, view id, uint64_t revision,
    struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	struct change expected = { .kind = CHANGE_EXPECT, .revision = revision };
	view path;

	pack_u8(&document, FORMAT);
	return drop_path(tx->arena, id, &expected.key, err) && tx_change(tx, expected, err) &&
	    tx_delete(tx, expected.key, err) &&
	    owned_path(tx->arena, vault, object, id, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

static view
last_part(view path)
{
	view part = path;

	while (path.len > 0)
		part = view_cut(&path, '/');
	return part;
}

bool
token_object_release(struct tx *tx, view vault, view object, size_t limit, bool *more,
    struct error *err)
{
	size_t count;
	view prefix, *paths;

	if (!owned_path(tx->arena, vault, object, V(""), &prefix, err) ||
	    !store_keys(tx->reader, prefix, V(""), limit, tx->arena, &paths, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!tx_delete(tx, paths[i], err) || !drop_put(tx, last_part(paths[i]), 0, err))
			return false;
	}
	*more = count == limit;
	return true;
}

bool
token_object_drop(struct tx *tx, view vault, view object, view id, struct error *err)
{
	view path;

	return owned_path(tx->arena, vault, object, id, &path, err) && tx_delete(tx, path, err) &&
	    drop_put(tx, id, 0, err);
}

/* One that is to be destroyed. */
struct dropping {
	view id;
	bool claimed;
};

/* The document is changed before anything is: who comes late to keep it is refused. */
static bool
claim_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct dropping *dropping = ctx;
	int64_t now = clock_now(), time;
	bool found;

	(void)journal;
	dropping->claimed = false;
	if (!drop_take(tx, dropping->id, &time, &found, err))
		return false;
	if (!found || time > now)
		return true;
	dropping->claimed = true;
	return drop_put(tx, dropping->id, now + RETRY_SECONDS, err);
}

static bool
destroyed_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	const struct dropping *dropping = ctx;

	(void)journal;
	return drop_delete(tx, dropping->id, err);
}

static bool
destroy(struct keyring *keyring, view id, struct error *err)
{
	struct dropping dropping = { .id = id };

	if (!work_run(keyring->store, keyring, claim_body, &dropping, err))
		return false;
	return !dropping.claimed ||
	    (token_destroy(keyring->token, id, err) &&
		work_run(keyring->store, keyring, destroyed_body, &dropping, err));
}

/* One that can't be destroyed must not hold up the others; a token that is away does. */
static bool
destroy_all(struct keyring *keyring, const view *paths, size_t count, const atomic_bool *stopping)
{
	for (size_t i = 0; i < count; i++) {
		struct error problem;

		if (atomic_load(stopping))
			return false;
		if (destroy(keyring, last_part(paths[i]), &problem))
			continue;
		if (problem.code == ERR_UNAVAILABLE)
			return false;
		log_line(LOG_ERROR, "hsm.not-destroyed", "%.*s: %s", VIEW_ARG(paths[i]),
		    problem.message);
	}
	return true;
}

static bool
list(struct store_reader *reader, struct arena *arena, view after, view **paths, size_t *count,
    struct error *err)
{
	bool fine;

	if (!store_begin(reader, err))
		return false;
	fine = store_keys(reader, V(DROP_PREFIX), after, PAGE, arena, paths, count, err);
	store_end(reader);
	return fine;
}

bool
token_objects_destroy(struct keyring *keyring, const atomic_bool *stopping, struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	AUTO(arena_free) struct arena arena = { 0 };
	size_t count = PAGE;
	view *paths, after = V("");

	if (keyring->token == NULL)
		return true;
	arena_init(&arena, ARENA_MAX);
	if (!store_reader_new(keyring->store, &reader, err))
		return false;
	while (count == PAGE) {
		if (!list(reader, &arena, after, &paths, &count, err))
			return false;
		if (!destroy_all(keyring, paths, count, stopping))
			return true;
		if (count > 0)
			after = paths[count - 1];
	}
	return true;
}
