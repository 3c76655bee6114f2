/*
 * Resources as something may have damaged them in the store: what is read can be shown.
 */
#include "arm/provider.h"
#include "base/fuzzing.h"

#define ARENA_MAX ((size_t)1024 * 1024)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct services services = { .providers = provider_list };
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf shown = { 0 };
	struct json json = json_to(&shown);
	struct resource resource;
	struct error err = { 0 };

	arena_init(&arena, ARENA_MAX);
	if (resource_decode((view){ (const char *)data, len }, &services, &arena, &resource,
		&err)) {
		check(resource.name.len > 0 && resource.tag_count <= len);
		resource_write(&json, &resource);
	} else {
		check(err.message[0] != '\0');
	}
	return 0;
}
