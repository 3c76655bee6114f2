/*
 * Outside issuers that a tenant trusts whole: their tokens are taken as they are, in place of the
 * authority's own, on the data plane and in resource management.
 *
 * A token of such an issuer acts as the application or managed identity of that tenant one of whose
 * federated credentials names issuer, subject and audience; and only as one: when two do, it is
 * refused.  The subject is the claim that the trust names.
 *
 * Documents, sealed under the system key: "t/<tenant>/issuer/<name in lower case>".
 */
#ifndef IDENTITY_TRUST_H
#define IDENTITY_TRUST_H

#include "identity/federation.h"
#include "identity/token_cache.h"

#define TRUSTED_PER_TENANT_MAX 32
#define TRUSTED_AUDIENCES_MAX 8
#define TRUSTED_CLAIM_MAX 64

/* Views borrow from the document. */
struct trusted_issuer {
	struct uuid tenant;
	view name;   /* as it was written */
	view issuer; /* as tokens and the issuer's configuration have it, exactly */
	view claim;  /* that holds the subject: "sub", "oid", "appid" ... */
	view audiences[TRUSTED_AUDIENCES_MAX]; /* a token must be for one of these */
	size_t audience_count;
	int64_t created; /* Unix seconds */
};

/* trusted_issuer_get(tx, tenant, name, use, document, out, found, err): By its name in any case. */
MUST_USE bool trusted_issuer_get(struct tx *tx, const struct uuid *tenant, view name,
    enum store_use use, struct plain **document, struct trusted_issuer *out, bool *found,
    struct error *err);

/* trusted_issuer_put: ERR_BAD_REQUEST, ERR_CONFLICT when another has that issuer, or too many. */
MUST_USE bool trusted_issuer_put(struct tx *tx, const struct trusted_issuer *issuer,
    struct error *err);
MUST_USE bool trusted_issuer_delete(struct tx *tx, const struct uuid *tenant, view name,
    struct error *err);

/* trusted_issuer_walk(tx, tenant, visit, ctx, err): All of a tenant's, by name. */
typedef bool trusted_issuer_visit(void *ctx, const struct trusted_issuer *issuer);
MUST_USE bool trusted_issuer_walk(struct tx *tx, const struct uuid *tenant,
    trusted_issuer_visit *visit, void *ctx, struct error *err);

MUST_USE bool trusted_issuer_unpack(view document, struct trusted_issuer *out, struct error *err);

/*
 * What of this is asked at every request, in memory, brought up to date by every commit.
 */
struct trust;

/* trust_open(directory, out, err): Load and watch, once the directory's tenants are known. */
MUST_USE bool trust_open(struct directory *directory, struct trust **out, struct error *err);
void trust_close(struct trust *trust); /* NULL is fine */

/* trust_keep(trust, err): Have the keys of all trusted issuers at hand from now on. */
MUST_USE bool trust_keep(struct trust *trust, struct error *err);

/* trust_names(trust, issuer): Does any tenant trust it? */
bool trust_names(struct trust *trust, view issuer);

/*
 * trust_accept(directory, jwt, claims, tenant, out, err):
 * A token of an issuer that trust_names: signature by the keys at hand, audience, subject.  Only
 * what ${tenant} trusts counts, unless it is NULL.  Its times are in ${out}, not looked at.
 * ERR_UNAUTHORIZED.
 */
MUST_USE bool trust_accept(struct directory *directory, const struct jwt *jwt,
    const struct jwt_claims *claims, const struct uuid *tenant, struct token_facts *out,
    struct error *err);

#endif
