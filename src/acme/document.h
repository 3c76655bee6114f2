/*
 * What an ACME server says, read: RFC 8555, 7.1.  Everything is bounded; what is not understood is
 * left out.  Private to acme/.
 */
#ifndef ACME_DOCUMENT_H
#define ACME_DOCUMENT_H

#include "acme/acme.h"
#include "api/body.h"

#define CHALLENGES_MAX 32

struct acme_directory {
	struct body_text new_nonce, new_account, new_order;
};

/* RFC 7807. */
struct acme_problem {
	struct body_text type, detail;
};

struct acme_order {
	struct body_text status, finalize, certificate;
	struct body_texts authorizations; /* sorted */
	struct acme_problem error;
};

struct acme_challenge {
	struct body_text type, url, token, status;
	struct acme_problem error;
};

struct acme_authorization {
	struct body_text status, name_type, name;
	struct body_flag wildcard;
	struct body_list challenges; /* of struct acme_challenge */
};

/*
 * acme_read_...(text, out, arena, err):
 * ERR_UNAVAILABLE when it can't be read.  URLs that are there are https and fewer than ACME_URL_MAX
 * bytes, tokens of challenges that are there are valid.
 */
MUST_USE bool acme_read_directory(view text, struct acme_directory *out, struct arena *arena,
    struct error *err);
MUST_USE bool acme_read_order(view text, struct acme_order *out, struct arena *arena,
    struct error *err);
MUST_USE bool acme_read_authorization(view text, struct acme_authorization *out,
    struct arena *arena, struct error *err);

/*
 * acme_read_problem(text, out, arena, err):
 * Whatever it is, there is something to tell about it.  Fails only for want of memory.
 */
MUST_USE bool acme_read_problem(view text, struct acme_problem *out, struct arena *arena,
    struct error *err);

/* acme_problem_is(problem, name): Is it "urn:ietf:params:acme:error:<name>"? */
bool acme_problem_is(const struct acme_problem *problem, view name);

/* acme_problem_set(problem, code, err): As an error, in one line; always false. */
bool acme_problem_set(const struct acme_problem *problem, enum error_code code, struct error *err);

/* acme_url_valid(url): https://, visible ASCII, fewer than ACME_URL_MAX bytes. */
bool acme_url_valid(view url);

#endif
