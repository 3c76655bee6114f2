/*
 * An operation is a row in one table: routing, permission, audit name, cost, metrics, docs and
 * tests are read from the row. Zero is unset, and unset is refused.
 */
#ifndef API_OP_H
#define API_OP_H

#include "base/error.h"
#include "http/http.h"

struct request;
struct field;

/* Which of the names under the domain answers: NAME.vault., login., management., graph. */
enum plane { PLANE_NONE, PLANE_VAULT, PLANE_LOGIN, PLANE_MANAGEMENT, PLANE_GRAPH };

/* Who may: checked before the row's function runs. */
enum guard {
	GUARD_UNSET,  /* always refused */
	GUARD_PUBLIC, /* anybody, without a token: sign-in, discovery, health */
	GUARD_CALLER, /* anybody with a valid token; the function shows only what is theirs */
	GUARD_DATA,   /* the row's data action, at the object's scope */
	GUARD_SCOPE,  /* the row's action, at the scope the path names (or the subscription) */
	GUARD_ADMIN,  /* directory administrators */
};

/* Where the row's function runs. */
enum cost {
	COST_LOOP, /* on the event loop: reads, cheap cryptography */
	COST_POOL, /* on a thread of the pool: what blocks or burns */
};

/* Which api-version rules apply. */
enum versioning {
	VERSION_NONE,  /* the parameter is not looked at */
	VERSION_VAULT, /* the data plane's list */
	VERSION_ARM,   /* any date-shaped version */
};

/* Which of a vault's service limits a request counts against; see throttle/throttle.h. */
enum throttle_class {
	THROTTLE_NONE, /* no limit, or the row's function charges once it knows the key */
	THROTTLE_HSM_CREATE,
	THROTTLE_SOFT_CREATE,
	THROTTLE_HSM_USE,
	THROTTLE_SOFT_USE,
	THROTTLE_SET,       /* setting secrets, importing keys and certificates */
	THROTTLE_OTHER,     /* all else with secrets and certificates */
	THROTTLE_AUTHORITY, /* signing what anybody may ask of the vault's authority */
};

typedef bool op_run(struct request *r, struct error *err);

struct op {
	const char *name; /* the audit log's operationName */
	enum plane plane;
	enum http_method method;
	/* "/secrets/{name}/{version}", "/users('{id}')"; "{tail...}" at the end takes the rest. */
	const char *path;
	enum guard guard;
	enum versioning versioning;
	enum cost cost;
	enum throttle_class throttle; /* charged once the caller is let in */
	/* GUARD_SCOPE: the action; GUARD_DATA: the same without "Microsoft.KeyVault/vaults/". */
	const char *action;
	/* GUARD_DATA: the permission of access policies where the action does not tell: "list". */
	const char *permission;
	const struct field *body; /* what a client may send; NULL: the body is not looked at */
	size_t body_size;         /* of the struct the fields fill */
	op_run *run;
	const void *detail; /* the row's own data, for a function that serves many rows */
	bool unrecorded;    /* health checks only: not in the audit log, and not refused by it */
};

/* The tables, each a folder's own, ended by a row without name; all listed in ops.c. */
extern const struct op *const op_tables[]; /* NULL at the end */

#endif
