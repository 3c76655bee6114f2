#include "access/shape.h"

#include "access/deny.h"
#include "access/role_store.h"
#include "base/clock.h"

/* clang-format off */

#define PATTERNS(member, text) { .name = text, .kind = FIELD_TEXTS, .max = ROLE_PATTERNS_MAX, \
	    .size = ROLE_ACTION_MAX, .offset = offsetof(struct permission_body, member) }

const struct field permission_fields[] = {
	PATTERNS(actions, "actions"),
	PATTERNS(not_actions, "notActions"),
	PATTERNS(data_actions, "dataActions"),
	PATTERNS(not_data_actions, "notDataActions"),
	{ 0 },
};

/* clang-format on */

void
shape_id(struct json *json, const char *name, view scope, const char *type, view id)
{
	json_text_open(json, name);
	json_text_part(json, view_eq(scope, V("/")) ? V("") : scope);
	json_text_part(json, V("/providers/"));
	json_text_part(json, view_of(type));
	json_text_part(json, V("/"));
	json_text_part(json, id);
	json_text_close(json);
}

void
shape_definition_id(struct json *json, const char *name, view scope, view id)
{
	view subscription = scope_subscription(scope);

	if (subscription.len > 0)
		subscription =
		    (view){ scope.ptr, (size_t)(subscription.ptr - scope.ptr) + subscription.len };
	shape_id(json, name, subscription, DEFINITION_TYPE, id);
}

void
shape_time(struct json *json, const char *name, int64_t seconds)
{
	char iso[CLOCK_ISO_LEN + 1];

	clock_iso_seconds(seconds, iso);
	json_text(json, name, view_of(iso));
}

void
shape_text(struct json *json, const char *name, view text)
{
	if (text.len > 0)
		json_text(json, name, text);
	else
		json_null_value(json, name);
}

void
shape_patterns(struct json *json, const char *name, const char *const *patterns)
{
	json_open_in(json, name, '[');
	for (; patterns != NULL && *patterns != NULL; patterns++)
		json_text(json, NULL, view_of(*patterns));
	json_close(json, ']');
}

void
permissions_write(struct json *json, const struct permissions *permissions)
{
	shape_patterns(json, "actions", permissions->actions);
	shape_patterns(json, "notActions", permissions->not_actions);
	shape_patterns(json, "dataActions", permissions->data_actions);
	shape_patterns(json, "notDataActions", permissions->not_data_actions);
}

/* "*", or "Space/type/..." of letters, digits, '.', '-', '_' and '*'. */
static bool
is_pattern(view text)
{
	bool slash = false;

	if (view_eq(text, V("*")))
		return true;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool letter = ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';

		slash = slash || c == '/';
		if (!letter && !(c >= '0' && c <= '9') && c != '/' && c != '.' && c != '-' &&
		    c != '_' && c != '*')
			return false;
	}
	return slash && text.ptr[0] != '/' && text.ptr[text.len - 1] != '/';
}

static bool
read_patterns(const struct body_texts *texts, struct arena *arena, const char *const **out,
    struct error *err)
{
	const char **list = arena_alloc(arena, (texts->count + 1) * sizeof(*list));

	if (list == NULL)
		return error_memory(err);
	for (size_t i = 0; i < texts->count; i++) {
		if (!is_pattern(texts->texts[i]))
			return error_set(err, ERR_ROLE_DEFINITION_INVALID,
			    "'%.*s' does not match any of the actions supported by the providers.",
			    VIEW_ARG(texts->texts[i]));
		/* The body's texts end with a NUL. */
		list[i] = texts->texts[i].ptr;
	}
	*out = list;
	return true;
}

bool
permissions_read(struct request *r, const struct body_list *list,
    const struct permissions_words *words, struct permissions *out, struct error *err)
{
	const struct permission_body *sent = list->items;

	if (list->count != 1)
		return error_set(err, words->code, "A %s has exactly one set of permissions.",
		    words->noun);
	if (!read_patterns(&sent->actions, r->arena, &out->actions, err) ||
	    !read_patterns(&sent->not_actions, r->arena, &out->not_actions, err) ||
	    !read_patterns(&sent->data_actions, r->arena, &out->data_actions, err) ||
	    !read_patterns(&sent->not_data_actions, r->arena, &out->not_data_actions, err))
		return false;
	if (*out->actions == NULL && *out->data_actions == NULL)
		return error_set(err, words->code, "A %s has to %s at least one action.",
		    words->noun, words->verb);
	return true;
}

bool
access_refuse(struct request *r, view action, view scope, const struct access_decision *decision,
    struct error *err)
{
	const char *client = r->caller.person ? r->caller.upn : r->caller.application.text;
	struct deny deny;

	if (decision->reason == ACCESS_DENIED &&
	    deny_find(r->services->access, &decision->deny, r->arena, &deny))
		return error_set(err, ERR_DENIED_BY_ASSIGNMENT,
		    "The client '%s' with object id '%s' has permission to perform action '%.*s' "
		    "on scope '%.*s'; however, the access is denied because of the deny assignment "
		    "with name '%s' and Id '%s' at scope '%s'.",
		    client, r->caller.object.text, VIEW_ARG(action), VIEW_ARG(scope), deny.title,
		    deny.name.text, deny.scope);
	return error_set(err, ERR_AUTHORIZATION_FAILED,
	    "The client '%s' with object id '%s' does not have authorization to perform action "
	    "'%.*s' over scope '%.*s' or the scope is invalid. If access was recently granted, "
	    "please refresh your credentials.",
	    client, r->caller.object.text, VIEW_ARG(action), VIEW_ARG(scope));
}

bool
access_require(struct request *r, const char *action, view scope,
    const struct access_attribute *attributes, size_t count, struct error *err)
{
	const struct access_question question = {
		.tenant = r->caller.tenant,
		.principal = r->caller.object,
		.action = view_of(action),
		.scope = scope,
		.attributes = attributes,
		.attribute_count = count,
	};
	struct access_decision decision;

	return access_decide(r->services->access, &question, &decision) ||
	    access_refuse(r, question.action, scope, &decision, err);
}

/* The longest there is names an object in a vault. */
bool
scope_check(view scope, struct error *err)
{
	struct scope_path path;

	scope_fold(scope, &path);
	return path.whole ||
	    error_set(err, ERR_BAD_REQUEST, "The scope '%.*s...' is too long or too deep.", 100,
		scope.ptr);
}
