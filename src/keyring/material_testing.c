#include "keyring/material_testing.h"
#include "base/testing.h"

#include <openssl/core_names.h>
#include <stdlib.h>

#define ARENA_MAX ((size_t)4 << 20)

int
bench_setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	place_make(&bench->place, false);
	bench->key = new_vault(&bench->place, VAULT);
	arena_init(&bench->arena, ARENA_MAX);
	*state = bench;
	return 0;
}

int
bench_teardown(void **state)
{
	struct bench *bench = *state;

	arena_free(&bench->arena);
	place_remove(&bench->place);
	free(bench);
	return 0;
}

struct key_numbers
bench_numbers(struct bench *bench, const EVP_PKEY *pkey)
{
	struct key_numbers out = { 0 };
	const struct {
		const char *name;
		view *to;
	} rows[] = {
		{ OSSL_PKEY_PARAM_RSA_N, &out.n },
		{ OSSL_PKEY_PARAM_RSA_E, &out.e },
		{ OSSL_PKEY_PARAM_RSA_D, &out.d },
		{ OSSL_PKEY_PARAM_RSA_FACTOR1, &out.p },
		{ OSSL_PKEY_PARAM_RSA_FACTOR2, &out.q },
		{ OSSL_PKEY_PARAM_RSA_EXPONENT1, &out.dp },
		{ OSSL_PKEY_PARAM_RSA_EXPONENT2, &out.dq },
		{ OSSL_PKEY_PARAM_RSA_COEFFICIENT1, &out.qi },
		{ OSSL_PKEY_PARAM_EC_PUB_X, &out.x },
		{ OSSL_PKEY_PARAM_EC_PUB_Y, &out.y },
		{ OSSL_PKEY_PARAM_PRIV_KEY, &out.d },
	};
	bool rsa = EVP_PKEY_is_a(pkey, "RSA");

	for (size_t i = rsa ? 0 : 8; i < (rsa ? 8 : COUNT_OF(rows)); i++) {
		AUTO(bn_done) BIGNUM *number = NULL;
		unsigned char *bytes;
		size_t len;

		assert_int_equal(EVP_PKEY_get_bn_param(pkey, rows[i].name, &number), 1);
		len = (size_t)BN_num_bytes(number);
		bytes = arena_alloc(&bench->arena, len);
		assert_non_null(bytes);
		(void)BN_bn2bin(number, bytes);
		*rows[i].to = (view){ (const char *)bytes, len };
	}
	return out;
}

view
bench_hex(struct bench *bench, const char *hex)
{
	size_t len = strlen(hex) / 2;
	uint8_t *bytes = arena_alloc(&bench->arena, len + 1);

	assert_non_null(bytes);
	assert_true(hex_decode(view_of(hex), bytes));
	return (view){ (const char *)bytes, len };
}

struct material
bench_make(struct bench *bench, struct key_spec spec, const char *name)
{
	struct material out;

	assert_fine(material_make(bench->place.keyring, bench->key, &spec, &bench->arena, &out,
			&bench->err),
	    &bench->err);
	assert_true(arena_print(&bench->arena, &out.path, "v/" VAULT "/vk/%s/1", name));
	assert_true(arena_print(&bench->arena, &out.head, "v/" VAULT "/k/%s", name));
	return out;
}

struct material
bench_take(struct bench *bench, struct key_spec spec, const struct key_numbers *numbers)
{
	struct material out;

	assert_fine(material_take(bench->place.keyring, bench->key, &spec, numbers, &bench->arena,
			&out, &bench->err),
	    &bench->err);
	return out;
}

bool
bench_use(struct bench *bench, const struct material *material, const char *algorithm,
    enum key_use use, const struct key_message *in, struct key_result *out)
{
	const struct key_algorithm *found = key_algorithm_find(view_of(algorithm));

	assert_non_null(found);
	return material_use(bench->place.keyring, bench->key, material_ticket(bench->place.keyring),
	    material, found, use, in, &bench->arena, out, &bench->err);
}
