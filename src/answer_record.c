#include "answer_private.h"

#include "audit/record.h"
#include "base/clock.h"
#include "vault/vault.h"

#define USER_AGENT_MAX 256
#define PATH_MAX_SHOWN 512

static view
shortened(view text, size_t max)
{
	return (view){ text.ptr, text.len > max ? max : text.len };
}

/* Clients' bytes: a line of the log is UTF-8, whatever they sent. */
static view
printable(view text, size_t max)
{
	text = shortened(text, max);
	return utf8_valid(text) ? text : V("(not UTF-8)");
}

/* The query's other parameters stay out: a client may put there what must not be in a log. */
static view
request_uri(struct request *r, view version)
{
	view uri, path = printable(r->path, PATH_MAX_SHOWN);

	if (!arena_print(r->arena, &uri, "https://%.*s%.*s%s%.*s", VIEW_ARG(r->authority),
		VIEW_ARG(path), version.len > 0 ? "?api-version=" : "", VIEW_ARG(version)))
		return V("");
	return uri;
}

static view
operation_of(const struct request *r)
{
	if (r->out->status == 401 && r->plane != PLANE_LOGIN)
		return V("Authentication");
	return r->op == NULL ? V("Unknown") : view_of(r->op->name);
}

static void
add_caller(const struct request *r, struct audit_record *record)
{
	if (r->caller.object.text[0] == '\0')
		return;
	record->object = view_of(r->caller.object.text);
	record->application = view_of(r->caller.application.text);
	record->tenant = view_of(r->caller.tenant.text);
}

view
record_of(struct request *r)
{
	AUTO(buf_free) struct buf line = { 0 };
	struct audit_record record = {
		.resource = r->vault != NULL ? r->vault->scope : r->scope,
		.operation = operation_of(r),
		.status = r->out->status,
		.description = r->out->status >= 400 ? view_of(r->error.message) : V(""),
		.duration = clock_mono() - r->in->arrived,
		.address = r->in->peer,
		.correlation = r->correlation,
		.request = uuid_view(&r->id),
		.user_agent = printable(http_field(r->in, V("User-Agent")), USER_AGENT_MAX),
		.tls_version = r->in->tls_version,
		.assignment = r->assignment,
	};
	view copy;

	if (r->op != NULL && r->op->versioning != VERSION_NONE &&
	    request_query(r, "api-version", &record.version))
		record.version = printable(record.version, 40);
	record.uri = request_uri(r, record.version);
	add_caller(r, &record);
	record_write(&record, &line);
	if (!buf_ok(&line) || !arena_copy(r->arena, buf_view(&line), &copy))
		return V("");
	return copy;
}
