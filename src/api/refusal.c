#include "api/refusal.h"

#include "base/clock.h"
#include "base/json.h"

static void
write_envelope(const struct error *err, struct json *json)
{
	const struct error_row *row = &error_table[err->code];

	json_open(json, '{');
	json_open_in(json, "error", '{');
	json_text(json, "code", view_of(row->name));
	json_text(json, "message", view_of(err->message));
	if (row->inner != NULL) {
		json_open_in(json, "innererror", '{');
		json_text(json, "code", view_of(row->inner));
		json_close(json, '}');
	}
	json_close(json, '}');
	json_close(json, '}');
}

static void
write_graph(const struct error *err, const struct uuid *id, struct json *json)
{
	char iso[CLOCK_ISO_LEN + 1];

	clock_iso(clock_wall_nanos(), iso);
	json_open(json, '{');
	json_open_in(json, "error", '{');
	json_text(json, "code", view_of(error_table[err->code].name));
	json_text(json, "message", view_of(err->message));
	json_open_in(json, "innerError", '{');
	json_text(json, "date", (view){ iso, sizeof("2026-01-31T23:59:59") - 1 });
	json_text(json, "request-id", uuid_view(id));
	json_text(json, "client-request-id", uuid_view(id));
	json_close(json, '}');
	json_close(json, '}');
	json_close(json, '}');
}

/* The day and the time of day, as the authority prints them: "2026-01-31 23:59:59Z". */
static view
sts_time(char text[32])
{
	char iso[CLOCK_ISO_LEN + 1];
	struct buf out = { .ptr = text, .size = 32 };

	clock_iso(clock_wall_nanos(), iso);
	buf_add(&out, (view){ iso, 10 });
	buf_add_char(&out, ' ');
	buf_add(&out, (view){ iso + 11, 8 });
	buf_add_char(&out, 'Z');
	return buf_view(&out);
}

/* The number that the text names, "AADSTS90002: …", else the table's, which may be coarser. */
static view
sts_number(const struct error *err)
{
	static const view word = V_INIT("AADSTS");
	view text = view_of(err->message), number = view_from(text, word.len);
	uint64_t value;

	number = view_cut(&number, ':');
	if (view_starts(text, word) && view_u64(number, &value))
		return number;
	return view_of(error_table[err->code].inner);
}

static void
write_sts(const struct error *err, const struct uuid *id, struct json *json)
{
	const struct error_row *row = &error_table[err->code];
	char text[32];
	view time = sts_time(text);

	json_open(json, '{');
	json_text(json, "error", view_of(row->name));
	json_text_open(json, "error_description");
	json_text_part(json, view_of(err->message));
	json_text_part(json, V(" Trace ID: "));
	json_text_part(json, uuid_view(id));
	json_text_part(json, V(" Correlation ID: "));
	json_text_part(json, uuid_view(id));
	json_text_part(json, V(" Timestamp: "));
	json_text_part(json, time);
	json_text_close(json);
	json_open_in(json, "error_codes", '[');
	if (sts_number(err).len > 0)
		json_raw(json, NULL, sts_number(err));
	json_close(json, ']');
	json_text(json, "timestamp", time);
	json_text(json, "trace_id", uuid_view(id));
	json_text(json, "correlation_id", uuid_view(id));
	json_close(json, '}');
}

void
refusal_write(enum plane plane, const struct error *err, const struct uuid *id, struct buf *body)
{
	struct json json = json_to(body);

	if (plane == PLANE_GRAPH)
		write_graph(err, id, &json);
	else if (plane == PLANE_LOGIN)
		write_sts(err, id, &json);
	else
		write_envelope(err, &json);
}
