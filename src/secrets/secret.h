/*
 * Secrets: the rows of the data plane's /secrets and /deletedsecrets.
 */
#ifndef SECRETS_SECRET_H
#define SECRETS_SECRET_H

#include "vault/object.h"

#define SECRET_VALUE_MAX 25600      /* bytes of UTF-8 */
#define SECRET_CONTENT_TYPE_MAX 255 /* characters */

/* What a version of a secret holds, beside what every object has. */
struct secret {
	bool has_content_type;
	view content_type, value;
};

void secret_pack(const struct secret *secret, struct buf *out);
MUST_USE bool secret_unpack(view content, struct secret *out);

extern const struct object_type secret_type;
extern const struct op secret_ops[];

#endif
