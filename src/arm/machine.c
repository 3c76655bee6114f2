#include "arm/machine.h"

#include "arm/list.h"
#include "arm/managed_identity.h"
#include "base/pack.h"
#include "identity/host.h"
#include "identity/managed.h"

#define MACHINE_SPACE "Microsoft.HybridCompute"
#define MACHINE_TYPE "machines"
#define HIDDEN_FORMAT 1
#define TEXTS 11
#define KEY_AT 0
#define ATTACHED_MAX APPLICATION_ATTACHED_MAX
#define ASSIGN_ACTION IDENTITY_SPACE "/" IDENTITY_TYPE "/assign/action"

static const char *const versions[] = { "2025-02-19-preview", "2025-01-13", "2024-11-10-preview",
	"2024-09-10-preview", "2024-07-31-preview", "2024-07-10", "2024-05-20-preview",
	"2024-03-31-preview", "2023-10-03-preview", "2023-06-20-preview", "2023-03-15-preview",
	"2022-12-27", "2022-12-27-preview", "2022-11-10", "2022-08-11-preview",
	"2022-05-10-preview", "2022-03-10", "2021-12-10-preview", "2021-06-10-preview",
	"2021-05-20", "2021-05-17-preview", "2021-04-22-preview", "2021-03-25-preview",
	"2021-01-28-preview", "2020-08-15-preview", "2020-08-02", "2020-07-30-preview",
	"2019-12-12", NULL };

struct machine_body {
	struct resource_body common;
	struct body_text type; /* of the identity */
	struct body_members attached;
	struct body_text texts[TEXTS];
};

/* clang-format off */

#define PROPERTY(name_, at, max_) \
	{ .name = (name_), .kind = FIELD_TEXT, .max = (max_), \
	    .offset = offsetof(struct machine_body, texts) + \
	        (size_t)(at) * sizeof(struct body_text) }

/* What a host says about itself, kept as it is; the first one is its key. */
static const struct field properties[TEXTS + 1] = {
	PROPERTY("clientPublicKey", KEY_AT, 24576),
	PROPERTY("vmId", 1, 64),
	PROPERTY("displayName", 2, 256),
	PROPERTY("osName", 3, 256),
	PROPERTY("osType", 4, 64),
	PROPERTY("osVersion", 5, 256),
	PROPERTY("osSku", 6, 256),
	PROPERTY("machineFqdn", 7, 256),
	PROPERTY("dnsFqdn", 8, 256),
	PROPERTY("domainName", 9, 256),
	PROPERTY("agentVersion", 10, 64),
	{ 0 },
};

static const struct field identity[] = {
	{ .name = "type", .kind = FIELD_TEXT, .max = 64,
	    .offset = offsetof(struct machine_body, type) },
	{ .name = "userAssignedIdentities", .kind = FIELD_MEMBERS, .max = (size_t)2 * ATTACHED_MAX,
	    .offset = offsetof(struct machine_body, attached) },
	{ 0 },
};

static const struct field machine_fields[] = {
	RESOURCE_FIELDS(struct machine_body),
	{ .name = "identity", .kind = FIELD_OBJECT, .fields = identity },
	{ .name = "properties", .kind = FIELD_OBJECT, .fields = properties },
	{ 0 },
};

/* clang-format on */

struct attached {
	view id; /* as the identity's resource is called */
	struct identity_ids ids;
};

struct machine {
	struct identity_ids ids;
	view texts[TEXTS];
	struct attached attached[ATTACHED_MAX];
	size_t attached_count;
};

static void
pack_ids(struct buf *out, const struct identity_ids *ids)
{
	pack_bytes(out, uuid_view(&ids->tenant));
	pack_bytes(out, uuid_view(&ids->object));
	pack_bytes(out, uuid_view(&ids->application));
}

static bool
unpack_ids(struct unpack *in, struct identity_ids *out)
{
	return uuid_parse(unpack_bytes(in), &out->tenant) &&
	    uuid_parse(unpack_bytes(in), &out->object) &&
	    uuid_parse(unpack_bytes(in), &out->application);
}

static bool
hide(struct arena *arena, const struct machine *machine, view *out, struct error *err)
{
	AUTO(buf_free) struct buf bytes = { 0 };

	pack_u8(&bytes, HIDDEN_FORMAT);
	pack_ids(&bytes, &machine->ids);
	for (size_t i = 0; i < TEXTS; i++)
		pack_bytes(&bytes, machine->texts[i]);
	pack_u32(&bytes, (uint32_t)machine->attached_count);
	for (size_t i = 0; i < machine->attached_count; i++) {
		pack_bytes(&bytes, machine->attached[i].id);
		pack_ids(&bytes, &machine->attached[i].ids);
	}
	return (buf_ok(&bytes) && arena_copy(arena, buf_view(&bytes), out)) || error_memory(err);
}

static bool
reveal(view hidden, struct machine *out, struct error *err)
{
	struct unpack in = unpack_of(hidden);
	bool fine = unpack_u8(&in) == HIDDEN_FORMAT && unpack_ids(&in, &out->ids);

	for (size_t i = 0; i < TEXTS; i++)
		out->texts[i] = unpack_bytes(&in);
	out->attached_count = unpack_u32(&in);
	for (size_t i = 0; fine && i < out->attached_count && i < ATTACHED_MAX; i++) {
		out->attached[i].id = unpack_bytes(&in);
		fine = unpack_ids(&in, &out->attached[i].ids);
	}
	return (fine && out->attached_count <= ATTACHED_MAX && unpack_end(&in)) ||
	    error_set(err, ERR_CORRUPT, "a machine's document can't be read");
}

static bool
attached_find(const struct machine *machine, view id, size_t *at)
{
	for (size_t i = 0; i < machine->attached_count; i++) {
		if (view_ieq(machine->attached[i].id, id)) {
			*at = i;
			return true;
		}
	}
	return false;
}

/* Who gives a host an identity gives away what that identity may do. */
static bool
may_assign(struct request *r, view id, struct error *err)
{
	return caller_may(r, V(ASSIGN_ACTION), id) ||
	    error_set(err, ERR_AUTHORIZATION_FAILED,
		"The client '%s' with object id '%s' has permission to perform action "
		"'" MACHINE_SPACE "/" MACHINE_TYPE
		"/write'; however, it does not have permission to perform action '" ASSIGN_ACTION
		"' on the linked scope '%.*s'.",
		r->caller.application.text, r->caller.object.text, VIEW_ARG(id));
}

static bool
attach(struct request *r, struct machine *machine, view id, struct error *err)
{
	struct attached *fresh = &machine->attached[machine->attached_count];
	struct resource resource = { 0 };
	bool found = false;
	size_t at;

	if (attached_find(machine, id, &at))
		return true;
	if (machine->attached_count == ATTACHED_MAX)
		return error_set(err, ERR_BAD_REQUEST,
		    "At most %d user-assigned identities can be attached to a machine.",
		    ATTACHED_MAX);
	if (!resource_get(&r->tx, r->services, id, true, &resource, &found, err))
		return false;
	/* Those who may not see it are told no more than that they may not assign it. */
	if (!may_assign(r, found ? resource.id : id, err))
		return false;
	if (!found || !identity_ids_of(&resource, &fresh->ids))
		return error_set(err, ERR_BAD_REQUEST,
		    "The identity '%.*s' was not found among the user-assigned identities.",
		    VIEW_ARG(id));
	fresh->id = resource.id;
	machine->attached_count++;
	return true;
}

static void
detach(struct machine *machine, view id)
{
	size_t at;

	if (attached_find(machine, id, &at))
		machine->attached[at] = machine->attached[--machine->attached_count];
}

/* A PUT names all; those it does not name go. */
static void
detach_others(struct machine *machine, const struct body_members *named)
{
	size_t kept = 0;

	for (size_t i = 0; i < machine->attached_count; i++) {
		bool wanted = false;

		for (size_t j = 0; j < named->count && !wanted; j++)
			wanted = !named->items[j].gone &&
			    view_ieq(named->items[j].name, machine->attached[i].id);
		if (wanted)
			machine->attached[kept++] = machine->attached[i];
	}
	machine->attached_count = kept;
}

static bool
type_names(view type, const char *word)
{
	while (type.len > 0) {
		if (view_ieq(view_trim(view_cut(&type, ',')), view_of(word)))
			return true;
	}
	return false;
}

static bool
change_identity(struct resource_change *change, struct machine *machine, struct error *err)
{
	const struct machine_body *body = change->body;

	if (!body->type.given && !body->attached.given)
		return true;
	if (body->type.given && !type_names(body->type.text, "SystemAssigned"))
		return error_set(err, ERR_BAD_REQUEST,
		    "A machine always has a system-assigned identity: the identity's type must be "
		    "'SystemAssigned' or 'SystemAssigned, UserAssigned'.");
	if (body->type.given && !type_names(body->type.text, "UserAssigned")) {
		machine->attached_count = 0;
		return true;
	}
	if (!change->patch)
		detach_others(machine, &body->attached);
	for (size_t i = 0; i < body->attached.count; i++) {
		if (body->attached.items[i].gone)
			detach(machine, body->attached.items[i].name);
		else if (!attach(change->r, machine, body->attached.items[i].name, err))
			return false;
	}
	return true;
}

static bool
write_identity(struct resource_change *change, const struct machine *machine, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct json json = json_to(&text);

	json_open(&json, '{');
	json_text(&json, "type",
	    machine->attached_count > 0 ? V("SystemAssigned, UserAssigned") : V("SystemAssigned"));
	json_text(&json, "principalId", uuid_view(&machine->ids.object));
	json_text(&json, "tenantId", uuid_view(&machine->ids.tenant));
	json_text(&json, "clientId", uuid_view(&machine->ids.application));
	if (machine->attached_count > 0)
		json_open_in(&json, "userAssignedIdentities", '{');
	for (size_t i = 0; i < machine->attached_count; i++) {
		/* Nothing in it to escape: its names are an identity's and a group's. */
		view name;

		if (!arena_copy(change->r->arena, machine->attached[i].id, &name))
			return error_memory(err);
		json_open_in(&json, name.ptr, '{');
		json_text(&json, "principalId", uuid_view(&machine->attached[i].ids.object));
		json_text(&json, "clientId", uuid_view(&machine->attached[i].ids.application));
		json_close(&json, '}');
	}
	if (machine->attached_count > 0)
		json_close(&json, '}');
	json_close(&json, '}');
	return (buf_ok(&text) &&
		   arena_copy(change->r->arena, buf_view(&text), &change->wanted->identity)) ||
	    error_memory(err);
}

static bool
write_properties(struct resource_change *change, const struct machine *machine, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct json json = json_to(&text);

	json_open(&json, '{');
	for (size_t i = 0; i < TEXTS; i++) {
		if (machine->texts[i].len > 0)
			json_text(&json, properties[i].name, machine->texts[i]);
	}
	json_text(&json, "provisioningState", V("Succeeded"));
	json_close(&json, '}');
	return (buf_ok(&text) &&
		   arena_copy(change->r->arena, buf_view(&text), &change->wanted->properties)) ||
	    error_memory(err);
}

static bool
create_identity(struct resource_change *change, struct machine *machine, struct error *err)
{
	struct managed_identity made = {
		.tenant = change->r->caller.tenant,
		.name = change->wanted->name,
		.resource = change->wanted->id,
	};

	if (!managed_identity_create(&change->r->tx, &made, err)) {
		if (err->code == ERR_GRAPH_BAD_REQUEST)
			err->code = ERR_BAD_REQUEST;
		return false;
	}
	machine->ids = (struct identity_ids){ made.tenant, made.object, made.application };
	return true;
}

/* What the body says of the host; a PUT that has no key leaves the one that is there. */
static bool
change_texts(struct resource_change *change, struct machine *machine, struct error *err)
{
	const struct machine_body *body = change->body;
	const struct body_text *key = &body->texts[KEY_AT];
	AUTO(buf_free) struct buf spki = { 0 };

	for (size_t i = 0; i < TEXTS; i++) {
		if (body->texts[i].given)
			machine->texts[i] = body->texts[i].text;
		else if (!change->patch && i != KEY_AT)
			machine->texts[i] = V("");
	}
	if (!key->given)
		return true;
	return host_key_read(key->text, &spki, err) &&
	    host_set_key(&change->r->tx, &machine->ids.object, buf_view(&spki), err);
}

static bool
attach_all(struct tx *tx, const struct machine *machine, struct error *err)
{
	struct uuid ids[ATTACHED_MAX];

	for (size_t i = 0; i < machine->attached_count; i++)
		ids[i] = machine->attached[i].ids.object;
	if (managed_identity_attach(tx, &machine->ids.object, ids, machine->attached_count, err))
		return true;
	if (err->code == ERR_GRAPH_BAD_REQUEST)
		err->code = ERR_BAD_REQUEST;
	return false;
}

/* Identities that were deleted since are attached no more. */
static bool
forget_gone(struct request *r, struct machine *machine, struct error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < machine->attached_count; i++) {
		const struct attached *attached = &machine->attached[i];
		struct resource resource;
		struct identity_ids ids;
		bool found;

		if (!resource_get(&r->tx, r->services, attached->id, true, &resource, &found, err))
			return false;
		if (found && identity_ids_of(&resource, &ids) &&
		    view_eq(uuid_view(&ids.object), uuid_view(&attached->ids.object)))
			machine->attached[kept++] = *attached;
	}
	machine->attached_count = kept;
	return true;
}

static bool
put_machine(struct resource_change *change, struct error *err)
{
	struct machine *machine = arena_alloc(change->r->arena, sizeof(*machine));

	if (machine == NULL)
		return error_memory(err);
	if (change->present == NULL ? !create_identity(change, machine, err)
				    : !reveal(change->present->hidden, machine, err))
		return false;
	return forget_gone(change->r, machine, err) && change_texts(change, machine, err) &&
	    change_identity(change, machine, err) && attach_all(&change->r->tx, machine, err) &&
	    hide(change->r->arena, machine, &change->wanted->hidden, err) &&
	    write_identity(change, machine, err) && write_properties(change, machine, err);
}

static bool
remove_machine(struct tx *tx, const struct services *services, const struct resource *resource,
    const struct caller *caller, struct error *err)
{
	struct machine *machine = arena_alloc(tx->arena, sizeof(*machine));

	(void)caller;
	if (machine == NULL)
		return error_memory(err);
	return reveal(resource->hidden, machine, err) &&
	    (managed_identity_delete(tx, services->directory, &machine->ids.object, err) ||
		err->code == ERR_GRAPH_NOT_FOUND);
}

static const struct resource_type machine_type = {
	.space = MACHINE_SPACE,
	.name = MACHINE_TYPE,
	.versions = versions,
	.put = put_machine,
	.remove = remove_machine,
};

const struct provider machine_provider = {
	.space = MACHINE_SPACE,
	.types = (const struct resource_type *const[]){ &machine_type, NULL },
};

const struct op machine_ops[] = {
	RESOURCE_ROWS("Machine", MACHINE_SPACE, MACHINE_TYPE, machine_type, machine_fields,
	    struct machine_body),
	{ 0 },
};
