#include "http/reply.h"

#include "base/attr.h"

static const struct {
	int status;
	view line;
} lines[] = {
	{ 200, V_INIT("HTTP/1.1 200 OK\r\n") },
	{ 201, V_INIT("HTTP/1.1 201 Created\r\n") },
	{ 202, V_INIT("HTTP/1.1 202 Accepted\r\n") },
	{ 204, V_INIT("HTTP/1.1 204 No Content\r\n") },
	{ 301, V_INIT("HTTP/1.1 301 Moved Permanently\r\n") },
	{ 302, V_INIT("HTTP/1.1 302 Found\r\n") },
	{ 303, V_INIT("HTTP/1.1 303 See Other\r\n") },
	{ 304, V_INIT("HTTP/1.1 304 Not Modified\r\n") },
	{ 307, V_INIT("HTTP/1.1 307 Temporary Redirect\r\n") },
	{ 308, V_INIT("HTTP/1.1 308 Permanent Redirect\r\n") },
	{ 400, V_INIT("HTTP/1.1 400 Bad Request\r\n") },
	{ 401, V_INIT("HTTP/1.1 401 Unauthorized\r\n") },
	{ 403, V_INIT("HTTP/1.1 403 Forbidden\r\n") },
	{ 404, V_INIT("HTTP/1.1 404 Not Found\r\n") },
	{ 405, V_INIT("HTTP/1.1 405 Method Not Allowed\r\n") },
	{ 406, V_INIT("HTTP/1.1 406 Not Acceptable\r\n") },
	{ 408, V_INIT("HTTP/1.1 408 Request Timeout\r\n") },
	{ 409, V_INIT("HTTP/1.1 409 Conflict\r\n") },
	{ 410, V_INIT("HTTP/1.1 410 Gone\r\n") },
	{ 412, V_INIT("HTTP/1.1 412 Precondition Failed\r\n") },
	{ 413, V_INIT("HTTP/1.1 413 Content Too Large\r\n") },
	{ 415, V_INIT("HTTP/1.1 415 Unsupported Media Type\r\n") },
	{ 417, V_INIT("HTTP/1.1 417 Expectation Failed\r\n") },
	{ 421, V_INIT("HTTP/1.1 421 Misdirected Request\r\n") },
	{ 422, V_INIT("HTTP/1.1 422 Unprocessable Content\r\n") },
	{ 429, V_INIT("HTTP/1.1 429 Too Many Requests\r\n") },
	{ 431, V_INIT("HTTP/1.1 431 Request Header Fields Too Large\r\n") },
	{ 500, V_INIT("HTTP/1.1 500 Internal Server Error\r\n") },
	{ 501, V_INIT("HTTP/1.1 501 Not Implemented\r\n") },
	{ 502, V_INIT("HTTP/1.1 502 Bad Gateway\r\n") },
	{ 503, V_INIT("HTTP/1.1 503 Service Unavailable\r\n") },
	{ 504, V_INIT("HTTP/1.1 504 Gateway Timeout\r\n") },
	{ 505, V_INIT("HTTP/1.1 505 HTTP Version Not Supported\r\n") },
};

static bool
status_is_bare(int status)
{
	return status == 204 || status == 304;
}

bool
reply_has_body(const struct http_reply *reply, enum http_method method)
{
	return method != HTTP_HEAD && !status_is_bare(reply->status);
}

static void
status_line(int status, struct buf *out)
{
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		if (lines[i].status == status) {
			buf_add(out, lines[i].line);
			return;
		}
	}
	buf_print(out, "HTTP/1.1 %03d \r\n", status); /* the reason may be empty, not the space */
}

void
reply_head(const struct http_reply *reply, bool close, struct buf *out)
{
	status_line(reply->status, out);
	buf_add(out, buf_view(&reply->fields));
	if (!status_is_bare(reply->status)) {
		buf_add(out, V("Content-Length: "));
		buf_add_u64(out, reply->body.len);
		buf_add(out, V("\r\n"));
	}
	if (close)
		buf_add(out, V("Connection: close\r\n"));
	buf_add(out, V("\r\n"));
}
