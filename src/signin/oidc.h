/*
 * The authority's public documents: discovery, the key set, the realm of a user.
 */
#ifndef SIGNIN_OIDC_H
#define SIGNIN_OIDC_H

#include "identity/directory.h"

enum oidc_flavour {
	OIDC_V1, /* issuer as in the access tokens */
	OIDC_V2,
	OIDC_ADFS, /* the paths that clients expect of AD FS, which they ask without further ado */
};

struct oidc_place {
	enum oidc_flavour flavour;
	view authority; /* host[:port], as the client wrote it */
	view domain;
	view issuer; /* of the directory's tokens */
	struct uuid tenant;
};

/* oidc_configuration(place, json): OpenID Connect Discovery 1.0, section 3, with Entra's extras. */
void oidc_configuration(const struct oidc_place *place, struct json *json);

/* oidc_keys(directory, tenant, json): The tenant's key set (RFC 7517). */
void oidc_keys(struct directory *directory, const struct uuid *tenant, struct json *json);

/*
 * oidc_instance(directory, authority, endpoint, version, json, err):
 * Instance discovery: is the authorization ${endpoint} one of ours, and where is its configuration?
 */
MUST_USE bool oidc_instance(struct directory *directory, view authority, view endpoint,
    view version, struct json *json, struct error *err);

/* oidc_realm(authority, user, json): All users are managed here. */
void oidc_realm(view authority, view user, struct json *json);

#endif
