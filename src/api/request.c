#include "api/request.h"

#include "base/percent.h"

bool
request_query(const struct request *r, const char *name, view *out)
{
	return pairs_find(r->in->query, view_of(name), false, r->arena, out);
}

void
reply_field(struct request *r, const char *name, view value)
{
	struct buf *fields = &r->out->fields;

	buf_add(fields, view_of(name));
	buf_add(fields, V(": "));
	while (value.len > 0) {
		size_t fine = 0;

		/* A value with a line break in it would be a second field. */
		while (fine < value.len && (unsigned char)value.ptr[fine] >= 0x20 &&
		    value.ptr[fine] != 0x7f)
			fine++;
		buf_add(fields, (view){ value.ptr, fine });
		value = view_from(value, fine + 1);
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

bool
request_defer(struct request *r, enum workplace place, op_run *work, op_run *then, void *deferred)
{
	r->work = work;
	r->place = place;
	r->then = then;
	r->deferred = deferred;
	return true;
}
