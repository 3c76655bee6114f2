#include "graph/member.h"

#include "graph/text.h"

static const void *
at(const struct graph_member *member, const void *object)
{
	return (const char *)object + member->offset;
}

static void
write_text(view text, const char *name, struct json *json)
{
	if (text.len > 0)
		json_text(json, name, text);
	else
		json_null_value(json, name);
}

static void
write_member(const struct graph_member *member, const void *object, struct json *json)
{
	const void *place = at(member, object);
	char time[GRAPH_TIME_LEN + 1];

	switch (member->kind) {
	case MEMBER_TEXT: write_text(*(const view *)place, member->name, json); break;
	case MEMBER_UUID: json_text(json, member->name, uuid_view(place)); break;
	case MEMBER_TIME:
		json_text(json, member->name, graph_time_print(*(const int64_t *)place, time));
		break;
	case MEMBER_FLAG: json_flag(json, member->name, *(const bool *)place); break;
	case MEMBER_FIXED: json_text(json, member->name, view_of(member->fixed)); break;
	case MEMBER_NULL: json_null_value(json, member->name); break;
	case MEMBER_EMPTY:
		json_open_in(json, member->name, '[');
		json_close(json, ']');
		break;
	case MEMBER_OTHER: member->write(object, member->name, json); break;
	}
}

bool
graph_select_parse(view text, struct graph_select *out)
{
	out->count = 0;
	while (text.len > 0) {
		view name = view_trim(view_cut(&text, ','));

		if (out->count == GRAPH_SELECT_MAX)
			return false;
		if (name.len > 0)
			out->names[out->count++] = name;
	}
	return true;
}

static bool
chosen(const struct graph_member *member, const struct graph_select *select)
{
	if (select == NULL || select->count == 0)
		return !member->asked;
	for (size_t i = 0; i < select->count; i++) {
		if (view_ieq(select->names[i], view_of(member->name)))
			return true;
	}
	return false;
}

void
graph_members_write(const struct graph_member *members, const struct graph_select *select,
    const void *object, struct json *json)
{
	for (; members->name != NULL; members++) {
		if (chosen(members, select))
			write_member(members, object, json);
	}
}

const struct graph_member *
graph_member_find(const struct graph_member *members, view name)
{
	for (; members->name != NULL; members++) {
		if (view_ieq(name, view_of(members->name)))
			return members;
	}
	return NULL;
}

bool
graph_member_value(const struct graph_member *member, const void *object, size_t i, view *out)
{
	const void *place = at(member, object);

	if (member->value != NULL)
		return member->value(object, i, out);
	switch (member->kind) {
	case MEMBER_TEXT: *out = *(const view *)place; break;
	case MEMBER_UUID: *out = uuid_view(place); break;
	case MEMBER_FLAG: *out = *(const bool *)place ? V("true") : V("false"); break;
	case MEMBER_FIXED: *out = view_of(member->fixed); break;
	default: return false;
	}
	return i == 0;
}
