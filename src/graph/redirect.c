#include "graph/redirect.h"

static bool
refused(struct error *err, view uri)
{
	return error_set(err, ERR_GRAPH_BAD_REQUEST,
	    "Invalid value specified for property 'redirectUris': '%.*s'.",
	    (int)(uri.len < REDIRECT_MAX ? uri.len : 0), uri.ptr);
}

/* "localhost:8400" and the like: nobody else can listen there. */
static bool
is_local(view authority)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		view name = view_of(names[i]), rest = view_from(authority, name.len);
		uint64_t port;

		if (view_istarts(authority, name) &&
		    (rest.len == 0 || (rest.ptr[0] == ':' && view_u64(view_from(rest, 1), &port))))
			return true;
	}
	return false;
}

static bool
is_scheme(view text)
{
	bool fine =
	    text.len > 1 && ascii_lower(text.ptr[0]) >= 'a' && ascii_lower(text.ptr[0]) <= 'z';

	for (size_t i = 0; fine && i < text.len; i++) {
		char c = ascii_lower(text.ptr[i]);

		fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
		    c == '.';
	}
	return fine;
}

/* What a browser would run, rather than go to. */
static bool
is_harmful(view scheme)
{
	return view_ieq(scheme, V("javascript")) || view_ieq(scheme, V("data")) ||
	    view_ieq(scheme, V("file")) || view_ieq(scheme, V("vbscript")) ||
	    view_ieq(scheme, V("blob"));
}

static bool
allowed(view uri, enum redirect_kind kind)
{
	view rest = uri, scheme = view_cut(&rest, ':'), authority;

	for (size_t i = 0; i < uri.len; i++) {
		if (uri.ptr[i] <= 0x20 || uri.ptr[i] >= 0x7f || uri.ptr[i] == '#' ||
		    uri.ptr[i] == '*' || uri.ptr[i] == '\\' || uri.ptr[i] == '"' ||
		    uri.ptr[i] == '<' || uri.ptr[i] == '>')
			return false;
	}
	if (uri.len > REDIRECT_MAX || !is_scheme(scheme) || rest.len == 0 || is_harmful(scheme))
		return false;
	if (!view_ieq(scheme, V("https")) && !view_ieq(scheme, V("http")))
		return kind == REDIRECT_PUBLIC;
	if (!view_starts(rest, V("//")))
		return false;
	rest = view_from(rest, 2);
	authority = view_cut(&rest, '/');
	if (authority.len == 0 || view_find(authority, '@', &(size_t){ 0 }))
		return false;
	return view_ieq(scheme, V("https")) || is_local(authority);
}

static void
drop(struct registration *registration, enum redirect_kind kind)
{
	size_t kept = 0;

	for (size_t i = 0; i < registration->redirect_count; i++) {
		if (registration->redirect_kinds[i] == kind)
			continue;
		registration->redirects[kept] = registration->redirects[i];
		registration->redirect_kinds[kept++] = registration->redirect_kinds[i];
	}
	registration->redirect_count = kept;
}

bool
redirects_set(struct registration *registration, enum redirect_kind kind,
    const struct body_texts *uris, struct error *err)
{
	if (!uris->given)
		return true;
	drop(registration, kind);
	for (size_t i = 0; i < uris->count; i++) {
		size_t at = registration->redirect_count;

		if (!allowed(uris->texts[i], kind))
			return refused(err, uris->texts[i]);
		if (at == APPLICATION_REDIRECTS_MAX)
			return error_set(err, ERR_GRAPH_BAD_REQUEST,
			    "There can't be more than %d redirect URIs.",
			    APPLICATION_REDIRECTS_MAX);
		registration->redirects[at] = uris->texts[i];
		registration->redirect_kinds[at] = kind;
		registration->redirect_count++;
	}
	return true;
}
