/*
 * Where a log that was left, perhaps by a crash, ends.
 */
#ifndef AUDIT_RECOVER_H
#define AUDIT_RECOVER_H

#include "audit/remembered.h"
#include "crypto/publickey.h"

struct recovered {
	struct audit_head at;
	uint64_t journal; /* the highest number of the store's journal in the log */
	uint64_t segment; /* the last segment's first number; 0: there is none */
	bool is_signed;   /* the last line is a checkpoint */
};

/*
 * find_end(dir, head, key, out, err):
 * Find ${head} in the log and follow the chain from there to the end.  What a crash left there
 * (half a line, a hole) is cut off.  ERR_CORRUPT when ${head} is not there, a whole line behind it
 * is not what the chain says, or a checkpoint there is not by ${key}.
 */
MUST_USE bool find_end(int dir, const struct remembered *head, const struct public_key *key,
    struct recovered *out, struct error *err);

#endif
