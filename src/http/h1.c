#include "http/h1.h"

#include "base/buf.h"
#include "http/http.h"

#include <stdlib.h>
#include <string.h>

/* llhttp's names for the methods are ours too; we go by the text and need none of them. */
#define HTTP_GET LLHTTP_GET
#define HTTP_HEAD LLHTTP_HEAD
#define HTTP_PUT LLHTTP_PUT
#define HTTP_POST LLHTTP_POST
#define HTTP_PATCH LLHTTP_PATCH
#define HTTP_DELETE LLHTTP_DELETE
#define HTTP_OPTIONS LLHTTP_OPTIONS
#include <llhttp.h>
#undef HTTP_GET
#undef HTTP_HEAD
#undef HTTP_PUT
#undef HTTP_POST
#undef HTTP_PATCH
#undef HTTP_DELETE
#undef HTTP_OPTIONS

#define BODY_KEEP 65536    /* bytes of body memory kept for the next request */
#define FRAMING_PER_BYTE 8 /* bytes of chunk framing a body byte may cost */

#define MALFORMED "The request is not well-formed."
#define BODY_TOO_LARGE "The request body is too large."
#define WRONG_VERSION "The protocol is neither HTTP/1.1 nor HTTP/1.0."

struct h1 {
	llhttp_t parser;
	struct h1_limits limits;
	enum h1_state state;
	struct h1_refusal refusal;
	view method, target, version, host;
	size_t field_count, head_len;
	uint64_t length;
	bool has_length, chunked, expects_continue, keep_alive;

	/* Chunk framing: what of a chunked body is not data. */
	const char *framing; /* in the bytes being parsed: where the framing goes on */
	size_t framing_len;
	char framing_last;

	struct buf body;
	struct http_field *fields; /* limits.fields of them, and one more, never counted */
	char head[];               /* limits.head bytes, as received: all views point into it */
};

static int
refuse(struct h1 *h1, enum error_code code, const char *why)
{
	h1->state = H1_REFUSED;
	h1->refusal = (struct h1_refusal){ code, error_table[code].status, why };
	return -1;
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
is_token(view text)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < text.len; i++) {
		if (!is_alnum(text.ptr[i]) && memchr(marks, text.ptr[i], sizeof(marks) - 1) == NULL)
			return false;
	}
	return text.len > 0;
}

/* Visible ASCII; no fragment, which clients must not send. */
static bool
is_target(view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f || text.ptr[i] == '#')
			return false;
	}
	return text.len > 0 && text.ptr[0] == '/';
}

static bool
is_port(view text)
{
	uint64_t number;

	return text.len <= 5 && view_u64(text, &number) && number <= 65535;
}

/* A name, or an address ("[...]" for IPv6), and perhaps a port. */
static bool
is_host(view text)
{
	bool bracketed = text.len > 0 && text.ptr[0] == '[';
	view marks = bracketed ? V(":.") : V("-._"), rest = view_from(text, bracketed ? 1 : 0);
	size_t len = 0;

	while (len < rest.len &&
	    (is_alnum(rest.ptr[len]) || memchr(marks.ptr, rest.ptr[len], marks.len) != NULL))
		len++;
	if (len == 0)
		return false;
	rest = view_from(rest, len);
	if (bracketed && !view_starts(rest, V("]")))
		return false;
	rest = view_from(rest, bracketed ? 1 : 0);
	return rest.len == 0 || (rest.ptr[0] == ':' && is_port(view_from(rest, 1)));
}

/*
 * The head's exact shape.  llhttp forgives some things (folded lines, space before a colon, bare
 * line ends in places), so what it found is laid over the bytes again: they must be those pieces,
 * in that order, with exactly the separators the grammar has.
 */
struct walk {
	const char *at, *end;
};

static bool
walk_over(struct walk *walk, view piece)
{
	if ((size_t)(walk->end - walk->at) < piece.len ||
	    (piece.len > 0 && memcmp(walk->at, piece.ptr, piece.len) != 0))
		return false;
	walk->at += piece.len;
	return true;
}

static void
walk_space(struct walk *walk)
{
	while (walk->at < walk->end && (*walk->at == ' ' || *walk->at == '\t'))
		walk->at++;
}

static bool
walk_field(struct walk *walk, struct http_field *field)
{
	field->value = view_trim(field->value);
	if (!is_token(field->name) || !walk_over(walk, field->name) || !walk_over(walk, V(":")))
		return false;
	walk_space(walk);
	if (!walk_over(walk, field->value))
		return false;
	walk_space(walk);
	return walk_over(walk, V("\r\n"));
}

static bool
head_is_exact(struct h1 *h1)
{
	struct walk walk = { h1->head, h1->head + h1->head_len };

	/* One empty line in front is what the RFC asks servers to put up with. */
	if (h1->method.ptr != walk.at && !walk_over(&walk, V("\r\n")))
		return false;
	if (!is_token(h1->method) || !walk_over(&walk, h1->method) || !walk_over(&walk, V(" ")) ||
	    !walk_over(&walk, h1->target) || !walk_over(&walk, V(" HTTP/")) ||
	    !walk_over(&walk, h1->version) || !walk_over(&walk, V("\r\n")))
		return false;
	for (size_t i = 0; i < h1->field_count; i++) {
		if (!walk_field(&walk, &h1->fields[i]))
			return false;
	}
	if (!walk_over(&walk, V("\r\n")))
		return false;
	h1->framing = walk.at;
	return true;
}

/* The fields that http itself acts on. */
static int
host_rule(struct h1 *h1, view value)
{
	if (h1->host.len > 0)
		return refuse(h1, ERR_BAD_REQUEST, "There is more than one Host field.");
	if (!is_host(value))
		return refuse(h1, ERR_BAD_REQUEST, "The Host field is not well-formed.");
	h1->host = value;
	return 0;
}

static int
length_rule(struct h1 *h1, view value)
{
	if (h1->has_length)
		return refuse(h1, ERR_BAD_REQUEST, "There is more than one Content-Length field.");
	if (!view_u64(value, &h1->length))
		return refuse(h1, ERR_BAD_REQUEST, "The Content-Length field is not a number.");
	h1->has_length = true;
	return 0;
}

static int
encoding_rule(struct h1 *h1, view value)
{
	if (h1->chunked || !view_ieq(value, V("chunked")))
		return refuse(h1, ERR_BAD_REQUEST,
		    "The only transfer coding understood is chunked.");
	h1->chunked = true;
	return 0;
}

static int
expect_rule(struct h1 *h1, view value)
{
	if (view_eq(h1->version, V("1.0")))
		return 0;
	if (!view_ieq(value, V("100-continue"))) {
		(void)refuse(h1, ERR_BAD_REQUEST,
		    "The only expectation understood is 100-continue.");
		h1->refusal.status = 417;
		return -1;
	}
	h1->expects_continue = true;
	return 0;
}

/* Of two that decide who asks, or for what, some readers take the first and some the last. */
static const struct {
	view name;
	bool once;
	int (*rule)(struct h1 *h1, view value); /* NULL: none but that */
} field_rules[] = {
	{ V_INIT("host"), false, host_rule },
	{ V_INIT("content-length"), false, length_rule },
	{ V_INIT("transfer-encoding"), false, encoding_rule },
	{ V_INIT("expect"), false, expect_rule },
	{ V_INIT("authorization"), true, NULL },
	{ V_INIT("x-http-method"), true, NULL },
};

/* ${seen}: a bit for each rule. */
static int
field_check(struct h1 *h1, const struct http_field *field, unsigned *seen)
{
	for (size_t r = 0; r < COUNT_OF(field_rules); r++) {
		const unsigned bit = 1U << r;

		if (!view_ieq(field->name, field_rules[r].name))
			continue;
		if (field_rules[r].once && (*seen & bit) != 0)
			return refuse(h1, ERR_BAD_REQUEST,
			    "A field that may come once came more than once.");
		*seen |= bit;
		return field_rules[r].rule == NULL ? 0 : field_rules[r].rule(h1, field->value);
	}
	return 0;
}

static int
fields_check(struct h1 *h1)
{
	unsigned seen = 0;

	for (size_t i = 0; i < h1->field_count; i++) {
		if (field_check(h1, &h1->fields[i], &seen) != 0)
			return -1;
	}
	return 0;
}

static int
line_check(struct h1 *h1)
{
	if (!view_eq(h1->version, V("1.1")) && !view_eq(h1->version, V("1.0")))
		return refuse(h1, ERR_BAD_REQUEST, WRONG_VERSION);
	if (view_eq(h1->method, V("CONNECT")) || view_eq(h1->method, V("TRACE")))
		return refuse(h1, ERR_METHOD_NOT_ALLOWED, "The method is not allowed.");
	if (!is_target(h1->target))
		return refuse(h1, ERR_BAD_REQUEST, "The request target is not a plain path.");
	return 0;
}

static int
framing_check(struct h1 *h1)
{
	if (h1->host.len == 0)
		return refuse(h1, ERR_BAD_REQUEST, "The Host field is missing.");
	if (h1->chunked && (h1->has_length || view_eq(h1->version, V("1.0"))))
		return refuse(h1, ERR_BAD_REQUEST,
		    "The body's length is told in conflicting ways.");
	if (h1->has_length && h1->length > h1->limits.body)
		return refuse(h1, ERR_BODY_TOO_LARGE, BODY_TOO_LARGE);
	return 0;
}

static struct h1 *
of_parser(const llhttp_t *parser)
{
	return parser->data;
}

/* Pieces of one span come in order; a gap between them is a folded line. */
static int
span_add(struct h1 *h1, view *span, const char *at, size_t len)
{
	if (span->ptr == NULL)
		span->ptr = at;
	else if (span->ptr + span->len != at)
		return refuse(h1, ERR_BAD_REQUEST, MALFORMED);
	span->len += len;
	return 0;
}

static int
on_method(llhttp_t *parser, const char *at, size_t len)
{
	return span_add(of_parser(parser), &of_parser(parser)->method, at, len);
}

/* A line that ends behind the target is HTTP/0.9: don't wait for a head that will not come. */
static int
on_target(llhttp_t *parser, const char *at, size_t len)
{
	struct h1 *h1 = of_parser(parser);
	const char *next = at + len;

	if (next < h1->head + h1->head_len && (*next == '\r' || *next == '\n'))
		return refuse(h1, ERR_BAD_REQUEST, WRONG_VERSION);
	return span_add(h1, &h1->target, at, len);
}

static int
on_version(llhttp_t *parser, const char *at, size_t len)
{
	return span_add(of_parser(parser), &of_parser(parser)->version, at, len);
}

static int
on_name(llhttp_t *parser, const char *at, size_t len)
{
	struct h1 *h1 = of_parser(parser);

	if (h1->state != H1_HEAD) /* a trailer: dropped */
		return 0;
	if (h1->field_count == h1->limits.fields)
		return refuse(h1, ERR_HEAD_TOO_LARGE, "The request has too many header fields.");
	return span_add(h1, &h1->fields[h1->field_count].name, at, len);
}

static int
on_value(llhttp_t *parser, const char *at, size_t len)
{
	struct h1 *h1 = of_parser(parser);

	return h1->state != H1_HEAD ? 0 : span_add(h1, &h1->fields[h1->field_count].value, at, len);
}

static int
on_value_complete(llhttp_t *parser)
{
	struct h1 *h1 = of_parser(parser);

	if (h1->state == H1_HEAD)
		h1->fields[++h1->field_count] = (struct http_field){ 0 };
	return 0;
}

static int
on_head(llhttp_t *parser)
{
	struct h1 *h1 = of_parser(parser);

	if (!head_is_exact(h1))
		return refuse(h1, ERR_BAD_REQUEST, MALFORMED);
	if (line_check(h1) != 0 || fields_check(h1) != 0 || framing_check(h1) != 0)
		return -1;
	h1->keep_alive = llhttp_should_keep_alive(parser) != 0 && view_eq(h1->version, V("1.1"));
	h1->state = H1_BODY;
	parser->upgrade = 0; /* an offer we don't take up */
	return 0;
}

/*
 * What stands between the data of a chunked body.  llhttp reads it; here it is held to whole line
 * ends and no folding, and to a length: extensions and trailers are dropped, so nobody needs them.
 */
static int
framing_add(struct h1 *h1, const char *end)
{
	for (const char *at = h1->framing; h1->chunked && at < end; at++) {
		bool after_cr = h1->framing_last == '\r', after_lf = h1->framing_last == '\n';

		if (after_cr != (*at == '\n') || (after_lf && (*at == ' ' || *at == '\t')))
			return refuse(h1, ERR_BAD_REQUEST, MALFORMED);
		h1->framing_last = *at;
		h1->framing_len++;
	}
	h1->framing = end;
	if (h1->framing_len > h1->limits.head + FRAMING_PER_BYTE * h1->body.len)
		return refuse(h1, ERR_BAD_REQUEST, "The body's chunks carry too much beside data.");
	return 0;
}

/* A chunk that says to be too large is not waited for. */
static int
on_chunk(llhttp_t *parser)
{
	struct h1 *h1 = of_parser(parser);

	if (parser->content_length > h1->limits.body - h1->body.len)
		return refuse(h1, ERR_BODY_TOO_LARGE, BODY_TOO_LARGE);
	return 0;
}

static int
on_body(llhttp_t *parser, const char *at, size_t len)
{
	struct h1 *h1 = of_parser(parser);

	if (framing_add(h1, at) != 0)
		return -1;
	h1->framing = at + len;
	h1->expects_continue = false;
	if (len > h1->limits.body - h1->body.len)
		return refuse(h1, ERR_BODY_TOO_LARGE, BODY_TOO_LARGE);
	buf_add(&h1->body, (view){ at, len });
	if (!buf_ok(&h1->body))
		return refuse(h1, ERR_UNAVAILABLE, "The server is out of memory for this request.");
	return 0;
}

static int
on_message(llhttp_t *parser)
{
	of_parser(parser)->state = H1_DONE;
	return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
	.on_method = on_method,
	.on_url = on_target,
	.on_version = on_version,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_header_value_complete = on_value_complete,
	.on_headers_complete = on_head,
	.on_chunk_header = on_chunk,
	.on_body = on_body,
	.on_message_complete = on_message,
};

static void
start(struct h1 *h1)
{
	llhttp_init(&h1->parser, HTTP_REQUEST, &callbacks);
	h1->parser.data = h1;
	h1->state = H1_HEAD;
	h1->method = h1->target = h1->version = h1->host = (view){ 0 };
	h1->field_count = h1->head_len = h1->framing_len = 0;
	h1->has_length = h1->chunked = h1->expects_continue = h1->keep_alive = false;
	h1->framing_last = '\0';
	h1->fields[0] = (struct http_field){ 0 };
}

struct h1 *
h1_new(const struct h1_limits *limits)
{
	struct h1 *h1 = malloc(sizeof(*h1) + limits->head);

	if (h1 == NULL)
		return NULL;
	*h1 = (struct h1){ .limits = *limits };
	h1->fields = calloc((size_t)limits->fields + 1, sizeof(*h1->fields));
	if (h1->fields == NULL) {
		free(h1);
		return NULL;
	}
	start(h1);
	return h1;
}

/* Parse ${bytes} where they are; return how many of them belong to the request. */
static size_t
parse(struct h1 *h1, view bytes)
{
	llhttp_errno_t result = llhttp_execute(&h1->parser, bytes.ptr, bytes.len);
	size_t used = bytes.len;

	if (h1->state == H1_REFUSED)
		return used;
	if (h1->state == H1_DONE)
		used = (size_t)(llhttp_get_error_pos(&h1->parser) - bytes.ptr);
	else if (result == HPE_INVALID_VERSION)
		(void)refuse(h1, ERR_BAD_REQUEST, WRONG_VERSION);
	else if (result != HPE_OK)
		(void)refuse(h1, ERR_BAD_REQUEST, MALFORMED);
	if (h1->state == H1_BODY || h1->state == H1_DONE)
		(void)framing_add(h1, bytes.ptr + used);
	return used;
}

/* The head is copied first, so that what llhttp points at stays. */
static size_t
parse_head(struct h1 *h1, view bytes)
{
	size_t room = h1->limits.head - h1->head_len;
	view copied = { h1->head + h1->head_len, bytes.len < room ? bytes.len : room };
	size_t used;

	memcpy(h1->head + h1->head_len, bytes.ptr, copied.len);
	h1->head_len += copied.len;
	used = parse(h1, copied);
	if (h1->state == H1_HEAD && h1->head_len == h1->limits.head)
		(void)refuse(h1, ERR_HEAD_TOO_LARGE, "The request's head is too large.");
	return used;
}

enum h1_state
h1_feed(struct h1 *h1, view bytes, size_t *used)
{
	*used = 0;
	while (*used < bytes.len && (h1->state == H1_HEAD || h1->state == H1_BODY)) {
		view rest = view_from(bytes, *used);

		if (h1->state == H1_HEAD) {
			*used += parse_head(h1, rest);
		} else {
			h1->framing = rest.ptr;
			*used += parse(h1, rest);
		}
	}
	return h1->state;
}

bool
h1_keep_alive(const struct h1 *h1)
{
	return h1->keep_alive;
}

bool
h1_wants_continue(const struct h1 *h1)
{
	return h1->state == H1_BODY && h1->expects_continue;
}

const struct h1_refusal *
h1_refusal(const struct h1 *h1)
{
	return &h1->refusal;
}

static enum http_method
method_of(view text)
{
	static const struct {
		view text;
		enum http_method method;
	} rows[] = {
		{ V_INIT("GET"), HTTP_GET },
		{ V_INIT("PUT"), HTTP_PUT },
		{ V_INIT("POST"), HTTP_POST },
		{ V_INIT("PATCH"), HTTP_PATCH },
		{ V_INIT("DELETE"), HTTP_DELETE },
		{ V_INIT("HEAD"), HTTP_HEAD },
		{ V_INIT("OPTIONS"), HTTP_OPTIONS },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (view_eq(text, rows[i].text))
			return rows[i].method;
	}
	return HTTP_OTHER;
}

void
h1_request(const struct h1 *h1, struct http_request *request)
{
	view rest = h1->target;

	request->method = method_of(h1->method);
	request->method_text = h1->method;
	request->target = h1->target;
	request->path = view_cut(&rest, '?');
	request->query = rest;
	request->host = h1->host;
	request->fields = h1->fields;
	request->field_count = h1->field_count;
	request->body = buf_view(&h1->body);
}

void
h1_reset(struct h1 *h1)
{
	explicit_bzero(h1->head, h1->head_len);
	if (h1->body.size > BODY_KEEP)
		buf_free(&h1->body);
	else
		buf_reset(&h1->body);
	start(h1);
}

void
h1_free(struct h1 *h1)
{
	if (h1 == NULL)
		return;
	h1_reset(h1);
	buf_free(&h1->body);
	free(h1->fields);
	free(h1);
}

view
http_field(const struct http_request *request, view name)
{
	for (size_t i = 0; i < request->field_count; i++) {
		if (view_ieq(request->fields[i].name, name))
			return request->fields[i].value;
	}
	return (view){ "", 0 };
}
