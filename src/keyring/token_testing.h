/*
 * For the tests of the token: SoftHSM, with one token in a folder of its own.
 */
#ifndef KEYRING_TOKEN_TESTING_H
#define KEYRING_TOKEN_TESTING_H

#include "crypto/testing.h"
#include "keyring/token_private.h"

#define HSM_LABEL "strongroom test"
#define HSM_PIN "hold the door"

struct hsm {
	char folder[32];
	char tokens[64];
	char pin[PATH_LEN]; /* the file */
	struct token_settings settings;
	struct token *token;
	struct arena arena;
	struct error err;
};

int hsm_setup(void **state);
int hsm_teardown(void **state);

/* hsm_move(hsm, away): Take the token's folder away, or give it back. */
void hsm_move(const struct hsm *hsm, bool away);

/* An id that no other test has; lies in the arena. */
view hsm_id(struct hsm *hsm);

/* A key of its own; all must be fine. */
struct hsm_key {
	struct key_spec spec;
	view id, wrapped;
	struct key_numbers public;
};
struct hsm_key hsm_make(struct hsm *hsm, struct key_spec spec);

bool hsm_use(struct hsm *hsm, const struct hsm_key *key, const char *algorithm, enum key_use use,
    const struct key_message *in, struct key_result *out);

/*
 * hsm_wrap(hsm, exchange, secret): ${secret} wrapped for the token's key exchange key, as its
 * owner's HSM does it; lies in the arena.
 */
view hsm_wrap(struct hsm *hsm, const struct hsm_key *exchange, view secret);

/* Does it still sign what its public number verifies? */
bool hsm_signs(struct hsm *hsm, const struct hsm_key *key);

#endif
