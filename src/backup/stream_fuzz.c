/*
 * Files that say they are a backup of the server, as strangers leave them: none opens.  What the
 * input seals opens again, but with no bit turned, nothing cut off and nothing behind it.
 */
#include "backup/stream.h"

#include "backup/fuzzing.h"

/* Of the recipient of backup/fuzzing.h. */
static const char recipient_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKDCUQcR5L2e2XoBn\n"
    "bdrfbZABZpsQNhqJTOwVSQxPnoKhRANCAAT9Lxk3dbHB7zd4SNo0yBDo8QqKYsWV\n"
    "gbWlxNWsQ70nwj3FMmy/uF54Lu9GMu92fPYK/SE3Jb9qbkNxtJEkp65e\n"
    "-----END PRIVATE KEY-----\n";
/* Does it open whole, with ${content} in it?  ${key}: the recipient's, or empty: the stream's. */
static bool
opens(view file, view key, view content)
{
	AUTO(stream_in_done) struct stream_in *stream = NULL;
	AUTO(buf_free) struct buf out = { 0 };
	struct error err = { 0 };
	int fd = fuzzing_file(file);
	bool fine = key.len > 0
	    ? stream_open(fd, key, &stream, &err)
	    : stream_open_with(fd, (view){ fuzzing_key, STREAM_KEY_LEN }, &stream, &err);

	fine = fine && stream_read(stream, content.len, &out, &err) && stream_end(stream, &err);
	check(fine || (err.code != ERR_NONE && err.message[0] != '\0'));
	check(!fine || view_eq(buf_view(&out), content));
	(void)close(fd);
	return fine;
}

/* The first two bytes of the input say which byte of its file is changed, and how. */
static void
round_trip(view input)
{
	AUTO(buf_free) struct buf file = { 0 };
	const unsigned char *bytes = (const unsigned char *)input.ptr;
	size_t at;

	fuzzing_seal(input, &file);
	check(opens(buf_view(&file), view_of(recipient_key), input));
	check(opens(buf_view(&file), V(""), input));
	check(!opens((view){ file.ptr, file.len - 1 }, V(""), input));
	at = ((size_t)bytes[0] << 8 | bytes[1]) % file.len;
	file.ptr[at] ^= (char)(1U << bytes[1] % 8);
	check(!opens(buf_view(&file), V(""), input));
	file.ptr[at] ^= (char)(1U << bytes[1] % 8);
	buf_add_char(&file, (char)bytes[0]);
	check(!opens(buf_view(&file), V(""), input));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static unsigned turn;
	view input = { (const char *)data, len };

	(void)opens(input, view_of(recipient_key), V(""));
	(void)opens(input, V(""), V(""));
	/* Sealing costs more than all else. */
	if (len >= 2 && turn++ % 16 == 0)
		round_trip(input);
	return 0;
}
