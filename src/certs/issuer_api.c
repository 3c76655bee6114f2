#include "certs/issuer.h"

#include "base/clock.h"
#include "certs/enrol_acme.h"
#include "certs/text.h"

/* The sections that were never given are not there; the original has a zip in the second one. */
static void
write_credentials(struct json *json, const struct issuer *issuer)
{
	if (!issuer->account.given && !issuer->password.given)
		return;
	json_open_in(json, "credentials", '{');
	text_write(json, "account_id", &issuer->account);
	json_close(json, '}');
}

static void
write_organization(struct json *json, const struct issuer *issuer)
{
	if (!issuer->organization.given && !issuer->has_admins)
		return;
	json_open_in(json, "org_details", '{');
	text_write(json, "id", &issuer->organization);
	json_number(json, "zip", 0);
	if (issuer->has_admins) {
		json_open_in(json, "admin_details", '[');
		for (size_t i = 0; i < issuer->admin_count; i++) {
			const struct issuer_admin *admin = &issuer->admins[i];

			json_open(json, '{');
			text_write(json, "first_name", &admin->first_name);
			text_write(json, "last_name", &admin->last_name);
			text_write(json, "email", &admin->email);
			text_write(json, "phone", &admin->phone);
			json_close(json, '}');
		}
		json_close(json, ']');
	}
	json_close(json, '}');
}

static void
write_head(struct request *r, const struct issuer *issuer)
{
	struct json *json = &r->json;

	json_text_open(json, "id");
	json_text_part(json, V("https://"));
	json_text_part(json, r->authority);
	json_text_part(json, V("/certificates/issuers/"));
	json_text_part(json, issuer->name);
	json_text_close(json);
	json_text(json, "provider", view_of(issuer_provider_name(issuer->provider)));
}

static void
reply_issuer(struct request *r, const struct issuer *issuer)
{
	struct json *json = reply_json(r);

	json_open(json, '{');
	write_head(r, issuer);
	write_credentials(json, issuer);
	write_organization(json, issuer);
	json_open_in(json, "attributes", '{');
	json_flag(json, "enabled", issuer->enabled);
	json_number(json, "created", issuer->created);
	json_number(json, "updated", issuer->updated);
	json_close(json, '}');
	json_close(json, '}');
}

static bool
name_for_audit(struct request *r, view name, struct error *err)
{
	const view parts[] = { V("https://"), r->authority, V("/certificates/issuers/"), name };

	return arena_join(r->arena, parts, COUNT_OF(parts), &r->object_id) || error_memory(err);
}

/* The original names the issuer only where it was to be updated. */
static bool
not_found(const struct request *r, struct error *err)
{
	if (r->op->method == HTTP_PATCH)
		return error_set(err, ERR_ISSUER_NOT_FOUND, "Issuer %.*s not found",
		    VIEW_ARG(r->params[0]));
	return error_set(err, ERR_ISSUER_NOT_FOUND, "Issuer not found");
}

/* The issuer that the path names. */
static bool
require(struct request *r, enum intent intent, struct issuer *out, struct error *err)
{
	bool found;

	if (!object_name_check(r->params[0], err) ||
	    !issuer_read(&r->tx, r->vault, r->params[0], intent, out, &found, err))
		return false;
	if (!found)
		return not_found(r, err);
	return name_for_audit(r, out->name, err);
}

static bool
write_issuer(struct request *r, const struct issuer *issuer, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	issuer_pack(issuer, &document);
	if (!buf_ok(&document))
		return error_memory(err);
	return issuer_path(r->arena, r->vault, issuer->name, &path, err) &&
	    tx_put(&r->tx, r->vault->key, path, &document, err);
}

/* What is there is replaced as a whole: what was not given is gone, the password too. */
static bool
run_set(struct request *r, struct error *err)
{
	AUTO(issuer_done) struct issuer before = { 0 };
	struct issuer issuer = { .name = r->params[0], .enabled = true };
	bool found;

	if (!object_name_check(issuer.name, err))
		return false;
	if (issuer_name_reserved(issuer.name))
		return error_set(err, ERR_BAD_PARAMETER,
		    "The request URI contains an invalid name: %.*s", VIEW_ARG(issuer.name));
	if (!issuer_fill(r->body, &issuer, err) ||
	    !issuer_read(&r->tx, r->vault, issuer.name, TO_CHANGE, &before, &found, err))
		return false;
	issuer.created = issuer.updated = clock_now();
	if (found) {
		issuer.name = before.name;
		issuer.created = before.created;
	}
	if (!name_for_audit(r, issuer.name, err) || !write_issuer(r, &issuer, err))
		return false;
	reply_issuer(r, &issuer);
	return true;
}

static bool
run_update(struct request *r, struct error *err)
{
	AUTO(issuer_done) struct issuer issuer = { 0 };

	if (!require(r, TO_CHANGE, &issuer, err) || !issuer_fill(r->body, &issuer, err))
		return false;
	issuer.updated = clock_now();
	if (!write_issuer(r, &issuer, err))
		return false;
	reply_issuer(r, &issuer);
	return true;
}

static bool
run_get(struct request *r, struct error *err)
{
	AUTO(issuer_done) struct issuer issuer = { 0 };

	if (!require(r, TO_READ, &issuer, err))
		return false;
	reply_issuer(r, &issuer);
	return true;
}

static bool
run_delete(struct request *r, struct error *err)
{
	AUTO(issuer_done) struct issuer issuer = { 0 };
	view path;

	if (!require(r, TO_CHANGE, &issuer, err) ||
	    !issuer_path(r->arena, r->vault, issuer.name, &path, err) ||
	    !tx_delete(&r->tx, path, err) ||
	    !acme_account_delete(&r->tx, r->vault, issuer.name, err))
		return false;
	reply_issuer(r, &issuer);
	return true;
}

static bool
write_item(struct request *r, const struct document *document, void *ctx, struct error *err)
{
	AUTO(issuer_done) struct issuer issuer = { 0 };
	AUTO(plain_done) struct plain *plain = NULL;

	(void)ctx;
	if (!keyring_unseal(r->vault->key, &document->value, document->key, &plain, err))
		return false;
	if (!issuer_unpack(plain_view(plain), &issuer))
		return error_set(err, ERR_CORRUPT, "an issuer's document can't be read");
	json_open(&r->json, '{');
	write_head(r, &issuer);
	json_close(&r->json, '}');
	return true;
}

static bool
run_list(struct request *r, struct error *err)
{
	view prefix;

	return issuer_path(r->arena, r->vault, V(""), &prefix, err) &&
	    page_write(r, prefix, write_item, NULL, err);
}

/* clang-format off */

#define ROW .plane = PLANE_VAULT, .guard = GUARD_DATA, .versioning = VERSION_VAULT, \
	.throttle = THROTTLE_OTHER
#define BODY(fields) .body = fields, .body_size = sizeof(struct issuer_body)
#define ONE .path = "/certificates/issuers/{name}"

const struct op issuer_ops[] = {
	{ "CertificateIssuersList", ROW, .method = HTTP_GET, .path = "/certificates/issuers",
	  .action = "certificatecas/read", .permission = "listissuers", .run = run_list },
	{ "CertificateIssuerSet", ROW, .method = HTTP_PUT, ONE,
	  .action = "certificatecas/write", BODY(issuer_set_fields), .run = run_set },
	{ "CertificateIssuerUpdate", ROW, .method = HTTP_PATCH, ONE,
	  .action = "certificatecas/write", BODY(issuer_update_fields), .run = run_update },
	{ "CertificateIssuerGet", ROW, .method = HTTP_GET, ONE,
	  .action = "certificatecas/read", .run = run_get },
	{ "CertificateIssuerDelete", ROW, .method = HTTP_DELETE, ONE,
	  .action = "certificatecas/delete", .run = run_delete },
	{ 0 },
};

/* clang-format on */
