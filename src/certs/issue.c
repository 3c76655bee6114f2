#include "certs/issue.h"

#include "base/base64.h"
#include "base/clock.h"
#include "pki/bundle.h"
#include "pki/issue.h"
#include "secrets/secret.h"

/* By usage, in the order in which the original shows them. */
static const struct {
	const char *op;
	unsigned usages;
	bool ec;
} ops_of_usages[] = {
	{ "encrypt", USAGE_DATA_ENCIPHERMENT | USAGE_ENCIPHER_ONLY, false },
	{ "decrypt", USAGE_DATA_ENCIPHERMENT | USAGE_DECIPHER_ONLY, false },
	{ "sign",
	    USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION | USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN,
	    true },
	{ "verify",
	    USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION | USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN,
	    true },
	{ "wrapKey", USAGE_KEY_ENCIPHERMENT, false },
	{ "unwrapKey", USAGE_KEY_ENCIPHERMENT, false },
};

void
issue_ops(unsigned usages, const struct key_spec *spec, struct key_ops *out)
{
	out->count = 0;
	for (size_t i = 0; i < COUNT_OF(ops_of_usages); i++) {
		if ((usages & ops_of_usages[i].usages) == 0 ||
		    (spec->kind == KEY_EC && !ops_of_usages[i].ec))
			continue;
		if (key_op_find(view_of(ops_of_usages[i].op), &out->ops[out->count]))
			out->count++;
	}
}

bool
issue_spki(const struct key *key, struct arena *arena, view *out, struct error *err)
{
	const struct material *material = &key->material;
	AUTO(buf_free) struct buf spki = { 0 };
	bool made = material->spec.kind == KEY_EC
	    ? spki_from_ec(view_of(key_curve_name(material->spec.curve)), material->public.x,
		  material->public.y, &spki)
	    : spki_from_rsa(material->public.n, material->public.e, &spki);

	if (!made)
		return error_set(err, ERR_CORRUPT, "a key's public half can't be written");
	return (buf_ok(&spki) && arena_copy(arena, buf_view(&spki), out)) || error_memory(err);
}

struct signing {
	struct request *r;
	const struct key *key;
	const struct key_algorithm *algorithm;
};

static bool
sign(void *ctx, view message, view digest, struct buf *out, struct error *err)
{
	const struct signing *signing = ctx;
	struct request *r = signing->r;
	const struct key_message in = { .value = digest };
	struct key_result result = { 0 };

	(void)message;
	if (!material_use(r->services->keyring, r->vault->key, MATERIAL_ONCE,
		&signing->key->material, signing->algorithm, KEY_SIGN, &in, r->arena, &result, err))
		return false;
	buf_add(out, result.value);
	return buf_ok(out) || error_memory(err);
}

static const char *
algorithm_name(const struct key_spec *spec)
{
	static const char *const by_curve[] = {
		[KEY_P256] = "ES256",
		[KEY_P256K] = "ES256K",
		[KEY_P384] = "ES384",
		[KEY_P521] = "ES512",
	};

	return spec->kind == KEY_EC ? by_curve[spec->curve] : "RS256";
}

static struct signer
signer_of(struct signing *signing, struct request *r, const struct key *key)
{
	const struct key_spec *spec = &key->material.spec;

	*signing = (struct signing){ r, key, key_algorithm_find(view_of(algorithm_name(spec))) };
	return (struct signer){
		.alg = signer_alg(spec->kind == KEY_RSA, view_of(key_curve_name(spec->curve))),
		.sign = sign,
		.ctx = signing,
	};
}

bool
issue_csr(struct request *r, const struct key *key, const struct cert_policy *policy, view *out,
    struct error *err)
{
	AUTO(buf_free) struct buf der = { 0 };
	struct signing signing;
	const struct signer signer = signer_of(&signing, r, key);
	struct profile profile;
	view spki;

	return cert_policy_profile(policy, r->arena, &profile, err) &&
	    issue_spki(key, r->arena, &spki, err) && csr_make(&profile, spki, &signer, &der, err) &&
	    (arena_copy(r->arena, buf_view(&der), out) || error_memory(err));
}

bool
issue_self(struct request *r, const struct key *key, const struct cert_policy *policy, view *out,
    struct error *err)
{
	AUTO(buf_free) struct buf der = { 0 };
	struct signing signing;
	const struct signer signer = signer_of(&signing, r, key);
	struct profile profile;
	struct x509_wish wish = { .profile = &profile };
	int64_t now = clock_now();

	wish.not_before = now - BACKDATED;
	if (!cert_policy_expiry(policy, now, &wish.not_after))
		return error_set(err, ERR_BAD_PARAMETER, "The certificate would last too long.");
	return cert_policy_profile(policy, r->arena, &profile, err) &&
	    issue_spki(key, r->arena, &wish.spki, err) && x509_issue(&wish, &signer, &der, err) &&
	    (arena_copy(r->arena, buf_view(&der), out) || error_memory(err));
}

bool
issue_chain(const struct views *bag, view spki, bool keep_order, struct arena *arena,
    struct x509 *leaf, struct views *out, struct error *err)
{
	struct chain chain;
	size_t at = 0;

	if (!(keep_order ? chain_keep(bag, spki, arena, &chain, &at, err)
			 : chain_order(bag, spki, arena, &chain, err)))
		return false;
	out->items = arena_alloc(arena, chain.count * sizeof(view));
	if (out->items == NULL)
		return error_memory(err);
	for (size_t i = 0; i < chain.count; i++)
		out->items[i] = chain.certificates[i].der;
	out->count = chain.count;
	*leaf = chain.certificates[at];
	return true;
}

/* The others as they stand. */
static bool
leaf_first(const struct views *chain, view leaf, struct arena *arena, struct views *out,
    struct error *err)
{
	view *items = arena_alloc(arena, chain->count * sizeof(*items));
	size_t count = 0;

	if (items == NULL)
		return error_memory(err);
	items[count++] = leaf;
	for (size_t i = 0; i < chain->count; i++) {
		if (!view_eq(chain->items[i], leaf))
			items[count++] = chain->items[i];
	}
	*out = (struct views){ items, count };
	return true;
}

bool
issue_secret(const struct cert_policy *policy, view pkcs8, const struct views *chain,
    const struct x509 *leaf, struct arena *arena, view *out, struct error *err)
{
	AUTO(plain_done) struct plain *bundle = NULL;
	AUTO(buf_free) struct buf text = { 0 };
	struct views ordered;

	if (policy->pem)
		return bundle_to_pem(pkcs8, chain, &bundle, err) &&
		    (arena_copy(arena, plain_view(bundle), out) || error_memory(err));
	if (!leaf_first(chain, leaf->der, arena, &ordered, err) ||
	    !bundle_to_pfx(pkcs8, &ordered, &bundle, err))
		return false;
	base64_encode(BASE64, plain_view(bundle), &text);
	return (buf_ok(&text) && arena_copy(arena, buf_view(&text), out)) || error_memory(err);
}

static bool
goes_out(const struct cert_policy *policy, const struct key *key)
{
	return policy->exportable && !key->material.spec.hsm;
}

bool
issue_key_out(struct request *r, const struct cert_policy *policy, const struct key *key,
    struct plain **out, struct error *err)
{
	*out = NULL;
	return !goes_out(policy, key) ||
	    material_put_pkcs8(r->vault->key, &key->material, out, err);
}

bool
issue_keep(struct request *r, const struct object *object, const struct key *key, struct error *err)
{
	return material_keep(&r->tx, uuid_view(&r->vault->id), view_of(object->id), &key->material,
	    err);
}

bool
issue_is_provisional(const struct version *latest)
{
	return certificate_type.hidden(latest);
}

bool
issue_tags(struct request *r, const struct certificate_body *body, view *out, struct error *err)
{
	return !body->tags.given || tags_pack(&certificate_type, &body->tags, r->arena, out, err);
}

bool
issue_begin(struct request *r, view name, struct object *object, struct version *latest,
    struct certificate_state *state, bool *found, struct error *err)
{
	if (!object_name_check(name, err) || !object_require_ours(r, &key_type, name, err) ||
	    !object_require_ours(r, &secret_type, name, err) ||
	    !object_read(r, &certificate_type, OBJECT_LIVE, name, TO_CHANGE, object, found, err))
		return false;
	if (!*found)
		return object_require_free(r, &certificate_type, name, err);
	if (!object_require(r, &certificate_type, name, V(""), TO_CHANGE, object, latest, err) ||
	    !certificate_state_read(r, object, TO_CHANGE, state, err))
		return false;
	return !state->has_pending || state->pending.status != PENDING_IN_PROGRESS ||
	    error_set(err, ERR_PENDING_IN_PROGRESS,
		"A new key vault certificate can not be created or imported while a pending key "
		"vault certificate's status is inProgress.");
}

static bool
add_member(struct request *r, const struct object_type *type, view name, struct version *version,
    struct error *err)
{
	AUTO(object_done) struct object object = { .managed = true };

	return object_add_version(r, type, name, &object, version, err);
}

static bool
add_key(struct request *r, view name, const struct issued *issued, const struct version *like,
    struct error *err)
{
	struct version version = { .id = like->id, .attributes = like->attributes };

	return key_put(r, issued->key, &version, err) &&
	    add_member(r, &key_type, name, &version, err);
}

static bool
add_secret(struct request *r, view name, const struct issued *issued, const struct version *like,
    struct error *err)
{
	AUTO(buf_free) struct buf content = { 0 };
	struct version version = { .id = like->id, .attributes = like->attributes };
	const struct secret secret = {
		.has_content_type = true,
		.content_type = issued->policy->pem ? V(SECRET_PEM) : V(SECRET_PFX),
		.value = issued->secret,
	};

	secret_pack(&secret, &content);
	if (!buf_ok(&content) || !arena_copy(r->arena, buf_view(&content), &version.content))
		return error_memory(err);
	return add_member(r, &secret_type, name, &version, err);
}

static bool
put_certificate(struct request *r, const struct issued *issued, struct version *version,
    struct error *err)
{
	AUTO(buf_free) struct buf content = { 0 };
	const struct certificate certificate = {
		.cer = issued->leaf->der,
		.thumbprint = { (const char *)issued->leaf->thumbprint, SHA1_LEN },
		.keep_order = issued->keep_order,
		.key = goes_out(issued->policy, issued->key) ? CERTIFICATE_KEY_OUT
							     : CERTIFICATE_KEY_IN,
	};

	certificate_pack(&certificate, &content);
	return (buf_ok(&content) && arena_copy(r->arena, buf_view(&content), &version->content)) ||
	    error_memory(err);
}

bool
issue_add(struct request *r, view name, const struct issued *issued, struct object *object,
    struct version *version, struct error *err)
{
	struct attributes *attributes = &version->attributes;

	attributes->has_nbf = attributes->has_exp = true;
	attributes->nbf = issued->leaf->not_before;
	attributes->exp = issued->leaf->not_after;
	attributes->created = attributes->updated = clock_now();
	if (!put_certificate(r, issued, version, err))
		return false;
	if (issued->provisional) {
		AUTO(version_done) struct version before = { 0 };

		if (!object_require(r, &certificate_type, name, version->id, TO_CHANGE, object,
			&before, err) ||
		    !object_write_version(r, &certificate_type, object, version, err))
			return false;
	} else if (!object_add_version(r, &certificate_type, name, object, version, err)) {
		return false;
	}
	return add_key(r, name, issued, version, err) &&
	    add_secret(r, name, issued, version, err) &&
	    object_name(r, &certificate_type, object, version->id, err);
}

bool
issue_unpack(struct request *r, const struct pending *pending, struct cert_policy *policy,
    struct key *key, struct error *err)
{
	return (cert_policy_unpack(pending->policy, r->arena, policy) &&
		   key_unpack(pending->key, key)) ||
	    error_set(err, ERR_CORRUPT, "a certificate's pending operation can't be read");
}

bool
issue_pending(struct request *r, const struct object *object, struct certificate_state *state,
    const struct issue_result *result, struct object *added, struct version *version,
    struct error *err)
{
	struct pending *pending = &state->pending;
	const struct issued issued = {
		.key = result->key,
		.leaf = result->leaf,
		.secret = result->secret,
		.policy = result->policy,
		.keep_order = pending->keep_order,
		.provisional = view_eq(object->latest, pending->version),
	};

	if (!issue_add(r, object->name, &issued, added, version, err) ||
	    !pending_schedule(r, object, pending, 0, err))
		return false;
	pending_end(pending, PENDING_COMPLETED);
	return certificate_state_write(r, object, state, err);
}
