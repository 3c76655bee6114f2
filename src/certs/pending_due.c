/*
 * What is done with a pending operation behind the reply to its request.
 */
#include "base/clock.h"
#include "certs/enrol.h"
#include "certs/issue.h"
#include "certs/issuer.h"
#include "keyring/work.h"
#include "secrets/secret.h"
#include "vault/due_object.h"

#define ENROLLED "CertificateEnroll"

/* A certificate as one transaction has it. */
struct work {
	struct due_object at;
	struct certificate_state state;
	bool due;   /* it still is */
	int status; /* HTTP: what it ended with; 0: it goes on */
	view why;
};

static void
work_done(struct work *work)
{
	due_object_done(&work->at);
}

/* A deleted certificate, another one of its name, another operation: nothing is due. */
static bool
look_up(const struct services *services, struct tx *tx, const struct due *due, struct work *out,
    struct error *err)
{
	struct due_object *at = &out->at;
	const struct pending *pending = &out->state.pending;

	if (!due_object_find(services, tx, due, &certificate_type, at, err))
		return false;
	if (!at->found)
		return true;
	if (!certificate_state_read(&at->request, &at->object, TO_CHANGE, &out->state, err))
		return false;
	out->due = out->state.has_pending && pending->due == due->time &&
	    pending->status == PENDING_IN_PROGRESS;
	due_object_keep(at, tx);
	return true;
}

static bool
fail(struct work *work, const char *code, view message, struct error *err)
{
	struct request *r = &work->at.request;
	struct pending *pending = &work->state.pending;

	if (!pending_give_up(r, &work->at.object, pending, PENDING_FAILED, err))
		return false;
	pending->error_code = view_of(code);
	if (!arena_copy(r->arena, message, &pending->error_message))
		return error_memory(err);
	work->why = pending->error_message;
	return true;
}

/* What comes out; nothing is changed yet. */
struct signed_result {
	struct cert_policy policy;
	struct key key;
	struct x509 leaf;
	view secret;
};

/* ${bag}: what an issuer gave; NULL: signed by its own key. */
static bool
complete(struct work *work, const struct views *bag, struct signed_result *out, struct error *err)
{
	struct request *r = &work->at.request;
	AUTO(plain_done) struct plain *pkcs8 = NULL;
	view der, spki;
	const struct views own = { &der, 1 };
	struct views chain;

	return object_require_ours(r, &key_type, work->at.object.name, err) &&
	    object_require_ours(r, &secret_type, work->at.object.name, err) &&
	    issue_unpack(r, &work->state.pending, &out->policy, &out->key, err) &&
	    (bag != NULL || issue_self(r, &out->key, &out->policy, &der, err)) &&
	    issue_spki(&out->key, r->arena, &spki, err) &&
	    issue_chain(bag != NULL ? bag : &own, spki, false, r->arena, &out->leaf, &chain, err) &&
	    issue_key_out(r, &out->policy, &out->key, &pkcs8, err) &&
	    issue_secret(&out->policy, pkcs8 != NULL ? plain_view(pkcs8) : V(""), &chain,
		&out->leaf, r->arena, &out->secret, err);
}

static bool
add(struct work *work, const struct signed_result *made, struct error *err)
{
	const struct pending *pending = &work->state.pending;
	AUTO(object_done) struct object added = { 0 };
	const struct issue_result result = { &made->policy, &made->key, &made->leaf, made->secret };
	struct version version = {
		.id = pending->version,
		.tags = pending->tags,
		.attributes = { .enabled = pending->enabled },
	};

	work->status = 200;
	return issue_pending(&work->at.request, &work->at.object, &work->state, &result, &added,
	    &version, err);
}

static bool
write_state(struct work *work, int64_t time, struct error *err)
{
	struct pending *pending = &work->state.pending;

	return pending_schedule(&work->at.request, &work->at.object, pending, time, err) &&
	    certificate_state_write(&work->at.request, &work->at.object, &work->state, err);
}

static bool
end_with(struct work *work, int status, const char *code, view message, struct error *err)
{
	work->status = status;
	return fail(work, code, message, err) && write_state(work, 0, err);
}

static bool
issue(struct work *work, const struct views *bag, int64_t now, struct error *err)
{
	const struct error_row *about;
	struct signed_result made;
	struct error problem;

	if (complete(work, bag, &made, &problem))
		return add(work, &made, err);
	if (problem.code == ERR_CORRUPT) {
		*err = problem;
		return false;
	}
	about = &error_table[problem.code];
	return problem.code == ERR_UNAVAILABLE
	    ? write_state(work, now + PENDING_RETRY, err)
	    : end_with(work, about->status, about->name, view_of(problem.message), err);
}

/* What was done ahead, and for which operation. */
struct prepared {
	view request_id;
	view state; /* of its enrolment, that was gone on from */
	struct vault vault;
	struct enrol_ask ask;
	void *enrol;
};

static bool
keep_ask(struct work *work, struct arena *arena, struct prepared *out, struct error *err)
{
	const struct pending *pending = &work->state.pending;
	struct enrol_ask *ask = &out->ask;
	struct cert_policy policy;
	struct key key;

	if (!issue_unpack(&work->at.request, pending, &policy, &key, err))
		return false;
	out->vault = work->at.vault;
	*ask = (struct enrol_ask){ .services = work->at.request.services, .vault = &out->vault };
	ask->not_before = clock_now() - BACKDATED;
	if (!cert_policy_expiry(&policy, ask->not_before + BACKDATED, &ask->not_after))
		return error_set(err, ERR_BAD_PARAMETER, "The certificate would last too long.");
	return (arena_copy(arena, pending->issuer, &ask->issuer) &&
		   arena_copy(arena, work->at.object.name, &ask->certificate) &&
		   arena_copy(arena, pending->csr, &ask->csr) &&
		   arena_copy(arena, pending->request_id, &out->request_id) &&
		   arena_copy(arena, pending->enrolment, &out->state)) ||
	    error_memory(err);
}

static bool
look_ahead(const struct services *services, const struct due *due, struct arena *arena,
    struct prepared *out, struct error *err)
{
	AUTO(reading_done) struct reading reading = { 0 };
	AUTO(work_done) struct work work = { 0 };

	return reading_begin(services->store, services->keyring, arena, &reading, err) &&
	    look_up(services, &reading.tx, due, &work, err) &&
	    (!work.due || work.at.where != VAULT_LIVE || work.state.pending.cancel ||
		keep_ask(&work, arena, out, err));
}

bool
pending_prepare(const struct services *services, const struct due *due, struct arena *arena,
    void **out, struct error *err)
{
	struct prepared *prepared = arena_alloc(arena, sizeof(*prepared));

	*out = NULL;
	if (prepared == NULL)
		return error_memory(err);
	if (!look_ahead(services, due, arena, prepared, err))
		return false;
	if (prepared->request_id.len == 0)
		return true;
	*out = prepared;
	return enrol_prepare(&prepared->ask, prepared->state, clock_now(), arena, &prepared->enrol,
	    err);
}

bool
pending_whom(const struct services *services, struct tx *tx, const struct due *due, view *out,
    struct error *err)
{
	AUTO(work_done) struct work work = { 0 };

	if (!look_up(services, tx, due, &work, err))
		return false;
	*out = V("");
	return !work.due ||
	    issuer_path(tx->arena, &work.at.vault, work.state.pending.issuer, out, err);
}

/*
 * Goes on: at once, by the document that was taken for it, which is put back; or by one of a later
 * time.
 */
static bool
wait_until(struct work *work, int64_t time, int64_t now, struct error *err)
{
	struct request *r = &work->at.request;
	struct due due =
	    due_of(r, &certificate_type, &work->at.object, DUE_ENROL, work->state.pending.due);

	if (time > now)
		return write_state(work, time, err);
	return due_put(&r->tx, &due, err) &&
	    certificate_state_write(r, &work->at.object, &work->state, err);
}

static bool
enrol(struct work *work, struct prepared *prepared, int64_t now, struct error *err)
{
	struct pending *pending = &work->state.pending;
	struct enrol_result result;

	/*
	 * It was looked for when it was another operation, or when its vault was deleted; or it
	 * was deleted and recovered meanwhile, and begins anew: the proof that was to be seen is
	 * not there any more.
	 */
	if (prepared == NULL || !view_eq(prepared->request_id, pending->request_id) ||
	    !view_eq(prepared->state, pending->enrolment))
		return wait_until(work, now, now, err);
	if (!enrol_finish(&prepared->ask, &work->at.request.tx, prepared->enrol, now, &result, err))
		return false;
	if (result.outcome == ENROL_DONE)
		return enrol_abandon(&work->at.request.tx, pending->enrolment, err) &&
		    issue(work, &result.chain, now, err);
	if (result.outcome == ENROL_FAILED)
		return end_with(work, result.status, result.code, result.message, err);
	pending->enrolment = result.state;
	pending->waits_for = result.message;
	return wait_until(work, result.again, now, err);
}

static bool
go_on(struct work *work, struct prepared *prepared, int64_t now, struct error *err)
{
	struct pending *pending = &work->state.pending;

	if (pending->cancel) {
		if (!pending_give_up(&work->at.request, &work->at.object, pending,
			PENDING_CANCELLED, err))
			return false;
		work->status = 409;
		work->why = V("The operation was cancelled.");
		return write_state(work, 0, err);
	}
	if (pending_enrols(pending))
		return enrol(work, prepared, now, err);
	/* What waits for a merge is signed by nobody here. */
	return view_ieq(pending->issuer, V(ISSUER_NAME_SELF)) ? issue(work, NULL, now, err)
							      : write_state(work, 0, err);
}

/*
 * A deleted vault may be recovered; then it begins anew, with another order: meanwhile nothing is
 * shown for it by HTTP-01.
 */
static bool
set_aside(struct work *work, int64_t now, struct error *err)
{
	struct pending *pending = &work->state.pending;

	if (!enrol_abandon(&work->at.request.tx, pending->enrolment, err))
		return false;
	pending->enrolment = V("");
	return write_state(work, now + PENDING_ASIDE, err);
}

bool
pending_due(const struct services *services, struct tx *tx, const struct due *due, void *prepared,
    int64_t now, struct due_done *done, struct error *err)
{
	AUTO(work_done) struct work work = { 0 };
	bool fine;

	if (!look_up(services, tx, due, &work, err))
		return false;
	if (!work.due)
		return true;
	fine = work.at.where == VAULT_DELETED ? set_aside(&work, now, err)
					      : go_on(&work, prepared, now, err);
	due_object_keep(&work.at, tx);
	/* While it goes on nothing is done that anybody needs to be told of. */
	if (!fine || work.status == 0)
		return fine;
	done->operation = ENROLLED;
	done->status = work.status;
	done->description = work.why;
	return due_tell(tx, &work.at.vault, certificate_type.letter, work.at.object.name, done,
	    err);
}
