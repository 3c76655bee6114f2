/*
 * The data folder, opened: the store and its keyring.  What the server and the offline commands
 * begin with.
 */
#ifndef DATAFOLDER_H
#define DATAFOLDER_H

#include "config.h"
#include "keyring/keyring.h"
#include "store/store.h"

struct datafolder {
	struct store *store;
	struct keyring *keyring;
};

/*
 * datafolder_open(config, create, out, err):
 * With ${create}, make what is not there; else ERR_NOT_FOUND.  ERR_UNAVAILABLE: it is another
 * user's, or a restore to it has not ended.  The process is protected (plain_protect): root keys
 * are in it now.  The caller closes ${out}, also after a failure.
 */
MUST_USE bool datafolder_open(const struct config *config, bool create, struct datafolder *out,
    struct error *err);

/* datafolder_look: What is there, only to read it, beside a server that may be serving it. */
MUST_USE bool datafolder_look(const struct config *config, struct datafolder *out,
    struct error *err);
void datafolder_close(struct datafolder *folder);

#endif
