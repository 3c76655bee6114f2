#include "identity/replay.h"

#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>

/* Sets of few entries, chosen by a keyed hash: only assertions with a good signature come here. */
#define SETS 512
#define WAYS 16

struct entry {
	uint64_t id;
	int64_t expires;     /* free when it is over */
	uint64_t address[2]; /* by family; 0: not seen yet */
};

struct replay {
	pthread_mutex_t mutex;
	struct entry entries[SETS][WAYS];
};

struct replay *
replay_new(void)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (replay == NULL)
		return NULL;
	if (pthread_mutex_init(&replay->mutex, NULL) != 0) {
		free(replay);
		return NULL;
	}
	return replay;
}

void
replay_free(struct replay *replay)
{
	if (replay == NULL)
		return;
	(void)pthread_mutex_destroy(&replay->mutex);
	free(replay);
}

static struct entry *
find_or_add(struct replay *replay, uint64_t id, int64_t expires, int64_t now)
{
	struct entry *set = replay->entries[(id >> 8) % SETS], *first = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].id == id && set[i].expires >= now)
			return &set[i];
		if (set[i].expires < first->expires)
			first = &set[i];
	}
	*first = (struct entry){ .id = id, .expires = expires };
	return first;
}

bool
replay_admit(struct replay *replay, view id, int64_t expires, view address, bool ipv6, int64_t now)
{
	uint64_t from = keyed_hash(address) | 1;
	struct entry *entry;
	bool ours;

	(void)pthread_mutex_lock(&replay->mutex);
	entry = find_or_add(replay, keyed_hash(id) | 1, expires, now);
	if (entry->address[ipv6] == 0)
		entry->address[ipv6] = from;
	ours = entry->address[ipv6] == from;
	(void)pthread_mutex_unlock(&replay->mutex);
	return ours;
}
