/*
 * Keys as callers name them: what a key is, what can be done with it, by which algorithm.  The
 * algorithms are one table; what is in it is what the original's documents list (reference of the
 * data plane, sections 9.3 and 9.4).
 */
#ifndef KEYRING_KEY_H
#define KEYRING_KEY_H

#include "base/uuid.h"
#include "base/view.h"
#include "base/error.h"

enum key_kind { KEY_RSA = 1, KEY_EC, KEY_OCT };
enum key_curve { KEY_P256 = 1, KEY_P256K, KEY_P384, KEY_P521 };

/* What a key is, without its numbers. */
struct key_spec {
	enum key_kind kind;
	enum key_curve curve; /* KEY_EC */
	unsigned bits;        /* the modulus, the curve's field, or the symmetric key */
	bool hsm;             /* its private part lives in the token */
	bool exchange;        /* RSA in the token, and all it does is unwrap keys from outside */
};

/* A JWK's numbers: big-endian, without signs.  Public ones are as long as the modulus or field. */
struct key_numbers {
	view n, e;             /* RSA */
	view p, q, dp, dq, qi; /* RSA, private */
	view x, y;             /* EC */
	view d;                /* RSA and EC, private */
	view k;                /* oct, private */
};

/* Wrapping is encrypting, to the mathematics; which was asked for is the caller's business. */
enum key_use { KEY_ENCRYPT, KEY_DECRYPT, KEY_SIGN, KEY_VERIFY };

enum key_family {
	FAMILY_RSA_PKCS1, /* RSA1_5; RS256 ... and RSNULL when it signs */
	FAMILY_RSA_OAEP,
	FAMILY_RSA_PSS,
	FAMILY_ECDSA,
	FAMILY_AES_GCM,
	FAMILY_AES_CBC,     /* whole blocks */
	FAMILY_AES_CBC_PAD, /* PKCS#7 */
	FAMILY_AES_KW,      /* RFC 3394 */
	FAMILY_AES_KWP,     /* RFC 5649 */
	FAMILY_HMAC,
};

enum key_digest { DIGEST_NONE, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

/* A row: an algorithm's name for one kind of use. */
struct key_algorithm {
	const char *name; /* as clients send it */
	enum key_kind kind;
	enum key_family family;
	enum key_digest digest;
	enum key_curve curve; /* FAMILY_ECDSA */
	unsigned bits;        /* AES: of the key; 0: any */
	bool encrypts, wraps, signs;
};

/* key_algorithm_find(name): NULL when there is none of that name; in the case given. */
const struct key_algorithm *key_algorithm_find(view name);

/* key_algorithm_fits(algorithm, spec): Is it for keys of that kind, curve and size? */
bool key_algorithm_fits(const struct key_algorithm *algorithm, const struct key_spec *spec);

size_t key_digest_len(enum key_digest digest); /* bytes; 0: DIGEST_NONE */
size_t key_field_len(enum key_curve curve);    /* bytes of a coordinate */
unsigned key_field_bits(enum key_curve curve); /* what the curve's size is called */
view key_without_zeros(view number);           /* a number without those it begins with */

/* key_curve_find("P-256"), key_curve_name: by JWK's names; 0 and NULL when there is none. */
enum key_curve key_curve_find(view name);
const char *key_curve_name(enum key_curve curve);

/* What goes in and comes out.  All of it lies in the request's arena. */
struct key_message {
	view value;     /* the plaintext, ciphertext, digest */
	view signature; /* KEY_VERIFY: raw, r || s for ECDSA */
	view iv, aad, tag;
};
struct key_result {
	view value; /* of KEY_VERIFY: empty */
	view iv, tag;
	bool verified; /* KEY_VERIFY */
};

#endif
