#include "certs/ca.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/percent.h"
#include "pki/ocsp.h"
#include "vault/vault.h"

/*
 * Seconds that caches on the way may keep a list or an answer: well within the half of its life
 * that it has left at least, and no longer than a revocation may take to be seen.
 */
#define MAX_AGE 3600
#define BASE64_MAX ((size_t)3 * 4 * OCSP_REQUEST_MAX / 3) /* every character percent-encoded */

/* RFC 5280, section 5.3.1. */
static const struct {
	const char *name;
	enum crl_reason reason;
} reasons[] = {
	{ "unspecified", CRL_UNSPECIFIED },
	{ "keyCompromise", CRL_KEY_COMPROMISE },
	{ "cACompromise", CRL_CA_COMPROMISE },
	{ "affiliationChanged", CRL_AFFILIATION_CHANGED },
	{ "superseded", CRL_SUPERSEDED },
	{ "cessationOfOperation", CRL_CESSATION_OF_OPERATION },
	{ "privilegeWithdrawn", CRL_PRIVILEGE_WITHDRAWN },
	{ "aACompromise", CRL_AA_COMPROMISE },
};

bool
crl_reason_find(view name, enum crl_reason *out)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		if (view_ieq(name, view_of(reasons[i].name))) {
			*out = reasons[i].reason;
			return true;
		}
	}
	return false;
}

static bool
require(struct request *r, struct ca *out, struct error *err)
{
	bool found = false;

	if (r->vault != NULL && !ca_read(&r->tx, r->vault, TO_READ, out, &found, err))
		return false;
	return found || error_set(err, ERR_NOT_FOUND, "There is no authority here.");
}

static bool
reply_der(struct request *r, view type, struct buf *der, struct error *err)
{
	r->out->status = 200;
	r->content_type = type;
	buf_reset(&r->out->body);
	buf_add(&r->out->body, buf_view(der));
	return buf_ok(&r->out->body) || error_memory(err);
}

static struct ca_asking
asking_of(const struct request *r, const struct ca *ca)
{
	return (struct ca_asking){ ca, r->services->answers, r->key_ticket, clock_now() };
}

/* The row's detail: which certificate. */
static const char root[] = "root";

static bool
run_certificate(struct request *r, struct error *err)
{
	AUTO(ca_done) struct ca ca = { 0 };
	AUTO(buf_free) struct buf der = { 0 };

	if (!require(r, &ca, err))
		return false;
	buf_add(&der, r->op->detail == root ? ca.root.certificate : ca.intermediate.certificate);
	return reply_der(r, V("application/pkix-cert"), &der, err);
}

static bool
run_crl(struct request *r, struct error *err)
{
	AUTO(ca_done) struct ca ca = { 0 };
	AUTO(buf_free) struct buf der = { 0 };
	const struct ca_asking asking = asking_of(r, &ca);

	if (!require(r, &ca, err) || !ca_crl(&r->tx, r->vault, &asking, &der, err))
		return false;
	r->max_age = MAX_AGE;
	return reply_der(r, V("application/pkix-crl"), &der, err);
}

static bool
reply_ocsp(struct request *r, view request, unsigned max_age, struct error *err)
{
	AUTO(ca_done) struct ca ca = { 0 };
	AUTO(buf_free) struct buf der = { 0 };
	const struct ca_asking asking = asking_of(r, &ca);
	bool told;

	if (!require(r, &ca, err) || !ca_ocsp(&r->tx, r->vault, &asking, request, &der, &told, err))
		return false;
	r->max_age = told ? max_age : 0;
	return reply_der(r, V("application/ocsp-response"), &der, err);
}

static bool
run_ocsp(struct request *r, struct error *err)
{
	return reply_ocsp(r, r->in->body, 0, err);
}

/*
 * RFC 6960, A.1: the request in base64, percent-encoded or not.  As it was sent: two slashes in a
 * row are two digits of it.
 */
static bool
run_ocsp_get(struct request *r, struct error *err)
{
	view text = r->in->path, sent;
	size_t len = 0;
	char *der;

	while (text.len > 0 && !view_starts(text, V("/ocsp/")))
		text = view_from(text, 1);
	text = view_from(text, V("/ocsp").len);
	while (text.len > 0 && text.ptr[0] == '/')
		text = view_from(text, 1);
	der = arena_alloc(r->arena, text.len + 4);
	if (der == NULL)
		return error_memory(err);
	/* What is none is malformed as an OCSP request is. */
	if (text.len > BASE64_MAX || !percent_decode(text, false, r->arena, &sent) ||
	    !base64_decode(BASE64, sent, der, &len))
		len = 0;
	return reply_ocsp(r, (view){ der, len }, MAX_AGE, err);
}

struct revoke_body {
	struct body_text serial, reason;
};

/* clang-format off */

static const struct field revoke_fields[] = {
	{ .name = "serial", .kind = FIELD_TEXT, .max = 64, .required = true,
	  .offset = offsetof(struct revoke_body, serial) },
	{ .name = "reason", .kind = FIELD_TEXT, .max = 64,
	  .offset = offsetof(struct revoke_body, reason) },
	{ 0 },
};

/* clang-format on */

static bool
run_revoke(struct request *r, struct error *err)
{
	const struct revoke_body *body = r->body;
	enum crl_reason reason = CRL_UNSPECIFIED;
	struct json *json;

	if (body->reason.given && !crl_reason_find(body->reason.text, &reason))
		return error_set(err, ERR_BAD_PARAMETER, "Property reason has invalid value\r\n");
	if (!ca_revoke(&r->tx, r->vault, body->serial.text, reason, clock_now(), err))
		return false;
	json = reply_json(r);
	json_open(json, '{');
	json_text(json, "serial", body->serial.text);
	json_close(json, '}');
	return true;
}

/* clang-format off */

#define OPEN .plane = PLANE_VAULT, .guard = GUARD_PUBLIC, .cost = COST_POOL

const struct op ca_ops[] = {
	{ "AuthorityRootGet", OPEN, .method = HTTP_GET, .path = "/authority/root",
	  .run = run_certificate, .detail = root },
	{ "AuthorityIntermediateGet", OPEN, .method = HTTP_GET, .path = "/authority/intermediate",
	  .run = run_certificate },
	{ "AuthorityCrlGet", OPEN, .method = HTTP_GET, .path = "/authority/crl", .run = run_crl },
	{ "AuthorityOcsp", OPEN, .method = HTTP_POST, .path = "/authority/ocsp", .run = run_ocsp },
	{ "AuthorityOcspGet", OPEN, .method = HTTP_GET, .path = "/authority/ocsp/{request...}",
	  .run = run_ocsp_get },
	{ "AuthorityRevoke", .plane = PLANE_VAULT, .guard = GUARD_DATA, .versioning = VERSION_VAULT,
	  .throttle = THROTTLE_OTHER, .method = HTTP_POST, .path = "/authority/revoke",
	  .action = "certificatecas/write", .body = revoke_fields,
	  .body_size = sizeof(struct revoke_body), .run = run_revoke },
	{ 0 },
};

/* clang-format on */
