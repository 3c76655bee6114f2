/*
 * What people send back from the pages: a password, a device's code, a yes or no.
 */
#include "signin/row.h"

#include "base/clock.h"
#include "crypto/random.h"
#include "signin/browser.h"
#include "signin/device.h"
#include "signin/signin.h"
#include "signin/sts_person.h"

#include <stdio.h>
#include <string.h>

#define DONE V("You can close this window.")

struct visit {
	struct request *r;
	const struct form *form;
	struct errand errand;
	bool yes; /* the button that goes on */
};

typedef bool step(struct visit *visit, struct error *err);

/* The same page again, with what was wrong. */
static bool
again(struct visit *visit, const struct error *why, struct error *err)
{
	struct request *r = visit->r;
	view name;

	if (!browser_keep(r, &visit->errand, &name, err))
		return false;
	return visit->errand.stage == ERRAND_ENTRY
	    ? page_entry(r, &visit->errand, name, why, err)
	    : page_password(r, &visit->errand, name, why, err);
}

/* Signed in: a code for the client, good once, and only for who holds what it was asked with. */
static bool
give_code(struct visit *visit, struct error *err)
{
	AUTO(buf_free) struct buf bytes = { 0 };
	struct request *r = visit->r;
	char code[PENDING_TEXT_LEN + 1];
	struct pending_item item = { .address = r->in->peer, .alias = V("") };
	const struct page_pair pairs[] = { { "code", { code, PENDING_TEXT_LEN } } };

	visit->errand.stage = ERRAND_CODE;
	random_ordered(visit->errand.family);
	errand_pack(&visit->errand, &bytes);
	if (!buf_ok(&bytes))
		return error_memory(err);
	item.bytes = buf_view(&bytes);
	return pending_put(r->services->signin->codes, &item, clock_mono() / 1000000000, code,
		   err) &&
	    browser_send(r, &visit->errand, pairs, COUNT_OF(pairs), err);
}

static bool
ask_to_confirm(struct visit *visit, struct error *err)
{
	view name;

	visit->errand.stage = ERRAND_CONFIRM;
	return browser_keep(visit->r, &visit->errand, &name, err) &&
	    page_confirm(visit->r, &visit->errand, name, err);
}

static bool
check_password(struct visit *visit, struct plain **document, struct user *user, struct error *why)
{
	struct request *r = visit->r;
	const struct signin_try try = {
		.tx = &r->tx,
		.gate = r->services->directory->gate,
		.lockout = r->services->directory->lockout,
		.tenant = &visit->errand.tenant,
		.name = view_trim(form_get(visit->form, "username")),
		.password = form_get(visit->form, "password"),
		.address = r->in->peer,
	};

	if (try.name.len <= UPN_MAX)
		visit->errand.hint = try.name;
	return signin_password(&try, &r->caller, document, user, why);
}

static bool
cancel(struct visit *visit, struct error *err)
{
	struct error why;

	if (visit->errand.device.len == 0)
		return browser_send_error(visit->r, &visit->errand, "access_denied",
		    "AADSTS65004: The person declined to sign in.", err);
	if (!device_answer(visit->r, &visit->errand, false, &why))
		return page_refusal(visit->r, &why, err);
	return page_message(visit->r, V("Cancelled"), DONE, err);
}

static bool
step_password(struct visit *visit, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct errand *errand = &visit->errand;
	struct error why;
	struct user user;

	if (!visit->yes)
		return cancel(visit, err);
	if (!check_password(visit, &document, &user, &why)) {
		if (error_table[why.code].status < 500)
			return again(visit, &why, err);
		*err = why;
		return false;
	}
	errand->user = user.object;
	errand->sessions = user.sessions_started;
	errand->hint = user.upn;
	return errand->device.len > 0 ? ask_to_confirm(visit, err) : give_code(visit, err);
}

static bool
step_entry(struct visit *visit, struct error *err)
{
	struct errand found;
	struct error why;

	if (!device_find(visit->r, form_get(visit->form, "code"), &found, &why))
		return again(visit, &why, err);
	found.stage = ERRAND_PASSWORD;
	visit->errand = found;
	return again(visit, NULL, err);
}

static bool
step_confirm(struct visit *visit, struct error *err)
{
	struct request *r = visit->r;
	struct error why;

	r->caller.person = true;
	r->caller.object = visit->errand.user;
	(void)snprintf(r->caller.upn, sizeof(r->caller.upn), "%.*s", VIEW_ARG(visit->errand.hint));
	if (!device_answer(r, &visit->errand, visit->yes, &why))
		return page_refusal(r, &why, err);
	return visit->yes ? page_message(r, V("You are signed in"),
				V("Go back to your device. You can close this window."), err)
			  : page_message(r, V("Cancelled"), DONE, err);
}

static step *const steps[] = {
	[ERRAND_PASSWORD] = step_password,
	[ERRAND_ENTRY] = step_entry,
	[ERRAND_CONFIRM] = step_confirm,
};

bool
signin_page(struct request *r, struct error *err)
{
	struct form form;
	struct visit visit = { .r = r, .form = &form };
	struct error why;

	r->caller = (struct caller){ .known = false };
	if (!sts_form(r->in->body, r->arena, &form, &why) ||
	    !browser_back(r, form_get(&form, "signin"), &visit.errand, &why))
		return page_refusal(r, &why, err);
	if ((size_t)visit.errand.stage >= COUNT_OF(steps))
		return error_set(err, ERR_INTERNAL, "A page's sign-in is at no page's stage.");
	r->caller.tenant = visit.errand.tenant;
	r->caller.application = visit.errand.client;
	visit.yes = view_eq(form_get(&form, "answer"), V("yes"));
	return steps[visit.errand.stage](&visit, err);
}
