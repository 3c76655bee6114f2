#include "keys/rotation_policy.h"

#include "base/pack.h"
#include "keys/key.h"

#define FORMAT 1
#define TYPE_NAME_MAX 16
#define ITEMS_MAX 8 /* read, so that too many of a type are told so */
#define EXPIRY_DAYS_MIN 28
#define MARGIN_DAYS 7 /* behind a version's creation, and before its expiry */

static const struct rotation_time usual_notice = {
	.text = V_INIT("P30D"),
	.duration = { .days = 30 },
};

static const struct {
	enum rotation_type type;
	const char *name;
} types[] = {
	{ ROTATION_ROTATE, "Rotate" },
	{ ROTATION_NOTIFY, "Notify" },
};

struct trigger_body {
	struct body_text after_create, before_expiry;
};
struct action_body {
	struct body_text type;
};
struct item_body {
	struct trigger_body trigger;
	struct action_body action;
};

static const struct field trigger_fields[] = {
	{ .name = "timeAfterCreate",
	    .kind = FIELD_TEXT,
	    .max = DURATION_TEXT_MAX,
	    .offset = offsetof(struct trigger_body, after_create) },
	{ .name = "timeBeforeExpiry",
	    .kind = FIELD_TEXT,
	    .max = DURATION_TEXT_MAX,
	    .offset = offsetof(struct trigger_body, before_expiry) },
	{ 0 },
};

static const struct field action_fields[] = {
	{ .name = "type",
	    .kind = FIELD_TEXT,
	    .max = TYPE_NAME_MAX,
	    .required = true,
	    .offset = offsetof(struct action_body, type) },
	{ 0 },
};

static const struct field item_fields[] = {
	{ .name = "trigger",
	    .kind = FIELD_OBJECT,
	    .required = true,
	    .fields = trigger_fields,
	    .offset = offsetof(struct item_body, trigger) },
	{ .name = "action",
	    .kind = FIELD_OBJECT,
	    .required = true,
	    .fields = action_fields,
	    .offset = offsetof(struct item_body, action) },
	{ 0 },
};

static const struct field attribute_fields[] = {
	{ .name = "expiryTime",
	    .kind = FIELD_TEXT,
	    .max = DURATION_TEXT_MAX,
	    .offset = offsetof(struct rotation_policy_body, expiry) },
	{ 0 },
};

const struct field rotation_policy_fields[] = {
	{ .name = "lifetimeActions",
	    .kind = FIELD_LIST,
	    .max = ITEMS_MAX,
	    .fields = item_fields,
	    .size = sizeof(struct item_body),
	    .offset = offsetof(struct rotation_policy_body, actions) },
	{ .name = "attributes", .kind = FIELD_OBJECT, .fields = attribute_fields },
	{ 0 },
};

static const char *
type_name(enum rotation_type type)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (types[i].type == type)
			return types[i].name;
	}
	return "";
}

static const char *
trigger_name(const struct rotation_action *action)
{
	return action->before_expiry ? "timeBeforeExpiry" : "timeAfterCreate";
}

static const struct rotation_action *
find_action(const struct rotation_policy *policy, enum rotation_type type)
{
	for (size_t i = 0; i < policy->count; i++) {
		if (policy->actions[i].type == type)
			return &policy->actions[i];
	}
	return NULL;
}

/* There is room: each type is in it at most once. */
static void
add_usual_notice(struct rotation_policy *policy)
{
	if (find_action(policy, ROTATION_NOTIFY) == NULL)
		policy->actions[policy->count++] =
		    (struct rotation_action){ .type = ROTATION_NOTIFY,
			    .before_expiry = true,
			    .time = usual_notice };
}

void
rotation_policy_default(struct rotation_policy *out)
{
	*out = (struct rotation_policy){ 0 };
	add_usual_notice(out);
}

static bool
read_time(const char *name, view text, struct rotation_time *out, struct error *err)
{
	struct duration duration;

	if (!duration_parse(text, &duration))
		return error_set(err, ERR_BAD_PARAMETER,
		    "Invalid value of %s: '%.*s'. It must be an ISO 8601 duration such as P90D, "
		    "P3M, PT48H or P1Y10D.",
		    name, VIEW_ARG(text));
	*out = (struct rotation_time){ .text = text, .duration = duration };
	return true;
}

static bool
read_type(view name, enum rotation_type *out, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (view_ieq(name, view_of(types[i].name))) {
			*out = types[i].type;
			return true;
		}
	}
	return error_set(err, ERR_BAD_PARAMETER,
	    "Invalid type of a lifetime action: '%.*s'. It must be Rotate or Notify.",
	    VIEW_ARG(name));
}

static bool
read_action(const struct item_body *item, struct rotation_action *out, struct error *err)
{
	const struct trigger_body *trigger = &item->trigger;

	if (!read_type(item->action.type.text, &out->type, err))
		return false;
	if (trigger->after_create.given == trigger->before_expiry.given)
		return error_set(err, ERR_BAD_PARAMETER,
		    "The trigger of a lifetime action must have exactly one of timeAfterCreate and "
		    "timeBeforeExpiry.");
	out->before_expiry = trigger->before_expiry.given;
	if (out->type == ROTATION_NOTIFY && !out->before_expiry)
		return error_set(err, ERR_BAD_PARAMETER,
		    "A Notify action can only have the trigger timeBeforeExpiry.");
	return read_time(trigger_name(out),
	    out->before_expiry ? trigger->before_expiry.text : trigger->after_create.text,
	    &out->time, err);
}

static bool
read_actions(const struct body_list *list, struct rotation_policy *policy, struct error *err)
{
	const struct item_body *items = list->items;

	for (size_t i = 0; i < list->count; i++) {
		struct rotation_action action;

		if (!read_action(&items[i], &action, err))
			return false;
		if (find_action(policy, action.type) != NULL)
			return error_set(err, ERR_BAD_PARAMETER,
			    "A rotation policy can have at most one %s action.",
			    type_name(action.type));
		policy->actions[policy->count++] = action;
	}
	return true;
}

static bool
check_expiry(const struct rotation_time *expiry, struct error *err)
{
	static const struct duration none = { 0 };

	return expiry->text.len == 0 || duration_apart(&expiry->duration, &none, EXPIRY_DAYS_MIN) ||
	    error_set(err, ERR_BAD_PARAMETER, "expiryTime must be at least %d days.",
		EXPIRY_DAYS_MIN);
}

/* The usual notice is in every policy, also of versions that last no longer than it. */
static bool
is_usual_notice(const struct rotation_action *action)
{
	const struct duration *duration = &action->time.duration, *usual = &usual_notice.duration;

	return action->type == ROTATION_NOTIFY && duration->months == usual->months &&
	    duration->days == usual->days && duration->hours == usual->hours;
}

/* Seven days from the end it counts from, and from the other one where there is one. */
static bool
check_action(const struct rotation_action *action, const struct rotation_time *expiry,
    struct error *err)
{
	static const struct duration none = { 0 };
	const char *type = type_name(action->type), *trigger = trigger_name(action);

	if (action->type == ROTATION_ROTATE && action->before_expiry && expiry->text.len == 0)
		return error_set(err, ERR_BAD_PARAMETER,
		    "A Rotate action with the trigger timeBeforeExpiry needs an expiryTime.");
	if (!duration_apart(&action->time.duration, &none, MARGIN_DAYS))
		return error_set(err, ERR_BAD_PARAMETER,
		    "%s of a %s action must be at least %d days.", trigger, type, MARGIN_DAYS);
	if (expiry->text.len > 0 && !is_usual_notice(action) &&
	    !duration_apart(&expiry->duration, &action->time.duration, MARGIN_DAYS))
		return error_set(err, ERR_BAD_PARAMETER,
		    "%s of a %s action must be at least %d days less than expiryTime.", trigger,
		    type, MARGIN_DAYS);
	return true;
}

bool
rotation_policy_fill(const struct rotation_policy_body *body, struct rotation_policy *out,
    struct error *err)
{
	struct rotation_policy policy = { 0 };

	if (!read_actions(&body->actions, &policy, err))
		return false;
	if (body->expiry.given && !read_time("expiryTime", body->expiry.text, &policy.expiry, err))
		return false;
	if (!check_expiry(&policy.expiry, err))
		return false;
	for (size_t i = 0; i < policy.count; i++) {
		if (!check_action(&policy.actions[i], &policy.expiry, err))
			return false;
	}
	add_usual_notice(&policy);
	*out = policy;
	return true;
}

void
rotation_policy_pack(const struct rotation_policy *policy, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_i64(out, policy->created);
	pack_i64(out, policy->updated);
	pack_bytes(out, policy->expiry.text);
	pack_u8(out, (uint8_t)policy->count);
	for (size_t i = 0; i < policy->count; i++) {
		pack_u8(out, (uint8_t)policy->actions[i].type);
		pack_u8(out, policy->actions[i].before_expiry);
		pack_bytes(out, policy->actions[i].time.text);
	}
}

static bool
unpack_action(struct unpack *in, struct rotation_policy *policy)
{
	struct rotation_action *action = &policy->actions[policy->count];

	action->type = unpack_u8(in);
	action->before_expiry = unpack_u8(in) != 0;
	action->time.text = unpack_bytes(in);
	if (type_name(action->type)[0] == '\0' || find_action(policy, action->type) != NULL ||
	    !duration_parse(action->time.text, &action->time.duration))
		return false;
	policy->count++;
	return true;
}

bool
rotation_policy_unpack(view document, struct rotation_policy *out)
{
	struct unpack in = unpack_of(document);
	struct rotation_policy policy = { 0 };
	uint8_t count;

	if (unpack_u8(&in) != FORMAT)
		return false;
	policy.created = unpack_i64(&in);
	policy.updated = unpack_i64(&in);
	policy.expiry.text = unpack_bytes(&in);
	count = unpack_u8(&in);
	if (policy.expiry.text.len > 0 &&
	    !duration_parse(policy.expiry.text, &policy.expiry.duration))
		return false;
	for (uint8_t i = 0; i < count; i++) {
		if (i == ROTATION_ACTIONS_MAX || !unpack_action(&in, &policy))
			return false;
	}
	if (!unpack_end(&in))
		return false;
	*out = policy;
	return true;
}

static void
write_action(struct json *json, const struct rotation_action *action)
{
	json_open(json, '{');
	json_open_in(json, "trigger", '{');
	json_text(json, trigger_name(action), action->time.text);
	json_close(json, '}');
	json_open_in(json, "action", '{');
	json_text(json, "type", view_of(type_name(action->type)));
	json_close(json, '}');
	json_close(json, '}');
}

void
rotation_policy_write(struct request *r, const struct object *key,
    const struct rotation_policy *policy)
{
	struct json *json = &r->json;

	json_open(json, '{');
	write_id(r, "id", key_type.collection, key, V("rotationpolicy"));
	json_open_in(json, "lifetimeActions", '[');
	for (size_t i = 0; i < policy->count; i++)
		write_action(json, &policy->actions[i]);
	json_close(json, ']');
	/* Also when empty: clients look for expiryTime in it without asking. */
	json_open_in(json, "attributes", '{');
	if (policy->expiry.text.len > 0)
		json_text(json, "expiryTime", policy->expiry.text);
	if (policy->created != 0) {
		json_number(json, "created", policy->created);
		json_number(json, "updated", policy->updated);
	}
	json_close(json, '}');
	json_close(json, '}');
}

static int64_t
due(const struct rotation_action *action, const struct attributes *version)
{
	const struct duration *duration = &action->time.duration;
	int64_t time;

	if (!action->before_expiry)
		return duration_after(version->created, duration, &time) ? time : 0;
	if (!version->has_exp || !duration_before(version->exp, duration, &time))
		return 0;
	return time > version->created ? time : version->created;
}

void
rotation_policy_next(const struct rotation_policy *policy, const struct attributes *version,
    struct rotation_next *out)
{
	const struct rotation_action *rotate = find_action(policy, ROTATION_ROTATE);
	const struct rotation_action *notify = find_action(policy, ROTATION_NOTIFY);

	out->rotate = rotate != NULL ? due(rotate, version) : 0;
	out->notify = notify != NULL ? due(notify, version) : 0;
}

void
rotation_policy_expiry(const struct rotation_policy *policy, int64_t created,
    struct attributes *attributes)
{
	int64_t exp;

	attributes->has_exp =
	    policy->expiry.text.len > 0 && duration_after(created, &policy->expiry.duration, &exp);
	attributes->exp = attributes->has_exp ? exp : 0;
}
