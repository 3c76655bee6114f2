/*
 * Files that say they are a backup of the server, as strangers leave them: none opens.  What the
 * input seals opens again, but with no bit turned, nothing cut off and nothing behind it.
 */
#include "backup/stream.h"

#include "base/fuzzing.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A P-256 certificate of nobody, and its key. */
static const char recipient[] = "-----BEGIN CERTIFICATE-----\n"
				"MIIBkjCCATmgAwIBAgIUDxjfLDX0FQ4gzSaiF3Ql+rr3K6MwCgYIKoZIzj0EAwIw\n"
				"HjEcMBoGA1UEAwwTcmVjaXBpZW50IG9mIG5vYm9keTAgFw0yNjExMjgwMDEyMjNa\n"
				"GA8yMTI2MTEwNDAwMTIyM1owHjEcMBoGA1UEAwwTcmVjaXBpZW50IG9mIG5vYm9k\n"
				"eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABP0vGTd1scHvN3hI2jTIEOjxCopi\n"
				"xZWBtaXE1axDvSfCPcUybL+4Xngu70Yy73Z89gr9ITclv2puQ3G0kSSnrl6jUzBR\n"
				"MB0GA1UdDgQWBBTAVeBmY03haYMPgUeYzqlBRcoF4zAfBgNVHSMEGDAWgBTAVeBm\n"
				"Y03haYMPgUeYzqlBRcoF4zAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cA\n"
				"MEQCIBi1jma/jdoPaprWEVa1D1dGkSK4zCNluKbIPtSlzivtAiB2vY3M5vDrRdxb\n"
				"bMy6KyRcpZfX/68Mo0qTBhGZl5yCcw==\n"
				"-----END CERTIFICATE-----\n";
static const char recipient_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKDCUQcR5L2e2XoBn\n"
    "bdrfbZABZpsQNhqJTOwVSQxPnoKhRANCAAT9Lxk3dbHB7zd4SNo0yBDo8QqKYsWV\n"
    "gbWlxNWsQ70nwj3FMmy/uF54Lu9GMu92fPYK/SE3Jb9qbkNxtJEkp65e\n"
    "-----END PRIVATE KEY-----\n";
static const char sealed_key[STREAM_KEY_LEN + 1] = "0123456789abcdef0123456789abcdef"
						   "identifies a bkp";

static int
file_of(view bytes)
{
	int fd = memfd_create("backup", MFD_CLOEXEC);

	check(fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len &&
	    lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* Does it open whole, with ${content} in it?  ${key}: the recipient's, or empty: the stream's. */
static bool
opens(view file, view key, view content)
{
	AUTO(stream_in_done) struct stream_in *stream = NULL;
	AUTO(buf_free) struct buf out = { 0 };
	struct error err = { 0 };
	int fd = file_of(file);
	bool fine = key.len > 0
	    ? stream_open(fd, key, &stream, &err)
	    : stream_open_with(fd, (view){ sealed_key, STREAM_KEY_LEN }, &stream, &err);

	fine = fine && stream_read(stream, content.len, &out, &err) && stream_end(stream, &err);
	check(fine || (err.code != ERR_NONE && err.message[0] != '\0'));
	check(!fine || view_eq(buf_view(&out), content));
	(void)close(fd);
	return fine;
}

static void
seal(view content, struct buf *out)
{
	AUTO(stream_out_done) struct stream_out *stream = NULL;
	uint8_t digest[SHA256_LEN];
	struct error err;
	uint64_t bytes = 0;
	char *room;
	int fd = file_of(V(""));

	check(stream_begin(fd, view_of(recipient), (view){ sealed_key, STREAM_KEY_LEN }, &stream,
		  &err) &&
	    stream_write(stream, content, &err) && stream_finish(stream, &bytes, digest, &err));
	room = malloc(bytes);
	check(room != NULL && pread(fd, room, bytes, 0) == (ssize_t)bytes);
	buf_add(out, (view){ room, bytes });
	free(room);
	(void)close(fd);
}

/* The first two bytes of the input say which byte of its file is changed, and how. */
static void
round_trip(view input)
{
	AUTO(buf_free) struct buf file = { 0 };
	const unsigned char *bytes = (const unsigned char *)input.ptr;
	size_t at;

	seal(input, &file);
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
