/*
 * The directory's rows: as much of Microsoft Graph as clients need to find and change users,
 * groups and applications.
 */
#include "graph/graph.h"

#include "graph/row.h"

#define GRAPH(row_name, row_method, row_path, row_guard, row_target, row_run)        \
	.name = (row_name), .plane = PLANE_GRAPH, .method = (row_method),            \
	.path = "/v1.0/" row_path, .guard = (row_guard), .versioning = VERSION_NONE, \
	.cost = COST_POOL, .run = (row_run), .detail = (row_target)

/* Anybody of the tenant reads. */
#define READ(row_name, row_path, row_target, row_run)                                  \
	{                                                                              \
		GRAPH(row_name, HTTP_GET, row_path, GUARD_CALLER, row_target, row_run) \
	}

/* A question asked by POST. */
#define ASK(row_name, row_path, row_target, row_fields, row_body, row_run)               \
	{                                                                                \
		GRAPH(row_name, HTTP_POST, row_path, GUARD_CALLER, row_target, row_run), \
		    .body = (row_fields), .body_size = sizeof(row_body)                  \
	}
#define WRITE(row_name, row_method, row_path, row_target, row_fields, row_body, row_run) \
	{                                                                                \
		GRAPH(row_name, row_method, row_path, GUARD_ADMIN, row_target, row_run), \
		    .body = (row_fields), .body_size = sizeof(row_body)                  \
	}
#define DELETE(row_name, row_path, row_target, row_run)                                  \
	{                                                                                \
		GRAPH(row_name, HTTP_DELETE, row_path, GUARD_ADMIN, row_target, row_run) \
	}

/* What can be asked about whoever may be in groups. */
#define MEMBERSHIPS(row_prefix, row_path, row_target)                                              \
	READ(row_prefix ".ListMemberOf", row_path "/memberOf", row_target, graph_member_of),       \
	    READ(row_prefix ".ListTransitiveMemberOf", row_path "/transitiveMemberOf", row_target, \
		graph_transitive_member_of),                                                       \
	    ASK(row_prefix ".GetMemberGroups", row_path "/getMemberGroups", row_target,            \
		graph_member_groups_fields, struct graph_member_groups_body, graph_member_groups), \
	    ASK(row_prefix ".GetMemberObjects", row_path "/getMemberObjects", row_target,          \
		graph_member_groups_fields, struct graph_member_groups_body, graph_member_groups), \
	    ASK(row_prefix ".CheckMemberGroups", row_path "/checkMemberGroups", row_target,        \
		graph_check_groups_fields, struct graph_check_groups_body,                         \
		graph_check_member_groups)

/* An application or a service principal, however it is named. */
#define REGISTRATION(row_prefix, row_path, row_target, row_fields, row_patch, row_delete)          \
	READ(row_prefix ".Get", row_path, row_target, graph_get),                                  \
	    WRITE(row_prefix ".Update", HTTP_PATCH, row_path, row_target, row_fields,              \
		struct graph_application_body, row_patch),                                         \
	    DELETE(row_prefix ".Delete", row_path, row_target, row_delete),                        \
	    WRITE(row_prefix ".AddPassword", HTTP_POST, row_path "/addPassword", row_target,       \
		graph_add_password_fields, struct graph_password_body, graph_add_password),        \
	    WRITE(row_prefix ".RemovePassword", HTTP_POST, row_path "/removePassword", row_target, \
		graph_remove_password_fields, struct graph_password_body, graph_remove_password),  \
	    READ(row_prefix ".ListOwners", row_path "/owners", row_target, graph_nothing_owned)

#define FEDERATED(row_path, row_target)                                                       \
	READ("FederatedIdentityCredential.List", row_path "/federatedIdentityCredentials",    \
	    row_target, graph_federated_list),                                                \
	    READ("FederatedIdentityCredential.Get",                                           \
		row_path "/federatedIdentityCredentials/{credential}", row_target,            \
		graph_federated_get),                                                         \
	    WRITE("FederatedIdentityCredential.Create", HTTP_POST,                            \
		row_path "/federatedIdentityCredentials", row_target, graph_federated_fields, \
		struct graph_federated_body, graph_federated_create),                         \
	    WRITE("FederatedIdentityCredential.Update", HTTP_PATCH,                           \
		row_path "/federatedIdentityCredentials/{credential}", row_target,            \
		graph_federated_fields, struct graph_federated_body, graph_federated_patch),  \
	    DELETE("FederatedIdentityCredential.Delete",                                      \
		row_path "/federatedIdentityCredentials/{credential}", row_target,            \
		graph_federated_delete)

#define ADMINISTRATORS(row_path)                                                                 \
	READ("DirectoryRole.ListMembers", row_path "/members", NULL, graph_administrators_list), \
	    WRITE("DirectoryRole.AddMember", HTTP_POST, row_path "/members/$ref", NULL,          \
		graph_reference_fields, struct graph_reference_body, graph_administrator_add),   \
	    DELETE("DirectoryRole.RemoveMember", row_path "/members/{id}/$ref", NULL,            \
		graph_administrator_remove)

#define ROLE "62e90394-69f5-4237-9190-012177145e10"

const struct op graph_ops[] = {
	READ("Application.List", "applications", &graph_application, graph_list),
	WRITE("Application.Create", HTTP_POST, "applications", NULL, graph_application_fields,
	    struct graph_application_body, graph_application_create),
	REGISTRATION("Application", "applications/{id}", &graph_target_application,
	    graph_application_patch_fields, graph_application_patch, graph_application_delete),
	REGISTRATION("Application", "applications(appId='{appId}')",
	    &graph_target_application_by_appid, graph_application_patch_fields,
	    graph_application_patch, graph_application_delete),
	FEDERATED("applications/{id}", &graph_target_application),
	FEDERATED("applications(appId='{appId}')", &graph_target_application_by_appid),

	READ("ServicePrincipal.List", "servicePrincipals", &graph_service_principal, graph_list),
	WRITE("ServicePrincipal.Create", HTTP_POST, "servicePrincipals", NULL,
	    graph_principal_fields, struct graph_principal_body, graph_principal_create),
	REGISTRATION("ServicePrincipal", "servicePrincipals/{id}", &graph_target_principal,
	    graph_principal_patch_fields, graph_principal_patch, graph_principal_delete),
	REGISTRATION("ServicePrincipal", "servicePrincipals(appId='{appId}')",
	    &graph_target_principal_by_appid, graph_principal_patch_fields, graph_principal_patch,
	    graph_principal_delete),
	MEMBERSHIPS("ServicePrincipal", "servicePrincipals/{id}", &graph_target_principal),

	READ("User.List", "users", &graph_user, graph_list),
	WRITE("User.Create", HTTP_POST, "users", NULL, graph_user_fields, struct graph_user_body,
	    graph_user_create),
	READ("User.Get", "users/{id}", &graph_target_user, graph_get),
	WRITE("User.Update", HTTP_PATCH, "users/{id}", &graph_target_user, graph_user_fields,
	    struct graph_user_body, graph_user_patch),
	DELETE("User.Delete", "users/{id}", &graph_target_user, graph_user_delete),
	MEMBERSHIPS("User", "users/{id}", &graph_target_user),

	READ("User.GetMe", "me", &graph_target_me, graph_get),
	READ("User.ListOwnedObjects", "me/ownedObjects", &graph_target_me, graph_nothing_owned),
	ASK("User.ChangePassword", "me/changePassword", &graph_target_me,
	    graph_change_password_fields, struct graph_change_password_body, graph_change_password),
	MEMBERSHIPS("User", "me", &graph_target_me),

	READ("Group.List", "groups", &graph_group, graph_list),
	WRITE("Group.Create", HTTP_POST, "groups", NULL, graph_group_fields,
	    struct graph_group_body, graph_group_create),
	READ("Group.Get", "groups/{id}", &graph_target_group, graph_get),
	WRITE("Group.Update", HTTP_PATCH, "groups/{id}", &graph_target_group, graph_group_fields,
	    struct graph_group_body, graph_group_patch),
	DELETE("Group.Delete", "groups/{id}", &graph_target_group, graph_group_delete),
	READ("Group.ListMembers", "groups/{id}/members", &graph_target_group, graph_members_list),
	WRITE("Group.AddMember", HTTP_POST, "groups/{id}/members/$ref", &graph_target_group,
	    graph_reference_fields, struct graph_reference_body, graph_member_add),
	DELETE("Group.RemoveMember", "groups/{id}/members/{member}/$ref", &graph_target_group,
	    graph_member_remove),
	READ("Group.ListOwners", "groups/{id}/owners", &graph_target_group, graph_nothing_owned),
	MEMBERSHIPS("Group", "groups/{id}", &graph_target_group),

	READ("DirectoryObject.Get", "directoryObjects/{id}", &graph_target_any, graph_get),
	ASK("DirectoryObject.GetByIds", "directoryObjects/getByIds", NULL, graph_ids_fields,
	    struct graph_ids_body, graph_get_by_ids),
	ASK("DirectoryObject.GetByIds", "directoryObjects/microsoft.graph.getByIds", NULL,
	    graph_ids_fields, struct graph_ids_body, graph_get_by_ids),
	MEMBERSHIPS("DirectoryObject", "directoryObjects/{id}", &graph_target_any),

	READ("Organization.List", "organization", NULL, graph_organization),
	READ("DirectoryRole.List", "directoryRoles", NULL, graph_directory_roles),
	ADMINISTRATORS("directoryRoles(roleTemplateId='" ROLE "')"),
	ADMINISTRATORS("directoryRoles/" ROLE),
	{ .name = NULL },
};
