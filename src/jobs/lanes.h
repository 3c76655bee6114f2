/*
 * What waits for others, done by a few threads: everything for one of those others, an issuer or
 * the mail server, has one lane, and of a lane's one thing is under way at a time.  So whoever
 * does not answer keeps one thread, and the threads that are left do the rest.
 */
#ifndef JOBS_LANES_H
#define JOBS_LANES_H

#include "base/view.h"

#include <pthread.h>
#include <stdint.h>

#define LANES_THREADS 4 /* who may be in a lane at the same time */

struct lanes {
	pthread_mutex_t lock;
	uint64_t taken[LANES_THREADS]; /* 0: free */
};

void lanes_init(struct lanes *lanes);
void lanes_done(struct lanes *lanes);

/* lanes_number(name): A lane's number; not 0.  Two in a great many share one, and take turns. */
uint64_t lanes_number(view name);

/* lanes_enter(lanes, lane): False when somebody is in it, or in all there can be. */
bool lanes_enter(struct lanes *lanes, uint64_t lane);
void lanes_leave(struct lanes *lanes, uint64_t lane);

#endif
