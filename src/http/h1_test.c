/* The parser by tables; every case whole, byte by byte, and cut in two at every place. */
#include "http/h1.h"

#include "base/buf.h"
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define H "Host: a.example\r\n"

static const struct h1_limits limits = { .head = 512, .body = 64, .fields = 8 };

static unsigned failures;

/* Go on after a wrong row: the others may say why. */
#define wrong(...) (failures++, print_error(__VA_ARGS__), print_error("\n"))

static int
start(void **ctx)
{
	(void)ctx;
	failures = 0;
	return 0;
}

static int
end(void **ctx)
{
	(void)ctx;
	return failures == 0 ? 0 : -1;
}

static void
h1_done(struct h1 **h1)
{
	h1_free(*h1);
}

/* Feed ${text}, ${first} bytes, then ${step} at a time; return how many belong to the request. */
static size_t
feed(struct h1 *h1, view text, size_t first, size_t step, enum h1_state *state)
{
	size_t at = 0, len = first;

	*state = H1_HEAD;
	while (at < text.len && (*state == H1_HEAD || *state == H1_BODY)) {
		view rest = view_from(text, at);
		char *copy;
		size_t used;

		rest.len = rest.len < len ? rest.len : len;
		copy = malloc(1 + rest.len); /* up to its very end: ASan sees overreads */
		assert_non_null(copy);
		memcpy(copy + 1, rest.ptr, rest.len);
		*state = h1_feed(h1, (view){ copy + 1, rest.len }, &used);
		free(copy);
		assert_true(used <= rest.len);
		assert_true(used == rest.len || *state == H1_DONE || *state == H1_REFUSED);
		at += used;
		len = step;
	}
	return at;
}

static const struct refusal_case {
	const char *name;
	view text;
	int status;
} refusals[] = {
	{ "both lengths",
	    V_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: "
		   "chunked\r\n\r\n"),
	    400 },
	{ "both lengths, the other way",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "Content-Length: 3\r\n\r\n"),
	    400 },
	{ "two lengths",
	    V_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 4\r\n"
		   "\r\nabc"),
	    400 },
	{ "the same length twice",
	    V_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n"
		   "Content-Length: 3\r\n\r\nabc"),
	    400 },
	{ "a list of lengths", V_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\nabc"),
	    400 },
	{ "negative length", V_INIT("POST / HTTP/1.1\r\n" H "Content-Length: -3\r\n\r\nabc"), 400 },
	{ "signed length", V_INIT("POST / HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc"), 400 },
	{ "hexadecimal length", V_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\nabc"),
	    400 },
	{ "empty length", V_INIT("POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\nabc"), 400 },
	{ "length in two words", V_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 3 3\r\n\r\nabc"),
	    400 },
	{ "overflowing length",
	    V_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551617\r\n\r\n"), 400 },
	{ "too long a body", V_INIT("POST / HTTP/1.1\r\n" H "Content-Length: 65\r\n\r\n"), 413 },
	{ "unknown coding", V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n"),
	    400 },
	{ "two codings", V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n"),
	    400 },
	{ "chunked not last",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, identity\r\n"
		   "\r\n"),
	    400 },
	{ "chunked twice",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	    400 },
	{ "chunked with a parameter",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked;a=b\r\n"
		   "\r\n0\r\n\r\n"),
	    400 },
	{ "misspelt chunked", V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n"),
	    400 },
	{ "identity", V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n"), 400 },
	{ "vertical tab before chunked",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: \vchunked\r\n"
		   "\r\n0\r\n\r\n"),
	    400 },
	{ "chunked in 1.0",
	    V_INIT("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
		   "0\r\n\r\n"),
	    400 },
	{ "bare LF after the request line", V_INIT("GET / HTTP/1.1\n" H "\r\n"), 400 },
	{ "bare LF after a field", V_INIT("GET / HTTP/1.1\r\nHost: a.example\n\r\n"), 400 },
	{ "bare LF at the end", V_INIT("GET / HTTP/1.1\r\n" H "\n"), 400 },
	{ "bare LF all over", V_INIT("GET / HTTP/1.1\nHost: a.example\n\n"), 400 },
	{ "bare LF in front", V_INIT("\nGET / HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "many empty lines in front", V_INIT("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "bare CR after the request line", V_INIT("GET / HTTP/1.1\r" H "\r\n"), 400 },
	{ "bare CR in a value", V_INIT("GET / HTTP/1.1\r\n" H "A: b\rc\r\n\r\n"), 400 },
	{ "bare CR after a value", V_INIT("GET / HTTP/1.1\r\n" H "A: b\rC: d\r\n\r\n"), 400 },
	{ "bare CR after an empty value", V_INIT("GET / HTTP/1.1\r\n" H "A:\rC: d\r\n\r\n"), 400 },
	{ "CR CR LF", V_INIT("GET / HTTP/1.1\r\n" H "A: b\r\r\n\r\n"), 400 },
	{ "folded line", V_INIT("GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n"), 400 },
	{ "folded line by tab", V_INIT("GET / HTTP/1.1\r\n" H "A: b\r\n\tc\r\n\r\n"), 400 },
	{ "folded empty value", V_INIT("GET / HTTP/1.1\r\n" H "A:\r\n b\r\n\r\n"), 400 },
	{ "folded nothing", V_INIT("GET / HTTP/1.1\r\n" H "A: b\r\n \r\n\r\n"), 400 },
	{ "folded length", V_INIT("POST / HTTP/1.1\r\n" H "Content-Length:\r\n 3\r\n\r\nabc"),
	    400 },
	{ "folded coding",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n chunked\r\n\r\n"
		   "0\r\n\r\n"),
	    400 },
	{ "first field folded", V_INIT("GET / HTTP/1.1\r\n A: b\r\n" H "\r\n"), 400 },
	{ "space before the colon", V_INIT("GET / HTTP/1.1\r\n" H "A : b\r\n\r\n"), 400 },
	{ "tab before the colon", V_INIT("GET / HTTP/1.1\r\n" H "A\t: b\r\n\r\n"), 400 },
	{ "space before a length's colon",
	    V_INIT("POST / HTTP/1.1\r\n" H "Content-Length : 3\r\n\r\n"
		   "abc"),
	    400 },
	{ "empty name", V_INIT("GET / HTTP/1.1\r\n" H ": b\r\n\r\n"), 400 },
	{ "no colon", V_INIT("GET / HTTP/1.1\r\n" H "A\r\n\r\n"), 400 },
	{ "separator in a name", V_INIT("GET / HTTP/1.1\r\n" H "A(b): c\r\n\r\n"), 400 },
	{ "space in a name", V_INIT("GET / HTTP/1.1\r\n" H "A b: c\r\n\r\n"), 400 },
	{ "non-ASCII name", V_INIT("GET / HTTP/1.1\r\n" H "\xc3\xa4: c\r\n\r\n"), 400 },
	{ "NUL in a name", V_INIT("GET / HTTP/1.1\r\n" H "A\0: c\r\n\r\n"), 400 },
	{ "no host", V_INIT("GET / HTTP/1.1\r\n\r\n"), 400 },
	{ "no host in 1.0", V_INIT("GET / HTTP/1.0\r\n\r\n"), 400 },
	{ "two hosts", V_INIT("GET / HTTP/1.1\r\n" H "Host: b.example\r\n\r\n"), 400 },
	{ "the same host twice", V_INIT("GET / HTTP/1.1\r\n" H H "\r\n"), 400 },
	{ "empty host", V_INIT("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400 },
	{ "empty, then a host", V_INIT("GET / HTTP/1.1\r\nHost: \r\n" H "\r\n"), 400 },
	{ "host with a path", V_INIT("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400 },
	{ "host with a user", V_INIT("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), 400 },
	{ "list of hosts", V_INIT("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), 400 },
	{ "hosts in two words", V_INIT("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400 },
	{ "non-ASCII host", V_INIT("GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n"), 400 },
	{ "escaped host", V_INIT("GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n"), 400 },
	{ "host with an empty port", V_INIT("GET / HTTP/1.1\r\nHost: a:\r\n\r\n"), 400 },
	{ "host with a word for port", V_INIT("GET / HTTP/1.1\r\nHost: a:http\r\n\r\n"), 400 },
	{ "host with too large a port", V_INIT("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"), 400 },
	{ "only a port", V_INIT("GET / HTTP/1.1\r\nHost: :80\r\n\r\n"), 400 },
	{ "open bracket", V_INIT("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"), 400 },
	{ "empty brackets", V_INIT("GET / HTTP/1.1\r\nHost: []\r\n\r\n"), 400 },
	{ "behind the bracket", V_INIT("GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n"), 400 },
	{ "NUL in the host", V_INIT("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"), 400 },
	{ "absolute target", V_INIT("GET http://a.example/ HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "asterisk target", V_INIT("OPTIONS * HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "authority target", V_INIT("GET a.example:80 HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "relative target", V_INIT("GET a/b HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "no target", V_INIT("GET  HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "query for target", V_INIT("GET ?a HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "fragment", V_INIT("GET /a#b HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "fragment in the query", V_INIT("GET /a?b#c HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "non-ASCII target", V_INIT("GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "DEL in the target", V_INIT("GET /\x7f HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "NUL in the target", V_INIT("GET /a\0b HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "tab in the target", V_INIT("GET /a\tb HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "form feed in the target", V_INIT("GET /a\fb HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "space in the target", V_INIT("GET /a b HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "two spaces before the version", V_INIT("GET /  HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "two spaces before the target", V_INIT("GET  / HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "tab before the target", V_INIT("GET\t/ HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "space in front", V_INIT(" GET / HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "space behind the version", V_INIT("GET / HTTP/1.1 \r\n" H "\r\n"), 400 },
	{ "CONNECT", V_INIT("CONNECT a.example:443 HTTP/1.1\r\n" H "\r\n"), 405 },
	{ "TRACE", V_INIT("TRACE / HTTP/1.1\r\n" H "\r\n"), 405 },
	{ "unknown method", V_INIT("FETCH / HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "method in small letters", V_INIT("get / HTTP/1.1\r\n" H "\r\n"), 400 },
	{ "HTTP/0.9", V_INIT("GET /\r\n"), 400 },
	{ "HTTP/0.9 by name", V_INIT("GET / HTTP/0.9\r\n" H "\r\n"), 400 },
	{ "HTTP/1.2", V_INIT("GET / HTTP/1.2\r\n" H "\r\n"), 400 },
	{ "HTTP/2.0", V_INIT("GET / HTTP/2.0\r\n" H "\r\n"), 400 },
	{ "HTTP/1.10", V_INIT("GET / HTTP/1.10\r\n" H "\r\n"), 400 },
	{ "small http", V_INIT("GET / http/1.1\r\n" H "\r\n"), 400 },
	{ "another protocol", V_INIT("OPTIONS / RTSP/1.1\r\n" H "\r\n"), 400 },
	{ "a radio's protocol", V_INIT("SOURCE / ICE/1.1\r\n" H "\r\n"), 400 },
	{ "HTTP/2 preface", V_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400 },
	{ "a TLS hello inside", V_INIT("\x16\x03\x01\x02\x00\x01"), 400 },
	{ "another expectation",
	    V_INIT("POST / HTTP/1.1\r\n" H "Expect: tea\r\n"
		   "Content-Length: 3\r\n\r\n"),
	    417 },
	{ "two authorizations",
	    V_INIT("GET / HTTP/1.1\r\n" H "Authorization: Bearer a\r\n"
		   "authorization: Bearer b\r\n\r\n"),
	    400 },
	{ "two methods",
	    V_INIT("POST / HTTP/1.1\r\n" H "X-HTTP-METHOD: GET\r\nx-http-method: PUT\r\n\r\n"),
	    400 },
	{ "too many fields",
	    V_INIT("GET / HTTP/1.1\r\n" H "a:b\r\nc:d\r\ne:f\r\ng:h\r\ni:j\r\nk:l\r\n"
		   "m:n\r\no:p\r\n\r\n"),
	    431 },
	{ "chunk of no size",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
		   "\r\nabc\r\n0\r\n\r\n"),
	    400 },
	{ "chunk of odd size",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
		   "0x3\r\nabc\r\n0\r\n\r\n"),
	    400 },
	{ "chunk of negative size",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
		   "-3\r\nabc\r\n0\r\n\r\n"),
	    400 },
	{ "chunk of overflowing size",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
		   "10000000000000003\r\nabc\r\n0\r\n\r\n"),
	    400 },
	{ "space behind a chunk's size",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "\r\n3 3\r\nabc\r\n0\r\n\r\n"),
	    400 },
	{ "chunk that says to be too long",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n41\r\n"), 413 },
	{ "chunk of the greatest size",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
		   "ffffffffffffffff\r\n"),
	    413 },
	{ "second chunk that says to be too long",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
		   "40\r\n"),
	    413 },
	{ "chunk longer than its size",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "\r\n2\r\nabc\r\n0\r\n\r\n"),
	    400 },
	{ "bare LF after a chunk's size",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "\r\n3\nabc\r\n0\r\n\r\n"),
	    400 },
	{ "bare LF after an extension",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "\r\n3;a=b\nabc\r\n0\r\n\r\n"),
	    400 },
	{ "bare LF in an extension",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "\r\n3;\nxx\r\nabc\r\n0\r\n\r\n"),
	    400 },
	{ "bare LF after a chunk",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "\r\n3\r\nabc\n0\r\n\r\n"),
	    400 },
	{ "bare LF at the last chunk",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "\r\n3\r\nabc\r\n0\r\n\n"),
	    400 },
	{ "bare CR at the last chunk",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "\r\n3\r\nabc\r\n0\r\n\rX"),
	    400 },
	{ "bare CR in a trailer",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "\r\n3\r\nabc\r\n0\r\nA: b\rC: d\r\n\r\n"),
	    400 },
	{ "folded trailer",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "\r\n3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n"),
	    400 },
	{ "chunks longer than the limit",
	    V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		   "\r\n40\r\n0123456789012345678901234567890123456789012345678901234567890123\r\n"
		   "1\r\nx\r\n0\r\n\r\n"),
	    413 },
};

static void
check_refused(const struct refusal_case *row, size_t first, size_t step)
{
	AUTO(h1_done) struct h1 *h1 = h1_new(&limits);
	enum h1_state state;

	(void)feed(h1, row->text, first, step, &state);
	if (state != H1_REFUSED || h1_refusal(h1)->status != row->status)
		wrong("%s, cut at %zu by %zu: state %d, status %d", row->name, first, step,
		    (int)state, state == H1_REFUSED ? h1_refusal(h1)->status : 0);
}

static void
test_refusals(void **ctx)
{
	(void)ctx;
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		check_refused(&refusals[i], 1, 1);
		for (size_t cut = 1; cut <= refusals[i].text.len; cut++)
			check_refused(&refusals[i], cut, refusals[i].text.len);
	}
}

static const struct good_case {
	const char *name;
	view text;   /* the request, and perhaps the start of the next */
	size_t rest; /* bytes that belong to the next */
	enum http_method method;
	view path, query, host, body;
	size_t fields;
	bool keep_alive;
} goods[] = {
	{ "least", V_INIT("GET / HTTP/1.1\r\n" H "\r\n"), 0, HTTP_GET, V_INIT("/"), V_INIT(""),
	    V_INIT("a.example"), V_INIT(""), 1, true },
	{ "close", V_INIT("GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), 0, HTTP_GET,
	    V_INIT("/"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 2, false },
	{ "close in a list", V_INIT("GET / HTTP/1.1\r\n" H "Connection: x, Close\r\n\r\n"), 0,
	    HTTP_GET, V_INIT("/"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 2, false },
	{ "1.0", V_INIT("GET / HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n"), 0, HTTP_GET,
	    V_INIT("/"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 2, false },
	{ "empty line in front", V_INIT("\r\nGET / HTTP/1.1\r\n" H "\r\n"), 0, HTTP_GET,
	    V_INIT("/"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 1, true },
	{ "query", V_INIT("HEAD /a/b%20c?d=e?f&g HTTP/1.1\r\nhOST:\t[::1]:8443 \t\r\n\r\n"), 0,
	    HTTP_HEAD, V_INIT("/a/b%20c"), V_INIT("d=e?f&g"), V_INIT("[::1]:8443"), V_INIT(""), 1,
	    true },
	{ "empty query", V_INIT("GET /? HTTP/1.1\r\n" H "\r\n"), 0, HTTP_GET, V_INIT("/"),
	    V_INIT(""), V_INIT("a.example"), V_INIT(""), 1, true },
	{ "double slash", V_INIT("GET //a HTTP/1.1\r\n" H "\r\n"), 0, HTTP_GET, V_INIT("//a"),
	    V_INIT(""), V_INIT("a.example"), V_INIT(""), 1, true },
	{ "odd values",
	    V_INIT("PATCH /a HTTP/1.1\r\n" H "A:\r\nB: \t \r\nC: d\xe4 \"e\"\tf \r\n"
		   "!#$%&'*+-.^_`|~9: z\r\n\r\n"),
	    0, HTTP_PATCH, V_INIT("/a"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 5, true },
	{ "values that llhttp looks into",
	    V_INIT("GET / HTTP/1.1\r\n" H "Connection: \r\nUpgrade: \r\n"
		   "Proxy-Connection:\r\nConnection: keep-alivex , y ,\r\n\r\n"),
	    0, HTTP_GET, V_INIT("/"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 5, true },
	{ "length", V_INIT("PUT /a HTTP/1.1\r\n" H "Content-Length: 3 \r\n\r\nabc"), 0, HTTP_PUT,
	    V_INIT("/a"), V_INIT(""), V_INIT("a.example"), V_INIT("abc"), 2, true },
	{ "length of none", V_INIT("POST /a HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\nGET"), 3,
	    HTTP_POST, V_INIT("/a"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 2, true },
	{ "longest body",
	    V_INIT("PUT /a HTTP/1.1\r\n" H "Content-Length: 64\r\n\r\n"
		   "0123456789012345678901234567890123456789012345678901234567890123"),
	    0, HTTP_PUT, V_INIT("/a"), V_INIT(""), V_INIT("a.example"),
	    V_INIT("0123456789012345678901234567890123456789012345678901234567890123"), 2, true },
	{ "GET with a body", V_INIT("GET /a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabcGET /"), 5,
	    HTTP_GET, V_INIT("/a"), V_INIT(""), V_INIT("a.example"), V_INIT("abc"), 2, true },
	{ "chunks",
	    V_INIT("POST /a HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n"
		   "0A\r\n0123456789\r\n0\r\n\r\nGET"),
	    3, HTTP_POST, V_INIT("/a"), V_INIT(""), V_INIT("a.example"), V_INIT("abc0123456789"), 2,
	    true },
	{ "chunks with extensions and trailers",
	    V_INIT(
		"DELETE /a HTTP/1.1\r\n" H
		"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\n\r\n\n\r\n0;z\r\nHost: other\r\nB: c\r\n"
		"\r\nX"),
	    1, HTTP_DELETE, V_INIT("/a"), V_INIT(""), V_INIT("a.example"), V_INIT("\r\n\n"), 2,
	    true },
	{ "upgrade ignored",
	    V_INIT("GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
		   "GET"),
	    3, HTTP_GET, V_INIT("/"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 3, true },
	{ "upgrade with a body ignored",
	    V_INIT("POST / HTTP/1.1\r\n" H "Connection: Upgrade\r\n"
		   "Upgrade: websocket\r\nContent-Length: 2\r\n\r\nabGET"),
	    3, HTTP_POST, V_INIT("/"), V_INIT(""), V_INIT("a.example"), V_INIT("ab"), 4, true },
	{ "close, and more behind", V_INIT("GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\nGET /"),
	    5, HTTP_GET, V_INIT("/"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 2, false },
	{ "pipelined", V_INIT("OPTIONS /a HTTP/1.1\r\n" H "\r\nGET / HTTP/1.1\r\n" H "\r\n"), 35,
	    HTTP_OPTIONS, V_INIT("/a"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 1, true },
	{ "another method", V_INIT("PROPFIND /a HTTP/1.1\r\n" H "\r\n"), 0, HTTP_OTHER,
	    V_INIT("/a"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 1, true },
	{ "expectation of the past", V_INIT("GET / HTTP/1.0\r\n" H "Expect: tea\r\n\r\n"), 0,
	    HTTP_GET, V_INIT("/"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 2, false },
	{ "as many fields as allowed",
	    V_INIT("GET / HTTP/1.1\r\n" H "a:b\r\nc:d\r\ne:f\r\ng:h\r\ni:j\r\n"
		   "k:l\r\nm:n\r\n\r\n"),
	    0, HTTP_GET, V_INIT("/"), V_INIT(""), V_INIT("a.example"), V_INIT(""), 8, true },
};

static void
check_good(struct h1 *h1, const struct good_case *row, size_t first, size_t step)
{
	struct http_request request = { 0 };
	enum h1_state state;
	size_t used = feed(h1, row->text, first, step, &state);

	if (state != H1_DONE)
		wrong("%s, cut at %zu by %zu: state %d, %s", row->name, first, step, (int)state,
		    state == H1_REFUSED ? h1_refusal(h1)->why : "");
	h1_request(h1, &request);
	if (used != row->text.len - row->rest || request.method != row->method ||
	    !view_eq(request.path, row->path) || !view_eq(request.query, row->query) ||
	    !view_eq(request.host, row->host) || !view_eq(request.body, row->body) ||
	    request.field_count != row->fields || h1_keep_alive(h1) != row->keep_alive)
		wrong("%s, cut at %zu by %zu: used %zu, path %.*s, body %.*s, %zu fields",
		    row->name, first, step, used, VIEW_ARG(request.path), VIEW_ARG(request.body),
		    request.field_count);
	h1_reset(h1);
}

/* One parser for all: nothing of a request is left in the next. */
static void
test_goods(void **ctx)
{
	AUTO(h1_done) struct h1 *h1 = h1_new(&limits);

	(void)ctx;
	for (size_t i = 0; i < COUNT_OF(goods); i++) {
		check_good(h1, &goods[i], 1, 1);
		for (size_t cut = 1; cut <= goods[i].text.len; cut++)
			check_good(h1, &goods[i], cut, goods[i].text.len);
	}
}

/* Every byte in a value and in a target: which are let through. */
static void
test_every_byte(void **ctx)
{
	AUTO(h1_done) struct h1 *h1 = h1_new(&limits);

	(void)ctx;
	for (int c = 0; c < 256; c++) {
		char value[] = "GET / HTTP/1.1\r\n" H "A: b?c\r\n\r\n";
		char target[] = "GET /a?c HTTP/1.1\r\n" H "\r\n";
		bool in_value = c == '\t' || (c >= ' ' && c != 0x7f);
		bool in_target = c > ' ' && c < 0x7f && c != '#';
		enum h1_state state;

		*strrchr(value, '?') = (char)c;
		(void)feed(h1, (view){ value, sizeof(value) - 1 }, sizeof(value), 1, &state);
		if ((state == H1_DONE) != in_value)
			wrong("byte %d in a value", c);
		h1_reset(h1);
		*strrchr(target, '?') = (char)c;
		(void)feed(h1, (view){ target, sizeof(target) - 1 }, sizeof(target), 1, &state);
		if ((state == H1_DONE) != in_target)
			wrong("byte %d in the target", c);
		h1_reset(h1);
	}
}

/* A head of exactly ${len} bytes. */
static void
check_head_length(size_t len, size_t step, bool fits)
{
	static const char start[] = "GET / HTTP/1.1\r\n" H "A: ";
	AUTO(h1_done) struct h1 *h1 = h1_new(&limits);
	AUTO(buf_free) struct buf text = { 0 };
	enum h1_state state;

	buf_add(&text, V("GET / HTTP/1.1\r\n" H "A: "));
	while (text.len < len - 4)
		buf_add_char(&text, 'x');
	assert_true(len > sizeof(start) + 4);
	buf_add(&text, V("\r\n\r\n"));
	(void)feed(h1, buf_view(&text), step, step, &state);
	assert_int_equal(state, fits ? H1_DONE : H1_REFUSED);
	if (!fits)
		assert_int_equal(h1_refusal(h1)->status, 431);
}

static void
test_head_limit(void **ctx)
{
	(void)ctx;
	for (size_t step = 1; step < 700; step += 37) {
		check_head_length(limits.head, step, true);
		check_head_length(limits.head + 1, step, false);
		check_head_length(limits.head + 1000, step, false);
	}
}

static view
endless(struct buf *text, view start, view again)
{
	buf_add(text, start);
	while (text->len < 100000)
		buf_add(text, again);
	return buf_view(text);
}

/* What never ends, and where it is cut off. */
static void
test_endless(void **ctx)
{
	static const struct {
		view start, again;
		int status;
	} rows[] = {
		{ V_INIT("GET /"), V_INIT("a"), 431 },
		{ V_INIT("GET / HTTP/1.1\r\nA: "), V_INIT("b"), 431 },
		{ V_INIT("GET / HTTP/1.1\r\n"), V_INIT("b"), 431 },
		{ V_INIT("GET / HTTP/1.1\r\n"), V_INIT("a: b\r\n"), 431 },
		{ V_INIT(""), V_INIT("\r\n"), 431 },
		{ V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"), V_INIT("0"),
		    400 },
		{ V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1;"),
		    V_INIT("a"), 400 },
		{ V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"),
		    V_INIT("1;abcdefghijklmnopq\r\nx\r\n"), 400 },
		{ V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"),
		    V_INIT("1\r\nx\r\n"), 413 },
		{ V_INIT("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n"),
		    V_INIT("a: b\r\n"), 400 },
	};

	(void)ctx;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf text = { 0 };
		struct refusal_case row = { "endless", endless(&text, rows[i].start, rows[i].again),
			rows[i].status };

		check_refused(&row, text.len, 1);
		check_refused(&row, 1, 1);
		check_refused(&row, 100, 100);
	}
}

static void
test_continue(void **ctx)
{
	AUTO(h1_done) struct h1 *h1 = h1_new(&limits);
	size_t used;

	(void)ctx;
	assert_int_equal(h1_feed(h1,
			     V("POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n"
			       "Content-Length: 3\r\n\r\n"),
			     &used),
	    H1_BODY);
	assert_true(h1_wants_continue(h1));
	assert_int_equal(h1_feed(h1, V("a"), &used), H1_BODY);
	assert_false(h1_wants_continue(h1));
	assert_int_equal(h1_feed(h1, V("bc"), &used), H1_DONE);
}

static void
test_field(void **ctx)
{
	AUTO(h1_done) struct h1 *h1 = h1_new(&limits);
	struct http_request request = { 0 };
	size_t used;

	(void)ctx;
	assert_int_equal(h1_feed(h1,
			     V("GET / HTTP/1.1\r\n" H
			       "X: 1\r\nx: 2\r\nAuthorization:  Bearer a \r\n"
			       "\r\n"),
			     &used),
	    H1_DONE);
	h1_request(h1, &request);
	assert_true(view_eq(http_field(&request, V("authorization")), V("Bearer a")));
	assert_true(view_eq(http_field(&request, V("x")), V("1")));
	assert_int_equal(http_field(&request, V("y")).len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refusals, start, end),
		cmocka_unit_test_setup_teardown(test_goods, start, end),
		cmocka_unit_test_setup_teardown(test_every_byte, start, end),
		cmocka_unit_test_setup_teardown(test_head_limit, start, end),
		cmocka_unit_test_setup_teardown(test_endless, start, end),
		cmocka_unit_test_setup_teardown(test_continue, start, end),
		cmocka_unit_test_setup_teardown(test_field, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
