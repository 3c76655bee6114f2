#include "graph/object.h"

void
graph_object_done(struct graph_object *object)
{
	plain_free(object->document);
	*object = (struct graph_object){ .kind = NULL };
}

const struct uuid *
graph_object_id(const struct graph_object *object)
{
	switch (object->kind->object) {
	case OBJECT_USER: return &object->as.user.object;
	case OBJECT_GROUP: return &object->as.group.object;
	case OBJECT_APPLICATION: return &object->as.registration.own;
	default: return &object->as.registration.object;
	}
}

static const struct graph_kind *
kind_of(enum object_kind kind)
{
	static const struct graph_kind *const kinds[] = {
		[OBJECT_APPLICATION] = &graph_application,
		[OBJECT_SERVICE_PRINCIPAL] = &graph_service_principal,
		[OBJECT_USER] = &graph_user,
		[OBJECT_GROUP] = &graph_group,
	};

	return kinds[kind];
}

bool
graph_load(struct tx *tx, const struct uuid *tenant, view id, enum object_kind wanted,
    enum store_use use, struct graph_object *out, struct error *err)
{
	struct uuid object;
	struct oid found;
	bool fine;

	*out = (struct graph_object){ .kind = NULL };
	if (!uuid_parse(id, &object))
		return object_not_found(err, id);
	if (!oid_get(tx, id, STORE_READ, &found, err))
		return false;
	if ((wanted != OBJECT_ANY && wanted != found.kind) ||
	    !view_eq(uuid_view(&found.tenant), uuid_view(tenant)))
		return object_not_found(err, id);
	if (found.kind == OBJECT_USER)
		fine = user_get(tx, &object, use, &out->document, &out->as.user, err);
	else if (found.kind == OBJECT_GROUP)
		fine = security_group_get(tx, &object, use, &out->document, &out->as.group, err);
	else
		fine = registration_get(tx, uuid_view(tenant), uuid_view(&found.id), use,
		    &out->document, &out->as.registration, err);
	out->kind = fine ? kind_of(found.kind) : NULL;
	return fine;
}

/* By appid: an application without service principal is none of these. */
static bool
load_registration(struct tx *tx, const struct uuid *tenant, const struct graph_kind *kind,
    view appid, enum store_use use, struct graph_object *out, struct error *err)
{
	const struct registration *found = &out->as.registration;

	if (!registration_get(tx, uuid_view(tenant), appid, use, &out->document,
		&out->as.registration, err))
		return false;
	out->kind = kind;
	if (kind == &graph_application ? found->kind != REGISTRATION_IDENTITY : !found->bare)
		return true;
	graph_object_done(out);
	return object_not_found(err, appid);
}

bool
graph_load_key(struct tx *tx, const struct uuid *tenant, const struct graph_kind *kind,
    const char *key, view value, enum store_use use, struct graph_object *out, struct error *err)
{
	*out = (struct graph_object){ .kind = NULL };
	if (view_eq(view_of(key), V("id")))
		return graph_load(tx, tenant, value, kind->object, use, out, err);
	if (kind->object != OBJECT_USER)
		return load_registration(tx, tenant, kind, value, use, out, err);
	if (!user_by_upn(tx, tenant, value, use, &out->document, &out->as.user, err))
		return false;
	out->kind = kind;
	return true;
}
