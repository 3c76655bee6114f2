#include "graph/row.h"

#include "identity/tenant_store.h"

#include <stddef.h>

#define IDS_MAX 1000
#define TYPES_MAX 16

const struct field graph_ids_fields[] = {
	{ "ids", FIELD_TEXTS, offsetof(struct graph_ids_body, ids), .max = IDS_MAX,
	    .required = true },
	{ "types", FIELD_TEXTS, offsetof(struct graph_ids_body, types), .max = TYPES_MAX },
	{ .name = NULL },
};

bool
graph_get(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object;

	return graph_target_load(r, STORE_READ, &object, err) && graph_reply(r, 200, &object, err);
}

/* No types: all of them. */
static bool
type_wanted(const struct body_texts *types, const struct graph_kind *kind)
{
	view name = view_from(view_of(kind->type), sizeof("#microsoft.graph.") - 1);

	for (size_t i = 0; i < types->count; i++) {
		if (view_ieq(types->texts[i], name) ||
		    view_ieq(types->texts[i], V("directoryObject")))
			return true;
	}
	return types->count == 0;
}

/* Ids that name nothing are left out. */
static bool
write_object(struct request *r, view id, const struct body_texts *types, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(graph_object_done) struct graph_object object;
	struct tx tx = r->tx;

	/* A thousand documents would not fit into what one request may use. */
	arena_init(&arena, (size_t)1024 * 1024);
	tx.arena = &arena;
	if (!graph_load(&tx, &r->caller.tenant, id, OBJECT_ANY, STORE_READ, &object, err))
		return err->code == ERR_GRAPH_NOT_FOUND;
	if (type_wanted(types, object.kind))
		graph_typed(&object, NULL, &r->json);
	return true;
}

bool
graph_get_by_ids(struct request *r, struct error *err)
{
	const struct graph_ids_body *body = r->body;

	(void)graph_list_open(r, "directoryObjects");
	for (size_t i = 0; i < body->ids.count; i++) {
		if (!write_object(r, body->ids.texts[i], &body->types, err))
			return false;
	}
	return graph_list_close(r, err);
}

static void
write_organization(const struct request *r, const struct tenant_record *tenant, struct json *json)
{
	view rest = r->domain, domain = view_cut(&rest, ':');

	json_open(json, '{');
	json_text(json, "id", uuid_view(&r->caller.tenant));
	json_text(json, "displayName", tenant->name);
	json_open_in(json, "verifiedDomains", '[');
	json_open(json, '{');
	json_text(json, "capabilities", V("Email, OfficeCommunicationsOnline"));
	json_flag(json, "isDefault", true);
	json_flag(json, "isInitial", true);
	json_text(json, "name", domain);
	json_text(json, "type", V("Managed"));
	json_close(json, '}');
	json_close(json, ']');
	json_close(json, '}');
}

bool
graph_organization(struct request *r, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct tenant_record tenant;
	view path;

	if (!arena_print(r->arena, &path, "t/%s", r->caller.tenant.text))
		return error_memory(err);
	if (!directory_read(&r->tx, path, STORE_READ, &document, err))
		return false;
	if (document == NULL)
		return object_not_found(err, uuid_view(&r->caller.tenant));
	if (!tenant_record_read(plain_view(document), &tenant, err))
		return false;
	write_organization(r, &tenant, graph_list_open(r, "organization"));
	return graph_list_close(r, err);
}

/* Nobody owns objects here: administrators change them, all. */
bool
graph_nothing_owned(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object;

	if (!graph_target_load(r, STORE_READ, &object, err))
		return false;
	(void)graph_list_open(r, "directoryObjects");
	return graph_list_close(r, err);
}
