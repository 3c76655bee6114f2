/*
 * What waits for others, done by a few threads: everything for one of those others, an issuer or
 * the mail server, has one lane, and of a lane's one thing is under way at a time.  So whoever
 * does not answer keeps one thread.  Those that were slow the last time have LANES_SLOW threads
 * between them, by turns, and the threads that are left do the rest.
 *
 * What failed is left alone for a while, longer each time: those others are asked before the store
 * is written, and must not be asked the same without end while it can't be.
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
#define LANES_KNOWN 256 /* slow ones that are remembered; then another is forgotten */
#define LANES_HELD 1024 /* lanes and documents that are held or were; the same */
#define LANES_HOLD_MAX 300
#define LANES_PLACED 32768 /* documents whose lane is remembered; then it is read anew */

struct lanes {
	pthread_mutex_t lock;
	uint64_t taken[LANES_THREADS]; /* 0: free */
	struct {
		uint64_t lane;
		bool waits;
	} slow[LANES_KNOWN];
	size_t slow_count, slow_next; /* slow_next: whose place is taken when there is none */
	struct {
		uint64_t number;
		int64_t until; /* clock_mono */
		uint32_t times;
	} held[LANES_HELD];
	size_t held_count;
	/* Each at the place its number gives it, where another may take over; NULL: none yet. */
	struct lane_place {
		uint64_t document, lane;
	} * placed;
};

void lanes_init(struct lanes *lanes);
void lanes_done(struct lanes *lanes);

/*
 * lanes_number(name): The number of a lane, or of a document by its path; not 0.  Two lanes in a
 * great many share one, and take turns.
 */
uint64_t lanes_number(view name);

/*
 * lanes_enter(lanes, lane, now):
 * LANE_TAKEN: somebody is in it, or in all there can be, or it is held.  LANE_WAITS: it is slow,
 * and had its turn of this round.  ${now}, here and below: clock_mono().
 */
enum lane_entry { LANE_ENTERED, LANE_TAKEN, LANE_WAITS };
enum lane_entry lanes_enter(struct lanes *lanes, uint64_t lane, int64_t now);

/* lanes_leave(lanes, lane, slow): ${slow}: it took long, and waits for the next lanes_round. */
void lanes_leave(struct lanes *lanes, uint64_t lane, bool slow);

/* lanes_round(lanes): Nobody else has anything to be done: whoever waits has a turn again. */
void lanes_round(struct lanes *lanes);

/*
 * lanes_failed(lanes, number, seconds, now):
 * Hold a lane or a document for so many seconds, then twice as long each time it fails again, and
 * at most LANES_HOLD_MAX times as long; one that is held already stays as it is.  A lane's is told
 * before it is left.  lanes_worked: It has no failures behind it any more.
 */
void lanes_failed(struct lanes *lanes, uint64_t number, int64_t seconds, int64_t now);
void lanes_worked(struct lanes *lanes, uint64_t number);
bool lanes_held(struct lanes *lanes, uint64_t number, int64_t now);

/*
 * lanes_place(lanes, document, lane):
 * Remember which lane a document waits in.  Finding it out means reading the document and what it
 * is about, and all that wait are passed at each turn of the one in front.
 *
 * lanes_placed(lanes, document): That lane; 0: not remembered.
 */
void lanes_place(struct lanes *lanes, uint64_t document, uint64_t lane);
uint64_t lanes_placed(struct lanes *lanes, uint64_t document);

#endif
