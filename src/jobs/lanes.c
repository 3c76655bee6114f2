#include "jobs/lanes.h"

#include "base/map.h"

void
lanes_init(struct lanes *lanes)
{
	*lanes = (struct lanes){ .lock = PTHREAD_MUTEX_INITIALIZER };
}

void
lanes_done(struct lanes *lanes)
{
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

enum lane_entry
lanes_enter(struct lanes *lanes, uint64_t lane)
{
	enum lane_entry entry = LANE_ENTERED;
	size_t place, slow;

	(void)pthread_mutex_lock(&lanes->lock);
	place = find_taken(lanes, 0);
	slow = find_slow(lanes, lane);
	if (place == LANES_THREADS || find_taken(lanes, lane) < LANES_THREADS ||
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
	if (slow == LANES_KNOWN)
		return;
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
