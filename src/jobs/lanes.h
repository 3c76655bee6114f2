/*
 * What waits for others, done by a few threads: everything for one of those others, an issuer or
 * the mail server, has one lane, and of a lane's one thing is under way at a time.  So whoever
 * does not answer keeps one thread.  Those that were slow the last time have LANES_SLOW threads
 * between them, by turns, and the threads that are left do the rest.
 */
#ifndef JOBS_LANES_H
#define JOBS_LANES_H

#include "base/view.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANES_THREADS 4 /* who may be in a lane at the same time */
#define LANES_SLOW 2    /* how many of them may be slow ones */
#define LANES_KNOWN 256 /* slow ones that are remembered; more go on as they come */

struct lanes {
	pthread_mutex_t lock;
	uint64_t taken[LANES_THREADS]; /* 0: free */
	struct {
		uint64_t lane;
		bool waits;
	} slow[LANES_KNOWN];
	size_t slow_count;
};

void lanes_init(struct lanes *lanes);
void lanes_done(struct lanes *lanes);

/* lanes_number(name): A lane's number; not 0.  Two in a great many share one, and take turns. */
uint64_t lanes_number(view name);

/*
 * lanes_enter(lanes, lane):
 * LANE_TAKEN: somebody is in it, or in all there can be.  LANE_WAITS: it is slow, and had its turn
 * of this round.
 */
enum lane_entry { LANE_ENTERED, LANE_TAKEN, LANE_WAITS };
enum lane_entry lanes_enter(struct lanes *lanes, uint64_t lane);

/* lanes_leave(lanes, lane, slow): ${slow}: it took long, and waits until all slow ones did. */
void lanes_leave(struct lanes *lanes, uint64_t lane, bool slow);

/* lanes_round(lanes): Nobody else has anything to be done: whoever waits has a turn again. */
void lanes_round(struct lanes *lanes);

#endif
