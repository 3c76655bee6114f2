/*
 * The functions of the directory's rows, and what they share.
 */
#ifndef GRAPH_ROW_H
#define GRAPH_ROW_H

#include "api/body.h"
#include "api/request.h"
#include "graph/object.h"

/* What a row is about: its ->detail.  Lists have the kind itself there. */
struct graph_target {
	const struct graph_kind *kind; /* NULL: any but applications */
	const char *key;               /* the member that the path's first parameter names */
	bool me;                       /* the caller, who has to be a user */
};

extern const struct graph_target graph_target_any, graph_target_me, graph_target_user,
    graph_target_group, graph_target_application, graph_target_application_by_appid,
    graph_target_principal, graph_target_principal_by_appid;

/* graph_target_load(r, use, out, err): The row's object; the caller frees it. */
MUST_USE bool graph_target_load(struct request *r, enum store_use use, struct graph_object *out,
    struct error *err);

/* graph_reply(r, status, object, err): Answer with one object. */
MUST_USE bool graph_reply(struct request *r, int status, const struct graph_object *object,
    struct error *err);

/* graph_done(r): Answer with nothing: 204.  Always true. */
bool graph_done(struct request *r);
bool graph_written(const struct request *r, struct error *err);

/* graph_typed(object, select, json): An object in a list of several kinds. */
void graph_typed(const struct graph_object *object, const struct graph_select *select,
    struct json *json);

/* graph_list_open, graph_list_close: {"@odata.context":…,"value":[ … ]} */
struct json *graph_list_open(struct request *r, const char *context);
bool graph_list_close(struct request *r, struct error *err);

#define GRAPH_TOP_DEFAULT 100
#define GRAPH_TOP_MAX 999

/* What a client wants of a list; starts after the object ${after}, or empty: at the first. */
struct graph_page {
	size_t left; /* items that may still be written */
	struct uuid after;
	struct graph_select select;
};
MUST_USE bool graph_page_read(const struct request *r, struct graph_page *out, struct error *err);
MUST_USE bool graph_page_next(struct request *r, const struct uuid *last, struct error *err);

/* list.c; ->detail is the kind */
op_run graph_list;

/* read.c */
op_run graph_get, graph_get_by_ids, graph_organization, graph_nothing_owned;
extern const struct field graph_ids_fields[];

/* write.c */
op_run graph_application_create, graph_application_patch, graph_application_delete,
    graph_principal_create, graph_principal_patch, graph_principal_delete;
extern const struct field graph_application_fields[], graph_application_patch_fields[],
    graph_principal_fields[], graph_principal_patch_fields[];

/* credential.c */
op_run graph_add_password, graph_remove_password;
extern const struct field graph_add_password_fields[], graph_remove_password_fields[];

/* federated.c */
op_run graph_federated_list, graph_federated_get, graph_federated_create, graph_federated_patch,
    graph_federated_delete;
extern const struct field graph_federated_fields[];

/* users.c */
op_run graph_user_create, graph_user_patch, graph_user_delete, graph_change_password;
extern const struct field graph_user_fields[], graph_change_password_fields[];

/* groups.c */
op_run graph_group_create, graph_group_patch, graph_group_delete, graph_member_add,
    graph_member_remove, graph_members_list;
extern const struct field graph_group_fields[], graph_reference_fields[];

/* memberships.c */
op_run graph_member_of, graph_transitive_member_of, graph_member_groups, graph_check_member_groups;
extern const struct field graph_member_groups_fields[], graph_check_groups_fields[];

/* roles.c */
op_run graph_administrators_list, graph_administrator_add, graph_administrator_remove,
    graph_directory_roles;

struct graph_key_body {
	struct body_text id, type, usage, key, name;
};
struct graph_application_body {
	struct body_text name;
	struct body_flag enabled; /* of service principals only */
	struct body_list keys;    /* of struct graph_key_body */
	struct body_texts web, public_client, spa;
};
struct graph_password_body {
	struct body_text name, end, id;
};
struct graph_principal_body {
	struct body_text app_id;
};
struct graph_federated_body {
	struct body_text name, issuer, subject, description;
	struct body_texts audiences;
};
struct graph_user_body {
	struct body_text upn, name, mail, given, family, password;
	struct body_flag enabled, must_change;
};
struct graph_change_password_body {
	struct body_text current, next;
};
struct graph_group_body {
	struct body_text name, nickname, description;
	struct body_flag mail_enabled, security_enabled;
	struct body_texts members;
};
struct graph_reference_body {
	struct body_text url;
};
struct graph_member_groups_body {
	struct body_flag security_only;
};
struct graph_ids_body {
	struct body_texts ids, types;
};
struct graph_check_groups_body {
	struct body_texts ids;
};

/* graph_reference(text, member, out, err): The id at the end of ".../directoryObjects/{id}". */
MUST_USE bool graph_reference(view text, const char *member, struct uuid *out, struct error *err);

#endif
