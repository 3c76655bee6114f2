/*
 * Policies as documents and as JSON.
 */
#include "base/pack.h"
#include "certs/policy.h"
#include "keys/key.h"
#include "secrets/secret.h"

#define FORMAT 1

enum {
	FLAG_EXPORTABLE = 1 << 0,
	FLAG_REUSE_KEY = 1 << 1,
	FLAG_PEM = 1 << 2,
	FLAG_SANS = 1 << 3,
	FLAG_CA = 1 << 4,
	FLAG_CTY = 1 << 5,
	FLAG_ENABLED = 1 << 6,
	FLAG_HSM = 1 << 7,
};
enum { TRANSPARENCY_UNSAID, TRANSPARENCY_OFF, TRANSPARENCY_ON };

static void
pack_views(const struct views *views, struct buf *out)
{
	pack_u32(out, (uint32_t)views->count);
	for (size_t i = 0; i < views->count; i++)
		pack_bytes(out, views->items[i]);
}

static void
pack_actions(const struct cert_policy *policy, struct buf *out)
{
	pack_u8(out, (uint8_t)policy->action_count);
	for (size_t i = 0; i < policy->action_count; i++) {
		pack_u8(out, (uint8_t)policy->actions[i].type);
		pack_u8(out, policy->actions[i].percentage);
		pack_i64(out, policy->actions[i].value);
	}
}

static unsigned
flags_of(const struct cert_policy *policy)
{
	return (policy->exportable ? FLAG_EXPORTABLE : 0U) |
	    (policy->reuse_key ? FLAG_REUSE_KEY : 0U) | (policy->pem ? FLAG_PEM : 0U) |
	    (policy->has_sans ? FLAG_SANS : 0U) | (policy->ca ? FLAG_CA : 0U) |
	    (policy->cty.given ? FLAG_CTY : 0U) | (policy->enabled ? FLAG_ENABLED : 0U) |
	    (policy->key.hsm ? FLAG_HSM : 0U);
}

void
cert_policy_pack(const struct cert_policy *policy, struct buf *out)
{
	const struct body_flag *transparency = &policy->cert_transparency;

	pack_u8(out, FORMAT);
	pack_u8(out, (uint8_t)flags_of(policy));
	pack_u8(out,
	    !transparency->given      ? TRANSPARENCY_UNSAID
		: transparency->value ? TRANSPARENCY_ON
				      : TRANSPARENCY_OFF);
	pack_u8(out, (uint8_t)policy->key.kind);
	pack_u8(out, (uint8_t)policy->key.curve);
	pack_u32(out, policy->key.bits);
	pack_bytes(out, policy->subject);
	for (size_t i = 0; i < ALT_KINDS; i++)
		pack_views(&policy->alt.of[i], out);
	pack_views(&policy->ekus, out);
	pack_u32(out, policy->usages);
	pack_i64(out, policy->months);
	pack_actions(policy, out);
	pack_bytes(out, policy->issuer);
	pack_bytes(out, policy->cty.text);
	pack_i64(out, policy->created);
	pack_i64(out, policy->updated);
}

/* A count that the rest can't hold is no count. */
static bool
unpack_views(struct unpack *in, struct arena *arena, struct views *out)
{
	uint32_t count = unpack_u32(in);
	view *items;

	if (in->failed || count > in->rest.len / sizeof(uint32_t))
		return false;
	items = arena_alloc(arena, (count + 1) * sizeof(*items));
	if (items == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++)
		items[i] = unpack_bytes(in);
	*out = (struct views){ items, count };
	return !in->failed;
}

static bool
unpack_actions(struct unpack *in, struct cert_policy *out)
{
	out->action_count = unpack_u8(in);
	if (out->action_count > LIFETIME_ACTIONS_MAX)
		return false;
	for (size_t i = 0; i < out->action_count; i++) {
		out->actions[i].type = unpack_u8(in);
		out->actions[i].percentage = unpack_u8(in) != 0;
		out->actions[i].value = unpack_i64(in);
		if (out->actions[i].type < ACTION_AUTO_RENEW ||
		    out->actions[i].type > ACTION_EMAIL_CONTACTS)
			return false;
	}
	return true;
}

static void
take_flags(unsigned flags, unsigned transparency, struct cert_policy *out)
{
	out->exportable = (flags & FLAG_EXPORTABLE) != 0;
	out->reuse_key = (flags & FLAG_REUSE_KEY) != 0;
	out->pem = (flags & FLAG_PEM) != 0;
	out->has_sans = (flags & FLAG_SANS) != 0;
	out->ca = (flags & FLAG_CA) != 0;
	out->cty.given = (flags & FLAG_CTY) != 0;
	out->enabled = (flags & FLAG_ENABLED) != 0;
	out->key.hsm = (flags & FLAG_HSM) != 0;
	out->cert_transparency = (struct body_flag){
		.given = transparency != TRANSPARENCY_UNSAID,
		.value = transparency == TRANSPARENCY_ON,
	};
}

bool
cert_policy_unpack(view bytes, struct arena *arena, struct cert_policy *out)
{
	struct unpack in = unpack_of(bytes);
	struct cert_policy policy = { 0 };
	bool fine = unpack_u8(&in) == FORMAT;
	unsigned flags = unpack_u8(&in);

	take_flags(flags, unpack_u8(&in), &policy);
	policy.key.kind = unpack_u8(&in);
	policy.key.curve = unpack_u8(&in);
	policy.key.bits = unpack_u32(&in);
	policy.subject = unpack_bytes(&in);
	for (size_t i = 0; fine && i < ALT_KINDS; i++)
		fine = unpack_views(&in, arena, &policy.alt.of[i]);
	fine = fine && unpack_views(&in, arena, &policy.ekus);
	policy.usages = unpack_u32(&in);
	policy.months = unpack_i64(&in);
	fine = fine && unpack_actions(&in, &policy);
	policy.issuer = unpack_bytes(&in);
	policy.cty.text = unpack_bytes(&in);
	policy.created = unpack_i64(&in);
	policy.updated = unpack_i64(&in);
	if (!fine || !unpack_end(&in) || policy.key.kind < KEY_RSA || policy.key.kind > KEY_EC ||
	    policy.key.curve > KEY_P521 || (policy.key.kind == KEY_EC) != (policy.key.curve != 0))
		return false;
	*out = policy;
	return true;
}

bool
cert_policy_keep(struct cert_policy *policy, struct arena *arena, struct error *err)
{
	AUTO(buf_free) struct buf packed = { 0 };
	view copy;

	cert_policy_pack(policy, &packed);
	return (buf_ok(&packed) && arena_copy(arena, buf_view(&packed), &copy) &&
		   cert_policy_unpack(copy, arena, policy)) ||
	    error_memory(err);
}

static void
write_texts(struct json *json, const char *name, const struct views *texts)
{
	json_open_in(json, name, '[');
	for (size_t i = 0; i < texts->count; i++)
		json_text(json, NULL, texts->items[i]);
	json_close(json, ']');
}

static void
write_key(struct json *json, const struct cert_policy *policy)
{
	json_open_in(json, "key_props", '{');
	json_flag(json, "exportable", policy->exportable);
	json_text(json, "kty", view_of(key_type_name(&policy->key)));
	json_number(json, "key_size", policy->key.bits);
	json_flag(json, "reuse_key", policy->reuse_key);
	if (policy->key.kind == KEY_EC)
		json_text(json, "crv", view_of(key_curve_name(policy->key.curve)));
	json_close(json, '}');
}

bool
cert_policy_has_names(enum version_rank version, enum alt_kind kind)
{
	return version >= VERSION_7_6 || (kind != ALT_URI && kind != ALT_IP);
}

static void
write_names(struct json *json, enum version_rank version, const struct cert_policy *policy)
{
	static const char *const names[ALT_KINDS] = {
		[ALT_EMAIL] = "emails",
		[ALT_DNS] = "dns_names",
		[ALT_UPN] = "upns",
		[ALT_URI] = "uris",
		[ALT_IP] = "ipAddresses",
	};

	if (!policy->has_sans)
		return;
	json_open_in(json, "sans", '{');
	for (size_t i = 0; i < ALT_KINDS; i++) {
		if (policy->alt.of[i].count > 0 && cert_policy_has_names(version, (enum alt_kind)i))
			write_texts(json, names[i], &policy->alt.of[i]);
	}
	json_close(json, '}');
}

static void
write_x509(struct json *json, enum version_rank version, const struct cert_policy *policy)
{
	json_open_in(json, "x509_props", '{');
	json_text(json, "subject", policy->subject);
	write_names(json, version, policy);
	write_texts(json, "ekus", &policy->ekus);
	json_open_in(json, "key_usage", '[');
	for (size_t i = 0; i < USAGES; i++) {
		if ((policy->usages & usage_names[i].usage) != 0)
			json_text(json, NULL, view_of(usage_names[i].name));
	}
	json_close(json, ']');
	json_number(json, "validity_months", policy->months);
	json_open_in(json, "basic_constraints", '{');
	json_flag(json, "ca", policy->ca);
	json_close(json, '}');
	json_close(json, '}');
}

static void
write_actions(struct json *json, const struct cert_policy *policy)
{
	json_open_in(json, "lifetime_actions", '[');
	for (size_t i = 0; i < policy->action_count; i++) {
		const struct lifetime_action *action = &policy->actions[i];

		json_open(json, '{');
		json_open_in(json, "trigger", '{');
		json_number(json, action->percentage ? "lifetime_percentage" : "days_before_expiry",
		    action->value);
		json_close(json, '}');
		json_open_in(json, "action", '{');
		json_text(json, "action_type",
		    action->type == ACTION_AUTO_RENEW ? V("AutoRenew") : V("EmailContacts"));
		json_close(json, '}');
		json_close(json, '}');
	}
	json_close(json, ']');
}

void
cert_policy_write(struct json *json, enum version_rank version, const struct cert_policy *policy)
{
	write_key(json, policy);
	json_open_in(json, "secret_props", '{');
	json_text(json, "contentType", policy->pem ? V(SECRET_PEM) : V(SECRET_PFX));
	json_close(json, '}');
	write_x509(json, version, policy);
	write_actions(json, policy);
	json_open_in(json, "issuer", '{');
	json_text(json, "name", policy->issuer);
	if (policy->cty.given)
		json_text(json, "cty", policy->cty.text);
	if (policy->cert_transparency.given)
		json_flag(json, "cert_transparency", policy->cert_transparency.value);
	json_close(json, '}');
	json_open_in(json, "attributes", '{');
	json_flag(json, "enabled", policy->enabled);
	json_number(json, "created", policy->created);
	json_number(json, "updated", policy->updated);
	json_close(json, '}');
}
