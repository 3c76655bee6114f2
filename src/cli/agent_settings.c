#include "cli/agent_settings.h"

#include "base/file.h"
#include "base/uuid.h"

#include <grp.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define FILE_MAX ((size_t)256 * 1024)
#define LINE_MAX_ 197  /* with its end and a NUL, inih's buffer is 200 */
#define SECTION_MAX 48 /* inih cuts off what is longer, without a word */
#define ARENA_MAX ((size_t)1024 * 1024)
#define GROUP_MAX 65536 /* bytes of a group's entry */

enum kind { KIND_TEXT, KIND_LONG, KIND_NAMES };

/* Where a setting goes, and what it is checked for. */
struct setting {
	const char *name;
	enum kind kind;
	size_t offset;
	bool (*check)(struct agent_settings *settings, view text);
	const char *wanted; /* what ${check} wants; a text without check may be anything */
	const char *fallback;
};

static bool
is_uuid(struct agent_settings *settings, view text)
{
	struct uuid uuid;

	(void)settings;
	return uuid_parse(text, &uuid);
}

static bool
is_id(struct agent_settings *settings, view text)
{
	return text.len == 0 || is_uuid(settings, text);
}

static bool
is_login(struct agent_settings *settings, view text)
{
	view host = view_from(text, sizeof("https://") - 1);
	size_t at;

	(void)settings;
	return view_starts(text, V("https://")) && host.len > 0 && !view_find(host, '/', &at) &&
	    !view_find(host, '@', &at) && !view_find(host, '?', &at);
}

static bool
is_resource(struct agent_settings *settings, view text)
{
	(void)settings;
	return text.len == 0 || text.ptr[0] == '/';
}

static bool
is_file(struct agent_settings *settings, view text)
{
	(void)settings;
	return text.len > 0;
}

static bool
is_socket(struct agent_settings *settings, view text)
{
	struct sockaddr_un name;

	(void)settings;
	return text.len > 1 && text.ptr[0] == '/' && text.len < sizeof(name.sun_path);
}

static bool
on_loopback(const struct address *address)
{
	struct address_block loopback4, loopback6;

	return (address_block_parse(V("127.0.0.0/8"), &loopback4) &&
		   address_block_holds(&loopback4, address)) ||
	    (address_block_parse(V("::1"), &loopback6) && address_block_holds(&loopback6, address));
}

static bool
is_listen(struct agent_settings *settings, view text)
{
	struct address address;
	view host, port;
	uint64_t number;
	size_t at = 0;

	if (view_starts(text, V("["))) {
		if (!view_find(text, ']', &at))
			return false;
		host = (view){ text.ptr + 1, at - 1 };
		port = view_from(text, at + 1);
		if (!view_starts(port, V(":")))
			return false;
		port = view_from(port, 1);
	} else {
		port = text;
		host = view_cut(&port, ':');
	}
	if (!address_parse(host, &address) || !on_loopback(&address) || !view_u64(port, &number) ||
	    number > 65535)
		return false;
	(void)address_print(&address, settings->address);
	settings->port = (unsigned)number;
	return true;
}

#define IN_FILE(member) offsetof(struct agent_settings, member)
#define IN_IDENTITY(member) offsetof(struct agent_identity, member)

/* clang-format off */
static const struct setting globals[] = {
	{ "login", KIND_TEXT, IN_FILE(login), is_login, "\"https://login.DOMAIN\", no path", "" },
	{ "tenant", KIND_TEXT, IN_FILE(tenant), is_uuid, "the tenant's id", "" },
	{ "machine", KIND_TEXT, IN_FILE(machine), is_uuid, "the machine's client id", "" },
	{ "key", KIND_TEXT, IN_FILE(key), is_file, "a file", "/etc/strongroom-agent/key.pem" },
	{ "ca", KIND_TEXT, IN_FILE(ca), NULL, NULL, "" },
	{ "listen", KIND_TEXT, IN_FILE(listen), is_listen, "a loopback address and a port", "127.0.0.1:40380" },
	{ "socket", KIND_TEXT, IN_FILE(socket), is_socket, "an absolute path", "/run/strongroom-agent/socket" },
};

static const struct setting locals[] = {
	{ "client-id", KIND_TEXT, IN_IDENTITY(client_id), is_id, "a client id", "" },
	{ "object-id", KIND_TEXT, IN_IDENTITY(object_id), is_id, "an object id", "" },
	{ "resource-id", KIND_LONG, IN_IDENTITY(resource_id), is_resource, "a resource id", "" },
	{ "users", KIND_NAMES, IN_IDENTITY(users), NULL, NULL, "" },
	{ "groups", KIND_NAMES, IN_IDENTITY(groups), NULL, NULL, "" },
};
/* clang-format on */

struct reading {
	struct agent_settings *settings;
	struct error *err;
	bool failed;
};

static bool
add_names(struct agent_settings *settings, struct agent_names *names, view items,
    const char *setting, struct error *err)
{
	while (items.len > 0) {
		struct agent_name *name = &names->items[names->count];
		view item = view_trim(view_cut(&items, ','));
		uint64_t id;

		if (item.len == 0)
			continue;
		if (names->count == AGENT_NAMES_MAX)
			return error_set(err, ERR_BAD_REQUEST, "%s: more than %d", setting,
			    AGENT_NAMES_MAX);
		name->number = view_u64(item, &id);
		/* -1 and the number of those who have none are nobody in particular. */
		if (name->number && (id >= UINT32_MAX || id == 65534))
			return error_set(err, ERR_BAD_REQUEST, "%s: %.*s is nobody", setting,
			    VIEW_ARG(item));
		name->id = name->number ? (unsigned)id : 0;
		if (!arena_copy(&settings->arena, item, &name->text))
			return error_memory(err);
		names->count++;
	}
	return true;
}

/* A long text may go on in the next, indented line. */
static bool
add_text(struct agent_settings *settings, const struct setting *setting, view *out, view value,
    struct error *err)
{
	view parts[] = { *out, value };
	bool goes_on = setting->kind == KIND_LONG && out->len > 0;

	if (goes_on ? !arena_join(&settings->arena, parts, COUNT_OF(parts), out)
		    : !arena_copy(&settings->arena, value, out))
		return error_memory(err);
	return true;
}

static bool
set(struct agent_settings *settings, void *holder, const struct setting *setting, view value,
    struct error *err)
{
	void *at = (char *)holder + setting->offset;

	return setting->kind == KIND_NAMES ? add_names(settings, at, value, setting->name, err)
					   : add_text(settings, setting, at, value, err);
}

static const struct setting *
find(const struct setting *table, size_t count, view name)
{
	for (size_t i = 0; i < count; i++) {
		if (view_eq(name, view_of(table[i].name)))
			return &table[i];
	}
	return NULL;
}

/* The section's identity; a new one when the file comes to a new section. */
static struct agent_identity *
identity_of(struct agent_settings *settings, view name, struct error *err)
{
	struct agent_identity *identity = settings->identities + settings->identity_count;

	for (size_t i = 0; i < settings->identity_count; i++) {
		if (view_eq(settings->identities[i].name, name))
			return &settings->identities[i];
	}
	if (settings->identity_count == AGENT_IDENTITIES_MAX) {
		(void)error_set(err, ERR_BAD_REQUEST, "more than %d identities",
		    AGENT_IDENTITIES_MAX);
		return NULL;
	}
	if (!arena_copy(&settings->arena, name, &identity->name)) {
		(void)error_memory(err);
		return NULL;
	}
	settings->identity_count++;
	return identity;
}

static struct agent_identity *
section_holder(struct agent_settings *settings, view section, struct error *err)
{
	static const view word = V_INIT("identity ");
	view name = view_starts(section, word) ? view_trim(view_from(section, word.len)) : V("");

	if (name.len > 0 && section.len <= SECTION_MAX)
		return identity_of(settings, name, err);
	(void)error_set(err, ERR_BAD_REQUEST, "no such section%s: [%.*s]",
	    section.len > SECTION_MAX ? ", or its name is too long" : "", VIEW_ARG(section));
	return NULL;
}

static bool
take_entry(struct agent_settings *settings, view section, view name, view value, struct error *err)
{
	const struct setting *setting = find(globals, COUNT_OF(globals), name);
	void *holder = settings;

	if (section.len > 0) {
		setting = find(locals, COUNT_OF(locals), name);
		holder = section_holder(settings, section, err);
	}
	if (holder == NULL)
		return false;
	if (setting == NULL)
		return error_set(err, ERR_BAD_REQUEST, "no such setting: %.*s%s", VIEW_ARG(name),
		    section.len > 0 ? " (in a section)" : "");
	return set(settings, holder, setting, value, err);
}

/* inih's convention: 0 is failure. */
static int
on_entry(void *ctx, const char *section, const char *name, const char *value)
{
	struct reading *reading = ctx;

	/* inih goes on behind a mistake; the first one is the one to tell about. */
	if (!reading->failed)
		reading->failed = !take_entry(reading->settings, view_of(section), view_of(name),
		    view_of(value), reading->err);
	return !reading->failed;
}

/* inih takes what is longer for two lines, and what stands behind a NUL for nothing. */
static bool
check_lines(view text, struct error *err)
{
	size_t at;

	if (view_find(text, '\0', &at))
		return error_set(err, ERR_BAD_REQUEST, "the settings are not text");
	for (int line = 1; text.len > 0; line++) {
		if (view_cut(&text, '\n').len > LINE_MAX_)
			return error_set(err, ERR_BAD_REQUEST, "line %d: longer than %d characters",
			    line, LINE_MAX_);
	}
	return true;
}

static bool
check_table(struct agent_settings *settings, void *holder, const struct setting *table,
    size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		view *text = (void *)((char *)holder + table[i].offset);

		if (table[i].kind == KIND_NAMES)
			continue;
		if (text->len == 0)
			*text = view_of(table[i].fallback);
		if (table[i].check != NULL && !table[i].check(settings, *text))
			return error_set(err, ERR_BAD_REQUEST, "%s: must be %s", table[i].name,
			    table[i].wanted);
	}
	return true;
}

/* Once, at start: a group's number seldom changes. */
static bool
find_groups(struct agent_names *groups, struct error *err)
{
	for (size_t i = 0; i < groups->count; i++) {
		struct agent_name *name = &groups->items[i];
		AUTO(buf_free) struct buf room = { 0 };
		struct group entry, *found = NULL;

		if (name->number)
			continue;
		if (buf_room(&room, GROUP_MAX) == NULL)
			return error_memory(err);
		if (getgrnam_r(name->text.ptr, &entry, room.ptr, GROUP_MAX, &found) != 0 ||
		    found == NULL)
			return error_set(err, ERR_BAD_REQUEST, "groups: there is no group %.*s",
			    VIEW_ARG(name->text));
		name->id = entry.gr_gid;
	}
	return true;
}

static bool
check_identity(struct agent_settings *settings, struct agent_identity *identity, struct error *err)
{
	struct error why;

	if (!check_table(settings, identity, locals, COUNT_OF(locals), &why) ||
	    !find_groups(&identity->groups, &why))
		return error_set(err, ERR_BAD_REQUEST, "[identity %.*s] %s",
		    VIEW_ARG(identity->name), why.message);
	if (identity->client_id.len == 0)
		identity->client_id = settings->machine;
	return identity->users.count + identity->groups.count > 0 ||
	    error_set(err, ERR_BAD_REQUEST,
		"[identity %.*s] nobody may have it: no users, no groups",
		VIEW_ARG(identity->name));
}

static bool
check_whole(struct agent_settings *settings, struct error *err)
{
	if (!check_table(settings, settings, globals, COUNT_OF(globals), err))
		return false;
	if (settings->identity_count == 0)
		return error_set(err, ERR_BAD_REQUEST, "there is no [identity NAME]");
	for (size_t i = 0; i < settings->identity_count; i++) {
		if (!check_identity(settings, &settings->identities[i], err))
			return false;
	}
	return true;
}

bool
agent_settings_read(view text, struct agent_settings *out, struct error *err)
{
	struct reading reading = { .settings = out, .err = err };
	AUTO(buf_free) struct buf copy = { 0 };
	int line;

	*out = (struct agent_settings){ 0 };
	arena_init(&out->arena, ARENA_MAX);
	if (!check_lines(text, err))
		return false;
	buf_add(&copy, text);
	buf_add_char(&copy, '\0');
	if (!buf_ok(&copy))
		return error_memory(err);
	line = ini_parse_string(copy.ptr, on_entry, &reading);
	if (reading.failed)
		return false;
	if (line < 0)
		return error_memory(err);
	if (line > 0)
		return error_set(err, ERR_BAD_REQUEST, "line %d: not a setting", line);
	return check_whole(out, err);
}

bool
agent_settings_load(const char *path, struct agent_settings *out, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct error why;

	*out = (struct agent_settings){ 0 };
	if (!file_read(path, FILE_MAX, &text, &why))
		return error_set(err, ERR_BAD_REQUEST, "the settings file %s can't be read: %s",
		    path, why.message);
	if (agent_settings_read(buf_view(&text), out, &why))
		return true;
	return error_set(err, ERR_BAD_REQUEST, "%s: %s", path, why.message);
}

void
agent_settings_free(struct agent_settings *settings)
{
	arena_free(&settings->arena);
	*settings = (struct agent_settings){ 0 };
}
