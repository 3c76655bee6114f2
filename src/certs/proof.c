#include "certs/proof.h"

#include "base/log.h"

#include <stdlib.h>

#define ARENA_MAX ((size_t)64 * 1024)

struct proofs {
	struct keyring *keyring;
	struct store_reader *reader;
};

static bool
proof_path(struct arena *arena, view token, view *out, struct error *err)
{
	return arena_join(arena, (const view[]){ V("acme/"), token }, 2, out) || error_memory(err);
}

bool
proof_put(struct tx *tx, view token, view value, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	buf_add(&document, value);
	if (!buf_ok(&document))
		return error_memory(err);
	return proof_path(tx->arena, token, &path, err) &&
	    tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
proof_delete(struct tx *tx, view token, struct error *err)
{
	view path;

	return proof_path(tx->arena, token, &path, err) && tx_delete(tx, path, err);
}

bool
proofs_open(struct store *store, struct keyring *keyring, struct proofs **out, struct error *err)
{
	struct proofs *proofs = calloc(1, sizeof(*proofs));

	if (proofs == NULL)
		return error_memory(err);
	proofs->keyring = keyring;
	if (!store_reader_new(store, &proofs->reader, err)) {
		free(proofs);
		return false;
	}
	*out = proofs;
	return true;
}

void
proofs_close(struct proofs *proofs)
{
	if (proofs == NULL)
		return;
	store_reader_free(proofs->reader);
	free(proofs);
}

static bool
look_up(struct proofs *proofs, struct arena *arena, view token, struct plain **out,
    struct error *err)
{
	struct tx tx = { .reader = proofs->reader, .keyring = proofs->keyring, .arena = arena };
	bool fine;
	view path;

	if (!proof_path(arena, token, &path, err) || !store_begin(proofs->reader, err))
		return false;
	fine = tx_get(&tx, keyring_system(proofs->keyring), path, out, err);
	store_end(proofs->reader);
	return fine;
}

bool
proofs_find(void *ctx, view token, struct buf *out)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(plain_done) struct plain *value = NULL;
	struct error err;

	arena_init(&arena, ARENA_MAX);
	if (!look_up(ctx, &arena, token, &value, &err)) {
		log_line(LOG_ERROR, "acme.proof", "%s", err.message);
		return false;
	}
	if (value != NULL)
		buf_add(out, plain_view(value));
	return buf_ok(out);
}
