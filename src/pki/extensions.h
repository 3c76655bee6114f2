/*
 * The extensions of certificates, requests and CRLs: read, and written one by one.  For pki/ only.
 */
#ifndef PKI_EXTENSIONS_H
#define PKI_EXTENSIONS_H

#include "pki/profile.h"

struct extensions {
	struct alt_names alt;
	unsigned usages;
	struct views ekus;
	bool ca;
	int path_length;
	view key_id, issuer_key_id;
};

#define EXTENSIONS_MAX 64

/*
 * extensions_read(content, arena, out, err):
 * Of the content of an Extensions SEQUENCE; those that are not known are passed over.
 * ERR_BAD_PARAMETER: malformed, or there twice.
 */
MUST_USE bool extensions_read(view content, struct arena *arena, struct extensions *out,
    struct error *err);

/*
 * extension_open(out, oid, critical), extension_close(out, extension):
 * An Extension around whatever is written between them.
 */
struct extension {
	size_t at, value;
};
struct extension extension_open(struct buf *out, view oid, bool critical);
void extension_close(struct buf *out, struct extension extension);

void extension_key_id(struct buf *out, view id);        /* of the subject */
void extension_issuer_key_id(struct buf *out, view id); /* of the issuer */

#endif
