#include "ops_list.h"

#include "api/op.h"
#include "base/json.h"

static const char *const planes[] = {
	[PLANE_NONE] = "any",
	[PLANE_VAULT] = "vault",
	[PLANE_LOGIN] = "login",
	[PLANE_MANAGEMENT] = "management",
	[PLANE_GRAPH] = "graph",
};

static const char *const guards[] = {
	[GUARD_UNSET] = "unset",
	[GUARD_PUBLIC] = "public",
	[GUARD_CALLER] = "caller",
	[GUARD_DATA] = "data",
	[GUARD_SCOPE] = "scope",
	[GUARD_ADMIN] = "administrator",
};

static const char *const methods[] = {
	[HTTP_GET] = "GET",
	[HTTP_HEAD] = "HEAD",
	[HTTP_PUT] = "PUT",
	[HTTP_POST] = "POST",
	[HTTP_PATCH] = "PATCH",
	[HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS",
};

static void
write_action(struct json *json, const struct op *op)
{
	json_text_open(json, "action");
	if (op->guard == GUARD_DATA)
		json_text_part(json, V("Microsoft.KeyVault/vaults/"));
	json_text_part(json, view_of(op->action));
	json_text_close(json);
}

static void
write_op(struct json *json, const struct op *op)
{
	json_open(json, '{');
	json_text(json, "name", view_of(op->name));
	json_text(json, "plane", view_of(planes[op->plane]));
	json_text(json, "method", view_of(methods[op->method]));
	json_text(json, "path", view_of(op->path));
	json_text(json, "guard", view_of(guards[op->guard]));
	if (op->action != NULL)
		write_action(json, op);
	json_close(json, '}');
}

void
ops_list(struct buf *out)
{
	struct json json = json_to(out);

	json_open(&json, '[');
	for (size_t i = 0; op_tables[i] != NULL; i++) {
		for (const struct op *op = op_tables[i]; op->name != NULL; op++)
			write_op(&json, op);
	}
	json_close(&json, ']');
}
