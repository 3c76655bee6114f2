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

bool
lanes_enter(struct lanes *lanes, uint64_t lane)
{
	uint64_t *place = NULL;
	bool taken = false;

	(void)pthread_mutex_lock(&lanes->lock);
	for (size_t i = 0; i < LANES_THREADS; i++) {
		taken = taken || lanes->taken[i] == lane;
		if (lanes->taken[i] == 0)
			place = &lanes->taken[i];
	}
	if (!taken && place != NULL)
		*place = lane;
	(void)pthread_mutex_unlock(&lanes->lock);
	return !taken && place != NULL;
}

void
lanes_leave(struct lanes *lanes, uint64_t lane)
{
	(void)pthread_mutex_lock(&lanes->lock);
	for (size_t i = 0; i < LANES_THREADS; i++) {
		if (lanes->taken[i] == lane)
			lanes->taken[i] = 0;
	}
	(void)pthread_mutex_unlock(&lanes->lock);
}
