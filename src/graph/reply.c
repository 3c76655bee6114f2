/*
 * What the directory's rows share: their object, and how it is answered.
 */
#include "graph/row.h"

const struct graph_target graph_target_any = { .key = "id" };
const struct graph_target graph_target_me = { .kind = &graph_user, .me = true };
const struct graph_target graph_target_user = { &graph_user, "id", false };
const struct graph_target graph_target_group = { &graph_group, "id", false };
const struct graph_target graph_target_application = { &graph_application, "id", false };
const struct graph_target graph_target_application_by_appid = { &graph_application, "appId",
	false };
const struct graph_target graph_target_principal = { &graph_service_principal, "id", false };
const struct graph_target graph_target_principal_by_appid = { &graph_service_principal, "appId",
	false };

static bool
me_load(struct request *r, enum store_use use, struct graph_object *out, struct error *err)
{
	*out = (struct graph_object){ .kind = NULL };
	if (!r->caller.person)
		return error_set(err, ERR_BAD_REQUEST,
		    "/me request is only valid with delegated authentication flow.");
	return graph_load(&r->tx, &r->caller.tenant, uuid_view(&r->caller.object), OBJECT_USER, use,
	    out, err);
}

bool
graph_target_load(struct request *r, enum store_use use, struct graph_object *out,
    struct error *err)
{
	const struct graph_target *target = r->op->detail;
	const char *key = target->key;
	size_t at;

	if (target->me)
		return me_load(r, use, out, err);
	if (target->kind == NULL)
		return graph_load(&r->tx, &r->caller.tenant, r->params[0], OBJECT_ANY, use, out,
		    err);
	/* A user is asked for by either. */
	if (target->kind == &graph_user && view_find(r->params[0], '@', &at))
		key = "userPrincipalName";
	return graph_load_key(&r->tx, &r->caller.tenant, target->kind, key, r->params[0], use, out,
	    err);
}

bool
graph_written(const struct request *r, struct error *err)
{
	return buf_ok(&r->out->body) || error_memory(err);
}

bool
graph_done(struct request *r)
{
	r->out->status = 204;
	return true;
}

bool
graph_reply(struct request *r, int status, const struct graph_object *object, struct error *err)
{
	struct graph_select select;
	struct json *json;
	view text = V("");

	(void)request_query(r, "$select", &text);
	if (!graph_select_parse(text, &select))
		return error_set(err, ERR_GRAPH_BAD_REQUEST, "$select names too many properties.");
	json = reply_json(r);
	r->out->status = status;
	json_open(json, '{');
	graph_context(r->authority, object->kind->collection, true, json);
	graph_members_write(object->kind->members, &select, &object->as, json);
	json_close(json, '}');
	return (arena_print(r->arena, &r->object_id, "https://%.*s/v1.0/%s/%s",
		    VIEW_ARG(r->authority), object->kind->collection,
		    graph_object_id(object)->text) &&
		   buf_ok(&r->out->body)) ||
	    error_memory(err);
}

void
graph_typed(const struct graph_object *object, const struct graph_select *select, struct json *json)
{
	json_open(json, '{');
	json_text(json, "@odata.type", view_of(object->kind->type));
	graph_members_write(object->kind->members, select, &object->as, json);
	json_close(json, '}');
}

struct json *
graph_list_open(struct request *r, const char *context)
{
	struct json *json = reply_json(r);

	json_open(json, '{');
	graph_context(r->authority, context, false, json);
	json_open_in(json, "value", '[');
	return json;
}

bool
graph_list_close(struct request *r, struct error *err)
{
	json_close(&r->json, ']');
	json_close(&r->json, '}');
	return graph_written(r, err);
}

bool
graph_reference(view text, const char *member, struct uuid *out, struct error *err)
{
	bool fine = view_istarts(text, V("https://"));
	view id = V("");

	while (fine && text.len > 0)
		id = view_cut(&text, '/');
	return (fine && uuid_parse(id, out)) ||
	    error_set(err, ERR_GRAPH_BAD_REQUEST, "Invalid URL format specified in %s.", member);
}
