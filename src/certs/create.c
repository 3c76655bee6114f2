/*
 * Creating: a key is made and a request signed with it; then the operation is pending.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "certs/issue.h"
#include "certs/issuer.h"
#include "certs/renew.h"
#include "crypto/random.h"
#include "pki/bundle.h"
#include "secrets/secret.h"

/* What is on its way through request_defer. */
struct creating {
	struct uuid vault; /* whose key sealed the material */
	struct cert_policy policy;
	struct key key;
	bool reused;
	bool doubted; /* reused only if ${doubt} holds its private key already */
	struct secret doubt;
	view csr;
	bool renews; /* by itself: with the tags of the version before */
	view tags;   /* packed */
};

bool
issue_issuer_check(struct request *r, const struct cert_policy *policy, struct error *err)
{
	AUTO(issuer_done) struct issuer issuer = { 0 };
	bool found;

	if (issuer_name_reserved(policy->issuer))
		return true;
	if (!object_name_check(policy->issuer, err) ||
	    !issuer_read(&r->tx, r->vault, policy->issuer, TO_READ, &issuer, &found, err))
		return false;
	return found ||
	    error_set(err, ERR_ISSUER_NOT_FOUND, "Issuer %.*s not found", VIEW_ARG(policy->issuer));
}

/* The policy that is given stands for the one before as a whole. */
static bool
choose_policy(struct request *r, const struct certificate_state *state, bool found,
    struct cert_policy *out, struct error *err)
{
	const struct certificate_body *body = r->body;

	if (!body->policy_given.given && !found)
		return error_set(err, ERR_BAD_PARAMETER,
		    "The first version of a certificate needs a policy.");
	if (!body->policy_given.given) {
		*out = state->policy;
	} else {
		cert_policy_default(out);
		if (!cert_policy_fill(&body->policy, r->arena, out, err))
			return false;
	}
	return cert_policy_check(out, r->arena, err) && key_spec_check(r, &out->key, err) &&
	    issue_issuer_check(r, out, err);
}

static bool
same_spec(const struct key_spec *a, const struct key_spec *b)
{
	return a->kind == b->kind && a->curve == b->curve && a->bits == b->bits && a->hsm == b->hsm;
}

/* A key that was not to leave the server does not do so later, whatever its policy says by then. */
static bool
find_whether_out(struct request *r, const struct version *latest, struct creating *creating,
    struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	struct certificate certificate;
	struct secret secret;

	if (!creating->policy.exportable)
		return true;
	if (!certificate_unpack(latest->content, &certificate))
		return error_set(err, ERR_CORRUPT, "a certificate's content can't be read");
	creating->reused = certificate.key != CERTIFICATE_KEY_IN;
	creating->doubted = certificate.key == CERTIFICATE_KEY_UNTOLD;
	if (!creating->doubted)
		return true;
	if (!object_require(r, &secret_type, r->params[0], latest->id, TO_READ, &object, &version,
		err))
		return false;
	if (!secret_unpack(version.content, &secret))
		return error_set(err, ERR_CORRUPT, "a certificate's secret can't be read");
	return (arena_copy(r->arena, secret.value, &creating->doubt.value) &&
		   arena_copy(r->arena, secret.content_type, &creating->doubt.content_type)) ||
	    error_memory(err);
}

/* Fails only for want of memory. */
static bool
holds_key(const struct secret *secret, struct arena *arena, bool *out, struct error *err)
{
	AUTO(bundle_free) struct bundle bundle = { 0 };
	struct error problem = { 0 };
	size_t len;
	char *pfx;

	if (view_eq(secret->content_type, V(SECRET_PEM))) {
		*out = bundle_from_pem(secret->value, arena, &bundle, &problem);
	} else {
		pfx = arena_alloc(arena, secret->value.len + 3);
		if (pfx == NULL)
			return error_memory(err);
		*out = base64_decode(BASE64, secret->value, pfx, &len) &&
		    bundle_from_pfx((view){ pfx, len }, V(""), arena, &bundle, &problem);
	}
	return problem.code != ERR_UNAVAILABLE || error_memory(err);
}

/* The key of the version before, where the policy asks for it and it is of the same kind. */
static bool
find_reused(struct request *r, const struct version *latest, struct creating *creating,
    struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version version = { 0 };
	struct key key;

	if (!creating->policy.reuse_key || latest->document == NULL || issue_is_provisional(latest))
		return true;
	if (!object_require(r, &key_type, r->params[0], latest->id, TO_READ, &object, &version,
		err) ||
	    !key_of(r, &object, &version, &key, err))
		return false;
	if (!same_spec(&key.material.spec, &creating->policy.key))
		return true;
	creating->key.material = key.material;
	creating->reused = true;
	return key_keep(r, &creating->key, err) && find_whether_out(r, latest, creating, err);
}

static bool
may_make(const struct creating *creating)
{
	return !creating->reused || creating->doubted;
}

static bool
work_create(struct request *r, struct error *err)
{
	struct creating *creating = r->deferred;
	struct key *key = &creating->key;

	if (creating->doubted && !holds_key(&creating->doubt, r->arena, &creating->reused, err))
		return false;
	if (!creating->reused &&
	    !material_make(r->services->keyring, r->vault->key, &creating->policy.key, r->arena,
		&key->material, err))
		return false;
	issue_ops(creating->policy.usages, &key->material.spec, &key->ops);
	return issue_csr(r, key, &creating->policy, &creating->csr, err);
}

static bool
hex_text(struct arena *arena, view *out, struct error *err)
{
	char hex[HEX16_LEN + 1];

	random_version(hex);
	return arena_copy(arena, view_of(hex), out) || error_memory(err);
}

static bool
fill_pending(struct request *r, const struct creating *creating, struct pending *out,
    struct error *err)
{
	const struct certificate_body *body = r->body;
	AUTO(buf_free) struct buf policy = { 0 }, key = { 0 };

	cert_policy_pack(&creating->policy, &policy);
	key_pack(&creating->key, &key);
	*out = (struct pending){
		.issuer = creating->policy.issuer,
		.cty = creating->policy.cty,
		.csr = creating->csr,
		.keep_order = body->keep_order.value,
		.enabled = !body->enabled.given || body->enabled.value,
		.own_key = !creating->reused,
	};
	if (creating->renews)
		out->tags = creating->tags;
	else if (!issue_tags(r, body, &out->tags, err))
		return false;
	return (buf_ok(&policy) && buf_ok(&key) &&
		   arena_copy(r->arena, buf_view(&policy), &out->policy) &&
		   arena_copy(r->arena, buf_view(&key), &out->key) &&
		   hex_text(r->arena, &out->request_id, err)) ||
	    error_memory(err);
}

/* Until there is a certificate, there is a version without one. */
static bool
add_provisional(struct request *r, const struct cert_policy *policy, bool found, const view *id,
    const struct pending *pending, struct object *object, struct version *version,
    struct error *err)
{
	AUTO(buf_free) struct buf content = { 0 };
	const struct certificate nothing = { 0 };
	struct attributes *attributes = &version->attributes;
	int64_t now = clock_now();

	certificate_pack(&nothing, &content);
	attributes->has_nbf = attributes->has_exp = true;
	attributes->nbf = now - BACKDATED;
	attributes->created = attributes->updated = now;
	version->tags = pending->tags;
	if (!cert_policy_expiry(policy, now, &attributes->exp))
		return error_set(err, ERR_BAD_PARAMETER, "The certificate would last too long.");
	if (!buf_ok(&content) || !arena_copy(r->arena, buf_view(&content), &version->content))
		return error_memory(err);
	if (!found)
		return object_add_version(r, &certificate_type, r->params[0], object, version, err);
	version->id = *id;
	return object_write_version(r, &certificate_type, object, version, err);
}

static bool
reply_created(struct request *r, const struct object *object, const struct pending *pending,
    struct error *err)
{
	const view parts[] = { V("https://"), r->authority, V("/certificates/"), object->name,
		V("/pending?api-version="), view_of(r->version->name), V("&request_id="),
		pending->request_id };
	view location;

	if (!arena_join(r->arena, parts, COUNT_OF(parts), &location))
		return error_memory(err);
	pending_reply(r, object, pending);
	r->out->status = 202;
	reply_field(r, "Location", location);
	reply_field(r, "Retry-After", pending->due != 0 ? V("10") : V("0"));
	return true;
}

static bool
begin_operation(struct request *r, struct object *object, const struct version *latest, bool found,
    struct certificate_state *state, struct error *err)
{
	const struct certificate_body *body = r->body;
	const struct creating *creating = r->deferred;
	struct pending *pending = &state->pending;
	struct version version = { 0 };
	int64_t now = clock_now(), created = found ? state->policy.created : now;

	if (!found || body->policy_given.given) {
		state->policy = creating->policy;
		state->policy.created = created;
		state->policy.updated = now;
	}
	if (!fill_pending(r, creating, pending, err))
		return false;
	state->has_pending = true;
	if (!found || issue_is_provisional(latest)) {
		if (!add_provisional(r, &creating->policy, found, &latest->id, pending, object,
			&version, err))
			return false;
		pending->version = version.id;
	} else if (!hex_text(r->arena, &pending->version, err)) {
		return false;
	}
	/* It may wait for weeks: the certificate has it, until its version does. */
	if (!creating->reused && !issue_keep(r, object, &creating->key, err))
		return false;
	return pending_schedule(r, object, pending,
		   view_ieq(pending->issuer, V(ISSUER_NAME_UNKNOWN)) ? 0 : now + PENDING_DELAY,
		   err) &&
	    certificate_state_write(r, object, state, err);
}

static bool
finish_create(struct request *r, struct error *err)
{
	const struct creating *creating = r->deferred;
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	struct certificate_state state = { 0 };
	bool found;

	return vault_require_same(r, &creating->vault, err) &&
	    issue_begin(r, r->params[0], &object, &latest, &state, &found, err) &&
	    begin_operation(r, &object, &latest, found, &state, err) &&
	    object_name(r, &certificate_type, &object, V(""), err) &&
	    reply_created(r, &object, &state.pending, err);
}

bool
certificate_create(struct request *r, struct error *err)
{
	struct creating *creating = arena_alloc(r->arena, sizeof(*creating));
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	struct certificate_state state = { 0 };
	view tags;
	bool found;

	if (creating == NULL)
		return error_memory(err);
	creating->vault = r->vault->id;
	if (!issue_begin(r, r->params[0], &object, &latest, &state, &found, err) ||
	    !choose_policy(r, &state, found, &creating->policy, err) ||
	    !issue_tags(r, r->body, &tags, err) || !find_reused(r, &latest, creating, err))
		return false;
	if (!cert_policy_keep(&creating->policy, r->arena, err))
		return false;
	if (!(may_make(creating) ? key_charge_create(r, &creating->policy.key, err)
				 : vault_charge(r, THROTTLE_OTHER, NULL, err)))
		return false;
	return request_defer(r, creating->policy.key.kind == KEY_RSA ? WORK_MAKES : WORK_BURNS,
	    work_create, finish_create, creating);
}

bool
renew_look(struct request *r, const struct version *latest, const struct certificate_state *state,
    struct creating **out, struct error *err)
{
	struct creating *creating = arena_alloc(r->arena, sizeof(*creating));

	if (creating == NULL)
		return error_memory(err);
	creating->vault = r->vault->id;
	creating->policy = state->policy;
	creating->renews = true;
	*out = creating;
	return find_reused(r, latest, creating, err) &&
	    cert_policy_keep(&creating->policy, r->arena, err);
}

bool
renew_make(struct request *r, struct creating *creating, struct error *err)
{
	r->deferred = creating;
	return work_create(r, err);
}

bool
renew_begin(struct request *r, struct object *object, const struct version *latest,
    struct certificate_state *state, struct creating *creating, struct error *err)
{
	static const struct certificate_body nothing;

	r->body = (void *)(uintptr_t)&nothing;
	r->deferred = creating;
	creating->tags = latest->tags;
	return begin_operation(r, object, latest, true, state, err);
}
