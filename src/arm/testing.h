/*
 * For the tests of what is kept as resources: an installation in memory, and requests that go
 * through the router, the body's fields and the row's function, without the guards.
 */
#ifndef ARM_TESTING_H
#define ARM_TESTING_H

#include "access/access.h"
#include "api/route.h"
#include "arm/arm.h"
#include "arm/lock.h"
#include "arm/provider.h"
#include "keyring/testing.h"

#define ESTATE_TENANT "00000000-0000-4000-8000-00000000000a"
#define ESTATE_SUBSCRIPTION "00000000-0000-4000-8000-00000000000b"
#define ESTATE_OWNER "00000000-0000-4000-8000-00000000000c" /* Owner of the subscription */
#define S "/subscriptions/" ESTATE_SUBSCRIPTION

struct estate {
	struct place place;
	struct access *access;
	struct directory *directory;
	struct subscriptions *subscriptions;
	struct locks *locks;
	struct services services;
	struct router *router;
	struct store_reader *reader;
	struct caller caller; /* the owner; change it at will */
	struct http_request in;
	struct http_field fields[4]; /* of the requests to come; in.field_count says how many */
	struct http_reply out;       /* of the last request */
	struct arena arena;
	struct error err; /* why it was refused */
};

/*
 * estate_make(e, providers, tables):
 * With these providers and rows (NULL at the end of both), a subscription, an owner, and the group
 * "Group" in westeurope.
 */
void estate_make(struct estate *e, const struct provider *const *providers,
    const struct op *const *tables);
void estate_drop(struct estate *e); /* puts the clock back too */

/* For cmocka: *state is the estate. */
int estate_setup(void **state, const struct provider *const *providers,
    const struct op *const *tables);
int estate_teardown(void **state);

/*
 * estate_do(e, method, target, body):
 * A request to "/path?query" (a missing api-version does no harm here); its changes are committed.
 * Returns the HTTP status; the reply is in e->out, a refusal in e->err.
 */
int estate_do(struct estate *e, enum http_method method, const char *target, const char *body);

bool estate_replied(struct estate *e, const char *text); /* is this part of the reply's body? */
size_t estate_times(struct estate *e, const char *text); /* how often is it? */
view estate_member(struct estate *e, const char *name);  /* a text member's value, the first */
view estate_field(struct estate *e, const char *name);   /* of the reply's head */

/* estate_grant(e, object, role, scope): A role assignment, committed. */
void estate_grant(struct estate *e, const char *object, const char *role, const char *scope);
uint64_t estate_count(struct estate *e, const char *prefix); /* documents in the store */

#endif
