/*
 * What is in a backup, as somebody who has the recipient's certificate can seal it: restored into a
 * folder aside it is refused, and nothing of it stays or gets out of there.
 *
 * With an odd first byte the last record is made right, so that what lies behind it is reached.
 */
#include "backup/stage.h"

#include "backup/fuzzing.h"
#include "backup/record.h"

/* Frames as they are, but for those that are none; ${end} is what the last one should say. */
static void
take_frames(view input, struct buf *content, struct record_end *end, struct hash *hash)
{
	while (input.len >= 4) {
		const unsigned char *bytes = (const unsigned char *)input.ptr;
		size_t len = (size_t)bytes[2] << 8 | bytes[3];
		struct record record;
		struct error err;

		input = view_from(input, 4);
		len = len < input.len ? len : input.len;
		if (record_parse((view){ input.ptr, len }, &record, &err) &&
		    record.kind != RECORD_END) {
			record_add(content, &record);
			end->documents += record.kind == RECORD_DOCUMENT;
			end->lines += record.kind == RECORD_LINE;
			end->files += record.kind == RECORD_FILE;
			check(record.kind != RECORD_DOCUMENT || record_digest(hash, &record, &err));
		}
		input = view_from(input, len);
	}
}

static void
add_end(view input, struct buf *content)
{
	AUTO(hash_done) struct hash *hash = NULL;
	struct record record = { .kind = RECORD_END };
	uint8_t digest[SHA256_LEN];
	struct error err;

	check(hash_new(&hash, &err));
	take_frames(input, content, &record.end, hash);
	check(hash_end(hash, digest, &err));
	record.end.digest = (view){ (const char *)digest, sizeof(digest) };
	record_add(content, &record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(buf_free) struct buf content = { 0 }, file = { 0 };
	AUTO(stream_in_done) struct stream_in *stream = NULL;
	const struct watch nobody = { 0 };
	struct stage stage = { .lock = -1 };
	char folder[] = "/dev/shm/fuzzing_XXXXXX";
	view input = { (const char *)data + 1, len - 1 };
	struct error err = { 0 };
	int fd;

	if (len == 0)
		return 0;
	if (data[0] % 2 != 0)
		add_end(input, &content);
	else
		buf_add(&content, input);
	fuzzing_seal(buf_view(&content), &file);
	fd = fuzzing_file(buf_view(&file));
	check(mkdtemp(folder) != NULL && stage_make(folder, &stage, &err));
	check(stream_open_with(fd, (view){ fuzzing_key, STREAM_KEY_LEN }, &stream, &err));
	if (!stage_restore(&stage, stream, &nobody, &err))
		check(err.code == ERR_CORRUPT || err.code == ERR_UNAVAILABLE);
	(void)close(fd);
	stage_done(&stage);
	check(rmdir(folder) == 0);
	return 0;
}
