/*
 * Following a log line by line, wherever the lines come from.  audit_verify feeds it from the
 * files.
 */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "audit/audit.h"
#include "crypto/publickey.h"

struct verifier {
	const struct public_key *key;
	const struct audit_head *head; /* NULL: any end will do */
	const struct watch *watch;     /* NULL: nobody */
	struct audit_head at;
	struct audit_report report;
	bool rest;      /* it need not begin with the first line */
	bool joins;     /* the next line says itself what came before it */
	bool is_signed; /* the last line is a checkpoint */
	bool head_seen;
};

/* verifier_segment(verifier, first, err): A segment begins whose name says ${first}. */
MUST_USE bool verifier_segment(struct verifier *verifier, uint64_t first, struct error *err);
MUST_USE bool verifier_line(struct verifier *verifier, view text, struct error *err);
MUST_USE bool verifier_end(const struct verifier *verifier, struct error *err);

#endif
