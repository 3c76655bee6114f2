#include "certs/ca_answers.h"

#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ${what} and ${der} lie in ${bytes}. */
struct entry {
	struct entry *newer, *older;
	int64_t from, until;
	view what, der;
	char bytes[];
};

struct ca_answers {
	pthread_mutex_t lock;
	struct map *by_what;
	struct entry *newest, *oldest;
	size_t bytes;
};

struct ca_answers *
ca_answers_new(void)
{
	struct ca_answers *answers = calloc(1, sizeof(*answers));

	if (answers == NULL)
		return NULL;
	answers->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	answers->by_what = map_new();
	if (answers->by_what == NULL) {
		free(answers);
		return NULL;
	}
	return answers;
}

static size_t
size_of(const struct entry *entry)
{
	return sizeof(*entry) + entry->what.len + entry->der.len;
}

static void
unlink_entry(struct ca_answers *answers, struct entry *entry)
{
	*(entry->newer == NULL ? &answers->newest : &entry->newer->older) = entry->older;
	*(entry->older == NULL ? &answers->oldest : &entry->older->newer) = entry->newer;
}

static void
link_newest(struct ca_answers *answers, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = answers->newest;
	*(answers->newest == NULL ? &answers->oldest : &answers->newest->newer) = entry;
	answers->newest = entry;
}

static void
drop(struct ca_answers *answers, struct entry *entry)
{
	(void)map_remove(answers->by_what, entry->what);
	unlink_entry(answers, entry);
	answers->bytes -= size_of(entry);
	free(entry);
}

void
ca_answers_free(struct ca_answers *answers)
{
	if (answers == NULL)
		return;
	while (answers->newest != NULL)
		drop(answers, answers->newest);
	map_free(answers->by_what);
	(void)pthread_mutex_destroy(&answers->lock);
	free(answers);
}

bool
ca_answers_get(struct ca_answers *answers, view what, int64_t now, struct buf *out)
{
	struct entry *entry;
	bool good;

	(void)pthread_mutex_lock(&answers->lock);
	entry = map_get(answers->by_what, what);
	good = entry != NULL && entry->from <= now && now < entry->until;
	if (good) {
		unlink_entry(answers, entry);
		link_newest(answers, entry);
		buf_add(out, entry->der);
	}
	(void)pthread_mutex_unlock(&answers->lock);
	return good;
}

static struct entry *
entry_new(view what, int64_t from, int64_t until, view der)
{
	struct entry *entry = calloc(1, sizeof(*entry) + what.len + der.len);

	if (entry == NULL)
		return NULL;
	memcpy(entry->bytes, what.ptr, what.len);
	memcpy(entry->bytes + what.len, der.ptr, der.len);
	entry->what = (view){ entry->bytes, what.len };
	entry->der = (view){ entry->bytes + what.len, der.len };
	entry->from = from;
	entry->until = until;
	return entry;
}

static void
insert(struct ca_answers *answers, struct entry *entry)
{
	struct entry *before = map_get(answers->by_what, entry->what);

	if (before != NULL)
		drop(answers, before);
	while (answers->oldest != NULL &&
	    (map_count(answers->by_what) >= ANSWERS_MAX ||
		answers->bytes + size_of(entry) > ANSWERS_BYTES))
		drop(answers, answers->oldest);
	if (!map_put(answers->by_what, entry->what, entry)) {
		free(entry);
		return;
	}
	answers->bytes += size_of(entry);
	link_newest(answers, entry);
}

void
ca_answers_put(struct ca_answers *answers, view what, int64_t from, int64_t until, view der)
{
	struct entry *entry = entry_new(what, from, until, der);

	if (entry == NULL)
		return; /* it is signed again, then */
	(void)pthread_mutex_lock(&answers->lock);
	insert(answers, entry);
	(void)pthread_mutex_unlock(&answers->lock);
}

size_t
ca_answers_count(struct ca_answers *answers)
{
	size_t count;

	(void)pthread_mutex_lock(&answers->lock);
	count = map_count(answers->by_what);
	(void)pthread_mutex_unlock(&answers->lock);
	return count;
}
