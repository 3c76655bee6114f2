/*
 * What the tests of identity/ share: a store in memory with a keyring, a directory with one tenant,
 * and transactions on it.
 */
#ifndef IDENTITY_TESTING_H
#define IDENTITY_TESTING_H

#include "identity/directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ISSUER "https://login.localhost:8443"

struct town {
	char folder[40];
	struct store *store;
	struct keyring *keyring;
	struct directory *directory;
	struct uuid tenant;
	struct store_reader *reader;
	struct arena arena;
	struct tx tx;
	struct error err;
};

extern struct town town;

int town_setup(void **state); /* for cmocka */
int town_teardown(void **state);

void town_begin(void); /* a fresh snapshot and an empty transaction */
void town_commit(void);

/* Fails the test with the error's message. */
#define REQUIRE(ok)                                       \
	do {                                              \
		if (!(ok))                                \
			fail_msg("%s", town.err.message); \
	} while (0)

/* Fails unless the call fails with this code and a message that holds ${text}. */
#define REFUSED(ok, error_code, text)                                                         \
	do {                                                                                  \
		town.err = (struct error){ 0 };                                               \
		assert_false(ok);                                                             \
		if (town.err.code != (error_code) || !holds(view_of(town.err.message), text)) \
			fail_msg("%d: %s", town.err.code, town.err.message);                  \
	} while (0)

bool holds(view text, const char *part);

/* An application of the tenant with a client secret, committed. */
struct application town_application(const char *name, struct plain **secret);

/* sign(key, header, payload): A token of any kind, in the town's arena. */
view sign(struct signing_key *key, const char *header, const char *payload);
view encode(view text); /* base64url */

#endif
