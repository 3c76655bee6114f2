/*
 * Tokens until shortly before they expire, by identity and resource.  Whoever asks for one that is
 * being fetched waits for it: the authority is asked once.  Belongs to one loop.
 */
#ifndef CLI_AGENT_CACHE_H
#define CLI_AGENT_CACHE_H

#include "cli/agent_token.h"

#define AGENT_CACHE_MAX 256     /* tokens */
#define AGENT_EARLY_SECONDS 300 /* before its end a token is fetched anew */
#define AGENT_LAST_SECONDS 30   /* ... but given out up to here when that fails */

struct agent_cache;

/* One that asks; the caller's memory until it has been called back. */
struct agent_waiter {
	/* ${token} is borrowed for the call; NULL when ${err} says why there is none. */
	void (*done)(struct agent_waiter *waiter, const struct agent_token *token,
	    const struct error *err);
	struct agent_waiter *next;
};

enum agent_cache_turn {
	CACHE_TOLD,  /* the waiter has been called */
	CACHE_WAITS, /* it will be, when the token comes that another one fetches */
	CACHE_FETCH, /* it will be, when its caller has fetched the token: agent_cache_put */
};

MUST_USE struct agent_cache *agent_cache_new(void); /* NULL without memory */
void agent_cache_free(struct agent_cache *cache);   /* nobody may wait; NULL is fine */

enum agent_cache_turn agent_cache_ask(struct agent_cache *cache, view client_id, view resource,
    int64_t now, struct agent_waiter *waiter);

/*
 * agent_cache_put(cache, client_id, resource, now, token, err):
 * What came of CACHE_FETCH: a token, whose text is the cache's from here on, or NULL and ${err}.
 * Calls all that wait.
 */
void agent_cache_put(struct agent_cache *cache, view client_id, view resource, int64_t now,
    const struct agent_token *token, const struct error *err);

#endif
