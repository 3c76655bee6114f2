/*
 * Anybody can make the server check a password, which burns on purpose.  So few are checked at a
 * time, few more may wait for that, and the rest is told to come again: the pool's other threads
 * stay free for those who are signed in.
 */
#ifndef IDENTITY_GATE_H
#define IDENTITY_GATE_H

#include "base/attr.h"

#include <stdbool.h>

struct gate;

MUST_USE struct gate *gate_new(void); /* NULL without memory */
void gate_free(struct gate *gate);    /* NULL is fine */

/* gate_enter(gate): Wait for a place; false when others wait already.  gate_leave: give it back. */
MUST_USE bool gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);

#endif
