#include "base/testing.h"
#include "keys/key_body.h"

#include <stdlib.h>

static const struct key sample = {
	.material = {
		.spec = { .kind = KEY_EC, .curve = KEY_P384, .bits = 384, .hsm = true },
		.id = V_INIT("0123456789abcdef0123456789abcdef"),
		.private = { V_INIT("sealed\0bytes") },
		.public = { .x = V_INIT("\0xx"), .y = V_INIT("yy") },
	},
	.ops = { { 3, 2 }, 2 },
	.exportable = true,
	.release_policy = V_INIT("policy"),
};

static void
test_comes_back(void **state)
{
	AUTO(buf_free) struct buf packed = { 0 };
	struct key key;

	(void)state;
	key_pack(&sample, &packed);
	assert_true(key_unpack(buf_view(&packed), &key));
	assert_string_equal(key_type_name(&key.material.spec), "EC-HSM");
	assert_int_equal(key.material.spec.curve, KEY_P384);
	assert_int_equal(key.material.spec.bits, 384);
	assert_text(key.material.id, sample.material.id);
	assert_text(key.material.private.bytes, sample.material.private.bytes);
	assert_text(key.material.public.x, sample.material.public.x);
	assert_text(key.material.public.y, sample.material.public.y);
	assert_int_equal(key.material.public.n.len, 0);
	assert_true(key_ops_have(&key.ops, V("sign")) && key_ops_have(&key.ops, V("verify")));
	assert_false(key_ops_have(&key.ops, V("encrypt")));
	assert_true(key.exportable);
	assert_text(key.release_policy, sample.release_policy);
}

/* Each cut lies in memory of its own length, so that ASan sees what is read beyond it. */
static void
test_cuts_and_additions_are_refused(void **state)
{
	AUTO(buf_free) struct buf packed = { 0 };
	struct key key;

	(void)state;
	key_pack(&sample, &packed);
	for (size_t len = 0; len < packed.len; len++) {
		char *copy = malloc(len);

		if (len > 0)
			memcpy(copy, packed.ptr, len);
		assert_false(key_unpack((view){ copy, len }, &key));
		free(copy);
	}
	buf_add_char(&packed, '\0');
	assert_false(key_unpack(buf_view(&packed), &key));
}

static bool
read_ops(const char *const *names, enum key_kind kind, struct key_ops *out)
{
	const struct key_spec spec = { .kind = kind };
	view texts[KEY_OPS_MAX];
	struct body_texts body = { .texts = texts };
	struct error err;

	for (; names[body.count] != NULL; body.count++)
		texts[body.count] = view_of(names[body.count]);
	return key_ops_read(&body, &spec, out, &err);
}

static void
test_ops(void **state)
{
	struct key_ops ops;

	(void)state;
	assert_true(read_ops((const char *[]){ NULL }, KEY_EC, &ops));
	assert_int_equal(ops.count, 2);
	assert_true(read_ops((const char *[]){ NULL }, KEY_RSA, &ops));
	assert_int_equal(ops.count, 6);
	assert_true(read_ops((const char *[]){ NULL }, KEY_OCT, &ops));
	assert_false(key_ops_have(&ops, V("sign")));
	/* As given, each once. */
	assert_true(
	    read_ops((const char *[]){ "wrapKey", "sign", "wrapKey", NULL }, KEY_RSA, &ops));
	assert_int_equal(ops.count, 2);
	assert_int_equal(ops.ops[0], 4);
	assert_false(read_ops((const char *[]){ "wrapkey", NULL }, KEY_RSA, &ops));
	assert_false(read_ops((const char *[]){ "", NULL }, KEY_RSA, &ops));
}

#define TEXT(literal)                                  \
	{                                              \
		.given = true, .text = V_INIT(literal) \
	}
#define SIZE(number)                             \
	{                                        \
		.given = true, .value = (number) \
	}

static void
test_what_is_made(void **state)
{
	static const struct {
		struct key_create_body body;
		bool fine;
		enum key_kind kind;
		enum key_curve curve;
		unsigned bits;
		bool hsm;
	} rows[] = {
		{ { .kty = TEXT("RSA") }, true, KEY_RSA, 0, 2048, false },
		{ { .kty = TEXT("RSA-HSM"), .size = SIZE(4096) }, true, KEY_RSA, 0, 4096, true },
		{ { .kty = TEXT("RSA"), .size = SIZE(-1) }, true, KEY_RSA, 0, 0, false },
		{ { .kty = TEXT("RSA"), .size = SIZE(1LL << 32) }, true, KEY_RSA, 0, 0, false },
		{ { .kty = TEXT("EC") }, true, KEY_EC, KEY_P256, 256, false },
		{ { .kty = TEXT("EC"), .crv = TEXT("P-256K") }, true, KEY_EC, KEY_P256K, 256,
		    false },
		{ { .kty = TEXT("EC"), .size = SIZE(384) }, true, KEY_EC, KEY_P384, 384, false },
		{ { .kty = TEXT("EC-HSM"), .crv = TEXT("P-521"), .size = SIZE(521) }, true, KEY_EC,
		    KEY_P521, 521, true },
		{ { .kty = TEXT("EC"), .size = SIZE(4096) }, false, 0, 0, 0, false },
		{ { .kty = TEXT("EC"), .crv = TEXT("secp256k1") }, false, 0, 0, 0, false },
		{ { .kty = TEXT("oct") }, true, KEY_OCT, 0, 256, false },
		{ { .kty = TEXT("oct-HSM"), .size = SIZE(128) }, true, KEY_OCT, 0, 128, true },
		{ { .kty = TEXT("rsa") }, false, 0, 0, 0, false },
		{ { .kty = TEXT("") }, false, 0, 0, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct key_spec spec = { 0 };
		struct error err;

		assert_int_equal(key_spec_of_create(&rows[i].body, &spec, &err), rows[i].fine);
		assert_int_equal(spec.kind, rows[i].kind);
		assert_int_equal(spec.curve, rows[i].curve);
		assert_int_equal(spec.bits, rows[i].bits);
		assert_int_equal(spec.hsm, rows[i].hsm);
	}
}

/* The tier and the sizes are the vault's business. */
static void
test_sizes_and_tiers(void **state)
{
	static const struct {
		struct key_spec spec;
		bool standard, premium;
	} rows[] = {
		{ { .kind = KEY_RSA, .bits = 2048 }, true, true },
		{ { .kind = KEY_RSA, .bits = 1024 }, false, false },
		{ { .kind = KEY_RSA, .bits = 0 }, false, false },
		{ { .kind = KEY_OCT, .bits = 192 }, true, true },
		{ { .kind = KEY_OCT, .bits = 64 }, false, false },
		{ { .kind = KEY_EC, .curve = KEY_P256, .bits = 256 }, true, true },
		{ { .kind = KEY_RSA, .bits = 2048, .hsm = true }, false, true },
	};
	struct vault vault = { 0 };
	const struct request r = { .vault = &vault };
	struct error err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		vault.premium = false;
		assert_int_equal(key_spec_check(&r, &rows[i].spec, &err), rows[i].standard);
		vault.premium = true;
		assert_int_equal(key_spec_check(&r, &rows[i].spec, &err), rows[i].premium);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_cuts_and_additions_are_refused),
		cmocka_unit_test(test_ops),
		cmocka_unit_test(test_what_is_made),
		cmocka_unit_test(test_sizes_and_tiers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
