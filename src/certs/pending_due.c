/*
 * What is done with a pending operation behind the reply to its request.
 */
#include "base/clock.h"
#include "certs/issue.h"
#include "secrets/secret.h"

#define ISSUED "CertificateIssue"

/* A certificate as one transaction has it. */
struct work {
	struct vault vault;
	struct request request; /* to its vault, made by hand */
	struct object object;
	struct version latest;
	struct certificate_state state;
	bool due; /* it still is */
};

static void
work_done(struct work *work)
{
	object_done(&work->object);
	version_done(&work->latest);
}

/* A deleted certificate, another one of its name, another operation: nothing is due. */
static bool
look_up(const struct services *services, struct tx *tx, const struct due *due, struct work *out,
    enum due_vault_state *where, struct error *err)
{
	struct request *r = &out->request;
	bool found;

	if (!due_vault(tx, due, &out->vault, where, err))
		return false;
	if (*where == VAULT_GONE)
		return true;
	*r = (struct request){
		.services = services,
		.vault = &out->vault,
		.arena = tx->arena,
		.tx = *tx,
	};
	found = object_require(r, &certificate_type, due->name, V(""), TO_CHANGE, &out->object,
	    &out->latest, err);
	if (!found && err->code != certificate_type.not_found)
		return false;
	if (found && view_eq(view_of(out->object.id), due->object)) {
		if (!certificate_state_read(r, &out->object, TO_CHANGE, &out->state, err))
			return false;
		out->due = out->state.has_pending && out->state.pending.due == due->time &&
		    out->state.pending.status == PENDING_IN_PROGRESS;
	}
	return true;
}

static bool
fail(struct work *work, const char *code, const char *message, struct error *err)
{
	struct pending *pending = &work->state.pending;

	pending_end(pending, PENDING_FAILED);
	pending->error_code = view_of(code);
	return arena_copy(work->request.arena, view_of(message), &pending->error_message) ||
	    error_memory(err);
}

/* What comes out; nothing is changed yet. */
struct signed_result {
	struct cert_policy policy;
	struct key key;
	struct x509 leaf;
	view secret;
};

/* Signed by its own key. */
static bool
self_sign(struct work *work, struct signed_result *out, struct error *err)
{
	struct request *r = &work->request;
	AUTO(plain_done) struct plain *pkcs8 = NULL;
	view der, spki;
	const struct views bag = { &der, 1 };
	struct views chain;

	return object_require_ours(r, &key_type, work->object.name, err) &&
	    object_require_ours(r, &secret_type, work->object.name, err) &&
	    issue_unpack(r, &work->state.pending, &out->policy, &out->key, err) &&
	    issue_self(r, &out->key, &out->policy, &der, err) &&
	    issue_spki(&out->key, r->arena, &spki, err) &&
	    issue_chain(&bag, spki, false, r->arena, &out->leaf, &chain, err) &&
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

	return issue_pending(&work->request, &work->object, &work->state, &result, &added, &version,
	    err);
}

static bool
write_state(struct work *work, int64_t time, struct error *err)
{
	struct pending *pending = &work->state.pending;

	return pending_schedule(&work->request, &work->object, pending, time, err) &&
	    certificate_state_write(&work->request, &work->object, &work->state, err);
}

static bool
issue(struct work *work, int64_t now, struct error *err)
{
	struct pending *pending = &work->state.pending;
	struct signed_result made;
	struct error problem;

	if (pending->cancel) {
		pending_end(pending, PENDING_CANCELLED);
		return write_state(work, 0, err);
	}
	if (!view_ieq(pending->issuer, V(ISSUER_NAME_SELF)))
		return fail(work, "IssuerNotAvailable",
			   "The certificate's issuer can't be reached from here.", err) &&
		    write_state(work, 0, err);
	if (self_sign(work, &made, &problem))
		return add(work, &made, err);
	if (problem.code == ERR_CORRUPT) {
		*err = problem;
		return false;
	}
	return problem.code == ERR_UNAVAILABLE
	    ? write_state(work, now + PENDING_RETRY, err)
	    : fail(work, error_table[problem.code].name, problem.message, err) &&
		write_state(work, 0, err);
}

bool
pending_due(const struct services *services, struct tx *tx, const struct due *due, void *prepared,
    int64_t now, struct due_done *done, struct error *err)
{
	AUTO(work_done) struct work work = { 0 };
	enum due_vault_state where;
	bool fine;

	(void)prepared;
	if (!look_up(services, tx, due, &work, &where, err))
		return false;
	if (where == VAULT_GONE)
		return true;
	if (!work.due) {
		*tx = work.request.tx;
		return true;
	}
	/* A deleted vault may be recovered. */
	fine = where == VAULT_DELETED ? write_state(&work, now + PENDING_RETRY, err)
				      : issue(&work, now, err);
	*tx = work.request.tx;
	done->operation = ISSUED;
	done->status = 200;
	return fine &&
	    due_tell(tx, &work.vault, certificate_type.letter, work.object.name, done, err);
}
