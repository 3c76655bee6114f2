#include "vault/due.h"

#include "base/pack.h"
#include "keyring/token_object.h"
#include "vault/deleted.h"
#include "vault/object_store.h"

#define FORMAT 1
#define SWEEP_MAX 1000 /* documents a commit */
#define TIME_DIGITS 16

/* What takes its time, and what waits for others, have prefixes of their own. */
static const char *
prefix_of(enum due_kind kind)
{
	static const char *const prefixes[] = {
		[DUE_ROTATE] = DUE_SLOW_PREFIX,
		[DUE_LIFETIME] = DUE_SLOW_PREFIX,
		[DUE_ENROL] = DUE_AWAY_PREFIX,
		[DUE_MAIL] = DUE_AWAY_PREFIX,
	};

	return kind < COUNT_OF(prefixes) && prefixes[kind] != NULL ? prefixes[kind] : DUE_PREFIX;
}

static bool
due_path(struct arena *arena, const struct due *due, view *out, struct error *err)
{
	return arena_print(arena, out, "%s%0*llx/%d/%.*s/%c/%.*s", prefix_of(due->kind),
		   TIME_DIGITS, (unsigned long long)due->time, due->kind, VIEW_ARG(due->vault),
		   due->letter, VIEW_ARG(due->object)) ||
	    error_memory(err);
}

bool
due_time(view path, int64_t *out)
{
	view digits = path;
	uint8_t bytes[TIME_DIGITS / 2];
	struct unpack in = unpack_of((view){ (const char *)bytes, sizeof(bytes) });

	(void)view_cut(&digits, '/');
	if (digits.len < TIME_DIGITS || !hex_decode((view){ digits.ptr, TIME_DIGITS }, bytes))
		return false;
	*out = unpack_i64(&in);
	return true;
}

bool
due_put(struct tx *tx, const struct due *due, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	pack_u8(&document, FORMAT);
	pack_u8(&document, (uint8_t)due->kind);
	pack_bytes(&document, due->vault_name);
	pack_bytes(&document, due->vault);
	pack_u8(&document, (uint8_t)due->letter);
	pack_bytes(&document, due->object);
	pack_bytes(&document, due->name);
	return due_path(tx->arena, due, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
due_delete(struct tx *tx, const struct due *due, struct error *err)
{
	view path;

	return due_path(tx->arena, due, &path, err) && tx_delete(tx, path, err);
}

static bool
decode(view document, struct arena *arena, struct due *out, struct error *err)
{
	struct unpack in;
	struct due due = { 0 };
	view copy;
	bool fine;

	if (!arena_copy(arena, document, &copy))
		return error_memory(err);
	in = unpack_of(copy);
	fine = unpack_u8(&in) == FORMAT;
	due.kind = unpack_u8(&in);
	due.vault_name = unpack_bytes(&in);
	due.vault = unpack_bytes(&in);
	due.letter = (char)unpack_u8(&in);
	due.object = unpack_bytes(&in);
	due.name = unpack_bytes(&in);
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "a due document can't be read");
	*out = due;
	return true;
}

struct due
due_of(const struct request *r, const struct object_type *type, const struct object *object,
    enum due_kind kind, int64_t time)
{
	return (struct due){
		.kind = kind,
		.time = time,
		.vault_name = r->vault->name,
		.vault = uuid_view(&r->vault->id),
		.letter = type->letter,
		.object = view_of(object->id),
		.name = object->name,
	};
}

bool
due_put_purge(struct request *r, const struct object_type *type, const struct object *object,
    struct error *err)
{
	struct due due = due_of(r, type, object, DUE_PURGE, object->purge);

	return due_put(&r->tx, &due, err);
}

bool
due_delete_purge(struct request *r, const struct object_type *type, const struct object *object,
    struct error *err)
{
	struct due due = due_of(r, type, object, DUE_PURGE, object->purge);

	return due_delete(&r->tx, &due, err);
}

static struct due
vault_due(const struct vault *vault, int64_t time)
{
	return (struct due){
		.kind = DUE_VAULT,
		.time = time,
		.vault_name = vault->name,
		.vault = uuid_view(&vault->id),
		.letter = DUE_LETTER_VAULT,
		.object = V(""),
		.name = V(""),
	};
}

bool
due_put_vault(struct tx *tx, const struct vault *vault, int64_t time, struct error *err)
{
	struct due due = vault_due(vault, time);

	return due_put(tx, &due, err);
}

bool
due_delete_vault(struct tx *tx, const struct vault *vault, int64_t time, struct error *err)
{
	struct due due = vault_due(vault, time);

	return due_delete(tx, &due, err);
}

/*
 * Delete what is under ${prefix}, and what a token has of it; when a commit can't hold it all,
 * ${rest} says what is left.
 */
static bool
sweep(struct tx *tx, view prefix, const struct due *rest, struct error *err)
{
	size_t count;
	view *paths;
	bool more;

	if (!token_object_release(tx, rest->vault, rest->object, SWEEP_MAX, &more, err) ||
	    !store_keys(tx->reader, prefix, V(""), SWEEP_MAX, tx->arena, &paths, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!tx_delete(tx, paths[i], err))
			return false;
	}
	return (count < SWEEP_MAX && !more) || due_put(tx, rest, err);
}

bool
due_sweep_versions(struct tx *tx, view vault, char letter, view object, struct error *err)
{
	struct due rest = { .kind = DUE_SWEEP, .vault = vault, .letter = letter, .object = object };
	view prefix, policy;

	return object_policy_path(tx->arena, vault, letter, object, &policy, err) &&
	    tx_delete(tx, policy, err) &&
	    versions_prefix(tx->arena, vault, letter, object, &prefix, err) &&
	    sweep(tx, prefix, &rest, err);
}

bool
due_sweep_vault(struct tx *tx, view vault, struct error *err)
{
	struct due rest = { .kind = DUE_VAULT_SWEEP, .vault = vault, .letter = DUE_LETTER_VAULT };
	view prefix;

	if (!arena_print(tx->arena, &prefix, "v/%.*s/", VIEW_ARG(vault)))
		return error_memory(err);
	return sweep(tx, prefix, &rest, err);
}

bool
due_tell(struct tx *tx, const struct vault *vault, char letter, view name, struct due_done *done,
    struct error *err)
{
	done->letter = letter;
	return (arena_copy(tx->arena, name, &done->name) &&
		   arena_copy(tx->arena, vault->scope, &done->scope) &&
		   arena_copy(tx->arena, vault->scope_capital, &done->scope_capital)) ||
	    error_memory(err);
}

static bool
purge(struct tx *tx, const struct vault *vault, const struct due *due, int64_t now,
    struct due_done *done, struct error *err)
{
	/* The object's documents are found as a request would find them. */
	const struct object_type type = { .letter = due->letter };
	struct request r = { .vault = vault, .arena = tx->arena, .tx = *tx };
	AUTO(object_done) struct object object = { 0 };
	bool found;
	view path;

	if (!object_read(&r, &type, OBJECT_DELETED, due->name, TO_CHANGE, &object, &found, err))
		return false;
	*tx = r.tx;
	if (!found || !view_eq(view_of(object.id), due->object) || object.purge > now)
		return true;
	return due_tell(tx, vault, due->letter, due->name, done, err) &&
	    head_path(&r, &type, OBJECT_DELETED, due->name, &path, err) &&
	    tx_delete(tx, path, err) &&
	    due_sweep_versions(tx, due->vault, due->letter, due->object, err);
}

static bool
is_of(const struct vault *vault, const struct due *due)
{
	return view_eq(uuid_view(&vault->id), due->vault);
}

int64_t
due_backoff(int64_t first, int64_t most, uint32_t tries)
{
	int64_t wait = tries < 10 ? first << tries : most;

	return wait < most ? wait : most;
}

bool
due_vault(struct tx *tx, const struct due *due, struct vault *out, enum due_vault_state *state,
    struct error *err)
{
	struct deleted_vault deleted;
	bool found;

	*state = VAULT_GONE;
	if (!vault_take(tx, due->vault_name, out, &found, err))
		return false;
	if (found && is_of(out, due)) {
		*state = VAULT_LIVE;
		return true;
	}
	if (!deleted_vault_take(tx, due->vault_name, &deleted, &found, err))
		return false;
	if (found && is_of(&deleted.vault, due)) {
		*out = deleted.vault;
		*state = VAULT_DELETED;
	}
	return true;
}

static bool
run_purge(struct tx *tx, const struct due *due, int64_t now, struct due_done *done,
    struct error *err)
{
	enum due_vault_state state;
	struct vault vault;

	if (!due_vault(tx, due, &vault, &state, err))
		return false;
	return state == VAULT_GONE || purge(tx, &vault, due, now, done, err);
}

static bool
run_sweep(struct tx *tx, const struct due *due, int64_t now, struct due_done *done,
    struct error *err)
{
	(void)now;
	(void)done;
	return due_sweep_versions(tx, due->vault, due->letter, due->object, err);
}

static bool
run_vault(struct tx *tx, const struct due *due, int64_t now, struct due_done *done,
    struct error *err)
{
	struct deleted_vault deleted;
	bool found;

	if (!deleted_vault_take(tx, due->vault_name, &deleted, &found, err))
		return false;
	if (!found || !is_of(&deleted.vault, due) || deleted.purge > now)
		return true;
	return vault_purge(tx, &deleted, now, err) &&
	    due_tell(tx, &deleted.vault, DUE_LETTER_VAULT, deleted.vault.name, done, err);
}

static bool
run_vault_sweep(struct tx *tx, const struct due *due, int64_t now, struct due_done *done,
    struct error *err)
{
	(void)now;
	(void)done;
	return due_sweep_vault(tx, due->vault, err);
}

static bool (*const kinds[])(struct tx *tx, const struct due *due, int64_t now,
    struct due_done *done, struct error *err) = {
	[DUE_PURGE] = run_purge,
	[DUE_SWEEP] = run_sweep,
	[DUE_VAULT] = run_vault,
	[DUE_VAULT_SWEEP] = run_vault_sweep,
};

/* Deleted by who reads it to do it. */
static bool
read_due(struct tx *tx, view path, bool take, struct due *out, bool *found, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct vault_key *system = keyring_system(tx->keyring);

	*found = false;
	if (!(take ? tx_take : tx_get)(tx, system, path, &document, err))
		return false;
	if (document == NULL)
		return true;
	if (!decode(plain_view(document), tx->arena, out, err))
		return false;
	*found = due_time(path, &out->time);
	return !take || tx_delete(tx, path, err);
}

bool
due_peek(struct tx *tx, view path, struct due *out, bool *found, struct error *err)
{
	return read_due(tx, path, false, out, found, err);
}

bool
due_take(struct tx *tx, view path, int64_t now, struct due *out, bool *found, struct error *err)
{
	int64_t time;

	*found = false;
	/* The clock may have been set back since the caller looked. */
	if (!due_time(path, &time) || time > now)
		return true;
	return read_due(tx, path, true, out, found, err);
}

bool
due_run(struct tx *tx, const struct due *due, int64_t now, struct due_done *done, struct error *err)
{
	*done = (struct due_done){ 0 };
	if (due->kind >= COUNT_OF(kinds) || kinds[due->kind] == NULL)
		return error_set(err, ERR_CORRUPT, "a due document is of an unknown kind");
	return kinds[due->kind](tx, due, now, done, err);
}
