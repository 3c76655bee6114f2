/*
 * Vaults, objects and versions as something may have damaged them in the store; names and network
 * rules as strangers write them.
 */
#include "base/fuzzing.h"
#include "vault/due.h"
#include "vault/object_store.h"
#include "vault/vault_store.h"

#include <string.h>

#define ARENA_MAX ((size_t)1024 * 1024)

/* What is read is written and read again the same. */
static void
try_vault(view bytes, struct arena *arena)
{
	AUTO(buf_free) struct buf once = { 0 }, twice = { 0 };
	struct vault vault = { 0 }, again = { 0 };
	struct error err = { 0 };

	if (!vault_decode(bytes, arena, &vault, &err)) {
		check(err.code == ERR_CORRUPT || err.code == ERR_UNAVAILABLE);
		return;
	}
	check(vault.network.block_count <= bytes.len && vault.policy_count <= bytes.len);
	vault_encode(&vault, &once);
	check(vault_decode(buf_view(&once), arena, &again, &err));
	vault_encode(&again, &twice);
	check(view_eq(buf_view(&once), buf_view(&twice)));
	(void)network_judge(&vault.network, V("192.0.2.1"), false);
}

static void
try_object(view bytes)
{
	AUTO(plain_done) struct plain *document = plain_new(bytes.len);
	AUTO(buf_free) struct buf packed = { 0 };
	struct version version;
	struct object object;
	struct error err = { 0 };

	check(document != NULL);
	memcpy(plain_bytes(document), bytes.ptr, bytes.len);
	if (head_decode(document, &object, &err))
		check(object.id[HEX16_LEN] == '\0' && object.name.len < bytes.len);
	if (version_decode(document, &version, &err)) {
		version_encode(&version, &packed);
		check(view_eq(buf_view(&packed), bytes) || packed.len == bytes.len);
	}
}

static void
try_texts(view text)
{
	struct address_block block;
	struct error err = { 0 };
	int64_t time;

	if (vault_name_valid(text))
		check(text.len >= 3 && text.len <= VAULT_NAME_MAX);
	if (network_block_parse(text, false, &block, &err))
		check(block.prefix <= 128);
	else
		check(err.code == ERR_BAD_REQUEST);
	(void)!due_time(text, &time);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view bytes = { (const char *)data, len };

	arena_init(&arena, ARENA_MAX);
	try_vault(bytes, &arena);
	try_object(bytes);
	try_texts(bytes);
	return 0;
}
