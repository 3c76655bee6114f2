#include "vault/testing.h"

#include "base/clock.h"
#include "base/testing.h"
#include "keyring/work.h"

#include <stdio.h>
#include <string.h>

#define TENANT "00000000-0000-4000-8000-00000000000a"

const struct uuid world_subscription = { "00000000-0000-4000-8000-00000000000b" };

static void
write_whole(struct request *r, const struct object *object, const struct version *version)
{
	json_text(&r->json, "content", version->content);
	write_id(r, "id", world_type.collection, object, version->id);
	write_attributes(r, &version->attributes);
	write_tags(r, version->tags);
}

static void
write_listed(struct request *r, const struct object *object, const struct version *version,
    bool versioned)
{
	write_id(r, "id", world_type.collection, object, versioned ? version->id : V(""));
	write_attributes(r, &version->attributes);
}

const struct object_type world_type = {
	.letter = 's',
	.noun = "thing",
	.title = "Thing",
	.collection = "things",
	.deleted = "deletedthings",
	.not_found = ERR_SECRET_NOT_FOUND,
	.disabled = ERR_SECRET_DISABLED,
	.tag_name_max = 8,
	.tag_value_max = 16,
	.write = write_whole,
	.write_item = write_listed,
};

static void
open_all(struct world *w)
{
	assert_fine(vaults_open(w->place.store, w->place.keyring, &w->vaults, &w->err), &w->err);
	assert_fine(store_reader_new(w->place.store, &w->reader, &w->err), &w->err);
	w->services = (struct services){
		.store = w->place.store,
		.keyring = w->place.keyring,
		.vaults = w->vaults,
	};
}

static void
close_all(struct world *w)
{
	store_reader_free(w->reader);
	vaults_close(w->vaults);
}

static void
make(struct world *w, bool lasting)
{
	struct world fresh = { 0 };

	memcpy(fresh.with, w->with, sizeof(fresh.with));
	*w = fresh;
	place_make(&w->place, lasting);
	open_all(w);
	arena_init(&w->arena, (size_t)8 << 20);
}

void
world_make(struct world *w)
{
	make(w, false);
}

void
world_make_lasting(struct world *w)
{
	make(w, true);
}

void
world_drop(struct world *w)
{
	clock_set_offset(0);
	buf_free(&w->out.body);
	buf_free(&w->out.fields);
	arena_free(&w->arena);
	close_all(w);
	place_remove(&w->place);
}

void
world_reopen(struct world *w)
{
	close_all(w);
	open_all(w);
}

static bool
create_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	(void)journal;
	return vault_create(tx, ctx, err);
}

void
world_vault(struct world *w, const char *name, const char *location, unsigned days, bool protection)
{
	struct vault vault = {
		.tenant = { TENANT },
		.subscription = world_subscription,
		.name = view_of(name),
		.resource_group = V("Group"),
		.location = view_of(location),
		.created = clock_now(),
		.retention_days = days,
		.purge_protection = protection,
		.rbac = true,
	};

	assert_fine(work_run(w->place.store, w->place.keyring, create_body, &vault, &w->err),
	    &w->err);
}

int
world_setup(void **state)
{
	struct world *w = *state;

	world_make(w);
	for (size_t i = 0; i < WORLD_VAULTS && w->with[i].name != NULL; i++)
		world_vault(w, w->with[i].name, w->with[i].location, w->with[i].days,
		    w->with[i].protection);
	return 0;
}

int
world_teardown(void **state)
{
	world_drop(*state);
	return 0;
}

static void
release(const struct vault **vault)
{
	vault_release(*vault);
}

bool
world_do(struct world *w, const char *vault_name, const char *name, world_step *step, void *ctx)
{
	AUTO(release) const struct vault *vault = vaults_find(w->vaults, view_of(vault_name));
	struct request r = {
		.in = &w->in,
		.out = &w->out,
		.arena = &w->arena,
		.services = &w->services,
		.plane = PLANE_VAULT,
		.authority = V("v.vault.localhost"),
		.path = V("/things"),
		.params = { view_of(name) },
		.param_count = 1,
		.version = api_version_newest(),
		.vault = vault,
		.tx = { .reader = w->reader, .keyring = w->place.keyring, .arena = &w->arena },
	};
	bool fine;

	assert_non_null(vault);
	buf_reset(&w->out.body);
	w->out.status = 0;
	arena_wipe(&w->arena);
	assert_fine(store_begin(w->reader, &w->err), &w->err);
	w->err = (struct error){ 0 };
	fine = step(&r, ctx, &w->err);
	store_end(w->reader);
	if (fine && r.tx.count > 0)
		fine = tx_commit(&r.tx, w->place.store, V(""), &w->err);
	return fine;
}

static bool
step_row(struct request *r, void *ctx, struct error *err)
{
	world_row *const *row = ctx;

	return (*row)(r, &world_type, err);
}

bool
world_run(struct world *w, const char *vault, const char *name, world_row *row)
{
	return world_do(w, vault, name, step_row, &row);
}

static bool
step_set(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	struct version version = {
		.attributes = { .enabled = true },
		.content = view_of(ctx),
	};

	if (!object_name_check(r->params[0], err) ||
	    !object_add_version(r, &world_type, r->params[0], &object, &version, err))
		return false;
	json_open(reply_json(r), '{');
	world_type.write(r, &object, &version);
	json_close(&r->json, '}');
	return true;
}

bool
world_set(struct world *w, const char *vault, const char *name, const char *content)
{
	return world_do(w, vault, name, step_set, (void *)(uintptr_t)content);
}

static bool
step_restore(struct request *r, void *ctx, struct error *err)
{
	const view *blob = ctx;

	return object_restore(r, &world_type, *blob, err);
}

bool
world_restore(struct world *w, const char *vault, view blob)
{
	return world_do(w, vault, "", step_restore, &blob);
}

struct question {
	enum object_state state;
	bool found;
};

static bool
step_has(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	struct question *question = ctx;

	return object_read(r, &world_type, question->state, r->params[0], TO_READ, &object,
	    &question->found, err);
}

bool
world_has(struct world *w, const char *vault, const char *name, enum object_state state)
{
	struct question question = { .state = state };

	assert_fine(world_do(w, vault, name, step_has, &question), &w->err);
	return question.found;
}

static const char *
reply_text(struct world *w)
{
	view text;

	assert_true(arena_copy(&w->arena, buf_view(&w->out.body), &text));
	return text.ptr;
}

view
world_member(struct world *w, const char *name)
{
	view key, rest;
	const char *at;

	assert_true(arena_print(&w->arena, &key, "\"%s\":\"", name));
	at = strstr(reply_text(w), key.ptr);
	if (at == NULL)
		return V("");
	rest = view_of(at + key.len);
	return view_cut(&rest, '"');
}

bool
world_replied(struct world *w, const char *text)
{
	return strstr(reply_text(w), text) != NULL;
}

uint64_t
world_count(struct world *w, const char *prefix)
{
	uint64_t count = 0;

	assert_fine(store_begin(w->reader, &w->err), &w->err);
	assert_fine(store_count(w->reader, view_of(prefix), &count, &w->err), &w->err);
	store_end(w->reader);
	return count;
}
