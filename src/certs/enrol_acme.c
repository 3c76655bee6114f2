#include "certs/enrol_acme.h"

#include "acme/acme.h"
#include "acme/dns_hook.h"
#include "base/base64.h"
#include "base/starved.h"
#include "certs/outside.h"
#include "keys/key.h"
#include "pki/chain.h"
#include "pki/pem.h"
#include "pki/subject.h"

#include <string.h>

/* The account's key */

static bool
account_path(struct arena *arena, const struct vault *vault, view issuer, view *out,
    struct error *err)
{
	char upper[OBJECT_NAME_MAX];

	if (issuer.len > sizeof(upper))
		return error_set(err, ERR_CORRUPT, "an issuer's name is too long");
	for (size_t i = 0; i < issuer.len; i++)
		upper[i] = ascii_upper(issuer.ptr[i]);
	return arena_join(arena,
		   (const view[]){ V("v/"), uuid_view(&vault->id), V("/ca-account/"),
		       { upper, issuer.len } },
		   4, out) ||
	    error_memory(err);
}

bool
acme_account_read(struct tx *tx, const struct vault *vault, view issuer, struct arena *arena,
    view *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	view path;

	*out = V("");
	if (!account_path(arena, vault, issuer, &path, err) ||
	    !tx_get(tx, vault->key, path, &document, err))
		return false;
	return document == NULL || arena_copy(arena, plain_view(document), out) ||
	    error_memory(err);
}

bool
acme_account_write(struct tx *tx, const struct vault *vault, view issuer, view account,
    struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	buf_add(&document, account);
	if (!buf_ok(&document))
		return error_memory(err);
	return account_path(tx->arena, vault, issuer, &path, err) &&
	    tx_put(tx, vault->key, path, &document, err);
}

bool
acme_account_delete(struct tx *tx, const struct vault *vault, view issuer, struct error *err)
{
	view path;

	return account_path(tx->arena, vault, issuer, &path, err) && tx_delete(tx, path, err);
}

static bool
make_account(const struct enrol_ask *ask, struct arena *arena, struct key *key, view *packed,
    struct error *err)
{
	const struct key_spec spec = { .kind = KEY_EC, .curve = KEY_P256, .bits = 256 };
	AUTO(buf_free) struct buf document = { 0 };

	if (!material_make(ask->services->keyring, ask->vault->key, &spec, arena, &key->material,
		err))
		return false;
	key_pack(key, &document);
	return (buf_ok(&document) && arena_copy(arena, buf_view(&document), packed)) ||
	    error_memory(err);
}

/* What the client needs of us while it takes a step. */
struct helping {
	const struct enrol_ask *ask;
	struct arena *arena;
	const struct key *account;
	struct acme_turn *turn;
};

static bool
sign(void *ctx, view message, uint8_t out[ACME_SIGNATURE_LEN], struct error *err)
{
	const struct helping *helping = ctx;
	uint8_t digest[SHA256_LEN];
	const struct key_message in = { .value = { (const char *)digest, sizeof(digest) } };
	struct key_result result;

	if (!sha256(&message, 1, digest, err) ||
	    !material_use(helping->ask->services->keyring, helping->ask->vault->key, 0,
		&helping->account->material, key_algorithm_find(V("ES256")), KEY_SIGN, &in,
		helping->arena, &result, err))
		return false;
	if (result.value.len != ACME_SIGNATURE_LEN)
		return error_set(err, ERR_INTERNAL, "a signature has another length");
	memcpy(out, result.value.ptr, ACME_SIGNATURE_LEN);
	return true;
}

static bool
run_hook(const struct helping *helping, const struct acme_proof *proof, bool add, struct error *err)
{
	return dns_hook_run(helping->ask->services->outside->acme_dns_hook, add, proof->name,
	    proof->value, err);
}

/* By HTTP-01 it is seen once the transaction that writes it is through. */
static bool
show(void *ctx, const struct acme_proof *proof, struct error *err)
{
	const struct helping *helping = ctx;

	if (proof->kind == ACME_DNS_01)
		return run_hook(helping, proof, true, err);
	helping->turn->shown_value = proof->value;
	return arena_copy(helping->arena, proof->token, &helping->turn->shown) || error_memory(err);
}

static bool
hide(void *ctx, const struct acme_proof *proof, struct error *err)
{
	const struct helping *helping = ctx;

	if (proof->kind == ACME_DNS_01)
		return run_hook(helping, proof, false, err);
	return arena_copy(helping->arena, proof->token, &helping->turn->hidden) ||
	    error_memory(err);
}

/* What the request is for.  ACME proves hosts and addresses, and nothing else. */
static bool
take_names(const struct csr *csr, struct arena *arena, struct acme *acme, struct error *err)
{
	const struct alt_names *alt = &csr->profile.alt;
	size_t dns = alt->of[ALT_DNS].count, ip = alt->of[ALT_IP].count;
	struct acme_name *names = arena_alloc(arena, (dns + ip + 1) * sizeof(*names));

	if (names == NULL)
		return error_memory(err);
	if (alt->of[ALT_EMAIL].count + alt->of[ALT_UPN].count + alt->of[ALT_URI].count > 0)
		return error_set(err, ERR_BAD_PARAMETER,
		    "ACME certifies host names and addresses only.");
	if (dns + ip == 0 || dns + ip > ACME_NAMES_MAX)
		return error_set(err, ERR_BAD_PARAMETER,
		    "ACME needs 1 to %d host names or addresses in sans.", ACME_NAMES_MAX);
	for (size_t i = 0; i < dns; i++)
		names[i] = (struct acme_name){ false, alt->of[ALT_DNS].items[i] };
	for (size_t i = 0; i < ip; i++)
		names[dns + i] = (struct acme_name){ true, alt->of[ALT_IP].items[i] };
	acme->names = names;
	acme->name_count = dns + ip;
	return true;
}

static bool
take_emails(const struct issuer *issuer, struct arena *arena, struct acme *acme, struct error *err)
{
	view *emails = arena_alloc(arena, (issuer->admin_count + 1) * sizeof(*emails));

	if (emails == NULL)
		return error_memory(err);
	for (size_t i = 0; i < issuer->admin_count; i++) {
		if (issuer->admins[i].email.given)
			emails[acme->email_count++] = issuer->admins[i].email.text;
	}
	acme->emails = emails;
	return true;
}

/* Checked when the issuer was written: both or neither, and the key is base64url. */
static bool
take_binding(const struct issuer *issuer, struct arena *arena, struct acme *acme, struct error *err)
{
	view text = issuer->password.text;
	char *key = arena_alloc(arena, text.len + 4);
	size_t len = 0;

	if (key == NULL)
		return error_memory(err);
	if (text.len > 0 && !base64_decode(BASE64URL, text, key, &len))
		return error_set(err, ERR_BAD_PARAMETER, "The issuer's pwd is not base64url.");
	acme->binding_id = issuer->account.text;
	acme->binding_key = (view){ key, len };
	return true;
}

static bool
describe(const struct enrol_ask *ask, const struct issuer *issuer, const struct csr *csr,
    struct arena *arena, struct acme *acme, struct error *err)
{
	const struct outside *outside = ask->services->outside;
	view directory;

	if (!arena_copy(arena, issuer->organization.text, &directory))
		return error_memory(err);
	acme->directory = directory.ptr;
	acme->more_ca_file = outside->acme_ca;
	acme->http = outside->acme_http;
	acme->dns = outside->acme_dns_hook != NULL;
	acme->csr = ask->csr;
	return take_names(csr, arena, acme, err) && take_emails(issuer, arena, acme, err) &&
	    take_binding(issuer, arena, acme, err);
}

static bool
unreadable(struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER, "The ACME server's chain can't be read.");
}

static bool
add_certificate(view text, struct arena *arena, struct views *bag, struct error *err)
{
	char *der = arena_alloc(arena, pem_room(text));
	size_t len;

	if (der == NULL)
		return error_memory(err);
	if (bag->count == CHAIN_BAG_MAX || !pem_decode(text, der, &len))
		return unreadable(err);
	bag->items[bag->count++] = (view){ der, len };
	return true;
}

/* RFC 8555, 9.1: blocks of PEM, and nothing else that matters. */
static bool
read_pem(view pem, struct arena *arena, struct views *bag, struct error *err)
{
	enum pem_found found;
	struct pem_block block;

	bag->items = arena_alloc(arena, CHAIN_BAG_MAX * sizeof(*bag->items));
	bag->count = 0;
	if (bag->items == NULL)
		return error_memory(err);
	while ((found = pem_next(&pem, &block)) == PEM_BLOCK) {
		if (view_eq(block.label, PEM_CERTIFICATE) &&
		    !add_certificate(block.body, arena, bag, err))
			return false;
	}
	return found == PEM_NONE || unreadable(err);
}

/* The certificate of our key, and what belongs to it. */
static bool
take_chain(view pem, const struct csr *csr, struct arena *arena, struct views *out,
    struct error *err)
{
	struct views bag;
	struct chain chain;

	if (!read_pem(pem, arena, &bag, err) || !chain_order(&bag, csr->spki, arena, &chain, err))
		return false;
	out->items = arena_alloc(arena, chain.count * sizeof(*out->items));
	if (out->items == NULL)
		return error_memory(err);
	out->count = chain.linked > 0 ? chain.linked : 1;
	for (size_t i = 0; i < out->count; i++)
		out->items[i] = chain.certificates[i].der;
	return true;
}

static bool
keep_state(const struct acme_state *state, struct arena *arena, struct acme_turn *turn,
    struct error *err)
{
	AUTO(buf_free) struct buf packed = { 0 };

	acme_pack(state, &packed);
	return (buf_ok(&packed) && arena_copy(arena, buf_view(&packed), &turn->state)) ||
	    error_memory(err);
}

static bool
say(struct acme_turn *turn, struct arena *arena, const char *text, struct error *err)
{
	return arena_copy(arena, view_of(text), &turn->message) || error_memory(err);
}

static bool
take_step(const struct acme *acme, const struct csr *csr, struct acme_state *state,
    struct arena *arena, struct acme_turn *turn, struct error *err)
{
	AUTO(buf_free) struct buf pem = { 0 };
	struct error problem;

	if (!acme_step(acme, state, arena, &turn->wait, &pem, &problem)) {
		turn->busy = problem.code == ERR_UNAVAILABLE;
		turn->failed = !turn->busy;
		return say(turn, arena, problem.message, err);
	}
	if (state->stage != ACME_DONE)
		return say(turn, arena, acme_stage_name(state->stage), err);
	/* A link that could not be checked must not end the chain, which is kept. */
	starved_begin();
	turn->done =
	    starved_judge(take_chain(buf_view(&pem), csr, arena, &turn->chain, &problem), &problem);
	if (!turn->done && problem.code == ERR_UNAVAILABLE) { /* to be fetched again */
		*err = problem;
		return false;
	}
	turn->failed = !turn->done;
	return turn->done || say(turn, arena, problem.message, err);
}

bool
acme_turn_take(const struct enrol_ask *ask, const struct issuer *issuer, const view *account,
    struct arena *arena, view state, struct acme_turn *out, struct error *err)
{
	struct key key = { 0 };
	struct helping helping = { ask, arena, &key, out };
	struct acme acme = { .sign = sign, .show = show, .hide = hide, .ctx = &helping };
	struct acme_state at = { 0 };
	struct error problem;
	struct csr csr;

	*out = (struct acme_turn){ 0 };
	if (account->len == 0 ? !make_account(ask, arena, &key, &out->account, err)
			      : !key_unpack(*account, &key))
		return account->len == 0
		    ? false
		    : error_set(err, ERR_CORRUPT, "an account's key can't be read");
	if (state.len > 0 && !acme_unpack(state, &at))
		return error_set(err, ERR_CORRUPT, "an issuance's state can't be read");
	memcpy(acme.x, key.material.public.x.ptr, sizeof(acme.x));
	memcpy(acme.y, key.material.public.y.ptr, sizeof(acme.y));
	if (!csr_read(ask->csr, arena, &csr, &problem) ||
	    !describe(ask, issuer, &csr, arena, &acme, &problem)) {
		if (problem.code == ERR_UNAVAILABLE) {
			*err = problem;
			return false;
		}
		out->failed = true;
		return say(out, arena, problem.message, err);
	}
	return take_step(&acme, &csr, &at, arena, out, err) && keep_state(&at, arena, out, err);
}
