#include "identity/attestation.h"

#include "base/clock.h"
#include "identity/directory.h"
#include "identity/federation.h"

void
directory_attest(struct directory *directory, const char *const *authorities)
{
	directory->attesters = authorities;
	/* One that can't be kept is fetched when it is asked for. */
	for (size_t i = 0; authorities[i] != NULL && directory->issuers != NULL; i++)
		(void)!issuers_keep(directory->issuers, view_of(authorities[i]), true);
}

static view
without_slash(view url)
{
	if (view_ends(url, V("/")))
		url.len--;
	return url;
}

bool
attestation_same_authority(view a, view b)
{
	return a.len > 0 && view_eq(without_slash(a), without_slash(b));
}

/* The original's text. */
static bool
unverified(struct error *err)
{
	return error_set(err, ERR_ATTESTATION,
	    "Target environment attestation statement cannot be verified.");
}

/* As it was set, which is how its keys are kept; empty when it is not believed. */
static view
believed(const struct directory *directory, view issuer)
{
	for (size_t i = 0; directory->attesters != NULL && directory->attesters[i] != NULL; i++) {
		if (attestation_same_authority(view_of(directory->attesters[i]), issuer))
			return view_of(directory->attesters[i]);
	}
	return V("");
}

/* Keys have names here: a token without one is no authority's. */
static bool
signature_fits(struct directory *directory, view issuer, const struct jwt *jwt)
{
	return directory->issuers != NULL && jwt->alg != SIGNATURE_NONE && jwt->kid.len > 0 &&
	    issuers_verify(directory->issuers, issuer, jwt, ISSUER_AT_ONCE) == ISSUER_GOOD;
}

bool
attestation_verify(struct directory *directory, view token, struct arena *arena, view *authority,
    view *claims, struct error *err)
{
	struct jwt_claims said;
	struct error why;
	struct jwt jwt;
	view issuer;

	if (!jwt_parse(token, ASSERTION_HEADER_MAX, arena, &jwt, &why) ||
	    !jwt_claims_read(jwt.payload, arena, &said, &why))
		return why.code == ERR_BAD_REQUEST ? unverified(err)
						   : error_set(err, why.code, "%s", why.message);
	issuer = believed(directory, said.iss);
	if (issuer.len == 0 || !signature_fits(directory, issuer, &jwt) ||
	    !federation_in_time(&said, clock_wall()))
		return unverified(err);
	*authority = said.iss;
	*claims = jwt.payload;
	return true;
}
