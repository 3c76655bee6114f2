/*
 * A vault's authority, held against OpenSSL's reading of what it makes.
 */
#include "certs/ca_store.h"
#include "pki/read.h"
#include "pki/subject.h"
#include "pki/testing.h"
#include "vault/testing.h"

#include <openssl/ocsp.h>

#define DAY ((int64_t)86400)
#define BASE V("https://v.vault.example")

static struct world w;
static struct arena keep;
static struct test_key *key;
static struct ca_answers *answers;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	arena_init(&keep, (size_t)4 << 20);
	world_vault(&w, "vault-a", "westeurope", 90, false);
	world_vault(&w, "vault-b", "westeurope", 90, false);
	key = test_key_new("P-384");
	answers = ca_answers_new();
	return answers == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	test_key_free(key);
	ca_answers_free(answers);
	arena_free(&keep);
	world_drop(&w);
	return 0;
}

/* One issuance, and what came of it: lives in ${keep}. */
struct issuing {
	struct profile profile;
	int64_t months, now;
	struct views chain;
	view root, root_name;
};

static bool
keep_all(struct issuing *issuing, const struct ca *ca)
{
	view *items = arena_alloc(&keep, issuing->chain.count * sizeof(*items));

	for (size_t i = 0; i < issuing->chain.count; i++)
		assert_true(arena_copy(&keep, issuing->chain.items[i], &items[i]));
	issuing->chain.items = items;
	return arena_copy(&keep, ca->root.certificate, &issuing->root) &&
	    arena_copy(&keep, ca->root.name, &issuing->root_name);
}

static bool
step_issue(struct request *r, void *ctx, struct error *err)
{
	struct issuing *issuing = ctx;
	AUTO(buf_free) struct buf csr = { 0 };
	AUTO(ca_done) struct ca ca = { 0 };
	struct ca_wish wish = { .certificate = V("web"),
		.base = BASE,
		.not_before = issuing->now,
		.not_after = issuing->now + issuing->months * 30 * 86400 };

	if (!csr_make(&issuing->profile, buf_view(&key->spki), &key->signer, &csr, err) ||
	    !ca_require(&r->tx, r->vault, false, issuing->now, &ca, err))
		return false;
	wish.csr = buf_view(&csr);
	return ca_issue(&r->tx, r->vault, &ca, &wish, &issuing->chain, err) &&
	    keep_all(issuing, &ca);
}

static struct issuing
issue_at(const char *vault, int64_t months, int64_t now)
{
	static view names[] = { V_INIT("www.example.com") };
	struct issuing issuing = { .months = months, .now = now };

	issuing.profile = (struct profile){
		.subject = test_name(&keep, "CN=www.example.com"),
		.alt = { .of = { [ALT_DNS] = { names, 1 } } },
		.usages = USAGE_DIGITAL_SIGNATURE,
	};
	assert_fine(world_do(&w, vault, "", step_issue, &issuing), &w.err);
	return issuing;
}

static struct issuing
issue_in(const char *vault, int64_t months)
{
	return issue_at(vault, months, NOON);
}

static struct x509
read(view der)
{
	struct x509 certificate;

	assert_fine(x509_read(der, &keep, &certificate, &w.err), &w.err);
	return certificate;
}

static void
test_chain(void **state)
{
	struct issuing issuing = issue_in("vault-a", 12), again = issue_in("vault-a", 12);
	struct x509 leaf = read(issuing.chain.items[0]), middle = read(issuing.chain.items[1]);
	struct x509 root = read(again.root), other = read(again.chain.items[0]);
	view text;

	(void)state;
	assert_int_equal(issuing.chain.count, 2);
	assert_true(x509_signed_by(&leaf, &middle));
	assert_true(x509_signed_by(&middle, &root));
	assert_true(x509_signed_by(&root, &root));
	assert_true(x509_signed_by(&other, &middle));
	assert_false(view_eq(leaf.serial, other.serial));
	assert_true(root.profile.ca && middle.profile.ca && !leaf.profile.ca);
	assert_int_equal(root.profile.path_length, 1);
	assert_int_equal(middle.profile.path_length, 0);
	assert_text(leaf.spki, buf_view(&key->spki));
	assert_text(leaf.profile.alt.of[ALT_DNS].items[0], V("www.example.com"));
	assert_int_equal(leaf.not_after, NOON + INT64_C(12) * 30 * 86400);
	assert_fine(subject_text(root.profile.subject, &keep, &text, &w.err), &w.err);
	assert_true(view_starts(text, V("CN=vault-a ")));
}

/* Vaults are apart: another's authority is another. */
static void
test_vaults_are_apart(void **state)
{
	struct issuing a = issue_in("vault-a", 12), b = issue_in("vault-b", 12);
	struct x509 leaf = read(a.chain.items[0]), middle = read(b.chain.items[1]);

	(void)state;
	assert_false(x509_signed_by(&leaf, &middle));
	assert_false(view_eq(a.root_name, b.root_name));
}

static void
test_ends_with_its_issuer(void **state)
{
	struct issuing issuing = issue_in("vault-a", 1200);
	struct x509 leaf = read(issuing.chain.items[0]), middle = read(issuing.chain.items[1]);

	(void)state;
	assert_int_equal(leaf.not_after, middle.not_after);
}

static void
test_makes_no_authorities(void **state)
{
	static const struct profile rows[] = {
		{ .ca = true, .path_length = -1 },
		{ .usages = USAGE_KEY_CERT_SIGN },
		{ .usages = USAGE_CRL_SIGN | USAGE_DIGITAL_SIGNATURE },
	};
	uint64_t before;

	(void)state;
	(void)issue_in("vault-a", 12);
	before = world_count(&w, "v/");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct issuing issuing = { .profile = rows[i], .months = 12, .now = NOON };

		issuing.profile.subject = test_name(&keep, "CN=a");
		assert_false(world_do(&w, "vault-a", "", step_issue, &issuing));
		assert_int_equal(w.err.code, ERR_BAD_PARAMETER);
	}
	assert_int_equal(world_count(&w, "v/"), before);
}

struct revoking {
	view serial; /* hex */
	int64_t now;
};

static bool
step_revoke(struct request *r, void *ctx, struct error *err)
{
	const struct revoking *revoking = ctx;

	return ca_revoke(&r->tx, r->vault, revoking->serial, CRL_KEY_COMPROMISE, revoking->now,
	    err);
}

/* ${serial}: of a certificate, bytes. */
static bool
revoke(const char *vault, view serial, int64_t now)
{
	char hex[64];
	struct revoking revoking = { { hex, 2 * serial.len }, now };

	hex_encode(serial, hex);
	return world_do(&w, vault, "", step_revoke, &revoking);
}

struct listing {
	int64_t now;
	struct buf der;
	view asked; /* of OCSP */
	bool told;
};

static struct ca_asking
asking_at(const struct ca *ca, int64_t now)
{
	return (struct ca_asking){ .ca = ca, .answers = answers, .now = now };
}

static bool
step_crl(struct request *r, void *ctx, struct error *err)
{
	AUTO(ca_done) struct ca ca = { 0 };
	struct listing *listing = ctx;
	struct ca_asking asking;
	bool found;

	asking = asking_at(&ca, listing->now);
	return ca_read(&r->tx, r->vault, TO_READ, &ca, &found, err) && found &&
	    ca_crl(&r->tx, r->vault, &asking, &listing->der, err);
}

static X509 *
parse(view der)
{
	const unsigned char *at = (const unsigned char *)der.ptr;
	X509 *out = d2i_X509(NULL, &at, (long)der.len);

	assert_non_null(out);
	return out;
}

/* Revoked or not, by the list that the vault has at ${now}. */
static bool
listed(const struct issuing *issuing, int64_t now)
{
	struct listing listing = { .now = now };
	X509 *leaf = parse(issuing->chain.items[0]), *middle = parse(issuing->chain.items[1]);
	const unsigned char *at;
	X509_REVOKED *entry = NULL;
	X509_CRL *crl;
	bool found;

	assert_fine(world_do(&w, "vault-a", "", step_crl, &listing), &w.err);
	at = (const unsigned char *)listing.der.ptr;
	crl = d2i_X509_CRL(NULL, &at, (long)listing.der.len);
	assert_non_null(crl);
	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(middle)), 1);
	assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(leaf)), 0);
	found = X509_CRL_get0_by_cert(crl, &entry, leaf) == 1;
	X509_CRL_free(crl);
	X509_free(leaf);
	X509_free(middle);
	buf_free(&listing.der);
	return found;
}

static void
test_crl(void **state)
{
	struct issuing one = issue_in("vault-a", 12), other = issue_in("vault-a", 12);
	view serial = read(one.chain.items[0]).serial;

	(void)state;
	assert_false(listed(&one, NOON + 1));
	assert_fine(revoke("vault-a", serial, NOON + 10), &w.err);
	assert_fine(revoke("vault-a", serial, NOON + 20), &w.err);
	assert_true(listed(&one, NOON + 30));
	assert_false(listed(&other, NOON + 30));
	/* What has expired needs no list. */
	assert_false(listed(&one, NOON + 2 * YEAR));
}

static void
test_only_what_was_issued_is_revoked(void **state)
{
	struct issuing issuing = issue_in("vault-a", 12);
	struct revoking odd = { V("xyz"), NOON };

	(void)state;
	assert_false(revoke("vault-a", V("\x01\x02"), NOON));
	assert_int_equal(w.err.code, ERR_CERTIFICATE_NOT_FOUND);
	assert_false(revoke("vault-b", read(issuing.chain.items[0]).serial, NOON));
	assert_int_equal(w.err.code, ERR_CERTIFICATE_NOT_FOUND);
	assert_false(world_do(&w, "vault-a", "", step_revoke, &odd));
	assert_int_equal(w.err.code, ERR_BAD_PARAMETER);
}

static bool
step_ocsp(struct request *r, void *ctx, struct error *err)
{
	AUTO(ca_done) struct ca ca = { 0 };
	struct listing *listing = ctx;
	struct ca_asking asking;
	bool found;

	asking = asking_at(&ca, listing->now);
	return ca_read(&r->tx, r->vault, TO_READ, &ca, &found, err) && found &&
	    ca_ocsp(&r->tx, r->vault, &asking, listing->asked, &listing->der, &listing->told, err);
}

/* Ask as OpenSSL does; V_OCSP_CERTSTATUS_..., or minus the response's status. */
static int
ask(X509 *subject, X509 *issuer, bool verified)
{
	struct listing listing = { .now = NOON + 60 };
	OCSP_CERTID *id = OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(issuer),
	    X509_get0_pubkey_bitstr(issuer), X509_get0_serialNumber(subject));
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	OCSP_RESPONSE *response;
	OCSP_BASICRESP *basic;
	const unsigned char *at;
	unsigned char *der = NULL;
	int len, status = 0, reason;

	(void)OCSP_request_add0_id(request, OCSP_CERTID_dup(id));
	(void)OCSP_request_add1_nonce(request, NULL, 16);
	len = i2d_OCSP_REQUEST(request, &der);
	listing.asked = (view){ (const char *)der, (size_t)len };
	assert_fine(world_do(&w, "vault-a", "", step_ocsp, &listing), &w.err);
	at = (const unsigned char *)listing.der.ptr;
	response = d2i_OCSP_RESPONSE(NULL, &at, (long)listing.der.len);
	assert_non_null(response);
	basic = OCSP_response_get1_basic(response);
	if (basic == NULL) {
		status = -OCSP_response_status(response);
	} else {
		STACK_OF(X509) *trusted = sk_X509_new_null();

		(void)sk_X509_push(trusted, issuer);
		/* Ignored, so that the answer may be one that was signed before. */
		assert_int_equal(OCSP_check_nonce(request, basic), -1);
		assert_int_equal(OCSP_basic_verify(basic, trusted, NULL, OCSP_TRUSTOTHER) == 1,
		    verified);
		assert_int_equal(OCSP_resp_find_status(basic, id, &status, &reason, NULL, NULL,
				     NULL),
		    1);
		sk_X509_free(trusted);
	}
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	OCSP_REQUEST_free(request);
	OCSP_CERTID_free(id);
	OPENSSL_free(der);
	buf_free(&listing.der);
	return status;
}

static void
test_ocsp(void **state)
{
	struct issuing one = issue_in("vault-a", 12), foreign = issue_in("vault-b", 12);
	X509 *leaf = parse(one.chain.items[0]), *middle = parse(one.chain.items[1]);
	X509 *stranger = parse(foreign.chain.items[0]), *theirs = parse(foreign.chain.items[1]);
	struct listing garbage = { .now = NOON, .asked = V("0\x03x") };

	(void)state;
	assert_int_equal(ask(leaf, middle, true), V_OCSP_CERTSTATUS_GOOD);
	assert_fine(revoke("vault-a", read(one.chain.items[0]).serial, NOON + 10), &w.err);
	assert_int_equal(ask(leaf, middle, true), V_OCSP_CERTSTATUS_REVOKED);
	/* A serial that nobody issued. */
	assert_int_equal(ask(stranger, middle, true), -OCSP_RESPONSE_STATUS_UNAUTHORIZED);
	assert_int_equal(ask(stranger, theirs, false), -OCSP_RESPONSE_STATUS_UNAUTHORIZED);
	assert_fine(world_do(&w, "vault-a", "", step_ocsp, &garbage), &w.err);
	assert_true(garbage.der.len > 0);
	buf_free(&garbage.der);
	X509_free(leaf);
	X509_free(middle);
	X509_free(stranger);
	X509_free(theirs);
}

/* Certificates that were issued and revoked; serials that sort behind all there are. */
struct filling {
	uint32_t from, to;
	int64_t not_after;
};

static bool
step_fill(struct request *r, void *ctx, struct error *err)
{
	const struct filling *filling = ctx;
	const struct ca_revoked revoked = { NOON, filling->not_after, CRL_SUPERSEDED };

	for (uint32_t i = filling->from; i < filling->to; i++) {
		const char bytes[] = { (char)0xff, (char)(i >> 8), (char)i };
		const view serial = { bytes, sizeof(bytes) };

		if (!ca_put_issued(&r->tx, r->vault, serial, V("web"), filling->not_after, err) ||
		    !ca_put_revoked(&r->tx, r->vault, serial, &revoked, err))
			return false;
	}
	return true;
}

static void
fill(uint32_t from, uint32_t to, int64_t not_after)
{
	while (from < to) {
		struct filling filling = { from, to < from + 500 ? to : from + 500, not_after };

		assert_fine(world_do(&w, "vault-a", "", step_fill, &filling), &w.err);
		from = filling.to;
	}
}

/* The list is full: those on it that have ended make room, and are as if they had never been. */
static void
test_full_list(void **state)
{
	const int64_t later = NOON + INT64_C(31) * 86400;
	struct issuing old = issue_in("vault-a", 1), one = issue_in("vault-a", 12);
	struct issuing other = issue_in("vault-a", 12);
	view serial = read(old.chain.items[0]).serial;
	X509 *ended = parse(old.chain.items[0]), *leaf = parse(one.chain.items[0]);
	X509 *middle = parse(one.chain.items[1]);
	uint64_t before;

	(void)state;
	assert_fine(revoke("vault-a", serial, NOON), &w.err);
	fill(0, CA_DROPPED_MAX + 100, NOON + 86400);
	fill(CA_DROPPED_MAX + 100, CA_REVOKED_MAX - 1, NOON + YEAR);
	before = world_count(&w, "v/");
	assert_false(revoke("vault-a", read(one.chain.items[0]).serial, NOON + 60));
	assert_int_equal(w.err.code, ERR_CONFLICT);
	assert_int_equal(world_count(&w, "v/"), before);
	assert_int_equal(ask(ended, middle, true), V_OCSP_CERTSTATUS_REVOKED);
	/* What is revoked already needs no room. */
	assert_fine(revoke("vault-a", serial, NOON + 60), &w.err);

	assert_fine(revoke("vault-a", read(one.chain.items[0]).serial, later), &w.err);
	assert_int_equal(world_count(&w, "v/"), before - UINT64_C(2) * CA_DROPPED_MAX + 1);
	assert_true(listed(&one, later));
	assert_int_equal(ask(leaf, middle, true), V_OCSP_CERTSTATUS_REVOKED);
	assert_int_equal(ask(ended, middle, true), -OCSP_RESPONSE_STATUS_UNAUTHORIZED);
	assert_false(revoke("vault-a", serial, later));
	assert_int_equal(w.err.code, ERR_CERTIFICATE_NOT_FOUND);
	/* There is room again, nothing more has to go. */
	before = world_count(&w, "v/");
	assert_fine(revoke("vault-a", read(other.chain.items[0]).serial, later), &w.err);
	assert_int_equal(world_count(&w, "v/"), before + 1);
	X509_free(ended);
	X509_free(leaf);
	X509_free(middle);
}

/* Renewed in time, by the same key: until the root ends nothing of 24 months is cut short. */
static void
test_intermediate_is_renewed(void **state)
{
	struct issuing first = issue_in("vault-a", 24), last = first;
	struct x509 root = read(first.root), begun = read(first.chain.items[1]);
	size_t renewed = 0;
	int64_t now;

	(void)state;
	for (now = NOON; now < root.not_after - 2 * YEAR; now += YEAR / 4) {
		struct issuing issuing = issue_at("vault-a", 24, now);
		struct x509 leaf = read(issuing.chain.items[0]);
		struct x509 middle = read(issuing.chain.items[1]);

		assert_int_equal(leaf.not_after, now + INT64_C(24) * 30 * 86400);
		assert_true(middle.not_after >= leaf.not_after);
		assert_true(middle.not_after <= root.not_after);
		assert_true(x509_signed_by(&leaf, &middle) && x509_signed_by(&middle, &root));
		assert_text(middle.spki, begun.spki);
		assert_text(issuing.root, first.root);
		renewed += !view_eq(issuing.chain.items[1], last.chain.items[1]);
		last = issuing;
	}
	assert_in_range(renewed, 2, 6);
	/* What was issued last is listed by the same list. */
	assert_fine(revoke("vault-a", read(last.chain.items[0]).serial, now), &w.err);
	assert_true(listed(&last, now + 1));
	last = issue_at("vault-a", 24, root.not_after - 100);
	assert_int_equal(read(last.chain.items[0]).not_after, root.not_after);
	last.now = root.not_after;
	assert_false(world_do(&w, "vault-a", "", step_issue, &last));
	assert_int_equal(w.err.code, ERR_BAD_PARAMETER);
}

static struct buf
crl_at(int64_t now)
{
	struct listing listing = { .now = now };

	assert_fine(world_do(&w, "vault-a", "", step_crl, &listing), &w.err);
	return listing.der;
}

static uint64_t
number_of(const struct buf *der)
{
	const unsigned char *at = (const unsigned char *)der->ptr;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der->len);
	ASN1_INTEGER *number;
	uint64_t out = 0;

	assert_non_null(crl);
	number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	assert_int_equal(ASN1_INTEGER_get_uint64(&out, number), 1);
	ASN1_INTEGER_free(number);
	X509_CRL_free(crl);
	return out;
}

/* Each signature is another one, of the same too: what is the same was not signed again. */
static void
test_signed_once(void **state)
{
	struct issuing one = issue_in("vault-a", 12);
	AUTO(buf_free) struct buf first = crl_at(NOON), again = crl_at(NOON + 1000);
	AUTO(buf_free) struct buf half = crl_at(NOON + CA_LIST_SECONDS / 2);
	AUTO(buf_free) struct buf revoked = { 0 };

	(void)state;
	assert_true(view_eq(buf_view(&first), buf_view(&again)));
	assert_false(view_eq(buf_view(&first), buf_view(&half)));
	assert_true(number_of(&half) > number_of(&first));
	/* Within one second, too. */
	assert_fine(revoke("vault-a", read(one.chain.items[0]).serial, NOON + CA_LIST_SECONDS / 2),
	    &w.err);
	revoked = crl_at(NOON + CA_LIST_SECONDS / 2);
	assert_false(view_eq(buf_view(&half), buf_view(&revoked)));
	assert_true(number_of(&revoked) > number_of(&half));
	assert_true(listed(&one, NOON + CA_LIST_SECONDS / 2));
}

static void
test_reasons(void **state)
{
	enum crl_reason reason;

	(void)state;
	assert_true(crl_reason_find(V("keycompromise"), &reason));
	assert_int_equal(reason, CRL_KEY_COMPROMISE);
	assert_false(crl_reason_find(V("certificateHold"), &reason));
	assert_false(crl_reason_find(V(""), &reason));
}

static int
state_of(const struct issuing *issuing)
{
	X509 *leaf = parse(issuing->chain.items[0]), *middle = parse(issuing->chain.items[1]);
	int state = ask(leaf, middle, true);

	X509_free(leaf);
	X509_free(middle);
	return state;
}

/* What ended is told of for a while; then it is as if it had never been issued. */
static void
test_old_ones_are_forgotten(void **state)
{
	const int64_t end = NOON + 30 * DAY;
	struct issuing good = issue_in("vault-a", 1), bad = issue_in("vault-a", 1);
	uint64_t documents = world_count(&w, "v/");

	(void)state;
	(void)issue_in("vault-a", 12);
	assert_fine(revoke("vault-a", read(bad.chain.items[0]).serial, NOON), &w.err);
	(void)issue_at("vault-a", 12, end + CA_KEPT_SECONDS - 10);
	assert_int_equal(state_of(&good), V_OCSP_CERTSTATUS_GOOD);
	assert_int_equal(state_of(&bad), V_OCSP_CERTSTATUS_REVOKED);
	assert_fine(revoke("vault-a", read(good.chain.items[0]).serial, end + DAY), &w.err);
	assert_int_equal(state_of(&good), V_OCSP_CERTSTATUS_REVOKED);
	(void)issue_at("vault-a", 12, end + CA_KEPT_SECONDS + 10);
	assert_int_equal(state_of(&good), -OCSP_RESPONSE_STATUS_UNAUTHORIZED);
	assert_int_equal(state_of(&bad), -OCSP_RESPONSE_STATUS_UNAUTHORIZED);
	assert_false(revoke("vault-a", read(bad.chain.items[0]).serial, end + 40 * DAY));
	assert_int_equal(w.err.code, ERR_CERTIFICATE_NOT_FOUND);
	/* Three that last, and how often something was revoked; but neither of the two. */
	assert_int_equal(world_count(&w, "v/"), documents + 3 + 1 - 2);
}

/* One every two days: those that have not ended or may be asked for, and few more. */
static void
test_documents_are_bounded(void **state)
{
	uint64_t before = world_count(&w, "v/"), count;

	(void)state;
	for (int64_t i = 0; i < 250; i++)
		(void)issue_at("vault-a", 1, NOON + i * 2 * DAY);
	count = world_count(&w, "v/") - before;
	assert_in_range(count, 30, 50);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_chain),
		FRESH(test_vaults_are_apart),
		FRESH(test_ends_with_its_issuer),
		FRESH(test_makes_no_authorities),
		FRESH(test_crl),
		FRESH(test_only_what_was_issued_is_revoked),
		FRESH(test_ocsp),
		FRESH(test_full_list),
		FRESH(test_signed_once),
		FRESH(test_intermediate_is_renewed),
		FRESH(test_old_ones_are_forgotten),
		FRESH(test_documents_are_bounded),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
