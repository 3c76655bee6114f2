/*
 * Client secrets of applications.  The service principal's rows lead to the same ones.
 */
#include "base/clock.h"
#include "identity/application.h"
#include "graph/row.h"
#include "graph/text.h"

#include <stddef.h>

#define SECRET_SECONDS ((int64_t)2 * 365 * 86400) /* when the client does not say */

static const struct field credential_fields[] = {
	{ "displayName", FIELD_TEXT, offsetof(struct graph_password_body, name),
	    .max = APPLICATION_NAME_MAX },
	{ "endDateTime", FIELD_TEXT, offsetof(struct graph_password_body, end), .max = 64 },
	{ .name = NULL },
};

const struct field graph_add_password_fields[] = {
	{ "passwordCredential", FIELD_OBJECT, 0, .fields = credential_fields },
	{ .name = NULL },
};

const struct field graph_remove_password_fields[] = {
	{ "keyId", FIELD_TEXT, offsetof(struct graph_password_body, id), .max = 64,
	    .required = true },
	{ .name = NULL },
};

static bool
password_end(const struct graph_password_body *body, int64_t *out, struct error *err)
{
	if (!body->end.given) {
		*out = clock_wall() + SECRET_SECONDS;
		return true;
	}
	return graph_time_parse(body->end.text, out) ||
	    error_set(err, ERR_GRAPH_BAD_REQUEST,
		"Property endDateTime has an invalid value: it must be a time with a zone.");
}

/* A managed identity proves itself otherwise. */
static bool
load(struct request *r, struct graph_object *out, struct error *err)
{
	if (!graph_target_load(r, STORE_CHANGE, out, err))
		return false;
	return out->as.registration.kind != REGISTRATION_IDENTITY ||
	    error_set(err, ERR_GRAPH_DENIED,
		"Insufficient privileges to complete the operation: managed identities have no "
		"passwords.");
}

bool
graph_add_password(struct request *r, struct error *err)
{
	const struct graph_password_body *body = r->body;
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	AUTO(plain_done) struct plain *text = NULL;
	struct registration *registration = &object.as.registration;
	struct json *json;
	int64_t end;

	if (!password_end(body, &end, err) || !load(r, &object, err) ||
	    !registration_add_secret(registration, body->name.given ? body->name.text : V(""), end,
		&text, err) ||
	    !registration_put(&r->tx, registration, err))
		return false;
	json = reply_json(r);
	json_open(json, '{');
	graph_context(r->authority, "microsoft.graph.passwordCredential", false, json);
	graph_secret(&registration->secrets[registration->secret_count - 1], plain_view(text),
	    json);
	json_close(json, '}');
	return graph_written(r, err);
}

bool
graph_remove_password(struct request *r, struct error *err)
{
	const struct graph_password_body *body = r->body;
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct registration *registration = &object.as.registration;
	size_t kept = 0, before;

	if (!load(r, &object, err))
		return false;
	before = registration->secret_count;
	for (size_t i = 0; i < before; i++) {
		if (!view_ieq(body->id.text, uuid_view(&registration->secrets[i].id)))
			registration->secrets[kept++] = registration->secrets[i];
	}
	if (kept == before)
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "No password credential found with keyId '%.*s'.", VIEW_ARG(body->id.text));
	registration->secret_count = kept;
	return registration_put(&r->tx, registration, err) && graph_done(r);
}
