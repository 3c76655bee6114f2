#include "keys/release_target.h"

#include "base/base64.h"
#include "base/json_tree.h"
#include "crypto/publickey.h"

#define KEYS_MAX 64
#define NUMBER_MAX 1400 /* characters of a number of an RSA key of 8192 bits, with room */
#define VTPM_KEY V("TpmEphemeralEncryptionKey")

static bool
for_encryption(const json_t *jwk)
{
	const json_t *ops = json_object_get(jwk, "key_ops");

	if (view_eq(json_tree_member(jwk, "use"), V("enc")))
		return true;
	for (size_t i = 0; i < json_array_size(ops); i++) {
		const char *op = json_string_value(json_array_get(ops, i));

		if (view_eq(view_of(op), V("encrypt")) || view_eq(view_of(op), V("wrapKey")))
			return true;
	}
	return false;
}

static bool
for_anything(const json_t *jwk)
{
	return json_object_get(jwk, "use") == NULL && json_object_get(jwk, "key_ops") == NULL;
}

static bool
is_vtpm(const json_t *jwk)
{
	return view_eq(json_tree_member(jwk, "kid"), VTPM_KEY);
}

/* The only one of a kind; NULL when there is none, or when it is not clear which is meant. */
static const json_t *
only(const json_t *keys, bool (*fits)(const json_t *jwk))
{
	const json_t *found = NULL;

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *jwk = json_array_get(keys, i);

		if (!fits(jwk))
			continue;
		if (found != NULL)
			return NULL;
		found = jwk;
	}
	return found;
}

static const json_t *
choose(const json_t *keys)
{
	const json_t *found = only(keys, is_vtpm);

	if (json_array_size(keys) > KEYS_MAX)
		return NULL;
	if (found == NULL)
		found = only(keys, for_encryption);
	if (found == NULL && json_array_size(keys) == 1)
		found = only(keys, for_anything);
	return found;
}

/* A set has "keys"; anything else is a key by itself. */
static const json_t *
choose_of_object(const json_t *object)
{
	const json_t *keys = json_object_get(object, "keys");

	if (keys != NULL)
		return choose(keys);
	return for_encryption(object) || for_anything(object) ? object : NULL;
}

/* What an enclave held, decoded; the caller's.  NULL: nothing. */
static bool
held_data(const json_t *claims, struct arena *arena, json_t **out, struct error *err)
{
	static const char *const names[] = { "x-ms-sgx-ehd", "maa-ehd" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		json_t *value = json_object_get(claims, names[i]);
		view text = json_tree_member(claims, names[i]);
		char *bytes;
		size_t len;

		if (json_is_object(value)) {
			*out = json_incref(value);
			return true;
		}
		if (text.len == 0)
			continue;
		bytes = arena_alloc(arena, text.len);
		if (bytes == NULL)
			return error_memory(err);
		if (base64_decode(BASE64URL, text, bytes, &len))
			return json_tree_read((view){ bytes, len }, JSON_REJECT_DUPLICATES, out,
			    err);
	}
	return true;
}

static bool
number_read(const json_t *jwk, const char *name, struct arena *arena, view *out)
{
	view text = json_tree_member(jwk, name);
	char *bytes = arena_alloc(arena, NUMBER_MAX);
	size_t len;

	if (bytes == NULL || text.len == 0 || text.len > NUMBER_MAX ||
	    !base64_decode(BASE64URL, text, bytes, &len))
		return false;
	*out = (view){ bytes, len };
	return true;
}

static bool
key_read(const json_t *jwk, struct arena *arena, struct release_target *out)
{
	AUTO(public_key_done) struct public_key *key = NULL;
	struct error ignored;

	return view_eq(json_tree_member(jwk, "kty"), V("RSA")) &&
	    number_read(jwk, "n", arena, &out->n) && number_read(jwk, "e", arena, &out->e) &&
	    arena_copy(arena, json_tree_member(jwk, "kid"), &out->kid) &&
	    public_key_from_rsa(out->n, out->e, &key, &ignored);
}

bool
release_target_find(view claims, struct arena *arena, struct release_target *out, struct error *err)
{
	AUTO(json_tree_done) json_t *tree = NULL;
	AUTO(json_tree_done) json_t *held = NULL;
	struct release_target target = { 0 };
	const json_t *runtime, *jwk;

	if (!json_tree_read(claims, JSON_REJECT_DUPLICATES, &tree, err))
		return false;
	runtime = json_object_get(json_object_get(tree, "x-ms-runtime"), "keys");
	if (runtime != NULL) {
		jwk = choose(runtime);
	} else {
		if (!held_data(tree, arena, &held, err))
			return false;
		jwk = choose_of_object(held);
	}
	if (jwk == NULL || !key_read(jwk, arena, &target))
		return error_set(err, ERR_BAD_PARAMETER,
		    "The attestation token holds no RSA key of 2048 bits or more to release for.");
	*out = target;
	return true;
}
