/*
 * What a backup has inside, as a broken server could have sealed it: restored whole, or refused.
 */
#include "base/base64.h"
#include "crypto/random.h"
#include "keyring/fuzzing.h"
#include "vault/object.h"

#include <string.h>

#define MARKED "Strongroom.Backup.V1.thing"

static void
write_whole(struct request *r, const struct object *object, const struct version *version)
{
	json_text(&r->json, "content", version->content);
	write_id(r, "id", "things", object, version->id);
	write_attributes(r, &version->attributes);
	write_tags(r, version->tags);
}

static bool
restore_policy(struct request *r, const struct object *object, view policy,
    const struct version *latest, struct error *err)
{
	(void)object;
	(void)latest;
	check(r->tx.count > 1);
	return policy.len == 0 || policy.ptr[0] == 'p' || error_set(err, ERR_CORRUPT, "no policy");
}

static const struct object_type type = { .letter = 't',
	.noun = "thing",
	.title = "Thing",
	.collection = "things",
	.deleted = "deletedthings",
	.not_found = ERR_SECRET_NOT_FOUND,
	.write = write_whole,
	.restore_policy = restore_policy };

static struct services services;
static struct vault vault = { .name = { "v", 1 },
	.location = { "local", 5 },
	.retention_days = 90,
	.subscription = { "00000000-0000-4000-8000-00000000000b" } };
static struct store_reader *reader;

static void
start(void)
{
	struct error err;

	services.keyring = fuzzing_keyring(&services.store);
	check(store_reader_new(services.store, &reader, &err));
	random_uuid(&vault.id);
	vault.key = keyring_system(services.keyring);
}

static void
seal(view packed, struct buf *text)
{
	AUTO(buf_free) struct buf blob = { 0 };
	struct error err;

	buf_add_char(&blob, (char)(sizeof(MARKED) - 1));
	buf_add(&blob, V(MARKED));
	check(keyring_seal_backup(services.keyring, V("00000000-0000-4000-8000-00000000000b/local"),
	    packed, &blob, &err));
	base64_encode(BASE64URL, buf_view(&blob), text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena;
	AUTO(buf_free) struct buf text = { 0 };
	struct http_reply out = { 0 };
	struct request r = { .services = &services,
		.out = &out,
		.arena = &arena,
		.vault = &vault,
		.authority = V("a"),
		.version = api_version_newest() };
	struct error err = { 0 };

	if (reader == NULL)
		start();
	arena_init(&arena, (size_t)4 << 20);
	r.tx = (struct tx){ .reader = reader, .keyring = services.keyring, .arena = &arena };
	seal((view){ (const char *)data, len }, &text);
	check(store_begin(reader, &err));
	if (object_restore(&r, &type, buf_view(&text), &err))
		check(r.tx.count > 1 && view_starts(buf_view(&out.body), V("{\"content\":")));
	else
		check(err.code == ERR_MALFORMED_BACKUP || err.code == ERR_UNAVAILABLE);
	store_end(reader);
	buf_free(&out.body);
	return 0;
}
