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
void write_extension_id(struct json *json, const char *name, view scope, const char *type, view id);

/* A definition's id is relative to the subscription it is asked for under. */
void write_definition_id(struct json *json, const char *name, view scope, view id);

void write_time(struct json *json, const char *name, int64_t seconds);
void write_text_or_null(struct json *json, const char *name, view text);
void write_patterns(struct json *json, const char *name, const char *const *patterns);

/* What a list of actions may be sent as. */
struct permission_body {
	struct body_texts actions, not_actions, data_actions, not_data_actions;
};
extern const struct field permission_fields[];

/* patterns_read(texts, arena, out, err): Checked, as roles keep them. */
MUST_USE bool patterns_read(const struct body_texts *texts, struct arena *arena,
    const char *const **out, struct error *err);

/* access_require(r, action, scope, attributes, count, err): Refuses as the guard does. */
MUST_USE bool access_require(struct request *r, const char *action, view scope,
    const struct access_attribute *attributes, size_t count, struct error *err);

/* scope_check(scope, err): Can something be granted or denied there? */
MUST_USE bool scope_check(view scope, struct error *err);

#endif
