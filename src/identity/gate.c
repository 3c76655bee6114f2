#include "identity/gate.h"

#include <pthread.h>
#include <stdlib.h>

#define CHECKS_MAX 2
#define WAITING_MAX 1

struct gate {
	pthread_mutex_t mutex;
	pthread_cond_t left;
	unsigned inside, waiting;
};

struct gate *
gate_new(void)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (gate == NULL)
		return NULL;
	if (pthread_mutex_init(&gate->mutex, NULL) != 0) {
		free(gate);
		return NULL;
	}
	if (pthread_cond_init(&gate->left, NULL) != 0) {
		(void)pthread_mutex_destroy(&gate->mutex);
		free(gate);
		return NULL;
	}
	return gate;
}

void
gate_free(struct gate *gate)
{
	if (gate == NULL)
		return;
	(void)pthread_cond_destroy(&gate->left);
	(void)pthread_mutex_destroy(&gate->mutex);
	free(gate);
}

bool
gate_enter(struct gate *gate)
{
	bool enters;

	(void)pthread_mutex_lock(&gate->mutex);
	enters = gate->inside < CHECKS_MAX || gate->waiting < WAITING_MAX;
	if (enters) {
		gate->waiting++;
		while (gate->inside == CHECKS_MAX)
			(void)pthread_cond_wait(&gate->left, &gate->mutex);
		gate->waiting--;
		gate->inside++;
	}
	(void)pthread_mutex_unlock(&gate->mutex);
	return enters;
}

void
gate_leave(struct gate *gate)
{
	(void)pthread_mutex_lock(&gate->mutex);
	gate->inside--;
	(void)pthread_cond_signal(&gate->left);
	(void)pthread_mutex_unlock(&gate->mutex);
}
