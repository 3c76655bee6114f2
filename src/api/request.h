/*
 * A request on its way: what came in, what was found out about it, what goes out.  Filled in by the
 * journey (answer.c) step by step; a row's function reads it, adds changes to ->tx and writes the
 * reply.  All of it lives in the exchange's arena.
 */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api/op.h"
#include "api/version.h"
#include "base/json.h"
#include "base/uuid.h"
#include "http/http.h"
#include "keyring/key.h"
#include "keyring/tx.h"

struct access;
struct authority;
struct access_decision;
struct ca_answers;
struct config;
struct directory;
struct locks;
struct outside;
struct provider;
struct subscriptions;
struct vault;
struct vaults;

/* What the rows work with; made once, at start. */
struct services {
	const struct config *config;
	const char *location; /* the installation's, as it is set */
	struct store *store;
	struct keyring *keyring;
	struct directory *directory; /* identity */
	struct signin *signin;
	struct access *access;
	struct vaults *vaults;
	const struct provider *const *providers; /* arm; NULL at the end */
	struct subscriptions *subscriptions;
	struct locks *locks;
	struct authority *authority;
	/*
	 * authority_sign: append a compact JWS over ${payload}, signed by the installation.  Any
	 * thread.
	 */
	bool (*sign)(struct authority *authority, view payload, struct buf *out, struct error *err);
	const struct outside *outside; /* certs */
	struct ca_answers *answers;    /* certs; NULL: nothing is kept */
	bool private_ranges; /* vaults' IP rules may name addresses of private use (RFC 1918) */
};

#define UPN_MAX 113 /* bytes of a user's sign-in name: the original's limit */

/* Who is asking, as their token says; copied out of the token cache. */
struct caller {
	bool known;              /* a valid token came with the request */
	bool person;             /* a user through the application, not the application itself */
	struct uuid tenant;      /* tid */
	struct uuid object;      /* oid */
	struct uuid application; /* appid */
	char upn[UPN_MAX + 1];   /* of a person */
	char issuer[160];
};

#define REQUEST_PARAMS_MAX 8

/* Where work is done that would hold up a loop. */
enum workplace {
	WORK_BRIEF, /* a few milliseconds, whatever happens: a key's use in software */
	WORK_BURNS, /* milliseconds, more in a token: on as many threads as there are cores */
	WORK_MAKES, /* up to seconds, as making or checking an RSA key takes: on half as many */
};

struct request {
	struct http_exchange *exchange;
	const struct http_request *in;
	struct http_reply *out;
	struct arena *arena;
	const struct services *services;

	enum plane plane;
	const struct op *op;
	view authority; /* host[:port] as the client wrote it, lower-cased */
	view domain;    /* the authority without the plane's labels, with the port */
	view path;      /* decoded, slashes collapsed, no trailing slash */
	view params[REQUEST_PARAMS_MAX]; /* what the path's {…} matched, in order */
	size_t param_count;
	const struct api_version *version;
	const struct vault *vault; /* PLANE_VAULT */
	struct caller caller;
	uint64_t admitted; /* store_followed, from before the caller's rights were looked at */

	view scope;       /* what authorisation was asked for */
	view assignment;  /* the role assignment that allowed it */
	view correlation; /* x-ms-client-request-id, or one of ours */
	struct uuid id;   /* x-ms-request-id */

	void *body;           /* op->body_size bytes, filled by the row's fields */
	op_run *run;          /* what runs next: the row's function, or what it deferred to */
	op_run *work;         /* what it asked to have done off the loop; NULL: nothing */
	enum workplace place; /* where */
	op_run *then;         /* and what runs behind that; NULL: the work wrote the reply */
	void *deferred;       /* theirs, in the arena */
	uint64_t key_ticket;  /* from before the snapshot; see keyring/material.h */
	struct tx tx;
	struct json json;         /* writes out->body */
	view content_type;        /* of out->body; empty: JSON */
	unsigned max_age;         /* seconds that anybody may keep the reply; 0: not at all */
	view object_id;           /* for the audit log: the URL of the object */
	struct key_spec key;      /* for the audit log: of the key; without a kind: no key */
	struct error error;       /* why it was refused, when it was */
	struct arena_mark before; /* where the arena stood before the row's function ran */
	bool charged;             /* it counts against the vault's service limits */
	unsigned tries;           /* a commit that lost a race is run again */
	struct commit commit;
	struct http_task committed;
	bool commit_ok;
	view record;   /* the audit line, once it is written */
	bool recorded; /* it went out with the commit */
};

/* request_query(r, name, out): The decoded value of a query parameter; names match in any case. */
bool request_query(const struct request *r, const char *name, view *out);

/* reply_field(r, name, value): Add a header field. */
void reply_field(struct request *r, const char *name, view value);

/*
 * request_defer(r, place, work, then, deferred):
 * A row's function that found out that it has much to do: ${work} runs off the loop, without a
 * snapshot and without making changes; then ${then}, as a row's function does, over a fresh
 * snapshot.  What ${deferred} points to, and what ${work} leaves there, lies in the arena and stays
 * when ${then} is run again after a lost race.  Always true, for the function to return.
 *
 * When anything in the store changed before it was the work's turn, the caller is admitted again,
 * and the row's function run again, on the thread of the work and just before it.
 */
bool request_defer(struct request *r, enum workplace place, op_run *work, op_run *then,
    void *deferred);

/* reply_json(r): Begin a reply of 200 with a JSON body: returns r->json, reset. */
struct json *reply_json(struct request *r);

#endif
