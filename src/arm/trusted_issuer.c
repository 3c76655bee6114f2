#include "arm/trusted_issuer.h"

#include "api/body.h"
#include "arm/managed_identity.h"
#include "base/clock.h"
#include "identity/identity.h"
#include "identity/trust.h"

#define TYPE "Strongroom.Identity/trustedIssuers"
#define PATH "/providers/" TYPE

struct issuer_body {
	struct body_text issuer, claim;
	struct body_texts audiences;
};

/* clang-format off */

static const struct field properties[] = {
	{ .name = "issuer", .kind = FIELD_TEXT, .max = ISSUER_URL_MAX, .required = true,
	    .offset = offsetof(struct issuer_body, issuer) },
	{ .name = "audiences", .kind = FIELD_TEXTS, .max = TRUSTED_AUDIENCES_MAX, .size = 600,
	    .required = true, .offset = offsetof(struct issuer_body, audiences) },
	{ .name = "subjectClaim", .kind = FIELD_TEXT, .max = TRUSTED_CLAIM_MAX,
	    .offset = offsetof(struct issuer_body, claim) },
	{ 0 },
};

static const struct field issuer_fields[] = {
	{ .name = "properties", .kind = FIELD_OBJECT, .required = true, .fields = properties },
	{ 0 },
};

/* clang-format on */

static void
write_issuer(struct json *json, const struct trusted_issuer *issuer)
{
	char iso[CLOCK_ISO_LEN + 1];

	clock_iso_seconds(issuer->created, iso);
	json_open(json, '{');
	json_text_open(json, "id");
	json_text_part(json, V(PATH "/"));
	json_text_part(json, issuer->name);
	json_text_close(json);
	json_text(json, "name", issuer->name);
	json_text(json, "type", V(TYPE));
	json_open_in(json, "properties", '{');
	json_text(json, "issuer", issuer->issuer);
	json_open_in(json, "audiences", '[');
	for (size_t i = 0; i < issuer->audience_count; i++)
		json_text(json, NULL, issuer->audiences[i]);
	json_close(json, ']');
	json_text(json, "subjectClaim", issuer->claim);
	json_text(json, "createdOn", view_of(iso));
	json_close(json, '}');
	json_close(json, '}');
}

/* The audit log says which. */
static bool
name_for_audit(struct request *r, struct error *err)
{
	return arena_print(r->arena, &r->object_id, PATH "/%.*s", VIEW_ARG(r->params[0])) ||
	    error_memory(err);
}

static bool
read_wanted(struct request *r, struct trusted_issuer *out, struct error *err)
{
	const struct issuer_body *body = r->body;

	if (!identity_name_valid(r->params[0]))
		return error_set(err, ERR_BAD_REQUEST,
		    "The name must have 3 to 128 letters, digits, hyphens and underscores, and "
		    "begin with a letter or digit.");
	if (directory_issues(r->services->directory, body->issuer.text))
		return error_set(err, ERR_BAD_REQUEST,
		    "The issuer must be an outside one: the authority's own tokens are taken in any "
		    "case.");
	*out = (struct trusted_issuer){
		.tenant = r->caller.tenant,
		.name = r->params[0],
		.issuer = body->issuer.text,
		.claim = body->claim.given ? body->claim.text : V("sub"),
		.created = clock_wall(),
		.audience_count = body->audiences.count,
	};
	for (size_t i = 0; i < body->audiences.count; i++)
		out->audiences[i] = body->audiences.texts[i];
	return true;
}

static bool
run_put(struct request *r, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct trusted_issuer wanted, present;
	bool found;

	if (!name_for_audit(r, err) || !read_wanted(r, &wanted, err) ||
	    !trusted_issuer_get(&r->tx, &r->caller.tenant, r->params[0], STORE_CHANGE, &document,
		&present, &found, err))
		return false;
	if (found) {
		wanted.name = present.name;
		wanted.created = present.created;
	}
	if (!trusted_issuer_put(&r->tx, &wanted, err))
		return false;
	write_issuer(reply_json(r), &wanted);
	r->out->status = found ? 200 : 201;
	return true;
}

static bool
run_get(struct request *r, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct trusted_issuer issuer;
	bool found;

	if (!trusted_issuer_get(&r->tx, &r->caller.tenant, r->params[0], STORE_READ, &document,
		&issuer, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_RESOURCE_NOT_FOUND,
		    "The Resource '" TYPE "/%.*s' was not found.", VIEW_ARG(r->params[0]));
	write_issuer(reply_json(r), &issuer);
	return true;
}

static bool
run_delete(struct request *r, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct trusted_issuer issuer;
	bool found;

	if (!name_for_audit(r, err) ||
	    !trusted_issuer_get(&r->tx, &r->caller.tenant, r->params[0], STORE_CHANGE, &document,
		&issuer, &found, err))
		return false;
	r->out->status = found ? 200 : 204;
	return !found || trusted_issuer_delete(&r->tx, &r->caller.tenant, issuer.name, err);
}

static bool
list_one(void *ctx, const struct trusted_issuer *issuer)
{
	write_issuer(ctx, issuer);
	return true;
}

static bool
run_list(struct request *r, struct error *err)
{
	struct json *json = reply_json(r);

	json_open(json, '{');
	json_open_in(json, "value", '[');
	if (!trusted_issuer_walk(&r->tx, &r->caller.tenant, list_one, json, err))
		return false;
	json_close(json, ']');
	json_close(json, '}');
	return true;
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .guard = GUARD_ADMIN, .versioning = VERSION_ARM

const struct op trusted_issuer_ops[] = {
	{ "TrustedIssuerPut", ROW, .method = HTTP_PUT, .path = PATH "/{name}",
	    .body = issuer_fields, .body_size = sizeof(struct issuer_body), .run = run_put },
	{ "TrustedIssuerGet", ROW, .method = HTTP_GET, .path = PATH "/{name}", .run = run_get },
	{ "TrustedIssuerDelete", ROW, .method = HTTP_DELETE, .path = PATH "/{name}",
	    .run = run_delete },
	{ "TrustedIssuerList", ROW, .method = HTTP_GET, .path = PATH, .run = run_list },
	{ 0 },
};

/* clang-format on */
