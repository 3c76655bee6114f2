/*
 * What the tests of people's sign-in share: a town with people and clients, and the authority's
 * rows called as the server calls them.
 */
#ifndef SIGNIN_TESTING_H
#define SIGNIN_TESTING_H

#include "identity/jwt.h"
#include "identity/testing.h"
#include "identity/user_store.h"

#define AUTHORITY "login.localhost:8443"
#define VAULT "https://vault.localhost:8443"
#define AZ "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
#define PASSWORD "grant_type=password&username=Ada@example.org&password=lovelace&client_id=" AZ

struct village {
	struct uuid ada;           /* Ada@example.org, "lovelace" */
	struct application web;    /* confidential: https://app.example.org/back */
	struct plain *secret;      /* the web application's */
	struct uuid native;        /* public: http://localhost/back */
	const char *native_client; /* "&client_id=…" */
	const char *path;          /* the tenant's part */
	const char *peer, *cookie;
	struct http_reply reply; /* of the last row */
	struct caller who;
	struct signin *signin;
	struct error said; /* the record's error */
};

extern struct village village;

int village_setup(void **state);
int village_teardown(void **state);
#define VILLAGE_TEST(test) cmocka_unit_test_setup_teardown(test, village_setup, village_teardown)

void village_disarm(void); /* the web application has no secret any more */

/* Run a row and commit what it changed; false: it was refused, town.err says how. */
bool village_get(const char *path, const char *query);
bool village_post(const char *path, const char *body);
bool village_token(const char *body); /* the token endpoint */

/* Of the last reply. */
bool village_has(const char *text);
view village_member(const char *name); /* a text of a JSON body; in the town's arena */
view village_field(const char *name);  /* a header field's value; empty when absent */
view village_between(const char *before, const char *after); /* in the body */

view village_decoded(view text); /* base64url */
view village_payload(view jwt);
bool village_claims(view jwt, struct jwt_claims *out);

#endif
