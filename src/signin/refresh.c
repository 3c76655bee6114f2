#include "signin/refresh.h"

#include "base/base64.h"
#include "base/pack.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "signin/refresh_store.h"

#include <string.h>

#define PREFIX V("1.")

/* "1.<user>.<family>.<secret>" */
static bool
token_parse(view token, struct refresh_name *name, uint8_t secret[REFRESH_SECRET_LEN])
{
	char bytes[REFRESH_SECRET_TEXT + 2];
	uint8_t id[HEX16_LEN / 2];
	view user, family;
	size_t len;

	if (!view_starts(token, PREFIX))
		return false;
	token = view_from(token, PREFIX.len);
	user = view_cut(&token, '.');
	family = view_cut(&token, '.');
	if (!uuid_parse(user, &name->user) || family.len != HEX16_LEN || !hex_decode(family, id) ||
	    token.len != REFRESH_SECRET_TEXT || !base64_decode(BASE64URL, token, bytes, &len) ||
	    len != REFRESH_SECRET_LEN)
		return false;
	hex_encode((view){ (const char *)id, sizeof(id) }, name->family);
	name->family[HEX16_LEN] = '\0';
	memcpy(secret, bytes, REFRESH_SECRET_LEN);
	explicit_bzero(bytes, sizeof(bytes));
	return true;
}

static void
token_write(const struct refresh_name *name, const uint8_t secret[REFRESH_SECRET_LEN],
    struct buf *out)
{
	buf_add(out, PREFIX);
	buf_add(out, uuid_view(&name->user));
	buf_add_char(out, '.');
	buf_add(out, view_of(name->family));
	buf_add_char(out, '.');
	base64_encode(BASE64URL, (view){ (const char *)secret, REFRESH_SECRET_LEN }, out);
}

static bool
digest(const uint8_t secret[REFRESH_SECRET_LEN], uint8_t out[SHA256_LEN], struct error *err)
{
	return sha256(&(view){ (const char *)secret, REFRESH_SECRET_LEN }, 1, out, err);
}

/* The one that follows ${secret}, in its place. */
static bool
advance(uint8_t secret[REFRESH_SECRET_LEN], const uint8_t nonce[REFRESH_NONCE_LEN],
    struct error *err)
{
	return hmac_sha256((view){ (const char *)secret, REFRESH_SECRET_LEN },
	    (view){ (const char *)nonce, REFRESH_NONCE_LEN }, secret, err);
}

/* One more comes: the oldest families give way. */
static bool
make_room(struct tx *tx, const struct refresh_name *name, struct error *err)
{
	view prefix, *keys = NULL;
	size_t count = 0;

	if (!refresh_prefix(tx->arena, &name->tenant, &name->user, &prefix, err) ||
	    !store_keys(tx->reader, prefix, V(""), (size_t)2 * REFRESH_FAMILIES_MAX, tx->arena,
		&keys, &count, err))
		return false;
	for (size_t i = 0; i + REFRESH_FAMILIES_MAX <= count; i++) {
		if (!tx_delete(tx, keys[i], err))
			return false;
	}
	return true;
}

bool
refresh_begin(struct tx *tx, const struct refresh_name *name, const struct refresh_facts *facts,
    int64_t now, struct buf *token, struct error *err)
{
	struct refresh_family family = { .facts = *facts, .used = now };
	uint8_t secret[REFRESH_SECRET_LEN];
	bool there;

	/* Also says that the commit is refused when it is revoked meanwhile (refresh_revoke). */
	if (!refresh_family_take(tx, name, &family, &there, err))
		return false;
	if (there)
		return error_set(err, ERR_STS_BAD_GRANT,
		    "AADSTS50173: The sign-in has been revoked.");
	family.facts.created = now;
	random_bytes(secret, sizeof(secret));
	if (!digest(secret, family.current, err) || !make_room(tx, name, err) ||
	    !refresh_family_put(tx, name, &family, err))
		return false;
	token_write(name, secret, token);
	explicit_bzero(secret, sizeof(secret));
	return buf_ok(token) || error_memory(err);
}

static void
forget_old(struct refresh_family *family, int64_t now)
{
	size_t old = 0;

	while (old < family->count && now - family->before[old].at >= REFRESH_GRACE)
		old++;
	family->count -= old;
	memmove(family->before, family->before + old, family->count * sizeof(family->before[0]));
}

static bool
same(const uint8_t a[SHA256_LEN], const uint8_t b[SHA256_LEN])
{
	return constant_time_equal((view){ (const char *)a, SHA256_LEN },
	    (view){ (const char *)b, SHA256_LEN });
}

/*
 * The next one instead of the current.  More within a minute than are remembered: then it stays as
 * it is for once, so that none of them counts as copied.
 */
static bool
rotate(struct refresh_family *family, uint8_t secret[REFRESH_SECRET_LEN], int64_t now,
    struct error *err)
{
	struct refresh_before *before = &family->before[family->count];

	family->used = now;
	if (family->count == REFRESH_BEFORE_MAX)
		return true;
	before->at = now;
	memcpy(before->digest, family->current, SHA256_LEN);
	random_bytes(before->nonce, sizeof(before->nonce));
	family->count++;
	return advance(secret, before->nonce, err) && digest(secret, family->current, err);
}

/* From one of the last minute's to the current one. */
static bool
catch_up(const struct refresh_family *family, uint8_t secret[REFRESH_SECRET_LEN],
    const uint8_t presented[SHA256_LEN], bool *found, struct error *err)
{
	*found = false;
	for (size_t i = 0; i < family->count; i++) {
		*found = *found || same(family->before[i].digest, presented);
		if (*found && !advance(secret, family->before[i].nonce, err))
			return false;
	}
	return true;
}

/* The family is neither expired nor revoked: the token decides. */
static bool
judge(struct tx *tx, const struct refresh_name *name, struct refresh_family *family,
    uint8_t secret[REFRESH_SECRET_LEN], int64_t now, enum refresh_verdict *out, struct error *err)
{
	uint8_t presented[SHA256_LEN];
	bool found = false;

	forget_old(family, now);
	*out = REFRESH_FINE;
	if (!digest(secret, presented, err))
		return false;
	if (same(presented, family->current))
		return rotate(family, secret, now, err) &&
		    refresh_family_put(tx, name, family, err);
	if (!catch_up(family, secret, presented, &found, err))
		return false;
	if (found)
		return true;
	*out = REFRESH_REUSED;
	family->revoked = true;
	family->used = now;
	return refresh_family_put(tx, name, family, err);
}

static bool
use(struct tx *tx, uint8_t secret[REFRESH_SECRET_LEN], int64_t now, struct refresh_use *out,
    enum refresh_verdict *verdict, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct refresh_family family = { .used = 0 };
	bool there;

	if (!refresh_family_take(tx, &out->name, &family, &there, err))
		return false;
	out->facts = family.facts;
	*verdict = !there                          ? REFRESH_UNKNOWN
	    : family.revoked                       ? REFRESH_REVOKED
	    : refresh_family_expired(&family, now) ? REFRESH_EXPIRED
						   : REFRESH_FINE;
	if (*verdict != REFRESH_FINE)
		return true;
	if (!judge(tx, &out->name, &family, secret, now, verdict, err))
		return false;
	if (*verdict != REFRESH_FINE)
		return true;
	token_write(&out->name, secret, &text);
	return (buf_ok(&text) && arena_copy(tx->arena, buf_view(&text), &out->next)) ||
	    error_memory(err);
}

bool
refresh_use(struct tx *tx, const struct uuid *tenant, view token, int64_t now,
    struct refresh_use *out, enum refresh_verdict *verdict, struct error *err)
{
	uint8_t secret[REFRESH_SECRET_LEN];
	bool fine;

	*verdict = REFRESH_UNKNOWN;
	*out = (struct refresh_use){ .name.tenant = *tenant };
	if (!token_parse(token, &out->name, secret))
		return true;
	fine = use(tx, secret, now, out, verdict, err);
	explicit_bzero(secret, sizeof(secret));
	return fine;
}

bool
refresh_revoke(struct tx *tx, const struct refresh_name *name, int64_t now, struct error *err)
{
	struct refresh_family family = { .used = now };
	bool there;

	if (!refresh_family_take(tx, name, &family, &there, err))
		return false;
	if (!there)
		family.facts.created = now;
	family.revoked = true;
	family.used = now;
	return refresh_family_put(tx, name, &family, err);
}
