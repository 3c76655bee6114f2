#include "arm/resource.h"

#include "arm/provider.h"
#include "base/clock.h"
#include "base/pack.h"
#include "crypto/random.h"

#define FORMAT 1
#define TAGS_STORED_MAX 1000 /* more than any check lets in */
#define SECOND INT64_C(1000000000)

bool
resource_key(struct arena *arena, view id, view *out, struct error *err)
{
	struct resource_id parsed;
	view lower;

	if (!resource_id_parse(id, arena, &parsed, err) || !id_lower(arena, id, &lower, err))
		return false;
	return arena_join(arena, (const view[]){ parsed.space.len > 0 ? V("r") : V("g"), lower }, 2,
		   out) ||
	    error_memory(err);
}

static void
encode(const struct resource *resource, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_bytes(out, resource->id);
	pack_bytes(out, resource->location);
	pack_u32(out, (uint32_t)resource->tag_count);
	for (size_t i = 0; i < resource->tag_count; i++) {
		pack_bytes(out, resource->tags[i].name);
		pack_bytes(out, resource->tags[i].value);
	}
	pack_bytes(out, resource->kind);
	pack_bytes(out, resource->sku);
	pack_bytes(out, resource->identity);
	pack_bytes(out, resource->managed_by);
	pack_bytes(out, resource->etag);
	pack_bytes(out, resource->properties);
	pack_bytes(out, resource->hidden);
	pack_u8(out, resource->deleting);
	pack_i64(out, resource->created);
	pack_i64(out, resource->changed);
	pack_bytes(out, resource->created_by);
	pack_bytes(out, resource->changed_by);
	pack_u8(out, resource->created_by_person);
	pack_u8(out, resource->changed_by_person);
}

static bool
decode_tags(struct unpack *in, struct arena *arena, struct resource *out, struct error *err)
{
	size_t count = unpack_u32(in);
	struct body_tag *tags;

	if (count > TAGS_STORED_MAX)
		return error_set(err, ERR_CORRUPT, "a resource's document can't be read");
	tags = arena_alloc(arena, (count + 1) * sizeof(*tags));
	if (tags == NULL)
		return error_memory(err);
	for (size_t i = 0; i < count; i++) {
		tags[i].name = unpack_bytes(in);
		tags[i].value = unpack_bytes(in);
	}
	out->tags = tags;
	out->tag_count = count;
	return true;
}

/* What the id says of the resource. */
static bool
describe(struct resource *resource, const struct services *services, struct arena *arena,
    struct error *err)
{
	struct resource_id id;

	if (!resource_id_parse(resource->id, arena, &id, err))
		return false;
	resource->name = id.name;
	resource->type = provider_type(services, id.space.len > 0 ? id.space : V(RESOURCES_SPACE),
	    id.space.len > 0 ? id.type : V(GROUPS_TYPE));
	return true;
}

bool
resource_decode(view document, const struct services *services, struct arena *arena,
    struct resource *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	struct resource resource = { 0 };
	bool fine = unpack_u8(&in) == FORMAT;

	resource.id = unpack_bytes(&in);
	resource.location = unpack_bytes(&in);
	if (!decode_tags(&in, arena, &resource, err))
		return false;
	resource.kind = unpack_bytes(&in);
	resource.sku = unpack_bytes(&in);
	resource.identity = unpack_bytes(&in);
	resource.managed_by = unpack_bytes(&in);
	resource.etag = unpack_bytes(&in);
	resource.properties = unpack_bytes(&in);
	resource.hidden = unpack_bytes(&in);
	resource.deleting = unpack_u8(&in) != 0;
	resource.created = unpack_i64(&in);
	resource.changed = unpack_i64(&in);
	resource.created_by = unpack_bytes(&in);
	resource.changed_by = unpack_bytes(&in);
	resource.created_by_person = unpack_u8(&in) != 0;
	resource.changed_by_person = unpack_u8(&in) != 0;
	if (!fine || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "a resource's document can't be read");
	if (!describe(&resource, services, arena, err))
		return false;
	*out = resource;
	return true;
}

bool
resource_get(struct tx *tx, const struct services *services, view id, bool change,
    struct resource *out, bool *found, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct vault_key *system = keyring_system(tx->keyring);
	view key, document;

	if (!resource_key(tx->arena, id, &key, err))
		return false;
	if (change ? !tx_take(tx, system, key, &plain, err) : !tx_get(tx, system, key, &plain, err))
		return false;
	*found = plain != NULL;
	if (plain == NULL)
		return true;
	if (!arena_copy(tx->arena, plain_view(plain), &document))
		return error_memory(err);
	return resource_decode(document, services, tx->arena, out, err);
}

bool
resource_expect(struct tx *tx, view id, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	view key;

	return resource_key(tx->arena, id, &key, err) &&
	    tx_take(tx, keyring_system(tx->keyring), key, &plain, err);
}

bool
resource_put(struct tx *tx, const struct resource *resource, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view key;

	encode(resource, &document);
	return resource_key(tx->arena, resource->id, &key, err) &&
	    tx_put(tx, keyring_system(tx->keyring), key, &document, err);
}

bool
resource_delete(struct tx *tx, view id, struct error *err)
{
	view key;

	return resource_key(tx->arena, id, &key, err) && tx_delete(tx, key, err);
}

bool
resource_not_found(const struct resource_id *id, struct error *err)
{
	if (id->space.len == 0)
		return error_set(err, ERR_RESOURCE_GROUP_NOT_FOUND,
		    "Resource group '%.*s' could not be found.", VIEW_ARG(id->group));
	return error_set(err, ERR_RESOURCE_NOT_FOUND,
	    "The Resource '%.*s/%.*s' under resource group '%.*s' was not found. For more details "
	    "please go to https://aka.ms/ARMResourceNotFoundFix",
	    VIEW_ARG(id->space), VIEW_ARG(id->path), VIEW_ARG(id->group));
}

void
resource_changed_by(struct resource *resource, const struct caller *caller, bool fresh)
{
	int64_t now = clock_wall_nanos() + clock_offset() * SECOND;
	view who = caller->person ? view_of(caller->upn) : uuid_view(&caller->application);

	resource->changed = now;
	resource->changed_by = who;
	resource->changed_by_person = caller->person;
	if (!fresh)
		return;
	resource->created = now;
	resource->created_by = who;
	resource->created_by_person = caller->person;
}

static void
write_who(struct json *json, const char *by, const char *type, const char *at, view who,
    bool person, int64_t when)
{
	char iso[CLOCK_ISO_LEN + 1];

	clock_iso(when, iso);
	json_text(json, by, who);
	json_text(json, type, person ? V("User") : V("Application"));
	json_text(json, at, view_of(iso));
}

static void
write_optional(struct json *json, const char *name, view text)
{
	if (text.len > 0)
		json_text(json, name, text);
}

static void
write_raw(struct json *json, const char *name, view text)
{
	if (text.len > 0)
		json_raw(json, name, text);
}

static void
write_type(struct json *json, const struct resource *resource)
{
	if (resource->type == NULL)
		return;
	json_text_open(json, "type");
	json_text_part(json, view_of(resource->type->space));
	json_text_part(json, V("/"));
	json_text_part(json, view_of(resource->type->name));
	json_text_close(json);
}

void
resource_write_tags(struct json *json, const struct resource *resource)
{
	json_open_in(json, "tags", '{');
	for (size_t i = 0; i < resource->tag_count; i++)
		json_text_named(json, resource->tags[i].name, resource->tags[i].value);
	json_close(json, '}');
}

void
resource_write_envelope(struct json *json, const struct resource *resource)
{
	bool placed = resource->type != NULL && !resource->type->placeless;

	json_text(json, "id", resource->id);
	json_text(json, "name", resource->name);
	write_type(json, resource);
	write_optional(json, "location", resource->location);
	if (placed || resource->tag_count > 0)
		resource_write_tags(json, resource);
	write_optional(json, "kind", resource->kind);
	write_optional(json, "managedBy", resource->managed_by);
	write_raw(json, "sku", resource->sku);
	write_raw(json, "identity", resource->identity);
	write_optional(json, "etag", resource->etag);
	if (resource->created_by.len == 0)
		return;
	json_open_in(json, "systemData", '{');
	write_who(json, "createdBy", "createdByType", "createdAt", resource->created_by,
	    resource->created_by_person, resource->created);
	write_who(json, "lastModifiedBy", "lastModifiedByType", "lastModifiedAt",
	    resource->changed_by, resource->changed_by_person, resource->changed);
	json_close(json, '}');
}

void
resource_write(struct json *json, const struct resource *resource)
{
	json_open(json, '{');
	resource_write_envelope(json, resource);
	write_raw(json, "properties", resource->properties);
	json_close(json, '}');
}

void
resource_show(struct request *r, const struct resource *resource)
{
	if (resource->type == NULL || resource->type->show == NULL) {
		resource_write(&r->json, resource);
		return;
	}
	json_open(&r->json, '{');
	resource_write_envelope(&r->json, resource);
	resource->type->show(r, resource);
	json_close(&r->json, '}');
}
