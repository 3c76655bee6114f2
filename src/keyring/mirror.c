#include "keyring/mirror.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 500

struct mirror {
	struct keyring *keyring;
	view prefix;
	mirror_update *update;
	void *ctx;
};

static bool
take_over(struct mirror *mirror, view key, const struct sealed *value, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	view document;

	if (!keyring_unseal(keyring_system(mirror->keyring), value, key, &plain, err))
		return false;
	document = plain_view(plain);
	return mirror->update(mirror->ctx, view_from(key, mirror->prefix.len), &document, err);
}

static bool
changed(void *ctx, view key, const struct sealed *value, uint64_t revision, struct error *err)
{
	struct mirror *mirror = ctx;

	(void)revision;
	if (value != NULL)
		return take_over(mirror, key, value, err);
	return mirror->update(mirror->ctx, view_from(key, mirror->prefix.len), NULL, err);
}

static bool
load_page(struct mirror *mirror, struct store_reader *reader, struct arena *page, char *marker,
    view *after, size_t *count, struct error *err)
{
	struct document *documents;

	if (!store_scan(reader, mirror->prefix, *after, PAGE, page, &documents, count, err))
		return false;
	for (size_t i = 0; i < *count; i++) {
		if (!take_over(mirror, documents[i].key, &documents[i].value, err))
			return false;
	}
	if (*count > 0) {
		view last = documents[*count - 1].key;

		/* The marker outlives its page. */
		memcpy(marker, last.ptr, last.len);
		*after = (view){ marker, last.len };
	}
	arena_wipe(page);
	return true;
}

static bool
load(struct mirror *mirror, struct store *store, struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	AUTO(arena_free) struct arena page = { 0 };
	char marker[STORE_KEY_MAX];
	view after = V("");
	size_t count = PAGE;
	bool fine = true;

	arena_init(&page, SIZE_MAX);
	if (!store_reader_new(store, &reader, err) || !store_begin(reader, err))
		return false;
	while (fine && count == PAGE)
		fine = load_page(mirror, reader, &page, marker, &after, &count, err);
	store_end(reader);
	return fine;
}

bool
mirror_open(struct store *store, struct keyring *keyring, view prefix, mirror_update *update,
    void *ctx, struct mirror **out, struct error *err)
{
	struct mirror *mirror = calloc(1, sizeof(*mirror));

	if (mirror == NULL)
		return error_memory(err);
	*mirror = (struct mirror){ keyring, prefix, update, ctx };
	if (!load(mirror, store, err) || !store_watch(store, prefix, changed, mirror, err)) {
		free(mirror);
		return false;
	}
	*out = mirror;
	return true;
}

void
mirror_close(struct mirror *mirror)
{
	free(mirror);
}
