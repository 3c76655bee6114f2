#include "signin/browser.h"

#include "api/percent.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/plain.h"
#include "crypto/random.h"
#include "identity/directory.h"
#include "signin/signin.h"

#include <string.h>

/* "__Host-": no other host, path or unencrypted connection can have set it. */
#define COOKIE "__Host-signin"
#define COOKIE_BYTES 32
#define COOKIE_LEN 43
#define PAIRS_MAX 8

static int64_t
seconds_now(void)
{
	return clock_mono() / 1000000000;
}

static bool
cookie_of(const struct request *r, view *out)
{
	view rest = http_field(r->in, V("Cookie"));
	char bytes[COOKIE_LEN + 2];
	size_t len;

	while (rest.len > 0) {
		view value = view_cut(&rest, ';'), name = view_trim(view_cut(&value, '='));

		value = view_trim(value);
		if (view_eq(name, V(COOKIE)) && value.len == COOKIE_LEN &&
		    base64_decode(BASE64URL, value, bytes, &len) && len == COOKIE_BYTES) {
			*out = value;
			return true;
		}
	}
	return false;
}

/* A browser that has one keeps it: another of its windows may be at a page, too. */
static bool
cookie_ensure(struct request *r, view *out, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	char bytes[COOKIE_BYTES];

	if (cookie_of(r, out))
		return true;
	random_bytes(bytes, sizeof(bytes));
	base64_encode(BASE64URL, (view){ bytes, sizeof(bytes) }, &text);
	if (!buf_ok(&text) || !arena_copy(r->arena, buf_view(&text), out))
		return error_memory(err);
	buf_add(&r->out->fields, V("Set-Cookie: " COOKIE "="));
	buf_add(&r->out->fields, *out);
	buf_add(&r->out->fields, V("; Path=/; Secure; HttpOnly; SameSite=Lax\r\n"));
	return true;
}

bool
browser_keep(struct request *r, struct errand *errand, view *name, struct error *err)
{
	AUTO(buf_free) struct buf bytes = { 0 };
	char text[PENDING_TEXT_LEN + 1];
	struct pending_item item = { .address = r->in->peer, .alias = V("") };
	view cookie;

	if (!cookie_ensure(r, &cookie, err) || !sha256(&cookie, 1, errand->cookie, err))
		return false;
	errand_pack(errand, &bytes);
	if (!buf_ok(&bytes))
		return error_memory(err);
	item.bytes = buf_view(&bytes);
	if (!pending_put(r->services->signin->pages, &item, seconds_now(), text, err))
		return false;
	return arena_copy(r->arena, view_of(text), name) || error_memory(err);
}

static bool
stale(struct error *err)
{
	return error_set(err, ERR_STS_MALFORMED,
	    "AADSTS165000: This page was used before, or its time is over, or the browser does "
	    "not keep cookies. Start again where you came from.");
}

bool
browser_back(struct request *r, view name, struct errand *out, struct error *err)
{
	uint8_t digest[SHA256_LEN];
	struct errand errand;
	view bytes, cookie;

	if (!cookie_of(r, &cookie) ||
	    pending_spend(r->services->signin->pages, name, seconds_now(), r->arena, &bytes) !=
		PENDING_HERE)
		return stale(err);
	if (!sha256(&cookie, 1, digest, err) || !errand_unpack(bytes, &errand, err))
		return false;
	if (!constant_time_equal((view){ (const char *)digest, SHA256_LEN },
		(view){ (const char *)errand.cookie, SHA256_LEN }))
		return stale(err);
	*out = errand;
	return true;
}

static bool
redirect_to(struct request *r, const struct errand *errand, const struct page_pair *pairs,
    size_t count, struct error *err)
{
	AUTO(buf_free) struct buf url = { 0 };
	size_t at;
	char next = errand->mode == MODE_FRAGMENT   ? '#'
	    : view_find(errand->redirect, '?', &at) ? '&'
						    : '?';

	buf_add(&url, errand->redirect);
	for (size_t i = 0; i < count; i++) {
		buf_add_char(&url, next);
		buf_add(&url, view_of(pairs[i].name));
		buf_add_char(&url, '=');
		percent_encode(pairs[i].value, &url);
		next = '&';
	}
	if (!buf_ok(&url))
		return error_memory(err);
	/* 303: what follows a form that held a password must never be that form again. */
	r->out->status = r->in->method == HTTP_POST ? 303 : 302;
	reply_field(r, "Location", buf_view(&url));
	reply_field(r, "Referrer-Policy", V("no-referrer"));
	return buf_ok(&r->out->fields) || error_memory(err);
}

bool
browser_send(struct request *r, const struct errand *errand, const struct page_pair *pairs,
    size_t count, struct error *err)
{
	struct page_pair all[PAIRS_MAX];

	if (count >= PAIRS_MAX)
		return error_set(err, ERR_INTERNAL, "A sign-in answers with too much.");
	for (size_t i = 0; i < count; i++)
		all[i] = pairs[i];
	if (errand->state.len > 0)
		all[count++] = (struct page_pair){ "state", errand->state };
	return errand->mode == MODE_FORM_POST ? page_post(r, errand->redirect, all, count, err)
					      : redirect_to(r, errand, all, count, err);
}

bool
browser_send_error(struct request *r, const struct errand *errand, const char *name,
    const char *message, struct error *err)
{
	const struct page_pair pairs[] = {
		{ "error", view_of(name) },
		{ "error_description", view_of(message) },
	};

	return browser_send(r, errand, pairs, COUNT_OF(pairs), err);
}
