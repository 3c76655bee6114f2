#include "answer_private.h"

#include "api/refusal.h"
#include "config.h"
#include "throttle/throttle.h"
#include "vault/vault.h"

#define SERVICE_VERSION STRONGROOM_VERSION ".0" /* the original's has four parts */

void
reply_refuse(struct request *r, const struct error *err)
{
	r->error = *err;
	/* What is wrong inside is the log's business (answer.c), not the client's. */
	if (error_table[err->code].status == 500)
		(void)error_set(&r->error, ERR_INTERNAL, "The server had an internal error.");
	tx_reset(&r->tx);
	r->content_type = V("");
	buf_reset(&r->out->body);
	r->out->status = error_table[err->code].status;
	refusal_write(r->plane, &r->error, &r->id, &r->out->body);
}

/* Reference of the data plane, section 4. */
static void
vault_fields(struct request *r)
{
	view location = view_of(r->services->config->location);

	/* Strangers are not told by this that a vault is there. */
	if (r->vault != NULL && r->caller.known)
		location = r->vault->location;
	reply_field(r, "x-ms-keyvault-region", location);
	buf_add(&r->out->fields,
	    V("x-ms-keyvault-service-version: " SERVICE_VERSION "\r\n"
	      "x-ms-keyvault-network-info: conn_type=Ipv4;addr="));
	buf_add(&r->out->fields, r->in->peer);
	buf_add(&r->out->fields,
	    r->in->peer_ipv6 ? V(";act_addr_fam=InterNetworkV6;\r\n")
			     : V(";act_addr_fam=InterNetwork;\r\n"));
	if (r->assignment.len > 0 && r->out->status < 400)
		reply_field(r, "x-ms-keyvault-rbac-assignment-id", r->assignment);
}

/*
 * Reference of the control plane, section 4.  The counts are what the original starts from: there
 * is no such quota here, and clients only slow down when they are low.
 */
static void
management_fields(struct request *r)
{
	bool reads = r->in->method == HTTP_GET || r->in->method == HTTP_HEAD;
	bool below = view_istarts(r->path, V("/subscriptions/"));
	view correlation = http_field(r->in, V("x-ms-correlation-request-id"));
	struct uuid given;

	if (!uuid_parse(correlation, &given))
		given = r->id;
	reply_field(r, "x-ms-correlation-request-id", uuid_view(&given));
	buf_print(&r->out->fields,
	    "x-ms-ratelimit-remaining-%s-%s: %s\r\n"
	    "x-ms-routing-request-id: LOCAL:",
	    below ? "subscription" : "tenant", reads ? "reads" : "writes",
	    reads ? "11999" : "1199");
	buf_add(&r->out->fields, uuid_view(&r->id));
	buf_add(&r->out->fields, V("\r\n"));
}

/* What signs in must not be kept at all. */
static void
write_caching(struct request *r)
{
	struct buf *fields = &r->out->fields;

	if (r->max_age > 0 && r->out->status == 200) {
		buf_print(fields,
		    "Cache-Control: max-age=%u, public, no-transform, must-revalidate\r\n",
		    r->max_age);
		return;
	}
	buf_add(fields,
	    r->plane == PLANE_LOGIN ? V("Cache-Control: no-store, no-cache\r\n")
				    : V("Cache-Control: no-cache\r\n"));
	buf_add(fields,
	    V("Pragma: no-cache\r\n"
	      "Expires: -1\r\n"));
}

void
reply_finish(struct request *r)
{
	struct buf *fields = &r->out->fields;

	if (r->out->body.len > 0)
		reply_field(r, "Content-Type",
		    r->content_type.len > 0 ? r->content_type
					    : V("application/json; charset=utf-8"));
	write_caching(r);
	buf_add(fields,
	    V("Strict-Transport-Security: max-age=31536000;includeSubDomains\r\n"
	      "X-Content-Type-Options: nosniff\r\n"
	      "x-ms-request-id: "));
	buf_add(fields, uuid_view(&r->id));
	buf_add(fields, V("\r\n"));
	if (http_field(r->in, V("x-ms-client-request-id")).len > 0)
		reply_field(r, "x-ms-client-request-id", r->correlation);
	if (r->error.code == ERR_THROTTLED)
		buf_print(fields, "Retry-After: %u\r\n", throttle_wait());
	if (r->plane == PLANE_VAULT)
		vault_fields(r);
	if (r->plane == PLANE_MANAGEMENT)
		management_fields(r);
}

void
answer_refuse(void *ctx, const struct error *err, struct http_reply *reply)
{
	static const struct uuid none = { "00000000-0000-0000-0000-000000000000" };

	(void)ctx;
	reply->status = error_table[err->code].status;
	refusal_write(PLANE_NONE, err, &none, &reply->body);
	buf_add(&reply->fields,
	    V("Content-Type: application/json; charset=utf-8\r\n"
	      "Cache-Control: no-cache\r\n"
	      "X-Content-Type-Options: nosniff\r\n"));
}
