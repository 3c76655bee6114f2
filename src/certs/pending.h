/*
 * Pending operations: a certificate that was asked for and is not there yet.  There is at most one
 * for a certificate; it stays, completed or not, until the next one or until it is deleted.
 * Reference of the data plane, 10.4.
 *
 * Who issues is looked up by the policy's issuer.  `Self` and issuers are gone on with behind the
 * reply, by due documents, so that a restart in between loses nothing; `Unknown` waits for a merge.
 */
#ifndef CERTS_PENDING_H
#define CERTS_PENDING_H

#include "certs/policy.h"
#include "vault/due.h"
#include "vault/object.h"

#define PENDING_DELAY \
	2 /* seconds before an operation is gone on with; meanwhile it can be cancelled */
#define PENDING_RETRY 60   /* seconds, when its key's token is away */
#define PENDING_ASIDE 3600 /* seconds between looks at whether its deleted vault was recovered */

enum pending_status { PENDING_IN_PROGRESS, PENDING_COMPLETED, PENDING_CANCELLED, PENDING_FAILED };

struct pending {
	enum pending_status status;
	view request_id; /* 32 hex digits */
	view version;    /* that is to be */
	view issuer;
	struct body_text cty;
	view csr; /* DER */
	bool cancel, keep_order, enabled;
	bool own_key; /* made for it, and not a version's; an earlier build did not say */
	view tags;    /* packed, for the version */
	view policy;  /* packed: as it was when it began */
	view key;     /* packed; empty once it is over */
	view error_code, error_message; /* PENDING_FAILED */
	int64_t due;                    /* when it is gone on with; 0: never by itself */
	view enrolment, waits_for;      /* see enrol.h: its state, and for people */
};

void pending_pack(const struct pending *pending, struct buf *out);
MUST_USE bool pending_unpack(view bytes, struct pending *out);

/* pending_end(pending, status): It is over; its key is forgotten. */
void pending_end(struct pending *pending, enum pending_status status);

/*
 * pending_give_up(r, object, pending, status, err):
 * The same, without a version, and nothing is left of it: neither what it shows by HTTP-01, nor its
 * key in a token, nor when it was to go on.  The caller writes the state.
 */
MUST_USE bool pending_give_up(struct request *r, const struct object *object,
    struct pending *pending, enum pending_status status, struct error *err);

/* pending_reply(r, object, pending): The reply is the operation. */
void pending_reply(struct request *r, const struct object *object, const struct pending *pending);

/*
 * pending_schedule(r, object, pending, time, err):
 * Have it gone on with at ${time} (0: never) in place of when it was.
 */
MUST_USE bool pending_schedule(struct request *r, const struct object *object,
    struct pending *pending, int64_t time, struct error *err);

/*
 * pending_enrols(pending):
 * An issuer is asked for it, by DUE_ENROL.  `Self` is DUE_ISSUE's, and so is cancelling what waits
 * for a merge.
 */
bool pending_enrols(const struct pending *pending);

/* DUE_ISSUE, DUE_ENROL: see jobs/due_job.c.  Only the latter has something to be done ahead. */
MUST_USE bool pending_prepare(const struct services *services, const struct due *due,
    struct arena *arena, void **out, struct error *err);
/* pending_whom: Which issuer a DUE_ENROL is for, to tell them apart; a text that is not shown. */
MUST_USE bool pending_whom(const struct services *services, struct tx *tx, const struct due *due,
    view *out, struct error *err);
MUST_USE bool pending_due(const struct services *services, struct tx *tx, const struct due *due,
    void *prepared, int64_t now, struct due_done *done, struct error *err);

extern const struct op pending_ops[];

#endif
