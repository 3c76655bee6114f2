/*
 * The steps of an issuance.  Each reads one thing or asks for one, and says at which stage to go
 * on.
 */
#include "acme/document.h"
#include "acme/jws.h"
#include "acme/wire.h"

#include "base/json.h"
#include "base/log.h"

#include <string.h>

#define WAITS_MAX 300 /* times that a server may say "not yet" */
#define WAIT_LONGEST 60

static void
keep(view text, char *out, size_t size)
{
	/* What was read is within its bounds. */
	if (text.len >= size)
		text.len = 0;
	memcpy(out, text.ptr, text.len);
	out[text.len] = '\0';
}

#define KEEP(text, member) keep(text, member, sizeof(member))

static void
go_on(struct turn *turn, enum acme_stage stage)
{
	turn->state->stage = stage;
	turn->state->waits = 0;
	turn->wait = 0;
}

/* Not yet: as long as the server said, else longer each time. */
static bool
wait_more(struct turn *turn, struct error *err)
{
	unsigned waits = turn->state->waits++;

	if (waits >= WAITS_MAX)
		return error_set(err, ERR_BAD_REQUEST, "The ACME server did not come to an end.");
	if (!turn->wait_given)
		turn->wait = waits < 6 ? 1u << waits : WAIT_LONGEST;
	if (turn->wait == 0)
		turn->wait = 1;
	return true;
}

static bool
step_directory(struct turn *turn, struct error *err)
{
	AUTO(buf_free) struct buf body = { 0 };
	struct acme_state *state = turn->state;
	struct acme_directory directory;

	if (!wire_get(turn, turn->acme->directory, &body, err) ||
	    !acme_read_directory(buf_view(&body), &directory, turn->arena, err))
		return false;
	KEEP(directory.new_nonce.text, state->new_nonce);
	KEEP(directory.new_account.text, state->new_account);
	KEEP(directory.new_order.text, state->new_order);
	go_on(turn, ACME_ACCOUNT);
	return true;
}

static bool
write_account(const struct turn *turn, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf binding = { 0 };
	const struct acme *acme = turn->acme;
	struct json json = json_to(out);

	json_open(&json, '{');
	json_flag(&json, "termsOfServiceAgreed", true);
	if (acme->email_count > 0) {
		json_open_in(&json, "contact", '[');
		for (size_t i = 0; i < acme->email_count; i++) {
			json_text_open(&json, NULL);
			json_text_part(&json, V("mailto:"));
			json_text_part(&json, acme->emails[i]);
			json_text_close(&json);
		}
		json_close(&json, ']');
	}
	if (acme->binding_key.len > 0) {
		if (!jws_binding(acme, turn->state->new_account, &binding, err))
			return false;
		json_raw(&json, "externalAccountBinding", buf_view(&binding));
	}
	json_close(&json, '}');
	return buf_ok(out) || error_memory(err);
}

/* An account that is there already is answered like a new one: RFC 8555, 7.3.1. */
static bool
step_account(struct turn *turn, struct error *err)
{
	AUTO(buf_free) struct buf payload = { 0 }, body = { 0 };
	struct acme_state *state = turn->state;

	if (!write_account(turn, &payload, err) ||
	    !wire_post(turn, state->new_account, buf_view(&payload), true, state->account, &body,
		err))
		return false;
	go_on(turn, ACME_ORDER);
	return true;
}

/* What to do by what an order's status says. */
static bool
follow_order(struct turn *turn, const struct acme_order *order, struct error *err)
{
	struct acme_state *state = turn->state;
	view status = order->status.text;

	if (view_eq(status, V("ready"))) {
		go_on(turn, ACME_FINALIZE);
		return true;
	}
	if (view_eq(status, V("valid")) && order->certificate.given) {
		KEEP(order->certificate.text, state->certificate);
		go_on(turn, ACME_DOWNLOAD);
		return true;
	}
	if (view_eq(status, V("pending")) && state->next < order->authorizations.count) {
		KEEP(order->authorizations.texts[state->next], state->authorization);
		go_on(turn, ACME_AUTHORIZATION);
		return true;
	}
	if (view_eq(status, V("pending")) || view_eq(status, V("processing")) ||
	    view_eq(status, V("valid"))) {
		state->stage = ACME_LOOK;
		return wait_more(turn, err);
	}
	return acme_problem_set(&order->error, ERR_BAD_REQUEST, err);
}

static bool
write_order(const struct acme *acme, struct buf *out, struct error *err)
{
	struct json json = json_to(out);

	json_open(&json, '{');
	json_open_in(&json, "identifiers", '[');
	for (size_t i = 0; i < acme->name_count; i++) {
		json_open(&json, '{');
		json_text(&json, "type", acme->names[i].address ? V("ip") : V("dns"));
		json_text(&json, "value", acme->names[i].value);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	return buf_ok(out) || error_memory(err);
}

static bool
step_order(struct turn *turn, struct error *err)
{
	AUTO(buf_free) struct buf payload = { 0 }, body = { 0 };
	struct acme_state *state = turn->state;
	struct acme_order order;

	if (!write_order(turn->acme, &payload, err) ||
	    !wire_post(turn, state->new_order, buf_view(&payload), false, state->order, &body,
		err) ||
	    !acme_read_order(buf_view(&body), &order, turn->arena, err))
		return false;
	KEEP(order.finalize.text, state->finalize);
	state->next = 0;
	return follow_order(turn, &order, err);
}

static bool
read_order(struct turn *turn, struct acme_order *out, struct error *err)
{
	AUTO(buf_free) struct buf body = { 0 };

	return wire_post(turn, turn->state->order, V(""), false, NULL, &body, err) &&
	    acme_read_order(buf_view(&body), out, turn->arena, err);
}

static bool
step_look(struct turn *turn, struct error *err)
{
	struct acme_order order;

	return read_order(turn, &order, err) && follow_order(turn, &order, err);
}

static const struct acme_challenge *
challenge_of(const struct acme_authorization *authorization, view type)
{
	const struct acme_challenge *challenges = authorization->challenges.items;

	for (size_t i = 0; i < authorization->challenges.count; i++) {
		if (view_eq(challenges[i].type.text, type) && challenges[i].url.given &&
		    challenges[i].token.given)
			return &challenges[i];
	}
	return NULL;
}

/* HTTP-01 where it can be: it needs nobody else. */
static const struct acme_challenge *
choose(const struct turn *turn, const struct acme_authorization *authorization,
    enum acme_kind *kind)
{
	const struct acme_challenge *found = NULL;

	if (turn->acme->http && !authorization->wildcard.value)
		found = challenge_of(authorization, V("http-01"));
	*kind = ACME_HTTP_01;
	if (found != NULL || !turn->acme->dns)
		return found;
	*kind = ACME_DNS_01;
	return challenge_of(authorization, V("dns-01"));
}

static bool
make_proof(const struct acme *acme, const struct acme_state *state, struct arena *arena,
    struct acme_proof *out, struct error *err)
{
	AUTO(buf_free) struct buf authorization = { 0 }, value = { 0 };
	bool dns = state->kind == ACME_DNS_01;

	*out = (struct acme_proof){ .kind = state->kind, .token = view_of(state->token) };
	if (!jws_key_authorization(acme, out->token, &authorization, err) ||
	    (dns && !jws_dns_value(buf_view(&authorization), &value, err)))
		return false;
	return (arena_print(arena, &out->name, "%s%s", dns ? "_acme-challenge." : "",
		    state->name) &&
		   arena_copy(arena, buf_view(dns ? &value : &authorization), &out->value)) ||
	    error_memory(err);
}

/* One that can't be taken back proves nothing any more: it is told of, and left. */
static void
hide(const struct acme *acme, struct acme_state *state, struct arena *arena)
{
	struct acme_proof proof;
	struct error err;

	if (state->token[0] != '\0' &&
	    (!make_proof(acme, state, arena, &proof, &err) || !acme->hide(acme->ctx, &proof, &err)))
		log_line(LOG_WARN, "acme.proof", "%s: %s", state->name, err.message);
	state->token[0] = '\0';
}

static bool
show(struct turn *turn, const struct acme_authorization *authorization, struct error *err)
{
	struct acme_state *state = turn->state;
	const struct acme_challenge *challenge = choose(turn, authorization, &state->kind);
	struct acme_proof proof;

	if (challenge == NULL)
		return error_set(err, ERR_BAD_REQUEST,
		    "%.*s can't be proved: the authority offers no way that is set up here "
		    "(acme-http-listen, acme-dns-hook).",
		    VIEW_ARG(authorization->name.text));
	KEEP(challenge->url.text, state->challenge);
	KEEP(challenge->token.text, state->token);
	KEEP(authorization->name.text, state->name);
	if (!make_proof(turn->acme, state, turn->arena, &proof, err) ||
	    !turn->acme->show(turn->acme->ctx, &proof, err))
		return false;
	go_on(turn, ACME_ANSWER);
	return true;
}

/* Why a name was not proved: the challenge that failed says it. */
static bool
not_proved(const struct acme_authorization *authorization, struct error *err)
{
	const struct acme_challenge *challenges = authorization->challenges.items;
	struct error why;

	for (size_t i = 0; i < authorization->challenges.count; i++) {
		if (!challenges[i].error.type.given)
			continue;
		(void)acme_problem_set(&challenges[i].error, ERR_BAD_REQUEST, &why);
		return error_set(err, ERR_BAD_REQUEST, "%.*s was not proved: %.1000s",
		    VIEW_ARG(authorization->name.text), why.message);
	}
	return error_set(err, ERR_BAD_REQUEST, "%.*s was not proved: its authorisation is %.*s.",
	    VIEW_ARG(authorization->name.text), VIEW_ARG(authorization->status.text));
}

static bool
read_authorization(struct turn *turn, struct acme_authorization *out, struct error *err)
{
	AUTO(buf_free) struct buf body = { 0 };

	return wire_post(turn, turn->state->authorization, V(""), false, NULL, &body, err) &&
	    acme_read_authorization(buf_view(&body), out, turn->arena, err);
}

static bool
step_authorization(struct turn *turn, struct error *err)
{
	struct acme_authorization authorization;

	if (!read_authorization(turn, &authorization, err))
		return false;
	if (view_eq(authorization.status.text, V("pending")))
		return show(turn, &authorization, err);
	if (!view_eq(authorization.status.text, V("valid")))
		return not_proved(&authorization, err);
	turn->state->next++;
	go_on(turn, ACME_LOOK);
	return true;
}

/* Was a refused answer one that had come before?  Then its authorisation has gone on. */
static bool
went_on(struct turn *turn, struct error *err)
{
	struct acme_authorization authorization;
	struct error problem;

	if (err->code == ERR_UNAVAILABLE)
		return false;
	if (!read_authorization(turn, &authorization, &problem)) {
		if (problem.code == ERR_UNAVAILABLE) /* it is to be looked at again */
			*err = problem;
		return false;
	}
	return !view_eq(authorization.status.text, V("pending"));
}

static bool
step_answer(struct turn *turn, struct error *err)
{
	AUTO(buf_free) struct buf body = { 0 };

	if (!wire_post(turn, turn->state->challenge, V("{}"), false, NULL, &body, err) &&
	    !went_on(turn, err))
		return false;
	go_on(turn, ACME_PROVED);
	turn->wait = 1;
	return true;
}

static bool
step_proved(struct turn *turn, struct error *err)
{
	struct acme_authorization authorization;

	if (!read_authorization(turn, &authorization, err))
		return false;
	if (view_eq(authorization.status.text, V("pending")))
		return wait_more(turn, err);
	if (!view_eq(authorization.status.text, V("valid")))
		return not_proved(&authorization, err);
	hide(turn->acme, turn->state, turn->arena);
	turn->state->next++;
	go_on(turn, ACME_LOOK);
	return true;
}

/* A request that had come before is refused, and the order has gone on. */
static bool
send_csr(struct turn *turn, view payload, struct acme_order *out, struct error *err)
{
	AUTO(buf_free) struct buf body = { 0 };
	struct error problem;

	if (wire_post(turn, turn->state->finalize, payload, false, NULL, &body, err))
		return acme_read_order(buf_view(&body), out, turn->arena, err);
	if (err->code == ERR_UNAVAILABLE)
		return false;
	if (!read_order(turn, out, &problem)) {
		if (problem.code == ERR_UNAVAILABLE) /* it is to be looked at again */
			*err = problem;
		return false;
	}
	return view_eq(out->status.text, V("processing")) || view_eq(out->status.text, V("valid"));
}

static bool
step_finalize(struct turn *turn, struct error *err)
{
	AUTO(buf_free) struct buf payload = { 0 };
	struct json json = json_to(&payload);
	struct acme_order order;

	json_open(&json, '{');
	json_bytes(&json, "csr", turn->acme->csr);
	json_close(&json, '}');
	if (!buf_ok(&payload))
		return error_memory(err);
	if (!send_csr(turn, buf_view(&payload), &order, err))
		return false;
	/* It was taken: "ready" can only be how things stood before. */
	if (view_eq(order.status.text, V("ready")))
		order.status.text = V("processing");
	return follow_order(turn, &order, err);
}

static bool
step_download(struct turn *turn, struct error *err)
{
	AUTO(buf_free) struct buf body = { 0 };

	if (!wire_post(turn, turn->state->certificate, V(""), false, NULL, &body, err))
		return false;
	buf_reset(turn->chain);
	buf_add(turn->chain, buf_view(&body));
	if (!buf_ok(turn->chain))
		return error_memory(err);
	go_on(turn, ACME_DONE);
	return true;
}

static bool (*const steps[])(struct turn *turn, struct error *err) = {
	[ACME_DIRECTORY] = step_directory,
	[ACME_ACCOUNT] = step_account,
	[ACME_ORDER] = step_order,
	[ACME_LOOK] = step_look,
	[ACME_AUTHORIZATION] = step_authorization,
	[ACME_ANSWER] = step_answer,
	[ACME_PROVED] = step_proved,
	[ACME_FINALIZE] = step_finalize,
	[ACME_DOWNLOAD] = step_download,
};

/* Nobody goes on with it: take back what is there to be seen. */
static void
abandon(const struct acme *acme, struct acme_state *state, struct arena *arena)
{
	hide(acme, state, arena);
	state->stage = ACME_FAILED;
}

bool
acme_step(const struct acme *acme, struct acme_state *state, struct arena *arena, unsigned *wait,
    struct buf *chain, struct error *err)
{
	struct turn turn = { .acme = acme, .state = state, .arena = arena, .chain = chain };
	bool fine;

	*wait = 0;
	if (state->stage >= COUNT_OF(steps))
		return true;
	fine = steps[state->stage](&turn, err);
	*wait = turn.wait;
	if (!fine && err->code != ERR_UNAVAILABLE)
		abandon(acme, state, arena);
	return fine;
}
