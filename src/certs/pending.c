#include "certs/pending.h"

#include "base/pack.h"
#include "certs/certificate.h"
#include "certs/enrol.h"
#include "certs/issuer.h"

#define FORMAT 1

enum { FLAG_CANCEL = 1, FLAG_KEEP_ORDER = 2, FLAG_ENABLED = 4, FLAG_CTY = 8, FLAG_OWN_KEY = 16 };

static const char *const status_names[] = {
	[PENDING_IN_PROGRESS] = "inProgress",
	[PENDING_COMPLETED] = "completed",
	[PENDING_CANCELLED] = "cancelled",
	[PENDING_FAILED] = "failed",
};

void
pending_pack(const struct pending *pending, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_u8(out, (uint8_t)pending->status);
	pack_u8(out,
	    (uint8_t)((pending->cancel ? FLAG_CANCEL : 0) |
		(pending->keep_order ? FLAG_KEEP_ORDER : 0) |
		(pending->enabled ? FLAG_ENABLED : 0) | (pending->cty.given ? FLAG_CTY : 0) |
		(pending->own_key ? FLAG_OWN_KEY : 0)));
	pack_bytes(out, pending->request_id);
	pack_bytes(out, pending->version);
	pack_bytes(out, pending->issuer);
	pack_bytes(out, pending->cty.text);
	pack_bytes(out, pending->csr);
	pack_bytes(out, pending->tags);
	pack_bytes(out, pending->policy);
	pack_bytes(out, pending->key);
	pack_bytes(out, pending->error_code);
	pack_bytes(out, pending->error_message);
	pack_i64(out, pending->due);
	pack_bytes(out, pending->enrolment);
	pack_bytes(out, pending->waits_for);
}

bool
pending_unpack(view bytes, struct pending *out)
{
	struct unpack in = unpack_of(bytes);
	struct pending pending = { 0 };
	bool fine = unpack_u8(&in) == FORMAT;
	uint8_t flags;

	pending.status = unpack_u8(&in);
	flags = unpack_u8(&in);
	pending.cancel = (flags & FLAG_CANCEL) != 0;
	pending.keep_order = (flags & FLAG_KEEP_ORDER) != 0;
	pending.enabled = (flags & FLAG_ENABLED) != 0;
	pending.cty.given = (flags & FLAG_CTY) != 0;
	pending.own_key = (flags & FLAG_OWN_KEY) != 0;
	pending.request_id = unpack_bytes(&in);
	pending.version = unpack_bytes(&in);
	pending.issuer = unpack_bytes(&in);
	pending.cty.text = unpack_bytes(&in);
	pending.csr = unpack_bytes(&in);
	pending.tags = unpack_bytes(&in);
	pending.policy = unpack_bytes(&in);
	pending.key = unpack_bytes(&in);
	pending.error_code = unpack_bytes(&in);
	pending.error_message = unpack_bytes(&in);
	pending.due = unpack_i64(&in);
	pending.enrolment = unpack_bytes(&in);
	pending.waits_for = unpack_bytes(&in);
	if (!fine || !unpack_end(&in) || pending.status > PENDING_FAILED ||
	    pending.request_id.len != HEX16_LEN || pending.version.len != HEX16_LEN)
		return false;
	*out = pending;
	return true;
}

void
pending_end(struct pending *pending, enum pending_status status)
{
	pending->status = status;
	pending->key = V("");
	pending->policy = V("");
	pending->tags = V("");
	pending->enrolment = V("");
	pending->waits_for = V("");
}

static void
write_details(struct json *json, const struct pending *pending)
{
	if (pending->status != PENDING_IN_PROGRESS)
		return;
	json_text_open(json, "status_details");
	json_text_part(json,
	    view_ieq(pending->issuer, V(ISSUER_NAME_UNKNOWN))
		? V("Pending certificate created. Please Perform Merge to complete the request.")
		: V("Pending certificate created. Certificate request is in progress. This may "
		    "take some time based on the issuer provider. Please check again later."));
	/* The original does not say so much. */
	if (pending->waits_for.len > 0) {
		json_text_part(json, V(" The issuer: "));
		json_text_part(json, pending->waits_for);
	}
	json_text_close(json);
}

static void
write_error(struct json *json, const struct pending *pending)
{
	if (pending->status != PENDING_FAILED)
		return;
	json_open_in(json, "error", '{');
	json_text(json, "code", pending->error_code);
	json_text(json, "message", pending->error_message);
	json_close(json, '}');
}

/* Members in the original's order. */
void
pending_reply(struct request *r, const struct object *object, const struct pending *pending)
{
	struct json *json = reply_json(r);

	json_open(json, '{');
	certificate_write_url(r, "id", object, "/pending");
	json_open_in(json, "issuer", '{');
	json_text(json, "name", pending->issuer);
	if (pending->cty.given)
		json_text(json, "cty", pending->cty.text);
	json_close(json, '}');
	json_base64(json, "csr", pending->csr);
	json_flag(json, "cancellation_requested", pending->cancel);
	json_text(json, "status", view_of(status_names[pending->status]));
	write_details(json, pending);
	write_error(json, pending);
	if (pending->status == PENDING_COMPLETED)
		certificate_write_url(r, "target", object, "");
	json_text(json, "request_id", pending->request_id);
	if (pending->keep_order && r->version->rank >= VERSION_7_6)
		json_flag(json, "preserveCertOrder", true);
	json_close(json, '}');
}

bool
pending_enrols(const struct pending *pending)
{
	return !issuer_name_reserved(pending->issuer);
}

static bool
drop_key(struct request *r, const struct object *object, const struct pending *pending,
    struct error *err)
{
	struct key key;

	if (!pending->own_key || pending->key.len == 0)
		return true;
	if (!key_unpack(pending->key, &key))
		return error_set(err, ERR_CORRUPT, "a pending operation's key can't be read");
	return material_drop(&r->tx, uuid_view(&r->vault->id), view_of(object->id), &key.material,
	    err);
}

bool
pending_give_up(struct request *r, const struct object *object, struct pending *pending,
    enum pending_status status, struct error *err)
{
	if (!enrol_abandon(&r->tx, pending->enrolment, err) || !drop_key(r, object, pending, err) ||
	    !pending_schedule(r, object, pending, 0, err))
		return false;
	pending_end(pending, status);
	return true;
}

bool
pending_schedule(struct request *r, const struct object *object, struct pending *pending,
    int64_t time, struct error *err)
{
	struct due due = due_of(r, &certificate_type, object,
	    pending_enrols(pending) ? DUE_ENROL : DUE_ISSUE, pending->due);

	if (pending->due == time)
		return true;
	if (pending->due != 0 && !due_delete(&r->tx, &due, err))
		return false;
	pending->due = due.time = time;
	return time == 0 || due_put(&r->tx, &due, err);
}
