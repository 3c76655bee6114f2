#include "identity/host.h"

#include "base/base64.h"
#include "base/clock.h"
#include "crypto/publickey.h"
#include "crypto/random.h"
#include "identity/jwt.h"
#include "identity/managed.h"

#define KEY_TEXT_MAX ((size_t)24 * 1024)
#define FOREVER INT64_C(253402300799) /* the end of the year 9999 */

bool
host_key_read(view text, struct buf *spki, struct error *err)
{
	AUTO(public_key_done) struct public_key *key = NULL;
	AUTO(buf_free) struct buf der = { 0 };
	struct error why;
	char *room;

	if (text.len > KEY_TEXT_MAX)
		return error_set(err, ERR_BAD_REQUEST, "The public key is too long.");
	room = buf_room(&der, text.len + 1);
	if (room == NULL)
		return error_memory(err);
	if (!base64_decode(BASE64, text, room, &der.len) ||
	    (!public_key_from_spki(buf_view(&der), &key, &why) &&
		!public_key_from_certificate(buf_view(&der), &key, &why)))
		return error_set(err, ERR_BAD_REQUEST,
		    "The public key must be base64 of a SubjectPublicKeyInfo or a certificate in "
		    "DER, with an RSA key of at least 2048 bits or an EC key.");
	return public_key_spki(key, spki, err);
}

bool
host_set_key(struct tx *tx, const struct uuid *object, view spki, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration host;

	if (!managed_identity_take(tx, object, &document, &host, err))
		return false;
	host.certificates[0] = (struct client_certificate){ .name = V("host"),
		.der = spki,
		.start = clock_wall(),
		.end = FOREVER };
	random_uuid(&host.certificates[0].id);
	host.certificate_count = 1;
	return registration_put(tx, &host, err);
}

/* Whom an assertion is from, by its own word; false when it has none. */
static bool
issuer_of(view assertion, struct uuid *out)
{
	AUTO(arena_free) struct arena arena = { 0 };
	struct jwt_claims claims;
	struct error ignored;
	struct jwt jwt;

	arena_init(&arena, JWT_ARENA_MAX);
	return jwt_parse(assertion, ASSERTION_HEADER_MAX, &arena, &jwt, &ignored) &&
	    jwt_claims_read(jwt.payload, &arena, &claims, &ignored) && uuid_parse(claims.iss, out);
}

bool
host_find(struct tx *tx, const struct uuid *tenant, view assertion, struct plain **document,
    struct registration *out, bool *found, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct uuid issuer;
	struct error why;

	*found = false;
	if (!issuer_of(assertion, &issuer))
		return true;
	if (!registration_get(tx, uuid_view(tenant), uuid_view(&issuer), STORE_READ, &plain, out,
		&why)) {
		if (why.code == ERR_GRAPH_NOT_FOUND)
			return true;
		*err = why;
		return false;
	}
	*found = out->kind == REGISTRATION_IDENTITY && out->certificate_count > 0;
	if (*found) {
		*document = plain;
		plain = NULL;
	}
	return true;
}

static bool
named(const struct registration *registration, view name)
{
	return view_ieq(name, uuid_view(&registration->id)) ||
	    view_ieq(name, uuid_view(&registration->object)) ||
	    (registration->resource.len > 0 && view_ieq(name, registration->resource));
}

/* An identity that was deleted meanwhile is attached to nothing. */
static bool
attached_at(struct tx *tx, const struct registration *host, size_t at, struct plain **document,
    struct registration *out, bool *found, struct error *err)
{
	enum object_kind kind = OBJECT_SERVICE_PRINCIPAL;
	struct error why;

	*found = registration_by_object(tx, uuid_view(&host->attached[at]), &kind, STORE_READ,
	    document, out, &why);
	if (!*found && why.code != ERR_GRAPH_NOT_FOUND) {
		*err = why;
		return false;
	}
	*found = *found && out->kind == REGISTRATION_IDENTITY &&
	    view_eq(uuid_view(&out->tenant), uuid_view(&host->tenant));
	return true;
}

bool
host_identity(struct tx *tx, const struct registration *host, view name, struct plain **document,
    struct registration *out, struct error *err)
{
	if (named(host, name))
		return registration_get(tx, uuid_view(&host->tenant), uuid_view(&host->id),
		    STORE_READ, document, out, err);
	for (size_t i = 0; i < host->attached_count; i++) {
		AUTO(plain_done) struct plain *plain = NULL;
		bool found;

		if (!attached_at(tx, host, i, &plain, out, &found, err))
			return false;
		if (!found || !named(out, name))
			continue;
		*document = plain;
		plain = NULL;
		return true;
	}
	return error_set(err, ERR_GRAPH_NOT_FOUND, "The host has no such identity.");
}
