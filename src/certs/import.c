/*
 * Importing: a file with a certificate and its private key is taken apart off the loop; then the
 * version is added.
 */
#include "base/clock.h"
#include "certs/issue.h"
#include "pki/bundle.h"
#include "pki/pem.h"
#include "secrets/secret.h"

#include <string.h>

/* What is on its way through request_defer. */
struct importing {
	struct uuid vault; /* whose key sealed the material */
	bool pem;          /* the file */
	view file;
	struct cert_policy policy;
	struct key key;
	struct x509 leaf;
	view secret;
};

static bool
decode_pfx(view text, struct arena *arena, view *out, struct error *err)
{
	char *bytes = arena_alloc(arena, pem_room(text));
	size_t len;

	if (bytes == NULL)
		return error_memory(err);
	if (!pem_decode(text, bytes, &len))
		return error_set(err, ERR_BAD_PARAMETER,
		    "The specified PKCS#12 X.509 certificate content can not be read. Please check "
		    "if certificate is in valid PKCS#12 format.");
	*out = (view){ bytes, len };
	return true;
}

/* Text may stand before the first block (RFC 7468, section 2); in base64 there are no hyphens. */
static bool
is_pem(view text)
{
	static const char begin[] = "-----BEGIN ";

	return text.len > 0 && memmem(text.ptr, text.len, begin, sizeof(begin) - 1) != NULL;
}

/* A PFX in base64, or PEM, which some clients put into base64 all the same. */
static bool
read_file(struct request *r, struct importing *importing, struct error *err)
{
	const struct certificate_body *body = r->body;
	view text = view_trim(body->value.text);

	importing->file = text;
	if (!is_pem(text) && !decode_pfx(text, r->arena, &importing->file, err))
		return false;
	importing->pem =
	    is_pem(importing->file) || view_ieq(body->policy.content_type.text, V(SECRET_PEM));
	return true;
}

static bool
check_match(const struct cert_policy *policy, const struct key_spec *spec, struct error *err)
{
	const struct key_spec *wanted = &policy->key;

	return (wanted->kind == spec->kind && wanted->bits == spec->bits &&
		   wanted->curve == spec->curve) ||
	    error_set(err, ERR_BAD_PARAMETER,
		"The key properties of the policy don't match the certificate's key.");
}

static void
spec_of(const struct spki *key, struct key_spec *out)
{
	*out = (struct key_spec){ .kind = key->kind == SPKI_EC ? KEY_EC : KEY_RSA };
	if (out->kind == KEY_EC)
		out->curve = key_curve_find(view_of(key->curve));
	out->bits = out->kind == KEY_EC ? key_field_bits(out->curve) : key->bits;
}

static bool
choose_policy(struct request *r, struct importing *importing, struct error *err)
{
	const struct certificate_body *body = r->body;
	struct cert_policy *policy = &importing->policy;
	struct cert_policy_body given = body->policy;
	struct key_spec spec;

	spec_of(&importing->leaf.key, &spec);
	/* The original: what the certificate says is what its policy says, whatever was sent. */
	given.subject = (struct body_text){ 0 };
	given.sans_given = given.ca = (struct body_flag){ 0 };
	given.ekus = given.usages = (struct body_texts){ 0 };
	given.months = (struct body_number){ 0 };
	if (!cert_policy_of_certificate(&importing->leaf, &spec, importing->pem, r->arena, policy,
		err) ||
	    !cert_policy_fill(&given, r->arena, policy, err) || !check_match(policy, &spec, err) ||
	    !key_tier_check(r, &policy->key, err))
		return false;
	if (policy->key.hsm && policy->exportable)
		return error_set(err, ERR_BAD_PARAMETER, "A key in an HSM can't be exportable.");
	return cert_policy_check_actions(policy, err);
}

static bool
work_import(struct request *r, struct error *err)
{
	struct importing *importing = r->deferred;
	const struct certificate_body *body = r->body;
	AUTO(bundle_free) struct bundle bundle = { 0 };
	struct views chain;
	view pkcs8;

	if (!(importing->pem ? bundle_from_pem(importing->file, r->arena, &bundle, err)
			     : bundle_from_pfx(importing->file, body->password.text, r->arena,
				   &bundle, err)) ||
	    !issue_chain(&bundle.certificates, bundle.spki, body->keep_order.value, r->arena,
		&importing->leaf, &chain, err))
		return false;
	if (importing->leaf.not_after < clock_now())
		return error_set(err, ERR_CERTIFICATE_EXPIRED,
		    "The certificate has expired and can't be imported.");
	if (!choose_policy(r, importing, err) ||
	    !material_take_pkcs8(r->services->keyring, r->vault->key, plain_view(bundle.key),
		importing->policy.key.hsm, r->arena, &importing->key.material, err))
		return false;
	issue_ops(importing->policy.usages, &importing->key.material.spec, &importing->key.ops);
	pkcs8 = importing->policy.exportable ? plain_view(bundle.key) : V("");
	return issue_secret(&importing->policy, pkcs8, &chain, &importing->leaf, r->arena,
	    &importing->secret, err);
}

static bool
add(struct request *r, const struct importing *importing, bool found, const struct version *latest,
    struct object *object, struct version *version, struct error *err)
{
	const struct certificate_body *body = r->body;
	const struct issued issued = {
		.key = &importing->key,
		.leaf = &importing->leaf,
		.secret = importing->secret,
		.policy = &importing->policy,
		.keep_order = body->keep_order.value,
		.provisional = found && issue_is_provisional(latest),
	};

	version->attributes.enabled = !body->enabled.given || body->enabled.value;
	if (issued.provisional)
		version->id = latest->id;
	return issue_tags(r, body, &version->tags, err) &&
	    issue_add(r, r->params[0], &issued, object, version, err) &&
	    issue_keep(r, object, &importing->key, err);
}

static bool
finish_import(struct request *r, struct error *err)
{
	const struct importing *importing = r->deferred;
	AUTO(object_done) struct object before = { 0 };
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	struct certificate_state state = { 0 };
	struct version version = { 0 };
	const struct certificate_shown shown = { .policy = &state };
	int64_t created;
	bool found;

	if (!vault_require_same(r, &importing->vault, err) ||
	    !issue_issuer_check(r, &importing->policy, err) ||
	    !issue_begin(r, r->params[0], &before, &latest, &state, &found, err) ||
	    !add(r, importing, found, &latest, &object, &version, err))
		return false;
	created = found ? state.policy.created : version.attributes.created;
	state.policy = importing->policy;
	state.policy.created = created;
	state.policy.updated = version.attributes.created;
	if (!certificate_state_write(r, &object, &state, err))
		return false;
	certificate_reply(r, &object, &version, &shown);
	return true;
}

bool
certificate_import(struct request *r, struct error *err)
{
	struct importing *importing = arena_alloc(r->arena, sizeof(*importing));
	AUTO(object_done) struct object object = { 0 };
	AUTO(version_done) struct version latest = { 0 };
	struct certificate_state state = { 0 };
	view tags;
	bool found;

	if (importing == NULL)
		return error_memory(err);
	importing->vault = r->vault->id;
	return issue_begin(r, r->params[0], &object, &latest, &state, &found, err) &&
	    issue_tags(r, r->body, &tags, err) && read_file(r, importing, err) &&
	    request_defer(r, WORK_MAKES, work_import, finish_import, importing);
}
