/*
 * What ACME signs: JSON Web Signatures in their flattened form (RFC 7515), with ES256, and the
 * external account binding with HS256 (RFC 8555, 7.3.4).  Private to acme/.
 */
#ifndef ACME_JWS_H
#define ACME_JWS_H

#include "acme/acme.h"

/*
 * jws_make(acme, account, nonce, url, payload, out, err):
 * ${account} NULL: the header holds the public key itself, as making an account needs.
 */
MUST_USE bool jws_make(const struct acme *acme, const char *account, const char *nonce,
    const char *url, view payload, struct buf *out, struct error *err);

/* jws_binding(acme, url, out, err): The JWS by which an account is bound to an outside one. */
MUST_USE bool jws_binding(const struct acme *acme, const char *url, struct buf *out,
    struct error *err);

/* jws_key_authorization(acme, token, out, err): "<token>.<thumbprint>": RFC 8555, 8.1; RFC 7638. */
MUST_USE bool jws_key_authorization(const struct acme *acme, view token, struct buf *out,
    struct error *err);

/* jws_dns_value(authorization, out, err): The TXT record's value: RFC 8555, 8.4. */
MUST_USE bool jws_dns_value(view authorization, struct buf *out, struct error *err);

#endif
