#include "signin/page.h"

#include "base/base64.h"
#include "base/html.h"
#include "crypto/hash.h"
#include "signin/redirect_match.h"

#define TEXT(array) ((view){ (array), sizeof(array) - 1 })

/* Contrast 4.5:1 and more in both schemes; nothing is wider than the screen. */
static const char style[] =
    ":root{color-scheme:light dark;font:100%/1.5 system-ui,sans-serif}"
    "body{margin:0}"
    "main{box-sizing:border-box;max-width:28rem;margin:0 auto;padding:2rem 1rem;"
    "overflow-wrap:anywhere}"
    "h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}"
    "label{display:block;margin-top:1rem;font-weight:600}"
    "input{box-sizing:border-box;width:100%;font:inherit;padding:.6rem;border:1px solid #767676;"
    "border-radius:.25rem}"
    "button{font:inherit;padding:.6rem 1.2rem;margin:1.5rem .5rem 0 0;border:1px solid #0b57a4;"
    "border-radius:.25rem;background:#0b57a4;color:#fff}"
    "button.other{background:transparent;color:inherit;border-color:#767676}"
    ":focus-visible{outline:.2rem solid #1a73e8;outline-offset:.15rem}"
    ".error{border-left:.3rem solid #d93025;padding-left:.75rem}";

/* Only of the page that posts a reply; who has no script presses the button. */
static const char script[] = "document.forms[0].submit()";

static void
add_hash(struct buf *out, const char *kind, view text)
{
	uint8_t digest[SHA256_LEN];
	struct error err;

	if (!sha256(&text, 1, digest, &err))
		return;
	buf_print(out, "; %s 'sha256-", kind);
	base64_encode(BASE64, (view){ (const char *)digest, sizeof(digest) }, out);
	buf_add_char(out, '\'');
}

/*
 * What the page may do.  Browsers hold redirects that answer a form against form-action, too: so it
 * names where the sign-in ends.
 */
static void
add_policy(struct request *r, view target, bool scripted)
{
	struct buf *fields = &r->out->fields;

	buf_add(fields,
	    V("Content-Security-Policy: default-src 'none'; base-uri 'none'; "
	      "frame-ancestors 'none'; form-action 'self'"));
	if (target.len > 0) {
		buf_add_char(fields, ' ');
		redirect_origin(target, fields);
	}
	add_hash(fields, "style-src", TEXT(style));
	if (scripted)
		add_hash(fields, "script-src", TEXT(script));
	buf_add(fields, V("\r\nReferrer-Policy: no-referrer\r\nX-Frame-Options: DENY\r\n"));
}

static struct buf *
begin(struct request *r, view title, const struct error *error)
{
	struct buf *out = &r->out->body;

	buf_reset(out);
	r->content_type = V("text/html; charset=utf-8");
	r->out->status = 200;
	if (error != NULL) {
		r->error = *error;
		r->out->status = error_table[error->code].status;
	}
	html_print(out,
	    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<title>%s%s - Strongroom</title>\n<style>",
	    error != NULL ? V("Error: ") : V(""), title);
	buf_add(out, TEXT(style));
	html_print(out, "</style>\n</head>\n<body>\n<main>\n<h1>%s</h1>\n", title);
	return out;
}

static bool
end(struct request *r, struct error *err)
{
	buf_add(&r->out->body, V("</main>\n</body>\n</html>\n"));
	return (buf_ok(&r->out->body) && buf_ok(&r->out->fields)) || error_memory(err);
}

/* In people's words; where there are none, the error's own without its number. */
static view
words(const struct error *error)
{
	static const struct {
		enum error_code code;
		const char *text;
	} known[] = {
		{ ERR_STS_BAD_PASSWORD, "The user name or the password is not right." },
		{ ERR_STS_LOCKED,
		    "There were too many tries. Wait for a few minutes, then try again." },
		{ ERR_STS_BUSY, "The server is busy. Try again in a moment." },
		{ ERR_STS_EXPIRED_CODE,
		    "That code is not known. It may have been mistyped, or its time is over." },
	};
	view text = view_of(error->message);
	size_t colon;

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (known[i].code == error->code)
			return view_of(known[i].text);
	}
	if (view_starts(text, V("AADSTS")) && view_find(text, ':', &colon))
		return view_trim(view_from(text, colon + 1));
	return text;
}

static void
add_error(struct buf *out, const struct error *error)
{
	if (error != NULL)
		html_print(out, "<p class=\"error\" id=\"error\" role=\"alert\">%s</p>\n",
		    words(error));
}

static void
open_form(struct buf *out, const struct errand *errand, view name)
{
	html_print(out,
	    "<form method=\"post\" action=\"/%s/login\">\n"
	    "<input type=\"hidden\" name=\"signin\" value=\"%s\">\n",
	    uuid_view(&errand->tenant), name);
}

/* What was wrong is said of every input, and read out with it. */
static const char *
described(const struct error *error)
{
	return error == NULL ? "" : " aria-invalid=\"true\" aria-describedby=\"error\"";
}

static void
add_name_input(struct buf *out, const struct errand *errand, const struct error *error)
{
	buf_add(out, V("<label for=\"username\">User name</label>\n"));
	html_print(out,
	    "<input id=\"username\" name=\"username\" type=\"text\" inputmode=\"email\" "
	    "autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" "
	    "maxlength=\"113\" required value=\"%s\"",
	    errand->hint);
	buf_print(out, "%s%s>\n", described(error), errand->hint.len == 0 ? " autofocus" : "");
}

static void
add_password_input(struct buf *out, const struct errand *errand, const struct error *error)
{
	buf_print(out,
	    "<label for=\"password\">Password</label>\n"
	    "<input id=\"password\" name=\"password\" type=\"password\" "
	    "autocomplete=\"current-password\" maxlength=\"256\" required%s%s>\n",
	    described(error), errand->hint.len > 0 ? " autofocus" : "");
}

/* Who gets to know: what protects from a link that somebody else made. */
static void
add_destination(struct buf *out, const struct errand *errand)
{
	AUTO(buf_free) struct buf origin = { 0 };

	html_print(out, "<p>to continue to <strong>%s</strong>", errand->client_name);
	if (errand->device.len > 0) {
		html_print(out, " on the device that shows the code <strong>%s</strong>",
		    errand->device);
	} else if (view_starts(errand->redirect, V("https:"))) {
		redirect_origin(errand->redirect, &origin);
		html_print(out, " at <strong>%s</strong>", buf_view(&origin));
	} else {
		buf_add(out, V(" on this computer"));
	}
	buf_add(out, V("</p>\n"));
}

bool
page_password(struct request *r, const struct errand *errand, view name, const struct error *error,
    struct error *err)
{
	struct buf *out = begin(r, V("Sign in"), error);

	add_policy(r, errand->redirect, false);
	add_destination(out, errand);
	add_error(out, error);
	open_form(out, errand, name);
	add_name_input(out, errand, error);
	add_password_input(out, errand, error);
	buf_add(out,
	    V("<button name=\"answer\" value=\"yes\">Sign in</button>\n"
	      "<button class=\"other\" name=\"answer\" value=\"no\" formnovalidate>Cancel"
	      "</button>\n</form>\n"));
	return end(r, err);
}

bool
page_entry(struct request *r, const struct errand *errand, view name, const struct error *error,
    struct error *err)
{
	struct buf *out = begin(r, V("Enter the code"), error);

	add_policy(r, V(""), false);
	buf_add(out,
	    V("<p id=\"hint\">The device or program that you want to sign in on shows a "
	      "code.</p>\n"));
	add_error(out, error);
	open_form(out, errand, name);
	buf_print(out,
	    "<label for=\"code\">Code</label>\n"
	    "<input id=\"code\" name=\"code\" type=\"text\" autocomplete=\"off\" "
	    "autocapitalize=\"characters\" spellcheck=\"false\" maxlength=\"16\" required "
	    "autofocus%s>\n"
	    "<button name=\"answer\" value=\"yes\">Continue</button>\n</form>\n",
	    error == NULL ? " aria-describedby=\"hint\"" : described(error));
	return end(r, err);
}

bool
page_confirm(struct request *r, const struct errand *errand, view name, struct error *err)
{
	struct buf *out = begin(r, V("Is this you?"), NULL);

	add_policy(r, V(""), false);
	html_print(out,
	    "<p>You are signing in to <strong>%s</strong> as <strong>%s</strong> on another "
	    "device, which shows the code <strong>%s</strong>.</p>\n"
	    "<p>Only continue if you started this yourself, and nobody sent you the code: whoever "
	    "holds that device can then act in your name.</p>\n",
	    errand->client_name, errand->hint, errand->device);
	open_form(out, errand, name);
	buf_add(out,
	    V("<button name=\"answer\" value=\"yes\">Continue</button>\n"
	      "<button class=\"other\" name=\"answer\" value=\"no\">Cancel</button>\n"
	      "</form>\n"));
	return end(r, err);
}

bool
page_message(struct request *r, view title, view text, struct error *err)
{
	struct buf *out = begin(r, title, NULL);

	add_policy(r, V(""), false);
	html_print(out, "<p>%s</p>\n", text);
	return end(r, err);
}

bool
page_refusal(struct request *r, const struct error *error, struct error *err)
{
	struct buf *out = begin(r, V("That did not work"), error);

	add_policy(r, V(""), false);
	add_error(out, error);
	html_print(out, "<p>Request: %s</p>\n", uuid_view(&r->id));
	return end(r, err);
}

bool
page_post(struct request *r, view url, const struct page_pair *pairs, size_t count,
    struct error *err)
{
	struct buf *out = begin(r, V("Almost there"), NULL);

	add_policy(r, url, true);
	buf_add(out, V("<p>The sign-in is complete.</p>\n"));
	html_print(out, "<form method=\"post\" action=\"%s\">\n", url);
	for (size_t i = 0; i < count; i++)
		html_print(out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">\n",
		    view_of(pairs[i].name), pairs[i].value);
	buf_add(out, V("<button autofocus>Continue</button>\n</form>\n<script>"));
	buf_add(out, TEXT(script));
	buf_add(out, V("</script>\n"));
	return end(r, err);
}
