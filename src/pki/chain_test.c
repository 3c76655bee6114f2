#include "pki/chain.h"

#include "base/clock.h"
#include "pki/testing.h"

#define ARENA (16 << 20)
#define SECOND INT64_C(1000000000)

/* Keys of a few names; certificates say by two of them whose they are and by whom. */
struct family {
	struct arena arena;
	struct test_key *keys[16];
	size_t count;
};

static struct family
family_new(size_t count)
{
	struct family made = { .count = count };

	arena_init(&made.arena, ARENA);
	for (size_t i = 0; i < count; i++)
		made.keys[i] = test_key_new("P-256");
	return made;
}

static void
family_done(struct family *family)
{
	for (size_t i = 0; i < family->count; i++)
		test_key_free(family->keys[i]);
	arena_free(&family->arena);
}

/* ${who} certified by ${by}: 0 is the leaf. */
static view
certified(struct family *family, size_t who, size_t by)
{
	char subject[16], issuer[16];

	(void)snprintf(subject, sizeof(subject), "CN=%zu", who);
	(void)snprintf(issuer, sizeof(issuer), "CN=%zu", by);
	return test_certificate(&family->arena, subject, family->keys[who], issuer,
	    family->keys[by], who != 0);
}

static bool
order(struct family *family, const view *items, size_t count, struct chain *out, struct error *err)
{
	const struct views bag = { (view *)(uintptr_t)items, count };

	return chain_order(&bag, buf_view(&family->keys[0]->spki), &family->arena, out, err);
}

static void
test_orders(void **state)
{
	/* The bag, by positions in leaf, intermediate, root, stranger; and what it becomes. */
	static const struct {
		int bag[6], chain[6]; /* -1 at the end */
		size_t linked;
	} cases[] = {
		{ { 0, 1, 2, -1 }, { 0, 1, 2, -1 }, 3 },
		{ { 2, 1, 0, -1 }, { 0, 1, 2, -1 }, 3 },
		{ { 1, 0, 2, -1 }, { 0, 1, 2, -1 }, 3 },
		{ { 0, -1 }, { 0, -1 }, 1 },
		{ { 2, 0, -1 }, { 0, 2, -1 }, 1 }, /* the link is missing */
		{ { 3, 2, 1, 0, -1 }, { 0, 1, 2, 3, -1 }, 3 },
		{ { 0, 0, 1, 1, 0, -1 }, { 0, 1, -1 }, 2 },
	};
	AUTO(family_done) struct family family = family_new(4);
	view all[4];

	(void)state;
	all[0] = certified(&family, 0, 1);
	all[1] = certified(&family, 1, 2);
	all[2] = certified(&family, 2, 2);
	all[3] = certified(&family, 3, 3);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		view bag[6];
		struct chain chain;
		struct error err;
		size_t count = 0, length = 0;

		for (; cases[i].bag[count] >= 0; count++)
			bag[count] = all[cases[i].bag[count]];
		assert_fine(order(&family, bag, count, &chain, &err), &err);
		assert_int_equal(chain.linked, cases[i].linked);
		for (; cases[i].chain[length] >= 0; length++)
			assert_true(
			    view_eq(chain.certificates[length].der, all[cases[i].chain[length]]));
		assert_int_equal(chain.count, length);
	}
}

static void
test_keeps_the_order(void **state)
{
	AUTO(family_done) struct family family = family_new(3);
	view items[5];
	const struct views bag = { items, 5 };
	struct chain chain;
	struct error err;
	size_t leaf;

	(void)state;
	items[0] = certified(&family, 2, 2);
	items[1] = certified(&family, 1, 2);
	items[2] = certified(&family, 0, 1);
	items[3] = items[0];
	items[4] = items[2];
	assert_fine(chain_keep(&bag, buf_view(&family.keys[0]->spki), &family.arena, &chain, &leaf,
			&err),
	    &err);
	assert_int_equal(leaf, 2);
	assert_int_equal(chain.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(view_eq(chain.certificates[i].der, items[i]));
}

/* Two that certify each other, and a third who certifies itself by two names. */
static void
test_circles(void **state)
{
	AUTO(family_done) struct family family = family_new(4);
	view bag[4];
	struct chain chain;
	struct error err;

	(void)state;
	bag[0] = certified(&family, 1, 2);
	bag[1] = certified(&family, 2, 1);
	bag[2] = certified(&family, 0, 1);
	bag[3] = certified(&family, 2, 2);
	assert_fine(order(&family, bag, 3, &chain, &err), &err);
	assert_int_equal(chain.linked, 3);
	assert_true(view_eq(chain.certificates[1].der, bag[0]));
	assert_true(view_eq(chain.certificates[2].der, bag[1]));
	assert_fine(order(&family, bag, 4, &chain, &err), &err);
	assert_int_equal(chain.count, 4);
}

/* The same name and key identifier, but not the signature. */
static void
test_a_signature_decides(void **state)
{
	AUTO(family_done) struct family family = family_new(3);
	struct profile profile = { .subject = test_name(&family.arena, "CN=1"),
		.ca = true,
		.path_length = -1 };
	const struct x509_wish forged = { .profile = &profile,
		.spki = buf_view(&family.keys[2]->spki),
		.not_before = NOON,
		.not_after = NOON };
	AUTO(buf_free) struct buf der = { 0 };
	struct error err;
	struct chain chain;
	view bag[3];
	uint8_t id[KEY_ID_LEN], other[KEY_ID_LEN];

	(void)state;
	assert_fine(x509_issue(&forged, &family.keys[2]->signer, &der, &err), &err);
	assert_fine(spki_key_id(buf_view(&family.keys[1]->spki), id, &err), &err);
	assert_fine(spki_key_id(buf_view(&family.keys[2]->spki), other, &err), &err);
	bag[0] = test_copy(&family.arena, &der);
	for (size_t i = 0; i + KEY_ID_LEN <= bag[0].len; i++) {
		if (memcmp(bag[0].ptr + i, other, KEY_ID_LEN) == 0)
			memcpy((char *)(uintptr_t)bag[0].ptr + i, id, KEY_ID_LEN);
	}
	bag[1] = certified(&family, 1, 1);
	bag[2] = certified(&family, 0, 1);
	assert_fine(order(&family, bag, 3, &chain, &err), &err);
	assert_int_equal(chain.linked, 2);
	assert_true(view_eq(chain.certificates[1].der, bag[1]));
	assert_true(view_eq(chain.certificates[2].der, bag[0]));
}

/* A certificate that was renewed with its key: the one that lasts. */
static void
test_several_leaves(void **state)
{
	AUTO(family_done) struct family family = family_new(2);
	struct profile profile = { .subject = test_name(&family.arena, "CN=0"), .path_length = -1 };
	struct x509_wish wish = { .profile = &profile,
		.spki = buf_view(&family.keys[0]->spki),
		.not_before = NOON };
	view bag[3];
	struct chain chain;
	struct error err;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		AUTO(buf_free) struct buf der = { 0 };

		wish.not_after = NOON + (i == 1 ? YEAR : 1);
		assert_fine(x509_issue(&wish, &family.keys[0]->signer, &der, &err), &err);
		bag[i] = test_copy(&family.arena, &der);
	}
	assert_fine(order(&family, bag, 3, &chain, &err), &err);
	assert_true(view_eq(chain.certificates[0].der, bag[1]));
}

static void
test_refuses(void **state)
{
	AUTO(family_done) struct family family = family_new(12);
	view bag[CHAIN_BAG_MAX + 1];
	struct chain chain;
	struct error err;

	(void)state;
	/* Nobody's. */
	bag[0] = certified(&family, 1, 1);
	assert_false(order(&family, bag, 0, &chain, &err));
	assert_false(order(&family, bag, 1, &chain, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	/* Malformed. */
	bag[0] = certified(&family, 0, 1);
	bag[1] = V("no certificate");
	assert_false(order(&family, bag, 2, &chain, &err));
	assert_int_equal(err.code, ERR_BAD_PARAMETER);
	/* Eleven deep; ten are fine. */
	for (size_t i = 0; i < 11; i++)
		bag[i] = certified(&family, i, i + 1);
	assert_fine(order(&family, bag, CHAIN_DEPTH_MAX, &chain, &err), &err);
	assert_int_equal(chain.linked, CHAIN_DEPTH_MAX);
	assert_false(order(&family, bag, CHAIN_DEPTH_MAX + 1, &chain, &err));
	assert_non_null(strstr(err.message, "longer than 10"));
	/* Too many. */
	for (size_t i = 0; i < COUNT_OF(bag); i++)
		bag[i] = bag[0];
	assert_false(order(&family, bag, COUNT_OF(bag), &chain, &err));
	assert_non_null(strstr(err.message, "more than 32"));
}

/* All of one name and without key identifiers, so that every one could have signed every other. */
static void
test_the_worst_bag_takes_no_time(void **state)
{
	AUTO(family_done) struct family family = family_new(2);
	struct profile profile = { .subject = test_name(&family.arena, "CN=same"),
		.ca = true,
		.path_length = -1 };
	const struct x509_wish wish = { .profile = &profile,
		.spki = buf_view(&family.keys[1]->spki),
		.issuer = profile.subject,
		.not_before = NOON,
		.not_after = NOON };
	view bag[CHAIN_BAG_MAX];
	struct chain chain;
	struct error err;
	int64_t start;

	(void)state;
	bag[0] = test_certificate(&family.arena, "CN=other", family.keys[0], "CN=same",
	    family.keys[0], false);
	for (size_t i = 1; i < COUNT_OF(bag); i++) {
		AUTO(buf_free) struct buf der = { 0 };

		assert_fine(x509_issue(&wish, &family.keys[0]->signer, &der, &err), &err);
		bag[i] = test_copy(&family.arena, &der);
	}
	start = clock_mono();
	assert_fine(order(&family, bag, COUNT_OF(bag), &chain, &err), &err);
	assert_true(clock_mono() - start < 2 * SECOND);
	assert_int_equal(chain.count, COUNT_OF(bag));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_keeps_the_order),
		cmocka_unit_test(test_circles),
		cmocka_unit_test(test_a_signature_decides),
		cmocka_unit_test(test_several_leaves),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_the_worst_bag_takes_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
