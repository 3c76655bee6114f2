#include "signin/sts_grant.h"

#include "base/clock.h"
#include "identity/assertion.h"
#include "identity/federation.h"
#include "identity/host.h"
#include "identity/jwt.h"
#include "identity/principal.h"
#include "identity/resource.h"
#include "identity/token_issue.h"

struct sts_place
sts_place_of(const struct request *r)
{
	return (struct sts_place){
		.tenant = r->params[0],
		.authority = r->authority,
		.domain = r->domain,
		.peer = r->in->peer,
		.peer_ipv6 = r->in->peer_ipv6,
	};
}

struct grant {
	struct directory *directory;
	struct tx *tx;
	const struct sts_place *place;
	const struct sts_form *form;
	struct uuid tenant;
	int64_t tenant_created;
	int64_t now; /* the wall's: others made the assertion and read the token */
};

static bool
unknown_tenant(view name, struct error *err)
{
	char text[PRINTABLE_MAX + 1];

	return error_set(err, ERR_STS_UNKNOWN_TENANT,
	    "AADSTS90002: Tenant '%s' not found. Check to make sure you have the correct tenant ID "
	    "and are signing into the correct cloud. Check with your subscription administrator, "
	    "this may happen if there are no active subscriptions for the tenant.",
	    printable(name, text));
}

/* An unknown application costs as much time as a wrong secret. */
static bool
unknown_application(const struct grant *grant, struct error *err)
{
	char text[PRINTABLE_MAX + 1];
	enum secret_verdict verdict;

	if (!client_secret_check(NULL, 0, grant->form->secret, grant->now, &verdict, err))
		return false;
	return error_set(err, ERR_STS_UNKNOWN_APPLICATION,
	    "AADSTS700016: Application with identifier '%s' was not found in the directory '%s'. "
	    "This can happen if the application has not been installed by the administrator of "
	    "the tenant or consented to by any user in the tenant. You may have sent your "
	    "authentication request to the wrong tenant.",
	    printable(grant->form->client, text), grant->tenant.text);
}

static bool
find_application(const struct grant *grant, struct plain **document, struct registration *out,
    struct error *err)
{
	struct error why;

	if (registration_get(grant->tx, uuid_view(&grant->tenant), grant->form->client, STORE_READ,
		document, out, &why))
		return true;
	if (why.code == ERR_GRAPH_NOT_FOUND)
		return unknown_application(grant, err);
	*err = why;
	return false;
}

static bool
prove_by_secret(const struct grant *grant, const struct registration *application,
    struct error *err)
{
	enum secret_verdict verdict;

	if (!client_secret_check(application->secrets, application->secret_count,
		grant->form->secret, grant->now, &verdict, err))
		return false;
	if (verdict == SECRET_EXPIRED)
		return error_set(err, ERR_STS_EXPIRED_SECRET,
		    "AADSTS7000222: The provided client secret keys for app '%s' are expired. "
		    "Create new keys for your app.",
		    application->id.text);
	return verdict == SECRET_GOOD ||
	    error_set(err, ERR_STS_BAD_SECRET,
		"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in "
		"the request is the client secret value, not the client secret ID, for a secret "
		"added to app '%s'.",
		application->id.text);
}

static struct assertion_check
check_of(const struct grant *grant)
{
	return (struct assertion_check){
		.text = grant->form->assertion,
		.authority = grant->place->authority,
		.peer = grant->place->peer,
		.peer_ipv6 = grant->place->peer_ipv6,
		.now = grant->now,
	};
}

static bool
prove(const struct grant *grant, const struct registration *application, struct error *err)
{
	const struct assertion_check check = check_of(grant);

	if (grant->form->assertion.len == 0)
		return prove_by_secret(grant, application, err);
	return federation_speaks(check.text)
	    ? federation_accept(grant->directory->issuers, check.text, application, grant->now, err)
	    : assertion_accept(grant->directory, &check, application, err);
}

/* What somebody gets who guesses; not what happens to the honest by the passing of time. */
static bool
is_guess(enum error_code code)
{
	return code == ERR_STS_BAD_SECRET || code == ERR_STS_BAD_ASSERTION ||
	    code == ERR_STS_UNKNOWN_APPLICATION;
}

/* Who was proven: the application, and the host it was that asked, when it was one. */
struct proven {
	struct plain *document; /* ->application borrows from it */
	struct registration application;
	view host; /* its resource id; in the transaction's arena */
};

static void
proven_done(struct proven *proven)
{
	plain_free(proven->document);
}

static void
name_caller(const struct registration *application, struct caller *who)
{
	*who = (struct caller){
		.tenant = application->tenant,
		.object = application->object,
		.application = application->id,
	};
}

/* A host proves itself first; then it is told which identities there are for it. */
static bool
identify_through(const struct grant *grant, const struct registration *host, struct proven *out,
    struct caller *who, struct error *err)
{
	const struct assertion_check check = check_of(grant);
	struct error why;

	name_caller(host, who);
	if (!assertion_accept(grant->directory, &check, host, err))
		return false;
	if (!host_identity(grant->tx, host, grant->form->client, &out->document, &out->application,
		&why)) {
		if (why.code == ERR_GRAPH_NOT_FOUND)
			return unknown_application(grant, err);
		*err = why;
		return false;
	}
	name_caller(&out->application, who);
	return arena_copy(grant->tx->arena, host->resource, &out->host) || error_memory(err);
}

static bool
identify(const struct grant *grant, struct proven *out, struct caller *who, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration host;
	bool found = false;

	if (grant->form->assertion.len > 0 &&
	    !host_find(grant->tx, &grant->tenant, grant->form->assertion, &document, &host, &found,
		err))
		return false;
	if (found)
		return identify_through(grant, &host, out, who, err);
	if (!find_application(grant, &out->document, &out->application, err))
		return false;
	name_caller(&out->application, who);
	return prove(grant, &out->application, err);
}

static bool
identify_slowly(const struct grant *grant, struct proven *out, struct caller *who,
    struct error *err)
{
	struct lockout *lockout = grant->directory->lockout;
	int64_t seconds = clock_mono() / 1000000000;
	view client = grant->form->client, peer = grant->place->peer;

	if (!lockout_allows(lockout, client, peer, seconds))
		return error_set(err, ERR_STS_LOCKED,
		    "AADSTS50053: The account is locked, you've tried to sign in too many times "
		    "with an incorrect user ID or password.");
	if (identify(grant, out, who, err)) {
		lockout_passed(lockout, client, peer, seconds);
		return true;
	}
	if (is_guess(err->code))
		lockout_failed(lockout, client, peer, seconds);
	return false;
}

bool
sts_resource_allowed(const struct sts_place *place, const struct uuid *tenant, view resource,
    struct error *err)
{
	char text[PRINTABLE_MAX + 1];

	return (resource.len <= AUDIENCE_MAX && resource_known(place->domain, resource)) ||
	    error_set(err, ERR_STS_UNKNOWN_RESOURCE,
		"AADSTS500011: The resource principal named %s was not found in the tenant named "
		"%s. This can happen if the application has not been installed by the "
		"administrator of the tenant or consented to by any user in the tenant. You might "
		"have sent your authentication request to the wrong tenant.",
		printable(resource, text), tenant->text);
}

/* An administrator can switch a principal off, whatever it can prove. */
static bool
principal_enabled(struct directory *directory, const struct registration *application,
    struct error *err)
{
	struct principal principal;

	return (directory_principal(directory, &application->object, &principal) &&
		   principal.enabled) ||
	    error_set(err, ERR_STS_UNKNOWN_APPLICATION,
		"AADSTS7000112: Application '%s' is disabled.", application->id.text);
}

bool
sts_grant(struct directory *directory, struct tx *tx, const struct sts_place *place,
    const struct sts_form *form, struct caller *who, struct buf *token, struct error *err)
{
	struct grant grant = { directory, tx, place, form, .now = clock_wall() };
	AUTO(proven_done) struct proven proven = { .host = V("") };
	struct token_wish wish;

	if (!directory_resolve(directory, place->tenant, &grant.tenant, &grant.tenant_created))
		return unknown_tenant(place->tenant, err);
	if (!identify_slowly(&grant, &proven, who, err) ||
	    !principal_enabled(directory, &proven.application, err) ||
	    !sts_resource_allowed(place, &grant.tenant, form->resource, err))
		return false;
	wish = (struct token_wish){
		.application = &proven.application,
		.host = proven.host,
		.resource = form->resource,
		.proof = form->assertion.len > 0 ? V("2") : V("1"),
		.tenant_created = grant.tenant_created,
		.now = grant.now,
	};
	return token_issue(directory, &wish, token, err);
}

bool
sts_identify(struct directory *directory, struct tx *tx, const struct sts_place *place,
    const struct sts_form *form, struct caller *who, struct error *err)
{
	struct grant grant = { directory, tx, place, form, .now = clock_wall() };
	AUTO(proven_done) struct proven proven = { .host = V("") };

	if (!directory_resolve(directory, place->tenant, &grant.tenant, &grant.tenant_created))
		return unknown_tenant(place->tenant, err);
	return identify_slowly(&grant, &proven, who, err) &&
	    principal_enabled(directory, &proven.application, err);
}
