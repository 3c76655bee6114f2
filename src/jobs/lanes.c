#include "jobs/lanes.h"

#include "base/map.h"
#include "vault/due.h"

#include <stdlib.h>

#define NANOS ((int64_t)1000000000)

void
lanes_init(struct lanes *lanes)
{
	*lanes = (struct lanes){ .lock = PTHREAD_MUTEX_INITIALIZER };
}

void
lanes_done(struct lanes *lanes)
{
	free(lanes->placed);
	lanes->placed = NULL;
	(void)pthread_mutex_destroy(&lanes->lock);
}

uint64_t
lanes_number(view name)
{
	return keyed_hash(name) | 1;
}

/* Where it is among the slow ones; their number: it is none. */
static size_t
find_slow(const struct lanes *lanes, uint64_t lane)
{
	size_t at = 0;

	while (at < lanes->slow_count && lanes->slow[at].lane != lane)
		at++;
	return at;
}

/* The place of one; of 0: a free one.  LANES_THREADS: there is none. */
static size_t
find_taken(const struct lanes *lanes, uint64_t lane)
{
	size_t at = 0;

	while (at < LANES_THREADS && lanes->taken[at] != lane)
		at++;
	return at;
}

static size_t
count_slow(const struct lanes *lanes)
{
	size_t count = 0;

	for (size_t i = 0; i < LANES_THREADS; i++)
		count += find_slow(lanes, lanes->taken[i]) < lanes->slow_count;
	return count;
}

/* Where it is among what is held or was; their number: it is none. */
static size_t
find_held(const struct lanes *lanes, uint64_t number)
{
	size_t at = 0;

	while (at < lanes->held_count && lanes->held[at].number != number)
		at++;
	return at;
}

static bool
is_held(const struct lanes *lanes, uint64_t number, int64_t now)
{
	size_t at = find_held(lanes, number);

	return at < lanes->held_count && now < lanes->held[at].until;
}

enum lane_entry
lanes_enter(struct lanes *lanes, uint64_t lane, int64_t now)
{
	enum lane_entry entry = LANE_ENTERED;
	size_t place, slow;

	(void)pthread_mutex_lock(&lanes->lock);
	place = find_taken(lanes, 0);
	slow = find_slow(lanes, lane);
	if (place == LANES_THREADS || find_taken(lanes, lane) < LANES_THREADS ||
	    is_held(lanes, lane, now) ||
	    (slow < lanes->slow_count && count_slow(lanes) >= LANES_SLOW))
		entry = LANE_TAKEN;
	else if (slow < lanes->slow_count && lanes->slow[slow].waits)
		entry = LANE_WAITS;
	else
		lanes->taken[place] = lane;
	(void)pthread_mutex_unlock(&lanes->lock);
	return entry;
}

static void
remember(struct lanes *lanes, uint64_t lane, bool is_slow)
{
	size_t slow = find_slow(lanes, lane);

	if (!is_slow) {
		if (slow < lanes->slow_count)
			lanes->slow[slow] = lanes->slow[--lanes->slow_count];
		return;
	}
	if (slow == LANES_KNOWN) {
		slow = lanes->slow_next;
		lanes->slow_next = (slow + 1) % LANES_KNOWN;
	}
	lanes->slow[slow].lane = lane;
	lanes->slow[slow].waits = true;
	lanes->slow_count += slow == lanes->slow_count;
}

void
lanes_leave(struct lanes *lanes, uint64_t lane, bool slow)
{
	size_t place;

	(void)pthread_mutex_lock(&lanes->lock);
	place = find_taken(lanes, lane);
	if (place < LANES_THREADS)
		lanes->taken[place] = 0;
	remember(lanes, lane, slow);
	(void)pthread_mutex_unlock(&lanes->lock);
}

void
lanes_round(struct lanes *lanes)
{
	(void)pthread_mutex_lock(&lanes->lock);
	for (size_t i = 0; i < lanes->slow_count; i++)
		lanes->slow[i].waits = false;
	(void)pthread_mutex_unlock(&lanes->lock);
}

/* A place for another one: behind the last, or that of the one whose time was over first. */
static size_t
place_held(struct lanes *lanes, uint64_t number)
{
	size_t place = lanes->held_count;

	if (place < LANES_HELD) {
		lanes->held_count++;
	} else {
		place = 0;
		for (size_t i = 1; i < LANES_HELD; i++) {
			if (lanes->held[i].until < lanes->held[place].until)
				place = i;
		}
	}
	lanes->held[place].number = number;
	lanes->held[place].times = 0;
	lanes->held[place].until = INT64_MIN;
	return place;
}

void
lanes_failed(struct lanes *lanes, uint64_t number, int64_t seconds, int64_t now)
{
	size_t at;

	(void)pthread_mutex_lock(&lanes->lock);
	at = find_held(lanes, number);
	if (at == lanes->held_count)
		at = place_held(lanes, number);
	if (lanes->held[at].until <= now)
		lanes->held[at].until =
		    now + seconds * due_backoff(1, LANES_HOLD_MAX, lanes->held[at].times++) * NANOS;
	(void)pthread_mutex_unlock(&lanes->lock);
}

void
lanes_worked(struct lanes *lanes, uint64_t number)
{
	size_t at;

	(void)pthread_mutex_lock(&lanes->lock);
	at = find_held(lanes, number);
	if (at < lanes->held_count)
		lanes->held[at] = lanes->held[--lanes->held_count];
	(void)pthread_mutex_unlock(&lanes->lock);
}

bool
lanes_held(struct lanes *lanes, uint64_t number, int64_t now)
{
	bool held;

	(void)pthread_mutex_lock(&lanes->lock);
	held = is_held(lanes, number, now);
	(void)pthread_mutex_unlock(&lanes->lock);
	return held;
}

void
lanes_place(struct lanes *lanes, uint64_t document, uint64_t lane)
{
	(void)pthread_mutex_lock(&lanes->lock);
	/* Without the memory it is found out again each time. */
	if (lanes->placed == NULL)
		lanes->placed = calloc(LANES_PLACED, sizeof(*lanes->placed));
	if (lanes->placed != NULL)
		lanes->placed[(document >> 1) % LANES_PLACED] =
		    (struct lane_place){ document, lane };
	(void)pthread_mutex_unlock(&lanes->lock);
}

uint64_t
lanes_placed(struct lanes *lanes, uint64_t document)
{
	uint64_t lane = 0;

	(void)pthread_mutex_lock(&lanes->lock);
	if (lanes->placed != NULL) {
		const struct lane_place *place = &lanes->placed[(document >> 1) % LANES_PLACED];

		if (place->document == document)
			lane = place->lane;
	}
	(void)pthread_mutex_unlock(&lanes->lock);
	return lane;
}
