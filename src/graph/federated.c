/*
 * The outside credentials of an application.
 */
#include "identity/federated.h"
#include "graph/row.h"

#include <stddef.h>

#define OF(member) offsetof(struct graph_federated_body, member)

/* Their lengths are checked with the rest. */
const struct field graph_federated_fields[] = {
	{ .name = "name", .kind = FIELD_TEXT, .offset = OF(name) },
	{ .name = "issuer", .kind = FIELD_TEXT, .offset = OF(issuer) },
	{ .name = "subject", .kind = FIELD_TEXT, .offset = OF(subject) },
	{ .name = "description", .kind = FIELD_TEXT, .offset = OF(description) },
	{ "audiences", FIELD_TEXTS, OF(audiences), .max = 16 },
	{ .name = NULL },
};

static void
write_members(const struct federated_credential *credential, struct json *json)
{
	json_text(json, "id", uuid_view(&credential->id));
	json_text(json, "name", credential->name);
	json_text(json, "issuer", credential->issuer);
	json_text(json, "subject", credential->subject);
	if (credential->description.len > 0)
		json_text(json, "description", credential->description);
	else
		json_null_value(json, "description");
	json_open_in(json, "audiences", '[');
	json_text(json, NULL, credential->audience);
	json_close(json, ']');
}

/* "applications('<id>')/federatedIdentityCredentials" */
static bool
context(struct request *r, const struct graph_object *object, view *out, struct error *err)
{
	return arena_print(r->arena, out, "applications('%s')/federatedIdentityCredentials",
		   graph_object_id(object)->text) ||
	    error_memory(err);
}

static bool
answer(struct request *r, int status, const struct graph_object *object, size_t at,
    struct error *err)
{
	struct json *json;
	view name;

	if (!context(r, object, &name, err))
		return false;
	json = reply_json(r);
	r->out->status = status;
	json_open(json, '{');
	graph_context(r->authority, name.ptr, true, json);
	write_members(&object->as.registration.federated[at], json);
	json_close(json, '}');
	return graph_written(r, err);
}

/* The application, and the one of its credentials that the path names. */
static bool
load_one(struct request *r, enum store_use use, struct graph_object *object, size_t *at,
    struct error *err)
{
	return graph_target_load(r, use, object, err) &&
	    (federated_find(&object->as.registration, r->params[1], at) ||
		object_not_found(err, r->params[1]));
}

bool
graph_federated_list(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	const struct registration *registration = &object.as.registration;
	struct json *json;
	view name;

	if (!graph_target_load(r, STORE_READ, &object, err) || !context(r, &object, &name, err))
		return false;
	json = graph_list_open(r, name.ptr);
	for (size_t i = 0; i < registration->federated_count; i++) {
		json_open(json, '{');
		write_members(&registration->federated[i], json);
		json_close(json, '}');
	}
	return graph_list_close(r, err);
}

bool
graph_federated_get(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	size_t at;

	return load_one(r, STORE_READ, &object, &at, err) && answer(r, 200, &object, at, err);
}

static void
apply(const struct graph_federated_body *body, struct federated_credential *credential)
{
	if (body->issuer.given)
		credential->issuer = body->issuer.text;
	if (body->subject.given)
		credential->subject = body->subject.text;
	if (body->description.given)
		credential->description = body->description.text;
	if (body->audiences.given)
		credential->audience = body->audiences.texts[0];
}

static bool
check_audiences(const struct graph_federated_body *body, struct error *err)
{
	return !body->audiences.given || body->audiences.count == 1 ||
	    error_set(err, ERR_GRAPH_BAD_REQUEST,
		"Property audiences of federatedIdentityCredential must have exactly one value.");
}

bool
graph_federated_create(struct request *r, struct error *err)
{
	const struct graph_federated_body *body = r->body;
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct federated_credential credential = { .name = V("") };

	if (!check_audiences(body, err) || !graph_target_load(r, STORE_CHANGE, &object, err))
		return false;
	credential.name = body->name.given ? body->name.text : V("");
	apply(body, &credential);
	return federated_add(&object.as.registration, &credential, err) &&
	    registration_put(&r->tx, &object.as.registration, err) &&
	    answer(r, 201, &object, object.as.registration.federated_count - 1, err);
}

bool
graph_federated_patch(struct request *r, struct error *err)
{
	const struct graph_federated_body *body = r->body;
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct federated_credential credential;
	size_t at;

	if (!check_audiences(body, err) || !load_one(r, STORE_CHANGE, &object, &at, err))
		return false;
	credential = object.as.registration.federated[at];
	apply(body, &credential);
	return federated_change(&object.as.registration, at, &credential, err) &&
	    registration_put(&r->tx, &object.as.registration, err) && graph_done(r);
}

bool
graph_federated_delete(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	size_t at;

	if (!load_one(r, STORE_CHANGE, &object, &at, err))
		return false;
	federated_remove(&object.as.registration, at);
	return registration_put(&r->tx, &object.as.registration, err) && graph_done(r);
}
