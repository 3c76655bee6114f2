/*
 * A version's key that is used again: not when it would leave the server that it was to stay on.
 * Creating is tested with a running server.
 */
#include "base/clock.h"
#include "base/testing.h"
#include "certs/renew.h"
#include "vault/testing.h"

static struct world w = { .with = { { "vault-a", "local", 90, false } } };

/* A version by one policy, another one to be by the next. */
struct row {
	bool pem, out;   /* the secret's kind; the private key is in it */
	bool untold;     /* by an earlier build, which did not say so */
	bool exportable; /* by now */
	bool reused;
};

static struct cert_policy
policy_of(bool pem, bool exportable)
{
	struct cert_policy policy;

	cert_policy_default(&policy);
	policy.key = (struct key_spec){ .kind = KEY_EC, .curve = KEY_P256, .bits = 256 };
	policy.subject = V("CN=web");
	policy.issuer = V(ISSUER_NAME_SELF);
	policy.reuse_key = true;
	policy.pem = pem;
	policy.exportable = exportable;
	return policy;
}

static bool
issue(struct request *r, const struct cert_policy *policy, struct key *key, struct version *version,
    struct error *err)
{
	AUTO(plain_done) struct plain *pkcs8 = NULL;
	AUTO(object_done) struct object object = { 0 };
	const struct certificate_state state = { .policy = *policy };
	struct issued issued = { .key = key, .policy = policy };
	view der, spki;
	const struct views bag = { &der, 1 };
	struct views chain;
	struct x509 leaf;

	version->attributes.enabled = true;
	if (!material_make(r->services->keyring, r->vault->key, &policy->key, r->arena,
		&key->material, err) ||
	    !issue_self(r, key, policy, &der, err) || !issue_spki(key, r->arena, &spki, err) ||
	    !issue_chain(&bag, spki, false, r->arena, &leaf, &chain, err) ||
	    !issue_key_out(r, policy, key, &pkcs8, err) ||
	    !issue_secret(policy, pkcs8 != NULL ? plain_view(pkcs8) : V(""), &chain, &leaf,
		r->arena, &issued.secret, err))
		return false;
	issued.leaf = &leaf;
	return issue_add(r, r->params[0], &issued, &object, version, err) &&
	    certificate_state_write(r, &object, &state, err);
}

static bool
step_first(struct request *r, void *ctx, struct error *err)
{
	const struct row *row = ctx;
	const struct cert_policy policy = policy_of(row->pem, row->out);
	struct version version = { 0 };
	struct key key = { 0 };

	return issue(r, &policy, &key, &version, err);
}

/* As an earlier build would have it. */
static bool
step_forget(struct request *r, void *ctx, struct error *err)
{
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	AUTO(buf_free) struct buf content = { 0 };
	struct certificate_state state;
	struct certificate certificate;

	(void)ctx;
	if (!certificate_require(r, V(""), TO_CHANGE, &object, &latest, &state, err) ||
	    !certificate_unpack(latest.content, &certificate))
		return false;
	assert_int_not_equal(certificate.key, CERTIFICATE_KEY_UNTOLD);
	certificate.key = CERTIFICATE_KEY_UNTOLD;
	certificate_pack(&certificate, &content);
	assert_true(arena_copy(r->arena, buf_view(&content), &latest.content));
	return object_write_version(r, &certificate_type, &object, &latest, err);
}

static bool
step_next(struct request *r, void *ctx, struct error *err)
{
	const struct row *row = ctx;
	AUTO(object_done) struct object object = { 0 }, keys = { 0 };
	AUTO(version_done) struct version latest = { 0 }, before = { 0 };
	struct certificate_state state;
	struct creating *creating;
	struct cert_policy policy;
	struct key first, next;

	if (!certificate_require(r, V(""), TO_CHANGE, &object, &latest, &state, err) ||
	    !object_require(r, &key_type, r->params[0], latest.id, TO_READ, &keys, &before, err))
		return false;
	state.policy = policy_of(row->pem, row->exportable);
	assert_true(key_unpack(before.content, &first));
	if (!renew_look(r, &latest, &state, &creating, err) || !renew_make(r, creating, err) ||
	    !renew_begin(r, &object, &latest, &state, creating, err) ||
	    !issue_unpack(r, &state.pending, &policy, &next, err))
		return false;
	assert_int_equal(view_eq(first.material.id, next.material.id), row->reused);
	assert_int_equal(view_eq(first.material.public.x, next.material.public.x), row->reused);
	return true;
}

static void
test_which_keys_are_used_again(void **state)
{
	static const struct row rows[] = {
		{ .out = true, .exportable = true, .reused = true },
		{ .out = true, .exportable = false, .reused = true },
		{ .out = false, .exportable = false, .reused = true },
		{ .out = false, .exportable = true, .reused = false },
		{ .pem = true, .out = false, .exportable = true, .reused = false },
		{ .untold = true, .out = true, .exportable = true, .reused = true },
		{ .untold = true, .out = false, .exportable = true, .reused = false },
		{ .untold = true, .out = false, .exportable = false, .reused = true },
		{ .untold = true, .pem = true, .out = true, .exportable = true, .reused = true },
		{ .untold = true, .pem = true, .out = false, .exportable = true, .reused = false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char name[] = "web0";

		name[3] = (char)('0' + i);
		assert_fine(world_do(&w, "vault-a", name, step_first, (void *)(uintptr_t)&rows[i]),
		    &w.err);
		if (rows[i].untold)
			assert_fine(world_do(&w, "vault-a", name, step_forget, NULL), &w.err);
		assert_fine(world_do(&w, "vault-a", name, step_next, (void *)(uintptr_t)&rows[i]),
		    &w.err);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate_setup_teardown(test_which_keys_are_used_again,
		    world_setup, world_teardown, &w),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
