/*
 * For the tests of access/: a store in memory with an index over it, and a directory of groups that
 * the test draws up.  It stands in for identity's, which is tried on its own.
 */
#ifndef ACCESS_TESTING_H
#define ACCESS_TESTING_H

#include "access/decide.h"
#include "access/deny.h"
#include "access/role_store.h"
#include "keyring/testing.h"

struct world {
	struct place place;
	struct access *access;
	struct arena arena;
	struct error err;
};

extern struct world world;

int world_setup(void **state); /* for cmocka */
int world_teardown(void **state);
void world_reopen(void); /* the index, as after a restart */

struct uuid id_of(unsigned number);

/* In tests ids below 0x1000 belong to this tenant, and so do all subscriptions below it. */
#define TENANT 0x7001
#define OTHER_TENANT 0x7002

/* Who is directly in which group; forgotten by world_setup. */
void join(unsigned member, unsigned group);
void leave_all(void);

/* They commit, and fail the test if that fails. */
void add_subscription(unsigned id, unsigned tenant);
void add_assignment(const struct assignment *assignment);
void change_assignment(const struct assignment *assignment);
void grant(unsigned name, unsigned principal, const char *role, view scope);
void revoke(unsigned name);
void add_deny(const struct deny *deny);
void remove_deny(unsigned name);
void add_role(const struct role *role, bool present);
void remove_role(const struct role *role);

bool may(unsigned principal, view action, bool data, view scope);

#endif
