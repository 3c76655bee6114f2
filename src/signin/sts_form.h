/*
 * What a token request asks for: its form read and checked, nothing believed yet.
 */
#ifndef SIGNIN_STS_FORM_H
#define SIGNIN_STS_FORM_H

#include "api/form.h"

struct sts_form {
	view client; /* as sent */
	view secret; /* one of these two; the other is empty */
	view assertion;
	view resource; /* as it shall stand in the token */
	bool v1;       /* asked for with `resource`: the reply has the old shape */
};

/*
 * sts_form_read(form, authorization, arena, out, err):
 * What an application asks for itself.  ${authorization} is the header field of that name, which
 * may be empty.  ERR_STS_MALFORMED, ERR_STS_NO_CREDENTIAL.
 */
MUST_USE bool sts_form_read(const struct form *form, view authorization, struct arena *arena,
    struct sts_form *out, struct error *err);

/* sts_credential_read: Only the client and its credential, which may be missing. */
MUST_USE bool sts_credential_read(const struct form *form, view authorization, struct arena *arena,
    struct sts_form *out, struct error *err);

/* sts_form(text, arena, out, err): form_read, with the authority's words for what is wrong. */
MUST_USE bool sts_form(view text, struct arena *arena, struct form *out, struct error *err);

/* sts_missing(err, name): A parameter is not there.  Always false. */
bool sts_missing(struct error *err, const char *name);

#endif
