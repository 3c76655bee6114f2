#include "signin/sts_form.h"

#include "base/percent.h"
#include "base/base64.h"
#include "identity/jwt.h"
#include "signin/scope.h"

#define BASIC_MAX 1024
#define JWT_BEARER V("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")

bool
sts_missing(struct error *err, const char *name)
{
	return error_set(err, ERR_STS_MALFORMED,
	    "AADSTS900144: The request body must contain the following parameter: '%s'.", name);
}

/* "Basic ..." (RFC 6749, section 2.3.1) taken apart. */
static bool
split_basic(view header, struct arena *arena, view *client, view *secret)
{
	char *bytes;
	view text;
	size_t len;

	if (!view_istarts(header, V("Basic ")) || header.len > BASIC_MAX)
		return false;
	text = view_trim(view_from(header, 6));
	bytes = arena_alloc(arena, text.len + 1);
	if (bytes == NULL || !base64_decode(BASE64, text, bytes, &len))
		return false;
	text = (view){ bytes, len };
	return percent_decode(view_cut(&text, ':'), true, arena, client) &&
	    percent_decode(text, true, arena, secret);
}

/* Tokens that come out of files end in a line break. */
static view
trim_lines(view text)
{
	while (text.len > 0 && (unsigned char)text.ptr[text.len - 1] <= 0x20)
		text.len--;
	while (text.len > 0 && (unsigned char)text.ptr[0] <= 0x20)
		text = view_from(text, 1);
	return text;
}

static bool
read_assertion(const struct form *form, struct sts_form *out, struct error *err)
{
	view type = form_get(form, "client_assertion_type");

	out->assertion = form_get(form, "client_assertion");
	if (out->assertion.len == 0)
		return true;
	if (type.len == 0)
		return sts_missing(err, "client_assertion_type");
	if (!view_eq(type, JWT_BEARER))
		return error_set(err, ERR_STS_MALFORMED,
		    "AADSTS900023: The client_assertion_type must be "
		    "'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'.");
	out->assertion = trim_lines(out->assertion);
	return true;
}

static bool
read_basic(view header, struct arena *arena, struct sts_form *out, struct error *err)
{
	view client;

	if (!view_istarts(header, V("Basic ")))
		return true;
	if (out->secret.len > 0 || out->assertion.len > 0 ||
	    !split_basic(header, arena, &client, &out->secret) ||
	    (out->client.len > 0 && !view_ieq(client, out->client)))
		return error_set(err, ERR_STS_MALFORMED,
		    "AADSTS900144: The Authorization header does not fit the request.");
	out->client = client;
	return true;
}

bool
sts_credential_read(const struct form *form, view authorization, struct arena *arena,
    struct sts_form *out, struct error *err)
{
	struct sts_form read = {
		.client = form_get(form, "client_id"),
		.secret = form_get(form, "client_secret"),
	};

	if (!read_assertion(form, &read, err) || !read_basic(authorization, arena, &read, err))
		return false;
	if (read.client.len == 0)
		return sts_missing(err, "client_id");
	/* RFC 6749, section 2.3: no more than one way to prove oneself. */
	if (read.secret.len > 0 && read.assertion.len > 0)
		return error_set(err, ERR_STS_MALFORMED,
		    "AADSTS900144: The request must contain either 'client_secret' or "
		    "'client_assertion', not both.");
	*out = read;
	return true;
}

bool
sts_form(view text, struct arena *arena, struct form *out, struct error *err)
{
	struct error why;

	if (form_read(text, arena, out, &why))
		return true;
	if (why.code == ERR_BAD_REQUEST)
		return error_set(err, ERR_STS_MALFORMED, "AADSTS900144: %s", why.message);
	*err = why;
	return false;
}

static bool
credential_given(const struct sts_form *form, struct error *err)
{
	return form->secret.len > 0 || form->assertion.len > 0 ||
	    error_set(err, ERR_STS_NO_CREDENTIAL,
		"AADSTS7000216: 'client_assertion', 'client_secret' or 'request' is required "
		"for the 'client_credentials' grant type.");
}

/*
 * The one resource of "<resource>/.default"; false for all else.  What belongs to people's sign-in
 * (openid, profile, ...) may stand around it, as MSAL for Java sends it, and asks for nothing.
 */
static bool
scope_resource(view scope, view *out)
{
	static const view suffix = V_INIT("/.default");
	view resource = V("");

	while (scope.len > 0) {
		view next = view_trim(view_cut(&scope, ' '));

		if (next.len == 0 || scope_is_of_sign_in(next))
			continue;
		if (resource.len > 0 || next.len <= suffix.len || !view_ends(next, suffix))
			return false;
		resource = (view){ next.ptr, next.len - suffix.len };
	}
	*out = resource;
	return resource.len > 0;
}

static bool
read_resource(const struct form *form, struct sts_form *out, struct error *err)
{
	char text[PRINTABLE_MAX + 1];
	view scope = form_get(form, "scope");

	out->resource = form_get(form, "resource");
	out->v1 = out->resource.len > 0;
	if (out->v1 == (scope.len > 0))
		return out->v1 ? error_set(err, ERR_STS_MALFORMED,
				     "AADSTS901002: The 'resource' request parameter is not "
				     "supported together with 'scope'.")
			       : sts_missing(err, "scope");
	return out->v1 || scope_resource(scope, &out->resource) ||
	    error_set(err, ERR_STS_MALFORMED,
		"AADSTS1002012: The provided value for scope %s is not valid. Client credential "
		"flows must have a scope value with /.default suffixed to the resource identifier "
		"(application ID URI).",
		printable(scope, text));
}

bool
sts_form_read(const struct form *form, view authorization, struct arena *arena,
    struct sts_form *out, struct error *err)
{
	struct sts_form read;

	if (!sts_credential_read(form, authorization, arena, &read, err) ||
	    !credential_given(&read, err) || !read_resource(form, &read, err))
		return false;
	*out = read;
	return true;
}
