/*
 * Where a browser begins to sign in (RFC 6749, section 4.1; PKCE: RFC 7636), and where it signs
 * out.  Nothing is sent to a redirect URI that is not the client's; what is wrong before that is
 * known is shown on a page.
 */
#include "signin/row.h"

#include "base/base64.h"
#include "identity/jwt.h"
#include "signin/browser.h"
#include "signin/redirect_match.h"
#include "signin/sts_person.h"

static bool
bad_redirect(view redirect, const struct client *client, struct error *err)
{
	char text[PRINTABLE_MAX + 1];

	return error_set(err, ERR_STS_MALFORMED,
	    "AADSTS50011: The redirect URI '%s' specified in the request does not match the "
	    "redirect URIs configured for the application '%s'.",
	    printable(redirect, text), client->id.text);
}

/* Who asks, and where the answer goes: before this is known nothing is sent anywhere. */
static bool
read_client(const struct sts_ask *ask, struct client *client, struct errand *out, struct error *err)
{
	view id = form_get(ask->form, "client_id");

	out->redirect = form_get(ask->form, "redirect_uri");
	out->state = form_get(ask->form, "state");
	if (id.len == 0)
		return sts_missing(err, "client_id");
	if (out->redirect.len == 0)
		return sts_missing(err, "redirect_uri");
	if (!sts_tenant_find(ask, &out->tenant, NULL, err) ||
	    !client_find(ask->tx, &out->tenant, id, client, err))
		return false;
	ask->who->tenant = out->tenant;
	ask->who->application = out->client = client->id;
	out->client_name = client->name;
	if (!client_redirects(client, out->redirect))
		return bad_redirect(out->redirect, client, err);
	return out->state.len <= ERRAND_STATE_MAX ||
	    error_set(err, ERR_STS_MALFORMED, "AADSTS90015: The 'state' is too long.");
}

static bool
read_mode(const struct form *form, enum errand_mode *out, struct error *err)
{
	static const struct {
		const char *name;
		enum errand_mode mode;
	} modes[] = {
		{ "", MODE_QUERY },
		{ "query", MODE_QUERY },
		{ "fragment", MODE_FRAGMENT },
		{ "form_post", MODE_FORM_POST },
	};
	view name = form_get(form, "response_mode");

	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		if (view_eq(name, view_of(modes[i].name))) {
			*out = modes[i].mode;
			return true;
		}
	}
	return error_set(err, ERR_STS_MALFORMED,
	    "AADSTS90023: The 'response_mode' must be query, fragment or form_post.");
}

static bool
is_challenge(view text)
{
	char bytes[ERRAND_CHALLENGE_LEN + 2];
	size_t len;

	return text.len == ERRAND_CHALLENGE_LEN && base64_decode(BASE64URL, text, bytes, &len) &&
	    len == SHA256_LEN;
}

/* A client that can keep no secret shows that it is itself who comes with the code. */
static bool
read_challenge(const struct form *form, const struct client *client, view *out, struct error *err)
{
	view challenge = form_get(form, "code_challenge");

	if (challenge.len == 0 && client->confidential) {
		*out = challenge;
		return true;
	}
	if (challenge.len == 0)
		return error_set(err, ERR_STS_MALFORMED,
		    "AADSTS9002325: Proof Key for Code Exchange is required: 'code_challenge' is "
		    "missing.");
	if (!view_eq(form_get(form, "code_challenge_method"), V("S256")) ||
	    !is_challenge(challenge))
		return error_set(err, ERR_STS_MALFORMED,
		    "AADSTS501481: The 'code_challenge' must be of the method S256.");
	*out = challenge;
	return true;
}

/* What is wrong from here on the client is told. */
static bool
read_wish(const struct sts_ask *ask, const struct client *client, struct errand *out,
    struct error *err)
{
	const struct form *form = ask->form;

	if (!read_mode(form, &out->mode, err))
		return false;
	if (!view_eq(form_get(form, "response_type"), V("code")))
		return error_set(err, ERR_STS_BAD_RESPONSE_TYPE,
		    "AADSTS700054: The 'response_type' must be 'code'.");
	if (!read_challenge(form, client, &out->challenge, err) ||
	    !sts_scopes(ask, &out->tenant, V(""), &out->scopes, err))
		return false;
	out->nonce = form_get(form, "nonce");
	if (out->nonce.len > ERRAND_NONCE_MAX)
		return error_set(err, ERR_STS_MALFORMED, "AADSTS90015: The 'nonce' is too long.");
	out->hint = form_get(form, "login_hint");
	if (out->hint.len > UPN_MAX)
		out->hint = V("");
	/* Nobody stays signed in to the authority itself. */
	return !view_eq(form_get(form, "prompt"), V("none")) ||
	    error_set(err, ERR_STS_INTERACTION,
		"AADSTS50058: A silent sign-in request was sent but no user is signed in.");
}

bool
signin_authorize(struct request *r, struct error *err)
{
	AUTO(client_done) struct client client = { .name = V("") };
	const struct sts_place place = sts_place_of(r);
	struct form form;
	const struct sts_ask ask = sts_ask_of(r, &place, &form);
	struct errand errand = { .stage = ERRAND_PASSWORD };
	struct error why;
	view name;

	if (!sts_form(r->in->query, r->arena, &form, &why) ||
	    !read_client(&ask, &client, &errand, &why))
		return page_refusal(r, &why, err);
	if (!read_wish(&ask, &client, &errand, &why))
		return browser_send_error(r, &errand, error_table[why.code].name, why.message, err);
	return browser_keep(r, &errand, &name, err) && page_password(r, &errand, name, NULL, err);
}

/* To where a registered client says, or to a tool on the person's own computer. */
static bool
may_return(const struct sts_ask *ask, view url, bool *out, struct error *err)
{
	AUTO(client_done) struct client client = { .name = V("") };
	view id = form_get(ask->form, "client_id");
	struct uuid tenant;

	*out = redirect_fits_native(url);
	if (*out || id.len == 0)
		return true;
	if (!sts_tenant_find(ask, &tenant, NULL, err) ||
	    !client_find(ask->tx, &tenant, id, &client, err))
		return false;
	*out = client_redirects(&client, url);
	return true;
}

bool
signin_logout(struct request *r, struct error *err)
{
	const struct sts_place place = sts_place_of(r);
	struct form form;
	const struct sts_ask ask = sts_ask_of(r, &place, &form);
	struct errand errand = { .mode = MODE_QUERY };
	bool returns = false;
	struct error why;

	if (!sts_form(r->in->query, r->arena, &form, &why))
		return page_refusal(r, &why, err);
	errand.redirect = form_get(&form, "post_logout_redirect_uri");
	errand.state = form_get(&form, "state");
	if (errand.redirect.len > 0 && !may_return(&ask, errand.redirect, &returns, &why))
		return page_refusal(r, &why, err);
	if (returns)
		return browser_send(r, &errand, NULL, 0, err);
	return page_message(r, V("Signed out"),
	    V("This server keeps nobody signed in in the browser. A program that you signed in to "
	      "has to forget its tokens itself; to end all of your sign-ins, have them revoked."),
	    err);
}
