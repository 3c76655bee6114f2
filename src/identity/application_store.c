#include "identity/application_store.h"

#include "base/pack.h"
#include "base/uuid.h"
#include "crypto/random.h"

#include <string.h>

#define FORMAT 2
#define FORMAT_PLAIN 1 /* without what pack_more adds */

static void
pack_fixed(struct buf *out, const void *bytes, size_t len)
{
	pack_bytes(out, (view){ bytes, len });
}

static void
unpack_fixed(struct unpack *in, void *out, size_t len)
{
	view bytes = unpack_bytes(in);

	if (bytes.len == len)
		memcpy(out, bytes.ptr, len);
	else
		in->failed = true;
}

static void
unpack_uuid(struct unpack *in, struct uuid *out)
{
	if (!uuid_parse(unpack_bytes(in), out))
		in->failed = true;
}

static void
pack_secret(struct buf *out, const struct client_secret *secret)
{
	pack_bytes(out, uuid_view(&secret->id));
	pack_bytes(out, secret->name);
	pack_i64(out, secret->start);
	pack_i64(out, secret->end);
	pack_fixed(out, secret->hint, sizeof(secret->hint));
	pack_fixed(out, secret->salt, sizeof(secret->salt));
	pack_fixed(out, secret->hash, sizeof(secret->hash));
}

static void
unpack_secret(struct unpack *in, struct client_secret *out)
{
	unpack_uuid(in, &out->id);
	out->name = unpack_bytes(in);
	out->start = unpack_i64(in);
	out->end = unpack_i64(in);
	unpack_fixed(in, out->hint, sizeof(out->hint));
	unpack_fixed(in, out->salt, sizeof(out->salt));
	unpack_fixed(in, out->hash, sizeof(out->hash));
}

static void
pack_certificate(struct buf *out, const struct client_certificate *certificate)
{
	pack_bytes(out, uuid_view(&certificate->id));
	pack_bytes(out, certificate->name);
	pack_bytes(out, certificate->der);
	pack_i64(out, certificate->start);
	pack_i64(out, certificate->end);
}

static void
unpack_certificate(struct unpack *in, struct client_certificate *out)
{
	unpack_uuid(in, &out->id);
	out->name = unpack_bytes(in);
	out->der = unpack_bytes(in);
	out->start = unpack_i64(in);
	out->end = unpack_i64(in);
}

static void
pack_federated(struct buf *out, const struct federated_credential *credential)
{
	pack_bytes(out, uuid_view(&credential->id));
	pack_bytes(out, credential->name);
	pack_bytes(out, credential->issuer);
	pack_bytes(out, credential->subject);
	pack_bytes(out, credential->audience);
	pack_bytes(out, credential->description);
}

static void
unpack_federated(struct unpack *in, struct federated_credential *out)
{
	unpack_uuid(in, &out->id);
	out->name = unpack_bytes(in);
	out->issuer = unpack_bytes(in);
	out->subject = unpack_bytes(in);
	out->audience = unpack_bytes(in);
	out->description = unpack_bytes(in);
}

static void
pack_redirect(struct buf *out, const struct registration *from, size_t i)
{
	pack_u8(out, (uint8_t)from->redirect_kinds[i]);
	pack_bytes(out, from->redirects[i]);
}

static void
unpack_redirect(struct unpack *in, struct registration *out, size_t i)
{
	unsigned kind = unpack_u8(in);

	out->redirect_kinds[i] = kind <= REDIRECT_SPA ? (enum redirect_kind)kind : REDIRECT_WEB;
	out->redirects[i] = unpack_bytes(in);
}

static void
pack_more(const struct registration *from, struct buf *out)
{
	pack_u8(out, (uint8_t)from->kind);
	pack_u8(out, from->disabled);
	pack_u8(out, from->bare);
	pack_bytes(out, from->resource);
	pack_u32(out, (uint32_t)from->federated_count);
	for (size_t i = 0; i < from->federated_count; i++)
		pack_federated(out, &from->federated[i]);
	pack_u32(out, (uint32_t)from->redirect_count);
	for (size_t i = 0; i < from->redirect_count; i++)
		pack_redirect(out, from, i);
	pack_u32(out, (uint32_t)from->attached_count);
	for (size_t i = 0; i < from->attached_count; i++)
		pack_bytes(out, uuid_view(&from->attached[i]));
}

static void
unpack_more(struct unpack *in, struct registration *out)
{
	out->kind = unpack_u8(in) == REGISTRATION_IDENTITY ? REGISTRATION_IDENTITY
							   : REGISTRATION_APPLICATION;
	out->disabled = unpack_u8(in) == 1;
	out->bare = unpack_u8(in) == 1;
	out->resource = unpack_bytes(in);
	out->federated_count = unpack_u32(in);
	for (size_t i = 0; i < out->federated_count && i < APPLICATION_FEDERATED_MAX; i++)
		unpack_federated(in, &out->federated[i]);
	out->redirect_count = unpack_u32(in);
	for (size_t i = 0; i < out->redirect_count && i < APPLICATION_REDIRECTS_MAX; i++)
		unpack_redirect(in, out, i);
	out->attached_count = unpack_u32(in);
	for (size_t i = 0; i < out->attached_count && i < APPLICATION_ATTACHED_MAX; i++)
		unpack_uuid(in, &out->attached[i]);
	if (out->federated_count > APPLICATION_FEDERATED_MAX ||
	    out->redirect_count > APPLICATION_REDIRECTS_MAX ||
	    out->attached_count > APPLICATION_ATTACHED_MAX)
		in->failed = true;
}

static void
registration_pack(const struct registration *from, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_bytes(out, uuid_view(&from->tenant));
	pack_bytes(out, uuid_view(&from->id));
	pack_bytes(out, uuid_view(&from->object));
	pack_bytes(out, uuid_view(&from->own));
	pack_bytes(out, from->name);
	pack_u8(out, from->administrator);
	pack_i64(out, from->created);
	pack_u32(out, (uint32_t)from->secret_count);
	for (size_t i = 0; i < from->secret_count; i++)
		pack_secret(out, &from->secrets[i]);
	pack_u32(out, (uint32_t)from->certificate_count);
	for (size_t i = 0; i < from->certificate_count; i++)
		pack_certificate(out, &from->certificates[i]);
	pack_more(from, out);
}

static bool
registration_unpack(view document, struct registration *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	unsigned format = unpack_u8(&in);
	bool known = format == FORMAT || format == FORMAT_PLAIN;

	*out = (struct registration){ 0 };
	unpack_uuid(&in, &out->tenant);
	unpack_uuid(&in, &out->id);
	unpack_uuid(&in, &out->object);
	unpack_uuid(&in, &out->own);
	out->name = unpack_bytes(&in);
	out->administrator = unpack_u8(&in) == 1;
	out->created = unpack_i64(&in);
	out->secret_count = unpack_u32(&in);
	for (size_t i = 0; i < out->secret_count && i < APPLICATION_SECRETS_MAX; i++)
		unpack_secret(&in, &out->secrets[i]);
	out->certificate_count = unpack_u32(&in);
	for (size_t i = 0; i < out->certificate_count && i < APPLICATION_CERTIFICATES_MAX; i++)
		unpack_certificate(&in, &out->certificates[i]);
	if (format == FORMAT)
		unpack_more(&in, out);
	if (!known || !unpack_end(&in) || out->secret_count > APPLICATION_SECRETS_MAX ||
	    out->certificate_count > APPLICATION_CERTIFICATES_MAX)
		return error_set(err, ERR_CORRUPT, "An application's document is not readable.");
	return true;
}

static bool
application_path(struct tx *tx, view tenant, view appid, view *out, struct error *err)
{
	return arena_print(tx->arena, out, "t/%.*s/app/%.*s", VIEW_ARG(tenant), VIEW_ARG(appid)) ||
	    error_memory(err);
}

bool
registration_read(view document, struct registration *out, struct error *err)
{
	return registration_unpack(document, out, err);
}

bool
registration_get(struct tx *tx, view tenant, view appid, enum store_use use,
    struct plain **document, struct registration *out, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct uuid in, id;
	view path;

	if (!uuid_parse(tenant, &in) || !uuid_parse(appid, &id))
		return object_not_found(err, appid);
	if (!application_path(tx, uuid_view(&in), uuid_view(&id), &path, err) ||
	    !directory_read(tx, path, use, &plain, err))
		return false;
	if (plain == NULL)
		return object_not_found(err, appid);
	if (!registration_unpack(plain_view(plain), out, err))
		return false;
	*document = plain;
	plain = NULL;
	return true;
}

bool
registration_by_object(struct tx *tx, view object, enum object_kind *kind, enum store_use use,
    struct plain **document, struct registration *out, struct error *err)
{
	struct oid found;

	if (!oid_get(tx, object, STORE_READ, &found, err))
		return false;
	if (found.kind != OBJECT_APPLICATION && found.kind != OBJECT_SERVICE_PRINCIPAL)
		return object_not_found(err, object);
	if (*kind != OBJECT_ANY && *kind != found.kind)
		return object_not_found(err, object);
	*kind = found.kind;
	return registration_get(tx, uuid_view(&found.tenant), uuid_view(&found.id), use, document,
	    out, err);
}

bool
registration_put(struct tx *tx, const struct registration *registration, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	if (!application_path(tx, uuid_view(&registration->tenant), uuid_view(&registration->id),
		&path, err))
		return false;
	registration_pack(registration, &document);
	return tx_put(tx, keyring_system(tx->keyring), path, &document, err);
}

static struct oid
principal_of(const struct registration *registration)
{
	return (struct oid){
		.kind = OBJECT_SERVICE_PRINCIPAL,
		.tenant = registration->tenant,
		.id = registration->id,
		.identity = registration->kind == REGISTRATION_IDENTITY,
		.disabled = registration->disabled,
	};
}

/* A managed identity has no application object. */
static bool
add_objects(struct tx *tx, const struct registration *registration, struct error *err)
{
	struct oid object = principal_of(registration);

	if (!oid_add(tx, &registration->object, &object, err))
		return false;
	object.kind = OBJECT_APPLICATION;
	return object.identity || oid_add(tx, &registration->own, &object, err);
}

bool
registration_add(struct tx *tx, const struct registration *registration, struct error *err)
{
	AUTO(plain_done) struct plain *before = NULL;
	view path;

	if (!application_path(tx, uuid_view(&registration->tenant), uuid_view(&registration->id),
		&path, err) ||
	    !directory_read(tx, path, STORE_CHANGE, &before, err))
		return false;
	if (before != NULL)
		return object_taken(err, "appId");
	return registration_put(tx, registration, err) && add_objects(tx, registration, err);
}

bool
registration_enable(struct tx *tx, struct registration *registration, bool enabled,
    struct error *err)
{
	struct oid object;

	registration->disabled = !enabled;
	object = principal_of(registration);
	return oid_put(tx, &registration->object, &object, err);
}

bool
registration_drop_principal(struct tx *tx, struct registration *registration, struct error *err)
{
	registration->bare = true;
	registration->disabled = true;
	registration->administrator = false;
	return oid_delete(tx, &registration->object, err);
}

bool
registration_make_principal(struct tx *tx, struct registration *registration, struct error *err)
{
	struct oid object;

	registration->bare = false;
	registration->disabled = false;
	random_uuid(&registration->object);
	object = principal_of(registration);
	return oid_add(tx, &registration->object, &object, err);
}

bool
registration_delete(struct tx *tx, const struct registration *registration, struct error *err)
{
	view path;

	return application_path(tx, uuid_view(&registration->tenant), uuid_view(&registration->id),
		   &path, err) &&
	    tx_delete(tx, path, err) && oid_delete(tx, &registration->object, err) &&
	    (registration->kind == REGISTRATION_IDENTITY ||
		oid_delete(tx, &registration->own, err));
}

struct walk {
	registration_visit *visit;
	void *ctx;
};

static bool
visit_document(void *ctx, view document, bool *more, struct error *err)
{
	const struct walk *walk = ctx;
	struct registration registration;

	if (!registration_unpack(document, &registration, err))
		return false;
	*more = walk->visit(walk->ctx, &registration);
	return true;
}

bool
registration_walk(struct tx *tx, view tenant, view after, size_t limit, registration_visit *visit,
    void *ctx, bool *end, struct error *err)
{
	struct walk walk = { visit, ctx };
	view prefix;

	return application_path(tx, tenant, V(""), &prefix, err) &&
	    directory_walk(tx, prefix, after, limit, visit_document, &walk, end, err);
}
