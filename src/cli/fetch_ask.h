/*
 * A certificate out of its vault, by the secret that holds it with its key.
 *
 * Who asks is what the environment says, as Azure's libraries read it: AZURE_CLIENT_ID,
 * AZURE_TENANT_ID, AZURE_CLIENT_SECRET and AZURE_AUTHORITY_HOST; without a secret the managed
 * identity (of AZURE_CLIENT_ID, or the default one) from IDENTITY_ENDPOINT and IDENTITY_HEADER,
 * else from the instance metadata service (AZURE_POD_IDENTITY_AUTHORITY_HOST, or 169.254.169.254).
 * STRONGROOM_CA or SSL_CERT_FILE: the authorities that the vault's certificate is verified with.
 */
#ifndef CLI_FETCH_ASK_H
#define CLI_FETCH_ASK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/plain.h"

#define FETCH_VERSION_LEN 32
#define FETCH_NAME_MAX 127

/* FETCH_VERSION_LEN lower-case hexadecimal digits, and so fit for a folder's name? */
bool fetch_is_version(view text);

struct fetched {
	char version[FETCH_VERSION_LEN + 1];  /* hexadecimal digits */
	struct plain *key, *chain, *combined; /* PEM; the leaf first; combined has the key too */
};

void fetched_free(struct fetched *fetched); /* wipes; a zeroed one is fine */

/* Where it is: texts in the caller's bufs, NUL-terminated. */
struct fetch_place {
	struct buf vault;    /* "https://shop.vault.example.org" */
	struct buf resource; /* "https://vault.example.org": what tokens are for */
};

/*
 * fetch_place_parse(vault, authority, out, err):
 * ${vault} is its URL, or its name; then the domain is that of ${authority}, the sign-in's URL
 * ("https://login.example.org"), which may be empty otherwise.  fetch_place_done frees ${out}.
 */
MUST_USE bool fetch_place_parse(view vault, view authority, struct fetch_place *out,
    struct error *err);
void fetch_place_done(struct fetch_place *place);

/*
 * fetch_ask(place, name, out, err):
 * The certificate's current version.  ERR_UNAVAILABLE: nobody answers; else the message says what
 * is wrong with it: there is none, it is disabled or expired, its key can't be exported, it is no
 * certificate, the identity may not read it.  Blocks.  fetched_free frees ${out}.
 */
MUST_USE bool fetch_ask(const struct fetch_place *place, view name, struct fetched *out,
    struct error *err);

/*
 * fetch_read(name, status, body, now, out, err):
 * What the vault answered.  ${now}: Unix seconds.
 */
MUST_USE bool fetch_read(view name, long status, view body, int64_t now, struct fetched *out,
    struct error *err);

#endif
