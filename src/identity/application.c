#include "identity/application.h"

#include "base/clock.h"
#include "base/json.h"
#include "crypto/publickey.h"
#include "crypto/random.h"
#include "identity/administrators.h"
#include "identity/identity.h"
#include "identity/user_store.h"

#define SECRET_SECONDS_MAX ((int64_t)100 * 366 * 86400)

static bool
refused(struct error *err, const char *why)
{
	return error_set(err, ERR_GRAPH_BAD_REQUEST, "%s", why);
}

static bool
name_allowed(view name, struct error *err)
{
	return (name.len <= APPLICATION_NAME_MAX && utf8_valid(name)) ||
	    refused(err, "Property displayName has an invalid value.");
}

static void
drop_expired(struct registration *registration, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < registration->secret_count; i++) {
		if (now < registration->secrets[i].end)
			registration->secrets[kept++] = registration->secrets[i];
	}
	registration->secret_count = kept;
}

bool
registration_add_secret(struct registration *registration, view name, int64_t end,
    struct plain **text, struct error *err)
{
	struct client_secret *secret;
	int64_t now = clock_wall();

	if (!name_allowed(name, err))
		return false;
	if (end <= now || end - now > SECRET_SECONDS_MAX)
		return refused(err, "Credential lifetime is not valid.");
	if (registration->secret_count == APPLICATION_SECRETS_MAX)
		drop_expired(registration, now);
	if (registration->secret_count == APPLICATION_SECRETS_MAX)
		return refused(err, "The application has too many password credentials.");
	secret = &registration->secrets[registration->secret_count];
	*secret = (struct client_secret){ .name = name, .start = now, .end = end };
	random_uuid(&secret->id);
	if (!client_secret_make(secret, text, err))
		return false;
	registration->secret_count++;
	return true;
}

static void
key_done(struct public_key **key)
{
	public_key_free(*key);
}

/* Whether it is a certificate at all, and its key one that assertions can be signed with. */
static bool
certificate_allowed(view der, struct client_certificate *out, struct error *err)
{
	AUTO(key_done) struct public_key *key = NULL;
	AUTO(arena_free) struct arena arena = { 0 };
	struct error why;
	view n, e;

	arena_init(&arena, (size_t)16 * 1024);
	if (der.len > CERTIFICATE_MAX || !public_key_from_certificate(der, &key, &why) ||
	    !public_key_rsa(key, &arena, &n, &e, &why) ||
	    !certificate_validity(der, &out->start, &out->end, &why))
		return refused(err, "Key credential must be an X.509 certificate with an RSA key.");
	return true;
}

bool
registration_add_certificate(struct registration *registration, view name, view der,
    struct error *err)
{
	struct client_certificate *certificate =
	    &registration->certificates[registration->certificate_count];

	if (!name_allowed(name, err))
		return false;
	if (registration->certificate_count == APPLICATION_CERTIFICATES_MAX)
		return refused(err, "The application has too many key credentials.");
	*certificate = (struct client_certificate){ .name = name, .der = der };
	if (!certificate_allowed(der, certificate, err))
		return false;
	random_uuid(&certificate->id);
	registration->certificate_count++;
	return true;
}

bool
application_create(struct tx *tx, const struct application *application, struct error *err)
{
	struct registration registration = {
		.tenant = application->tenant,
		.id = application->id,
		.object = application->object,
		.name = application->name,
		.administrator = application->administrator,
		.created = clock_wall(),
	};

	random_uuid(&registration.own);
	if (!name_allowed(application->name, err) || !registration_add(tx, &registration, err))
		return false;
	return !application->administrator ||
	    administrators_add(tx, &registration.tenant, &registration.object, err);
}

bool
application_add_secret(struct tx *tx, view tenant, view appid, view name, int64_t seconds,
    struct plain **secret, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL, *text = NULL;
	struct registration registration;

	if (seconds <= 0 || seconds > SECRET_SECONDS_MAX)
		return refused(err, "Credential lifetime is not valid.");
	if (!registration_get(tx, tenant, appid, STORE_CHANGE, &document, &registration, err) ||
	    !registration_add_secret(&registration, name, clock_wall() + seconds, &text, err) ||
	    !registration_put(tx, &registration, err))
		return false;
	*secret = text;
	text = NULL;
	return true;
}

bool
application_add_certificate(struct tx *tx, view tenant, view appid, view der, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration registration;

	return registration_get(tx, tenant, appid, STORE_CHANGE, &document, &registration, err) &&
	    registration_add_certificate(&registration, V(""), der, err) &&
	    registration_put(tx, &registration, err);
}

bool
application_by_object(struct tx *tx, view object, struct application *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	enum object_kind kind = OBJECT_SERVICE_PRINCIPAL;
	struct registration registration;
	view name;

	if (!registration_by_object(tx, object, &kind, STORE_READ, &document, &registration, err))
		return false;
	if (!arena_copy(tx->arena, registration.name, &name))
		return error_memory(err);
	*out = (struct application){
		.tenant = registration.tenant,
		.id = registration.id,
		.object = registration.object,
		.name = name,
		.administrator = registration.administrator,
	};
	return true;
}

static bool
application_administers(struct tx *tx, const struct caller *caller, bool *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration registration;

	if (!registration_get(tx, uuid_view(&caller->tenant), uuid_view(&caller->application),
		STORE_READ, &document, &registration, err))
		return false;
	*out = registration.administrator && !registration.disabled &&
	    view_eq(uuid_view(&registration.object), uuid_view(&caller->object));
	return true;
}

static bool
user_administers(struct tx *tx, const struct caller *caller, bool *out, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct user user;

	if (!user_get(tx, &caller->object, STORE_READ, &document, &user, err))
		return false;
	*out = user.administrator && user.enabled &&
	    view_eq(uuid_view(&user.tenant), uuid_view(&caller->tenant));
	return true;
}

bool
caller_is_administrator(struct tx *tx, const struct caller *caller, bool *out, struct error *err)
{
	struct error why;
	bool fine = caller->person ? user_administers(tx, caller, out, &why)
				   : application_administers(tx, caller, out, &why);

	if (fine)
		return true;
	/* Who was deleted since administers nothing. */
	*out = false;
	if (why.code == ERR_GRAPH_NOT_FOUND)
		return true;
	*err = why;
	return false;
}
