#include "pki/chain.h"

/* The bag, read, each certificate once; and which of them have found their place. */
struct bag {
	struct x509 items[CHAIN_BAG_MAX];
	bool placed[CHAIN_BAG_MAX];
	size_t count;
	unsigned verifies; /* that are left */
};

static bool
is_there(const struct bag *bag, view der)
{
	for (size_t i = 0; i < bag->count; i++) {
		if (view_eq(bag->items[i].der, der))
			return true;
	}
	return false;
}

static bool
read_bag(const struct views *in, struct arena *arena, struct bag *bag, struct error *err)
{
	if (in->count > CHAIN_BAG_MAX)
		return error_set(err, ERR_BAD_PARAMETER, "There are more than %d certificates.",
		    CHAIN_BAG_MAX);
	for (size_t i = 0; i < in->count; i++) {
		if (is_there(bag, in->items[i]))
			continue;
		if (!x509_read(in->items[i], arena, &bag->items[bag->count], err))
			return false;
		bag->count++;
	}
	return true;
}

static bool
find_leaf(const struct bag *bag, view spki, size_t *leaf, struct error *err)
{
	bool found = false;

	for (size_t i = 0; i < bag->count; i++) {
		if (!view_eq(bag->items[i].spki, spki))
			continue;
		if (!found || bag->items[i].not_after > bag->items[*leaf].not_after)
			*leaf = i;
		found = true;
	}
	return found ||
	    error_set(err, ERR_BAD_PARAMETER,
		"None of the certificates is for the certificate's key.");
}

static bool
is_self_issued(const struct x509 *certificate)
{
	return view_eq(certificate->issuer, certificate->profile.subject) &&
	    (certificate->issuer_key_id.len == 0 || certificate->key_id.len == 0 ||
		view_eq(certificate->issuer_key_id, certificate->key_id));
}

/* Cheap: names and key identifiers.  What passes is worth a verification. */
static bool
may_have_signed(const struct x509 *issuer, const struct x509 *certificate)
{
	return view_eq(certificate->issuer, issuer->profile.subject) &&
	    (certificate->issuer_key_id.len == 0 || issuer->key_id.len == 0 ||
		view_eq(certificate->issuer_key_id, issuer->key_id));
}

static bool
find_issuer(struct bag *bag, const struct x509 *certificate, size_t *issuer)
{
	if (is_self_issued(certificate))
		return false;
	for (size_t i = 0; i < bag->count; i++) {
		if (bag->placed[i] || !may_have_signed(&bag->items[i], certificate))
			continue;
		if (bag->verifies == 0)
			return false;
		bag->verifies--;
		if (x509_signed_by(certificate, &bag->items[i])) {
			*issuer = i;
			return true;
		}
	}
	return false;
}

/* From the leaf on; each certificate is placed once, so that a circle ends where it began. */
static bool
follow(struct bag *bag, size_t leaf, struct chain *out, struct error *err)
{
	size_t at = leaf;

	do {
		if (out->linked == CHAIN_DEPTH_MAX)
			return error_set(err, ERR_BAD_PARAMETER,
			    "The chain is longer than %d certificates.", CHAIN_DEPTH_MAX);
		bag->placed[at] = true;
		out->certificates[out->linked++] = bag->items[at];
	} while (find_issuer(bag, &bag->items[at], &at));
	return true;
}

static bool
open_bag(const struct views *in, view spki, struct arena *arena, struct bag **bag,
    struct chain *chain, size_t *leaf, struct error *err)
{
	struct bag *made = arena_alloc(arena, sizeof(*made));

	if (made == NULL)
		return error_memory(err);
	made->verifies = CHAIN_VERIFIES_MAX;
	if (!read_bag(in, arena, made, err) || !find_leaf(made, spki, leaf, err))
		return false;
	chain->certificates = arena_alloc(arena, made->count * sizeof(struct x509));
	if (chain->certificates == NULL)
		return error_memory(err);
	*bag = made;
	return true;
}

bool
chain_order(const struct views *bag, view spki, struct arena *arena, struct chain *out,
    struct error *err)
{
	struct chain made = { 0 };
	struct bag *read;
	size_t leaf;

	if (!open_bag(bag, spki, arena, &read, &made, &leaf, err) ||
	    !follow(read, leaf, &made, err))
		return false;
	made.count = made.linked;
	for (size_t i = 0; i < read->count; i++) {
		if (!read->placed[i])
			made.certificates[made.count++] = read->items[i];
	}
	*out = made;
	return true;
}

bool
chain_keep(const struct views *bag, view spki, struct arena *arena, struct chain *out, size_t *leaf,
    struct error *err)
{
	struct chain made = { 0 };
	struct bag *read;
	size_t found;

	if (!open_bag(bag, spki, arena, &read, &made, &found, err) ||
	    !follow(read, found, &made, err))
		return false;
	for (size_t i = 0; i < read->count; i++)
		made.certificates[i] = read->items[i];
	made.count = read->count;
	made.linked = 0;
	*leaf = found;
	*out = made;
	return true;
}
