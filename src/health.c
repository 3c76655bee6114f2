/*
 * /healthstatus: for load balancers and supervisors, on any name and without a token.
 */
#include "health.h"

static bool
run_health(struct request *r, struct error *err)
{
	(void)err;
	json_open(reply_json(r), '{');
	json_text(&r->json, "status", V("Healthy"));
	json_close(&r->json, '}');
	return true;
}

/* clang-format off */

#define ROW .method = HTTP_GET, .path = "/healthstatus", .guard = GUARD_PUBLIC, \
	    .run = run_health, .unrecorded = true

const struct op health_ops[] = {
	{ "Health", ROW, .plane = PLANE_NONE },
	{ "Health", ROW, .plane = PLANE_VAULT },
	{ "Health", ROW, .plane = PLANE_MANAGEMENT },
	{ "Health", ROW, .plane = PLANE_LOGIN },
	{ "Health", ROW, .plane = PLANE_GRAPH },
	{ 0 },
};

/* clang-format on */
