/*
 * What the rows of Microsoft.Authorization have in common.
 */
#ifndef ACCESS_SHAPE_H
#define ACCESS_SHAPE_H

#include "access/decide.h"
#include "api/body.h"

#define ASSIGNMENT_TYPE "Microsoft.Authorization/roleAssignments"
#define DEFINITION_TYPE "Microsoft.Authorization/roleDefinitions"
#define DENY_TYPE "Microsoft.Authorization/denyAssignments"

/* The member ${name} with the id of something of ${type} at ${scope}. */
void shape_id(struct json *json, const char *name, view scope, const char *type, view id);

/* A definition's id is relative to the subscription it is asked for under. */
void shape_definition_id(struct json *json, const char *name, view scope, view id);

void shape_time(struct json *json, const char *name, int64_t seconds);
void shape_text(struct json *json, const char *name, view text);
void shape_patterns(struct json *json, const char *name, const char *const *patterns);

/* What a list of actions may be sent as. */
struct permission_body {
	struct body_texts actions, not_actions, data_actions, not_data_actions;
};
extern const struct field permission_fields[];

/* permissions_write(json, permissions): Their four members. */
void permissions_write(struct json *json, const struct permissions *permissions);

/* Whose permissions they are, for messages: "role definition", "allow". */
struct permissions_words {
	enum error_code code;
	const char *noun, *verb;
};

/*
 * permissions_read(r, list, words, out, err):
 * The one item of a list of struct permission_body, checked; lives in the request's arena.
 */
MUST_USE bool permissions_read(struct request *r, const struct body_list *list,
    const struct permissions_words *words, struct permissions *out, struct error *err);

/* access_require(r, action, scope, attributes, count, err): Refuses as the guard does. */
MUST_USE bool access_require(struct request *r, const char *action, view scope,
    const struct access_attribute *attributes, size_t count, struct error *err);

/* scope_check(scope, err): Can something be granted or denied there? */
MUST_USE bool scope_check(view scope, struct error *err);

#endif
