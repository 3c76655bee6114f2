/*
 * Keys from outside, as strangers send them: what is taken must work, and be what it says.
 *
 * The input is a kind, a curve, then the numbers in the header's order, each behind its length in
 * two bytes.
 */
#include "keyring/material.h"

#include "base/arena.h"
#include "keyring/fuzzing.h"

#define ARENA_MAX 65536

struct lab {
	struct keyring *keyring;
	struct vault_key *key;
};

static struct lab
make_lab(void)
{
	struct store *store;
	struct lab lab = { .keyring = fuzzing_keyring(&store) };

	lab.key = keyring_system(lab.keyring);
	return lab;
}

static view
next_number(view *rest)
{
	const unsigned char *bytes = (const unsigned char *)rest->ptr;
	size_t len;
	view out;

	if (rest->len < 2)
		return V("");
	len = (size_t)bytes[0] << 8 | bytes[1];
	*rest = view_from(*rest, 2);
	out = (view){ rest->ptr, len < rest->len ? len : rest->len };
	*rest = view_from(*rest, out.len);
	return out;
}

static const struct key_algorithm *
signs_with(const struct key_spec *spec)
{
	static const char *const names[] = { "RS256", "ES256", "ES256K", "ES384", "ES512",
		"HS256" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct key_algorithm *found = key_algorithm_find(view_of(names[i]));

		if (key_algorithm_fits(found, spec))
			return found;
	}
	abort();
}

static void
round_trip(const struct lab *lab, const struct material *material, struct arena *arena)
{
	static const char digest[64] = "digest";
	const struct key_algorithm *algorithm = signs_with(&material->spec);
	struct key_message in = { .value = { digest, key_digest_len(algorithm->digest) } };
	struct key_result out;
	struct error err;

	if (!material_use(lab->keyring, lab->key, material_ticket(lab->keyring), material,
		algorithm, KEY_SIGN, &in, arena, &out, &err))
		abort();
	in.signature = out.value;
	if (!material_use(lab->keyring, lab->key, material_ticket(lab->keyring), material,
		algorithm, KEY_VERIFY, &in, arena, &out, &err) ||
	    !out.verified)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct lab lab;
	AUTO(arena_free) struct arena arena;
	view rest = { (const char *)data, len };
	struct key_numbers numbers;
	struct key_spec spec = { 0 };
	struct material material;
	struct error err;

	if (lab.keyring == NULL)
		lab = make_lab();
	arena_init(&arena, ARENA_MAX);
	if (len < 2)
		return 0;
	spec.kind = (enum key_kind)(KEY_RSA + data[0] % 3);
	spec.curve = (enum key_curve)(data[1] % (KEY_P521 + 1));
	rest = view_from(rest, 2);
	view *const all[] = { &numbers.n, &numbers.e, &numbers.p, &numbers.q, &numbers.dp,
		&numbers.dq, &numbers.qi, &numbers.x, &numbers.y, &numbers.d, &numbers.k };
	for (size_t i = 0; i < COUNT_OF(all); i++)
		*all[i] = next_number(&rest);
	if (material_take(lab.keyring, lab.key, &spec, &numbers, &arena, &material, &err))
		round_trip(&lab, &material, &arena);
	else if (err.code != ERR_BAD_PARAMETER)
		abort();
	return 0;
}
