#include "base/json.h"
#include "base/pack.h"
#include "identity/trust.h"

#define FORMAT 1
#define AUDIENCE_TEXT_MAX 600

static bool
path_of(struct arena *arena, const struct uuid *tenant, view name, view *out, struct error *err)
{
	char *at;

	if (!arena_print(arena, out, "t/%s/issuer/%.*s", tenant->text, VIEW_ARG(name)))
		return error_memory(err);
	at = (char *)(uintptr_t)out->ptr + out->len - name.len;
	for (size_t i = 0; i < name.len; i++)
		at[i] = ascii_lower(at[i]);
	return true;
}

bool
trusted_issuer_unpack(view document, struct trusted_issuer *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	struct trusted_issuer issuer = { 0 };
	bool fine = unpack_u8(&in) == FORMAT && uuid_parse(unpack_bytes(&in), &issuer.tenant);

	issuer.name = unpack_bytes(&in);
	issuer.issuer = unpack_bytes(&in);
	issuer.claim = unpack_bytes(&in);
	issuer.created = unpack_i64(&in);
	issuer.audience_count = unpack_u32(&in);
	for (size_t i = 0; i < issuer.audience_count && i < TRUSTED_AUDIENCES_MAX; i++)
		issuer.audiences[i] = unpack_bytes(&in);
	if (!fine || issuer.audience_count > TRUSTED_AUDIENCES_MAX || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "A trusted issuer's document is not readable.");
	*out = issuer;
	return true;
}

bool
trusted_issuer_get(struct tx *tx, const struct uuid *tenant, view name, enum store_use use,
    struct plain **document, struct trusted_issuer *out, bool *found, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	view path;

	if (!path_of(tx->arena, tenant, name, &path, err) ||
	    !directory_read(tx, path, use, &plain, err))
		return false;
	*found = plain != NULL;
	if (plain == NULL)
		return true;
	if (!trusted_issuer_unpack(plain_view(plain), out, err))
		return false;
	*document = plain;
	plain = NULL;
	return true;
}

static bool
text_good(view text, size_t max)
{
	return text.len > 0 && text.len <= max && utf8_valid(text);
}

static bool
check(const struct trusted_issuer *issuer, struct error *err)
{
	if (!issuer_url_good(issuer->issuer))
		return error_set(err, ERR_BAD_REQUEST,
		    "The issuer must be an https URL of at most %d characters, without user, query "
		    "and fragment.",
		    ISSUER_URL_MAX);
	if (!text_good(issuer->claim, TRUSTED_CLAIM_MAX))
		return error_set(err, ERR_BAD_REQUEST,
		    "The subject's claim must have 1 to %d characters.", TRUSTED_CLAIM_MAX);
	if (issuer->audience_count == 0)
		return error_set(err, ERR_BAD_REQUEST, "At least one audience is needed.");
	for (size_t i = 0; i < issuer->audience_count; i++) {
		if (!text_good(issuer->audiences[i], AUDIENCE_TEXT_MAX))
			return error_set(err, ERR_BAD_REQUEST,
			    "An audience must have 1 to %d characters.", AUDIENCE_TEXT_MAX);
	}
	return true;
}

/* Is there another with the same issuer, and how many others are there? */
struct others {
	const struct trusted_issuer *wanted;
	size_t count;
	bool same;
};

static bool
count_other(void *ctx, const struct trusted_issuer *issuer)
{
	struct others *others = ctx;

	if (view_ieq(issuer->name, others->wanted->name))
		return true;
	others->count++;
	others->same |= view_eq(issuer->issuer, others->wanted->issuer);
	return true;
}

bool
trusted_issuer_put(struct tx *tx, const struct trusted_issuer *issuer, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	struct others others = { .wanted = issuer };
	view path;

	if (!check(issuer, err) ||
	    !trusted_issuer_walk(tx, &issuer->tenant, count_other, &others, err) ||
	    !path_of(tx->arena, &issuer->tenant, issuer->name, &path, err))
		return false;
	if (others.same)
		return error_set(err, ERR_CONFLICT, "The issuer is trusted by another name.");
	if (others.count >= TRUSTED_PER_TENANT_MAX)
		return error_set(err, ERR_CONFLICT, "A tenant can trust at most %d issuers.",
		    TRUSTED_PER_TENANT_MAX);
	pack_u8(&document, FORMAT);
	pack_bytes(&document, uuid_view(&issuer->tenant));
	pack_bytes(&document, issuer->name);
	pack_bytes(&document, issuer->issuer);
	pack_bytes(&document, issuer->claim);
	pack_i64(&document, issuer->created);
	pack_u32(&document, (uint32_t)issuer->audience_count);
	for (size_t i = 0; i < issuer->audience_count; i++)
		pack_bytes(&document, issuer->audiences[i]);
	return tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

bool
trusted_issuer_delete(struct tx *tx, const struct uuid *tenant, view name, struct error *err)
{
	view path;

	return path_of(tx->arena, tenant, name, &path, err) && tx_delete(tx, path, err);
}

struct visit {
	trusted_issuer_visit *visit;
	void *ctx;
};

static bool
visit_document(void *ctx, view document, bool *more, struct error *err)
{
	const struct visit *visit = ctx;
	struct trusted_issuer issuer;

	if (!trusted_issuer_unpack(document, &issuer, err))
		return false;
	*more = visit->visit(visit->ctx, &issuer);
	return true;
}

bool
trusted_issuer_walk(struct tx *tx, const struct uuid *tenant, trusted_issuer_visit *visit,
    void *ctx, struct error *err)
{
	struct visit all = { visit, ctx };
	view prefix;
	bool end;

	return path_of(tx->arena, tenant, V(""), &prefix, err) &&
	    directory_walk(tx, prefix, V(""), (size_t)2 * TRUSTED_PER_TENANT_MAX, visit_document,
		&all, &end, err);
}
