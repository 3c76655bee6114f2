/*
 * What a request in progress needs; an idle connection has none.  A slot may outlive its client:
 * from the answer function to http_send it belongs to the answerer.
 */
#ifndef HTTP_SLOT_H
#define HTTP_SLOT_H

#include "base/attr.h"
#include "http/h1.h"
#include "http/http.h"

#include <stdatomic.h>
#include <uv.h>

struct slot {
	struct http_exchange exchange; /* first: one is cast to the other */
	struct conn *conn;
	atomic_bool left; /* see http_left */
	struct h1 *h1;
	uv_work_t work;
	void (*run)(struct http_exchange *);
	void (*done)(struct http_exchange *);
	struct slot *next; /* in the list of spare ones */
};

struct slot *slot_of(struct http_exchange *exchange);

/* slot_take(loop, conn): A clean one; NULL without memory. */
MUST_USE struct slot *slot_take(struct http_loop *loop, struct conn *conn);
void slot_give(struct slot *slot); /* wipe it and give it back */
void slot_free_spare(struct http_loop *loop);

/*
 * slot_refuse(slot, code, status, why):
 * Fill in the reply of a request that is not answered by the answerer, and queue it.
 */
void slot_refuse(struct slot *slot, enum error_code code, int status, const char *why);

#endif
