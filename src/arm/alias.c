/*
 * Microsoft.Subscription: aliases, by which further subscriptions are made, and their renaming.
 */
#include "access/access.h"
#include "arm/arm.h"
#include "arm/id.h"
#include "arm/list.h"
#include "base/clock.h"
#include "base/pack.h"
#include "crypto/random.h"

#define PREFIX "alias/"
#define FORMAT 1
#define ALIAS_MAX 63
#define NAME_MAX_SHOWN 64            /* characters */
#define NAME_BYTES_MAX ((size_t)256) /* of them in UTF-8 */
#define SUBSCRIPTIONS_MAX 1000       /* a tenant */
#define WRITE "Microsoft.Subscription/aliases/write"

struct alias_body {
	struct body_text name, workload, subscription;
};

struct rename_body {
	struct body_text name;
};

/* clang-format off */

static const struct field properties[] = {
	{ .name = "displayName", .kind = FIELD_TEXT, .max = NAME_BYTES_MAX,
	    .offset = offsetof(struct alias_body, name) },
	{ .name = "workload", .kind = FIELD_TEXT, .max = 32,
	    .offset = offsetof(struct alias_body, workload) },
	{ .name = "subscriptionId", .kind = FIELD_TEXT, .max = 64,
	    .offset = offsetof(struct alias_body, subscription) },
	{ 0 },
};

static const struct field alias_fields[] = {
	{ .name = "properties", .kind = FIELD_OBJECT, .required = true, .fields = properties },
	{ 0 },
};

static const struct field rename_fields[] = {
	{ .name = "subscriptionName", .kind = FIELD_TEXT, .max = NAME_BYTES_MAX,
	    .required = true, .offset = offsetof(struct rename_body, name) },
	{ 0 },
};

/* clang-format on */

struct alias {
	view name, workload;
	struct uuid subscription;
};

static bool
alias_path(const struct request *r, view *out, struct error *err)
{
	view lower;

	if (r->params[0].len > ALIAS_MAX || !resource_name_valid(r->params[0]))
		return error_set(err, ERR_RESOURCE_NAME_INVALID,
		    "The alias '%.*s' is not valid: it must have 1 to %d characters and none of "
		    "<>%%&:\\?/#.",
		    VIEW_ARG(r->params[0]), ALIAS_MAX);
	if (!id_lower(r->arena, r->params[0], &lower, err))
		return false;
	return arena_print(r->arena, out, PREFIX "%s/%.*s", r->caller.tenant.text,
		   VIEW_ARG(lower)) ||
	    error_memory(err);
}

static bool
decode(view document, struct arena *arena, struct alias *out, struct error *err)
{
	struct unpack in;
	bool fine;

	if (!arena_copy(arena, document, &document))
		return error_memory(err);
	in = unpack_of(document);
	fine = unpack_u8(&in) == FORMAT;
	out->name = unpack_bytes(&in);
	out->workload = unpack_bytes(&in);
	fine = fine && uuid_parse(unpack_bytes(&in), &out->subscription);
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "an alias's document can't be read");
	return true;
}

static bool
put_alias(struct request *r, view path, const struct alias *alias, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };

	pack_u8(&document, FORMAT);
	pack_bytes(&document, alias->name);
	pack_bytes(&document, alias->workload);
	pack_bytes(&document, uuid_view(&alias->subscription));
	return tx_put(&r->tx, keyring_system(r->tx.keyring), path, &document, err);
}

static void
write_alias(struct json *json, const struct alias *alias, view shown)
{
	json_open(json, '{');
	json_text_open(json, "id");
	json_text_part(json, V("/providers/Microsoft.Subscription/aliases/"));
	json_text_part(json, alias->name);
	json_text_close(json);
	json_text(json, "name", alias->name);
	json_text(json, "type", V("Microsoft.Subscription/aliases"));
	json_open_in(json, "properties", '{');
	json_text(json, "subscriptionId", uuid_view(&alias->subscription));
	json_text(json, "displayName", shown);
	json_text(json, "workload", alias->workload);
	json_text(json, "provisioningState", V("Succeeded"));
	json_close(json, '}');
	json_close(json, '}');
}

static bool
name_fine(view name, struct error *err)
{
	bool fine = name.len > 0 && utf8_length(name) <= NAME_MAX_SHOWN;

	for (size_t i = 0; i < name.len; i++)
		fine = fine && (unsigned char)name.ptr[i] >= 0x20 && name.ptr[i] != 0x7f;
	return fine ||
	    error_set(err, ERR_BAD_REQUEST,
		"The name of a subscription must have 1 to %d characters, and no control "
		"characters.",
		NAME_MAX_SHOWN);
}

/* Who makes a subscription owns it. */
static bool
put_owner(struct request *r, const struct subscription *subscription, struct error *err)
{
	struct assignment assignment = {
		.principal = r->caller.object,
		.tenant = r->caller.tenant,
		.role = role_id(role_find_named(V("Owner"))),
		.principal_type = r->caller.person ? V("User") : V("ServicePrincipal"),
		.created = clock_now(),
		.updated = clock_now(),
		.created_by = r->caller.object,
		.updated_by = r->caller.object,
	};

	random_uuid(&assignment.name);
	if (!arena_print(r->arena, &assignment.scope, "/subscriptions/%s", subscription->id.text))
		return error_memory(err);
	return assignment_put(&r->tx, &assignment, err);
}

static bool
make_subscription(struct request *r, view name, struct uuid *out, struct error *err)
{
	struct subscription subscription = { .tenant = r->caller.tenant, .name = name }, *list;
	size_t count;

	random_uuid(&subscription.id);
	if (!name_fine(name, err) ||
	    !subscriptions_list(r->services->subscriptions, &r->caller.tenant, r->arena, &list,
		&count, err))
		return false;
	if (count >= SUBSCRIPTIONS_MAX)
		return error_set(err, ERR_CONFLICT, "A tenant can have %d subscriptions at most.",
		    SUBSCRIPTIONS_MAX);
	*out = subscription.id;
	return subscription_create(&r->tx, &subscription, err) && put_owner(r, &subscription, err);
}

/* An alias for one there is: its name is no secret to those who may do this in it. */
static bool
adopt_subscription(struct request *r, view id, struct alias *alias, struct error *err)
{
	struct subscription subscription;
	view scope;

	if (uuid_parse(id, &alias->subscription) &&
	    subscriptions_find(r->services->subscriptions, &alias->subscription, r->arena,
		&subscription) &&
	    view_eq(uuid_view(&subscription.tenant), uuid_view(&r->caller.tenant)) &&
	    arena_print(r->arena, &scope, "/subscriptions/%s", subscription.id.text) &&
	    caller_may(r, V(WRITE), scope))
		return true;
	return error_set(err, ERR_SUBSCRIPTION_NOT_FOUND,
	    "The subscription '%.*s' could not be found.", VIEW_ARG(id));
}

static bool
shown_name(struct request *r, const struct alias *alias, view *out)
{
	struct subscription subscription;

	*out = V("");
	if (!subscriptions_find(r->services->subscriptions, &alias->subscription, r->arena,
		&subscription))
		return false;
	*out = subscription.name;
	return true;
}

static bool
run_put(struct request *r, struct error *err)
{
	AUTO(plain_done) struct plain *present = NULL;
	const struct alias_body *body = r->body;
	struct alias alias = { .name = r->params[0],
		.workload = body->workload.given ? body->workload.text : V("Production") };
	view path, shown = body->name.given ? body->name.text : r->params[0];

	if (!alias_path(r, &path, err) ||
	    !tx_take(&r->tx, keyring_system(r->tx.keyring), path, &present, err))
		return false;
	/* Said twice, it is one subscription. */
	if (present != NULL) {
		if (!decode(plain_view(present), r->arena, &alias, err))
			return false;
		(void)shown_name(r, &alias, &shown);
		tx_reset(&r->tx);
		write_alias(reply_json(r), &alias, shown);
		return true;
	}
	if (body->subscription.given ? !adopt_subscription(r, body->subscription.text, &alias, err)
				     : !make_subscription(r, shown, &alias.subscription, err))
		return false;
	if (body->subscription.given)
		(void)shown_name(r, &alias, &shown);
	write_alias(reply_json(r), &alias, shown);
	r->out->status = 201;
	return put_alias(r, path, &alias, err);
}

static bool
run_get(struct request *r, struct error *err)
{
	AUTO(plain_done) struct plain *present = NULL;
	struct alias alias;
	view path, shown;

	if (!alias_path(r, &path, err) ||
	    !tx_get(&r->tx, keyring_system(r->tx.keyring), path, &present, err))
		return false;
	if (present == NULL)
		return error_set(err, ERR_RESOURCE_NOT_FOUND, "The alias '%.*s' was not found.",
		    VIEW_ARG(r->params[0]));
	if (!decode(plain_view(present), r->arena, &alias, err))
		return false;
	(void)shown_name(r, &alias, &shown);
	write_alias(reply_json(r), &alias, shown);
	return true;
}

static bool
run_delete(struct request *r, struct error *err)
{
	AUTO(plain_done) struct plain *present = NULL;
	view path;

	if (!alias_path(r, &path, err) ||
	    !tx_take(&r->tx, keyring_system(r->tx.keyring), path, &present, err))
		return false;
	r->out->status = present == NULL ? 204 : 200;
	return present == NULL || tx_delete(&r->tx, path, err);
}

static bool
run_rename(struct request *r, struct error *err)
{
	const struct rename_body *body = r->body;
	struct subscription subscription;
	struct uuid id;

	if (!name_fine(body->name.text, err))
		return false;
	if (!uuid_parse(r->params[0], &id) ||
	    !subscriptions_find(r->services->subscriptions, &id, r->arena, &subscription))
		return error_set(err, ERR_SUBSCRIPTION_NOT_FOUND,
		    "The subscription '%.*s' could not be found.", VIEW_ARG(r->params[0]));
	subscription.name = body->name.text;
	json_open(reply_json(r), '{');
	json_text(&r->json, "subscriptionId", uuid_view(&id));
	json_close(&r->json, '}');
	return subscription_create(&r->tx, &subscription, err);
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .guard = GUARD_SCOPE, .versioning = VERSION_ARM
/* Above all subscriptions: for who administers the tenant. */
#define ALIAS .plane = PLANE_MANAGEMENT, .guard = GUARD_ADMIN, .versioning = VERSION_ARM, \
	.path = "/providers/Microsoft.Subscription/aliases/{alias}"

const struct op alias_ops[] = {
	{ "SubscriptionAliasPut", ALIAS, .method = HTTP_PUT, .body = alias_fields,
	    .body_size = sizeof(struct alias_body), .run = run_put },
	{ "SubscriptionAliasGet", ALIAS, .method = HTTP_GET, .run = run_get },
	{ "SubscriptionAliasDelete", ALIAS, .method = HTTP_DELETE, .run = run_delete },
	{ "SubscriptionRename", ROW, .method = HTTP_POST,
	    .path = "/subscriptions/{subscription}/providers/Microsoft.Subscription/rename",
	    .action = "Microsoft.Subscription/rename/action", .body = rename_fields,
	    .body_size = sizeof(struct rename_body), .run = run_rename },
	{ 0 },
};

/* clang-format on */
