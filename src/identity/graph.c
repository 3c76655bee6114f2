/*
 * The directory's rows: as much of Microsoft Graph as clients need to find and make applications.
 */
#include "identity/graph_row.h"
#include "identity/identity.h"

#define READ(row_name, row_method, row_path, row_cost, row_run)                        \
	{                                                                              \
		.name = (row_name), .plane = PLANE_GRAPH, .method = (row_method),      \
		.path = (row_path), .guard = GUARD_CALLER, .versioning = VERSION_NONE, \
		.cost = (row_cost), .run = (row_run)                                   \
	}
#define WRITE(row_name, row_method, row_path, row_run)                                \
	{                                                                             \
		.name = (row_name), .plane = PLANE_GRAPH, .method = (row_method),     \
		.path = (row_path), .guard = GUARD_ADMIN, .versioning = VERSION_NONE, \
		.cost = COST_POOL, .run = (row_run)                                   \
	}
#define WRITE_BODY(row_name, row_path, row_fields, row_body, row_run)                              \
	{                                                                                          \
		.name = (row_name), .plane = PLANE_GRAPH, .method = HTTP_POST, .path = (row_path), \
		.guard = GUARD_ADMIN, .versioning = VERSION_NONE, .cost = COST_POOL,               \
		.body = (row_fields), .body_size = sizeof(row_body), .run = (row_run)              \
	}

const struct op graph_ops[] = {
	READ("Application.List", HTTP_GET, "/v1.0/applications", COST_POOL,
	    graph_applications_list),
	READ("Application.Get", HTTP_GET, "/v1.0/applications/{id}", COST_LOOP,
	    graph_application_get),
	READ("ServicePrincipal.List", HTTP_GET, "/v1.0/servicePrincipals", COST_POOL,
	    graph_service_principals_list),
	READ("ServicePrincipal.Get", HTTP_GET, "/v1.0/servicePrincipals/{id}", COST_LOOP,
	    graph_service_principal_get),
	READ("DirectoryObject.GetByIds", HTTP_POST, "/v1.0/directoryObjects/getByIds", COST_POOL,
	    graph_get_by_ids),
	READ("DirectoryObject.GetByIds", HTTP_POST,
	    "/v1.0/directoryObjects/microsoft.graph.getByIds", COST_POOL, graph_get_by_ids),
	READ("User.GetMe", HTTP_GET, "/v1.0/me", COST_LOOP, graph_me),
	WRITE_BODY("Application.Create", "/v1.0/applications", graph_application_fields,
	    struct graph_application_body, graph_application_create),
	WRITE("Application.Delete", HTTP_DELETE, "/v1.0/applications/{id}",
	    graph_application_delete),
	WRITE_BODY("Application.AddPassword", "/v1.0/applications/{id}/addPassword",
	    graph_password_fields, struct graph_password_body, graph_application_add_password),
	WRITE_BODY("ServicePrincipal.Create", "/v1.0/servicePrincipals", graph_principal_fields,
	    struct graph_principal_body, graph_service_principal_create),
	{ .name = NULL },
};
