/*
 * The parts of the journey, one file each.  Private to answer*.c.
 */
#ifndef ANSWER_PRIVATE_H
#define ANSWER_PRIVATE_H

#include "access/decide.h"
#include "answer.h"
#include "network/rules.h"

/* answer_host.c: whose name was called, what is asked for there */
MUST_USE bool host_resolve(struct request *r, struct error *err);
void vault_resolve(struct request *r); /* again: it may be another one by now, or gone */
MUST_USE bool path_resolve(struct request *r, struct error *err);
void route_find(const struct router *router, struct request *r, struct error *err);

/* answer_guard.c: who asks for what */
MUST_USE bool caller_authenticate(struct request *r, struct error *err);
MUST_USE bool caller_require(struct request *r, struct error *err); /* again: still there? */
MUST_USE bool vault_require(const struct request *r, struct error *err);
MUST_USE bool version_check(struct request *r, struct error *err);

/* answer_access.c: whether they may */
MUST_USE bool network_admit(struct request *r, struct error *err);
MUST_USE bool caller_authorize(struct request *r, struct error *err);

/* answer_denial.c: what those are told who may not. Always false. */
bool deny_data(struct request *r, view action, const struct access_decision *decision,
    struct error *err);
bool deny_policy(struct request *r, struct error *err);
bool deny_network(struct request *r, enum network_verdict verdict, struct error *err);

/* answer_reply.c: what goes out */
void reply_refuse(struct request *r, const struct error *err);
void reply_finish(struct request *r); /* the fields that every reply has */

/* answer_record.c: the audit line of a request; empty without memory */
view record_of(struct request *r);

#endif
