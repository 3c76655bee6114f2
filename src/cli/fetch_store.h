/*
 * A certificate's versions as files:
 *
 *	DIR/.NAME/VERSION/key.pem, chain.pem, combined.pem
 *	DIR/.NAME/current -> VERSION                       replaced in one step
 *	DIR/.NAME/previous -> VERSION                      the one that was current before
 *	DIR/.NAME/loaded -> VERSION                        the one that the reload command took
 *	DIR/NAME.key -> .NAME/current/key.pem              and NAME.pem, NAME.combined.pem
 *
 * All three change at once, and a crash leaves the old version or the new one.  The version before
 * stays, for who is still reading it; older ones are removed, and so is what a crash has left, by
 * the next put.
 */
#ifndef CLI_FETCH_STORE_H
#define CLI_FETCH_STORE_H

#include "cli/fetch_ask.h"

struct fetch_store;

/*
 * fetch_store_open(folder, name, out, err):
 * ${folder} exists, and nobody but its owner, who is this user or root, may write there; else
 * ERR_FORBIDDEN.  ERR_CONFLICT when another process has it open.  ${name} is a certificate's.
 */
MUST_USE bool fetch_store_open(const char *folder, view name, struct fetch_store **out,
    struct error *err);
void fetch_store_close(struct fetch_store *store); /* NULL is fine */
void fetch_store_done(struct fetch_store **store); /* for AUTO */

/*
 * fetch_store_put(store, fetched, changed, err):
 * Make that version the current one; when it is already, no file is touched and ${changed} is
 * false.  The files' mode is 0600; they belong to whom those of the version before did, and their
 * folder has the owner and mode of the one before, less what lets others write.  All is done in the
 * folders that were opened, wherever their paths lead meanwhile.
 */
MUST_USE bool fetch_store_put(struct fetch_store *store, const struct fetched *fetched,
    bool *changed, struct error *err);

/* Has the current version been told of by fetch_store_loaded?  False when there is none. */
bool fetch_store_waits(const struct fetch_store *store);
MUST_USE bool fetch_store_loaded(struct fetch_store *store, struct error *err);

#endif
