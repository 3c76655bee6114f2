/*
 * A person's sign-in on its way: what a client asked for, who the person turned out to be, how far
 * it has come.  Kept packed in signin.h's tables while somebody is waited for.
 */
#ifndef SIGNIN_ERRAND_H
#define SIGNIN_ERRAND_H

#include "base/uuid.h"
#include "crypto/hash.h"
#include "signin/scope.h"

#define ERRAND_STATE_MAX 2048 /* bytes */
#define ERRAND_NONCE_MAX 512
#define ERRAND_CHALLENGE_LEN 43

enum errand_stage {
	ERRAND_PASSWORD, /* a page asks for the password */
	ERRAND_ENTRY,    /* a page asks for a device's code */
	ERRAND_CONFIRM,  /* a page asks whether the device is theirs */
	ERRAND_CODE,     /* signed in: a code is on its way to the client */
	ERRAND_WAITING,  /* a device waits */
	ERRAND_APPROVED, /* and may have its tokens, */
	ERRAND_DECLINED, /* or not */
};

enum errand_mode { MODE_QUERY, MODE_FRAGMENT, MODE_FORM_POST };

struct errand {
	enum errand_stage stage;
	struct uuid tenant, client;
	view client_name;
	struct scopes scopes;
	/* Pages: the digest of the cookie of the browser they were shown to. */
	uint8_t cookie[SHA256_LEN];
	view hint;   /* the user's name, as far as it is known */
	view device; /* the user code; empty: a browser's own sign-in */
	/* The browser's: */
	view redirect, state, nonce;
	view challenge; /* PKCE, S256; empty: none */
	enum errand_mode mode;
	/* Once signed in: */
	struct uuid user;
	int64_t sessions;           /* the user's sessions_started */
	char family[HEX16_LEN + 1]; /* of refresh tokens, should there be some */
};

void errand_pack(const struct errand *errand, struct buf *out);

/* errand_unpack(bytes, out, err): Views borrow from ${bytes}. */
MUST_USE bool errand_unpack(view bytes, struct errand *out, struct error *err);

#endif
