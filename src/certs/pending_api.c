/*
 * The rows of pending operations, but for the merge.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "certs/issue.h"

struct cancel_body {
	struct body_flag cancel;
};

static const struct field cancel_fields[] = {
	{ .name = "cancellation_requested",
	    .kind = FIELD_FLAG,
	    .required = true,
	    .offset = offsetof(struct cancel_body, cancel) },
	{ 0 },
};

static bool
not_found(const struct request *r, struct error *err)
{
	return error_set(err, ERR_PENDING_NOT_FOUND, "Pending certificate not found: %.*s",
	    VIEW_ARG(r->params[0]));
}

/* A certificate that is not there has no operation, either. */
static bool
require(struct request *r, enum intent intent, struct object *object,
    struct certificate_state *state, struct error *err)
{
	view wanted;
	bool found;

	if (!object_name_check(r->params[0], err) ||
	    !object_read(r, &certificate_type, OBJECT_LIVE, r->params[0], intent, object, &found,
		err))
		return false;
	if (!found)
		return not_found(r, err);
	if (!certificate_state_read(r, object, intent, state, err))
		return false;
	if (!state->has_pending ||
	    (request_query(r, "request_id", &wanted) &&
		!view_ieq(wanted, state->pending.request_id)))
		return not_found(r, err);
	return object_name(r, &certificate_type, object, V(""), err);
}

/* Old clients ask for the request alone. */
static bool
reply_csr(struct request *r, const struct pending *pending)
{
	buf_reset(&r->out->body);
	r->out->status = 200;
	base64_encode(BASE64, pending->csr, &r->out->body);
	r->content_type = V("application/pkcs10");
	return true;
}

static bool
run_get(struct request *r, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	struct certificate_state state;

	if (!require(r, TO_READ, &object, &state, err))
		return false;
	if (view_ieq(http_field(r->in, V("accept")), V("application/pkcs10")))
		return reply_csr(r, &state.pending);
	pending_reply(r, &object, &state.pending);
	if (state.pending.status == PENDING_IN_PROGRESS)
		reply_field(r, "Retry-After", V("10"));
	return true;
}

/* One that waits for a merge has to be ended by somebody. */
static bool
schedule_end(struct request *r, const struct object *object, struct pending *pending,
    struct error *err)
{
	return pending->due != 0 ||
	    pending_schedule(r, object, pending, clock_now() + PENDING_DELAY, err);
}

/* Who takes that back has it wait for its merge again. */
static bool
unschedule_end(struct request *r, const struct object *object, struct pending *pending,
    struct error *err)
{
	return !view_ieq(pending->issuer, V(ISSUER_NAME_UNKNOWN)) ||
	    pending_schedule(r, object, pending, 0, err);
}

static bool
run_cancel(struct request *r, struct error *err)
{
	const struct cancel_body *body = r->body;
	AUTO(object_done) struct object object = { 0 };
	struct certificate_state state;
	struct pending *pending = &state.pending;

	if (!require(r, TO_CHANGE, &object, &state, err))
		return false;
	if (pending->status != PENDING_IN_PROGRESS)
		return error_set(err, ERR_BAD_PARAMETER,
		    "The pending certificate's status is not inProgress: it can't be cancelled.");
	pending->cancel = body->cancel.value;
	if (!(pending->cancel ? schedule_end(r, &object, pending, err)
			      : unschedule_end(r, &object, pending, err)))
		return false;
	if (!certificate_state_write(r, &object, &state, err))
		return false;
	pending_reply(r, &object, pending);
	return true;
}

static bool
run_delete(struct request *r, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	struct certificate_state state;

	if (!require(r, TO_CHANGE, &object, &state, err))
		return false;
	pending_reply(r, &object, &state.pending);
	if (!pending_give_up(r, &object, &state.pending, PENDING_CANCELLED, err))
		return false;
	state.has_pending = false;
	return certificate_state_write(r, &object, &state, err);
}

/* clang-format off */

#define ROW .plane = PLANE_VAULT, .guard = GUARD_DATA, .versioning = VERSION_VAULT, \
	.throttle = THROTTLE_OTHER
#define PENDING .path = "/certificates/{name}/pending"

const struct op pending_ops[] = {
	{ "CertificatePendingGet", ROW, .method = HTTP_GET, PENDING,
	  .action = "certificates/read", .permission = "get", .run = run_get },
	{ "CertificatePendingUpdate", ROW, .method = HTTP_PATCH, PENDING,
	  .action = "certificates/update/action", .body = cancel_fields,
	  .body_size = sizeof(struct cancel_body), .run = run_cancel },
	{ "CertificatePendingDelete", ROW, .method = HTTP_DELETE, PENDING,
	  .action = "certificates/update/action", .run = run_delete },
	{ "CertificatePendingMerge", ROW, .method = HTTP_POST,
	  .path = "/certificates/{name}/pending/merge",
	  .action = "certificates/create/action", .body = certificate_merge_fields,
	  .body_size = sizeof(struct certificate_body), .run = certificate_merge },
	{ 0 },
};

/* clang-format on */
