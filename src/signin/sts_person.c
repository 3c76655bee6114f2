#include "signin/sts_person.h"

#include "crypto/random.h"
#include "base/clock.h"
#include "identity/jwt.h"
#include "identity/token_person.h"
#include "signin/signin.h"

#include <string.h>

void
sts_party_done(struct sts_party *party)
{
	client_done(&party->client);
}

struct sts_ask
sts_ask_of(struct request *r, const struct sts_place *place, const struct form *form)
{
	return (struct sts_ask){
		.directory = r->services->directory,
		.signin = r->services->signin,
		.tx = &r->tx,
		.place = place,
		.form = form,
		.authorization = http_field(r->in, V("Authorization")),
		.now = clock_wall(),
		.who = &r->caller,
	};
}

bool
sts_party_proven(const struct sts_party *party)
{
	return !view_eq(party->proof, V("0"));
}

bool
sts_tenant_find(const struct sts_ask *ask, struct uuid *out, int64_t *created, struct error *err)
{
	char text[PRINTABLE_MAX + 1];

	return directory_resolve(ask->directory, ask->place->tenant, out, created) ||
	    error_set(err, ERR_STS_UNKNOWN_TENANT,
		"AADSTS90002: Tenant '%s' not found. Check to make sure you have the correct "
		"tenant ID and are signing into the correct cloud.",
		printable(ask->place->tenant, text));
}

/* A client with a credential has to use it; one without has none to show. */
static bool
prove(const struct sts_ask *ask, const struct sts_form *credential, struct sts_party *party,
    struct error *err)
{
	bool given = credential->secret.len > 0 || credential->assertion.len > 0;

	party->proof = !given ? V("0") : credential->assertion.len > 0 ? V("2") : V("1");
	if (!given && party->client.confidential)
		return error_set(err, ERR_STS_CLIENT_KIND,
		    "AADSTS7000218: The request body must contain the following parameter: "
		    "'client_assertion' or 'client_secret'.");
	if (given && !party->client.confidential)
		return error_set(err, ERR_STS_CLIENT_KIND,
		    "AADSTS700025: Client is public so neither 'client_assertion' nor "
		    "'client_secret' should be presented.");
	return !given ||
	    sts_identify(ask->directory, ask->tx, ask->place, credential, ask->who, err);
}

bool
sts_party_find(const struct sts_ask *ask, struct sts_party *out, struct error *err)
{
	AUTO(sts_party_done) struct sts_party party = { .proof = V("") };
	struct sts_form credential;

	if (!sts_credential_read(ask->form, ask->authorization, ask->tx->arena, &credential, err) ||
	    !sts_tenant_find(ask, &party.tenant, &party.tenant_created, err) ||
	    !client_find(ask->tx, &party.tenant, credential.client, &party.client, err))
		return false;
	ask->who->tenant = party.tenant;
	ask->who->application = party.client.id;
	if (!prove(ask, &credential, &party, err))
		return false;
	*out = party;
	party.client.document = NULL;
	return true;
}

bool
sts_user_find(const struct sts_ask *ask, const struct uuid *object, int64_t sessions,
    struct plain **document, struct user *out, struct error *err)
{
	struct error why;

	if (!user_get(ask->tx, object, STORE_READ, document, out, &why)) {
		if (why.code == ERR_GRAPH_NOT_FOUND)
			return error_set(err, ERR_STS_BAD_GRANT,
			    "AADSTS50034: The user account does not exist any more.");
		*err = why;
		return false;
	}
	signin_who(out, ask->who);
	if (!signin_account(out, err))
		return false;
	return out->sessions_started <= sessions ||
	    error_set(err, ERR_STS_BAD_GRANT,
		"AADSTS50173: The provided grant has been revoked: the password was changed, or "
		"the sign-ins were ended. Sign in again.");
}

/* Where only the sign-in itself is asked for: as the original, the directory. */
static bool
directory_resource(const struct sts_ask *ask, view *out, struct error *err)
{
	return arena_join(ask->tx->arena, (const view[]){ V("https://graph."), ask->place->domain },
		   2, out) ||
	    error_memory(err);
}

bool
sts_scopes(const struct sts_ask *ask, const struct uuid *tenant, view otherwise, struct scopes *out,
    struct error *err)
{
	view scope = form_get(ask->form, "scope"), resource = form_get(ask->form, "resource");
	struct scopes scopes;

	if (scope.len + resource.len + otherwise.len == 0)
		return sts_missing(err, "scope");
	if (!scopes_read(scope, resource, &scopes, err))
		return false;
	if (scopes.resource.len == 0)
		scopes.resource = otherwise;
	if (scopes.resource.len == 0 && !directory_resource(ask, &scopes.resource, err))
		return false;
	if (!sts_resource_allowed(ask->place, tenant, scopes.resource, err))
		return false;
	*out = scopes;
	return true;
}

/* The issuer of id tokens, as the discovery document has it that the client has read (oidc.c). */
static bool
issuer_of(const struct sts_ask *ask, const struct sts_session *session, view *out,
    struct error *err)
{
	view authority = ask->place->authority;
	const char *tenant = session->party->tenant.text;
	struct arena *arena = ask->tx->arena;
	bool fine;

	if (view_ieq(ask->place->tenant, V("adfs")))
		fine = arena_print(arena, out, "https://%.*s/adfs", VIEW_ARG(authority));
	else if (session->scopes->v1)
		fine = arena_print(arena, out, "%s/%s/", ask->directory->issuer, tenant);
	else
		fine = arena_print(arena, out, "https://%.*s/%s/v2.0", VIEW_ARG(authority), tenant);
	return fine || error_memory(err);
}

static bool
keep(struct arena *arena, const struct buf *text, view *out, struct error *err)
{
	return (buf_ok(text) && arena_copy(arena, buf_view(text), out)) || error_memory(err);
}

static bool
add_refresh(const struct sts_ask *ask, const struct sts_session *session, struct sts_reply *out,
    struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct refresh_name name = { .tenant = session->user->tenant,
		.user = session->user->object };
	const struct refresh_facts facts = {
		.client = session->party->client.id,
		.sessions = session->user->sessions_started,
		.resource = session->scopes->resource,
		.proven = sts_party_proven(session->party),
	};

	out->refresh = session->refresh;
	if (session->refresh.len > 0 || !session->scopes->offline)
		return true;
	if (session->family != NULL)
		memcpy(name.family, session->family, sizeof(name.family));
	else
		random_ordered(name.family);
	return refresh_begin(ask->tx, &name, &facts, ask->now, &text, err) &&
	    keep(ask->tx->arena, &text, &out->refresh, err);
}

static bool
add_identity(const struct sts_ask *ask, const struct sts_session *session,
    const struct person_wish *wish, struct sts_reply *out, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 }, info = { 0 }, scope = { 0 };
	struct arena *arena = ask->tx->arena;

	if (session->scopes->openid &&
	    (!token_person_id(ask->directory, wish, &text, err) ||
		!keep(arena, &text, &out->identity, err)))
		return false;
	if (view_eq(form_get(ask->form, "client_info"), V("1")))
		token_client_info(session->user, &info);
	scopes_write(session->scopes, &scope);
	return keep(arena, &info, &out->client_info, err) && keep(arena, &scope, &out->scope, err);
}

bool
sts_tokens(const struct sts_ask *ask, const struct sts_session *session, struct sts_reply *out,
    struct error *err)
{
	const struct scopes *scopes = session->scopes;
	struct person_wish wish = {
		.user = session->user,
		.client = &session->party->client.id,
		.resource = scopes->resource,
		.proof = session->party->proof,
		.address = ask->place->peer,
		.version = scopes->v1 ? V("1.0") : V("2.0"),
		.nonce = session->nonce,
		.tenant_created = session->party->tenant_created,
		.now = ask->now,
	};

	out->resource = scopes->resource;
	out->v1 = scopes->v1;
	out->family = session->party->client.family;
	return issuer_of(ask, session, &wish.issuer, err) && add_refresh(ask, session, out, err) &&
	    add_identity(ask, session, &wish, out, err) &&
	    token_person_access(ask->directory, &wish, &out->access, err);
}
