/*
 * A key's rotation policy: when it gets a new version, when its expiry is announced, and how long
 * versions made so last.  Reference of the data plane, section 9.6.  Here are its rules and its
 * forms; who acts by it is elsewhere.
 */
#ifndef KEYS_ROTATION_POLICY_H
#define KEYS_ROTATION_POLICY_H

#include "keys/duration.h"
#include "vault/attributes.h"

#define ROTATION_ACTIONS_MAX 2 /* one of each type */

enum rotation_type { ROTATION_ROTATE = 1, ROTATION_NOTIFY = 2 };

/* A duration, and how the client wrote it. */
struct rotation_time {
	view text; /* empty: not given */
	struct duration duration;
};

struct rotation_action {
	enum rotation_type type;
	bool before_expiry; /* else after the version's creation */
	struct rotation_time time;
};

/* The texts are borrowed: from the body's arena, or from what was unpacked. */
struct rotation_policy {
	struct rotation_action actions[ROTATION_ACTIONS_MAX]; /* in the client's order */
	size_t count;
	struct rotation_time expiry; /* how long a rotated version lasts; not given: for ever */
	int64_t created, updated;    /* 0: never set, this is the default */
};

/* What a client may send. */
struct rotation_policy_body {
	struct body_list actions;
	struct body_text expiry;
};
extern const struct field rotation_policy_fields[];

/* rotation_policy_default(out): The policy of a key that was never given one. */
void rotation_policy_default(struct rotation_policy *out);

/*
 * rotation_policy_fill(body, out, err):
 * The policy that ${body} asks for, with the Notify that every policy has; its times are 0.
 * ERR_BAD_PARAMETER says which rule it breaks.
 */
MUST_USE bool rotation_policy_fill(const struct rotation_policy_body *body,
    struct rotation_policy *out, struct error *err);

void rotation_policy_pack(const struct rotation_policy *policy, struct buf *out);
MUST_USE bool rotation_policy_unpack(view document, struct rotation_policy *out);

/* rotation_policy_write(r, key, policy): As JSON, the whole object, to r->json. */
void rotation_policy_write(struct request *r, const struct object *key,
    const struct rotation_policy *policy);

/*
 * rotation_policy_next(policy, version, out):
 * When what is to be done for a key whose latest version has these attributes: Unix seconds, not
 * before its creation; 0 for never.
 */
struct rotation_next {
	int64_t rotate, notify;
};
void rotation_policy_next(const struct rotation_policy *policy, const struct attributes *version,
    struct rotation_next *out);

/*
 * rotation_policy_expiry(policy, created, attributes):
 * Set the expiry of a version made at ${created} by rotation: none without an expiryTime.
 */
void rotation_policy_expiry(const struct rotation_policy *policy, int64_t created,
    struct attributes *attributes);

#endif
