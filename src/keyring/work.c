#include "keyring/work.h"

#define ARENA_MAX ((size_t)8 * 1024 * 1024)
#define TRIES_MAX 100

static bool
run_once(struct store *store, struct tx *tx, work_body *body, void *ctx, struct error *err)
{
	view journal = V("");
	bool fine;

	if (!store_begin(tx->reader, err))
		return false;
	fine = body(ctx, tx, &journal, err);
	store_end(tx->reader);
	return fine && (tx->count == 0 || tx_commit(tx, store, journal, err));
}

bool
work_run(struct store *store, struct keyring *keyring, work_body *body, void *ctx,
    struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	AUTO(arena_free) struct arena arena = { 0 };

	arena_init(&arena, ARENA_MAX);
	if (!store_reader_new(store, &reader, err))
		return false;
	for (int i = 0; i < TRIES_MAX; i++) {
		struct tx tx = { .reader = reader, .keyring = keyring, .arena = &arena };

		if (run_once(store, &tx, body, ctx, err))
			return true;
		if (err->code != ERR_STORE_CONFLICT)
			return false;
		arena_wipe(&arena);
	}
	return false;
}

bool
reading_begin(struct store *store, struct keyring *keyring, struct arena *arena,
    struct reading *out, struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;

	if (!store_reader_new(store, &reader, err) || !store_begin(reader, err))
		return false;
	*out = (struct reading){ reader, { .reader = reader, .keyring = keyring, .arena = arena } };
	reader = NULL;
	return true;
}

void
reading_done(struct reading *reading)
{
	if (reading->reader == NULL)
		return;
	store_end(reading->reader);
	store_reader_free(reading->reader);
}
