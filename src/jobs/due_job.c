#include "jobs/due_job.h"

#include "audit/record.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/starved.h"
#include "certs/lifetime.h"
#include "certs/outbox.h"
#include "certs/pending.h"
#include "crypto/random.h"
#include "keyring/work.h"
#include "keys/rotation_due.h"

#include <string.h>

#define PAGE 100
/* Nanoseconds: whoever took longer lets others go first.  More than an authority that is well. */
#define TURN ((int64_t)2 * 1000 * 1000 * 1000)
/* How often one is gone on with that is due again at once, before others are looked for. */
#define STEPS 32
#define ARENA_MAX ((size_t)8 * 1024 * 1024)
/*
 * Seconds, see lanes_failed.  A document's own are more than its lane's: when the lane goes on,
 * others go first, so one that always fails does not keep them from being done.
 */
#define HOLD_LANE 1
#define HOLD_DOCUMENT 2

/* By letter: what the audit log calls the purge, and the collection; a vault is in none. */
static const struct {
	char letter;
	const char *purge, *collection;
} things[] = {
	{ 's', "SecretPurge", "secrets" },
	{ 'k', "KeyPurge", "keys" },
	{ 'c', "CertificatePurge", "certificates" },
	{ DUE_LETTER_VAULT, "VaultPurge", NULL },
};

/* Kinds that vault/ does not know. */
struct kind {
	enum due_kind kind;
	/* What is to be done ahead, outside of any transaction. */
	bool (*prepare)(const struct services *services, const struct due *due, struct arena *arena,
	    void **out, struct error *err);
	bool (*run)(const struct services *services, struct tx *tx, const struct due *due,
	    void *prepared, int64_t now, struct due_done *done, struct error *err);
	/* What waits for others: for whom, in tx->arena.  NULL: all of the kind for one. */
	bool (*whom)(const struct services *services, struct tx *tx, const struct due *due,
	    view *out, struct error *err);
};

static const struct kind kinds[] = {
	{ DUE_ROTATE, rotation_prepare, rotation_run, NULL },
	{ DUE_NOTIFY, NULL, rotation_announce, NULL },
	{ DUE_MAIL, outbox_prepare, outbox_run, NULL },
	{ DUE_ISSUE, NULL, pending_due, NULL },
	{ DUE_LIFETIME, lifetime_prepare, lifetime_run, NULL },
	{ DUE_ENROL, pending_prepare, pending_due, pending_whom },
};

static const struct kind *
kind_find(enum due_kind kind)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (kinds[i].kind == kind)
			return &kinds[i];
	}
	return NULL;
}

/* What was done, and where in its collection. */
static bool
name_thing(const struct due_done *done, struct arena *arena, struct audit_record *record,
    struct error *err)
{
	const char *collection = NULL;

	for (size_t i = 0; i < COUNT_OF(things); i++) {
		if (things[i].letter != done->letter)
			continue;
		collection = things[i].collection;
		record->operation = view_of(things[i].purge);
	}
	if (done->operation != NULL)
		record->operation = view_of(done->operation);
	if (collection == NULL) {
		record->id = done->scope;
		return true;
	}
	return arena_print(arena, &record->id, "%.*s/%s/%.*s%s%.*s", VIEW_ARG(done->scope),
		   collection, VIEW_ARG(done->name), done->version.len > 0 ? "/" : "",
		   VIEW_ARG(done->version)) ||
	    error_memory(err);
}

static bool
write_record(const struct due_done *done, struct arena *arena, view *out, struct error *err)
{
	struct uuid correlation;
	struct audit_record record = { .resource = done->scope_capital,
		.status = done->status != 0 ? done->status : 204,
		.description = done->operation != NULL ? done->description
						       : V("The retention period has passed.") };

	*out = V("");
	if (done->letter == 0)
		return true;
	random_uuid(&correlation);
	record.correlation = uuid_view(&correlation);
	return name_thing(done, arena, &record, err) && record_line(&record, arena, out, err);
}

/* One due document, done in a commit of its own. */
struct one {
	const struct services *services;
	view path;
	void *prepared;
};

static bool
take_one(const struct one *one, struct tx *tx, view *journal, struct error *err)
{
	const struct kind *kind;
	struct due_done done = { 0 };
	int64_t now = clock_now();
	struct due due;
	bool found;

	if (!due_take(tx, one->path, now, &due, &found, err))
		return false;
	if (!found)
		return true;
	kind = kind_find(due.kind);
	if (kind == NULL)
		return due_run(tx, &due, now, &done, err) &&
		    write_record(&done, tx->arena, journal, err);
	return kind->run(one->services, tx, &due, one->prepared, now, &done, err) &&
	    write_record(&done, tx->arena, journal, err);
}

/* What was given up, cancelled or lost for want of memory would be so for good. */
static bool
run_one(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	starved_begin();
	return starved_judge(take_one(ctx, tx, journal, err), err);
}

static bool
peek(struct store_reader *reader, struct keyring *keyring, struct arena *arena, view path,
    struct due *out, bool *found, struct error *err)
{
	struct tx tx = { .reader = reader, .keyring = keyring, .arena = arena };
	bool fine;

	if (!store_begin(reader, err))
		return false;
	fine = due_peek(&tx, path, out, found, err);
	store_end(reader);
	return fine;
}

static bool
prepare(const struct services *services, struct store_reader *reader, struct arena *arena,
    struct one *one, struct error *err)
{
	const struct kind *kind;
	struct due due;
	bool found;

	if (!peek(reader, services->keyring, arena, one->path, &due, &found, err))
		return false;
	kind = found ? kind_find(due.kind) : NULL;
	return kind == NULL || kind->prepare == NULL ||
	    kind->prepare(services, &due, arena, &one->prepared, err);
}

static bool
do_one(const struct services *services, struct store_reader *reader, view path, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct one one = { services, path, NULL };

	arena_init(&arena, ARENA_MAX);
	return prepare(services, reader, &arena, &one, err) &&
	    work_run(services->store, services->keyring, run_one, &one, err);
}

static bool
scan(struct store_reader *reader, struct arena *arena, const char *prefix, view after, view **paths,
    size_t *count, struct error *err)
{
	bool fine;

	if (!store_begin(reader, err))
		return false;
	fine = store_keys(reader, view_of(prefix), after, PAGE, arena, paths, count, err);
	store_end(reader);
	return fine;
}

/* Where a run over what is due has come. */
struct run {
	const struct services *services;
	const atomic_bool *stopping;
	struct store_reader *reader;
	const char *prefix;
	char marker[STORE_KEY_MAX];
	view after;
	bool more; /* all of the last page was due, and there may be another */
	/* What waits for others; NULL and false otherwise. */
	struct lanes *lanes;
	bool did, passed; /* something; something of a lane that waits for its next turn */
	bool failed;      /* something did */
	bool long_ago;    /* the last took long: what is due now is to be looked at anew */
};

/* ${lasting} false: who it waits for can't be said for now, as of what is deleted. */
static bool
read_lane(const struct run *run, struct arena *arena, view path, uint64_t *out, bool *found,
    bool *lasting, struct error *err)
{
	struct tx tx = { .reader = run->reader, .keyring = run->services->keyring, .arena = arena };
	const struct kind *kind;
	struct due due;
	view whom = V("");
	bool fine;

	if (!store_begin(run->reader, err))
		return false;
	fine = due_peek(&tx, path, &due, found, err);
	kind = fine && *found ? kind_find(due.kind) : NULL;
	if (kind != NULL && kind->whom != NULL)
		fine = kind->whom(run->services, &tx, &due, &whom, err);
	*lasting = kind == NULL || kind->whom == NULL || whom.len > 0;
	*out = lanes_number(whom);
	store_end(run->reader);
	return fine;
}

/*
 * One that was placed may be gone: who does it will see.  Its lane is still right, unless another
 * operation on the same certificate became due in the same second: then two ask one issuer at a
 * time, once.
 */
static bool
lane_of(const struct run *run, struct arena *arena, view path, uint64_t document, uint64_t *out,
    bool *found, struct error *err)
{
	bool lasting;

	*out = lanes_placed(run->lanes, document);
	*found = *out != 0;
	if (*found)
		return true;
	if (!read_lane(run, arena, path, out, found, &lasting, err))
		return false;
	if (*found && lasting)
		lanes_place(run->lanes, document, *out);
	return true;
}

/*
 * The store is what fails for all of a lane; the rest, such as a document that can't be read, is
 * the document's own.
 */
static bool
settle(const struct run *run, uint64_t lane, uint64_t document, bool fine, const struct error *err)
{
	if (fine) {
		lanes_worked(run->lanes, document);
		lanes_worked(run->lanes, lane);
		return true;
	}
	lanes_failed(run->lanes, document, HOLD_DOCUMENT, clock_mono());
	if (err->code == ERR_UNAVAILABLE)
		lanes_failed(run->lanes, lane, HOLD_LANE, clock_mono());
	return false;
}

/* Is it there again, or still, to be gone on with at once?  What can't be read is not. */
static bool
is_due(const struct run *run, struct arena *arena, view path)
{
	struct error ignored;
	struct due due;
	bool found;

	return !atomic_load(run->stopping) &&
	    peek(run->reader, run->services->keyring, arena, path, &due, &found, &ignored) && found;
}

/*
 * What goes on step by step is done step by step, each in a commit of its own, as long as the next
 * one is due at once and the whole is no longer than a turn.  ${slow}: one of them was.
 */
static bool
do_steps(struct run *run, struct arena *arena, view path, bool *slow, struct error *err)
{
	int64_t begun = clock_mono(), last = begun, now;
	bool fine;

	*slow = false;
	for (int i = 0; i < STEPS; i++) {
		fine = do_one(run->services, run->reader, path, err);
		now = clock_mono();
		*slow = *slow || now - last > TURN;
		last = now;
		run->long_ago = now - begun > TURN;
		if (!fine || run->long_ago || !is_due(run, arena, path))
			return fine;
	}
	return true;
}

/*
 * In its lane, unless another thread is there, or did it meanwhile; the next run of whoever is free
 * comes by again.
 */
static bool
do_in_lane(struct run *run, struct arena *arena, view path, struct error *err)
{
	uint64_t document = lanes_number(path), lane;
	int64_t begun = clock_mono();
	bool found, fine, slow;

	if (lanes_held(run->lanes, document, begun))
		return true;
	if (!lane_of(run, arena, path, document, &lane, &found, err)) {
		lanes_failed(run->lanes, document, HOLD_DOCUMENT, begun);
		return false;
	}
	if (!found)
		return true;
	switch (lanes_enter(run->lanes, lane, begun)) {
	case LANE_TAKEN: return true;
	case LANE_WAITS: run->passed = true; return true;
	case LANE_ENTERED: break;
	}
	fine = do_steps(run, arena, path, &slow, err);
	run->did = settle(run, lane, document, fine, err) || run->did;
	lanes_leave(run->lanes, lane, slow);
	return fine;
}

static bool
do_path(struct run *run, view path, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };

	if (run->lanes == NULL)
		return do_one(run->services, run->reader, path, err);
	arena_init(&arena, ARENA_MAX);
	return do_in_lane(run, &arena, path, err);
}

static bool
run_page(struct run *run, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view *paths;
	size_t count;

	arena_init(&arena, ARENA_MAX);
	run->more = false;
	if (!scan(run->reader, &arena, run->prefix, run->after, &paths, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		view path = paths[i];
		struct error problem;
		int64_t time;

		if (atomic_load(run->stopping))
			return true;
		/* One that can't be done must not hold up the others. */
		if (!due_time(path, &time))
			log_line(LOG_ERROR, "due.failed", "%.*s: names no time", VIEW_ARG(path));
		else if (time > clock_now())
			return true;
		else if (!do_path(run, path, &problem)) {
			run->failed = true;
			log_line(LOG_ERROR, "due.failed", "%.*s: %s", VIEW_ARG(path),
			    problem.message);
		}
		/* The others would fail likewise, for all their work. */
		if (run->long_ago || (run->failed && store_failing(run->services->store)))
			return true;
		memcpy(run->marker, path.ptr, path.len);
		run->after = (view){ run->marker, path.len };
	}
	run->more = count == PAGE;
	return true;
}

static bool
run_all(struct run *run, struct error *err)
{
	do {
		if (!run_page(run, err))
			return false;
	} while (run->more);
	return true;
}

static bool
run_due(const struct services *services, const atomic_bool *stopping, const char *prefix,
    struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	struct run run = { .services = services, .stopping = stopping, .prefix = prefix };

	/* Before a key is made that can't be kept. */
	if (store_failing(services->store) && !store_try(services->store))
		return true;
	if (!store_reader_new(services->store, &reader, err))
		return false;
	run.reader = reader;
	return run_all(&run, err);
}

bool
due_job(const struct services *services, const atomic_bool *stopping, struct error *err)
{
	return run_due(services, stopping, DUE_PREFIX, err);
}

bool
due_slow_job(const struct services *services, const atomic_bool *stopping, struct error *err)
{
	return run_due(services, stopping, DUE_SLOW_PREFIX, err);
}

/* Once over all that is due, or up to what took long. */
static bool
run_round(struct run *run, struct error *err)
{
	run->after = V("");
	run->did = run->passed = run->failed = run->long_ago = false;
	return run_all(run, err);
}

bool
due_away_job(const struct services *services, struct lanes *lanes, const atomic_bool *stopping,
    struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	struct run run = { .services = services,
		.stopping = stopping,
		.prefix = DUE_AWAY_PREFIX,
		.lanes = lanes };

	/* Before a letter is sent, or an order begun, that nobody would know of. */
	if (store_failing(services->store) && !store_try(services->store))
		return true;
	if (!store_reader_new(services->store, &reader, err))
		return false;
	run.reader = reader;
	do {
		if (!run_round(&run, err))
			return false;
		if (run.passed && !run.did)
			lanes_round(lanes);
		/* After a failure the scheduler's pause is due. */
	} while ((run.passed || run.long_ago) && !run.failed && !atomic_load(stopping));
	return true;
}
