/*
 * Keys that rotate by themselves.  A key's policy and what is scheduled by it are one document,
 * "v/<vault>/kp/<object>"; whatever changes its latest version's times, or its policy, writes it
 * anew in the same commit, together with what is due (vault/due.h).  So there is one due document
 * of each kind at most for a key, and none for a deleted one.
 *
 * A disabled key is not rotated: the new version would be enabled.  It is when it is enabled again.
 */
#ifndef KEYS_ROTATION_H
#define KEYS_ROTATION_H

#include "keys/rotation_policy.h"
#include "vault/due.h"

#define ROTATION_RETRY 3600 /* seconds until a rotation that could not be done is tried again */

struct rotation {
	struct plain *document; /* what the views point into; NULL: nothing is stored */
	struct rotation_policy policy;
	struct rotation_next due; /* what is scheduled; 0: nothing */
	/* The version whose expiry was announced, and which expiry that was; empty: none. */
	view announced;
	int64_t announced_exp;
};

void rotation_done(struct rotation *rotation); /* for AUTO */

/* rotation_read(r, object, intent, out, err): The default policy when nothing is stored. */
MUST_USE bool rotation_read(struct request *r, const struct object *object, enum intent intent,
    struct rotation *out, struct error *err);

/*
 * rotation_write(r, object, rotation, next, err):
 * Write it with ${next} scheduled in place of what was.
 */
MUST_USE bool rotation_write(struct request *r, const struct object *object,
    const struct rotation *rotation, const struct rotation_next *next, struct error *err);

/* rotation_schedule(rotation, latest, out): What is to be scheduled; NULL: for a deleted key. */
void rotation_schedule(const struct rotation *rotation, const struct version *latest,
    struct rotation_next *out);

/* The key type's; see vault/object.h. */
MUST_USE bool rotation_changed(struct request *r, const struct object *object,
    const struct version *latest, struct error *err);
MUST_USE bool rotation_pack(struct request *r, const struct object *object, struct buf *out,
    struct error *err);
MUST_USE bool rotation_restore(struct request *r, const struct object *object, view policy,
    const struct version *latest, struct error *err);

bool rotation_policy_get(struct request *r, struct error *err); /* rows' functions */
bool rotation_policy_set(struct request *r, struct error *err);

#endif
