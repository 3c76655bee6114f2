#include "certs/policy.h"

#include "keys/duration.h"
#include "keys/key.h"
#include "pki/subject.h"
#include "secrets/secret.h"

#define CTY_MAX 64
#define OID_TEXT_MAX 256
#define DAYS_OF_MONTH 27 /* of which days_before_expiry may be so many for each month */
#define DEFAULT_MONTHS 12

static const char *const action_names[] = {
	[ACTION_AUTO_RENEW] = "AutoRenew",
	[ACTION_EMAIL_CONTACTS] = "EmailContacts",
};

struct action_body {
	struct body_number percentage, days;
	struct body_text type;
};

/* clang-format off */

#define MEMBER(text, type, member) \
	{ .name = text, .kind = type, .offset = offsetof(struct cert_policy_body, member) }
#define TEXT(text, member, most) \
	{ .name = text, .kind = FIELD_TEXT, .max = most, \
	  .offset = offsetof(struct cert_policy_body, member) }
#define TEXTS(text, member, count, most) \
	{ .name = text, .kind = FIELD_TEXTS, .max = count, .size = most, \
	  .offset = offsetof(struct cert_policy_body, member) }
#define NAMES(text, kind) TEXTS(text, alt[kind], ALT_NAMES_MAX, ALT_NAME_MAX)
#define SECTION(text, of) { .name = text, .kind = FIELD_OBJECT, .fields = of }

static const struct field key_fields[] = {
	MEMBER("exportable", FIELD_FLAG, exportable),
	TEXT("kty", kty, 16),
	MEMBER("key_size", FIELD_NUMBER, key_size),
	MEMBER("reuse_key", FIELD_FLAG, reuse_key),
	TEXT("crv", crv, 16),
	{ 0 },
};

static const struct field secret_fields[] = {
	TEXT("contentType", content_type, SECRET_CONTENT_TYPE_MAX),
	{ 0 },
};

static const struct field sans_fields[] = {
	NAMES("emails", ALT_EMAIL),
	NAMES("dns_names", ALT_DNS),
	NAMES("upns", ALT_UPN),
	NAMES("uris", ALT_URI),
	NAMES("ipAddresses", ALT_IP),
	{ 0 },
};

static const struct field constraint_fields[] = { MEMBER("ca", FIELD_FLAG, ca), { 0 } };

static const struct field x509_fields[] = {
	TEXT("subject", subject, (size_t)SUBJECT_TEXT_MAX * 4),
	SECTION("sans", sans_fields),
	MEMBER("sans", FIELD_PRESENT, sans_given),
	TEXTS("ekus", ekus, EKUS_MAX, OID_TEXT_MAX),
	TEXTS("key_usage", usages, USAGES, 32),
	MEMBER("validity_months", FIELD_NUMBER, months),
	SECTION("basic_constraints", constraint_fields),
	{ 0 },
};

#define OF_ACTION(text, type, member) \
	{ .name = text, .kind = type, .offset = offsetof(struct action_body, member) }

static const struct field trigger_fields[] = {
	OF_ACTION("lifetime_percentage", FIELD_NUMBER, percentage),
	OF_ACTION("days_before_expiry", FIELD_NUMBER, days),
	{ 0 },
};

static const struct field type_fields[] = {
	OF_ACTION("action_type", FIELD_TEXT, type),
	{ 0 },
};

static const struct field action_fields[] = {
	SECTION("trigger", trigger_fields),
	SECTION("action", type_fields),
	{ 0 },
};

static const struct field issuer_fields[] = {
	TEXT("name", issuer, 127),
	TEXT("cty", cty, CTY_MAX),
	MEMBER("cert_transparency", FIELD_FLAG, cert_transparency),
	{ 0 },
};

static const struct field attribute_fields[] = {
	MEMBER("enabled", FIELD_FLAG, enabled),
	MEMBER("nbf", FIELD_NUMBER, nbf),
	MEMBER("exp", FIELD_NUMBER, exp),
	{ 0 },
};

const struct field cert_policy_fields[] = {
	SECTION("key_props", key_fields),
	MEMBER("key_props", FIELD_PRESENT, key_given),
	SECTION("secret_props", secret_fields),
	SECTION("x509_props", x509_fields),
	{ .name = "lifetime_actions", .kind = FIELD_LIST, .max = LIFETIME_ACTIONS_MAX,
	  .fields = action_fields, .size = sizeof(struct action_body),
	  .offset = offsetof(struct cert_policy_body, actions) },
	SECTION("issuer", issuer_fields),
	SECTION("attributes", attribute_fields),
	MEMBER("platformManaged", FIELD_PRESENT, platform_managed),
	{ 0 },
};

/* clang-format on */

static bool
invalid(const char *property, struct error *err)
{
	return error_set(err, ERR_BAD_PARAMETER, "Property %s has invalid value\r\n", property);
}

static bool
issuer_is(const struct cert_policy *policy, const char *name)
{
	return view_ieq(policy->issuer, view_of(name));
}

void
cert_policy_default(struct cert_policy *policy)
{
	static view usual_ekus[] = { V_INIT("1.3.6.1.5.5.7.3.1"), V_INIT("1.3.6.1.5.5.7.3.2") };

	*policy = (struct cert_policy){
		.key = { .kind = KEY_RSA, .bits = 2048 },
		.exportable = true,
		.ekus = { usual_ekus, COUNT_OF(usual_ekus) },
		.usages = USAGE_DIGITAL_SIGNATURE | USAGE_KEY_ENCIPHERMENT,
		.months = DEFAULT_MONTHS,
		.issuer = V(ISSUER_NAME_UNKNOWN),
		.enabled = true,
	};
}

static bool
renews_unknown(const struct cert_policy *policy)
{
	bool renews = false;

	for (size_t i = 0; i < policy->action_count; i++)
		renews = renews || policy->actions[i].type == ACTION_AUTO_RENEW;
	return renews && issuer_is(policy, ISSUER_NAME_UNKNOWN);
}

/* Who issues nothing by itself can't renew. */
static void
usual_actions(struct cert_policy *policy)
{
	bool unknown = issuer_is(policy, ISSUER_NAME_UNKNOWN);

	policy->actions[0] = (struct lifetime_action){
		.type = unknown ? ACTION_EMAIL_CONTACTS : ACTION_AUTO_RENEW,
		.percentage = true,
		.value = LIFETIME_PERCENTAGE_USUAL,
	};
	policy->action_count = 1;
}

static bool
fill_ec(const struct cert_policy_body *body, struct key_spec *key, struct error *err)
{
	if (body->crv.given) {
		key->curve = key_curve_find(body->crv.text);
		if (key->curve == 0)
			return error_set(err, ERR_BAD_PARAMETER, "Invalid crv value: %.*s",
			    VIEW_ARG(body->crv.text));
	} else if (body->key_size.given) {
		for (enum key_curve curve = KEY_P521; curve >= KEY_P256; curve--) {
			if (body->key_size.value == key_field_bits(curve))
				key->curve = curve;
		}
	}
	if (key->curve == 0)
		key->curve = KEY_P256;
	key->bits = key_field_bits(key->curve);
	if (body->key_size.given && body->key_size.value != key->bits)
		return error_set(err, ERR_BAD_PARAMETER,
		    "Unsupported key size (%lld). Supported sizes are [256, 384, 521]",
		    (long long)body->key_size.value);
	return true;
}

static bool
fill_key(const struct cert_policy_body *body, struct cert_policy *policy, struct error *err)
{
	struct key_spec *key = &policy->key;

	if (body->kty.given) {
		*key = (struct key_spec){ .bits = 2048 };
		if (!key_type_find(body->kty.text, key) || key->kind == KEY_OCT)
			return error_set(err, ERR_KEY_TYPE, "Invalid kty value: %.*s",
			    VIEW_ARG(body->kty.text));
		/* What is in an HSM stays there; it need not be said. */
		policy->exportable = !key->hsm;
	}
	if (body->exportable.given)
		policy->exportable = body->exportable.value;
	if (body->reuse_key.given)
		policy->reuse_key = body->reuse_key.value;
	if (key->kind == KEY_EC)
		return fill_ec(body, key, err);
	if (body->crv.given)
		return invalid("crv", err);
	if (body->key_size.given)
		key->bits = body->key_size.value > 0 && body->key_size.value <= UINT16_MAX
		    ? (unsigned)body->key_size.value
		    : 0;
	return true;
}

static bool
fill_secret(const struct cert_policy_body *body, struct cert_policy *policy, struct error *err)
{
	if (!body->content_type.given)
		return true;
	policy->pem = view_ieq(body->content_type.text, V(SECRET_PEM));
	return policy->pem || view_ieq(body->content_type.text, V(SECRET_PFX)) ||
	    invalid("contentType", err);
}

static bool
copy_views(const view *from, size_t count, struct arena *arena, struct views *out,
    struct error *err)
{
	view *items = arena_alloc(arena, (count + 1) * sizeof(*items));

	if (items == NULL)
		return error_memory(err);
	for (size_t i = 0; i < count; i++)
		items[i] = from[i];
	*out = (struct views){ items, count };
	return true;
}

static bool
fill_names(const struct cert_policy_body *body, struct arena *arena, struct cert_policy *policy,
    struct error *err)
{
	if (!body->sans_given.given)
		return true;
	policy->has_sans = true;
	for (size_t i = 0; i < ALT_KINDS; i++) {
		if (!copy_views(body->alt[i].texts, body->alt[i].count, arena, &policy->alt.of[i],
			err))
			return false;
	}
	return true;
}

static bool
fill_usages(const struct cert_policy_body *body, struct cert_policy *policy, struct error *err)
{
	if (!body->usages.given)
		return true;
	policy->usages = 0;
	for (size_t i = 0; i < body->usages.count; i++) {
		unsigned usage = usage_find(body->usages.texts[i]);

		if (usage == 0)
			return invalid("key_usage", err);
		policy->usages |= usage;
	}
	return true;
}

static bool
fill_x509(const struct cert_policy_body *body, struct arena *arena, struct cert_policy *policy,
    struct error *err)
{
	if (body->subject.given)
		policy->subject = body->subject.text;
	if (body->ekus.given &&
	    !copy_views(body->ekus.texts, body->ekus.count, arena, &policy->ekus, err))
		return false;
	if (body->months.given)
		policy->months = body->months.value;
	if (body->ca.given)
		policy->ca = body->ca.value;
	return fill_names(body, arena, policy, err) && fill_usages(body, policy, err);
}

static bool
fill_action(const struct action_body *body, struct lifetime_action *out, struct error *err)
{
	const struct body_number *value = body->percentage.given ? &body->percentage : &body->days;

	for (enum action_type type = ACTION_AUTO_RENEW; type <= ACTION_EMAIL_CONTACTS; type++) {
		if (body->type.given && view_ieq(body->type.text, view_of(action_names[type])))
			out->type = type;
	}
	if (out->type == 0)
		return invalid("action_type", err);
	if (body->percentage.given == body->days.given)
		return invalid("trigger", err);
	out->percentage = body->percentage.given;
	out->value = value->value;
	return true;
}

static bool
fill_actions(const struct cert_policy_body *body, struct cert_policy *policy, struct error *err)
{
	const struct action_body *items = body->actions.items;

	if (!body->actions.given)
		return true;
	policy->action_count = body->actions.count;
	for (size_t i = 0; i < body->actions.count; i++) {
		policy->actions[i] = (struct lifetime_action){ 0 };
		if (!fill_action(&items[i], &policy->actions[i], err))
			return false;
	}
	return true;
}

bool
cert_policy_fill(const struct cert_policy_body *body, struct arena *arena,
    struct cert_policy *policy, struct error *err)
{
	bool fresh = policy->created == 0 && policy->action_count == 0;

	/* There is no platform beside us that would look after it. */
	if (body->platform_managed.given)
		return invalid("platformManaged", err);
	if (body->issuer.given)
		policy->issuer = body->issuer.text;
	if (body->cty.given)
		policy->cty = body->cty;
	if (body->cert_transparency.given)
		policy->cert_transparency = body->cert_transparency;
	if (body->enabled.given)
		policy->enabled = body->enabled.value;
	if (!fill_key(body, policy, err) || !fill_secret(body, policy, err) ||
	    !fill_x509(body, arena, policy, err) || !fill_actions(body, policy, err))
		return false;
	if (!body->actions.given && (fresh || renews_unknown(policy)))
		usual_actions(policy);
	return true;
}

bool
cert_policy_check_actions(const struct cert_policy *policy, struct error *err)
{
	for (size_t i = 0; i < policy->action_count; i++) {
		const struct lifetime_action *action = &policy->actions[i];
		int64_t most = action->percentage ? 99 : DAYS_OF_MONTH * policy->months;

		if (action->value < 1 || action->value > most)
			return invalid(action->percentage ? "lifetime_percentage"
							  : "days_before_expiry",
			    err);
		if (action->type == ACTION_AUTO_RENEW && issuer_is(policy, ISSUER_NAME_UNKNOWN))
			return error_set(err, ERR_BAD_PARAMETER,
			    "A certificate of an unknown issuer can't be renewed automatically.");
	}
	return policy->action_count < 2 || policy->actions[0].type != policy->actions[1].type ||
	    invalid("lifetime_actions", err);
}

static bool
names_anything(const struct cert_policy *policy)
{
	bool named = policy->subject.len > 0;

	for (size_t i = 0; i < ALT_KINDS; i++)
		named = named || policy->alt.of[i].count > 0;
	return named;
}

bool
cert_policy_profile(const struct cert_policy *policy, struct arena *arena, struct profile *out,
    struct error *err)
{
	*out = (struct profile){
		.alt = policy->alt,
		.usages = policy->usages,
		.ekus = policy->ekus,
		.ca = policy->ca,
		.path_length = -1,
	};
	return subject_parse(policy->subject, arena, &out->subject, err);
}

bool
cert_policy_check(const struct cert_policy *policy, struct arena *arena, struct error *err)
{
	struct profile profile;

	if (!names_anything(policy))
		return error_set(err, ERR_BAD_PARAMETER,
		    "The certificate needs a subject or a subject alternative name.");
	if (policy->months < 1 || policy->months > VALIDITY_MONTHS_MAX)
		return invalid("validity_months", err);
	if (policy->key.hsm && policy->exportable)
		return error_set(err, ERR_BAD_PARAMETER, "A key in an HSM can't be exportable.");
	return cert_policy_check_actions(policy, err) &&
	    cert_policy_profile(policy, arena, &profile, err) && profile_check(&profile, err);
}

bool
cert_policy_expiry(const struct cert_policy *policy, int64_t start, int64_t *out)
{
	const struct duration months = { .months = (unsigned)policy->months };

	return duration_after(start, &months, out);
}

/* As many months as it takes to get there. */
static int64_t
months_of(const struct x509 *certificate)
{
	int64_t low = 1, high = (int64_t)DURATION_YEARS_MAX * 12;

	while (low < high) {
		int64_t middle = (low + high) / 2, end;
		const struct duration months = { .months = (unsigned)middle };

		if (!duration_after(certificate->not_before, &months, &end) ||
		    end >= certificate->not_after)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool
cert_policy_of_certificate(const struct x509 *certificate, const struct key_spec *spec, bool pem,
    struct arena *arena, struct cert_policy *out, struct error *err)
{
	const struct profile *profile = &certificate->profile;

	cert_policy_default(out);
	out->key = *spec;
	out->exportable = !spec->hsm;
	out->pem = pem;
	out->alt = profile->alt;
	for (size_t i = 0; i < ALT_KINDS; i++)
		out->has_sans = out->has_sans || profile->alt.of[i].count > 0;
	out->ekus = profile->ekus;
	out->usages = profile->usages;
	out->ca = profile->ca;
	out->months = months_of(certificate);
	return subject_text(profile->subject, arena, &out->subject, err);
}
