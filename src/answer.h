/*
 * The journey of a request: every step between a whole HTTP request and its reply, in order, on one
 * screen (answer.c).
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "api/request.h"
#include "api/route.h"
#include "audit/audit.h"
#include "http/http.h"

struct answerer;

/*
 * answerer_new(services, router, audit, loops, out, err):
 * What answers; all it is given outlives it.  ${loops}: how many event loops will ask.
 */
MUST_USE bool answerer_new(const struct services *services, const struct router *router,
    struct audit *audit, unsigned loops, struct answerer **out, struct error *err);
void answerer_free(struct answerer *answerer); /* NULL is fine */

/* The HTTP server's callbacks; their context is the answerer. */
void answer_request(void *ctx, struct http_exchange *exchange);
void answer_turn(void *ctx, struct http_loop *loop, struct http_exchange *waiting);
void answer_refuse(void *ctx, const struct error *err, struct http_reply *reply);
void answer_overdue(void *ctx); /* drops what waits for its turn to burn */

#endif
