#include "identity/principal.h"

#include "identity/application_store.h"
#include "identity/directory.h"
#include "identity/group_store.h"
#include "identity/principals.h"
#include "identity/user_store.h"

bool
directory_principal(struct directory *directory, const struct uuid *object, struct principal *out)
{
	return principals_find(directory->principals, object, out);
}

void
directory_memberships(struct directory *directory, const struct uuid *object,
    struct memberships *out)
{
	principals_memberships(directory->principals, object, out);
}

const char *
principal_type(enum principal_kind kind)
{
	static const char *const types[] = {
		[PRINCIPAL_NONE] = "Unknown",
		[PRINCIPAL_USER] = "User",
		[PRINCIPAL_GROUP] = "Group",
		[PRINCIPAL_APPLICATION] = "ServicePrincipal",
		[PRINCIPAL_IDENTITY] = "ServicePrincipal",
	};

	return types[kind];
}

static bool
keep(struct tx *tx, view name, view *out, struct error *err)
{
	return arena_copy(tx->arena, name, out) || error_memory(err);
}

static bool
user_name(struct tx *tx, const struct uuid *object, view *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct user user;

	return user_get(tx, object, STORE_READ, &document, &user, err) &&
	    keep(tx, user.upn, out, err);
}

static bool
group_name(struct tx *tx, const struct uuid *object, view *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct security_group group;

	return security_group_get(tx, object, STORE_READ, &document, &group, err) &&
	    keep(tx, group.name, out, err);
}

static bool
application_name(struct tx *tx, const struct uuid *object, view *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	enum object_kind kind = OBJECT_SERVICE_PRINCIPAL;
	struct registration registration;

	return registration_by_object(tx, uuid_view(object), &kind, STORE_READ, &document,
		   &registration, err) &&
	    keep(tx, registration.name, out, err);
}

bool
principal_name(struct tx *tx, const struct uuid *object, view *out, struct error *err)
{
	struct oid found;
	bool fine;

	*out = V("");
	if (!oid_get(tx, uuid_view(object), STORE_READ, &found, err))
		return err->code == ERR_GRAPH_NOT_FOUND;
	if (found.kind == OBJECT_USER)
		fine = user_name(tx, object, out, err);
	else if (found.kind == OBJECT_GROUP)
		fine = group_name(tx, object, out, err);
	else
		fine = application_name(tx, object, out, err);
	return fine || err->code == ERR_GRAPH_NOT_FOUND;
}

void
principal_groups(struct directory *directory, const struct uuid *object,
    struct uuid out[MEMBERSHIPS_DIRECT_MAX], size_t *count)
{
	(void)principals_groups(directory->principals, object, out, MEMBERSHIPS_DIRECT_MAX, count);
}

size_t
principal_group_count(struct directory *directory, const struct uuid *object)
{
	return principals_group_count(directory->principals, object);
}

bool
principal_leave(struct directory *directory, struct tx *tx, const struct uuid *object,
    struct error *err)
{
	struct uuid *groups = arena_alloc(tx->arena, MEMBERSHIPS_DIRECT_MAX * sizeof(*groups));
	size_t count;

	if (groups == NULL)
		return error_memory(err);
	principal_groups(directory, object, groups, &count);
	for (size_t i = 0; i < count; i++) {
		if (!membership_delete(tx, &groups[i], object, err))
			return false;
	}
	return true;
}
