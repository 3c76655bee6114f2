/*
 * The documents of applications: "t/<tenant>/app/<appid>", and "oid/<object id>" for the service
 * principal's object id and for the application's own, which are two different ones.
 */
#ifndef IDENTITY_APPLICATION_STORE_H
#define IDENTITY_APPLICATION_STORE_H

#include "identity/client_secret.h"
#include "identity/object_store.h"

#define APPLICATION_NAME_MAX 1024 /* bytes: 256 characters */
#define APPLICATION_SECRETS_MAX 32
#define APPLICATION_CERTIFICATES_MAX 16
#define APPLICATION_FEDERATED_MAX 20
#define APPLICATION_REDIRECTS_MAX 32
#define APPLICATION_ATTACHED_MAX 64
#define CERTIFICATE_MAX ((size_t)16 * 1024)

struct client_certificate {
	struct uuid id;
	view name, der;
	int64_t start, end; /* its validity, Unix seconds */
};

/* An outside issuer's tokens, with this subject and audience, prove the application. */
struct federated_credential {
	struct uuid id;
	view name, issuer, subject, audience, description;
};

enum registration_kind {
	REGISTRATION_APPLICATION,
	REGISTRATION_IDENTITY, /* a managed identity: no application object, no secrets */
};

/* Which of the application's lists it stands in; all are the same to sign-in. */
enum redirect_kind { REDIRECT_WEB, REDIRECT_PUBLIC, REDIRECT_SPA };

/* An application with its service principal and credentials; views borrow from its document. */
struct registration {
	struct uuid tenant, id;
	struct uuid object; /* the service principal's */
	struct uuid own;    /* the application object's */
	view name;
	bool administrator;
	int64_t created; /* Unix seconds */
	struct client_secret secrets[APPLICATION_SECRETS_MAX];
	size_t secret_count;
	struct client_certificate certificates[APPLICATION_CERTIFICATES_MAX];
	size_t certificate_count;
	enum registration_kind kind;
	view resource; /* a managed identity's resource id */
	struct federated_credential federated[APPLICATION_FEDERATED_MAX];
	size_t federated_count;
	view redirects[APPLICATION_REDIRECTS_MAX]; /* where codes may be sent to */
	enum redirect_kind redirect_kinds[APPLICATION_REDIRECTS_MAX];
	size_t redirect_count;
	/* A host's: object ids of the managed identities it may speak for. */
	struct uuid attached[APPLICATION_ATTACHED_MAX];
	size_t attached_count;
	bool disabled; /* may not sign in: changed by registration_enable */
	bool bare;     /* its service principal was deleted: disabled, ->object is nobody */
};

/*
 * registration_get(tx, tenant, appid, use, document, out, err):
 * Read an application; the caller frees ${document}, which ${out} borrows from.
 * ERR_GRAPH_NOT_FOUND when there is none.
 */
MUST_USE bool registration_get(struct tx *tx, view tenant, view appid, enum store_use use,
    struct plain **document, struct registration *out, struct error *err);

/* registration_by_object: The same by object id; *kind says which is wanted, then which it is. */
MUST_USE bool registration_by_object(struct tx *tx, view object, enum object_kind *kind,
    enum store_use use, struct plain **document, struct registration *out, struct error *err);

/* registration_add: A new one, with its object ids; ERR_GRAPH_BAD_REQUEST when there is one. */
MUST_USE bool registration_add(struct tx *tx, const struct registration *registration,
    struct error *err);
MUST_USE bool registration_put(struct tx *tx, const struct registration *registration,
    struct error *err);

/*
 * registration_drop_principal, registration_make_principal:
 * Delete its service principal, and make another one with an object id of its own.  The caller
 * puts the registration back.
 */
MUST_USE bool registration_drop_principal(struct tx *tx, struct registration *registration,
    struct error *err);
MUST_USE bool registration_make_principal(struct tx *tx, struct registration *registration,
    struct error *err);

/* registration_enable: Let it in or not; the caller puts the registration back. */
MUST_USE bool registration_enable(struct tx *tx, struct registration *registration, bool enabled,
    struct error *err);
MUST_USE bool registration_delete(struct tx *tx, const struct registration *registration,
    struct error *err);

/* registration_read(document, out, err): An opened document; for those who follow the store. */
MUST_USE bool registration_read(view document, struct registration *out, struct error *err);

/*
 * registration_walk(tx, tenant, after, limit, visit, ctx, end, err):
 * Call ${visit} for at most ${limit} applications behind the appid ${after}, in order, until it
 * returns false; ${end} tells that there are no more.
 */
typedef bool registration_visit(void *ctx, const struct registration *registration);
MUST_USE bool registration_walk(struct tx *tx, view tenant, view after, size_t limit,
    registration_visit *visit, void *ctx, bool *end, struct error *err);

#endif
