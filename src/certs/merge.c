/*
 * Merging: what another issuer made of a pending operation's request comes in.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "certs/issue.h"

/* What is on its way through request_defer. */
struct merging {
	struct uuid vault;
	view request_id;
	struct views bag;
	view spki;
	bool keep_order;
	struct cert_policy policy;
	struct key key;
	struct x509 leaf;
	view secret;
};

static bool
unreadable(struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER,
	    "Unable to parse X5c certificate chain and locate leaf certificate");
}

/* Some of the original's clients send base64 of the base64, and it takes it. */
static bool
decode_one(view text, struct arena *arena, view *out, struct error *err)
{
	char *bytes = arena_alloc(arena, text.len + 3);
	size_t len;

	if (bytes == NULL)
		return error_memory(err);
	if (!base64_decode(BASE64, text, bytes, &len))
		return unreadable(err);
	if (len > 3 && bytes[0] == 'M' && bytes[1] == 'I' &&
	    !base64_decode(BASE64, view_trim((view){ bytes, len }), bytes, &len))
		return unreadable(err);
	*out = (view){ bytes, len };
	return true;
}

static bool
decode_all(struct request *r, struct merging *merging, struct error *err)
{
	const struct certificate_body *body = r->body;
	view *items = arena_alloc(r->arena, (body->x5c.count + 1) * sizeof(*items));

	if (items == NULL)
		return error_memory(err);
	for (size_t i = 0; i < body->x5c.count; i++) {
		if (!decode_one(body->x5c.texts[i], r->arena, &items[i], err))
			return false;
	}
	merging->bag = (struct views){ items, body->x5c.count };
	return body->x5c.count > 0 || unreadable(err);
}

/* Which of them is the key's?  The original tells these two apart. */
static bool
check_bag(const struct merging *merging, struct arena *arena, struct error *err)
{
	bool matches = false;

	for (size_t i = 0; i < merging->bag.count; i++) {
		struct x509 certificate;

		if (!x509_read(merging->bag.items[i], arena, &certificate, err))
			return unreadable(err);
		matches = matches || view_eq(certificate.spki, merging->spki);
	}
	return matches ||
	    error_set(err, ERR_BAD_PARAMETER,
		"The public key of the end-entity certificate in the specified X.509 certificate "
		"content does not match the public part of the specified private key. Please check "
		"if certificate is valid.");
}

static bool
work_merge(struct request *r, struct error *err)
{
	struct merging *merging = r->deferred;
	AUTO(plain_done) struct plain *pkcs8 = NULL;
	struct views chain;

	if (!check_bag(merging, r->arena, err) ||
	    !issue_chain(&merging->bag, merging->spki, merging->keep_order, r->arena,
		&merging->leaf, &chain, err))
		return false;
	if (merging->leaf.not_after < clock_now())
		return error_set(err, ERR_CERTIFICATE_EXPIRED,
		    "The certificate has expired and can't be merged.");
	return issue_key_out(r, &merging->policy, &merging->key, &pkcs8, err) &&
	    issue_secret(&merging->policy, pkcs8 != NULL ? plain_view(pkcs8) : V(""), &chain,
		&merging->leaf, r->arena, &merging->secret, err);
}

/* The operation that waits for a merge. */
static bool
require_waiting(struct request *r, struct object *object, struct version *latest,
    struct certificate_state *state, struct error *err)
{
	if (!certificate_require(r, V(""), TO_CHANGE, object, latest, state, err))
		return false;
	if (!state->has_pending)
		return error_set(err, ERR_PENDING_NOT_FOUND, "Pending certificate not found: %.*s",
		    VIEW_ARG(r->params[0]));
	if (!view_ieq(state->pending.issuer, V(ISSUER_NAME_UNKNOWN)))
		return error_set(err, ERR_FORBIDDEN,
		    "The pending certificate is issued by its issuer: nothing can be merged with it.");
	if (state->pending.status != PENDING_IN_PROGRESS || state->pending.cancel)
		return error_set(err, ERR_BAD_PARAMETER,
		    "The pending certificate's status is not inProgress.");
	return true;
}

static bool
reply_merged(struct request *r, const struct object *object, const struct version *version,
    const struct certificate_state *state, struct error *err)
{
	const struct certificate_shown shown = { state, state };
	const view parts[] = { V("https://"), r->authority, V("/certificates/"), object->name,
		V("?api-version="), view_of(r->version->name) };
	view location;

	if (!arena_join(r->arena, parts, COUNT_OF(parts), &location))
		return error_memory(err);
	certificate_reply(r, object, version, &shown);
	r->out->status = 201;
	reply_field(r, "Location", location);
	return true;
}

static bool
finish_merge(struct request *r, struct error *err)
{
	const struct certificate_body *body = r->body;
	const struct merging *merging = r->deferred;
	AUTO(object_done) struct object object = { 0 };
	AUTO(object_done) struct object added = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	struct certificate_state state = { 0 };
	struct version version = { 0 };
	const struct issue_result result = { &merging->policy, &merging->key, &merging->leaf,
		merging->secret };

	if (!vault_require_same(r, &merging->vault, err) ||
	    !require_waiting(r, &object, &latest, &state, err))
		return false;
	if (!view_eq(state.pending.request_id, merging->request_id))
		return error_set(err, ERR_CONFLICT, "The pending certificate is another one now.");
	version.id = state.pending.version;
	version.tags = state.pending.tags;
	version.attributes.enabled =
	    body->enabled.given ? body->enabled.value : state.pending.enabled;
	if (!issue_tags(r, body, &version.tags, err) ||
	    !issue_pending(r, &object, &state, &result, &added, &version, err))
		return false;
	return reply_merged(r, &added, &version, &state, err);
}

bool
certificate_merge(struct request *r, struct error *err)
{
	struct merging *merging = arena_alloc(r->arena, sizeof(*merging));
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	struct certificate_state state = { 0 };
	view tags;

	if (merging == NULL)
		return error_memory(err);
	merging->vault = r->vault->id;
	if (!require_waiting(r, &object, &latest, &state, err) ||
	    !issue_tags(r, r->body, &tags, err) || !decode_all(r, merging, err) ||
	    !issue_unpack(r, &state.pending, &merging->policy, &merging->key, err))
		return false;
	merging->keep_order = state.pending.keep_order;
	return (arena_copy(r->arena, state.pending.request_id, &merging->request_id) ||
		   error_memory(err)) &&
	    cert_policy_keep(&merging->policy, r->arena, err) && key_keep(r, &merging->key, err) &&
	    issue_spki(&merging->key, r->arena, &merging->spki, err) &&
	    request_defer(r, WORK_MAKES, work_merge, finish_merge, merging);
}
