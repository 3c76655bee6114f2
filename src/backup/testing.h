/* For the tests of backup/: whom files are sealed to, and a file of one's own. */
#ifndef BACKUP_TESTING_H
#define BACKUP_TESTING_H

#include "backup/record.h"
#include "backup/stream.h"
#include "base/testing.h"

#include <sys/mman.h>
#include <unistd.h>

/* A P-256 certificate, whose private key nobody has kept. */
static const char recipient[] = "-----BEGIN CERTIFICATE-----\n"
				"MIIBkjCCATegAwIBAgIUSWRTBnxj5yP7EWTOgCQ+mRSPtxwwCgYIKoZIzj0EAwIw\n"
				"HTEbMBkGA1UEAwwScmVjaXBpZW50IG9mIHRlc3RzMCAXDTI2MTEyNzIwNDYyM1oY\n"
				"DzIxMjYxMTAzMjA0NjIzWjAdMRswGQYDVQQDDBJyZWNpcGllbnQgb2YgdGVzdHMw\n"
				"WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATP6SGFnlWwYAamIfjFuMu43M+zH7mG\n"
				"uYTwD1DY/5kLqxAz9DO4JuI0OlHRGvjLXQJsg7pCOuXlGnFWEqNaOo4Qo1MwUTAd\n"
				"BgNVHQ4EFgQU1TbEBy1pFEVzoZTHD3K+oiF1TNAwHwYDVR0jBBgwFoAU1TbEBy1p\n"
				"FEVzoZTHD3K+oiF1TNAwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBG\n"
				"AiEAqu5v9NwiILTpMNyiohwfM2wUBo9BDmCwxQKa8emd9IsCIQCqEsZpyafM2r2Y\n"
				"XBrUT6GA/aUu1AJfXDnfuO/Ng94FNg==\n"
				"-----END CERTIFICATE-----\n";

static const char stream_key[STREAM_KEY_LEN + 1] = "0123456789abcdef0123456789abcdef"
						   "identifies a bkp";

static inline view
key_view(void)
{
	return (view){ stream_key, STREAM_KEY_LEN };
}

/* A file with ${content} sealed in it; the caller closes it. */
static inline int
sealed_file(view content)
{
	AUTO(stream_out_done) struct stream_out *stream = NULL;
	uint8_t digest[SHA256_LEN];
	struct error err;
	uint64_t bytes;
	int fd = memfd_create("backup", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_fine(stream_begin(fd, view_of(recipient), key_view(), &stream, &err), &err);
	assert_fine(stream_write(stream, content, &err), &err);
	assert_fine(stream_finish(stream, &bytes, digest, &err), &err);
	assert_int_equal(bytes, lseek(fd, 0, SEEK_END));
	assert_int_equal(0, lseek(fd, 0, SEEK_SET));
	return fd;
}

#endif
