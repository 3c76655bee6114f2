#include "base/testing.h"
#include "certs/issuer.h"

#include <stdlib.h>

#define TEXT(literal)                                  \
	{                                              \
		.given = true, .text = V_INIT(literal) \
	}
#define BINDING TEXT("MDEyMzQ1Njc4OWFiY2RlZg")

static const struct issuer sample = {
	.name = V_INIT("Mine"),
	.provider = ISSUER_ACME,
	.enabled = true,
	.created = 1,
	.updated = 1LL << 40,
	.account = TEXT(""),
	.password = TEXT("a\0b"),
	.has_admins = true,
	.admin_count = 2,
	.admins = { { .email = TEXT("a@b") }, { .first_name = TEXT("J"), .phone = TEXT("1") } },
};

static void
test_comes_back(void **state)
{
	AUTO(buf_free) struct buf packed = { 0 };
	struct issuer issuer;

	(void)state;
	issuer_pack(&sample, &packed);
	assert_true(issuer_unpack(buf_view(&packed), &issuer));
	assert_text(issuer.name, sample.name);
	assert_int_equal(issuer.provider, ISSUER_ACME);
	assert_true(issuer.enabled);
	assert_int_equal(issuer.updated, sample.updated);
	assert_true(issuer.account.given);
	assert_text(issuer.password.text, sample.password.text);
	assert_false(issuer.organization.given);
	assert_int_equal(issuer.admin_count, 2);
	assert_false(issuer.admins[0].phone.given);
	assert_text(issuer.admins[1].phone.text, V("1"));
}

/* Each cut lies in memory of its own length, so that ASan sees what is read beyond it. */
static void
test_cuts_and_additions_are_refused(void **state)
{
	AUTO(buf_free) struct buf packed = { 0 };
	struct issuer issuer;

	(void)state;
	issuer_pack(&sample, &packed);
	for (size_t len = 0; len < packed.len; len++) {
		char *room = malloc(len + 1), *copy = room + 1;

		if (len > 0)
			memcpy(copy, packed.ptr, len);
		assert_false(issuer_unpack((view){ copy, len }, &issuer));
		free(room);
	}
	buf_add_char(&packed, '\0');
	assert_false(issuer_unpack(buf_view(&packed), &issuer));
}

static const struct issuer_admin bad_email[] = { { .email = TEXT("nobody") } };
static const struct issuer_admin bad_name[] = { { .last_name = TEXT("a\nb") } };
static const struct issuer_admin good[] = { { .email = TEXT("a@example.com") } };

#define ADMINS(list)                                       \
	{                                                  \
		.given = true, .items = (list), .count = 1 \
	}

/* clang-format off */
static void
test_rules(void **state)
{
	static const struct {
		struct issuer_body body;
		const char *refused; /* the property */
	} rows[] = {
		{ { .provider = TEXT("Test") }, NULL },
		{ { .provider = TEXT("digicert"), .account = TEXT("a"), .password = TEXT("b") },
		    NULL },
		{ { .provider = TEXT("GlobalSign"), .admins = ADMINS(good) }, NULL },
		{ { .provider = TEXT("Strongroom") }, NULL },
		{ { .provider = TEXT("") }, "provider" },
		{ { .provider = TEXT("Acme Inc") }, "provider" },
		{ { .provider = TEXT("Test"), .account = TEXT("a\r\nb") }, "account_id" },
		{ { .provider = TEXT("Test"), .organization = TEXT("\x7f") }, "org_details.id" },
		{ { .provider = TEXT("Test"), .admins = ADMINS(bad_email) }, "email" },
		{ { .provider = TEXT("Test"), .admins = ADMINS(bad_name) }, "admin_details" },
		{ { .provider = TEXT("ACME") }, "org_details.id" },
		{ { .provider = TEXT("ACME"), .organization = TEXT("http://a/dir") },
		    "org_details.id" },
		{ { .provider = TEXT("ACME"), .organization = TEXT("https://") },
		    "org_details.id" },
		{ { .provider = TEXT("ACME"), .organization = TEXT("https://a b") },
		    "org_details.id" },
		{ { .provider = TEXT("ACME"), .organization = TEXT("https://a/dir") }, NULL },
		{ { .provider = TEXT("ACME"), .organization = TEXT("https://a/dir"),
		      .account = TEXT("kid") },
		    "credentials" },
		{ { .provider = TEXT("ACME"), .organization = TEXT("https://a/dir"),
		      .password = BINDING },
		    "credentials" },
		{ { .provider = TEXT("ACME"), .organization = TEXT("https://a/dir"),
		      .account = TEXT("kid"), .password = TEXT("short") },
		    "credentials" },
		{ { .provider = TEXT("ACME"), .organization = TEXT("https://a/dir"),
		      .account = TEXT("kid"), .password = BINDING },
		    NULL },
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct issuer issuer = { 0 };

		if (rows[i].refused == NULL) {
			assert_fine(issuer_fill(&rows[i].body, &issuer, &err), &err);
			continue;
		}
		assert_false(issuer_fill(&rows[i].body, &issuer, &err));
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		if (strstr(err.message, rows[i].refused) == NULL)
			fail_msg("%zu: %s", i, err.message);
	}
}

/* clang-format on */

/* What is not given stays; making an issuer another's is checked as a whole. */
static void
test_updates(void **state)
{
	const struct issuer_body password = { .password = TEXT("new") };
	const struct issuer_body acme = { .provider = TEXT("ACME") };
	struct issuer issuer = { .provider = ISSUER_TEST,
		.account = TEXT("me"),
		.password = TEXT("old"),
		.enabled = true };
	struct error err;

	(void)state;
	assert_fine(issuer_fill(&password, &issuer, &err), &err);
	assert_text(issuer.account.text, V("me"));
	assert_text(issuer.password.text, V("new"));
	assert_true(issuer.enabled);
	assert_false(issuer_fill(&acme, &issuer, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_cuts_and_additions_are_refused),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_updates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
