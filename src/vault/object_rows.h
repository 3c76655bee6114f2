/*
 * Functions of rows that every type of object has.  The row's ->detail is the type.
 */
#ifndef VAULT_OBJECT_ROWS_H
#define VAULT_OBJECT_ROWS_H

#include "vault/object.h"

bool row_list(struct request *r, struct error *err);
bool row_list_versions(struct request *r, struct error *err);
bool row_list_deleted(struct request *r, struct error *err);
bool row_get_deleted(struct request *r, struct error *err);
bool row_delete(struct request *r, struct error *err);
bool row_recover(struct request *r, struct error *err);
bool row_purge(struct request *r, struct error *err);
bool row_backup(struct request *r, struct error *err);
bool row_restore(struct request *r, struct error *err); /* of object_restore_fields */

#endif
