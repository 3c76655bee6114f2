/*
 * What the directory's lists may be asked by strangers: a filter, a choice of members, a page.  The
 * same text as a time, a certificate and a reference in a body.
 */
#include "base/fuzzing.h"
#include "graph/filter.h"
#include "graph/row.h"
#include "graph/text.h"

#define ARENA_MAX ((size_t)512 * 1024)

static const struct user user = { .upn = { "ada@example.org", 15 },
	.name = { "Ada", 3 },
	.mail = { "", 0 },
	.given = { "", 0 },
	.family = { "", 0 },
	.enabled = true };
static const struct security_group group = { .name = { "g", 1 },
	.nickname = { "g", 1 },
	.description = { "", 0 } };
static const struct registration registration = { .name = { "app", 3 }, .resource = { "", 0 } };

static void
try_filter(view text, const struct graph_kind *kind, const void *object, struct arena *arena)
{
	struct graph_filter filter;
	size_t keys[FILTER_TERMS_MAX], count;
	struct error err = { 0 };

	if (!graph_filter_parse(text, kind->members, arena, &filter, &err)) {
		check(err.code == ERR_GRAPH_BAD_REQUEST);
		return;
	}
	(void)graph_filter_match(&filter, object);
	count = graph_filter_keys(&filter, keys);
	check(count <= filter.filter.count);
	for (size_t i = 0; i < count; i++)
		check(keys[i] < filter.filter.count && filter.members[keys[i]]->key);
}

static void
try_members(view text, const struct graph_kind *kind, const void *object)
{
	AUTO(buf_free) struct buf out = { 0 };
	struct json json = json_to(&out);
	struct graph_select select;

	if (!graph_select_parse(text, &select))
		return;
	check(select.count <= GRAPH_SELECT_MAX);
	json_open(&json, '{');
	graph_members_write(kind->members, &select, object, &json);
	json_close(&json, '}');
	check(utf8_valid(buf_view(&out)));
}

static void
try_page(view text, struct arena *arena)
{
	struct http_request in = { .query = text };
	struct request r = { .in = &in, .arena = arena };
	struct graph_page page;
	struct error err = { 0 };

	if (graph_page_read(&r, &page, &err))
		check(page.left >= 1 && page.left <= GRAPH_TOP_MAX);
	else
		check(err.code == ERR_GRAPH_BAD_REQUEST);
}

static void
try_texts(view text, struct arena *arena)
{
	char printed[GRAPH_TIME_LEN + 1];
	struct uuid id;
	struct error err;
	int64_t time, again;
	view der;

	if (graph_time_parse(text, &time)) {
		/* Years before 0 and behind 9999 have no text of the usual length. */
		if (time >= -INT64_C(62167219200) && time < INT64_C(253402300800))
			check(graph_time_parse(graph_time_print(time, printed), &again) &&
			    again == time);
	}
	if (graph_certificate_parse(text, arena, &der))
		check(der.len > 0 && der.len <= text.len);
	if (graph_reference(text, "@odata.id", &id, &err))
		check(uuid_view(&id).len == UUID_LEN);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view text = { (const char *)data, len };

	arena_init(&arena, ARENA_MAX);
	try_filter(text, &graph_user, &user, &arena);
	try_filter(text, &graph_group, &group, &arena);
	try_filter(text, &graph_application, &registration, &arena);
	try_filter(text, &graph_service_principal, &registration, &arena);
	try_members(text, &graph_user, &user);
	try_members(text, &graph_application, &registration);
	try_page(text, &arena);
	try_texts(text, &arena);
	return 0;
}
