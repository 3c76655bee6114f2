#include "vault/object_rows.h"

bool
row_list(struct request *r, struct error *err)
{
	return object_list(r, r->op->detail, OBJECT_LIVE, err);
}

bool
row_list_versions(struct request *r, struct error *err)
{
	return object_list_versions(r, r->op->detail, err);
}

bool
row_list_deleted(struct request *r, struct error *err)
{
	return object_list(r, r->op->detail, OBJECT_DELETED, err);
}

bool
row_get_deleted(struct request *r, struct error *err)
{
	return object_get_deleted(r, r->op->detail, err);
}

bool
row_delete(struct request *r, struct error *err)
{
	return object_delete(r, r->op->detail, err);
}

bool
row_recover(struct request *r, struct error *err)
{
	return object_recover(r, r->op->detail, err);
}

bool
row_purge(struct request *r, struct error *err)
{
	return object_purge(r, r->op->detail, err);
}

bool
row_backup(struct request *r, struct error *err)
{
	return object_backup(r, r->op->detail, err);
}

bool
row_restore(struct request *r, struct error *err)
{
	const struct object_restore_body *body = r->body;

	return object_restore(r, r->op->detail, body->value.text, err);
}
