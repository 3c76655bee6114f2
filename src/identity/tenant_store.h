/*
 * The documents of tenants ("t/<tenant>") and of their signing keys ("t/<tenant>/signing/<kid>").
 */
#ifndef IDENTITY_TENANT_STORE_H
#define IDENTITY_TENANT_STORE_H

#include "base/uuid.h"
#include "keyring/tx.h"

struct tenant_record {
	int64_t created; /* Unix nanoseconds */
	view name;
};

struct signing_record {
	int64_t created; /* Unix seconds */
	view spki;
	struct sealed private_key;
};

/* A path below "t/", told apart. */
struct tenant_path {
	enum { TENANT_OTHER, TENANT_ITSELF, TENANT_SIGNING } kind;
	struct uuid tenant;
	view kid;
};

MUST_USE bool tenant_record_read(view document, struct tenant_record *out, struct error *err);
MUST_USE bool signing_record_read(view document, struct signing_record *out, struct error *err);
struct tenant_path tenant_path_parse(view path);

/* signing_path(arena, tenant, kid, out, err): Where a signing key lies; also its name. */
MUST_USE bool signing_path(struct arena *arena, const struct uuid *tenant, view kid, view *out,
    struct error *err);

/* signing_create(tx, tenant, now, err): Make a signing key and add it to ${tx}.  Burns a while. */
MUST_USE bool signing_create(struct tx *tx, const struct uuid *tenant, int64_t now,
    struct error *err);

#endif
