#include "cli/agent_account.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_MAX 16384 /* bytes of an account's entry */
#define GROUPS_MAX 65536

/* All groups, the account's own among them; getgrouplist says how many there are. */
static bool
find_groups(const struct passwd *entry, struct arena *arena, struct account *out, struct error *err)
{
	int count = 0;
	gid_t *groups;

	(void)getgrouplist(entry->pw_name, entry->pw_gid, NULL, &count);
	if (count < 0 || count > GROUPS_MAX)
		return error_set(err, ERR_INTERNAL, "the user is in too many groups");
	groups = arena_alloc(arena, ((size_t)count + 1) * sizeof(*groups));
	if (groups == NULL)
		return error_memory(err);
	if (getgrouplist(entry->pw_name, entry->pw_gid, groups, &count) < 0)
		return error_set(err, ERR_UNAVAILABLE, "the user's groups changed just now");
	out->groups = groups;
	out->group_count = (size_t)count;
	return true;
}

bool
account_find(uid_t uid, struct arena *arena, struct account *out, struct error *err)
{
	struct account account = { .uid = uid };
	char *room = arena_alloc(arena, ENTRY_MAX);
	struct passwd entry, *found = NULL;
	int failure;

	if (room == NULL)
		return error_memory(err);
	failure = getpwuid_r(uid, &entry, room, ENTRY_MAX, &found);
	if (found != NULL) {
		account.name = view_of(entry.pw_name);
		if (!find_groups(&entry, arena, &account, err))
			return false;
	} else if (failure != 0) {
		return error_set(err, ERR_UNAVAILABLE, "the system's accounts can't be read");
	}
	*out = account;
	return true;
}

static bool
names_user(const struct agent_names *users, const struct account *account)
{
	for (size_t i = 0; i < users->count; i++) {
		const struct agent_name *name = &users->items[i];

		if (name->number ? name->id == account->uid
				 : account->name.len > 0 && view_eq(name->text, account->name))
			return true;
	}
	return false;
}

static bool
names_group(const struct agent_names *groups, const struct account *account)
{
	for (size_t i = 0; i < groups->count; i++) {
		for (size_t j = 0; j < account->group_count; j++) {
			if (groups->items[i].id == account->groups[j])
				return true;
		}
	}
	return false;
}

static bool
allows(const struct agent_identity *identity, const struct account *account)
{
	return names_user(&identity->users, account) || names_group(&identity->groups, account);
}

static bool
is_called(const struct agent_identity *identity, enum identity_key key, view value)
{
	switch (key) {
	case IDENTITY_CLIENT_ID: return view_ieq(identity->client_id, value);
	case IDENTITY_OBJECT_ID: return view_ieq(identity->object_id, value);
	case IDENTITY_RESOURCE_ID: return view_ieq(identity->resource_id, value);
	case IDENTITY_DEFAULT: break;
	}
	return true;
}

static bool
forbidden(const struct account *account, const char *what, struct error *err)
{
	if (account->name.len == 0)
		return error_set(err, ERR_FORBIDDEN, "User %u may not have %s.",
		    (unsigned)account->uid, what);
	return error_set(err, ERR_FORBIDDEN, "User %.*s (%u) may not have %s.",
	    VIEW_ARG(account->name), (unsigned)account->uid, what);
}

bool
identity_choose(const struct agent_settings *settings, const struct account *account,
    enum identity_key key, view value, const struct agent_identity **out, struct error *err)
{
	bool exists = false;

	if (key != IDENTITY_DEFAULT && value.len == 0)
		return error_set(err, ERR_NOT_FOUND, "Identity not found");
	for (size_t i = 0; i < settings->identity_count; i++) {
		const struct agent_identity *identity = &settings->identities[i];

		if (!is_called(identity, key, value))
			continue;
		exists = true;
		if (allows(identity, account)) {
			*out = identity;
			return true;
		}
	}
	if (key == IDENTITY_DEFAULT)
		return forbidden(account, "any identity of this host", err);
	return exists ? forbidden(account, "that identity", err)
		      : error_set(err, ERR_NOT_FOUND, "Identity not found");
}
