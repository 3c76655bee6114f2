/*
 * A bag of certificates as the chain it holds.
 */
#ifndef PKI_CHAIN_H
#define PKI_CHAIN_H

#include "pki/read.h"

#define CHAIN_BAG_MAX 32      /* certificates in a bag */
#define CHAIN_DEPTH_MAX 10    /* from the leaf to the root, both counted */
#define CHAIN_VERIFIES_MAX 64 /* signatures looked at for one bag */

struct chain {
	struct x509 *certificates; /* the leaf first */
	size_t count;
	/*
	 * So many of them, from the leaf on, are each signed by the next.  Those behind belong to
	 * none of them; they stand as they were uploaded.
	 */
	size_t linked;
};

/*
 * chain_order(bag, spki, arena, out, err):
 * The certificate of that public key and its issuers, as far as the bag has them: by the issuer's
 * name and key identifier, and because the signature is right.  A certificate that is there twice
 * is taken once; a circle ends where it began.  ERR_BAD_PARAMETER: no certificate of that key (if
 * there are several, the one that ends last is the leaf), a malformed one, too many, too deep.
 */
MUST_USE bool chain_order(const struct views *bag, view spki, struct arena *arena,
    struct chain *out, struct error *err);

/*
 * chain_keep(bag, spki, arena, out, leaf, err):
 * The same checks, but ${out} has the bag's order (preserveCertOrder), without repetitions; linked
 * is not said (0).  ${leaf}: which one the leaf is.
 */
MUST_USE bool chain_keep(const struct views *bag, view spki, struct arena *arena, struct chain *out,
    size_t *leaf, struct error *err);

#endif
