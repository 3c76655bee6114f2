#include "identity/managed.h"

#include "base/clock.h"
#include "base/json.h"
#include "crypto/random.h"
#include "identity/principal.h"

#define RESOURCE_MAX 1024

bool
managed_identity_create(struct tx *tx, struct managed_identity *identity, struct error *err)
{
	struct registration registration = {
		.kind = REGISTRATION_IDENTITY,
		.tenant = identity->tenant,
		.name = identity->name,
		.resource = identity->resource,
		.created = clock_wall(),
	};

	if (identity->name.len == 0 || identity->name.len > APPLICATION_NAME_MAX ||
	    !utf8_valid(identity->name) || identity->resource.len > RESOURCE_MAX ||
	    !utf8_valid(identity->resource))
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "The managed identity's name is not valid.");
	random_uuid(&registration.id);
	random_uuid(&registration.object);
	random_uuid(&registration.own);
	identity->object = registration.object;
	identity->application = registration.id;
	return registration_add(tx, &registration, err);
}

bool
managed_identity_take(struct tx *tx, const struct uuid *object, struct plain **document,
    struct registration *out, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	enum object_kind kind = OBJECT_SERVICE_PRINCIPAL;

	if (!registration_by_object(tx, uuid_view(object), &kind, STORE_CHANGE, &plain, out, err))
		return false;
	if (out->kind != REGISTRATION_IDENTITY)
		return object_not_found(err, uuid_view(object));
	*document = plain;
	plain = NULL;
	return true;
}

bool
managed_identity_delete(struct tx *tx, struct directory *directory, const struct uuid *object,
    struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration registration;

	return managed_identity_take(tx, object, &document, &registration, err) &&
	    registration_delete(tx, &registration, err) &&
	    principal_leave(directory, tx, object, err);
}

static bool
check_identity(struct tx *tx, const struct uuid *tenant, const struct uuid *id, struct error *err)
{
	struct oid found = { .kind = OBJECT_ANY };

	if (!oid_get(tx, uuid_view(id), STORE_CHANGE, &found, err) &&
	    err->code != ERR_GRAPH_NOT_FOUND)
		return false;
	if (found.kind == OBJECT_SERVICE_PRINCIPAL && found.identity &&
	    view_eq(uuid_view(&found.tenant), uuid_view(tenant)))
		return true;
	return error_set(err, ERR_GRAPH_BAD_REQUEST, "'%s' is not a managed identity.", id->text);
}

bool
managed_identity_attach(struct tx *tx, const struct uuid *host, const struct uuid *ids,
    size_t count, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	enum object_kind kind = OBJECT_SERVICE_PRINCIPAL;
	struct registration registration;

	if (count > APPLICATION_ATTACHED_MAX)
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "At most %d managed identities can be attached.", APPLICATION_ATTACHED_MAX);
	if (!registration_by_object(tx, uuid_view(host), &kind, STORE_CHANGE, &document,
		&registration, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!check_identity(tx, &registration.tenant, &ids[i], err))
			return false;
		registration.attached[i] = ids[i];
	}
	registration.attached_count = count;
	return registration_put(tx, &registration, err);
}
