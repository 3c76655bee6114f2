/*
 * Certificate policies: what a certificate and its key are to be, who issues it, and what happens
 * before it expires.  Reference of the data plane, 10.2 and 10.3.
 */
#ifndef CERTS_POLICY_H
#define CERTS_POLICY_H

#include "api/body.h"
#include "api/version.h"
#include "base/json.h"
#include "keyring/key.h"
#include "pki/read.h"

#define VALIDITY_MONTHS_MAX 1200
#define LIFETIME_ACTIONS_MAX 2
#define LIFETIME_PERCENTAGE_USUAL 80 /* of an AutoRenew, and of an EmailContacts, unless said */
#define ISSUER_NAME_SELF "Self"
#define ISSUER_NAME_UNKNOWN "Unknown"

enum action_type { ACTION_AUTO_RENEW = 1, ACTION_EMAIL_CONTACTS };

struct lifetime_action {
	enum action_type type;
	bool percentage; /* value: percent of the lifetime, 1 to 99; else days before its end */
	int64_t value;
};

struct cert_policy {
	struct key_spec key;
	bool exportable, reuse_key;
	bool pem; /* the secret's content type: PEM, or PKCS#12 */
	view subject;
	bool has_sans; /* they were given, if only as {} */
	struct alt_names alt;
	struct views ekus;
	unsigned usages; /* of enum key_usage */
	int64_t months;  /* of validity */
	bool ca;
	struct lifetime_action actions[LIFETIME_ACTIONS_MAX];
	size_t action_count;
	view issuer;
	struct body_text cty;               /* of the issuer's products */
	struct body_flag cert_transparency; /* kept and shown */
	bool enabled;
	int64_t created, updated; /* Unix seconds */
};

/* What a client may send; names are the original's. */
struct cert_policy_body {
	struct body_flag key_given, exportable, reuse_key;
	struct body_text kty, crv;
	struct body_number key_size;
	struct body_text content_type;
	struct body_text subject;
	struct body_flag sans_given;
	struct body_texts alt[ALT_KINDS];
	struct body_texts ekus, usages;
	struct body_number months;
	struct body_flag ca;
	struct body_list actions;
	struct body_text issuer, cty;
	struct body_flag cert_transparency, enabled;
	struct body_number nbf, exp; /* of the right form, and no more: certificates have theirs */
	struct body_flag platform_managed;
};
extern const struct field cert_policy_fields[];

/* cert_policy_default(policy): What holds when nothing is said; there is no subject. */
void cert_policy_default(struct cert_policy *policy);

/*
 * cert_policy_fill(body, arena, policy, err):
 * Change what ${body} gives.  Each property is replaced as a whole; a key type that is given starts
 * with its own size.  ERR_BAD_PARAMETER for what is none; cert_policy_check looks at the whole.
 */
MUST_USE bool cert_policy_fill(const struct cert_policy_body *body, struct arena *arena,
    struct cert_policy *policy, struct error *err);

/*
 * cert_policy_check(policy, arena, err):
 * Would it make a certificate?  ERR_BAD_PARAMETER.  Key sizes, tiers and issuers are for others.
 */
MUST_USE bool cert_policy_check(const struct cert_policy *policy, struct arena *arena,
    struct error *err);

/* cert_policy_check_actions(policy, err): Only its lifetime actions. */
MUST_USE bool cert_policy_check_actions(const struct cert_policy *policy, struct error *err);

/* cert_policy_profile(policy, arena, out, err): What its certificates say. */
MUST_USE bool cert_policy_profile(const struct cert_policy *policy, struct arena *arena,
    struct profile *out, struct error *err);

/*
 * cert_policy_of_certificate(certificate, spec, pem, arena, out, err):
 * That of an import which brings none: what the certificate says, and an unknown issuer.
 */
MUST_USE bool cert_policy_of_certificate(const struct x509 *certificate,
    const struct key_spec *spec, bool pem, struct arena *arena, struct cert_policy *out,
    struct error *err);

/* cert_policy_expiry(policy, start, out): When a certificate of then ends; false: too late. */
bool cert_policy_expiry(const struct cert_policy *policy, int64_t start, int64_t *out);

void cert_policy_pack(const struct cert_policy *policy, struct buf *out);

/* cert_policy_unpack(bytes, arena, out): The views are in ${bytes}; the lists in the arena. */
MUST_USE bool cert_policy_unpack(view bytes, struct arena *arena, struct cert_policy *out);

/* cert_policy_keep(policy, arena, err): Copy what its views point to into the arena. */
MUST_USE bool cert_policy_keep(struct cert_policy *policy, struct arena *arena, struct error *err);

/* cert_policy_has_names(version, kind): Does that version know alternative names of this kind? */
bool cert_policy_has_names(enum version_rank version, enum alt_kind kind);

/*
 * cert_policy_write(json, version, policy):
 * The members behind its id which that version has, in the original's order.
 */
void cert_policy_write(struct json *json, enum version_rank version,
    const struct cert_policy *policy);

#endif
