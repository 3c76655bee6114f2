#include "http/crowd.h"

#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>

#define IPV6_PREFIX 64

struct crowd {
	pthread_mutex_t lock;
	struct map *counts; /* address -> how many, as a pointer; under the lock */
	unsigned most;
};

struct crowd *
crowd_new(unsigned most)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	if (crowd == NULL)
		return NULL;
	crowd->counts = map_new();
	if (crowd->counts == NULL) {
		free(crowd);
		return NULL;
	}
	(void)pthread_mutex_init(&crowd->lock, NULL);
	crowd->most = most;
	return crowd;
}

void
crowd_free(struct crowd *crowd)
{
	if (crowd == NULL)
		return;
	map_free(crowd->counts);
	(void)pthread_mutex_destroy(&crowd->lock);
	free(crowd);
}

static struct address
counted(const struct address *address)
{
	return address_is_ipv4(address) ? *address : address_masked(address, IPV6_PREFIX);
}

static uintptr_t
count_of(const struct crowd *crowd, view key)
{
	return (uintptr_t)map_get(crowd->counts, key);
}

static bool
set_count(struct crowd *crowd, view key, uintptr_t count)
{
	/* A number, not a pointer: nobody follows it. */
	return map_put(crowd->counts, key, (void *)count); /* NOLINT(performance-no-int-to-ptr) */
}

bool
crowd_enter(struct crowd *crowd, const struct address *address)
{
	struct address from = counted(address);
	view key = { (const char *)from.bytes, sizeof(from.bytes) };
	uintptr_t count;
	bool fine;

	(void)pthread_mutex_lock(&crowd->lock);
	count = count_of(crowd, key);
	fine = count < crowd->most && set_count(crowd, key, count + 1);
	(void)pthread_mutex_unlock(&crowd->lock);
	return fine;
}

void
crowd_leave(struct crowd *crowd, const struct address *address)
{
	struct address from = counted(address);
	view key = { (const char *)from.bytes, sizeof(from.bytes) };
	uintptr_t count;

	(void)pthread_mutex_lock(&crowd->lock);
	count = count_of(crowd, key);
	if (count > 1)
		(void)set_count(crowd, key, count - 1); /* replaces: needs no memory */
	else
		(void)map_remove(crowd->counts, key);
	(void)pthread_mutex_unlock(&crowd->lock);
}
