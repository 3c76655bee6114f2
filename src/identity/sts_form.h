/*
 * What a token request asks for: its form read and checked, nothing believed yet.
 */
#ifndef IDENTITY_STS_FORM_H
#define IDENTITY_STS_FORM_H

#include "api/request.h"

struct sts_form {
	view client; /* as sent */
	view secret; /* one of these two; the other is empty */
	view assertion;
	view resource; /* as it shall stand in the token */
	bool v1;       /* asked for with `resource`: the reply has the old shape */
};

/*
 * sts_form_read(r, out, err):
 * ERR_STS_MALFORMED, ERR_STS_UNKNOWN_GRANT, ERR_STS_NO_CREDENTIAL, ERR_BODY_TOO_LARGE.
 */
MUST_USE bool sts_form_read(struct request *r, struct sts_form *out, struct error *err);

/* sts_scope_resource(scope, out): The one resource of "<resource>/.default"; false for all else. */
MUST_USE bool sts_scope_resource(view scope, view *out);

/* sts_basic(header, arena, client, secret): "Basic ..." (RFC 6749, section 2.3.1) taken apart. */
MUST_USE bool sts_basic(view header, struct arena *arena, view *client, view *secret);

#endif
