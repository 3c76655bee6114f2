#include "signin/device.h"

#include "base/clock.h"
#include "crypto/random.h"
#include "signin/browser.h"
#include "signin/row.h"
#include "signin/signin.h"
#include "signin/sts_person.h"

#include <string.h>

/* No vowels, so no words; nothing that looks like something else (RFC 8628, section 6.1). */
#define LETTERS "BCDFGHJKLMNPQRSTVWXZ"
#define LETTERS_COUNT (sizeof(LETTERS) - 1)
#define CODE_LETTERS 8
#define CODE_LEN 9 /* "BCDF-GHJK" */

static int64_t
seconds_now(void)
{
	return clock_mono() / 1000000000;
}

static void
code_make(char out[CODE_LEN + 1])
{
	size_t len = 0;

	while (len < CODE_LEN) {
		uint8_t byte;

		if (len == CODE_LETTERS / 2)
			out[len++] = '-';
		random_bytes(&byte, 1);
		/* The same chance for each. */
		if (byte < 256 / LETTERS_COUNT * LETTERS_COUNT)
			out[len++] = LETTERS[byte % LETTERS_COUNT];
	}
	out[len] = '\0';
}

/* In any case, with or without the dash, and with spaces. */
static bool
code_parse(view text, char out[CODE_LEN + 1])
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == ' ' || text.ptr[i] == '-')
			continue;
		if (len == CODE_LETTERS / 2)
			out[len++] = '-';
		if (len == CODE_LEN)
			return false;
		out[len++] = ascii_upper(text.ptr[i]);
	}
	out[len] = '\0';
	return len == CODE_LEN;
}

/* Version 1 of the protocol calls the page's address otherwise. */
static void
write_device(struct request *r, view device, view code, bool v1)
{
	struct json *json = reply_json(r);

	json_open(json, '{');
	json_text(json, "user_code", code);
	json_text(json, "device_code", device);
	json_text_open(json, v1 ? "verification_url" : "verification_uri");
	json_text_part(json, V("https://"));
	json_text_part(json, r->authority);
	json_text_part(json, V("/common/oauth2/deviceauth"));
	json_text_close(json);
	json_number(json, "expires_in", SIGNIN_DEVICE_SECONDS);
	json_number(json, "interval", DEVICE_INTERVAL);
	json_text_open(json, "message");
	json_text_part(json, V("To sign in, use a web browser to open the page https://"));
	json_text_part(json, r->authority);
	json_text_part(json, V("/common/oauth2/deviceauth and enter the code "));
	json_text_part(json, code);
	json_text_part(json, V(" to authenticate."));
	json_text_close(json);
	json_close(json, '}');
}

static bool
read_device(const struct sts_ask *ask, struct client *client, struct errand *out, struct error *err)
{
	struct sts_form credential;

	if (!sts_credential_read(ask->form, ask->authorization, ask->tx->arena, &credential, err) ||
	    !sts_tenant_find(ask, &out->tenant, NULL, err) ||
	    !client_find(ask->tx, &out->tenant, credential.client, client, err))
		return false;
	ask->who->tenant = out->tenant;
	ask->who->application = out->client = client->id;
	out->client_name = client->name;
	return sts_scopes(ask, &out->tenant, V(""), &out->scopes, err);
}

bool
signin_device(struct request *r, struct error *err)
{
	AUTO(client_done) struct client client = { .name = V("") };
	AUTO(buf_free) struct buf bytes = { 0 };
	const struct sts_place place = sts_place_of(r);
	struct form form;
	const struct sts_ask ask = sts_ask_of(r, &place, &form);
	char code[CODE_LEN + 1], text[PENDING_TEXT_LEN + 1];
	struct errand errand = { .stage = ERRAND_WAITING };
	struct pending_item item = { .address = r->in->peer, .alias = { code, CODE_LEN } };

	if (!sts_form(r->in->body, r->arena, &form, err) ||
	    !read_device(&ask, &client, &errand, err))
		return false;
	code_make(code);
	errand.device = item.alias;
	errand_pack(&errand, &bytes);
	if (!buf_ok(&bytes))
		return error_memory(err);
	item.bytes = buf_view(&bytes);
	if (!pending_put(r->services->signin->devices, &item, seconds_now(), text, err))
		return false;
	write_device(r, view_of(text), item.alias, errand.scopes.v1);
	return buf_ok(&r->out->body) || error_memory(err);
}

bool
signin_entry(struct request *r, struct error *err)
{
	const struct sts_place place = sts_place_of(r);
	const struct sts_ask ask = { .directory = r->services->directory, .place = &place };
	struct errand errand = { .stage = ERRAND_ENTRY };
	struct error why;
	view name;

	if (!sts_tenant_find(&ask, &errand.tenant, NULL, &why))
		return page_refusal(r, &why, err);
	return browser_keep(r, &errand, &name, err) && page_entry(r, &errand, name, NULL, err);
}

static bool
unknown_code(struct error *err)
{
	return error_set(err, ERR_STS_EXPIRED_CODE,
	    "AADSTS70020: The provided code is not known, or its time is over.");
}

/* The device of that code, while it still waits. */
static bool
waiting(struct request *r, view code, struct errand *out, struct error *err)
{
	view bytes;

	if (pending_find(r->services->signin->devices, code, seconds_now(), r->arena, &bytes) !=
	    PENDING_HERE)
		return r->arena->spent ? error_memory(err) : unknown_code(err);
	if (!errand_unpack(bytes, out, err))
		return false;
	return out->stage == ERRAND_WAITING || unknown_code(err);
}

bool
device_find(struct request *r, view typed, struct errand *out, struct error *err)
{
	static const view who = V_INIT("(a device's code)");
	struct lockout *lockout = r->services->directory->lockout;
	char code[CODE_LEN + 1];
	struct errand found;
	bool typed_well = code_parse(typed, code);

	if (!lockout_allows(lockout, who, r->in->peer, seconds_now()))
		return error_set(err, ERR_STS_LOCKED, "AADSTS50053: Too many codes were tried.");
	/* A right one forgives no wrong one: who guesses may well have one of their own. */
	if (typed_well && waiting(r, view_of(code), &found, err)) {
		*out = found;
		return true;
	}
	if (typed_well && err->code == ERR_UNAVAILABLE)
		return false;
	lockout_failed(lockout, who, r->in->peer, seconds_now());
	return unknown_code(err);
}

bool
device_answer(struct request *r, const struct errand *errand, bool yes, struct error *err)
{
	AUTO(buf_free) struct buf bytes = { 0 };
	struct errand device;

	if (!waiting(r, errand->device, &device, err))
		return false;
	device.stage = yes ? ERRAND_APPROVED : ERRAND_DECLINED;
	device.user = errand->user;
	device.sessions = errand->sessions;
	random_ordered(device.family);
	errand_pack(&device, &bytes);
	if (!buf_ok(&bytes))
		return error_memory(err);
	return pending_change(r->services->signin->devices, errand->device, buf_view(&bytes),
		   seconds_now()) ||
	    unknown_code(err);
}
