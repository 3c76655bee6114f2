/*
 * For the fuzz targets of backup/: files with something sealed in them, in memory.
 */
#ifndef BACKUP_FUZZING_H
#define BACKUP_FUZZING_H

#include "backup/stream.h"
#include "base/fuzzing.h"

#include <sys/mman.h>
#include <unistd.h>

/* A P-256 certificate of nobody. */
static const char fuzzing_recipient[] =
    "-----BEGIN CERTIFICATE-----\n"
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
static const char fuzzing_key[STREAM_KEY_LEN + 1] = "0123456789abcdef0123456789abcdef"
						    "identifies a bkp";

/* The caller closes it. */
static inline int
fuzzing_file(view bytes)
{
	int fd = memfd_create("backup", MFD_CLOEXEC);

	check(fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len &&
	    lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* fuzzing_seal(content, out): Append the file that has it. */
static inline void
fuzzing_seal(view content, struct buf *out)
{
	AUTO(stream_out_done) struct stream_out *stream = NULL;
	uint8_t digest[SHA256_LEN];
	struct error err;
	uint64_t bytes = 0;
	char *room;
	int fd = fuzzing_file(V(""));

	check(stream_begin(fd, view_of(fuzzing_recipient), (view){ fuzzing_key, STREAM_KEY_LEN },
		  &stream, &err) &&
	    stream_write(stream, content, &err) && stream_finish(stream, &bytes, digest, &err));
	room = malloc(bytes);
	check(room != NULL && pread(fd, room, bytes, 0) == (ssize_t)bytes);
	buf_add(out, (view){ room, bytes });
	free(room);
	(void)close(fd);
}

#endif
