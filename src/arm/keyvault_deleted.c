/*
 * Deleted vaults: shown, recovered, purged; and which names are still to be had.
 */
#include "arm/keyvault.h"
#include "arm/list.h"
#include "arm/location.h"
#include "api/paging.h"
#include "base/clock.h"

#define PAGE 100
#define SECONDS_LEN 19 /* of an ISO time */

/* Whole seconds, as the original has them here. */
static void
write_time(struct json *json, const char *name, int64_t seconds)
{
	char iso[CLOCK_ISO_LEN + 1];

	clock_iso_seconds(seconds, iso);
	json_text_open(json, name);
	json_text_part(json, (view){ iso, SECONDS_LEN });
	json_text_part(json, V("Z"));
	json_text_close(json);
}

static void
write_deleted(struct json *json, const struct deleted_vault *deleted,
    const struct resource *resource)
{
	const struct vault *vault = &deleted->vault;

	json_open(json, '{');
	json_text_open(json, "id");
	json_text_part(json, V("/subscriptions/"));
	json_text_part(json, uuid_view(&vault->subscription));
	json_text_part(json, V("/providers/" KEYVAULT "/locations/"));
	json_text_part(json, vault->location);
	json_text_part(json, V("/deletedVaults/"));
	json_text_part(json, vault->name);
	json_text_close(json);
	json_text(json, "name", vault->name);
	json_text(json, "type", V(KEYVAULT "/deletedVaults"));
	json_open_in(json, "properties", '{');
	json_text(json, "vaultId", vault->scope);
	json_text(json, "location", vault->location);
	resource_write_tags(json, resource);
	write_time(json, "deletionDate", deleted->deleted);
	write_time(json, "scheduledPurgeDate", deleted->purge);
	json_flag(json, "purgeProtectionEnabled", vault->purge_protection);
	json_close(json, '}');
	json_close(json, '}');
}

static bool
show_deleted(struct request *r, const struct deleted_vault *deleted, struct error *err)
{
	struct resource resource;

	if (!resource_decode(deleted->resource, r->services, r->arena, &resource, err))
		return false;
	write_deleted(&r->json, deleted, &resource);
	return true;
}

static bool
show_named(struct request *r, view name, struct error *err)
{
	struct deleted_vault deleted;
	bool found;

	return deleted_vault_get(&r->tx, name, &deleted, &found, err) &&
	    (!found || show_deleted(r, &deleted, err));
}

static bool
write_names(struct request *r, const view *names, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		struct arena_mark mark = arena_mark(r->arena);
		bool fine = show_named(r, names[i], err);

		/* One may be large, and once written it is not needed any more. */
		arena_rewind(r->arena, mark);
		if (!fine)
			return false;
	}
	return true;
}

static bool
subscription_param(const struct request *r, struct uuid *out, struct error *err)
{
	return uuid_parse(r->params[0], out) ||
	    error_set(err, ERR_SUBSCRIPTION_NOT_FOUND,
		"The subscription '%.*s' could not be found.", VIEW_ARG(r->params[0]));
}

static bool
run_list(struct request *r, struct error *err)
{
	struct uuid subscription;
	size_t count, shown, limit;
	view list, after, *names;

	if (!subscription_param(r, &subscription, err))
		return false;
	if (!arena_print(r->arena, &list, "dvaults/%s", subscription.text))
		return error_memory(err);
	if (!page_top(r, PAGE, PAGE, &limit, err) || !page_marker(r, list, &after, err) ||
	    !deleted_vaults_list(&r->tx, &subscription, after, limit + 1, &names, &count, err))
		return false;
	shown = count > limit ? limit : count;
	json_open(reply_json(r), '{');
	json_open_in(&r->json, "value", '[');
	if (!write_names(r, names, shown, err))
		return false;
	json_close(&r->json, ']');
	if (!page_next_arm(r, list, count > shown ? names[shown - 1] : V(""), err))
		return false;
	json_close(&r->json, '}');
	return true;
}

static bool
not_deleted(view name, struct error *err)
{
	return error_set(err, ERR_DELETED_VAULT_NOT_FOUND,
	    "The specified deleted vault '%.*s' does not exist.", VIEW_ARG(name));
}

static bool
same_location(struct request *r, view given, const struct vault *vault)
{
	struct error ignored;
	view one, other;

	return location_normal(r->arena, given, &one, &ignored) &&
	    location_normal(r->arena, vault->location, &other, &ignored) && view_eq(one, other);
}

/* The one that the path names by subscription, location and name. */
static bool
require_deleted(struct request *r, bool change, struct deleted_vault *out, struct error *err)
{
	view name = r->params[2];
	bool found = false;

	if (!(change ? deleted_vault_take : deleted_vault_get)(&r->tx, name, out, &found, err))
		return false;
	if (!found || !view_ieq(r->params[0], uuid_view(&out->vault.subscription)) ||
	    !same_location(r, r->params[1], &out->vault))
		return not_deleted(name, err);
	r->object_id = out->vault.scope;
	return true;
}

static bool
run_get(struct request *r, struct error *err)
{
	struct deleted_vault deleted;

	if (!require_deleted(r, false, &deleted, err))
		return false;
	(void)reply_json(r);
	return show_deleted(r, &deleted, err);
}

/* Done when it is answered: clients that wait for a long operation take that, too. */
static bool
run_purge(struct request *r, struct error *err)
{
	struct deleted_vault deleted;

	if (!require_deleted(r, true, &deleted, err))
		return false;
	r->out->status = 200;
	return vault_purge(&r->tx, &deleted, clock_now(), err);
}

static bool
check_recovery(struct request *r, const struct deleted_vault *deleted, struct error *err)
{
	const struct vault_body *body = r->body;
	const struct body_text *location = &body->common.location;

	if (!location->given)
		return error_set(err, ERR_LOCATION_REQUIRED,
		    "The location property is required for this definition.");
	if (same_location(r, location->text, &deleted->vault))
		return true;
	return error_set(err, ERR_LOCATION_FIXED,
	    "The vault '%.*s' was deleted in location '%.*s' and can't be recovered in location "
	    "'%.*s'.",
	    VIEW_ARG(deleted->vault.name), VIEW_ARG(deleted->vault.location),
	    VIEW_ARG(location->text));
}

/*
 * It comes back to where it was: the group must be there, and stay.  It is written, so that a
 * deletion of the group that has not seen the vault is not committed.
 */
static bool
require_group(struct request *r, const struct vault *vault, struct error *err)
{
	struct resource_id id;
	struct resource group;
	bool found;

	if (!resource_id_parse(vault->scope, r->arena, &id, err) ||
	    !resource_get(&r->tx, r->services, id.group_id, true, &group, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_RESOURCE_GROUP_NOT_FOUND,
		    "Resource group '%.*s' could not be found.", VIEW_ARG(id.group));
	if (group.deleting)
		return error_set(err, ERR_GROUP_BEING_DELETED,
		    "The resource group '%.*s' is in deprovisioning state and cannot perform this "
		    "operation.",
		    VIEW_ARG(group.name));
	return resource_put(&r->tx, &group, err);
}

static bool
recover(struct request *r, const struct deleted_vault *deleted, struct error *err)
{
	struct resource resource;

	if (!resource_decode(deleted->resource, r->services, r->arena, &resource, err))
		return false;
	resource_changed_by(&resource, &r->caller, false);
	if (!assignments_remove(&r->tx, r->services, resource.id, err) ||
	    !vault_recover(&r->tx, deleted, err) || !resource_put(&r->tx, &resource, err))
		return false;
	r->object_id = resource.id;
	(void)reply_json(r);
	resource_show(r, &resource);
	return true;
}

bool
vault_run_recover(struct request *r, struct error *err)
{
	view name = r->params[2];
	struct deleted_vault deleted;
	struct vault live;
	bool found;

	if (!vault_take(&r->tx, name, &live, &found, err))
		return false;
	if (found && view_ieq(live.scope, r->path))
		return error_set(err, ERR_CONFLICT,
		    "The vault '%.*s' is not deleted: there is nothing to recover.",
		    VIEW_ARG(name));
	if (!deleted_vault_take(&r->tx, name, &deleted, &found, err))
		return false;
	if (!found || !view_ieq(deleted.vault.scope, r->path))
		return not_deleted(name, err);
	return check_recovery(r, &deleted, err) && require_group(r, &deleted.vault, err) &&
	    recover(r, &deleted, err);
}

struct name_body {
	struct body_text name, type;
};

/* clang-format off */

static const struct field name_fields[] = {
	{ .name = "name", .kind = FIELD_TEXT, .max = 256, .required = true,
	    .offset = offsetof(struct name_body, name) },
	{ .name = "type", .kind = FIELD_TEXT, .max = 256,
	    .offset = offsetof(struct name_body, type) },
	{ 0 },
};

/* clang-format on */

static void
write_answer(struct request *r, const char *reason, const char *message)
{
	struct json *json = reply_json(r);

	json_open(json, '{');
	json_flag(json, "nameAvailable", reason == NULL);
	if (reason != NULL) {
		json_text(json, "reason", view_of(reason));
		json_text(json, "message", view_of(message));
	}
	json_close(json, '}');
}

static void
write_invalid(struct request *r)
{
	write_answer(r, "AccountNameInvalid",
	    "A vault's name must be between 3-24 alphanumeric characters. The name must begin with "
	    "a letter, end with a letter or digit, and not contain consecutive hyphens.");
}

static bool
name_taken(struct request *r, view name, bool *out, struct error *err)
{
	struct deleted_vault deleted;
	struct vault live;

	return vault_get(&r->tx, name, &live, out, err) &&
	    (*out || deleted_vault_get(&r->tx, name, &deleted, out, err));
}

/* Across the installation: a vault's name is a host's. */
static bool
run_check_name(struct request *r, struct error *err)
{
	const struct name_body *body = r->body;
	bool taken;

	if (!view_ieq(body->type.text, V(KEYVAULT "/vaults")))
		return error_set(err, ERR_BAD_REQUEST,
		    "The resource type '%.*s' is not valid: it must be " KEYVAULT "/vaults.",
		    VIEW_ARG(body->type.text));
	if (!vault_name_valid(body->name.text)) {
		write_invalid(r);
		return true;
	}
	if (!name_taken(r, body->name.text, &taken, err))
		return false;
	write_answer(r, taken ? "AlreadyExists" : NULL,
	    "The name is already in use, or held by a deleted vault that can be recovered.");
	return true;
}

/* There are no managed HSMs: every name that could be one's is free. */
static bool
run_check_hsm_name(struct request *r, struct error *err)
{
	const struct name_body *body = r->body;

	(void)err;
	if (vault_name_valid(body->name.text))
		write_answer(r, NULL, NULL);
	else
		write_invalid(r);
	return true;
}

/* clang-format off */

#define ROW .plane = PLANE_MANAGEMENT, .versioning = VERSION_ARM, .detail = &vault_type, \
	.guard = GUARD_SCOPE
#define BASE RESOURCE_SUBSCRIPTION_PATH KEYVAULT
#define ONE BASE "/locations/{location}/deletedVaults/{vault}"
#define NAME_BODY .body = name_fields, .body_size = sizeof(struct name_body)

const struct op keyvault_deleted_ops[] = {
	{ "VaultListDeleted", ROW, .method = HTTP_GET, .path = BASE "/deletedVaults",
	    .action = KEYVAULT "/deletedVaults/read", .run = run_list },
	{ "VaultGetDeleted", ROW, .method = HTTP_GET, .path = ONE,
	    .action = KEYVAULT "/locations/deletedVaults/read", .run = run_get },
	{ "VaultPurge", ROW, .method = HTTP_POST, .path = ONE "/purge", .cost = COST_POOL,
	    .action = KEYVAULT "/locations/deletedVaults/purge/action", .run = run_purge },
	{ "VaultCheckName", ROW, .method = HTTP_POST, .path = BASE "/checkNameAvailability",
	    .action = KEYVAULT "/checkNameAvailability/read", NAME_BODY,
	    .run = run_check_name },
	{ "ManagedHsmCheckName", ROW, .method = HTTP_POST,
	    .path = BASE "/checkMhsmNameAvailability",
	    .action = KEYVAULT "/checkMhsmNameAvailability/read", NAME_BODY,
	    .run = run_check_hsm_name },
	{ 0 },
};

/* clang-format on */
