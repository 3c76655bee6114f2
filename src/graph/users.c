/*
 * Users: made, changed, deleted; their passwords.
 */
#include "base/clock.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "identity/administrators.h"
#include "identity/directory.h"
#include "graph/row.h"
#include "identity/principal.h"
#include "identity/user_password.h"

#include <stddef.h>

#define NAME_MAX_BYTES 1024 /* 256 characters */
#define SHORT_MAX_BYTES 256 /* 64 characters */
#define LOCAL_MAX 64
#define PASSWORD_BYTES ((size_t)PASSWORD_MAX * 4)
#define OF(member) offsetof(struct graph_user_body, member)

/* Relative to the struct: the object lies at its beginning. */
static const struct field password_fields[] = {
	{ "password", FIELD_TEXT, OF(password), .max = PASSWORD_BYTES },
	{ .name = "forceChangePasswordNextSignIn", .kind = FIELD_FLAG, .offset = OF(must_change) },
	{ .name = NULL },
};

const struct field graph_user_fields[] = {
	{ "userPrincipalName", FIELD_TEXT, OF(upn), .max = UPN_MAX },
	{ "displayName", FIELD_TEXT, OF(name), .max = NAME_MAX_BYTES },
	{ "mail", FIELD_TEXT, OF(mail), .max = SHORT_MAX_BYTES },
	{ "givenName", FIELD_TEXT, OF(given), .max = SHORT_MAX_BYTES },
	{ "surname", FIELD_TEXT, OF(family), .max = SHORT_MAX_BYTES },
	{ .name = "accountEnabled", .kind = FIELD_FLAG, .offset = OF(enabled) },
	{ "passwordProfile", FIELD_OBJECT, 0, .fields = password_fields },
	{ .name = NULL },
};

const struct field graph_change_password_fields[] = {
	{ "currentPassword", FIELD_TEXT, offsetof(struct graph_change_password_body, current),
	    .max = PASSWORD_BYTES, .required = true },
	{ "newPassword", FIELD_TEXT, offsetof(struct graph_change_password_body, next),
	    .max = PASSWORD_BYTES, .required = true },
	{ .name = NULL },
};

static bool
invalid(struct error *err, const char *property)
{
	return error_set(err, ERR_GRAPH_BAD_REQUEST,
	    "Invalid value specified for property '%s' of "
	    "resource 'User'.",
	    property);
}

static bool
all_of(view text, const char *others)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = ascii_lower(text.ptr[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    !view_find(view_of(others), c, &(size_t){ 0 }))
			return false;
	}
	return text.len > 0;
}

/* Any domain that could be one, or the installation's own. */
static bool
domain_allowed(const struct request *r, view domain)
{
	view rest = r->domain, own = view_cut(&rest, ':');
	size_t dot;

	if (!all_of(domain, ".-") || domain.ptr[0] == '.' || domain.ptr[domain.len - 1] == '.')
		return false;
	return view_ieq(domain, own) || view_find(domain, '.', &dot);
}

/* It is part of keys and of tokens: an alphabet of its own. */
static bool
upn_allowed(const struct request *r, view upn, struct error *err)
{
	view domain = upn, local = view_cut(&domain, '@');

	if (upn.len > UPN_MAX || local.len > LOCAL_MAX || !all_of(local, "'.-_!#^~") ||
	    local.ptr[0] == '.' || local.ptr[local.len - 1] == '.' || domain.len == 0)
		return invalid(err, "userPrincipalName");
	return domain_allowed(r, domain) ||
	    error_set(err, ERR_GRAPH_BAD_REQUEST,
		"The domain portion of the userPrincipalName property is invalid. You must use one "
		"of the verified domain names in your organization.");
}

static bool
apply_texts(const struct graph_user_body *body, struct user *user, struct error *err)
{
	const struct {
		const char *property;
		const struct body_text *from;
		view *to;
	} texts[] = {
		{ "displayName", &body->name, &user->name },
		{ "mail", &body->mail, &user->mail },
		{ "givenName", &body->given, &user->given },
		{ "surname", &body->family, &user->family },
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (!texts[i].from->given)
			continue;
		if (!utf8_valid(texts[i].from->text))
			return invalid(err, texts[i].property);
		*texts[i].to = texts[i].from->text;
	}
	return user->name.len > 0 || invalid(err, "displayName");
}

static bool
apply_password(struct request *r, const struct graph_user_body *body, struct user *user,
    struct error *err)
{
	bool must_change = body->must_change.given ? body->must_change.value : body->password.given;

	if (!body->password.given) {
		user->must_change = body->must_change.given ? must_change : user->must_change;
		return true;
	}
	return user_set_password(user, body->password.text, must_change, r->arena, err);
}

static bool
apply(struct request *r, const struct graph_user_body *body, struct user *user, struct error *err)
{
	if (body->upn.given) {
		if (!upn_allowed(r, body->upn.text, err))
			return false;
		user->upn = body->upn.text;
	}
	if (body->enabled.given) {
		/* Who is let in again starts anew. */
		if (!body->enabled.value)
			user_end_sessions(user);
		user->enabled = body->enabled.value;
	}
	return apply_texts(body, user, err) && apply_password(r, body, user, err);
}

static bool
check_given(const struct graph_user_body *body, struct error *err)
{
	const struct {
		bool given;
		const char *property;
	} needed[] = {
		{ body->enabled.given, "accountEnabled" },
		{ body->name.given, "displayName" },
		{ body->upn.given, "userPrincipalName" },
		{ body->password.given, "passwordProfile" },
	};

	for (size_t i = 0; i < COUNT_OF(needed); i++) {
		if (!needed[i].given)
			return error_set(err, ERR_GRAPH_BAD_REQUEST,
			    "A value is required for property '%s' of resource 'User'.",
			    needed[i].property);
	}
	return true;
}

bool
graph_user_create(struct request *r, struct error *err)
{
	const struct graph_user_body *body = r->body;
	struct graph_object object = { .kind = &graph_user };
	struct user *user = &object.as.user;

	if (!check_given(body, err))
		return false;
	*user = (struct user){ .tenant = r->caller.tenant, .created = clock_wall() };
	random_uuid(&user->object);
	return apply(r, body, user, err) && user_add(&r->tx, user, err) &&
	    graph_reply(r, 201, &object, err);
}

bool
graph_user_patch(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct user *user = &object.as.user, before;

	if (!graph_target_load(r, STORE_CHANGE, &object, err))
		return false;
	before = *user;
	if (!apply(r, r->body, user, err))
		return false;
	if (before.enabled && !user->enabled &&
	    !administrators_leave(&r->tx, &user->tenant, &user->object, true, err))
		return false;
	return user_put(&r->tx, &before, user, err) && graph_done(r);
}

bool
graph_user_delete(struct request *r, struct error *err)
{
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct user *user = &object.as.user;

	return graph_target_load(r, STORE_CHANGE, &object, err) &&
	    administrators_leave(&r->tx, &user->tenant, &user->object, false, err) &&
	    principal_leave(r->services->directory, &r->tx, &user->object, err) &&
	    user_delete(&r->tx, user, err) && graph_done(r);
}

/* Whoever took a token over guesses no faster than at the sign-in. */
static bool
check_current(struct request *r, const struct user *user, view password, struct error *err)
{
	struct lockout *lockout = r->services->directory->lockout;
	view who = uuid_view(&user->object);
	int64_t now = clock_mono() / 1000000000;
	bool fits;

	if (!lockout_allows(lockout, who, r->in->peer, now))
		return error_set(err, ERR_THROTTLED, "Too many wrong passwords: try again later.");
	if (!password_matches(password, user->password_hash, &fits, err))
		return false;
	if (fits) {
		lockout_passed(lockout, who, r->in->peer, now);
		return true;
	}
	lockout_failed(lockout, who, r->in->peer, now);
	return error_set(err, ERR_GRAPH_BAD_REQUEST,
	    "The specified password does not match the current password.");
}

bool
graph_change_password(struct request *r, struct error *err)
{
	const struct graph_change_password_body *body = r->body;
	AUTO(graph_object_done) struct graph_object object = { .kind = NULL };
	struct user *user = &object.as.user, before;
	struct gate *gate = r->services->directory->gate;
	bool fine;

	if (!graph_target_load(r, STORE_CHANGE, &object, err))
		return false;
	before = *user;
	if (!gate_enter(gate))
		return error_set(err, ERR_THROTTLED,
		    "Too many passwords are being checked: try again later.");
	fine = check_current(r, user, body->current.text, err) &&
	    user_set_password(user, body->next.text, false, r->arena, err);
	gate_leave(gate);
	return fine && user_put(&r->tx, &before, user, err) && graph_done(r);
}
