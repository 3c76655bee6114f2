#include "identity/lockout.h"

#include "base/map.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PAIR_FAILURES 10
#define PAIR_SECONDS 60
#define PAIR_SECONDS_MAX 900
#define PAIR_FORGET 3600 /* an unlocked pair that was quiet so long starts anew */
#define ADDRESS_FAILURES 100
#define ADDRESS_SECONDS 600

/* A table: sets of few entries, chosen by a keyed hash; in a full set the oldest gives way. */
#define SETS 256
#define WAYS 16
#define CLIENT_MAX 128 /* bytes of a client's name that count */

struct entry {
	uint64_t key;  /* 0: free */
	int64_t last;  /* pairs: the last attempt; addresses: the window's start */
	int64_t until; /* locked before this */
	unsigned failures;
	bool passed;
};

struct table {
	struct entry entries[SETS][WAYS];
};

struct lockout {
	pthread_mutex_t mutex;
	struct table pairs, addresses;
};

struct lockout *
lockout_new(void)
{
	struct lockout *lockout = calloc(1, sizeof(*lockout));

	if (lockout == NULL)
		return NULL;
	if (pthread_mutex_init(&lockout->mutex, NULL) != 0) {
		free(lockout);
		return NULL;
	}
	return lockout;
}

void
lockout_free(struct lockout *lockout)
{
	if (lockout == NULL)
		return;
	(void)pthread_mutex_destroy(&lockout->mutex);
	free(lockout);
}

static struct entry *
find(struct table *table, uint64_t key)
{
	struct entry *set = table->entries[(key >> 8) % SETS];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
	}
	return NULL;
}

static struct entry *
find_or_add(struct table *table, uint64_t key, int64_t now)
{
	struct entry *set = table->entries[(key >> 8) % SETS], *oldest = set;
	struct entry *entry = find(table, key);

	if (entry != NULL)
		return entry;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == 0 || (oldest->key != 0 && set[i].last < oldest->last))
			oldest = &set[i];
	}
	*oldest = (struct entry){ .key = key, .last = now };
	return oldest;
}

size_t
lockout_address(view address, unsigned char out[16])
{
	char text[INET6_ADDRSTRLEN] = { 0 };
	struct in6_addr six;

	memset(out, 0, 16);
	if (address.len == 0 || address.len >= sizeof(text))
		return 0;
	memcpy(text, address.ptr, address.len);
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	if (inet_pton(AF_INET6, text, &six) != 1)
		return 0;
	if (IN6_IS_ADDR_V4MAPPED(&six)) {
		memcpy(out, six.s6_addr + 12, 4);
		return 4;
	}
	memcpy(out, six.s6_addr, 8);
	return 8;
}

struct keys {
	uint64_t pair, address;
};

static struct keys
keys_of(view client, view address)
{
	char bytes[16 + CLIENT_MAX];
	size_t len = lockout_address(address, (unsigned char *)bytes);
	struct keys keys;

	keys.address = keyed_hash((view){ bytes, len }) | 1;
	if (client.len > CLIENT_MAX)
		client.len = CLIENT_MAX;
	for (size_t i = 0; i < client.len; i++)
		bytes[16 + i] = ascii_lower(client.ptr[i]);
	keys.pair = keyed_hash((view){ bytes, 16 + client.len }) | 1;
	return keys;
}

static bool
is_locked(const struct entry *entry, int64_t now)
{
	return entry != NULL && now < entry->until;
}

bool
lockout_allows(struct lockout *lockout, view client, view address, int64_t now)
{
	struct keys keys = keys_of(client, address);
	const struct entry *pair, *from;
	bool allows;

	(void)pthread_mutex_lock(&lockout->mutex);
	pair = find(&lockout->pairs, keys.pair);
	from = find(&lockout->addresses, keys.address);
	allows = !is_locked(pair, now) && (!is_locked(from, now) || (pair != NULL && pair->passed));
	(void)pthread_mutex_unlock(&lockout->mutex);
	return allows;
}

static void
pair_failed(struct entry *pair, int64_t now)
{
	int64_t seconds = PAIR_SECONDS;

	if (now - pair->last > PAIR_FORGET)
		pair->failures = 0;
	pair->last = now;
	pair->failures++;
	if (pair->failures < PAIR_FAILURES)
		return;
	for (unsigned i = PAIR_FAILURES; i < pair->failures && seconds < PAIR_SECONDS_MAX; i++)
		seconds *= 2;
	pair->until = now + (seconds < PAIR_SECONDS_MAX ? seconds : PAIR_SECONDS_MAX);
}

static void
address_failed(struct entry *from, int64_t now)
{
	if (now - from->last >= ADDRESS_SECONDS) {
		from->last = now;
		from->failures = 0;
	}
	if (++from->failures >= ADDRESS_FAILURES)
		from->until = from->last + ADDRESS_SECONDS;
}

void
lockout_failed(struct lockout *lockout, view client, view address, int64_t now)
{
	struct keys keys = keys_of(client, address);

	(void)pthread_mutex_lock(&lockout->mutex);
	pair_failed(find_or_add(&lockout->pairs, keys.pair, now), now);
	address_failed(find_or_add(&lockout->addresses, keys.address, now), now);
	(void)pthread_mutex_unlock(&lockout->mutex);
}

void
lockout_passed(struct lockout *lockout, view client, view address, int64_t now)
{
	struct keys keys = keys_of(client, address);
	struct entry *pair;

	(void)pthread_mutex_lock(&lockout->mutex);
	pair = find_or_add(&lockout->pairs, keys.pair, now);
	*pair = (struct entry){ .key = keys.pair, .last = now, .passed = true };
	(void)pthread_mutex_unlock(&lockout->mutex);
}
