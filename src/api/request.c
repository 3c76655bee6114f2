#include "api/request.h"

#include "api/percent.h"

bool
request_query(const struct request *r, const char *name, view *out)
{
	return pairs_find(r->in->query, view_of(name), false, r->arena, out);
}

bool
request_form(const struct request *r, const char *name, view *out)
{
	return pairs_find(r->in->body, view_of(name), true, r->arena, out);
}

void
reply_field(struct request *r, const char *name, view value)
{
	struct buf *fields = &r->out->fields;

	buf_add(fields, view_of(name));
	buf_add(fields, V(": "));
	for (size_t i = 0; i < value.len; i++) {
		/* A value with a line break in it would be a second field. */
		if ((unsigned char)value.ptr[i] >= 0x20 && value.ptr[i] != 0x7f)
			buf_add_char(fields, value.ptr[i]);
	}
	buf_add(fields, V("\r\n"));
}

struct json *
reply_json(struct request *r)
{
	buf_reset(&r->out->body);
	r->out->status = 200;
	r->json = json_to(&r->out->body);
	return &r->json;
}
