/*
 * What a browser's sign-in ends with: authorization codes (RFC 6749, section 4.1.3) and devices'
 * codes (RFC 8628, section 3.4) for tokens.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "base/plain.h"
#include "signin/errand.h"
#include "signin/signin.h"
#include "signin/sts_person.h"

#include <string.h>

#define VERIFIER_MIN 43
#define VERIFIER_MAX 128
#define SLOW_DOWN 2 /* seconds; devices are told to wait for 5 */

static bool
refused(struct error *err, const char *text)
{
	return error_set(err, ERR_STS_BAD_GRANT, "%s", text);
}

static bool
same_party(const struct sts_party *party, const struct errand *errand, struct error *err)
{
	return (view_eq(uuid_view(&party->tenant), uuid_view(&errand->tenant)) &&
		   view_eq(uuid_view(&party->client.id), uuid_view(&errand->client))) ||
	    refused(err,
		"AADSTS700005: The provided code is intended to be used by another application.");
}

/* The tokens for whom the errand found. */
static bool
redeem(const struct sts_ask *ask, const struct sts_party *party, const struct errand *errand,
    struct sts_reply *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct scopes scopes = errand->scopes;
	struct user user;
	const struct sts_session session = {
		.party = party,
		.user = &user,
		.scopes = &scopes,
		.nonce = errand->nonce,
		.family = errand->family,
	};

	if (form_get(ask->form, "scope").len + form_get(ask->form, "resource").len > 0 &&
	    !sts_scopes(ask, &party->tenant, errand->scopes.resource, &scopes, err))
		return false;
	return sts_user_find(ask, &errand->user, errand->sessions, &document, &user, err) &&
	    sts_tokens(ask, &session, out, err);
}

/*
 * RFC 7636, section 4.6.  Only a client that proves itself may do without: also one that had a
 * credential when it asked for the code, and has none any more.
 */
static bool
verifier_fits(view verifier, view challenge, bool proven, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	uint8_t digest[SHA256_LEN];

	/* A verifier without a challenge: somebody took the challenge away on the way here. */
	if (challenge.len == 0 && verifier.len == 0 && proven)
		return true;
	if (verifier.len < VERIFIER_MIN || verifier.len > VERIFIER_MAX)
		return refused(err,
		    "AADSTS501481: The code verifier is missing or not as long as it should be.");
	if (!sha256(&verifier, 1, digest, err))
		return false;
	base64_encode(BASE64URL, (view){ (const char *)digest, sizeof(digest) }, &text);
	return constant_time_equal(buf_view(&text), challenge) ||
	    refused(err,
		"AADSTS501481: The code verifier does not match the code challenge supplied in the "
		"authorization request.");
}

/* A code that comes twice was overheard: what the first one got ends, too. */
static bool
second_use(const struct sts_ask *ask, const struct errand *errand, struct sts_reply *out,
    struct error *err)
{
	struct refresh_name name = { .tenant = errand->tenant, .user = errand->user };

	memcpy(name.family, errand->family, sizeof(name.family));
	if (!refresh_revoke(ask->tx, &name, ask->now, err))
		return false;
	ask->who->person = true;
	ask->who->object = errand->user;
	out->ends = true;
	(void)refused(err,
	    "AADSTS54005: OAuth2 Authorization code was already redeemed, please retry with a new "
	    "valid code. What it was redeemed for has been revoked.");
	return true;
}

bool
sts_grant_code(const struct sts_ask *ask, struct sts_reply *out, struct error *err)
{
	AUTO(sts_party_done) struct sts_party party = { .proof = V("") };
	enum pending_verdict verdict;
	struct errand errand;
	view bytes;

	if (form_get(ask->form, "code").len == 0)
		return sts_missing(err, "code");
	if (!sts_party_find(ask, &party, err))
		return false;
	verdict = pending_spend(ask->signin->codes, form_get(ask->form, "code"),
	    clock_mono() / 1000000000, ask->tx->arena, &bytes);
	if (verdict == PENDING_ABSENT)
		return refused(err,
		    "AADSTS70008: The provided authorization code is not known, or has expired.");
	if (!errand_unpack(bytes, &errand, err))
		return false;
	if (verdict == PENDING_SPENT)
		return second_use(ask, &errand, out, err);
	if (!same_party(&party, &errand, err))
		return false;
	if (!view_eq(form_get(ask->form, "redirect_uri"), errand.redirect))
		return refused(err,
		    "AADSTS500112: The 'redirect_uri' does not match the one in the request for "
		    "the authorization code.");
	return verifier_fits(form_get(ask->form, "code_verifier"), errand.challenge,
		   sts_party_proven(&party), err) &&
	    redeem(ask, &party, &errand, out, err);
}

/* Where the device stands; true: it may have its tokens. */
static bool
device_ready(const struct sts_ask *ask, view code, const struct errand *errand, struct error *err)
{
	struct pending *devices = ask->signin->devices;
	int64_t now = clock_mono() / 1000000000;

	if (errand->stage == ERRAND_DECLINED)
		return error_set(err, ERR_STS_DECLINED,
		    "AADSTS70018: The person declined the sign-in.");
	if (errand->stage == ERRAND_APPROVED)
		return true;
	if (pending_rest(devices, code, now) < SLOW_DOWN)
		return error_set(err, ERR_STS_SLOW_DOWN,
		    "AADSTS70016: The device asks too often. Wait for the interval.");
	return error_set(err, ERR_STS_PENDING,
	    "AADSTS70016: OAuth 2.0 device flow error. Authorization is pending. Continue polling.");
}

static bool
expired(struct error *err)
{
	return error_set(err, ERR_STS_EXPIRED_CODE,
	    "AADSTS70020: The provided value for the input parameter 'device_code' is not valid. "
	    "This device code has expired.");
}

bool
sts_grant_device(const struct sts_ask *ask, struct sts_reply *out, struct error *err)
{
	AUTO(sts_party_done) struct sts_party party = { .proof = V("") };
	struct pending *devices = ask->signin->devices;
	int64_t now = clock_mono() / 1000000000;
	view code = form_get(ask->form, "device_code"), bytes;
	struct errand errand;

	/* Older clients call it so. */
	if (code.len == 0)
		code = form_get(ask->form, "code");
	if (code.len == 0)
		return sts_missing(err, "device_code");
	if (!sts_party_find(ask, &party, err))
		return false;
	if (pending_get(devices, code, now, ask->tx->arena, &bytes) != PENDING_HERE)
		return expired(err);
	if (!errand_unpack(bytes, &errand, err) || !same_party(&party, &errand, err) ||
	    !device_ready(ask, code, &errand, err))
		return false;
	if (pending_spend(devices, code, now, ask->tx->arena, &bytes) != PENDING_HERE)
		return expired(err);
	return redeem(ask, &party, &errand, out, err);
}
