/*
 * Identity: tenants, applications with their service principals and credentials, and the tokens
 * that speak for them.  An Entra-compatible authority in small.
 *
 * Documents, sealed under the system key: "t/<tenant>" a tenant; "t/<tenant>/signing/<kid>" its
 * token signing keys; "t/<tenant>/app/<appid>" an application with its service principal and
 * credentials; "t/<tenant>/user/<object id>" and "t/<tenant>/upn/<sign-in name>" users;
 * "t/<tenant>/group/<object id>" groups; "t/<tenant>/administrators" who changes the directory;
 * "t/<tenant>/refresh/<user>/<family>" the refresh tokens of a sign-in; "t/<tenant>/issuer/<name>"
 * outside issuers that are trusted whole;
 * "oid/<object id>" -> kind, tenant and appid, and whether it is let in; "member/<group>/<member>".
 */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include "api/op.h"
#include "api/request.h"

struct directory;

/*
 * directory_open(store, keyring, issuer, loops, out, err):
 * ${issuer} is "https://login.<domain>[:port]", of which tokens' issuers are made:
 * "<issuer>/<tenant>/" (v1.0 tokens).  Load the tenants and their signing keys, and watch the store
 * for changes of them.  ${loops}: how many event loops will ask for token verification (each has a
 * cache of its own).
 */
MUST_USE bool directory_open(struct store *store, struct keyring *keyring, view issuer,
    unsigned loops, struct directory **out, struct error *err);

/*
 * directory_federate(directory, ca_file, err):
 * Once, before requests: take outside issuers' tokens too.  Their keys are fetched over TLS, with
 * the authorities in the PEM file ${ca_file} trusted beside the system's (NULL: only those); the
 * text must live as long as the directory.  Starts a thread.
 */
MUST_USE bool directory_federate(struct directory *directory, const char *ca_file,
    struct error *err);

/* Before the keyring, once nothing commits any more: it is still told of changes.  NULL is fine. */
void directory_close(struct directory *directory);

/* The first tenant made: what "adfs", "common" and "organizations" mean on this installation. */
bool directory_home_tenant(struct directory *directory, struct uuid *out);
bool directory_has_tenant(struct directory *directory, view tenant);

/* directory_issues(directory, issuer): Is this an issuer of the authority's own, of any tenant? */
bool directory_issues(const struct directory *directory, view issuer);

/*
 * directory_rotate_signing_keys(directory, tx, err):
 * For the scheduler, once a day or so: add a signing key to every tenant whose newest is older than
 * 45 days, and remove those older than 90.  Makes RSA keys: not on an event loop.
 */
MUST_USE bool directory_rotate_signing_keys(struct directory *directory, struct tx *tx,
    struct error *err);

/* tenant_create(tx, id, name, err): Add a tenant and its first signing key to ${tx}. */
MUST_USE bool tenant_create(struct tx *tx, const struct uuid *id, view name, struct error *err);

struct application {
	struct uuid tenant, id, object; /* appId; the service principal's object id */
	view name;
	bool administrator;
};

/*
 * application_create(tx, application, err):
 * Add an application with its service principal; ids are given by the caller.
 */
MUST_USE bool application_create(struct tx *tx, const struct application *application,
    struct error *err);

/*
 * application_add_secret(tx, tenant, appid, name, seconds, secret, err):
 * Make a client secret that expires after ${seconds}; its text is in ${secret}, the document holds
 * only its hash.  ERR_GRAPH_NOT_FOUND when there is no such application.
 */
MUST_USE bool application_add_secret(struct tx *tx, view tenant, view appid, view name,
    int64_t seconds, struct plain **secret, struct error *err);

/* application_add_certificate(tx, tenant, appid, der, err): One whose key may sign assertions. */
MUST_USE bool application_add_certificate(struct tx *tx, view tenant, view appid, view der,
    struct error *err);

/*
 * application_by_object(tx, object, out, err):
 * By its service principal's object id; the name lies in tx->arena.  ERR_GRAPH_NOT_FOUND when there
 * is none.
 */
MUST_USE bool application_by_object(struct tx *tx, view object, struct application *out,
    struct error *err);

/*
 * caller_is_administrator(tx, caller, out, err):
 * Whether the caller, a user or an application, administers the directory, as their document says
 * now: a token does not carry it.
 */
MUST_USE bool caller_is_administrator(struct tx *tx, const struct caller *caller, bool *out,
    struct error *err);

/*
 * token_authenticate(directory, loop, token, audience, tenant, out, err):
 * Verify a bearer token: ours by signature and issuer, in time by the wall clock, for one of our
 * audiences.  ${audience} is compared without a trailing slash and with or without the port; a
 * vault also accepts its well-known application id.  Fills in ${out}.  On failure ${err} is
 * ERR_UNAUTHORIZED with the original's AKV100xx text; the caller may render it for its plane.
 * ${loop} is the index of the calling loop: caches are per loop, without locks.  ${tenant}: whose
 * things are asked for, and of outside issuers only its own count; NULL: any tenant's do.
 */
MUST_USE bool token_authenticate(struct directory *directory, unsigned loop, view token,
    view audience, const struct uuid *tenant, struct caller *out, struct error *err);

#endif
