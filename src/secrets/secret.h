/*
 * Secrets: the rows of the data plane's /secrets and /deletedsecrets.
 */
#ifndef SECRETS_SECRET_H
#define SECRETS_SECRET_H

#include "vault/attributes.h"

#define SECRET_VALUE_MAX 25600      /* bytes of UTF-8 */
#define SECRET_CONTENT_TYPE_MAX 255 /* characters */

/* What certificates' secrets are. */
#define SECRET_PFX "application/x-pkcs12"
#define SECRET_PEM "application/x-pem-file"

/* What a version of a secret holds, beside what every object has. */
struct secret {
	bool has_content_type;
	view content_type, value;
};

void secret_pack(const struct secret *secret, struct buf *out);
MUST_USE bool secret_unpack(view content, struct secret *out);

/*
 * What a client may send of a secret, by which plane it may be; secret_fill checks it and puts it
 * into ${version}, whose content then lies in r->arena.  ${secret}: the value and content type.
 */
struct secret_body {
	struct body_text value, content_type;
	struct body_tags tags;
	struct attributes_body attributes;
};
MUST_USE bool secret_fill(struct request *r, const struct secret_body *body,
    const struct secret *secret, struct version *version, struct error *err);

/* secret_amend: Change what a version has beside its value, as ${body} says, and write it. */
MUST_USE bool secret_amend(struct request *r, const struct secret_body *body,
    const struct object *object, struct version *version, struct error *err);

extern const struct object_type secret_type;
extern const struct op secret_ops[];

#endif
