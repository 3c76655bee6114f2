/*
 * Attestation: authorities that say what an environment is (a confidential machine, an enclave), in
 * tokens that the environment presents.  Which ones are believed is set on the server; whether what
 * they say is enough is the business of who asks.
 */
#ifndef IDENTITY_ATTESTATION_H
#define IDENTITY_ATTESTATION_H

#include "identity/identity.h"
#include "identity/jwt.h"

/*
 * directory_attest(directory, authorities):
 * Once, behind directory_federate: the URLs of the authorities to be believed, NULL at the end; the
 * list and its texts live as long as the directory.  Their keys are kept at hand from now on.
 */
void directory_attest(struct directory *directory, const char *const *authorities);

/* attestation_same_authority(a, b): The same URL, but for a slash at the end. */
bool attestation_same_authority(view a, view b);

/*
 * attestation_verify(directory, token, arena, authority, claims, err):
 * The token is of an authority that is believed, signed with one of its keys at hand, and in time
 * by the wall clock.  ${authority}: its issuer; ${claims}: what it says, a JSON object; both in
 * ${arena}.  Never waits: keys that are missing are fetched for the next time.  ERR_ATTESTATION,
 * with one message for all that can be wrong.
 */
MUST_USE bool attestation_verify(struct directory *directory, view token, struct arena *arena,
    view *authority, view *claims, struct error *err);

#endif
