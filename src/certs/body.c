/*
 * What clients may send of certificates.
 */
#include "certs/issue.h"
#include "pki/bundle.h"

/* Base64 with line breaks of a PFX, or PEM, whichever is longer. */
#define VALUE_MAX ((size_t)BUNDLE_MAX * 3 / 2)
/* Base64, some clients' twice. */
#define X5C_MAX ((size_t)CERTIFICATE_MAX * 2)

/* clang-format off */

#define OF(text, type, member) \
	{ .name = text, .kind = type, .offset = offsetof(struct certificate_body, member) }

static const struct field attribute_fields[] = {
	OF("enabled", FIELD_FLAG, enabled),
	OF("nbf", FIELD_NUMBER, nbf),
	OF("exp", FIELD_NUMBER, exp),
	{ 0 },
};

#define COMMON \
	{ .name = "tags", .kind = FIELD_TAGS, .max = OBJECT_TAGS_MAX, \
	  .offset = offsetof(struct certificate_body, tags) }, \
	{ .name = "attributes", .kind = FIELD_OBJECT, .fields = attribute_fields }
#define POLICY \
	{ .name = "policy", .kind = FIELD_OBJECT, .fields = cert_policy_fields, \
	  .offset = offsetof(struct certificate_body, policy) }, \
	OF("policy", FIELD_PRESENT, policy_given)
#define ORDER OF("preserveCertOrder", FIELD_FLAG, keep_order)

const struct field certificate_create_fields[] = { COMMON, POLICY, ORDER, { 0 } };
const struct field certificate_update_fields[] = { COMMON, POLICY, { 0 } };

const struct field certificate_import_fields[] = {
	COMMON, POLICY, ORDER,
	{ .name = "value", .kind = FIELD_TEXT, .max = VALUE_MAX, .required = true,
	  .offset = offsetof(struct certificate_body, value) },
	{ .name = "pwd", .kind = FIELD_TEXT, .max = (size_t)BUNDLE_PASSWORD_MAX * 4,
	  .offset = offsetof(struct certificate_body, password) },
	{ 0 },
};

const struct field certificate_merge_fields[] = {
	COMMON,
	{ .name = "x5c", .kind = FIELD_TEXTS, .max = BUNDLE_CERTIFICATES_MAX, .size = X5C_MAX,
	  .required = true, .offset = offsetof(struct certificate_body, x5c) },
	{ 0 },
};

/* clang-format on */
