#include "vault/attributes.h"

#include "base/pack.h"

const struct field attributes_fields[] = {
	{ .name = "enabled",
	    .kind = FIELD_FLAG,
	    .offset = offsetof(struct attributes_body, enabled) },
	{ .name = "nbf", .kind = FIELD_NUMBER, .offset = offsetof(struct attributes_body, nbf) },
	{ .name = "exp", .kind = FIELD_NUMBER, .offset = offsetof(struct attributes_body, exp) },
	{ 0 },
};

bool
attributes_apply(const struct attributes_body *body, struct attributes *attributes,
    struct error *err)
{
	struct attributes changed = *attributes;

	if (body->enabled.given)
		changed.enabled = body->enabled.value;
	if (body->nbf.given) {
		changed.has_nbf = true;
		changed.nbf = body->nbf.value;
	}
	if (body->exp.given) {
		changed.has_exp = true;
		changed.exp = body->exp.value;
	}
	if (changed.nbf < 0 || changed.exp < 0)
		return error_set(err, ERR_BAD_PARAMETER,
		    "Property attributes has invalid value\r\n");
	if (changed.has_nbf && changed.has_exp && changed.nbf > changed.exp)
		return error_set(err, ERR_BAD_PARAMETER,
		    "The expiration time (exp) must not be before the activation time (nbf).");
	*attributes = changed;
	return true;
}

bool
tags_pack(const struct object_type *type, const struct body_tags *tags, struct arena *arena,
    view *out, struct error *err)
{
	AUTO(buf_free) struct buf packed = { 0 };

	pack_u32(&packed, (uint32_t)tags->count);
	for (size_t i = 0; i < tags->count; i++) {
		const struct body_tag *tag = &tags->tags[i];

		if (utf8_length(tag->name) > type->tag_name_max ||
		    utf8_length(tag->value) > type->tag_value_max)
			return error_set(err, ERR_BAD_PARAMETER, "Property  has invalid value\r\n");
		pack_bytes(&packed, tag->name);
		pack_bytes(&packed, tag->value);
	}
	if (!buf_ok(&packed) || !arena_copy(arena, buf_view(&packed), out))
		return error_memory(err);
	return true;
}

void
write_tags(struct request *r, view tags)
{
	struct unpack in = unpack_of(tags);
	uint32_t count = unpack_u32(&in);

	if (count == 0)
		return;
	json_open_in(&r->json, "tags", '{');
	for (uint32_t i = 0; i < count && !in.failed; i++) {
		view name = unpack_bytes(&in);

		json_text_named(&r->json, name, unpack_bytes(&in));
	}
	json_close(&r->json, '}');
}

void
attributes_write(struct json *json, const struct attributes *attributes)
{
	json_flag(json, "enabled", attributes->enabled);
	if (attributes->has_nbf)
		json_number(json, "nbf", attributes->nbf);
	if (attributes->has_exp)
		json_number(json, "exp", attributes->exp);
	json_number(json, "created", attributes->created);
	json_number(json, "updated", attributes->updated);
}

/* In the original's order; which members there are depends on the version the client speaks. */
void
write_attributes_open(struct request *r, const struct attributes *attributes)
{
	struct json *json = &r->json;

	json_open_in(json, "attributes", '{');
	attributes_write(json, attributes);
	json_text(json, "recoveryLevel", view_of(vault_recovery_level(r->vault)));
	if (r->version->rank >= VERSION_7_1)
		json_number(json, "recoverableDays", r->vault->retention_days);
}

void
write_attributes(struct request *r, const struct attributes *attributes)
{
	write_attributes_open(r, attributes);
	json_close(&r->json, '}');
}
