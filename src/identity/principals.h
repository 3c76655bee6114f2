/*
 * All principals and memberships in memory, 200 bytes each: what identity/principal.h answers from.
 * For the directory only.
 */
#ifndef IDENTITY_PRINCIPALS_H
#define IDENTITY_PRINCIPALS_H

#include "identity/principal.h"

struct principals;

/* principals_open(store, keyring, out, err): Load and watch; before the store's first commit. */
MUST_USE bool principals_open(struct store *store, struct keyring *keyring, struct principals **out,
    struct error *err);
void principals_close(struct principals *principals); /* after the last commit; NULL is fine */

bool principals_find(struct principals *principals, const struct uuid *object,
    struct principal *out);
void principals_memberships(struct principals *principals, const struct uuid *object,
    struct memberships *out);

/*
 * principals_groups(principals, object, out, max, count):
 * The groups it is directly in; false when there are more than ${max}.
 */
bool principals_groups(struct principals *principals, const struct uuid *object, struct uuid *out,
    size_t max, size_t *count);

/* principals_group_count: How many it is directly in, with those deleted since. */
size_t principals_group_count(struct principals *principals, const struct uuid *object);

#endif
