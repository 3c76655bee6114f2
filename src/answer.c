/*
 * The journey of a request.  No row's function runs before its caller is admitted, authenticated,
 * authorised and understood; nothing is answered that was not recorded.
 *
 *	answer_request   a whole request, on its loop
 *	  admit          every guard, in order
 *	  run            the row's function: reads one snapshot, collects changes, writes the reply
 *	  defer          what burns goes to threads of its own; then a second function runs
 *	  conclude       changes are committed together with their audit record
 *	answer_turn      the other replies' records, written in one go; then http sends them all
 */
#include "answer_private.h"

#include "api/body.h"
#include "arm/provider.h"
#include "base/clock.h"
#include "answer_queue.h"
#include "base/log.h"
#include "base/starved.h"
#include "crypto/random.h"
#include "keyring/material.h"
#include "vault/vault.h"

#include <pthread.h>
#include <stdlib.h>

/* A commit that lost a race is run again; each round at least one of the racers gets through. */
#define TRIES_MAX 1000
#define NEVER_ADMITTED UINT64_MAX
#define CORRELATION_MAX 128
#define POOL_READERS_MAX 64
/*
 * What takes milliseconds, and what takes seconds.  A signature may wait for two milliseconds, and
 * for the one under way then; but nobody for a token, or for another one's key.
 */
static const struct slow_rules burning_rules = {
	.behind = 15,
	.patience = 2000000,
	.bounds = { .each = 1024 },
};
static const struct slow_rules making_rules = {
	.behind = 19,
	.bounds = { .each = 64, .all = 256 },
};

struct answerer {
	const struct services *services;
	const struct router *router;
	struct audit *audit;
	unsigned loops;
	struct store_reader **readers; /* one a loop */
	/* What burns: as many at a time as there are cores; and what takes seconds. */
	struct slow_queue *burning, *making;
	/* Readers for the pool's threads, as many as were ever busy at a time. */
	pthread_mutex_t lock;
	struct store_reader *idle[POOL_READERS_MAX];
	size_t idle_count;
};

/* What the exchange carries: the request, and who answers it. */
struct journey {
	struct request request; /* first: exchange->user points here */
	struct answerer *answerer;
	bool ran; /* the pool's result */
};

static struct journey *
journey_of(struct request *r)
{
	return (struct journey *)(void *)r;
}

static void conclude(struct request *r, bool fine);
static void start(struct request *r);

static void
refuse(struct request *r, const struct error *err)
{
	if (error_table[err->code].status == 500)
		log_line(LOG_ERROR, "request.failed", "%s %s: %s",
		    r->op == NULL ? "-" : r->op->name, r->id.text, err->message);
	reply_refuse(r, err);
}

static void
send_reply(struct request *r)
{
	reply_finish(r);
	http_send(r->exchange);
}

/* A client's id for the request, if it is fit to be printed; else ours. */
static view
correlation_of(const struct request *r)
{
	view text = http_field(r->in, V("x-ms-client-request-id"));

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= 0x20 || text.ptr[i] > 0x7e)
			return uuid_view(&r->id);
	}
	return text.len > 0 && text.len <= CORRELATION_MAX ? text : uuid_view(&r->id);
}

static struct request *
request_new(struct answerer *answerer, struct http_exchange *exchange)
{
	struct journey *journey = arena_alloc(&exchange->arena, sizeof(*journey));
	struct request *r;

	if (journey == NULL)
		return NULL;
	r = &journey->request;
	journey->answerer = answerer;
	r->exchange = exchange;
	r->in = &exchange->request;
	r->out = &exchange->reply;
	r->arena = &exchange->arena;
	r->services = answerer->services;
	r->tx.keyring = answerer->services->keyring;
	r->tx.arena = r->arena;
	random_uuid(&r->id);
	r->correlation = correlation_of(r);
	exchange->user = r;
	return r;
}

static bool
recordable(const struct answerer *answerer, const struct request *r, struct error *err)
{
	if (audit_healthy(answerer->audit) || (r->op != NULL && r->op->unrecorded))
		return true;
	return error_set(err, ERR_UNAVAILABLE,
	    "The request can't be recorded in the audit log at the moment; nothing was done.");
}

/* What each plane calls a body that is not as the row wants it. */
static const enum error_code bad_body[] = {
	[PLANE_NONE] = ERR_BAD_PARAMETER,
	[PLANE_VAULT] = ERR_BAD_PARAMETER,
	[PLANE_LOGIN] = ERR_STS_MALFORMED,
	[PLANE_MANAGEMENT] = ERR_INVALID_REQUEST_CONTENT,
	[PLANE_GRAPH] = ERR_GRAPH_BAD_REQUEST,
};

static bool
read_body(struct request *r, struct error *err)
{
	if (r->op->body == NULL)
		return true;
	r->body = arena_alloc(r->arena, r->op->body_size);
	if (r->body == NULL)
		return error_memory(err);
	if (body_read(r->in->body, r->op->body, r->body, r->arena, err))
		return true;
	if (err->code == ERR_BAD_PARAMETER)
		err->code = bad_body[r->plane];
	return false;
}

/* Every guard, in the order that clients observe (reference of the data plane, section 5.5). */
static bool
admit(struct answerer *answerer, struct request *r, struct error *err)
{
	struct error unrouted = { 0 };

	if (!host_resolve(r, err))
		return false;
	if (path_resolve(r, &unrouted))
		route_find(answerer->router, r, &unrouted);
	if (!recordable(answerer, r, err) || !caller_authenticate(r, err))
		return false;
	if (r->op == NULL) {
		provider_unrouted(r, &unrouted);
		*err = unrouted;
		return false;
	}
	return version_check(r, err) && vault_require(r, err) && network_admit(r, err) &&
	    caller_authorize(r, err) && vault_charge(r, r->op->throttle, NULL, err) &&
	    read_body(r, err);
}

static bool
admit_reading(struct answerer *answerer, struct request *r, struct error *err)
{
	bool fine;

	starved_begin();
	r->admitted = store_followed(answerer->services->store);
	r->tx.reader = answerer->readers[http_loop_index(r->exchange->loop)];
	if (!store_begin(r->tx.reader, err))
		return false;
	fine = starved_judge(admit(answerer, r, err), err);
	store_end(r->tx.reader);
	return fine;
}

/* Behind anything that changed, the caller's rights may have gone, and the vault. */
static bool
admit_again(struct request *r, uint64_t followed, struct error *err)
{
	if (r->admitted == followed)
		return true;
	r->admitted = followed;
	vault_resolve(r);
	return caller_require(r, err) && vault_require(r, err) && network_admit(r, err) &&
	    caller_authorize(r, err);
}

/*
 * A refusal is turned into its reply; ERR_STORE_CONFLICT, of one who saw that memory is ahead of
 * the snapshot, means another try, as for a commit.
 */
static void
fail(struct request *r, const struct error *err)
{
	if (err->code == ERR_STORE_CONFLICT)
		r->error = *err;
	else
		refuse(r, err);
}

/* Run the row's function, or what it deferred to, over one snapshot. */
static bool
run(struct request *r, struct store_reader *reader)
{
	uint64_t followed = store_followed(r->services->store);
	struct error err = { 0 };
	bool fine;

	starved_begin();
	buf_reset(&r->out->fields);
	buf_reset(&r->out->body);
	tx_reset(&r->tx);
	r->tx.reader = reader;
	r->key_ticket = material_ticket(r->services->keyring);
	if (!store_begin(reader, &err)) {
		refuse(r, &err);
		return false;
	}
	fine = starved_judge(admit_again(r, followed, &err) && r->run(r, &err), &err);
	store_end(reader);
	if (!fine)
		fail(r, &err);
	return fine;
}

static struct store_reader *
reader_take(struct answerer *answerer, struct error *err)
{
	struct store_reader *reader = NULL;

	(void)pthread_mutex_lock(&answerer->lock);
	if (answerer->idle_count > 0)
		reader = answerer->idle[--answerer->idle_count];
	(void)pthread_mutex_unlock(&answerer->lock);
	if (reader == NULL && !store_reader_new(answerer->services->store, &reader, err))
		return NULL;
	return reader;
}

static void
reader_give(struct answerer *answerer, struct store_reader *reader)
{
	(void)pthread_mutex_lock(&answerer->lock);
	if (answerer->idle_count < POOL_READERS_MAX) {
		answerer->idle[answerer->idle_count++] = reader;
		reader = NULL;
	}
	(void)pthread_mutex_unlock(&answerer->lock);
	store_reader_free(reader);
}

static void
pool_run(struct http_exchange *exchange)
{
	struct request *r = exchange->user;
	struct journey *journey = journey_of(r);
	struct store_reader *reader;
	struct error err = { 0 };

	journey->ran = false;
	reader = reader_take(journey->answerer, &err);
	if (reader == NULL) {
		refuse(r, &err);
		return;
	}
	journey->ran = run(r, reader);
	reader_give(journey->answerer, reader);
}

static void
pool_done(struct http_exchange *exchange)
{
	struct request *r = exchange->user;

	conclude(r, journey_of(r)->ran);
}

static void
start(struct request *r)
{
	struct answerer *answerer = journey_of(r)->answerer;

	if (r->op->cost == COST_POOL)
		http_work(r->exchange, pool_run, pool_done);
	else
		conclude(r, run(r, answerer->readers[http_loop_index(r->exchange->loop)]));
}

/*
 * Give back what a try has used, and with it all that pointed there: the record reads these.  The
 * next try finds them out again.
 */
static void
forget_try(struct request *r)
{
	tx_reset(&r->tx);
	r->admitted = NEVER_ADMITTED;
	r->work = r->then = NULL;
	r->scope = r->assignment = r->object_id = r->content_type = V("");
	r->key = (struct key_spec){ 0 };
	arena_rewind(r->arena, r->before);
}

/*
 * What was deferred, on whichever thread.  Its refusals are the row's.  When something changed
 * while it waited, what it was deferred with is out of date: rights, keys, states.
 */
static void
deferred_run(struct http_exchange *exchange)
{
	struct request *r = exchange->user;
	struct error err = { 0 };

	if (r->admitted != store_followed(r->services->store)) {
		forget_try(r);
		pool_run(exchange);
		if (!journey_of(r)->ran || r->work == NULL)
			return;
	}
	/* Who defers makes no changes: what it has taken to make them is taken again behind. */
	tx_reset(&r->tx);
	starved_begin();
	journey_of(r)->ran = starved_judge(r->work(r, &err), &err);
	if (!journey_of(r)->ran)
		fail(r, &err);
}

/* The server stops, and can't wait until it is this one's turn; or nobody waits for it. */
static void
deferred_drop(struct http_exchange *exchange)
{
	struct request *r = exchange->user;
	struct error err;

	journey_of(r)->ran = error_set(&err, ERR_UNAVAILABLE, "%s",
	    http_left(exchange) ? "The client left before it was its turn; nothing was done."
				: "The server is stopping.");
	refuse(r, &err);
}

/* On the loop again; what the work has left in the arena stays from here on. */
static void
deferred_done(struct http_exchange *exchange)
{
	struct request *r = exchange->user;

	r->work = NULL;
	if (!journey_of(r)->ran || r->then == NULL) {
		conclude(r, journey_of(r)->ran);
		return;
	}
	r->run = r->then;
	r->before = arena_mark(r->arena);
	start(r);
}

static void
defer(struct request *r)
{
	static const struct slow_job brief = { deferred_run, deferred_drop, deferred_done, true };
	static const struct slow_job job = { deferred_run, deferred_drop, deferred_done, false };
	struct answerer *answerer = journey_of(r)->answerer;
	struct error err;

	if (slow_queue_add(r->place == WORK_MAKES ? answerer->making : answerer->burning,
		&r->vault->id, r->exchange, r->place == WORK_BRIEF ? &brief : &job, &err))
		return;
	r->work = NULL;
	refuse(r, &err);
	send_reply(r);
}

/* On the loop again: what became of the commit. */
static void
committed(struct http_task *task)
{
	struct request *r =
	    (struct request *)(void *)((char *)task - offsetof(struct request, committed));
	struct error err = r->error;

	if (r->commit_ok) {
		r->recorded = true;
		send_reply(r);
		return;
	}
	if (err.code == ERR_STORE_CONFLICT && ++r->tries < TRIES_MAX) {
		forget_try(r);
		start(r);
		return;
	}
	refuse(r, &err);
	send_reply(r);
}

/* Not at once: what it waits for may be this loop's to do. */
static void
try_again(struct request *r)
{
	r->commit_ok = false;
	r->committed.fn = committed;
	http_loop_post(r->exchange->loop, &r->committed);
}

/* On the store's thread. */
static void
commit_done(struct commit *commit, bool fine, const struct error *err)
{
	struct request *r = commit->ctx;

	r->commit_ok = fine;
	if (!fine)
		r->error = *err;
	r->committed.fn = committed;
	http_loop_post(r->exchange->loop, &r->committed);
}

/* A change and its record are one commit: there is none without the other. */
static void
commit(struct request *r)
{
	r->record = record_of(r);
	if (r->record.len == 0) {
		struct error err;

		(void)error_memory(&err);
		refuse(r, &err);
		send_reply(r);
		return;
	}
	r->commit = (struct commit){
		.changes = r->tx.changes,
		.count = r->tx.count,
		.journal = r->record,
		.done = commit_done,
		.ctx = r,
	};
	store_commit(r->services->store, &r->commit);
}

static void
conclude(struct request *r, bool fine)
{
	if (fine && !buf_ok(&r->out->body)) {
		struct error err;

		(void)error_memory(&err);
		refuse(r, &err);
		fine = false;
	}
	if (fine && r->work != NULL)
		defer(r);
	else if (fine && r->tx.count > 0)
		commit(r);
	else if (!fine && r->error.code == ERR_STORE_CONFLICT)
		try_again(r);
	else
		send_reply(r);
}

void
answer_request(void *ctx, struct http_exchange *exchange)
{
	struct answerer *answerer = ctx;
	struct request *r = request_new(answerer, exchange);
	struct error err = { 0 };

	if (r == NULL) {
		(void)error_memory(&err);
		answer_refuse(answerer, &err, &exchange->reply);
		http_send(exchange);
		return;
	}
	if (!admit_reading(answerer, r, &err)) {
		refuse(r, &err);
		send_reply(r);
		return;
	}
	r->before = arena_mark(r->arena);
	r->run = r->op->run;
	start(r);
}

/* Does this exchange's record still have to be written? */
static bool
unwritten(const struct http_exchange *exchange)
{
	const struct request *r = exchange->user;

	return r != NULL && !r->recorded && !(r->op != NULL && r->op->unrecorded);
}

/* The reply must not leave: say that the request could not be recorded. */
static void
withhold(struct http_exchange *exchange, const struct error *err)
{
	buf_reset(&exchange->reply.fields);
	buf_reset(&exchange->reply.body);
	answer_refuse(NULL, err, &exchange->reply);
}

#define BATCH_MAX 256

static void
record_batch(struct answerer *answerer, struct http_exchange **batch, const view *records,
    size_t count)
{
	struct error err;

	if (count == 0 || audit_append(answerer->audit, records, count, &err))
		return;
	for (size_t i = 0; i < count; i++)
		withhold(batch[i], &err);
}

/* One without a record must not spoil the others': its reply alone is withheld. */
static size_t
add_record(struct http_exchange *exchange, struct http_exchange **slot, view *record)
{
	struct error err;

	*record = record_of(exchange->user);
	*slot = exchange;
	if (record->len > 0)
		return 1;
	(void)error_memory(&err);
	withhold(exchange, &err);
	return 0;
}

void
answer_turn(void *ctx, struct http_loop *loop, struct http_exchange *waiting)
{
	struct http_exchange *batch[BATCH_MAX];
	view records[BATCH_MAX];
	size_t count = 0;

	(void)loop;
	for (struct http_exchange *exchange = waiting; exchange != NULL;
	     exchange = exchange->next) {
		struct request *r = exchange->user;

		if (r == NULL)
			continue;
		if (unwritten(exchange))
			count += add_record(exchange, &batch[count], &records[count]);
		vault_release(r->vault);
		r->vault = NULL;
		if (count == BATCH_MAX) {
			record_batch(ctx, batch, records, count);
			count = 0;
		}
	}
	record_batch(ctx, batch, records, count);
}

static void
answerer_done(struct answerer **answerer)
{
	answerer_free(*answerer);
}

bool
answerer_new(const struct services *services, const struct router *router, struct audit *audit,
    unsigned loops, struct answerer **out, struct error *err)
{
	AUTO(answerer_done) struct answerer *answerer = calloc(1, sizeof(*answerer));

	if (answerer == NULL)
		return error_memory(err);
	answerer->services = services;
	answerer->router = router;
	answerer->audit = audit;
	(void)pthread_mutex_init(&answerer->lock, NULL);
	answerer->readers = calloc(loops, sizeof(struct store_reader *));
	if (answerer->readers == NULL)
		return error_memory(err);
	if (!slow_queue_new(slow_queue_cores(), &burning_rules, &answerer->burning, err) ||
	    !slow_queue_new((slow_queue_cores() + 1) / 2, &making_rules, &answerer->making, err))
		return false;
	for (; answerer->loops < loops; answerer->loops++) {
		if (!store_reader_new(services->store, &answerer->readers[answerer->loops], err))
			return false;
	}
	*out = answerer;
	answerer = NULL;
	return true;
}

void
answer_overdue(void *ctx)
{
	struct answerer *answerer = ctx;

	slow_queue_give_up(answerer->burning);
	slow_queue_give_up(answerer->making);
}

void
answerer_free(struct answerer *answerer)
{
	if (answerer == NULL)
		return;
	slow_queue_free(answerer->burning);
	slow_queue_free(answerer->making);
	for (unsigned i = 0; answerer->readers != NULL && i < answerer->loops; i++)
		store_reader_free(answerer->readers[i]);
	for (size_t i = 0; i < answerer->idle_count; i++)
		store_reader_free(answerer->idle[i]);
	free(answerer->readers);
	(void)pthread_mutex_destroy(&answerer->lock);
	free(answerer);
}
