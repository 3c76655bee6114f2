#include "certs/enrol.h"

#include "acme/acme.h"
#include "base/pack.h"
#include "certs/ca.h"
#include "certs/enrol_acme.h"
#include "certs/issuer.h"
#include "certs/outside.h"
#include "certs/proof.h"
#include "keyring/work.h"
#include "vault/due.h"

#define FORMAT 2
#define FORMAT_PLAIN 1 /* an earlier build's: of which issuer's state is not known */
#define WAIT_FIRST 60

/* What an operation keeps. */
struct kept {
	int64_t since;  /* when it began */
	uint32_t tries; /* in a row that came to nothing */
	view acme;
	int64_t updated; /* the issuer's, when it was asked */
};

/* What enrol_prepare found, for enrol_finish. */
struct prepared {
	bool found, enabled;
	enum issuer_provider provider;
	int64_t updated; /* the issuer's: another one by now means looking again */
	struct kept kept;
	view given_up; /* the state of an issuer that was another one; empty: none */
	struct acme_turn turn;
};

static bool
kept_unpack(view state, int64_t now, struct kept *out)
{
	struct unpack in = unpack_of(state);
	uint8_t format;

	*out = (struct kept){ .since = now };
	if (state.len == 0)
		return true;
	format = unpack_u8(&in);
	out->since = unpack_i64(&in);
	out->tries = unpack_u32(&in);
	out->acme = unpack_bytes(&in);
	if (format == FORMAT)
		out->updated = unpack_i64(&in);
	return (format == FORMAT || format == FORMAT_PLAIN) && unpack_end(&in);
}

static bool
kept_pack(const struct kept *kept, struct arena *arena, view *out, struct error *err)
{
	AUTO(buf_free) struct buf packed = { 0 };

	pack_u8(&packed, FORMAT);
	pack_i64(&packed, kept->since);
	pack_u32(&packed, kept->tries);
	pack_bytes(&packed, kept->acme);
	pack_i64(&packed, kept->updated);
	return (buf_ok(&packed) && arena_copy(arena, buf_view(&packed), out)) || error_memory(err);
}

/* In a snapshot of its own.  The issuer's views point into its document. */
static bool
look_up(const struct enrol_ask *ask, struct arena *arena, struct issuer *issuer, bool *found,
    view *account, struct error *err)
{
	AUTO(reading_done) struct reading reading = { 0 };

	return reading_begin(ask->services->store, ask->services->keyring, arena, &reading, err) &&
	    issuer_read(&reading.tx, ask->vault, ask->issuer, TO_READ, issuer, found, err) &&
	    acme_account_read(&reading.tx, ask->vault, ask->issuer, arena, account, err);
}

/* With an issuer that was corrected since it begins anew, with a patience of its own. */
static void
begin_anew(struct prepared *prepared, view state, int64_t now)
{
	if (prepared->kept.updated == prepared->updated)
		return;
	prepared->given_up = state;
	prepared->kept = (struct kept){ .since = now, .updated = prepared->updated };
}

bool
enrol_prepare(const struct enrol_ask *ask, view state, int64_t now, struct arena *arena, void **out,
    struct error *err)
{
	AUTO(issuer_done) struct issuer issuer = { 0 };
	struct prepared *prepared = arena_alloc(arena, sizeof(*prepared));
	view account;

	if (prepared == NULL)
		return error_memory(err);
	if (!kept_unpack(state, now, &prepared->kept))
		return error_set(err, ERR_CORRUPT, "an operation's state can't be read");
	if (!look_up(ask, arena, &issuer, &prepared->found, &account, err))
		return false;
	*out = prepared;
	if (!prepared->found)
		return true;
	prepared->enabled = issuer.enabled;
	prepared->provider = issuer.provider;
	prepared->updated = issuer.updated;
	begin_anew(prepared, state, now);
	return issuer.provider != ISSUER_ACME || !issuer.enabled ||
	    acme_turn_take(ask, &issuer, &account, arena, prepared->kept.acme, &prepared->turn,
		err);
}

static bool
fail(struct enrol_result *out, view message)
{
	*out = (struct enrol_result){ .outcome = ENROL_FAILED,
		.code = "Certificate issuer error",
		.status = 503,
		.message = message };
	return true;
}

static bool
reject(struct enrol_result *out, view message)
{
	*out = (struct enrol_result){ .outcome = ENROL_FAILED,
		.code = "Request rejected",
		.status = 400,
		.message = message };
	return true;
}

/* Later each time; what the server asked for, when that is more. */
static int64_t
backoff(const struct kept *kept, unsigned wait)
{
	int64_t seconds = due_backoff(WAIT_FIRST, ENROL_WAIT_MAX, kept->tries);

	return seconds > wait ? seconds : wait;
}

/* Its keys' token is away: it comes back.  What was begun in ${tx} since ${before} is left out. */
static bool
wait_for_token(const struct kept *kept, struct tx *tx, size_t before, int64_t now, view message,
    struct enrol_result *out, struct error *err)
{
	struct kept next = *kept;

	tx->count = before;
	*out = (struct enrol_result){ .outcome = ENROL_WAIT,
		.again = now + backoff(kept, 0),
		.message = message };
	next.tries++;
	return kept_pack(&next, tx->arena, &out->state, err);
}

static bool
issue_own(const struct enrol_ask *ask, struct tx *tx, const struct ca_wish *wish, int64_t now,
    struct views *chain, struct error *err)
{
	AUTO(ca_done) struct ca ca = { 0 };

	return ca_require(tx, ask->vault, ask->vault->premium && keyring_has_token(tx->keyring),
		   now, &ca, err) &&
	    ca_issue(tx, ask->vault, &ca, wish, chain, err);
}

static bool
finish_strongroom(const struct enrol_ask *ask, const struct kept *kept, struct tx *tx, int64_t now,
    struct enrol_result *out, struct error *err)
{
	size_t before = tx->count;
	struct ca_wish wish = { .csr = ask->csr,
		.certificate = ask->certificate,
		.not_before = ask->not_before,
		.not_after = ask->not_after };
	struct error problem;
	view message;

	if (!arena_print(tx->arena, &wish.base, "https://%.*s%s", VIEW_ARG(ask->vault->name),
		ask->services->outside->vault_suffix))
		return error_memory(err);
	*out = (struct enrol_result){ .outcome = ENROL_DONE };
	if (issue_own(ask, tx, &wish, now, &out->chain, &problem))
		return true;
	if (problem.code != ERR_BAD_PARAMETER && problem.code != ERR_UNAVAILABLE) {
		*err = problem;
		return false;
	}
	if (!arena_copy(tx->arena, view_of(problem.message), &message))
		return error_memory(err);
	return problem.code == ERR_BAD_PARAMETER
	    ? reject(out, message)
	    : wait_for_token(kept, tx, before, now, message, out, err);
}

static bool
write_turn(const struct enrol_ask *ask, struct tx *tx, const struct acme_turn *turn,
    struct error *err)
{
	if (turn->account.len > 0 &&
	    !acme_account_write(tx, ask->vault, ask->issuer, turn->account, err))
		return false;
	if (turn->hidden.len > 0 && !proof_delete(tx, turn->hidden, err))
		return false;
	return turn->shown.len == 0 || proof_put(tx, turn->shown, turn->shown_value, err);
}

static bool
finish_acme(const struct enrol_ask *ask, struct tx *tx, struct prepared *prepared, int64_t now,
    struct enrol_result *out, struct error *err)
{
	const struct acme_turn *turn = &prepared->turn;
	struct kept kept = prepared->kept;

	if (!write_turn(ask, tx, turn, err))
		return false;
	if (turn->failed)
		return reject(out, turn->message);
	if (turn->busy && now - kept.since > ENROL_PATIENCE)
		return fail(out, turn->message);
	*out = (struct enrol_result){ .outcome = turn->done ? ENROL_DONE : ENROL_WAIT,
		.chain = turn->chain,
		.message = turn->message };
	if (turn->done)
		return true;
	out->again = now + (turn->busy ? backoff(&kept, turn->wait) : turn->wait);
	kept.tries = turn->busy ? kept.tries + 1 : 0;
	kept.acme = turn->state;
	return kept_pack(&kept, tx->arena, &out->state, err);
}

/* The issuer was changed since: look again, at once. */
static bool
look_again(const struct kept *kept, struct tx *tx, int64_t now, struct enrol_result *out,
    struct error *err)
{
	*out = (struct enrol_result){ .outcome = ENROL_WAIT,
		.again = now,
		.message = V("The issuer has changed.") };
	return kept_pack(kept, tx->arena, &out->state, err);
}

bool
enrol_finish(const struct enrol_ask *ask, struct tx *tx, void *ctx, int64_t now,
    struct enrol_result *out, struct error *err)
{
	AUTO(issuer_done) struct issuer issuer = { 0 };
	struct prepared *prepared = ctx;
	bool found;

	if (!issuer_read(tx, ask->vault, ask->issuer, TO_READ, &issuer, &found, err))
		return false;
	if (!found)
		return fail(out, V("The issuer is not there."));
	if (!issuer.enabled)
		return fail(out, V("The issuer is disabled."));
	if (!enrol_abandon(tx, prepared->given_up, err))
		return false;
	if (!prepared->found || !prepared->enabled || prepared->provider != issuer.provider ||
	    prepared->updated != issuer.updated)
		return look_again(&prepared->kept, tx, now, out, err);
	if (issuer.provider == ISSUER_STRONGROOM)
		return finish_strongroom(ask, &prepared->kept, tx, now, out, err);
	if (issuer.provider == ISSUER_ACME)
		return finish_acme(ask, tx, prepared, now, out, err);
	return fail(out, V("The issuer's provider could not be reached from here."));
}

bool
enrol_abandon(struct tx *tx, view state, struct error *err)
{
	struct acme_state at;
	struct kept kept;

	if (!kept_unpack(state, 0, &kept) || kept.acme.len == 0 || !acme_unpack(kept.acme, &at) ||
	    at.token[0] == '\0' || at.kind != ACME_HTTP_01)
		return true;
	return proof_delete(tx, view_of(at.token), err);
}
