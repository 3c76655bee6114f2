#include "certs/issuer.h"

#include "base/base64.h"
#include "certs/text.h"
#include "mail/address.h"

#include <string.h>

#define FORMAT 1
#define BINDING_KEY_MIN 16 /* bytes */

static const char *const providers[] = {
	[ISSUER_DIGICERT] = "DigiCert",
	[ISSUER_GLOBALSIGN] = "GlobalSign",
	[ISSUER_TEST] = "Test",
	[ISSUER_STRONGROOM] = "Strongroom",
	[ISSUER_ACME] = "ACME",
};

/* clang-format off */

#define TEXT(text, member, most) { .name = text, .kind = FIELD_TEXT, .max = most, \
	  .offset = offsetof(struct issuer_body, member) }
#define ADMIN(text, member, most) { .name = text, .kind = FIELD_TEXT, .max = most, \
	  .offset = offsetof(struct issuer_admin, member) }

static const struct field credential_fields[] = {
	TEXT("account_id", account, ISSUER_TEXT_MAX),
	TEXT("pwd", password, ISSUER_PASSWORD_MAX),
	{ 0 },
};

static const struct field admin_fields[] = {
	ADMIN("first_name", first_name, ISSUER_TEXT_MAX),
	ADMIN("last_name", last_name, ISSUER_TEXT_MAX),
	ADMIN("email", email, MAIL_ADDRESS_MAX),
	ADMIN("phone", phone, ISSUER_TEXT_MAX),
	{ 0 },
};

static const struct field organization_fields[] = {
	TEXT("id", organization, ISSUER_ORGANIZATION_MAX),
	{ .name = "admin_details", .kind = FIELD_LIST, .max = ISSUER_ADMINS_MAX,
	  .fields = admin_fields, .size = sizeof(struct issuer_admin),
	  .offset = offsetof(struct issuer_body, admins) },
	{ 0 },
};

static const struct field attribute_fields[] = {
	{ .name = "enabled", .kind = FIELD_FLAG, .offset = offsetof(struct issuer_body, enabled) },
	{ 0 },
};

#define SECTIONS \
	{ .name = "credentials", .kind = FIELD_OBJECT, .fields = credential_fields }, \
	{ .name = "org_details", .kind = FIELD_OBJECT, .fields = organization_fields }, \
	{ .name = "attributes", .kind = FIELD_OBJECT, .fields = attribute_fields }, \
	{ 0 }

const struct field issuer_set_fields[] = {
	{ .name = "provider", .kind = FIELD_TEXT, .max = ISSUER_TEXT_MAX, .required = true,
	  .offset = offsetof(struct issuer_body, provider) },
	SECTIONS,
};

const struct field issuer_update_fields[] = {
	TEXT("provider", provider, ISSUER_TEXT_MAX),
	SECTIONS,
};

/* clang-format on */

void
issuer_done(struct issuer *issuer)
{
	plain_free(issuer->document);
	issuer->document = NULL;
}

const char *
issuer_provider_name(enum issuer_provider provider)
{
	return providers[provider];
}

bool
issuer_name_reserved(view name)
{
	return view_ieq(name, V("Self")) || view_ieq(name, V("Unknown"));
}

static bool
invalid(const char *property, struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER, "Property %s has invalid value\r\n", property);
}

static bool
provider_find(view name, enum issuer_provider *out, struct error *err)
{
	for (size_t i = ISSUER_DIGICERT; i < COUNT_OF(providers); i++) {
		if (view_ieq(name, view_of(providers[i]))) {
			*out = (enum issuer_provider)i;
			return true;
		}
	}
	return invalid("provider", err);
}

static bool
check_admin(const struct issuer_admin *admin, struct error *err)
{
	if (!text_is_line(&admin->first_name) || !text_is_line(&admin->last_name) ||
	    !text_is_line(&admin->phone))
		return invalid("admin_details", err);
	if (admin->email.given && !mail_address_valid(admin->email.text))
		return invalid("email", err);
	return true;
}

static bool
url_valid(view url)
{
	if (!view_starts(url, V("https://")) || url.len == sizeof("https://") - 1)
		return false;
	for (size_t i = 0; i < url.len; i++) {
		if (url.ptr[i] <= ' ' || url.ptr[i] > '~')
			return false;
	}
	return true;
}

static bool
binding_key_valid(view text)
{
	char key[ISSUER_PASSWORD_MAX + 4];
	size_t len;
	bool fine = text.len <= ISSUER_PASSWORD_MAX && base64_decode(BASE64URL, text, key, &len) &&
	    len >= BINDING_KEY_MIN;

	explicit_bzero(key, sizeof(key));
	return fine;
}

static bool
check_acme(const struct issuer *issuer, struct error *err)
{
	bool account = issuer->account.text.len > 0, password = issuer->password.text.len > 0;

	if (!url_valid(issuer->organization.text))
		return invalid("org_details.id", err);
	if (account != password || (password && !binding_key_valid(issuer->password.text)))
		return invalid("credentials", err);
	return true;
}

static bool
check(const struct issuer *issuer, struct error *err)
{
	if (!text_is_line(&issuer->account))
		return invalid("account_id", err);
	if (!text_is_line(&issuer->organization))
		return invalid("org_details.id", err);
	for (size_t i = 0; i < issuer->admin_count; i++) {
		if (!check_admin(&issuer->admins[i], err))
			return false;
	}
	return issuer->provider != ISSUER_ACME || check_acme(issuer, err);
}

static void
take_text(const struct body_text *from, struct body_text *to)
{
	if (from->given)
		*to = *from;
}

bool
issuer_fill(const struct issuer_body *body, struct issuer *issuer, struct error *err)
{
	if (body->provider.given && !provider_find(body->provider.text, &issuer->provider, err))
		return false;
	take_text(&body->account, &issuer->account);
	take_text(&body->password, &issuer->password);
	take_text(&body->organization, &issuer->organization);
	if (body->admins.given) {
		issuer->has_admins = true;
		issuer->admin_count = body->admins.count;
		memcpy(issuer->admins, body->admins.items,
		    body->admins.count * sizeof(issuer->admins[0]));
	}
	if (body->enabled.given)
		issuer->enabled = body->enabled.value;
	return check(issuer, err);
}

void
issuer_pack(const struct issuer *issuer, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_bytes(out, issuer->name);
	pack_u8(out, (uint8_t)issuer->provider);
	pack_u8(out, issuer->enabled);
	pack_i64(out, issuer->created);
	pack_i64(out, issuer->updated);
	text_pack(out, &issuer->account);
	text_pack(out, &issuer->password);
	text_pack(out, &issuer->organization);
	pack_u8(out, issuer->has_admins);
	pack_u8(out, (uint8_t)issuer->admin_count);
	for (size_t i = 0; i < issuer->admin_count; i++) {
		text_pack(out, &issuer->admins[i].first_name);
		text_pack(out, &issuer->admins[i].last_name);
		text_pack(out, &issuer->admins[i].email);
		text_pack(out, &issuer->admins[i].phone);
	}
}

bool
issuer_unpack(view document, struct issuer *out)
{
	struct unpack in = unpack_of(document);
	struct issuer issuer = { 0 };
	bool fine = unpack_u8(&in) == FORMAT;

	issuer.name = unpack_bytes(&in);
	issuer.provider = unpack_u8(&in);
	issuer.enabled = unpack_u8(&in) == 1;
	issuer.created = unpack_i64(&in);
	issuer.updated = unpack_i64(&in);
	text_unpack(&in, &issuer.account);
	text_unpack(&in, &issuer.password);
	text_unpack(&in, &issuer.organization);
	issuer.has_admins = unpack_u8(&in) == 1;
	issuer.admin_count = unpack_u8(&in);
	if (!fine || issuer.provider < ISSUER_DIGICERT || issuer.provider > ISSUER_ACME ||
	    issuer.admin_count > ISSUER_ADMINS_MAX)
		return false;
	for (size_t i = 0; i < issuer.admin_count; i++) {
		text_unpack(&in, &issuer.admins[i].first_name);
		text_unpack(&in, &issuer.admins[i].last_name);
		text_unpack(&in, &issuer.admins[i].email);
		text_unpack(&in, &issuer.admins[i].phone);
	}
	if (!unpack_end(&in))
		return false;
	*out = issuer;
	return true;
}

bool
issuer_path(struct arena *arena, const struct vault *vault, view name, view *out, struct error *err)
{
	char upper[OBJECT_NAME_MAX];

	if (name.len > sizeof(upper))
		return error_set(err, ERR_CORRUPT, "an issuer's name is too long");
	for (size_t i = 0; i < name.len; i++)
		upper[i] = ascii_upper(name.ptr[i]);
	return arena_join(arena,
		   (const view[]){ V("v/"), uuid_view(&vault->id), V("/ci/"), { upper, name.len } },
		   4, out) ||
	    error_memory(err);
}

bool
issuer_read(struct tx *tx, const struct vault *vault, view name, enum intent intent,
    struct issuer *out, bool *found, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	view path;

	*found = false;
	if (!issuer_path(tx->arena, vault, name, &path, err) ||
	    !(intent == TO_CHANGE ? tx_take : tx_get)(tx, vault->key, path, &document, err))
		return false;
	if (document == NULL)
		return true;
	if (!issuer_unpack(plain_view(document), out))
		return error_set(err, ERR_CORRUPT, "an issuer's document can't be read");
	out->document = document;
	document = NULL;
	*found = true;
	return true;
}
