#include "keys/rotation_due.h"

#include "keys/key.h"
#include "keys/key_make.h"
#include "keyring/work.h"
#include "vault/due_object.h"

#define ROTATED "KeyRotateIfDue"
#define ANNOUNCED "KeyNearExpiryEventGridNotification"

/* A new key, or why there is none; in the arena, with the version it is to follow. */
struct prepared {
	view after;
	struct material material;
	bool made;
	struct error problem;
};

/* A key as one transaction has it. */
struct state {
	struct due_object at;
	struct rotation rotation;
	bool due; /* it still is */
};

static void
state_done(struct state *state)
{
	due_object_done(&state->at);
	rotation_done(&state->rotation);
}

static int64_t
scheduled(const struct rotation *rotation, enum due_kind kind)
{
	return kind == DUE_ROTATE ? rotation->due.rotate : rotation->due.notify;
}

/* A deleted key, another one of its name, or a changed schedule: nothing is due. */
static bool
look_up(const struct services *services, struct tx *tx, const struct due *due, struct state *out,
    struct error *err)
{
	struct due_object *at = &out->at;

	if (!due_object_find(services, tx, due, &key_type, at, err))
		return false;
	if (!at->found)
		return true;
	if (!rotation_read(&at->request, &at->object, TO_CHANGE, &out->rotation, err))
		return false;
	out->due = scheduled(&out->rotation, due->kind) == due->time;
	due_object_keep(at, tx);
	return true;
}

/* In a snapshot of its own.  ${vault_key} stays unset when there is nothing to be made. */
static bool
look_ahead(const struct services *services, const struct due *due, struct arena *arena,
    struct prepared *out, struct vault_key **vault_key, struct error *err)
{
	AUTO(reading_done) struct reading reading = { 0 };
	AUTO(state_done) struct state state = { 0 };
	struct key key;

	if (!reading_begin(services->store, services->keyring, arena, &reading, err) ||
	    !look_up(services, &reading.tx, due, &state, err))
		return false;
	if (!state.due || state.at.where != VAULT_LIVE)
		return true;
	if (!key_of(&state.at.request, &state.at.object, &state.at.latest, &key, err))
		return false;
	if (!arena_copy(arena, state.at.latest.id, &out->after))
		return error_memory(err);
	out->material.spec = key.material.spec;
	*vault_key = state.at.vault.key;
	return true;
}

bool
rotation_prepare(const struct services *services, const struct due *due, struct arena *arena,
    void **out, struct error *err)
{
	struct prepared *prepared = arena_alloc(arena, sizeof(*prepared));
	struct vault_key *vault_key = NULL;

	*out = NULL;
	if (prepared == NULL)
		return error_memory(err);
	if (!look_ahead(services, due, arena, prepared, &vault_key, err))
		return false;
	if (vault_key == NULL)
		return true;
	prepared->made = material_make(services->keyring, vault_key, &prepared->material.spec,
	    arena, &prepared->material, &prepared->problem);
	*out = prepared;
	return true;
}

/* A deleted vault may be recovered; what is in it is written under its own key all the same. */
static bool
put_off(struct state *state, struct tx *tx, const struct due *due, int64_t now, struct error *err)
{
	struct rotation_next next = state->rotation.due;
	int64_t *time = due->kind == DUE_ROTATE ? &next.rotate : &next.notify;
	bool fine;

	*time = now + ROTATION_RETRY;
	fine = rotation_write(&state->at.request, &state->at.object, &state->rotation, &next, err);
	due_object_keep(&state->at, tx);
	return fine;
}

static bool
tell(struct tx *tx, const struct state *state, const char *operation, view version,
    struct due_done *done, struct error *err)
{
	done->operation = operation;
	done->status = 200;
	return due_tell(tx, &state->at.vault, key_type.letter, state->at.object.name, done, err) &&
	    (arena_copy(tx->arena, version, &done->version) || error_memory(err));
}

static bool
tell_problem(struct tx *tx, const struct state *state, const struct error *problem,
    struct due_done *done, struct error *err)
{
	if (!tell(tx, state, ROTATED, state->at.latest.id, done, err))
		return false;
	done->status = error_table[problem->code].status;
	return arena_copy(tx->arena, view_of(problem->message), &done->description) ||
	    error_memory(err);
}

/* What may have changed since the key was made, but for its kind, is taken as it is now. */
static bool
add_version(struct state *state, struct tx *tx, const struct prepared *prepared,
    struct due_done *done, struct error *err)
{
	struct request *r = &state->at.request;
	AUTO(object_done) struct object object = { 0 };
	struct version version = { .attributes = { .enabled = true },
		.tags = state->at.latest.tags };
	struct key key;

	if (!key_of(r, &state->at.object, &state->at.latest, &key, err))
		return false;
	key.material = prepared->material;
	if (!key_add_successor(r, state->at.object.name, &key, &version, &object, err))
		return false;
	*tx = r->tx;
	return tell(tx, state, ROTATED, version.id, done, err);
}

bool
rotation_run(const struct services *services, struct tx *tx, const struct due *due, void *prepared,
    int64_t now, struct due_done *done, struct error *err)
{
	AUTO(state_done) struct state state = { 0 };
	const struct prepared *made = prepared;

	if (!look_up(services, tx, due, &state, err))
		return false;
	if (!state.due)
		return true;
	/* It was looked for something to be made before the vault was recovered, say. */
	if (state.at.where == VAULT_DELETED || made == NULL ||
	    !view_eq(made->after, state.at.latest.id))
		return put_off(&state, tx, due, now, err);
	if (!made->made)
		return put_off(&state, tx, due, now, err) &&
		    tell_problem(tx, &state, &made->problem, done, err);
	return add_version(&state, tx, made, done, err);
}

bool
rotation_announce(const struct services *services, struct tx *tx, const struct due *due,
    void *prepared, int64_t now, struct due_done *done, struct error *err)
{
	AUTO(state_done) struct state state = { 0 };
	struct rotation_next next;
	bool fine;

	(void)prepared;
	if (!look_up(services, tx, due, &state, err))
		return false;
	if (!state.due)
		return true;
	if (state.at.where == VAULT_DELETED)
		return put_off(&state, tx, due, now, err);
	next = state.rotation.due;
	next.notify = 0;
	state.rotation.announced = state.at.latest.id;
	state.rotation.announced_exp = state.at.latest.attributes.exp;
	fine = rotation_write(&state.at.request, &state.at.object, &state.rotation, &next, err);
	due_object_keep(&state.at, tx);
	return fine && tell(tx, &state, ANNOUNCED, state.at.latest.id, done, err);
}
