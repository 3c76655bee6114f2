#include "identity/user_password.h"

#include "base/clock.h"
#include "base/json.h"
#include "crypto/password.h"

#define NAME_MIN 3 /* shorter ones are in every word */
#define CLASSES_MIN 3

static bool
refused(struct error *err)
{
	return error_set(err, ERR_GRAPH_BAD_REQUEST,
	    "The specified password does not comply with password complexity requirements. Please "
	    "provide a different password.");
}

static size_t
classes(view password)
{
	bool lower = false, upper = false, digit = false, other = false;

	for (size_t i = 0; i < password.len; i++) {
		char c = password.ptr[i];

		if (c >= 'a' && c <= 'z')
			lower = true;
		else if (c >= 'A' && c <= 'Z')
			upper = true;
		else if (c >= '0' && c <= '9')
			digit = true;
		else
			other = true;
	}
	return (size_t)lower + upper + digit + other;
}

static bool
contains(view text, view part)
{
	for (; text.len >= part.len; text = view_from(text, 1)) {
		if (view_istarts(text, part))
			return true;
	}
	return false;
}

bool
user_password_allowed(const struct user *user, view password, struct error *err)
{
	view rest = user->upn, name = view_cut(&rest, '@');
	size_t length;

	if (password.len > (size_t)PASSWORD_MAX * 4 || !utf8_valid(password))
		return refused(err);
	length = utf8_length(password);
	if (length < PASSWORD_MIN || length > PASSWORD_MAX || classes(password) < CLASSES_MIN)
		return refused(err);
	return name.len < NAME_MIN || !contains(password, name) || refused(err);
}

bool
user_set_password(struct user *user, view password, bool must_change, struct arena *arena,
    struct error *err)
{
	AUTO(buf_free) struct buf hash = { 0 };

	if (!user_password_allowed(user, password, err) || !password_hash(password, &hash, err))
		return false;
	if (!arena_copy(arena, buf_view(&hash), &user->password_hash))
		return error_memory(err);
	user->must_change = must_change;
	user_end_sessions(user);
	return true;
}
