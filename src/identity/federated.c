#include "identity/federated.h"

#include "base/json.h"
#include "crypto/random.h"

#define NOWHERE SIZE_MAX

static bool
refused(struct error *err, const char *property, const char *why)
{
	return error_set(err, ERR_GRAPH_BAD_REQUEST,
	    "Property %s of federatedIdentityCredential %s.", property, why);
}

static bool
name_char(char c)
{
	return ascii_alphanumeric(c) || c == '-' || c == '_';
}

/* A segment of a URL: it is asked for by this name. */
static bool
check_name(view name, struct error *err)
{
	bool fine = name.len >= 3 && name.len <= FEDERATED_NAME_MAX && name.ptr[0] != '-' &&
	    name.ptr[0] != '_';

	for (size_t i = 0; fine && i < name.len; i++)
		fine = name_char(name.ptr[i]);
	return fine ||
	    refused(err, "name",
		"must have 3 to 120 letters, digits, dashes and underscores, and begin with a "
		"letter or digit");
}

static bool
check_text(const char *property, view text, bool needed, struct error *err)
{
	if ((needed && text.len == 0) || text.len > FEDERATED_TEXT_MAX || !utf8_valid(text))
		return refused(err, property, "must have 1 to 600 characters");
	return true;
}

/* Its keys are fetched from there. */
static bool
check_issuer(view issuer, struct error *err)
{
	view host = view_from(issuer, sizeof("https://") - 1);
	bool fine = view_istarts(issuer, V("https://"));

	for (size_t i = 0; fine && i < issuer.len; i++)
		fine = issuer.ptr[i] > 0x20 && issuer.ptr[i] < 0x7f && issuer.ptr[i] != '?' &&
		    issuer.ptr[i] != '#' && issuer.ptr[i] != '@' && issuer.ptr[i] != '\\';
	host = view_cut(&host, '/');
	return (fine && host.len > 0) ||
	    refused(err, "issuer", "must be a URL that begins with https://");
}

static bool
check_unique(const struct registration *registration, const struct federated_credential *credential,
    size_t except, struct error *err)
{
	for (size_t i = 0; i < registration->federated_count; i++) {
		const struct federated_credential *other = &registration->federated[i];

		if (i == except)
			continue;
		if (view_ieq(other->name, credential->name))
			return error_set(err, ERR_GRAPH_BAD_REQUEST,
			    "FederatedIdentityCredential with name %.*s already exists.",
			    VIEW_ARG(credential->name));
		if (view_eq(other->issuer, credential->issuer) &&
		    view_eq(other->subject, credential->subject))
			return error_set(err, ERR_GRAPH_BAD_REQUEST,
			    "FederatedIdentityCredential with issuer and subject combination "
			    "already exists.");
	}
	return true;
}

static bool
check(const struct registration *registration, const struct federated_credential *credential,
    size_t except, struct error *err)
{
	return check_name(credential->name, err) &&
	    check_text("issuer", credential->issuer, true, err) &&
	    check_issuer(credential->issuer, err) &&
	    check_text("subject", credential->subject, true, err) &&
	    check_text("audiences", credential->audience, true, err) &&
	    check_text("description", credential->description, false, err) &&
	    check_unique(registration, credential, except, err);
}

bool
federated_add(struct registration *registration, struct federated_credential *credential,
    struct error *err)
{
	if (!check(registration, credential, NOWHERE, err))
		return false;
	if (registration->federated_count == APPLICATION_FEDERATED_MAX)
		return error_set(err, ERR_GRAPH_BAD_REQUEST,
		    "The object has reached the limit of %d federated identity credentials.",
		    APPLICATION_FEDERATED_MAX);
	random_uuid(&credential->id);
	registration->federated[registration->federated_count++] = *credential;
	return true;
}

bool
federated_change(struct registration *registration, size_t at,
    const struct federated_credential *credential, struct error *err)
{
	struct federated_credential changed = *credential;

	changed.id = registration->federated[at].id;
	changed.name = registration->federated[at].name;
	if (!check(registration, &changed, at, err))
		return false;
	registration->federated[at] = changed;
	return true;
}

bool
federated_find(const struct registration *registration, view name, size_t *at)
{
	for (size_t i = 0; i < registration->federated_count; i++) {
		const struct federated_credential *credential = &registration->federated[i];

		if (view_ieq(name, credential->name) ||
		    view_ieq(name, uuid_view(&credential->id))) {
			*at = i;
			return true;
		}
	}
	return false;
}

void
federated_remove(struct registration *registration, size_t at)
{
	registration->federated_count--;
	for (size_t i = at; i < registration->federated_count; i++)
		registration->federated[i] = registration->federated[i + 1];
}
