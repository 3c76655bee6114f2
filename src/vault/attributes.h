/*
 * Attributes and tags as clients send them.
 */
#ifndef VAULT_ATTRIBUTES_H
#define VAULT_ATTRIBUTES_H

#include "api/body.h"
#include "vault/object.h"

struct attributes_body {
	struct body_flag enabled;
	struct body_number nbf, exp;
};

extern const struct field attributes_fields[];

/*
 * attributes_apply(body, attributes, err):
 * Replace what was sent, keep the rest.  ERR_BAD_PARAMETER for times before 1970 or nbf after exp.
 */
MUST_USE bool attributes_apply(const struct attributes_body *body, struct attributes *attributes,
    struct error *err);

/* attributes_write(json, attributes): The members that every plane shows. */
void attributes_write(struct json *json, const struct attributes *attributes);

/*
 * tags_pack(type, tags, arena, out, err):
 * Check names and values against the type's limits and pack them for struct version.
 */
MUST_USE bool tags_pack(const struct object_type *type, const struct body_tags *tags,
    struct arena *arena, view *out, struct error *err);

#endif
