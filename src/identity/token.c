/*
 * Verifying bearer tokens: ours by signature first, then what they say.
 */
#include "identity/directory.h"

#include "base/clock.h"
#include "identity/jwt.h"
#include "identity/resource.h"
#include "identity/trust.h"

#include <stdio.h>
#include <string.h>

static bool
unauthorized(struct error *err, const char *text)
{
	return error_set(err, ERR_UNAUTHORIZED, "%s", text);
}

/* A stranger's token is his mistake; a lack of memory is not. */
static bool
malformed(const struct error *why, struct error *err)
{
	if (why->code == ERR_BAD_REQUEST)
		return error_set(err, ERR_UNAUTHORIZED, "AKV10001: Token is malformed: %s.",
		    why->message);
	*err = *why;
	return false;
}

static bool
issuer_fits(const struct directory *directory, const struct token_key *key,
    const struct jwt_claims *claims, struct caller *out, struct error *err)
{
	char found[PRINTABLE_MAX + 1];

	(void)snprintf(out->issuer, sizeof(out->issuer), "%s/%s/", directory->issuer,
	    key->tenant.text);
	if (!view_eq(claims->iss, view_of(out->issuer)))
		return error_set(err, ERR_UNAUTHORIZED,
		    "AKV10032: Invalid issuer. Expected one of %s, found %s.", out->issuer,
		    printable(claims->iss, found));
	if (!view_ieq(claims->tid, uuid_view(&key->tenant)))
		return unauthorized(err, "AKV10032: Invalid issuer. The tenant does not agree.");
	return true;
}

/* The tenant a key belongs to is the only one it may speak for. */
static bool
facts_read(const struct directory *directory, const struct token_key *key,
    const struct jwt_claims *claims, struct token_facts *out, struct error *err)
{
	struct caller *caller = &out->caller;

	*out = (struct token_facts){ .caller = { .known = true, .tenant = key->tenant } };
	if (!issuer_fits(directory, key, claims, caller, err))
		return false;
	if (!uuid_parse(claims->oid, &caller->object) ||
	    !uuid_parse(claims->appid, &caller->application) || !claims->exp.given ||
	    !claims->nbf.given || claims->aud.len == 0 || claims->aud.len > AUDIENCE_MAX)
		return unauthorized(err, "AKV10001: Token is malformed: a claim is missing.");
	caller->person = view_eq(claims->idtyp, V("user"));
	if (claims->upn.len > UPN_MAX)
		return unauthorized(err, "AKV10001: Token is malformed: a claim is too long.");
	if (caller->person)
		memcpy(caller->upn, claims->upn.ptr, claims->upn.len);
	out->not_before = claims->nbf.at;
	out->expires = claims->exp.at;
	memcpy(out->audience, claims->aud.ptr, claims->aud.len);
	out->audience_len = claims->aud.len;
	return true;
}

static bool
signature_fits(struct directory *directory, const struct jwt *jwt, struct token_key **out,
    struct error *err)
{
	AUTO(token_key_done) struct token_key *key = NULL;
	char header[PRINTABLE_MAX + 1];

	if (jwt->alg != SIGNATURE_RS256)
		return unauthorized(err, "AKV10001: Token is malformed: its alg must be RS256.");
	key = directory_hold_key(directory, jwt->kid);
	if (key == NULL)
		return error_set(err, ERR_UNAUTHORIZED,
		    "AKV10046: Unable to resolve the key used for signature validation. "
		    "EncodedJwtHeader: '%s'",
		    printable(jwt->header, header));
	if (!public_key_verify(key->public_key, SIGNATURE_RS256, jwt->signing_input,
		jwt->signature))
		return unauthorized(err, "AKV10002: Token signature is not valid.");
	*out = key;
	key = NULL;
	return true;
}

bool
directory_issues(const struct directory *directory, view issuer)
{
	view own = view_of(directory->issuer);

	return view_starts(issuer, own) && (issuer.len == own.len || issuer.ptr[own.len] == '/');
}

/* Nobody whom a tenant trusts speaks for the authority itself, or its tokens were good no more. */
static bool
is_outside(struct directory *directory, view issuer)
{
	return !directory_issues(directory, issuer) && trust_names(directory->trust, issuer);
}

static bool
verify(struct directory *directory, view token, const struct uuid *tenant, struct token_facts *out,
    struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(token_key_done) struct token_key *key = NULL;
	struct jwt_claims claims;
	struct error why;
	struct jwt jwt;

	arena_init(&arena, JWT_ARENA_MAX);
	if (!jwt_parse(token, JWT_HEADER_MAX, &arena, &jwt, &why))
		return malformed(&why, err);
	if (jwt_claims_read(jwt.payload, &arena, &claims, &why) &&
	    is_outside(directory, claims.iss))
		return trust_accept(directory, &jwt, &claims, tenant, out, err);
	if (!signature_fits(directory, &jwt, &key, err))
		return false;
	if (!jwt_claims_read(jwt.payload, &arena, &claims, &why))
		return malformed(&why, err);
	return facts_read(directory, key, &claims, out, err);
}

static bool
in_time(const struct token_facts *facts, struct error *err)
{
	int64_t now = clock_wall();

	if (now >= facts->expires + TOKEN_SKEW)
		return unauthorized(err, "AKV10010: Token has expired.");
	if (now < facts->not_before - TOKEN_SKEW)
		return unauthorized(err, "AKV10011: Token is not yet valid.");
	return true;
}

static bool
for_audience(const struct token_facts *facts, view audience, struct error *err)
{
	view found = { facts->audience, facts->audience_len };
	char text[PRINTABLE_MAX + 1];

	/* The directory itself takes the authority's tokens only. */
	if (facts->outside && !view_istarts(audience, V("https://graph.")))
		return true;
	return audience_fits(audience, found) ||
	    error_set(err, ERR_UNAUTHORIZED,
		"AKV10022: Invalid audience. Expected %.*s, found: %s.", VIEW_ARG(audience),
		printable(found, text));
}

static bool
accept(const struct token_facts *facts, view audience, struct caller *out, struct error *err)
{
	if (!in_time(facts, err) || !for_audience(facts, audience, err))
		return false;
	*out = facts->caller;
	return true;
}

/* Both only rise, and so does their sum. */
static uint64_t
generation_of(struct directory *directory)
{
	return atomic_load(&directory->generation) +
	    (directory->issuers == NULL ? 0 : issuers_generation(directory->issuers));
}

bool
token_authenticate(struct directory *directory, unsigned loop, view token, view audience,
    const struct uuid *tenant, struct caller *out, struct error *err)
{
	/* No token has a line break in it. */
	const view asked[] = { token, V("\n"), tenant == NULL ? V("") : uuid_view(tenant) };
	struct token_cache *cache = directory->caches[loop];
	/* Before the keys are looked at: a key that goes meanwhile makes the entry stale. */
	uint64_t generation = generation_of(directory);
	const struct token_facts *cached;
	uint8_t digest[SHA256_LEN];
	struct token_facts facts;

	if (token.len == 0)
		return unauthorized(err, "AKV10000: Request is missing a Bearer or PoP token.");
	if (token.len > JWT_MAX)
		return unauthorized(err, "AKV10001: Token is malformed: it is too long.");
	if (!sha256(asked, tenant == NULL ? 1 : COUNT_OF(asked), digest, err))
		return false;
	cached = token_cache_find(cache, digest, generation);
	if (cached != NULL)
		return accept(cached, audience, out, err);
	if (!verify(directory, token, tenant, &facts, err) || !accept(&facts, audience, out, err))
		return false;
	token_cache_put(cache, digest, generation, &facts);
	return true;
}
