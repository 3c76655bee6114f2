/*
 * The files of a client's key and of its authorities, as somebody may have left them: a key that is
 * taken signs.
 */
#include "crypto/privatekey.h"

#include "base/fuzzing.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(buf_free) struct buf signature = { 0 }, spki = { 0 };
	struct private_key *key = NULL;
	struct error err = { 0 };

	if (!private_key_from_pem((view){ (const char *)data, len }, &key, &err)) {
		check(err.code == ERR_BAD_REQUEST && key == NULL);
		return 0;
	}
	check(private_key_sign(key, V("message"), &signature, &err) && signature.len == 64);
	check(private_key_public(key, &spki, &err) && spki.len > 64);
	private_key_free(key);
	return 0;
}
