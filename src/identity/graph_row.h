/*
 * The functions of the directory's rows.
 */
#ifndef IDENTITY_GRAPH_ROW_H
#define IDENTITY_GRAPH_ROW_H

#include "api/body.h"
#include "api/request.h"
#include "identity/graph_object.h"

/* graph_read.c */
op_run graph_applications_list, graph_service_principals_list, graph_application_get,
    graph_service_principal_get, graph_get_by_ids, graph_me;

/* graph_write.c */
op_run graph_application_create, graph_application_delete, graph_application_add_password,
    graph_service_principal_create;
extern const struct field graph_application_fields[], graph_password_fields[],
    graph_principal_fields[];

struct graph_application_body {
	struct body_text name;
	struct body_list keys; /* of struct graph_key_body */
};
struct graph_key_body {
	struct body_text type, usage, key, name;
};
struct graph_password_body {
	struct body_text name, end;
};
struct graph_principal_body {
	struct body_text app_id;
};

/*
 * graph_find(tx, tenant, id, kind, use, document, out, err):
 * An object of one tenant by its id; *kind says which is wanted, and which it was.
 */
MUST_USE bool graph_find(struct tx *tx, const struct uuid *tenant, view id, enum object_kind *kind,
    enum store_use use, struct plain **document, struct registration *out, struct error *err);

/* graph_reply(r, status, kind, registration, err): Answer with one object. */
MUST_USE bool graph_reply(struct request *r, int status, const struct graph_kind *kind,
    const struct registration *registration, struct error *err);

#endif
