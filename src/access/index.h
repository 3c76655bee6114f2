/*
 * The index in memory.  For access/ only.
 */
#ifndef ACCESS_INDEX_H
#define ACCESS_INDEX_H

#include "access/access.h"
#include "access/deny.h"
#include "access/order.h"
#include "base/map.h"
#include "keyring/mirror.h"

#include <pthread.h>

/* A custom role; stays, without its contents, as long as it is assigned. */
struct role_entry {
	struct uuid tenant, id;
	struct arena memory;
	struct role role;
	bool present;
	size_t assigned;
};

/* An assignment; everything its views point to lies behind the struct. */
struct grant {
	struct assignment assignment;
	const struct role *built_in; /* NULL: a custom one */
	struct role_entry *custom;   /* NULL: neither, and it allows nothing */
	view folded;                 /* the scope, for look-ups */
	view key;                    /* the scope, a NUL, the name: the place in the orders */
	struct grant *next;          /* of the same principal at the same scope */
	char text[];
};

struct deny_entry {
	struct arena memory;
	struct deny deny; /* principals and excluded are sorted by id */
	bool everyone, everyone_excluded;
	view folded, key;
	struct deny_entry *next; /* at the same scope */
};

struct access {
	struct directory *directory;
	struct uuid home;
	struct mirror *assignments, *customs, *forbidden, *places;
	pthread_rwlock_t lock; /* guards what follows */
	struct map *names;     /* assignment name -> struct grant */
	struct map *grants;    /* principal and folded scope -> the first struct grant of a list */
	struct map *holders;   /* principal -> how many assignments it has */
	struct order *by_tenant, *by_principal, *by_role;
	struct map *roles; /* "tenant/id" -> struct role_entry */
	struct order *roles_by_tenant;
	struct map *deny_names; /* name -> struct deny_entry */
	struct map *denies;     /* tenant and folded scope -> the first struct deny_entry */
	struct order *denies_by_tenant;
	struct map *subscriptions; /* id -> struct uuid, the tenant */
};

/* The key of a principal's (or tenant's) things at a scope; false when it would be too long. */
struct place_key {
	char text[UUID_LEN + SCOPE_MAX];
	size_t len;
};
struct place_key place_key_of(const struct uuid *who, view folded);
view place_key_view(const struct place_key *key);

/* The role of a grant; NULL when there is none any more. */
const struct role *grant_role(const struct grant *grant);

/* Each brings the index up to date with one document; under the lock, for writing. */
bool index_assignment(struct access *access, view name, const struct assignment *assignment);
bool index_deny(struct access *access, view name, struct deny_entry *entry); /* takes it over */
bool index_role(struct access *access, view name, struct role_entry *fresh); /* takes it over */
void index_free(struct access *access);
bool index_make(struct access *access);

void role_entry_free(struct role_entry *entry);
void deny_entry_free(struct deny_entry *entry);

/* The documents. */
bool assignment_decode(view name, view document, const struct uuid *home, struct assignment *out,
    struct error *err);

/*
 * What a list by scope walks through: entries of one head whose keys begin with the scope or one
 * above it and a NUL, then those below it.
 */
struct span {
	char text[SCOPE_MAX + 1];
	size_t len;
};
struct spans {
	struct scope_path path;
	bool below;
	size_t next;
};
struct spans spans_of(view scope, bool below);
bool spans_next(struct spans *spans, struct span *out);

#endif
