#include "jobs/due_job.h"

#include "audit/record.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/random.h"
#include "keyring/work.h"
#include "vault/due.h"

#include <string.h>

#define PAGE 100
#define ARENA_MAX ((size_t)8 * 1024 * 1024)

/* By letter: what the audit log calls the purge, and the collection; a vault is in none. */
static const struct {
	char letter;
	const char *operation, *collection;
} purges[] = {
	{ 's', "SecretPurge", "secrets" },
	{ 'k', "KeyPurge", "keys" },
	{ DUE_LETTER_VAULT, "VaultPurge", NULL },
};

static bool
write_record(const struct due_done *done, struct arena *arena, view *out, struct error *err)
{
	struct uuid correlation;
	struct audit_record record = { .resource = done->scope_capital,
		.correlation = uuid_view(&correlation),
		.status = 204 };
	view id = V("");

	*out = V("");
	if (done->letter == 0)
		return true;
	for (size_t i = 0; i < COUNT_OF(purges); i++) {
		if (purges[i].letter != done->letter)
			continue;
		record.operation = view_of(purges[i].operation);
		id = done->scope;
		if (purges[i].collection != NULL &&
		    !arena_print(arena, &id, "%.*s/%s/%.*s", VIEW_ARG(done->scope),
			purges[i].collection, VIEW_ARG(done->name)))
			return error_memory(err);
	}
	record.id = id;
	record.description = V("The retention period has passed.");
	random_uuid(&correlation);
	return record_line(&record, arena, out, err);
}

/* One due document, done in a commit of its own. */
struct one {
	view path;
};

static bool
run_one(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	const struct one *one = ctx;
	struct due_done done;

	return due_run(tx, one->path, clock_now(), &done, err) &&
	    write_record(&done, tx->arena, journal, err);
}

static bool
scan(struct store_reader *reader, struct arena *arena, view after, view **paths, size_t *count,
    struct error *err)
{
	bool fine;

	if (!store_begin(reader, err))
		return false;
	fine = store_keys(reader, V(DUE_PREFIX), after, PAGE, arena, paths, count, err);
	store_end(reader);
	return fine;
}

/* One page of what is due; ${more} when all of it was, and there may be another. */
static bool
run_page(const struct services *services, struct store_reader *reader, char *marker, view *after,
    bool *more, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view *paths;
	size_t count;

	arena_init(&arena, ARENA_MAX);
	*more = false;
	if (!scan(reader, &arena, *after, &paths, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		view path = paths[i];
		struct one one = { path };
		struct error problem;
		int64_t time;

		/* One that can't be done must not hold up the others. */
		if (!due_time(path, &time))
			log_line(LOG_ERROR, "due.failed", "%.*s: names no time", VIEW_ARG(path));
		else if (time > clock_now())
			return true;
		else if (!work_run(services->store, services->keyring, run_one, &one, &problem))
			log_line(LOG_ERROR, "due.failed", "%.*s: %s", VIEW_ARG(path),
			    problem.message);
		memcpy(marker, path.ptr, path.len);
		*after = (view){ marker, path.len };
	}
	*more = count == PAGE;
	return true;
}

bool
due_job(const struct services *services, struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	char marker[STORE_KEY_MAX];
	view after = V("");
	bool more = true;

	if (!store_reader_new(services->store, &reader, err))
		return false;
	while (more) {
		if (!run_page(services, reader, marker, &after, &more, err))
			return false;
	}
	return true;
}
