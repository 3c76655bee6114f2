/*
 * The one directory role there is: administrators change the directory.
 */
#include "identity/administrators.h"
#include "graph/row.h"

#define ROLE_ID "62e90394-69f5-4237-9190-012177145e10" /* its template's, and its own */

bool
graph_directory_roles(struct request *r, struct error *err)
{
	struct json *json = graph_list_open(r, "directoryRoles");

	json_open(json, '{');
	json_text(json, "id", V(ROLE_ID));
	json_null_value(json, "deletedDateTime");
	json_text(json, "description", V("Can manage the directory and everyone in it."));
	json_text(json, "displayName", V("Global Administrator"));
	json_text(json, "roleTemplateId", V(ROLE_ID));
	json_close(json, '}');
	return graph_list_close(r, err);
}

bool
graph_administrators_list(struct request *r, struct error *err)
{
	struct administrators *list = arena_alloc(r->arena, sizeof(*list));

	if (list == NULL)
		return error_memory(err);
	if (!administrators_read(&r->tx, &r->caller.tenant, STORE_READ, list, err))
		return false;
	(void)graph_list_open(r, "directoryObjects");
	for (size_t i = 0; i < list->count; i++) {
		AUTO(graph_object_done) struct graph_object object = { .kind = NULL };

		if (graph_load(&r->tx, &r->caller.tenant, uuid_view(&list->ids[i]), OBJECT_ANY,
			STORE_READ, &object, err))
			graph_typed(&object, NULL, &r->json);
		else if (err->code != ERR_GRAPH_NOT_FOUND)
			return false;
	}
	return graph_list_close(r, err);
}

/* Only who can sign in. */
static bool
set_flag(struct request *r, struct graph_object *object, bool value, struct error *err)
{
	struct registration *registration = &object->as.registration;
	struct user *user = &object->as.user, before;

	if (object->kind == &graph_user) {
		before = *user;
		user->administrator = value;
		return user_put(&r->tx, &before, user, err);
	}
	if (object->kind != &graph_service_principal)
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "Only users and service principals can have this role.");
	registration->administrator = value;
	return registration_put(&r->tx, registration, err);
}

static bool
load(struct request *r, view id, struct graph_object *out, struct error *err)
{
	return graph_load(&r->tx, &r->caller.tenant, id, OBJECT_ANY, STORE_CHANGE, out, err);
}

/* The audit log says who became one. */
static bool
name_for_audit(struct request *r, const struct uuid *member, struct error *err)
{
	return arena_print(r->arena, &r->object_id, "https://%.*s/v1.0/directoryRoles/members/%s",
		   VIEW_ARG(r->authority), member->text) ||
	    error_memory(err);
}

bool
graph_administrator_add(struct request *r, struct error *err)
{
	const struct graph_reference_body *body = r->body;
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct uuid member;

	return graph_reference(body->url.text, "@odata.id", &member, err) &&
	    load(r, uuid_view(&member), &object, err) && set_flag(r, &object, true, err) &&
	    administrators_add(&r->tx, &r->caller.tenant, &member, err) &&
	    name_for_audit(r, &member, err) && graph_done(r);
}

bool
graph_administrator_remove(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };

	return load(r, r->params[0], &object, err) && set_flag(r, &object, false, err) &&
	    administrators_leave(&r->tx, &r->caller.tenant, graph_object_id(&object), false, err) &&
	    graph_done(r);
}
