#include "identity/federation.h"

#include "crypto/openssl.h"
#include "identity/assertion.h"
#include "identity/directory.h"

#define ADVICE                                                                               \
	"Check your federated identity credential Subject, Audience and Issuer against the " \
	"presented assertion. "                                                              \
	"https://learn.microsoft.com/entra/workload-id/workload-identity-federation"

bool
federation_speaks(view text)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct jwt_claims claims;
	struct error ignored;
	struct jwt jwt;

	arena_init(&arena, JWT_ARENA_MAX);
	return jwt_parse(text, ASSERTION_HEADER_MAX, &arena, &jwt, &ignored) &&
	    jwt_claims_read(jwt.payload, &arena, &claims, &ignored) &&
	    view_istarts(claims.iss, V("https://"));
}

bool
federation_for(const struct jwt_claims *claims, view audience)
{
	for (size_t i = 0; i < claims->audience_count; i++) {
		if (view_eq(claims->audiences[i], audience))
			return true;
	}
	return false;
}

bool
federation_in_time(const struct jwt_claims *claims, int64_t now)
{
	return claims->exp.given && now < claims->exp.at + TOKEN_SKEW &&
	    claims->nbf.at <= now + TOKEN_SKEW && claims->iat.at <= now + TOKEN_SKEW;
}

/* How far the credentials went along with the token. */
enum match { MATCH_NOTHING, MATCH_ISSUER, MATCH_SUBJECT, MATCH_ALL };

static enum match
match_one(const struct federated_credential *credential, const struct jwt_claims *claims)
{
	if (!view_eq(credential->issuer, claims->iss))
		return MATCH_NOTHING;
	if (!view_eq(credential->subject, claims->sub))
		return MATCH_ISSUER;
	return federation_for(claims, credential->audience) ? MATCH_ALL : MATCH_SUBJECT;
}

static enum match
match_best(const struct registration *application, const struct jwt_claims *claims)
{
	enum match best = MATCH_NOTHING;

	for (size_t i = 0; i < application->federated_count; i++) {
		enum match one = match_one(&application->federated[i], claims);

		if (one > best)
			best = one;
	}
	return best;
}

static bool
matched(const struct registration *application, const struct jwt_claims *claims, struct error *err)
{
	char text[PRINTABLE_MAX + 1];
	enum match best = claims->iss.len == 0 || claims->sub.len == 0
	    ? MATCH_NOTHING
	    : match_best(application, claims);

	switch (best) {
	case MATCH_ALL: return true;
	case MATCH_SUBJECT:
		return error_set(err, ERR_STS_NO_FEDERATED,
		    "AADSTS700212: No matching federated identity record found for presented "
		    "assertion audience '%s'. " ADVICE,
		    printable(claims->audience_count > 0 ? claims->audiences[0] : V(""), text));
	case MATCH_ISSUER:
		return error_set(err, ERR_STS_NO_FEDERATED,
		    "AADSTS700213: No matching federated identity record found for presented "
		    "assertion subject '%s'. " ADVICE,
		    printable(claims->sub, text));
	case MATCH_NOTHING: break;
	}
	return error_set(err, ERR_STS_NO_FEDERATED,
	    "AADSTS700211: No matching federated identity record found for presented assertion "
	    "issuer '%s'. " ADVICE,
	    printable(claims->iss, text));
}

static bool
signature_fits(struct issuers *issuers, const struct jwt *jwt, view issuer, struct error *err)
{
	enum issuer_verdict verdict = issuers == NULL || jwt->alg == SIGNATURE_NONE
	    ? ISSUER_BAD_SIGNATURE
	    : issuers_verify(issuers, issuer, jwt, ISSUER_MAY_FETCH);

	switch (verdict) {
	case ISSUER_GOOD: return true;
	case ISSUER_UNKNOWN_KEY:
		return error_set(err, ERR_STS_BAD_ASSERTION,
		    "AADSTS700027: Client assertion failed signature validation. Reason - The key "
		    "was not found among the issuer's.");
	case ISSUER_UNREACHABLE:
		return error_set(err, ERR_STS_ISSUER_UNREACHABLE,
		    "AADSTS50166: Request to External OIDC endpoint failed.");
	case ISSUER_BUSY:
		return error_set(err, ERR_STS_BUSY,
		    "AADSTS90033: A transient error has occurred. Please try again.");
	case ISSUER_BAD_SIGNATURE: break;
	}
	return openssl_failed(err, ERR_STS_BAD_ASSERTION,
	    "AADSTS700027: Client assertion failed signature validation. Reason - The signature "
	    "does not fit the issuer's key.");
}

/*
 * The claims are looked at before the signature is: who presents a token knows what is in it, and
 * only issuers that a credential names are ever asked for keys.
 */
bool
federation_accept(struct issuers *issuers, view text, const struct registration *application,
    int64_t now, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct jwt_claims claims;
	struct error why;
	struct jwt jwt;

	arena_init(&arena, JWT_ARENA_MAX);
	if (!jwt_parse(text, ASSERTION_HEADER_MAX, &arena, &jwt, &why) ||
	    !jwt_claims_read(jwt.payload, &arena, &claims, &why))
		return assertion_malformed(&why, err);
	if (!matched(application, &claims, err) || !signature_fits(issuers, &jwt, claims.iss, err))
		return false;
	return federation_in_time(&claims, now) ||
	    error_set(err, ERR_STS_EXPIRED_ASSERTION,
		"AADSTS700024: Client assertion is not within its valid time range.");
}
