/*
 * Access policies, the older of the two models of a vault's data plane: per principal a set of
 * permissions for keys, secrets and certificates.  No inheritance, no denies.
 *
 * A policy with an application is compound: it holds only for that principal through that
 * application.
 */
#ifndef ACCESS_POLICY_H
#define ACCESS_POLICY_H

#include "api/body.h"
#include "api/request.h"
#include "base/pack.h"

#define POLICIES_MAX 1024

struct access_policy {
	struct uuid tenant, object;
	struct uuid application; /* empty text: any */
	/* Sets of bits, in the order of the original's lists of permissions. */
	uint32_t keys, secrets, certificates, storage;
};

/* What a client sends; FIELD_LIST of these is `accessPolicies`. */
struct policy_body {
	struct body_text tenant, object, application;
	struct body_texts keys, secrets, certificates, storage;
};
extern const struct field policy_fields[];
extern const size_t policy_body_size;

/* policy_read(body, out, err): ERR_BAD_REQUEST names what is wrong. */
MUST_USE bool policy_read(const struct policy_body *body, struct access_policy *out,
    struct error *err);

/* policy_write(json, policy): One entry of `accessPolicies`, as the original prints it. */
void policy_write(struct json *json, const struct access_policy *policy);

/*
 * policy_subtract(policy, other):
 * Take away what ${other} gives; "all" is spelt out before, so that what is taken is gone.  False
 * when nothing is left.
 */
bool policy_subtract(struct access_policy *policy, const struct access_policy *other);

void policy_pack(const struct access_policy *policy, struct buf *out);
bool policy_unpack(struct unpack *in, struct access_policy *out);

/*
 * policy_need(action, permission, collection, name):
 * Which permission a data ${action} ("secrets/getSecret/action", without
 * "Microsoft.KeyVault/vaults/") needs: "secrets" and "get".  One action may stand for reading one
 * and for listing all; where it does not tell, ${permission} does (the row's; empty: the usual
 * one).  False when no policy can allow it.
 */
bool policy_need(view action, view permission, view *collection, view *name);

/*
 * policies_allow(policies, count, directory, caller, action, permission):
 * May ${caller}, itself or by a group, do that?
 */
bool policies_allow(const struct access_policy *policies, size_t count, struct directory *directory,
    const struct caller *caller, view action, view permission);

/* The data actions there are, one by one: without prefix; NULL behind the last. */
#define DATA_ACTIONS_MAX 64
const char *data_action_at(size_t index);
view data_action_collection(size_t index); /* "keys": whose permission it needs */

/* policy_allows_at(policy, index): Does it allow that one, whoever asks? */
bool policy_allows_at(const struct access_policy *policy, size_t index);

#endif
