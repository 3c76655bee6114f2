#include "vault/due_object.h"

void
due_object_done(struct due_object *object)
{
	object_done(&object->object);
	version_done(&object->latest);
}

bool
due_object_find(const struct services *services, struct tx *tx, const struct due *due,
    const struct object_type *type, struct due_object *out, struct error *err)
{
	struct request *r = &out->request;
	bool found;

	if (!due_vault(tx, due, &out->vault, &out->where, err))
		return false;
	if (out->where == VAULT_GONE)
		return true;
	*r = (struct request){
		.services = services,
		.vault = &out->vault,
		.arena = tx->arena,
		.params = { due->name },
		.param_count = 1,
		.tx = *tx,
	};
	found =
	    object_require(r, type, due->name, V(""), TO_CHANGE, &out->object, &out->latest, err);
	if (!found && err->code != type->not_found)
		return false;
	out->found = found && view_eq(view_of(out->object.id), due->object);
	due_object_keep(out, tx);
	return true;
}

void
due_object_keep(const struct due_object *object, struct tx *tx)
{
	if (object->where != VAULT_GONE)
		*tx = object->request.tx;
}
