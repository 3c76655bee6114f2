/*
 * Asking issuers: what each answers, and what an issuance that waits keeps.
 */
#include "acme/acme.h"
#include "base/clock.h"
#include "base/pack.h"
#include "certs/ca.h"
#include "certs/enrol_acme.h"
#include "certs/outside.h"
#include "certs/proof.h"
#include "pki/read.h"
#include "pki/testing.h"
#include "vault/testing.h"

static struct world w;
static struct arena keep;
static struct test_key *key;
static const struct outside outside = { .vault_suffix = ".vault.example:8443", .acme_http = true };

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	w.services.outside = &outside;
	world_vault(&w, "vault-a", "westeurope", 90, false);
	arena_init(&keep, (size_t)8 << 20);
	key = test_key_new("P-256");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	test_key_free(key);
	arena_free(&keep);
	world_drop(&w);
	return 0;
}

static bool
step_issuer(struct request *r, void *ctx, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	issuer_pack(ctx, &document);
	return issuer_path(r->arena, r->vault, V("Mine"), &path, err) &&
	    tx_put(&r->tx, r->vault->key, path, &document, err);
}

static void
put_issuer(enum issuer_provider provider, bool enabled, int64_t updated)
{
	struct issuer issuer = { .name = V("Mine"),
		.provider = provider,
		.enabled = enabled,
		.updated = updated };

	issuer.organization = (struct body_text){ true, V("https://127.0.0.1:1/directory") };
	assert_fine(world_do(&w, "vault-a", "", step_issuer, &issuer), &w.err);
}

/* One call of both halves. */
struct asking {
	view csr, state;
	int64_t now;
	struct enrol_result result;
};

static bool
step_ask(struct request *r, void *ctx, struct error *err)
{
	struct asking *asking = ctx;
	const struct enrol_ask ask = {
		.services = r->services,
		.vault = r->vault,
		.issuer = V("mine"),
		.certificate = V("web"),
		.csr = asking->csr,
		.not_before = asking->now,
		.not_after = asking->now + YEAR,
	};
	void *prepared;

	if (!enrol_prepare(&ask, asking->state, asking->now, &keep, &prepared, err))
		return false;
	return enrol_finish(&ask, &r->tx, prepared, asking->now, &asking->result, err);
}

static view
make_csr(const char *subject, const char *dns, const char *email)
{
	AUTO(buf_free) struct buf der = { 0 };
	view names[] = { view_of(dns) }, emails[] = { view_of(email) };
	struct profile profile = { .subject = test_name(&keep, subject),
		.usages = USAGE_DIGITAL_SIGNATURE };

	if (dns != NULL)
		profile.alt.of[ALT_DNS] = (struct views){ names, 1 };
	if (email != NULL)
		profile.alt.of[ALT_EMAIL] = (struct views){ emails, 1 };
	assert_fine(csr_make(&profile, buf_view(&key->spki), &key->signer, &der, &w.err), &w.err);
	return test_copy(&keep, &der);
}

static struct enrol_result
ask(view csr, view state, int64_t now)
{
	struct asking asking = { .csr = csr, .state = state, .now = now };
	struct enrol_result *result = &asking.result;
	view *items;

	assert_fine(world_do(&w, "vault-a", "", step_ask, &asking), &w.err);
	/* Out of the transaction's arena, which is the next one's. */
	assert_true(arena_copy(&keep, result->state, &result->state));
	assert_true(arena_copy(&keep, result->message, &result->message));
	items = arena_alloc(&keep, (result->chain.count + 1) * sizeof(*items));
	for (size_t i = 0; i < result->chain.count; i++)
		assert_true(arena_copy(&keep, result->chain.items[i], &items[i]));
	result->chain.items = items;
	return *result;
}

static void
test_own_authority(void **state)
{
	struct enrol_result result;
	struct x509 leaf, issuer;

	(void)state;
	put_issuer(ISSUER_STRONGROOM, true, 1);
	result = ask(make_csr("CN=web", "web.example.com", NULL), V(""), NOON);
	assert_int_equal(result.outcome, ENROL_DONE);
	assert_int_equal(result.chain.count, 2);
	assert_fine(x509_read(result.chain.items[0], &keep, &leaf, &w.err), &w.err);
	assert_fine(x509_read(result.chain.items[1], &keep, &issuer, &w.err), &w.err);
	assert_true(x509_signed_by(&leaf, &issuer));
	assert_text(leaf.spki, buf_view(&key->spki));
	assert_int_equal(leaf.not_after, NOON + YEAR);
	/* Where its list is: the vault's host, under the name clients use. */
	assert_non_null(memmem(leaf.der.ptr, leaf.der.len,
	    "https://vault-a.vault.example:8443/authority/crl", 48));
}

static void
test_who_can_not_be_asked(void **state)
{
	static const struct {
		enum issuer_provider provider;
		bool enabled;
		const char *message;
	} rows[] = {
		{ 0, true, "The issuer is not there." },
		{ ISSUER_DIGICERT, true, "The issuer's provider could not be reached from here." },
		{ ISSUER_GLOBALSIGN, true,
		    "The issuer's provider could not be reached from here." },
		{ ISSUER_TEST, true, "The issuer's provider could not be reached from here." },
		{ ISSUER_STRONGROOM, false, "The issuer is disabled." },
		{ ISSUER_ACME, false, "The issuer is disabled." },
	};
	view csr = make_csr("CN=web", "web.example.com", NULL);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct enrol_result result;

		if (rows[i].provider != 0)
			put_issuer(rows[i].provider, rows[i].enabled, 1);
		result = ask(csr, V(""), NOON);
		assert_int_equal(result.outcome, ENROL_FAILED);
		assert_string_equal(result.code, "Certificate issuer error");
		assert_text(result.message, view_of(rows[i].message));
	}
}

static void
test_rejected(void **state)
{
	const view csrs[] = { make_csr("CN=web", "web.example.com", "a@example.com"),
		make_csr("CN=web", NULL, NULL) };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(csrs); i++) {
		struct enrol_result result;

		put_issuer(ISSUER_ACME, true, 1);
		result = ask(csrs[i], V(""), NOON);
		assert_int_equal(result.outcome, ENROL_FAILED);
		assert_string_equal(result.code, "Request rejected");
		assert_true(view_starts(result.message, V("ACME ")));
	}
}

/* Nobody is at that address: later each time, then given up. */
static void
test_patience(void **state)
{
	view csr = make_csr("CN=web", "web.example.com", NULL), kept = V("");
	int64_t now = NOON, wait = 0;
	struct enrol_result result;
	unsigned tries = 0;

	(void)state;
	put_issuer(ISSUER_ACME, true, 1);
	for (;;) {
		result = ask(csr, kept, now);
		if (result.outcome != ENROL_WAIT)
			break;
		assert_true(result.message.len > 0);
		assert_true(result.again - now >= wait && result.again - now <= ENROL_WAIT_MAX);
		wait = result.again - now;
		now = result.again;
		kept = result.state;
		tries++;
	}
	assert_int_equal(result.outcome, ENROL_FAILED);
	assert_string_equal(result.code, "Certificate issuer error");
	assert_true(now - NOON > ENROL_PATIENCE && now - NOON < ENROL_PATIENCE + ENROL_WAIT_MAX);
	assert_true(tries > 10 && tries < 40);
	/* One account for all of it. */
	assert_int_equal(world_count(&w, "v/"), 2);
}

static bool
step_account(struct request *r, void *ctx, struct error *err)
{
	return acme_account_read(&r->tx, r->vault, V("MINE"), &keep, ctx, err);
}

static void
test_account_stays(void **state)
{
	view csr = make_csr("CN=web", "web.example.com", NULL), first, second;

	(void)state;
	put_issuer(ISSUER_ACME, true, 1);
	(void)ask(csr, V(""), NOON);
	assert_fine(world_do(&w, "vault-a", "", step_account, &first), &w.err);
	assert_true(first.len > 0);
	(void)ask(csr, V(""), NOON);
	assert_fine(world_do(&w, "vault-a", "", step_account, &second), &w.err);
	assert_text(second, first);
}

static bool
step_show(struct request *r, void *ctx, struct error *err)
{
	return ctx != NULL ? proof_put(&r->tx, V("abc"), V("abc.proof"), err)
			   : proof_delete(&r->tx, V("abc"), err);
}

static void
test_proofs(void **state)
{
	AUTO(buf_free) struct buf found = { 0 };
	struct proofs *proofs;

	(void)state;
	assert_fine(proofs_open(w.place.store, w.place.keyring, &proofs, &w.err), &w.err);
	assert_true(proofs_find(proofs, V("abc"), &found));
	assert_int_equal(found.len, 0);
	assert_fine(world_do(&w, "vault-a", "", step_show, &found), &w.err);
	assert_true(proofs_find(proofs, V("abc"), &found));
	assert_text(buf_view(&found), V("abc.proof"));
	buf_reset(&found);
	assert_true(proofs_find(proofs, V("abcd"), &found));
	assert_int_equal(found.len, 0);
	assert_fine(world_do(&w, "vault-a", "", step_show, NULL), &w.err);
	assert_true(proofs_find(proofs, V("abc"), &found));
	assert_int_equal(found.len, 0);
	proofs_close(proofs);
}

static void
test_broken_state(void **state)
{
	struct asking asking = { .csr = make_csr("CN=a", "a.example", NULL),
		.state = V("x"),
		.now = NOON };

	(void)state;
	put_issuer(ISSUER_ACME, true, 1);
	assert_false(world_do(&w, "vault-a", "", step_ask, &asking));
	assert_int_equal(w.err.code, ERR_CORRUPT);
}

/* As an operation keeps it that has shown a proof; an earlier build did not say of which issuer. */
static view
state_of(int64_t updated)
{
	AUTO(buf_free) struct buf acme = { 0 }, kept = { 0 };
	const struct acme_state at = { .stage = ACME_PROVED,
		.kind = ACME_HTTP_01,
		.token = "abc",
		.nonce = "n",
		.account = "https://127.0.0.1:1/account",
		.challenge = "https://127.0.0.1:1/challenge" };

	acme_pack(&at, &acme);
	pack_u8(&kept, updated != 0 ? 2 : 1);
	pack_i64(&kept, NOON);
	pack_u32(&kept, 3);
	pack_bytes(&kept, buf_view(&acme));
	if (updated != 0)
		pack_i64(&kept, updated);
	return test_copy(&keep, &kept);
}

static struct acme_state
kept_by(view state)
{
	struct unpack in = unpack_of(state);
	struct acme_state at;

	(void)unpack_u8(&in);
	(void)unpack_i64(&in);
	(void)unpack_u32(&in);
	assert_true(acme_unpack(unpack_bytes(&in), &at));
	return at;
}

/* What is left of an issuance whose issuer was corrected: nothing; it begins anew. */
static void
test_issuer_changes(void **state)
{
	static const struct {
		enum issuer_provider provider;
		int64_t before, updated; /* when it was asked, and by now */
		enum acme_stage stage;
	} rows[] = {
		{ ISSUER_ACME, 1, 1, ACME_PROVED },
		{ ISSUER_ACME, 1, 2, ACME_DIRECTORY },
		{ ISSUER_ACME, 0, 1, ACME_DIRECTORY },
		{ ISSUER_STRONGROOM, 1, 2, ACME_DONE },
	};
	view csr = make_csr("CN=web", "web.example.com", NULL);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct enrol_result result;

		put_issuer(rows[i].provider, true, rows[i].updated);
		assert_fine(world_do(&w, "vault-a", "", step_show, &result), &w.err);
		result = ask(csr, state_of(rows[i].before), NOON + 10);
		assert_int_equal(world_count(&w, "acme/"), rows[i].stage == ACME_PROVED);
		if (rows[i].stage == ACME_DONE) {
			assert_int_equal(result.outcome, ENROL_DONE);
			continue;
		}
		assert_int_equal(result.outcome, ENROL_WAIT);
		assert_int_equal(kept_by(result.state).stage, rows[i].stage);
		/* And goes on from there. */
		result = ask(csr, result.state, NOON + 20);
		assert_int_equal(result.outcome, ENROL_WAIT);
		assert_int_equal(kept_by(result.state).stage, rows[i].stage);
	}
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_own_authority),
		FRESH(test_who_can_not_be_asked),
		FRESH(test_rejected),
		FRESH(test_patience),
		FRESH(test_account_stays),
		FRESH(test_proofs),
		FRESH(test_broken_state),
		FRESH(test_issuer_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
