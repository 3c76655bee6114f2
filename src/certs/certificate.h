/*
 * Certificates: a version is a certificate, with a key and a secret of the same name and version
 * behind it, which are ordinary objects that only the certificate changes.  What belongs to the
 * certificate as a whole, its policy and its pending operation, is one document (see
 * object_read_policy): it comes along when the certificate is deleted and recovered.
 */
#ifndef CERTS_CERTIFICATE_H
#define CERTS_CERTIFICATE_H

#include "certs/pending.h"
#include "crypto/hash.h"
#include "keys/key.h"

/* Is the private key in its secret, or in the keyring only?  An earlier build did not say. */
enum certificate_key { CERTIFICATE_KEY_UNTOLD, CERTIFICATE_KEY_OUT, CERTIFICATE_KEY_IN };

/* What a version holds.  Provisional: of an operation that is not through; there is nothing yet. */
struct certificate {
	view cer; /* DER, of the leaf; empty: provisional */
	view thumbprint;
	bool keep_order; /* the chain stands in the secret as it was uploaded */
	enum certificate_key key;
};

void certificate_pack(const struct certificate *certificate, struct buf *out);
MUST_USE bool certificate_unpack(view content, struct certificate *out);

/* What its lifetime actions have come to, for one version; see lifetime.h. */
enum { LIFETIME_NEAR_END = 2, LIFETIME_ENDED = 4 }; /* what was announced last */
struct lifetime {
	view version; /* of another one nothing is known yet */
	bool mailed;
	unsigned announced;
	uint32_t tries; /* to renew it */
	int64_t again;  /* not before, Unix seconds */
};

struct certificate_state {
	struct cert_policy policy;
	bool has_pending;
	struct pending pending;
	struct lifetime lifetime;
};

void certificate_state_pack(const struct certificate_state *state, struct buf *out);
MUST_USE bool certificate_state_unpack(view document, struct arena *arena,
    struct certificate_state *out);

/* certificate_state_read: Its views are in ${object} and the arena. */
MUST_USE bool certificate_state_read(struct request *r, struct object *object, enum intent intent,
    struct certificate_state *out, struct error *err);
MUST_USE bool certificate_state_write(struct request *r, const struct object *object,
    const struct certificate_state *state, struct error *err);

/*
 * certificate_require(r, version, intent, object, out, state, err):
 * The live certificate that the path names, as object_require, and its state.
 */
MUST_USE bool certificate_require(struct request *r, view version, enum intent intent,
    struct object *object, struct version *out, struct certificate_state *state, struct error *err);

/* What is beside the certificate itself; members that there are not are left out all the same. */
struct certificate_shown {
	const struct certificate_state *policy, *pending; /* NULL: not shown */
};

/* certificate_write_url(r, name, object, "/policy"): Of something of the certificate's. */
void certificate_write_url(struct request *r, const char *name, const struct object *object,
    const char *what);

/* certificate_reply(r, object, version, shown): The reply is its bundle. */
void certificate_reply(struct request *r, const struct object *object,
    const struct version *version, const struct certificate_shown *shown);

/* certificate_policy_reply(r, object, policy): The reply is its policy. */
void certificate_policy_reply(struct request *r, const struct object *object,
    const struct cert_policy *policy);

extern const struct object_type certificate_type;
extern const struct op certificate_ops[];

#endif
