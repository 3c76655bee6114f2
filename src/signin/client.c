#include "signin/client.h"

#include "identity/jwt.h"
#include "signin/redirect_match.h"

#include <string.h>

/* What comes with every cloud: public, native, and known by these ids to the tools themselves. */
static const struct {
	const char *id, *name;
} tools[] = {
	{ "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Microsoft Azure CLI" },
	{ "1950a258-227b-4e31-a9cf-717495945fc2", "Microsoft Azure PowerShell" },
	{ "aebc6443-996d-45c2-90f0-388ff96faa56", "Visual Studio Code" },
};

void
client_done(struct client *client)
{
	plain_done(&client->document);
}

bool
client_is_family(view id)
{
	for (size_t i = 0; i < COUNT_OF(tools); i++) {
		if (view_ieq(id, view_of(tools[i].id)))
			return true;
	}
	return false;
}

static bool
find_tool(view id, struct client *out)
{
	for (size_t i = 0; i < COUNT_OF(tools); i++) {
		if (!view_ieq(id, view_of(tools[i].id)))
			continue;
		*out = (struct client){ .name = view_of(tools[i].name), .family = true };
		return uuid_parse(id, &out->id);
	}
	return false;
}

static bool
unknown(const struct uuid *tenant, view id, struct error *err)
{
	char text[PRINTABLE_MAX + 1];

	return error_set(err, ERR_STS_UNKNOWN_APPLICATION,
	    "AADSTS700016: Application with identifier '%s' was not found in the directory '%s'. "
	    "This can happen if the application has not been installed by the administrator of "
	    "the tenant or consented to by any user in the tenant. You may have sent your "
	    "authentication request to the wrong tenant.",
	    printable(id, text), tenant->text);
}

static void
fill(const struct registration *from, struct client *out)
{
	out->id = from->id;
	out->name = from->name;
	out->confidential =
	    from->secret_count > 0 || from->certificate_count > 0 || from->federated_count > 0;
	out->redirect_count = from->redirect_count;
	memcpy(out->redirects, from->redirects, from->redirect_count * sizeof(from->redirects[0]));
}

bool
client_find(struct tx *tx, const struct uuid *tenant, view id, struct client *out,
    struct error *err)
{
	struct client client = { .name = V("") };
	struct registration registration;
	struct error why;

	if (find_tool(id, out))
		return true;
	if (!registration_get(tx, uuid_view(tenant), id, STORE_READ, &client.document,
		&registration, &why)) {
		if (why.code == ERR_GRAPH_NOT_FOUND)
			return unknown(tenant, id, err);
		*err = why;
		return false;
	}
	if (registration.kind != REGISTRATION_APPLICATION || registration.disabled) {
		client_done(&client);
		return unknown(tenant, id, err);
	}
	fill(&registration, &client);
	*out = client;
	return true;
}

bool
client_redirects(const struct client *client, view url)
{
	bool fits = client->family && redirect_fits_native(url);

	for (size_t i = 0; !fits && i < client->redirect_count; i++)
		fits = redirect_fits(client->redirects[i], url);
	return fits;
}
