#include "audit/record.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/json.h"

#define RECORD_USUAL 1280 /* bytes */

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 413, "Request Entity Too Large" },
	{ 429, "Too Many Requests" },
	{ 503, "Service Unavailable" },
};

static view
reason_of(int status)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		if (reasons[i].status == status)
			return view_of(reasons[i].reason);
	}
	return V("Internal Server Error");
}

static void
text_if(struct json *json, const char *name, view text)
{
	if (text.len > 0)
		json_text(json, name, text);
}

static void
write_authorization(struct json *json, const struct audit_record *record)
{
	json_open_in(json, "authorization", '{');
	json_text(json, "scope", record->scope);
	json_text(json, "action", record->action);
	json_close(json, '}');
}

static void
write_identity(struct json *json, const struct audit_record *record)
{
	json_open_in(json, "identity", '{');
	json_open_in(json, "claim", '{');
	text_if(json, "oid", record->object);
	text_if(json, "appid", record->application);
	text_if(json, "tid", record->tenant);
	text_if(json, "upn", record->upn);
	json_close(json, '}');
	if (record->action.len > 0)
		write_authorization(json, record);
	json_close(json, '}');
}

static void
write_key(struct json *json, const struct audit_record *record)
{
	json_open_in(json, "keyProperties", '{');
	json_text(json, "type", record->key_type);
	json_number(json, "size", record->key_size);
	text_if(json, "curve", record->key_curve);
	json_close(json, '}');
}

static void
write_properties(struct json *json, const struct audit_record *record)
{
	json_open_in(json, "properties", '{');
	text_if(json, "id", record->id);
	text_if(json, "clientInfo", record->user_agent);
	text_if(json, "requestUri", record->uri);
	json_number(json, "httpStatusCode", record->status);
	text_if(json, "tlsVersion", record->tls_version);
	json_flag(json, "isRbacAuthorized", record->assignment.len > 0);
	text_if(json, "appliedAssignmentId", record->assignment);
	if (record->key_type.len > 0)
		write_key(json, record);
	text_if(json, "requestId", record->request);
	json_close(json, '}');
}

void
record_write(const struct audit_record *record, struct buf *out)
{
	struct json json = json_to(out);
	char iso[CLOCK_ISO_LEN + 1];
	bool success = record->status < 400;

	clock_iso(clock_wall_nanos(), iso);
	/* Most fit into this: no growing and copying on the way. */
	(void)!buf_room(out, RECORD_USUAL);
	json_open(&json, '{');
	json_text(&json, "time", (view){ iso, CLOCK_ISO_LEN });
	text_if(&json, "resourceId", record->resource);
	json_text(&json, "operationName", record->operation);
	text_if(&json, "operationVersion", record->version);
	json_text(&json, "category", record->category.len > 0 ? record->category : V("AuditEvent"));
	json_text(&json, "resultType", success ? V("Success") : V("Failed"));
	json_text(&json, "resultSignature", reason_of(record->status));
	text_if(&json, "resultDescription", record->description);
	json_text_open(&json, "durationMs");
	buf_add_u64(out, (uint64_t)(record->duration / 1000000));
	json_text_close(&json);
	text_if(&json, "callerIpAddress", record->address);
	text_if(&json, "correlationId", record->correlation);
	write_identity(&json, record);
	write_properties(&json, record);
	json_close(&json, '}');
}

bool
record_line(const struct audit_record *record, struct arena *arena, view *out, struct error *err)
{
	AUTO(buf_free) struct buf line = { 0 };

	record_write(record, &line);
	return (buf_ok(&line) && arena_copy(arena, buf_view(&line), out)) || error_memory(err);
}
