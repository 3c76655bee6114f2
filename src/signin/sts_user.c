/*
 * A person's password (RFC 6749, section 4.3) and refresh tokens (section 6).
 */
#include "identity/jwt.h"
#include "signin/signin.h"
#include "signin/sts_person.h"

bool
sts_grant_password(const struct sts_ask *ask, struct sts_reply *out, struct error *err)
{
	AUTO(sts_party_done) struct sts_party party = { .proof = V("") };
	AUTO(plain_done) struct plain *document = NULL;
	struct scopes scopes;
	struct user user;
	const struct signin_try try = {
		.tx = ask->tx,
		.gate = ask->directory->gate,
		.lockout = ask->directory->lockout,
		.tenant = &party.tenant,
		.name = form_get(ask->form, "username"),
		.password = form_get(ask->form, "password"),
		.address = ask->place->peer,
	};
	const struct sts_session session = { .party = &party, .user = &user, .scopes = &scopes };

	if (try.name.len == 0)
		return sts_missing(err, "username");
	if (try.password.len == 0)
		return sts_missing(err, "password");
	return sts_party_find(ask, &party, err) &&
	    sts_scopes(ask, &party.tenant, V(""), &scopes, err) &&
	    signin_password(&try, ask->who, &document, &user, err) &&
	    sts_tokens(ask, &session, out, err);
}

/* Said of a token that is no good; the family's fate is in the store. */
static const char *const refusals[] = {
	[REFRESH_UNKNOWN] = "AADSTS700082: The refresh token has expired due to inactivity, or it "
			    "was never issued here. Sign in again.",
	[REFRESH_EXPIRED] = "AADSTS700082: The refresh token has expired due to inactivity or age. "
			    "Sign in again.",
	[REFRESH_REVOKED] = "AADSTS50173: The provided grant has been revoked. Sign in again.",
	[REFRESH_REUSED] = "AADSTS50173: The provided refresh token was used before. Somebody may "
			   "have a copy of it, so the sign-in has been revoked. Sign in again.",
};

static bool
check_client(const struct sts_party *party, const struct refresh_facts *facts, struct error *err)
{
	if (!view_eq(uuid_view(&party->client.id), uuid_view(&facts->client)) &&
	    !(party->client.family && client_is_family(uuid_view(&facts->client))))
		return error_set(err, ERR_STS_BAD_GRANT,
		    "AADSTS700005: The provided refresh token is intended to be used by another "
		    "application.");
	/* Whoever stole it beside a secret must not be helped by the secret's removal. */
	return !facts->proven || sts_party_proven(party) ||
	    error_set(err, ERR_STS_CLIENT_KIND,
		"AADSTS7000218: The request body must contain the following parameter: "
		"'client_assertion' or 'client_secret'.");
}

static bool
refuse(const struct sts_ask *ask, const struct refresh_use *use, enum refresh_verdict verdict,
    struct sts_reply *out, struct error *err)
{
	if (verdict != REFRESH_UNKNOWN) {
		ask->who->person = true;
		ask->who->object = use->name.user;
	}
	/* A family ends here and now: to be committed although it is a refusal. */
	out->ends = verdict == REFRESH_REUSED;
	(void)error_set(err, ERR_STS_BAD_GRANT, "%s", refusals[verdict]);
	return out->ends;
}

bool
sts_grant_refresh(const struct sts_ask *ask, struct sts_reply *out, struct error *err)
{
	AUTO(sts_party_done) struct sts_party party = { .proof = V("") };
	AUTO(plain_done) struct plain *document = NULL;
	view token = form_get(ask->form, "refresh_token");
	enum refresh_verdict verdict;
	struct refresh_use use;
	struct scopes scopes;
	struct user user;
	struct sts_session session = { .party = &party, .user = &user, .scopes = &scopes };

	if (token.len == 0)
		return sts_missing(err, "refresh_token");
	if (!sts_party_find(ask, &party, err) ||
	    !refresh_use(ask->tx, &party.tenant, token, ask->now, &use, &verdict, err))
		return false;
	if (verdict != REFRESH_FINE)
		return refuse(ask, &use, verdict, out, err);
	if (!check_client(&party, &use.facts, err) ||
	    !sts_user_find(ask, &use.name.user, use.facts.sessions, &document, &user, err) ||
	    !sts_scopes(ask, &party.tenant, use.facts.resource, &scopes, err))
		return false;
	session.refresh = use.next;
	return sts_tokens(ask, &session, out, err);
}
