#include "certs/lifetime.h"

#include "base/clock.h"
#include "certs/contact.h"
#include "certs/outbox.h"
#include "certs/outside.h"
#include "certs/renew.h"
#include "keyring/work.h"
#include "vault/due_object.h"

#include <string.h>
#include <time.h>

#define RENEWED "CertificateRenew"
#define DAY ((int64_t)86400)

/* What is announced of the latest version, in the order of time; the original's days. */
static const struct announcement {
	unsigned flag;
	int64_t before; /* the end, seconds */
	const char *operation;
} announcements[] = {
	{ LIFETIME_NEAR_END, 30 * DAY, "CertificateNearExpiryEventGridNotification" },
	{ LIFETIME_ENDED, 0, "CertificateExpiredEventGridNotification" },
};

int64_t
lifetime_at(const struct lifetime_action *action, int64_t start, int64_t end)
{
	int64_t value = action->value, days = end - value * DAY;

	if (action->percentage)
		return start + (end - start) * value / 100;
	return days > start ? days : start + (end - start) * LIFETIME_PERCENTAGE_USUAL / 100;
}

void
lifetime_forget_tries(struct lifetime *lifetime)
{
	lifetime->tries = 0;
	lifetime->again = 0;
}

bool
lifetime_touch(struct request *r, const struct object *object, struct error *err)
{
	const struct due due = due_of(r, &certificate_type, object, DUE_LIFETIME, clock_now() + 1);

	return due_put(&r->tx, &due, err);
}

/* A certificate as one transaction has it. */
struct look {
	struct due_object at;
	struct certificate_state state;
	bool there; /* live, with a certificate in its latest version */
};

static void
look_done(struct look *look)
{
	due_object_done(&look->at);
}

/* What it comes to by now.  An announcement goes first, and is all that is done then. */
struct plan {
	const struct announcement *announce;
	bool mail, renew;
	int64_t next; /* when to look again; 0: when something changes */
};

static bool
was_due(const struct look *look)
{
	const struct attributes *attributes = &look->at.latest.attributes;
	const struct cert_policy *policy = &look->state.policy;

	for (size_t i = 0; i < policy->action_count; i++) {
		const struct lifetime_action *action = &policy->actions[i];

		if (action->type == ACTION_AUTO_RENEW &&
		    lifetime_at(action, attributes->nbf, attributes->exp) <= attributes->created)
			return true;
	}
	return false;
}

/* Of a new version nothing is known yet, but that it was no help if it was due when it came. */
static void
begin_version(struct look *look)
{
	const struct lifetime before = look->state.lifetime;
	struct lifetime *lifetime = &look->state.lifetime;

	*lifetime = (struct lifetime){ .version = look->at.latest.id };
	if (was_due(look)) {
		lifetime->tries = before.tries;
		lifetime->again = before.again;
	}
}

static bool
look_up(const struct services *services, struct tx *tx, const struct due *due, struct look *out,
    struct error *err)
{
	struct due_object *at = &out->at;

	if (!due_object_find(services, tx, due, &certificate_type, at, err))
		return false;
	if (!at->found)
		return true;
	if (!certificate_state_read(&at->request, &at->object, TO_CHANGE, &out->state, err))
		return false;
	out->there = !issue_is_provisional(&at->latest);
	if (!view_eq(out->state.lifetime.version, at->latest.id))
		begin_version(out);
	due_object_keep(at, tx);
	return true;
}

static void
look_again(struct plan *plan, int64_t time)
{
	if (plan->next == 0 || time < plan->next)
		plan->next = time;
}

static void
plan_action(const struct look *look, const struct lifetime_action *action, int64_t now,
    struct plan *plan)
{
	const struct certificate_state *state = &look->state;
	const struct attributes *attributes = &look->at.latest.attributes;
	int64_t time = lifetime_at(action, attributes->nbf, attributes->exp);

	if (action->type == ACTION_EMAIL_CONTACTS) {
		if (state->lifetime.mailed)
			return;
		plan->mail |= time <= now;
	} else {
		if (view_ieq(state->policy.issuer, V(ISSUER_NAME_UNKNOWN)))
			return;
		if (time < state->lifetime.again)
			time = state->lifetime.again;
		/* Whatever comes of the one that is under way. */
		if (time <= now && state->has_pending &&
		    state->pending.status == PENDING_IN_PROGRESS)
			time = now + LIFETIME_RETRY;
		plan->renew |= time <= now;
	}
	if (time > now)
		look_again(plan, time);
}

/* The last one that is due stands for those before it. */
static void
plan_announcements(const struct look *look, int64_t now, struct plan *plan)
{
	for (size_t i = 0; i < COUNT_OF(announcements); i++) {
		int64_t time = look->at.latest.attributes.exp - announcements[i].before;

		if (look->state.lifetime.announced >= announcements[i].flag)
			continue;
		if (time <= now)
			plan->announce = &announcements[i];
		else
			look_again(plan, time);
	}
}

static struct plan
plan_of(const struct look *look, int64_t now)
{
	struct plan plan = { 0 };

	if (!look->there)
		return plan;
	/* A deleted vault may be recovered. */
	if (look->at.where == VAULT_DELETED) {
		plan.next = now + LIFETIME_RETRY;
		return plan;
	}
	plan_announcements(look, now, &plan);
	if (plan.announce != NULL || !look->at.latest.attributes.enabled)
		return plan;
	for (size_t i = 0; i < look->state.policy.action_count; i++)
		plan_action(look, &look->state.policy.actions[i], now, &plan);
	return plan;
}

/* What was made ahead, for which version and by which policy; or why it was not. */
struct prepared {
	view after, policy; /* the policy as it is packed */
	struct creating *creating;
	bool made;
	struct error problem;
};

static bool
pack_policy(const struct look *look, struct arena *arena, view *out, struct error *err)
{
	AUTO(buf_free) struct buf packed = { 0 };

	cert_policy_pack(&look->state.policy, &packed);
	return (buf_ok(&packed) && arena_copy(arena, buf_view(&packed), out)) || error_memory(err);
}

/* A key may take seconds to be made: is it of what there is by now? */
static bool
still_holds(const struct prepared *prepared, const struct look *look, bool *out, struct error *err)
{
	view policy;

	*out = false;
	if (prepared == NULL)
		return true;
	if (!pack_policy(look, look->at.request.arena, &policy, err))
		return false;
	*out = view_eq(prepared->after, look->at.latest.id) && view_eq(prepared->policy, policy);
	return true;
}

static bool
look_ahead(const struct services *services, const struct due *due, struct arena *arena,
    struct look *look, struct prepared *out, struct error *err)
{
	AUTO(reading_done) struct reading reading = { 0 };

	return reading_begin(services->store, services->keyring, arena, &reading, err) &&
	    look_up(services, &reading.tx, due, look, err) &&
	    (!plan_of(look, clock_now()).renew ||
		((arena_copy(arena, look->at.latest.id, &out->after) || error_memory(err)) &&
		    pack_policy(look, arena, &out->policy, err) &&
		    renew_look(&look->at.request, &look->at.latest, &look->state, &out->creating,
			err)));
}

bool
lifetime_prepare(const struct services *services, const struct due *due, struct arena *arena,
    void **out, struct error *err)
{
	AUTO(look_done) struct look look = { 0 };
	struct prepared *prepared = arena_alloc(arena, sizeof(*prepared));

	*out = NULL;
	if (prepared == NULL)
		return error_memory(err);
	if (!look_ahead(services, due, arena, &look, prepared, err))
		return false;
	if (prepared->creating == NULL)
		return true;
	*out = prepared;
	prepared->made = renew_make(&look.at.request, prepared->creating, &prepared->problem);
	return true;
}

static bool
write_letter(const struct look *look, struct outbox_letter *out, struct error *err)
{
	const struct look *l = look;
	const char *suffix = l->at.request.services->outside->vault_suffix;
	time_t end = (time_t)l->at.latest.attributes.exp;
	struct arena *arena = l->at.request.arena;
	struct tm tm = { 0 };
	char date[32];

	(void)gmtime_r(&end, &tm);
	(void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm);
	return (arena_print(arena, &out->subject, "Certificate %.*s in vault %.*s expires on %.10s",
		    VIEW_ARG(l->at.object.name), VIEW_ARG(l->at.vault.name), date) &&
		   arena_print(arena, &out->text,
		       "The certificate\n\n    https://%.*s%s/certificates/%.*s/%.*s\n\n"
		       "expires on %s.\n\n"
		       "You get this message because you are a contact of the vault %.*s, and the\n"
		       "certificate's policy asks for it.\n",
		       VIEW_ARG(l->at.vault.name), suffix, VIEW_ARG(l->at.object.name),
		       VIEW_ARG(l->at.latest.id), date, VIEW_ARG(l->at.vault.name))) ||
	    error_memory(err);
}

static bool
mail(struct look *look, int64_t now, struct error *err)
{
	AUTO(contacts_done) struct contacts contacts = { 0 };
	struct request *r = &look->at.request;
	struct outbox_letter letter;
	bool found;

	look->state.lifetime.mailed = true;
	if (r->services->outside == NULL)
		return true;
	if (!contacts_read(&r->tx, r->vault, TO_READ, &contacts, &found, err) ||
	    !write_letter(look, &letter, err))
		return false;
	for (size_t i = 0; i < contacts.count; i++) {
		letter.to = contacts.list[i].email.text;
		if (!outbox_add(r->services, &r->tx, r->vault, &letter, now, err))
			return false;
	}
	return true;
}

static bool
tell(struct tx *tx, const struct look *look, const struct error *problem, struct due_done *done,
    struct error *err)
{
	done->operation = RENEWED;
	done->status = problem == NULL ? 202 : error_table[problem->code].status;
	if (problem != NULL &&
	    !arena_copy(tx->arena, view_of(problem->message), &done->description))
		return error_memory(err);
	return due_tell(tx, &look->at.vault, certificate_type.letter, look->at.object.name, done,
	    err);
}

/* renew_begin writes the state with it. */
static bool
renew(struct look *look, const struct prepared *prepared, struct error *err)
{
	struct request *r = &look->at.request;

	if (prepared->made)
		return renew_begin(r, &look->at.object, &look->at.latest, &look->state,
		    prepared->creating, err);
	return certificate_state_write(r, &look->at.object, &look->state, err);
}

/* Later each time; but near the end, on either side of it, no later than is some use. */
static int64_t
wait_after(const struct look *look, int64_t now)
{
	int64_t wait = due_backoff(LIFETIME_RETRY, LIFETIME_RETRY_MAX, look->state.lifetime.tries);
	int64_t left = look->at.latest.attributes.exp - now;
	int64_t most = (left < 0 ? -left : left) / LIFETIME_RETRY_PART;

	if (most < LIFETIME_RETRY)
		most = LIFETIME_RETRY;
	return wait < most ? wait : most;
}

static bool
act(struct look *look, const struct plan *plan, const struct prepared *prepared, int64_t now,
    struct error *err)
{
	struct lifetime *lifetime = &look->state.lifetime;

	if (plan->mail && !mail(look, now, err))
		return false;
	if (!plan->renew)
		return !plan->mail ||
		    certificate_state_write(&look->at.request, &look->at.object, &look->state, err);
	lifetime->again = now + wait_after(look, now);
	lifetime->tries++;
	return renew(look, prepared, err);
}

/* And look again, at once: at what else is due. */
static bool
announce(struct look *look, struct tx *tx, const struct due *due, const struct plan *plan,
    struct due_done *done, struct error *err)
{
	struct due again = *due;
	bool fine;

	look->state.lifetime.announced = plan->announce->flag;
	fine = certificate_state_write(&look->at.request, &look->at.object, &look->state, err);
	due_object_keep(&look->at, tx);
	again.time = due->time + 1;
	done->operation = plan->announce->operation;
	done->status = 200;
	return fine && due_put(tx, &again, err) &&
	    due_tell(tx, &look->at.vault, certificate_type.letter, look->at.object.name, done,
		err) &&
	    (arena_copy(tx->arena, look->at.latest.id, &done->version) || error_memory(err));
}

bool
lifetime_run(const struct services *services, struct tx *tx, const struct due *due, void *ctx,
    int64_t now, struct due_done *done, struct error *err)
{
	AUTO(look_done) struct look look = { 0 };
	const struct prepared *prepared = ctx;
	struct due again = *due;
	struct plan plan;
	bool holds = true;

	if (!look_up(services, tx, due, &look, err))
		return false;
	plan = plan_of(&look, now);
	if (plan.announce != NULL)
		return announce(&look, tx, due, &plan, done, err);
	if (plan.renew && !still_holds(prepared, &look, &holds, err))
		return false;
	/* It was looked when nothing was to be made yet, or something else: once more. */
	if (!holds) {
		plan = (struct plan){ .next = now + 1 };
	} else if (!act(&look, &plan, prepared, now, err)) {
		return false;
	} else if (plan.renew) {
		look_again(&plan, look.state.lifetime.again);
	}
	due_object_keep(&look.at, tx);
	again.time = plan.next > due->time ? plan.next : due->time + 1;
	if (plan.next != 0 && !due_put(tx, &again, err))
		return false;
	return !plan.renew ||
	    tell(tx, &look, prepared->made ? NULL : &prepared->problem, done, err);
}
