/*
 * What a certificate should say, or says, beside its key: the extensions and the subject.
 */
#ifndef PKI_PROFILE_H
#define PKI_PROFILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

struct views {
	view *items;
	size_t count;
};

/* Subject alternative names, by the names policies have for them. */
enum alt_kind { ALT_EMAIL, ALT_DNS, ALT_UPN, ALT_URI, ALT_IP, ALT_KINDS };

struct alt_names {
	struct views of[ALT_KINDS]; /* text; addresses as "192.0.2.1" and "2001:db8::1" */
};

#define ALT_NAMES_MAX 500 /* of all kinds together */
#define ALT_NAME_MAX 2048 /* bytes of one; a DNS name: 253 */
#define EKUS_MAX 64
#define PROFILE_URL_MAX 1024

/* Key usages: bits of a set, numbered as RFC 5280, section 4.2.1.3, has them. */
enum key_usage {
	USAGE_DIGITAL_SIGNATURE = 1 << 0,
	USAGE_NON_REPUDIATION = 1 << 1,
	USAGE_KEY_ENCIPHERMENT = 1 << 2,
	USAGE_DATA_ENCIPHERMENT = 1 << 3,
	USAGE_KEY_AGREEMENT = 1 << 4,
	USAGE_KEY_CERT_SIGN = 1 << 5,
	USAGE_CRL_SIGN = 1 << 6,
	USAGE_ENCIPHER_ONLY = 1 << 7,
	USAGE_DECIPHER_ONLY = 1 << 8,
};

/* Their names, sorted as policies show them. */
struct usage_name {
	const char *name;
	enum key_usage usage;
};
#define USAGES 9
extern const struct usage_name usage_names[USAGES];

/* usage_find("digitalSignature"): 0 when there is none of that name; in the case given. */
unsigned usage_find(view name);

struct profile {
	view subject; /* a Name's DER; see subject.h */
	struct alt_names alt;
	unsigned usages;   /* of enum key_usage; 0: the extension is left out */
	struct views ekus; /* OIDs by their numbers; none: the extension is left out */
	bool ca;
	int path_length; /* of a CA; -1: no limit */
	/* Empty: left out.  Where the issuer's CRL, its OCSP responder and its certificate are. */
	view crl_url, ocsp_url, issuer_url;
};

/*
 * profile_check(profile, err):
 * Would it make a certificate?  ERR_BAD_PARAMETER says what would not: a name that is none of its
 * kind, too many of them, a malformed OID.  Whatever this accepts, x509_issue and csr_make do.
 */
MUST_USE bool profile_check(const struct profile *profile, struct error *err);

/*
 * profile_extensions(profile, out, err):
 * Append its Extension values, one behind the other, without the SEQUENCE around them.  For pki/
 * only.
 */
MUST_USE bool profile_extensions(const struct profile *profile, struct buf *out, struct error *err);

#endif
