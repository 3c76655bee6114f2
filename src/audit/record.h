/*
 * One record of the audit log, in the original's AuditEvent shape (reference of the data plane,
 * section 15); resource management's are of the category Administrative and say which action was
 * authorised where.  Empty views are left out.  Never a value, a digest, a signature or a token.
 */
#ifndef AUDIT_RECORD_H
#define AUDIT_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/view.h"

struct audit_record {
	view category;                    /* empty: "AuditEvent" */
	view resource;                    /* the vault's id, in capitals, as the original has it */
	view operation;                   /* "SecretGet" */
	view version;                     /* the api-version asked for */
	int status;                       /* HTTP */
	view description;                 /* why it was refused */
	int64_t duration;                 /* nanoseconds */
	view address;                     /* of the caller */
	view correlation, request;        /* the client's id, ours */
	view object, application, tenant; /* of the caller: oid, appid, tid */
	view upn;                         /* of a person */
	view user_agent, uri, id;         /* id: URL of the object */
	view tls_version;
	view key_type, key_curve; /* of a key that it is about: "RSA-HSM"; "P-256" */
	unsigned key_size;        /* bits */
	view assignment;          /* of the role that allowed it */
	view action;              /* that was authorised, at this scope */
	view scope;
};

/* record_write(record, out): Append it as one JSON object, without a line break. */
void record_write(const struct audit_record *record, struct buf *out);

/* record_line(record, arena, out, err): The same as a text in ${arena}. */
MUST_USE bool record_line(const struct audit_record *record, struct arena *arena, view *out,
    struct error *err);

#endif
