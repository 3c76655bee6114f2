#include "cli/agent_cache.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	char *key; /* NULL: free */
	size_t key_len;
	struct agent_token token; /* without text: there is none (yet) */
	bool fetching;
	uint64_t used;                /* the cache's count when it was last asked for */
	struct agent_waiter *waiting; /* the last one first */
};

struct agent_cache {
	struct entry entries[AGENT_CACHE_MAX];
	uint64_t count;
};

struct agent_cache *
agent_cache_new(void)
{
	return calloc(1, sizeof(struct agent_cache));
}

static void
entry_clear(struct entry *entry)
{
	agent_token_free(&entry->token);
	free(entry->key);
	*entry = (struct entry){ 0 };
}

void
agent_cache_free(struct agent_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < AGENT_CACHE_MAX; i++)
		entry_clear(&cache->entries[i]);
	free(cache);
}

/* A line break stands in neither part. */
static bool
has_key(const struct entry *entry, view client_id, view resource)
{
	view key = { entry->key, entry->key_len };

	return entry->key != NULL && key.len == client_id.len + 1 + resource.len &&
	    view_ieq(view_cut(&key, '\n'), client_id) && view_eq(key, resource);
}

static struct entry *
find(struct agent_cache *cache, view client_id, view resource)
{
	for (size_t i = 0; i < AGENT_CACHE_MAX; i++) {
		if (has_key(&cache->entries[i], client_id, resource))
			return &cache->entries[i];
	}
	return NULL;
}

/* A free one, or the one that was not asked for the longest; never one that is waited for. */
static struct entry *
oldest(struct agent_cache *cache)
{
	struct entry *found = NULL;

	for (size_t i = 0; i < AGENT_CACHE_MAX; i++) {
		struct entry *entry = &cache->entries[i];

		if (!entry->fetching && (found == NULL || entry->used < found->used))
			found = entry;
	}
	return found;
}

static struct entry *
make(struct agent_cache *cache, view client_id, view resource)
{
	struct entry *entry = oldest(cache);
	size_t len = client_id.len + 1 + resource.len;
	char *key = entry == NULL ? NULL : malloc(len);

	if (key == NULL)
		return NULL;
	entry_clear(entry);
	memcpy(key, client_id.ptr, client_id.len);
	key[client_id.len] = '\n';
	memcpy(key + client_id.len + 1, resource.ptr, resource.len);
	entry->key = key;
	entry->key_len = len;
	return entry;
}

static bool
good_for(const struct entry *entry, int64_t now, int64_t seconds)
{
	return entry->token.text != NULL && now < entry->token.expires_on - seconds;
}

enum agent_cache_turn
agent_cache_ask(struct agent_cache *cache, view client_id, view resource, int64_t now,
    struct agent_waiter *waiter)
{
	struct entry *entry = find(cache, client_id, resource);
	enum agent_cache_turn turn;
	struct error err;

	if (entry == NULL)
		entry = make(cache, client_id, resource);
	if (entry == NULL) {
		(void)error_set(&err, ERR_UNAVAILABLE, "Too many tokens are asked for at a time.");
		waiter->done(waiter, NULL, &err);
		return CACHE_TOLD;
	}
	entry->used = ++cache->count;
	if (!entry->fetching && good_for(entry, now, AGENT_EARLY_SECONDS)) {
		waiter->done(waiter, &entry->token, NULL);
		return CACHE_TOLD;
	}
	turn = entry->fetching ? CACHE_WAITS : CACHE_FETCH;
	entry->fetching = true;
	waiter->next = entry->waiting;
	entry->waiting = waiter;
	return turn;
}

static void
tell_all(struct entry *entry, const struct agent_token *token, const struct error *err)
{
	struct agent_waiter *waiter = entry->waiting;

	entry->waiting = NULL;
	while (waiter != NULL) {
		struct agent_waiter *next = waiter->next;

		waiter->done(waiter, token, err);
		waiter = next;
	}
}

void
agent_cache_put(struct agent_cache *cache, view client_id, view resource, int64_t now,
    const struct agent_token *token, const struct error *err)
{
	struct entry *entry = find(cache, client_id, resource);

	if (entry == NULL) { /* nobody asked */
		if (token != NULL)
			plain_free(token->text);
		return;
	}
	entry->fetching = false;
	if (token != NULL) {
		agent_token_free(&entry->token);
		entry->token = *token;
	}
	if (token != NULL ||
	    (err->code == ERR_UNAVAILABLE && good_for(entry, now, AGENT_LAST_SECONDS))) {
		tell_all(entry, &entry->token, NULL);
		return;
	}
	tell_all(entry, NULL, err);
	entry_clear(entry);
}
