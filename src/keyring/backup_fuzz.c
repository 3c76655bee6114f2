/*
 * Backup blobs as strangers send them: none opens, unless it is what we sealed.
 */
#include "keyring/keyring.h"

#include "keyring/fuzzing.h"

#include <string.h>

/* The input is sealed, then one of its bits chosen by the input is turned. */
static void
round_trip(struct keyring *keyring, view input)
{
	AUTO(buf_free) struct buf blob = { 0 };
	struct plain *plain = NULL;
	struct error err;
	size_t at;

	if (!keyring_seal_backup(keyring, V("binding"), input, &blob, &err) ||
	    !keyring_unseal_backup(keyring, V("binding"), buf_view(&blob), &plain, &err) ||
	    !view_eq(plain_view(plain), input))
		abort();
	plain_free(plain);
	at = input.len == 0 ? 0 : (unsigned char)input.ptr[0] % blob.len;
	blob.ptr[at] ^= 0x20;
	if (keyring_unseal_backup(keyring, V("binding"), buf_view(&blob), &plain, &err))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct keyring *keyring;
	static struct store *store;
	view input = { (const char *)data, len };
	struct plain *plain;
	struct error err;

	if (keyring == NULL)
		keyring = fuzzing_keyring(&store);
	if (keyring_unseal_backup(keyring, V("binding"), input, &plain, &err) ||
	    err.code != ERR_MALFORMED_BACKUP)
		abort();
	round_trip(keyring, input);
	return 0;
}
