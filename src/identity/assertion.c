#include "identity/assertion.h"

#include "base/base64.h"
#include "base/clock.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "identity/jwt.h"

#define LIFETIME_MAX 86400
#define HOST_LIFETIME_MAX 600 /* nothing keeps an agent from making another */

static bool
refused(struct error *err, const char *reason)
{
	return error_set(err, ERR_STS_BAD_ASSERTION,
	    "AADSTS700027: Client assertion failed signature validation. Reason - %s", reason);
}

static bool
thumbprint_eq(view text, const uint8_t *thumbprint, size_t thumbprint_len)
{
	char bytes[64];
	size_t len;

	if (text.len > sizeof(bytes) || !base64_decode(BASE64URL, text, bytes, &len))
		return false;
	return view_eq((view){ bytes, len }, (view){ (const char *)thumbprint, thumbprint_len });
}

/* Whether the header names this certificate: by its SHA-256, or by its SHA-1 as older ones do. */
static bool
names(const struct jwt *jwt, const struct client_certificate *certificate, bool *out,
    struct error *err)
{
	uint8_t strong[SHA256_LEN], weak[SHA1_LEN];

	if (!sha256(&certificate->der, 1, strong, err) || !sha1(certificate->der, weak, err))
		return false;
	*out = jwt->x5t_s256.len > 0 ? thumbprint_eq(jwt->x5t_s256, strong, sizeof(strong))
				     : thumbprint_eq(jwt->x5t, weak, sizeof(weak));
	return true;
}

static bool
certificate_find(const struct registration *application, const struct jwt *jwt,
    const struct client_certificate **out, struct error *err)
{
	char thumbprint[PRINTABLE_MAX + 1];
	bool named;

	if (jwt->x5t.len == 0 && jwt->x5t_s256.len == 0)
		return refused(err, "The header names no certificate (x5t or x5t#S256).");
	for (size_t i = 0; i < application->certificate_count; i++) {
		if (!names(jwt, &application->certificates[i], &named, err))
			return false;
		if (named) {
			*out = &application->certificates[i];
			return true;
		}
	}
	return error_set(err, ERR_STS_BAD_ASSERTION,
	    "AADSTS700027: The certificate with identifier used to sign the client assertion is "
	    "not registered on application. Reason - The key was not found. Thumbprint of key "
	    "used by client: '%s'.",
	    printable(jwt->x5t_s256.len > 0 ? jwt->x5t_s256 : jwt->x5t, thumbprint));
}

static bool
by_certificate(const struct registration *application, const struct jwt *jwt, int64_t now,
    struct public_key **out, struct error *err)
{
	const struct client_certificate *certificate = NULL;

	if (jwt->alg != SIGNATURE_RS256 && jwt->alg != SIGNATURE_PS256)
		return refused(err, "The alg must be RS256 or PS256.");
	if (!certificate_find(application, jwt, &certificate, err))
		return false;
	if (now < certificate->start || now >= certificate->end)
		return refused(err, "The key used is expired or not yet valid.");
	return public_key_from_certificate(certificate->der, out, err);
}

/* A host has one key, bare. */
static bool
by_host_key(const struct registration *host, struct public_key **out, struct error *err)
{
	return host->certificate_count == 1
	    ? public_key_from_spki(host->certificates[0].der, out, err)
	    : refused(err, "No key is registered.");
}

static bool
signature_fits(const struct registration *application, const struct jwt *jwt, int64_t now,
    struct error *err)
{
	AUTO(public_key_done) struct public_key *key = NULL;

	if (application->kind == REGISTRATION_IDENTITY
		? !by_host_key(application, &key, err)
		: !by_certificate(application, jwt, now, &key, err))
		return false;
	if (public_key_verify(key, jwt->alg, jwt->signing_input, jwt->signature))
		return true;
	return openssl_starved() ? error_memory(err)
				 : refused(err, "The signature does not fit the key.");
}

/* The token endpoints in their forms, and the authority itself; a tenant by any of its names. */
static bool
audience_is_here(struct directory *directory, view audience, view authority,
    const struct uuid *tenant)
{
	static const view tails[] = {
		V_INIT("oauth2/v2.0/token"),
		V_INIT("oauth2/token"),
		V_INIT("v2.0"),
		V_INIT(""),
	};
	struct uuid named;
	view rest;

	if (!view_istarts(audience, V("https://")))
		return false;
	rest = view_from(audience, 8);
	if (!view_ieq(view_cut(&rest, '/'), authority) ||
	    !directory_resolve(directory, view_cut(&rest, '/'), &named, NULL) ||
	    !view_eq(uuid_view(&named), uuid_view(tenant)))
		return false;
	for (size_t i = 0; i < COUNT_OF(tails); i++) {
		if (view_ieq(rest, tails[i]))
			return true;
	}
	return false;
}

static bool
parties_fit(struct directory *directory, const struct assertion_check *check,
    const struct registration *application, const struct jwt_claims *claims, struct error *err)
{
	view id = uuid_view(&application->id);

	if (!view_ieq(claims->iss, id) || !view_ieq(claims->sub, id))
		return error_set(err, ERR_STS_BAD_ASSERTION,
		    "AADSTS700021: Client assertion application identifier doesn't match "
		    "'client_id' parameter.");
	return audience_is_here(directory, claims->aud, check->authority, &application->tenant) ||
	    error_set(err, ERR_STS_BAD_ASSERTION,
		"AADSTS700023: Client assertion audience claim does not match Realm issuer.");
}

static bool
in_time(const struct jwt_claims *claims, int64_t lifetime, int64_t now, struct error *err)
{
	int64_t from = claims->nbf.given ? claims->nbf.at : claims->iat.at;
	char current[CLOCK_ISO_LEN + 1], start[CLOCK_ISO_LEN + 1], end[CLOCK_ISO_LEN + 1];

	if (!claims->exp.given)
		return refused(err, "The assertion has no expiry time (exp).");
	if (claims->exp.at > now + lifetime + TOKEN_SKEW)
		return refused(err,
		    lifetime == LIFETIME_MAX ? "The assertion lives for more than a day."
					     : "The assertion lives for more than ten minutes.");
	if (now < claims->exp.at + TOKEN_SKEW && from <= now + TOKEN_SKEW &&
	    claims->iat.at <= now + TOKEN_SKEW)
		return true;
	clock_iso_seconds(now, current);
	clock_iso_seconds(from, start);
	clock_iso_seconds(claims->exp.at, end);
	return error_set(err, ERR_STS_EXPIRED_ASSERTION,
	    "AADSTS700024: Client assertion is not within its valid time range. Current time: %s, "
	    "assertion valid from %s, expiry time of assertion %s.",
	    current, start, end);
}

/* An assertion goes by its jti, or by what is signed when it has none. */
static bool
unused(struct directory *directory, const struct assertion_check *check,
    const struct registration *application, const struct jwt *jwt, const struct jwt_claims *claims,
    struct error *err)
{
	const view parts[] = {
		uuid_view(&application->id),
		claims->jti.len > 0 ? claims->jti : jwt->signing_input,
	};
	uint8_t id[SHA256_LEN];

	if (!sha256(parts, COUNT_OF(parts), id, err))
		return false;
	return replay_admit(directory->replay, (view){ (const char *)id, sizeof(id) },
		   claims->exp.at + TOKEN_SKEW, check->peer, check->peer_ipv6, check->now) ||
	    refused(err, "The assertion was used from another address before.");
}

bool
assertion_malformed(const struct error *why, struct error *err)
{
	if (why->code == ERR_BAD_REQUEST)
		return error_set(err, ERR_STS_BAD_ASSERTION,
		    "AADSTS50027: JWT token is invalid or malformed: %s.", why->message);
	*err = *why;
	return false;
}

bool
assertion_accept(struct directory *directory, const struct assertion_check *check,
    const struct registration *application, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	int64_t lifetime =
	    application->kind == REGISTRATION_IDENTITY ? HOST_LIFETIME_MAX : LIFETIME_MAX;
	struct jwt_claims claims;
	struct error why;
	struct jwt jwt;

	arena_init(&arena, JWT_ARENA_MAX);
	if (!jwt_parse(check->text, ASSERTION_HEADER_MAX, &arena, &jwt, &why))
		return assertion_malformed(&why, err);
	if (!signature_fits(application, &jwt, check->now, err))
		return false;
	if (!jwt_claims_read(jwt.payload, &arena, &claims, &why))
		return assertion_malformed(&why, err);
	return parties_fit(directory, check, application, &claims, err) &&
	    in_time(&claims, lifetime, check->now, err) &&
	    unused(directory, check, application, &jwt, &claims, err);
}
