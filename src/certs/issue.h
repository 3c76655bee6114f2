/*
 * What creating, importing and merging have in common: signing with a vault's key, the secret that
 * is made of a certificate, and the three versions that one makes.
 */
#ifndef CERTS_ISSUE_H
#define CERTS_ISSUE_H

#include "certs/certificate.h"
#include "pki/chain.h"

#define BACKDATED 600 /* seconds: whose clock is behind accepts it, too */

/* What the three kinds of making one may bring, beside what it is made of. */
struct certificate_body {
	struct body_flag enabled, keep_order, policy_given;
	struct body_number nbf, exp; /* of the right form, and no more: certificates have theirs */
	struct body_tags tags;
	struct cert_policy_body policy;
	struct body_text value, password; /* of an import */
	struct body_texts x5c;            /* of a merge */
};
extern const struct field certificate_create_fields[], certificate_import_fields[],
    certificate_merge_fields[], certificate_update_fields[];

/* issue_ops(usages, spec, out): What its key may be used for; reference, 10.3. */
void issue_ops(unsigned usages, const struct key_spec *spec, struct key_ops *out);

/* issue_spki(key, arena, out, err): The key's public half, as certificates hold it. */
MUST_USE bool issue_spki(const struct key *key, struct arena *arena, view *out, struct error *err);

/* issue_csr(r, key, policy, out, err): A request, signed by the key; in the arena.  Burns. */
MUST_USE bool issue_csr(struct request *r, const struct key *key, const struct cert_policy *policy,
    view *out, struct error *err);

/* issue_self(r, key, policy, out, err): A certificate from now on, by its own key.  Burns. */
MUST_USE bool issue_self(struct request *r, const struct key *key, const struct cert_policy *policy,
    view *out, struct error *err);

/* An issued certificate, and what it makes of its key and its secret. */
struct issued {
	const struct key *key;
	const struct x509 *leaf;
	view secret; /* the value; in the arena */
	const struct cert_policy *policy;
	bool keep_order;
	bool provisional; /* the version is there already, with nothing in it */
};

/*
 * issue_chain(bag, spki, keep_order, arena, leaf, out, err):
 * The certificates that belong to the key, the leaf first; or as they came.
 */
MUST_USE bool issue_chain(const struct views *bag, view spki, bool keep_order, struct arena *arena,
    struct x509 *leaf, struct views *out, struct error *err);

/*
 * issue_secret(policy, pkcs8, chain, leaf, arena, out, err):
 * The secret's value.  ${pkcs8}: the private key; empty: it may not be exported.  In a PKCS#12 the
 * leaf is first, always.  Burns a little.
 */
MUST_USE bool issue_secret(const struct cert_policy *policy, view pkcs8, const struct views *chain,
    const struct x509 *leaf, struct arena *arena, view *out, struct error *err);

/*
 * issue_add(r, name, issued, object, version, err):
 * Add the three versions.  ${version}: enabled, tags, and its id if it is known; the rest is filled
 * in, and ${object}.
 */
MUST_USE bool issue_add(struct request *r, view name, const struct issued *issued,
    struct object *object, struct version *version, struct error *err);

/*
 * issue_begin(r, name, object, latest, state, found, err):
 * The live certificate of that name, if there is one, to be added to.  ERR_PENDING_IN_PROGRESS
 * while an operation is; ERR_CONFLICT or ERR_OBJECT_DELETED when the name is another's.
 */
MUST_USE bool issue_begin(struct request *r, view name, struct object *object,
    struct version *latest, struct certificate_state *state, bool *found, struct error *err);

/*
 * issue_keep(r, object, key, err):
 * With the commit that holds a new key: what the token has of it goes with the certificate.
 */
MUST_USE bool issue_keep(struct request *r, const struct object *object, const struct key *key,
    struct error *err);

/* issue_is_provisional(latest): The latest version waits for its certificate. */
bool issue_is_provisional(const struct version *latest);

/* issue_tags(r, body, out, err): Packed. */
MUST_USE bool issue_tags(struct request *r, const struct certificate_body *body, view *out,
    struct error *err);

/*
 * issue_pending(r, object, state, result, added, version, err):
 * What a pending operation asked for is there: add it, and end the operation.  The object as it is
 * then is ${added}, freed by the caller; its version is in ${version}.
 */
struct issue_result {
	const struct cert_policy *policy;
	const struct key *key;
	const struct x509 *leaf;
	view secret;
};
MUST_USE bool issue_pending(struct request *r, const struct object *object,
    struct certificate_state *state, const struct issue_result *result, struct object *added,
    struct version *version, struct error *err);

/* issue_unpack(r, pending, policy, key, err): What it holds; its views are the pending's. */
MUST_USE bool issue_unpack(struct request *r, const struct pending *pending,
    struct cert_policy *policy, struct key *key, struct error *err);

/* issue_key_out(r, policy, key, out, err): The private key for the secret; NULL: not exportable. */
MUST_USE bool issue_key_out(struct request *r, const struct cert_policy *policy,
    const struct key *key, struct plain **out, struct error *err);

/* issue_issuer_check(r, policy, err): There is such an issuer, or ERR_ISSUER_NOT_FOUND. */
MUST_USE bool issue_issuer_check(struct request *r, const struct cert_policy *policy,
    struct error *err);

bool certificate_create(struct request *r, struct error *err); /* rows' functions */
bool certificate_import(struct request *r, struct error *err);
bool certificate_merge(struct request *r, struct error *err);

#endif
