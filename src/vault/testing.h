/*
 * For the tests of what works with vaults: an installation in memory, requests made by hand, and a
 * plain type of object.
 */
#ifndef VAULT_TESTING_H
#define VAULT_TESTING_H

#include "keyring/testing.h"
#include "vault/object.h"

#define WORLD_VAULTS 3

struct world {
	/* The vaults that world_setup makes. */
	struct {
		const char *name, *location;
		unsigned days;
		bool protection;
	} with[WORLD_VAULTS];
	struct place place;
	struct vaults *vaults;
	struct services services;
	struct http_request in;
	struct http_reply out;
	struct store_reader *reader;
	struct arena arena;
	struct error err; /* of the last world_do that failed */
};

extern const struct uuid world_subscription;
extern const struct object_type world_type; /* written: its id, its content as "content" */

void world_make(struct world *w);
void world_make_lasting(struct world *w); /* in a file, whose disk may fail */
void world_drop(struct world *w);         /* puts the clock back too */
void world_reopen(struct world *w);       /* what is in memory only, again */

/* For cmocka: of the world that is the test's first state. */
int world_setup(void **state);
int world_teardown(void **state);

/* world_vault(w, name, location, days, protection): Make a vault. */
void world_vault(struct world *w, const char *name, const char *location, unsigned days,
    bool protection);

/*
 * world_do(w, vault, name, step, ctx):
 * Run a row's work as a request to ${vault} whose first parameter is ${name}, and commit it.  The
 * reply is in w->out until the next one.
 */
typedef bool world_step(struct request *r, void *ctx, struct error *err);
bool world_do(struct world *w, const char *vault, const char *name, world_step *step, void *ctx);

/* The same of one of the functions that every type has. */
typedef bool world_row(struct request *r, const struct object_type *type, struct error *err);
bool world_run(struct world *w, const char *vault, const char *name, world_row *row);

/* world_set(w, vault, name, content): Add a version. */
bool world_set(struct world *w, const char *vault, const char *name, const char *content);
bool world_restore(struct world *w, const char *vault, view blob);

/* world_has(w, vault, name, state): Is there such an object? */
bool world_has(struct world *w, const char *vault, const char *name, enum object_state state);

/* world_member(w, name): A member of the reply that is a text; empty when there is none. */
view world_member(struct world *w, const char *name);
bool world_replied(struct world *w, const char *text); /* is this part of the reply? */

uint64_t world_count(struct world *w, const char *prefix); /* documents in the store */

#endif
