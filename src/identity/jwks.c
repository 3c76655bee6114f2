#include "identity/jwks.h"

#include "base/base64.h"
#include "base/json_tree.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define KID_MAX 256
#define NUMBER_MAX 1400      /* characters of a number of an RSA key of 8192 bits, with room */
#define CERTIFICATE_MAX 8192 /* characters */
#define NAMELESS_TRIES 8

struct issuer_key {
	char kid[KID_MAX];
	size_t kid_len;
	enum signature_alg alg; /* the only one it is for; SIGNATURE_NONE: any that fits */
	struct public_key *key;
};

struct key_set {
	atomic_uint holders;
	uint8_t digest[SHA256_LEN]; /* of the text */
	size_t count;
	struct issuer_key keys[KEY_SET_MAX];
};

static bool
refused(struct error *err, const char *why)
{
	return error_set(err, ERR_BAD_REQUEST, "%s", why);
}

bool
issuer_url_good(view url)
{
	static const view scheme = V_INIT("https://");
	view rest = view_from(url, scheme.len);

	if (!view_starts(url, scheme) || url.len > ISSUER_URL_MAX)
		return false;
	for (size_t i = 0; i < url.len; i++) {
		char c = url.ptr[i];

		if (c <= 0x20 || c >= 0x7f || c == '?' || c == '#' || c == '@' || c == '\\' ||
		    c == '"' || c == '\'')
			return false;
	}
	rest = view_cut(&rest, '/');
	return rest.len > 0 && rest.ptr[0] != ':';
}

static bool
object_parse(view text, json_t **out, struct error *err)
{
	if (!json_tree_read(text, JSON_REJECT_DUPLICATES, out, err))
		return false;
	return json_is_object(*out) || refused(err, "the document is not a JSON object");
}

/* As an issuer's own address, but for a query, which some have here. */
static bool
keys_url_good(view url)
{
	view query = url, plain = view_cut(&query, '?');
	size_t at;

	for (size_t i = 0; i < query.len; i++) {
		if (query.ptr[i] <= 0x20 || query.ptr[i] >= 0x7f)
			return false;
	}
	return issuer_url_good(plain) && url.len <= ISSUER_URL_MAX && !view_find(query, '#', &at);
}

bool
discovery_read(view text, view issuer, struct arena *arena, view *keys_url, struct error *err)
{
	AUTO(json_tree_done) json_t *tree = NULL;
	view url;

	if (!object_parse(text, &tree, err))
		return false;
	if (!view_eq(json_tree_member(tree, "issuer"), issuer))
		return refused(err, "the configuration is another issuer's");
	url = json_tree_member(tree, "jwks_uri");
	if (!keys_url_good(url))
		return refused(err, "the keys' address (jwks_uri) is not a plain https URL");
	return arena_copy(arena, url, keys_url) || error_memory(err);
}

/* What is not for us, or not understood, is passed over: issuers publish more than we need. */
static bool
passed_over(struct error *err)
{
	return refused(err, "the key is not one that could be used");
}

static bool
number_read(const json_t *jwk, const char *name, char bytes[NUMBER_MAX], view *out)
{
	view text = json_tree_member(jwk, name);
	size_t len;

	if (text.len == 0 || text.len > NUMBER_MAX || !base64_decode(BASE64URL, text, bytes, &len))
		return false;
	*out = (view){ bytes, len };
	return true;
}

/* RFC 7517, section 4.7: some give a certificate alone, whose key is meant; its dates are not. */
static bool
certificate_read(const json_t *jwk, struct public_key **out, struct error *err)
{
	const json_t *first = json_array_get(json_object_get(jwk, "x5c"), 0);
	view text = json_tree_text(first);
	char bytes[CERTIFICATE_MAX];
	size_t len;

	if (!json_is_string(first) || text.len > CERTIFICATE_MAX ||
	    !base64_decode(BASE64, text, bytes, &len))
		return passed_over(err);
	return public_key_from_certificate((view){ bytes, len }, out, err);
}

static bool
rsa_read(const json_t *jwk, struct public_key **out, struct error *err)
{
	char n_bytes[NUMBER_MAX], e_bytes[NUMBER_MAX];
	view n, e;

	if (json_object_get(jwk, "n") == NULL)
		return certificate_read(jwk, out, err);
	if (!number_read(jwk, "n", n_bytes, &n) || !number_read(jwk, "e", e_bytes, &e))
		return passed_over(err);
	return public_key_from_rsa(n, e, out, err);
}

static bool
ec_read(const json_t *jwk, struct public_key **out, struct error *err)
{
	static const struct {
		view name;
		enum curve curve;
	} curves[] = {
		{ V_INIT("P-256"), CURVE_P256 },
		{ V_INIT("P-384"), CURVE_P384 },
		{ V_INIT("P-521"), CURVE_P521 },
	};
	char x_bytes[NUMBER_MAX], y_bytes[NUMBER_MAX];
	view x, y;

	if (!number_read(jwk, "x", x_bytes, &x) || !number_read(jwk, "y", y_bytes, &y))
		return passed_over(err);
	for (size_t i = 0; i < COUNT_OF(curves); i++) {
		if (view_eq(json_tree_member(jwk, "crv"), curves[i].name))
			return public_key_from_ec(curves[i].curve, x, y, out, err);
	}
	return passed_over(err);
}

static bool
for_signatures(const json_t *jwk)
{
	view use = json_tree_member(jwk, "use");

	return use.len == 0 || view_eq(use, V("sig"));
}

static bool
key_read(const json_t *jwk, struct issuer_key *out, struct error *err)
{
	view kid = json_tree_member(jwk, "kid"), kty = json_tree_member(jwk, "kty"),
	     alg = json_tree_member(jwk, "alg");

	if (!json_is_object(jwk) || !for_signatures(jwk) || kid.len > KID_MAX)
		return passed_over(err);
	*out = (struct issuer_key){ .kid_len = kid.len, .alg = signature_alg_parse(alg) };
	if (alg.len > 0 && out->alg == SIGNATURE_NONE)
		return passed_over(err);
	memcpy(out->kid, kid.ptr, kid.len);
	return view_eq(kty, V("RSA")) ? rsa_read(jwk, &out->key, err)
	    : view_eq(kty, V("EC"))   ? ec_read(jwk, &out->key, err)
				      : passed_over(err);
}

struct key_set *
key_set_hold(struct key_set *set)
{
	if (set != NULL)
		atomic_fetch_add(&set->holders, 1);
	return set;
}

void
key_set_done(struct key_set **set)
{
	struct key_set *last = *set;

	if (last == NULL || atomic_fetch_sub(&last->holders, 1) != 1)
		return;
	for (size_t i = 0; i < last->count; i++)
		public_key_free(last->keys[i].key);
	free(last);
}

bool
key_set_read(view text, struct key_set **out, struct error *err)
{
	AUTO(key_set_done) struct key_set *set = NULL;
	AUTO(json_tree_done) json_t *tree = NULL;
	const json_t *keys;
	struct error why;

	if (!object_parse(text, &tree, err))
		return false;
	keys = json_object_get(tree, "keys");
	set = calloc(1, sizeof(*set));
	if (set == NULL)
		return error_memory(err);
	atomic_init(&set->holders, 1);
	if (!sha256(&text, 1, set->digest, err))
		return false;
	for (size_t i = 0; i < json_array_size(keys) && i < KEY_SET_MAX; i++) {
		if (key_read(json_array_get(keys, i), &set->keys[set->count], &why))
			set->count++;
		else if (why.code != ERR_BAD_REQUEST) /* else it would be missed for a day */
			return error_set(err, why.code, "%s", why.message);
	}
	if (set->count == 0)
		return refused(err, "there is no key that could be used among the keys");
	*out = set;
	set = NULL;
	return true;
}

bool
key_set_same(const struct key_set *a, const struct key_set *b)
{
	return a == b || (a != NULL && b != NULL && memcmp(a->digest, b->digest, SHA256_LEN) == 0);
}

static bool
named(const struct issuer_key *key, view kid)
{
	return view_eq((view){ key->kid, key->kid_len }, kid);
}

bool
key_set_names(const struct key_set *set, view kid)
{
	for (size_t i = 0; i < set->count; i++) {
		if (named(&set->keys[i], kid))
			return true;
	}
	return false;
}

static bool
fits(const struct issuer_key *key, const struct jwt *jwt)
{
	return (key->alg == SIGNATURE_NONE || key->alg == jwt->alg) &&
	    public_key_verify(key->key, jwt->alg, jwt->signing_input, jwt->signature);
}

/* RFC 7515, section 4.1.4: a key's name is a hint; without one a few are tried. */
static enum key_verdict
verify_nameless(const struct key_set *set, const struct jwt *jwt)
{
	for (size_t i = 0; i < set->count && i < NAMELESS_TRIES; i++) {
		if (fits(&set->keys[i], jwt))
			return KEY_GOOD;
	}
	return KEY_BAD_SIGNATURE;
}

enum key_verdict
key_set_verify(const struct key_set *set, const struct jwt *jwt)
{
	const struct issuer_key *found = NULL;

	if (jwt->kid.len == 0)
		return verify_nameless(set, jwt);
	for (size_t i = 0; i < set->count; i++) {
		if (!named(&set->keys[i], jwt->kid))
			continue;
		if (found != NULL)
			return KEY_UNKNOWN;
		found = &set->keys[i];
	}
	if (found == NULL)
		return KEY_UNKNOWN;
	return fits(found, jwt) ? KEY_GOOD : KEY_BAD_SIGNATURE;
}
