#include "signin/signin.h"

#include "base/clock.h"
#include "crypto/password.h"
#include "identity/gate.h"
#include "identity/lockout.h"

#include <stdlib.h>
#include <string.h>

#define PASSWORD_MAX 1024 /* bytes */

bool
signin_open(struct signin **out, struct error *err)
{
	struct signin *signin = calloc(1, sizeof(*signin));

	if (signin == NULL)
		return error_memory(err);
	signin->pages = pending_new(SIGNIN_PAGE_SECONDS);
	signin->codes = pending_new(SIGNIN_CODE_SECONDS);
	signin->devices = pending_new(SIGNIN_DEVICE_SECONDS);
	if (signin->pages == NULL || signin->codes == NULL || signin->devices == NULL) {
		signin_close(signin);
		return error_memory(err);
	}
	*out = signin;
	return true;
}

void
signin_close(struct signin *signin)
{
	if (signin == NULL)
		return;
	pending_free(signin->pages);
	pending_free(signin->codes);
	pending_free(signin->devices);
	free(signin);
}

void
signin_who(const struct user *user, struct caller *who)
{
	size_t len = user->upn.len < UPN_MAX ? user->upn.len : UPN_MAX;

	who->person = true;
	who->tenant = user->tenant;
	who->object = user->object;
	memcpy(who->upn, user->upn.ptr, len);
	who->upn[len] = '\0';
}

bool
signin_account(const struct user *user, struct error *err)
{
	return user->enabled ||
	    error_set(err, ERR_STS_BAD_GRANT, "AADSTS50057: The user account is disabled.");
}

/* The person of that name, if there is one; nothing is told of who there is. */
static bool
look_up(const struct signin_try *try, struct plain **document, struct user *out, bool *found,
    struct error *err)
{
	struct error why;

	*found = false;
	if (try->name.len == 0 || try->name.len > UPN_MAX)
		return true;
	if (user_by_upn(try->tx, try->tenant, try->name, STORE_READ, document, out, &why)) {
		*found = true;
		return true;
	}
	if (why.code == ERR_GRAPH_NOT_FOUND || why.code == ERR_GRAPH_BAD_REQUEST)
		return true;
	*err = why;
	return false;
}

/* The same work whoever it is. */
static bool
check(const struct signin_try *try, const struct user *user, bool found, bool *fits,
    struct error *err)
{
	view password = try->password.len <= PASSWORD_MAX ? try->password : V("");

	if (found && user->password_hash.len > 0 && password.len > 0)
		return password_matches(password, user->password_hash, fits, err);
	return password_waste(password, err);
}

static bool
wrong(const struct signin_try *try, int64_t seconds, struct error *err)
{
	lockout_failed(try->lockout, try->name, try->address, seconds);
	return error_set(err, ERR_STS_BAD_PASSWORD,
	    "AADSTS50126: Error validating credentials due to invalid username or password.");
}

static bool
password_fits(const struct signin_try *try, struct caller *who, struct plain **document,
    struct user *out, bool *fits, struct error *err)
{
	bool found, fine;

	*fits = false;
	if (!gate_enter(try->gate))
		return error_set(err, ERR_STS_BUSY,
		    "AADSTS90033: A transient error has occurred. Please try again.");
	if (!look_up(try, document, out, &found, err)) {
		gate_leave(try->gate);
		return false;
	}
	if (found)
		signin_who(out, who);
	fine = check(try, out, found, fits, err);
	gate_leave(try->gate);
	return fine;
}

bool
signin_password(const struct signin_try *try, struct caller *who, struct plain **document,
    struct user *out, struct error *err)
{
	int64_t seconds = clock_mono() / 1000000000;
	bool fits;

	if (!lockout_allows(try->lockout, try->name, try->address, seconds))
		return error_set(err, ERR_STS_LOCKED,
		    "AADSTS50053: The account is locked, you've tried to sign in too many times "
		    "with an incorrect user ID or password.");
	if (!password_fits(try, who, document, out, &fits, err))
		return false;
	if (!fits)
		return wrong(try, seconds, err);
	lockout_passed(try->lockout, try->name, try->address, seconds);
	if (!signin_account(out, err))
		return false;
	return !out->must_change ||
	    error_set(err, ERR_STS_BAD_GRANT,
		"AADSTS50055: The password is expired. An administrator has to set a new one.");
}
