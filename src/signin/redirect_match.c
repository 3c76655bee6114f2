#include "signin/redirect_match.h"

#define HTTP V("http://")
#define HTTPS V("https://")

struct parts {
	bool loopback; /* the scheme is http */
	view host, port;
	view rest; /* path and query */
};

static bool
port_fine(view port)
{
	uint64_t number;

	return port.len <= 5 && view_u64(port, &number) && number > 0 && number <= 65535;
}

static bool
host_fine(view host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = ascii_lower(host.ptr[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'))
			return false;
	}
	return host.len > 0 && host.ptr[0] != '.';
}

static bool
loopback(view host)
{
	return view_ieq(host, V("localhost")) || view_eq(host, V("127.0.0.1")) ||
	    view_eq(host, V("[::1]"));
}

/* "HOST[:PORT]"; what is no name, no IPv4 address and not [::1] is nobody's. */
static bool
authority_parse(view authority, struct parts *out)
{
	static const view six = V_INIT("[::1]");
	size_t colon;

	out->host = authority;
	out->port = V("");
	if (view_starts(authority, six)) {
		out->host.len = six.len;
		authority = view_from(authority, six.len);
		if (authority.len == 0)
			return true;
		out->port = view_from(authority, 1);
		return authority.ptr[0] == ':' && port_fine(out->port);
	}
	if (view_find(authority, ':', &colon)) {
		out->host.len = colon;
		out->port = view_from(authority, colon + 1);
		if (!port_fine(out->port))
			return false;
	}
	return host_fine(out->host);
}

/* "/a/../b" and the like mean another place to the browser than to who compares the bytes. */
static bool
path_fine(view rest)
{
	view path = view_cut(&rest, '?');

	while (path.len > 0) {
		view segment = view_cut(&path, '/');

		if (view_eq(segment, V(".")) || view_eq(segment, V("..")) ||
		    view_ieq(segment, V("%2e")) || view_ieq(segment, V("%2e%2e")) ||
		    view_ieq(segment, V(".%2e")) || view_ieq(segment, V("%2e.")))
			return false;
	}
	return true;
}

static bool
characters_fine(view url)
{
	for (size_t i = 0; i < url.len; i++) {
		char c = url.ptr[i];

		if (c <= 0x20 || c > 0x7e || c == '\\' || c == '#' || c == '"' || c == '\'' ||
		    c == '<' || c == '>' || c == ';' || c == ',')
			return false;
	}
	return url.len <= REDIRECT_URI_MAX;
}

static bool
parse(view url, struct parts *out)
{
	size_t end = 0;

	if (!characters_fine(url))
		return false;
	out->loopback = view_starts(url, HTTP);
	if (!out->loopback && !view_starts(url, HTTPS))
		return false;
	url = view_from(url, out->loopback ? HTTP.len : HTTPS.len);
	while (end < url.len && url.ptr[end] != '/' && url.ptr[end] != '?')
		end++;
	out->rest = view_from(url, end);
	return authority_parse((view){ url.ptr, end }, out) &&
	    (!out->loopback || loopback(out->host)) && path_fine(out->rest);
}

bool
redirect_sound(view url)
{
	struct parts parts;

	return parse(url, &parts);
}

bool
redirect_fits(view registered, view asked)
{
	struct parts there, here;

	if (!parse(asked, &here))
		return false;
	if (view_eq(registered, asked))
		return true;
	return here.loopback && parse(registered, &there) && there.loopback &&
	    view_ieq(here.host, there.host) && view_eq(here.rest, there.rest);
}

bool
redirect_fits_native(view asked)
{
	struct parts here;
	size_t at;

	return parse(asked, &here) && here.loopback && view_ieq(here.host, V("localhost")) &&
	    !view_find(here.rest, '?', &at);
}

void
redirect_origin(view url, struct buf *out)
{
	struct parts parts;

	if (!parse(url, &parts))
		return;
	if (parts.host.ptr[0] == '[') {
		buf_add(out, V("http:"));
		return;
	}
	buf_add(out, parts.loopback ? HTTP : HTTPS);
	buf_add(out, parts.host);
	if (parts.port.len == 0)
		return;
	buf_add_char(out, ':');
	buf_add(out, parts.port);
}
