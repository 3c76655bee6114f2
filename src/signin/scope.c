#include "signin/scope.h"

#include "identity/jwt.h"

static bool
bad(view scope, struct error *err)
{
	char text[PRINTABLE_MAX + 1];

	return error_set(err, ERR_STS_BAD_SCOPE,
	    "AADSTS70011: The provided request must include a 'scope' input parameter. The "
	    "provided value for the input parameter 'scope' is not valid. The scope %s is not "
	    "valid.",
	    printable(scope, text));
}

/* The resource of "<resource>/<permission>"; it keeps a slash of its own at the end. */
static bool
resource_of(view scope, view *out)
{
	static const view names[] = { V_INIT("/.default"), V_INIT("/user_impersonation") };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (scope.len > names[i].len && view_ends(scope, names[i])) {
			*out = (view){ scope.ptr, scope.len - names[i].len };
			return true;
		}
	}
	return false;
}

bool
scope_is_of_sign_in(view scope)
{
	static const view names[] = { V_INIT("openid"), V_INIT("profile"), V_INIT("email"),
		V_INIT("offline_access") };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (view_ieq(scope, names[i]))
			return true;
	}
	return false;
}

static bool
add(struct scopes *scopes, view scope, struct error *err)
{
	view resource;

	if (scope_is_of_sign_in(scope)) {
		scopes->openid |= view_ieq(scope, V("openid")) || view_ieq(scope, V("profile"));
		scopes->offline |= view_ieq(scope, V("offline_access"));
		return true;
	}
	if (!resource_of(scope, &resource))
		return bad(scope, err);
	if (scopes->resource.len > 0 && !view_eq(scopes->resource, resource))
		return error_set(err, ERR_STS_BAD_SCOPE,
		    "AADSTS28000: Provided value for the input parameter scope is not valid "
		    "because it contains more than one resource.");
	scopes->resource = resource;
	return true;
}

bool
scopes_read(view scope, view resource, struct scopes *out, struct error *err)
{
	struct scopes scopes = { .resource = V("") };

	if (scope.len > SCOPE_MAX || resource.len > SCOPE_MAX)
		return bad(V("(too long)"), err);
	while (scope.len > 0) {
		view next = view_cut(&scope, ' ');

		if (next.len > 0 && !add(&scopes, next, err))
			return false;
	}
	if (resource.len > 0) {
		if (scopes.resource.len > 0)
			return error_set(err, ERR_STS_MALFORMED,
			    "AADSTS901002: The 'resource' request parameter is not supported "
			    "together with 'scope'.");
		scopes.resource = resource;
		scopes.v1 = scopes.offline = scopes.openid = true;
	}
	*out = scopes;
	return true;
}

void
scopes_write(const struct scopes *scopes, struct buf *out)
{
	if (scopes->v1) {
		buf_add(out, V("user_impersonation"));
		return;
	}
	buf_add(out, scopes->resource);
	buf_add(out, V("/user_impersonation "));
	buf_add(out, scopes->resource);
	buf_add(out, V("/.default"));
}
