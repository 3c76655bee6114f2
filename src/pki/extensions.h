/*
 * Reading a certificate's or a request's extensions.  For pki/ only.
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

#endif
