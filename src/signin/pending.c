#include "signin/pending.h"

#include "base/base64.h"
#include "base/map.h"
#include "base/starved.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "identity/lockout.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * Sets of few entries.  The set is chosen by the address that puts, and is the first byte of the
 * name: whoever floods pushes out what shares the set, and nothing else.
 */
#define SETS 64
#define WAYS 64
#define NAME_BYTES 32

struct entry {
	int64_t put, until; /* 0: free */
	int64_t asked;
	bool spent;
	uint8_t digest[SHA256_LEN]; /* of the name: whoever reads memory learns no code */
	char alias[PENDING_ALIAS_MAX + 1];
	char *bytes;
	size_t len;
};

struct pending {
	pthread_mutex_t mutex;
	int64_t seconds;
	struct entry entries[SETS][WAYS];
};

struct pending *
pending_new(int64_t seconds)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (pending == NULL)
		return NULL;
	if (pthread_mutex_init(&pending->mutex, NULL) != 0) {
		free(pending);
		return NULL;
	}
	pending->seconds = seconds;
	return pending;
}

static void
entry_clear(struct entry *entry)
{
	if (entry->bytes != NULL)
		explicit_bzero(entry->bytes, entry->len);
	free(entry->bytes);
	*entry = (struct entry){ 0 };
}

void
pending_free(struct pending *pending)
{
	if (pending == NULL)
		return;
	for (size_t i = 0; i < SETS; i++) {
		for (size_t j = 0; j < WAYS; j++)
			entry_clear(&pending->entries[i][j]);
	}
	(void)pthread_mutex_destroy(&pending->mutex);
	free(pending);
}

static bool
bytes_set(struct entry *entry, view bytes)
{
	char *copy = malloc(bytes.len + 1);

	if (copy == NULL) {
		starved_note();
		return false;
	}
	if (bytes.len > 0)
		memcpy(copy, bytes.ptr, bytes.len);
	if (entry->bytes != NULL)
		explicit_bzero(entry->bytes, entry->len);
	free(entry->bytes);
	entry->bytes = copy;
	entry->len = bytes.len;
	return true;
}

static uint64_t
address_hash(view address)
{
	unsigned char bytes[16];
	size_t len = lockout_address(address, bytes);

	return keyed_hash((view){ (const char *)bytes, len });
}

/* A free or expired place of the address's set, or that of the oldest. */
static struct entry *
make_place(struct pending *pending, uint64_t address, int64_t now)
{
	struct entry *set = pending->entries[address % SETS], *oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].until <= now) {
			oldest = &set[i];
			break;
		}
		if (set[i].put < oldest->put)
			oldest = &set[i];
	}
	entry_clear(oldest);
	return oldest;
}

/* A name for an entry of that set, and what is kept of it. */
static bool
name_make(uint64_t address, char text[PENDING_TEXT_LEN + 1], uint8_t digest[SHA256_LEN],
    struct error *err)
{
	AUTO(buf_free) struct buf out = { 0 };
	char bytes[NAME_BYTES];

	random_bytes(bytes, sizeof(bytes));
	bytes[0] = (char)(address % SETS);
	base64_encode(BASE64URL, (view){ bytes, sizeof(bytes) }, &out);
	explicit_bzero(bytes, sizeof(bytes));
	if (!buf_ok(&out))
		return error_memory(err);
	memcpy(text, out.ptr, PENDING_TEXT_LEN);
	text[PENDING_TEXT_LEN] = '\0';
	return sha256(&(view){ text, PENDING_TEXT_LEN }, 1, digest, err);
}

static bool
entry_fill(struct entry *entry, const struct pending_item *item, int64_t now, int64_t seconds)
{
	if (!bytes_set(entry, item->bytes))
		return false;
	entry->put = now;
	entry->until = now + seconds;
	entry->asked = INT64_MIN / 2;
	memcpy(entry->alias, item->alias.ptr, item->alias.len);
	return true;
}

bool
pending_put(struct pending *pending, const struct pending_item *item, int64_t now,
    char text[PENDING_TEXT_LEN + 1], struct error *err)
{
	uint64_t address = address_hash(item->address);
	uint8_t digest[SHA256_LEN];
	struct entry *entry;
	bool fine;

	if (item->bytes.len > PENDING_BYTES_MAX || item->alias.len > PENDING_ALIAS_MAX)
		return error_set(err, ERR_BODY_TOO_LARGE, "The request is too large to be kept.");
	if (!name_make(address, text, digest, err))
		return false;
	(void)pthread_mutex_lock(&pending->mutex);
	entry = make_place(pending, address, now);
	fine = entry_fill(entry, item, now, pending->seconds);
	if (fine)
		memcpy(entry->digest, digest, sizeof(digest));
	(void)pthread_mutex_unlock(&pending->mutex);
	return fine || error_memory(err);
}

/* Under the lock. */
static struct entry *
find(struct pending *pending, view text, int64_t now)
{
	uint8_t digest[SHA256_LEN], bytes[PENDING_TEXT_LEN];
	struct entry *set;
	struct error err;
	size_t len;

	if (text.len != PENDING_TEXT_LEN || !base64_decode(BASE64URL, text, (char *)bytes, &len) ||
	    len != NAME_BYTES || bytes[0] >= SETS || !sha256(&text, 1, digest, &err))
		return NULL;
	set = pending->entries[bytes[0]];
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].until > now && memcmp(set[i].digest, digest, sizeof(digest)) == 0)
			return &set[i];
	}
	return NULL;
}

static enum pending_verdict
look(struct pending *pending, view text, bool spend, int64_t now, struct arena *arena, view *out)
{
	enum pending_verdict verdict = PENDING_ABSENT;
	struct entry *entry;

	(void)pthread_mutex_lock(&pending->mutex);
	entry = find(pending, text, now);
	if (entry != NULL && arena_copy(arena, (view){ entry->bytes, entry->len }, out)) {
		verdict = entry->spent ? PENDING_SPENT : PENDING_HERE;
		entry->spent |= spend;
	}
	(void)pthread_mutex_unlock(&pending->mutex);
	return verdict;
}

enum pending_verdict
pending_get(struct pending *pending, view text, int64_t now, struct arena *arena, view *out)
{
	return look(pending, text, false, now, arena, out);
}

enum pending_verdict
pending_spend(struct pending *pending, view text, int64_t now, struct arena *arena, view *out)
{
	return look(pending, text, true, now, arena, out);
}

/* Under the lock.  Seldom: it looks at all of them. */
static struct entry *
find_alias(struct pending *pending, view alias, int64_t now)
{
	for (size_t i = 0; alias.len > 0 && i < SETS; i++) {
		for (size_t j = 0; j < WAYS; j++) {
			struct entry *entry = &pending->entries[i][j];

			if (entry->until > now && !entry->spent &&
			    view_eq(view_of(entry->alias), alias))
				return entry;
		}
	}
	return NULL;
}

enum pending_verdict
pending_find(struct pending *pending, view alias, int64_t now, struct arena *arena, view *out)
{
	const struct entry *entry;
	bool found;

	(void)pthread_mutex_lock(&pending->mutex);
	entry = find_alias(pending, alias, now);
	found = entry != NULL && arena_copy(arena, (view){ entry->bytes, entry->len }, out);
	(void)pthread_mutex_unlock(&pending->mutex);
	return found ? PENDING_HERE : PENDING_ABSENT;
}

bool
pending_change(struct pending *pending, view alias, view bytes, int64_t now)
{
	struct entry *entry;
	bool done;

	(void)pthread_mutex_lock(&pending->mutex);
	entry = find_alias(pending, alias, now);
	done = entry != NULL && bytes.len <= PENDING_BYTES_MAX && bytes_set(entry, bytes);
	(void)pthread_mutex_unlock(&pending->mutex);
	return done;
}

int64_t
pending_rest(struct pending *pending, view text, int64_t now)
{
	int64_t rest = INT64_MAX / 2;
	struct entry *entry;

	(void)pthread_mutex_lock(&pending->mutex);
	entry = find(pending, text, now);
	if (entry != NULL) {
		rest = now - entry->asked;
		entry->asked = now;
	}
	(void)pthread_mutex_unlock(&pending->mutex);
	return rest;
}
