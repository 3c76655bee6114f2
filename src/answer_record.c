#include "answer_private.h"

#include "audit/record.h"
#include "base/clock.h"
#include "base/starved.h"
#include "keys/key.h"
#include "vault/vault.h"

#define USER_AGENT_MAX 256
#define PATH_MAX_SHOWN 1024
#define RECORD_ROOM ((size_t)16 * 1024)

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

/*
 * The query's other parameters stay out: a client may put there what must not be in a log.  So no
 * refusal's message repeats one either.
 */
static view
request_uri(struct request *r, view version)
{
	const view parts[] = { V("https://"), r->authority, printable(r->path, PATH_MAX_SHOWN),
		version.len > 0 ? V("?api-version=") : V(""), version };
	view uri;

	if (!arena_join(r->arena, parts, COUNT_OF(parts), &uri))
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
	record->upn = view_of(r->caller.upn);
}

/* The planes have categories of their own, as the original's logs have. */
static view
category_of(const struct request *r)
{
	static const view categories[] = {
		[PLANE_LOGIN] = V_INIT("SignInLogs"),
		[PLANE_MANAGEMENT] = V_INIT("Administrative"),
		[PLANE_GRAPH] = V_INIT("AuditLogs"),
	};

	return r->plane < COUNT_OF(categories) ? categories[r->plane] : V("");
}

static void
add_authorization(const struct request *r, struct audit_record *record)
{
	if (r->op == NULL || r->op->guard != GUARD_SCOPE || r->scope.len == 0)
		return;
	record->action = view_of(r->op->action);
	record->scope = printable(r->scope, PATH_MAX_SHOWN);
}

static void
add_key(const struct request *r, struct audit_record *record)
{
	if (r->key.kind == 0)
		return;
	record->key_type = view_of(key_type_name(&r->key));
	record->key_curve = view_of(key_curve_name(r->key.curve));
	record->key_size = r->key.bits;
}

/* What the record is about: the vault, else the scope that was asked for. */
static view
resource_of(struct request *r)
{
	char *bytes;

	if (r->vault != NULL)
		return r->vault->scope_capital;
	bytes = arena_alloc(r->arena, r->scope.len + 1);
	if (bytes == NULL)
		return V("");
	for (size_t i = 0; i < r->scope.len; i++)
		bytes[i] = ascii_upper(r->scope.ptr[i]);
	return (view){ bytes, r->scope.len };
}

view
record_of(struct request *r)
{
	struct audit_record record;
	struct error err;
	view line;

	/* It has room of its own, however much the request has used. */
	r->arena->left += RECORD_ROOM + r->scope.len;
	starved_begin();
	record = (struct audit_record){
		.category = category_of(r),
		.resource = resource_of(r),
		.operation = operation_of(r),
		.status = r->out->status,
		.description = r->out->status >= 400 ? view_of(r->error.message) : V(""),
		.duration = clock_mono() - r->in->arrived,
		.address = r->in->peer,
		.correlation = r->correlation,
		.request = uuid_view(&r->id),
		.id = r->object_id,
		.user_agent = printable(http_field(r->in, V("User-Agent")), USER_AGENT_MAX),
		.tls_version = r->in->tls_version,
		.assignment = r->assignment,
	};
	if (r->op != NULL && r->op->versioning != VERSION_NONE &&
	    request_query(r, "api-version", &record.version))
		record.version = printable(record.version, 40);
	record.uri = request_uri(r, record.version);
	add_caller(r, &record);
	add_authorization(r, &record);
	add_key(r, &record);
	/* Nothing of it may be missing. */
	return starved_judge(record_line(&record, r->arena, &line, &err), &err) ? line : V("");
}
