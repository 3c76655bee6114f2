#include "identity/resource.h"

#include "base/attr.h"

struct place {
	view host, port; /* the port is empty when it is not named */
};

/* "https://HOST[:PORT][/]" */
static bool
place_parse(view url, struct place *out)
{
	if (!view_istarts(url, V("https://")))
		return false;
	url = view_from(url, 8);
	if (view_ends(url, V("/")))
		url.len--;
	out->host = view_cut(&url, ':');
	out->port = url;
	return out->host.len > 0;
}

static bool
place_eq(const struct place *a, const struct place *b)
{
	static const view https = V_INIT("443");

	if (!view_ieq(a->host, b->host))
		return false;
	if (b->port.len == 0)
		return true;
	return view_eq(b->port, a->port.len == 0 ? https : a->port);
}

bool
audience_fits(view wanted, view found)
{
	struct place here, there;

	if (!place_parse(wanted, &here))
		return false;
	if (view_istarts(here.host, V("vault.")) && view_ieq(found, VAULT_APPLICATION))
		return true;
	return place_parse(found, &there) && place_eq(&here, &there);
}

bool
resource_known(view domain, view resource)
{
	static const view labels[] = {
		V_INIT("vault."),
		V_INIT("managedhsm."),
		V_INIT("management."),
		V_INIT("graph."),
		V_INIT("api.loganalytics."),
	};
	struct place here = { .port = domain }, asked;

	if (view_ieq(resource, VAULT_APPLICATION))
		return true;
	here.host = view_cut(&here.port, ':');
	if (!place_parse(resource, &asked))
		return false;
	for (size_t i = 0; i < COUNT_OF(labels); i++) {
		struct place below = asked;

		if (!view_istarts(asked.host, labels[i]))
			continue;
		below.host = view_from(asked.host, labels[i].len);
		if (place_eq(&here, &below))
			return true;
	}
	return false;
}
