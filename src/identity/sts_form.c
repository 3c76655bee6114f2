#include "identity/sts_form.h"

#include "api/percent.h"
#include "base/base64.h"
#include "identity/jwt.h"

#define FORM_MAX ((size_t)64 * 1024)
#define BASIC_MAX 1024
#define JWT_BEARER V("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")

static bool
missing(struct error *err, const char *name)
{
	return error_set(err, ERR_STS_MALFORMED,
	    "AADSTS900144: The request body must contain the following parameter: '%s'.", name);
}

static bool
form_text(struct request *r, const char *name, view *out)
{
	*out = V("");
	return request_form(r, name, out) && out->len > 0;
}

static bool
read_grant(struct request *r, struct error *err)
{
	char text[PRINTABLE_MAX + 1];
	view grant;

	if (!form_text(r, "grant_type", &grant))
		return missing(err, "grant_type");
	return view_eq(grant, V("client_credentials")) ||
	    error_set(err, ERR_STS_UNKNOWN_GRANT,
		"AADSTS70003: The app requested an unsupported grant type '%s'.",
		printable(grant, text));
}

bool
sts_basic(view header, struct arena *arena, view *client, view *secret)
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
read_assertion(struct request *r, struct sts_form *out, struct error *err)
{
	view type;

	if (!form_text(r, "client_assertion", &out->assertion))
		return true;
	if (!form_text(r, "client_assertion_type", &type))
		return missing(err, "client_assertion_type");
	if (!view_eq(type, JWT_BEARER))
		return error_set(err, ERR_STS_MALFORMED,
		    "AADSTS900023: The client_assertion_type must be "
		    "'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'.");
	out->assertion = trim_lines(out->assertion);
	return true;
}

static bool
one_credential(const struct sts_form *form, struct error *err)
{
	if (form->client.len == 0)
		return missing(err, "client_id");
	if (form->secret.len == 0 && form->assertion.len == 0)
		return error_set(err, ERR_STS_NO_CREDENTIAL,
		    "AADSTS7000216: 'client_assertion', 'client_secret' or 'request' is required "
		    "for the 'client_credentials' grant type.");
	/* RFC 6749, section 2.3: no more than one way to prove oneself. */
	return form->secret.len == 0 || form->assertion.len == 0 ||
	    error_set(err, ERR_STS_MALFORMED,
		"AADSTS900144: The request must contain either 'client_secret' or "
		"'client_assertion', not both.");
}

static bool
read_credential(struct request *r, struct sts_form *out, struct error *err)
{
	view header = http_field(r->in, V("Authorization")), client;
	bool named = form_text(r, "client_id", &out->client);

	(void)form_text(r, "client_secret", &out->secret);
	if (!read_assertion(r, out, err))
		return false;
	if (view_istarts(header, V("Basic "))) {
		if (out->secret.len > 0 || out->assertion.len > 0 ||
		    !sts_basic(header, r->arena, &client, &out->secret) ||
		    (named && !view_ieq(client, out->client)))
			return error_set(err, ERR_STS_MALFORMED,
			    "AADSTS900144: The Authorization header does not fit the request.");
		out->client = client;
	}
	return one_credential(out, err);
}

bool
sts_scope_resource(view scope, view *out)
{
	static const view suffix = V_INIT("/.default");
	size_t space;

	scope = view_trim(scope);
	if (scope.len <= suffix.len || !view_ends(scope, suffix) || view_find(scope, ' ', &space))
		return false;
	scope.len -= suffix.len;
	*out = scope;
	return true;
}

static bool
read_resource(struct request *r, struct sts_form *out, struct error *err)
{
	char text[PRINTABLE_MAX + 1];
	view scope;
	bool has_scope = form_text(r, "scope", &scope);

	out->v1 = form_text(r, "resource", &out->resource);
	if (out->v1 == has_scope)
		return out->v1 ? error_set(err, ERR_STS_MALFORMED,
				     "AADSTS901002: The 'resource' request parameter is not "
				     "supported together with 'scope'.")
			       : missing(err, "scope");
	return out->v1 || sts_scope_resource(scope, &out->resource) ||
	    error_set(err, ERR_STS_MALFORMED,
		"AADSTS1002012: The provided value for scope %s is not valid. Client credential "
		"flows must have a scope value with /.default suffixed to the resource identifier "
		"(application ID URI).",
		printable(scope, text));
}

bool
sts_form_read(struct request *r, struct sts_form *out, struct error *err)
{
	struct sts_form form = { .secret = V("") };

	if (r->in->body.len > FORM_MAX)
		return error_set(err, ERR_BODY_TOO_LARGE, "The request body is too large.");
	if (!read_grant(r, err) || !read_credential(r, &form, err) || !read_resource(r, &form, err))
		return false;
	*out = form;
	return true;
}
