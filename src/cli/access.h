/*
 * Who may do what, and why, as a running server decides it: its reports, told in lines.
 */
#ifndef CLI_ACCESS_H
#define CLI_ACCESS_H

#include "cli/remote.h"

/*
 * ${where} is a resource's id, or a vault's name in ${subscription}.  What there is to say is
 * appended to ${out}.
 */
struct access_place {
	const struct remote *remote;
	const char *subscription;
	view where;
};

/*
 * access_explain(place, principal, action, out, err):
 * May ${principal} (an object id, a sign-in name, an application's id) do ${action} there, and by
 * what?  An action without a provider ("secrets/delete") is one of Microsoft.KeyVault/vaults.
 */
MUST_USE bool access_explain(const struct access_place *place, view principal, view action,
    struct buf *out, struct error *err);

/* access_who(place, out, err): Everybody with a role that counts there, and from where it comes. */
MUST_USE bool access_who(const struct access_place *place, struct buf *out, struct error *err);

/*
 * access_coverage(place, out, err):
 * What a vault's access policies allow beside what its role assignments do: who would lose what by
 * the switch to roles, and the narrowest roles that keep it.
 */
MUST_USE bool access_coverage(const struct access_place *place, struct buf *out, struct error *err);

#endif
