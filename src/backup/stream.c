#include "backup/stream.h"

#include "base/file.h"
#include "base/pack.h"
#include "crypto/aead.h"
#include "crypto/envelope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC V("strongroom-backup 1\n")
#define SEALED_MAX (STREAM_PIECE + AEAD_OVERHEAD)
#define LENGTH_LEN 4

/* What both ends have: the key, where in the file they are, and a piece in the clear. */
struct ends {
	int fd;
	struct aead *aead;
	struct hash *hash; /* of the file */
	uint64_t bytes;    /* of the file */
	uint8_t head[SHA256_LEN];
	uint64_t number; /* of the next piece */
	struct plain *piece;
	char *sealed; /* SEALED_MAX */
};

struct stream_out {
	struct ends ends;
	size_t used; /* of the piece */
};

struct stream_in {
	struct ends ends;
	struct plain *key;
	size_t at, len; /* in the piece */
	bool last;      /* that was the last piece */
};

static bool
ends_open(struct ends *ends, int fd, struct error *err)
{
	ends->fd = fd;
	ends->piece = plain_new(STREAM_PIECE);
	ends->sealed = malloc(SEALED_MAX);
	if (ends->piece == NULL || ends->sealed == NULL)
		return error_memory(err);
	return hash_new(&ends->hash, err);
}

static void
ends_close(struct ends *ends)
{
	aead_free(ends->aead);
	hash_free(ends->hash);
	plain_free(ends->piece);
	free(ends->sealed);
}

/* The key is known, and all that stands before the pieces. */
static bool
ends_begin(struct ends *ends, view key, view head, struct error *err)
{
	return sha256(&head, 1, ends->head, err) &&
	    aead_new((const uint8_t *)key.ptr, &ends->aead, err);
}

/* What is authenticated with the next piece. */
static bool
bind_piece(struct ends *ends, bool last, struct buf *out, struct error *err)
{
	buf_add(out, V("strongroom:backup-piece:"));
	buf_add(out, (view){ (const char *)ends->head, sizeof(ends->head) });
	pack_i64(out, (int64_t)ends->number++);
	pack_u8(out, last ? 1 : 0);
	return buf_ok(out) || error_memory(err);
}

/* Writing */

static bool
put(struct ends *ends, view bytes, struct error *err)
{
	hash_add(ends->hash, bytes);
	ends->bytes += bytes.len;
	return fd_write(ends->fd, bytes) || error_errno(err, "The backup can't be written");
}

static bool
put_with_length(struct ends *ends, view bytes, struct error *err)
{
	AUTO(buf_free) struct buf length = { 0 };

	pack_u32(&length, (uint32_t)bytes.len);
	if (!buf_ok(&length))
		return error_memory(err);
	return put(ends, buf_view(&length), err) && put(ends, bytes, err);
}

static bool
put_head(struct ends *ends, view recipient, view key, struct error *err)
{
	AUTO(buf_free) struct buf envelope = { 0 }, head = { 0 };

	if (!envelope_seal(recipient, key, &envelope, err))
		return false;
	buf_add(&head, MAGIC);
	pack_bytes(&head, buf_view(&envelope));
	if (!buf_ok(&head))
		return error_memory(err);
	return ends_begin(ends, key, buf_view(&head), err) && put(ends, buf_view(&head), err);
}

void
stream_out_done(struct stream_out **stream)
{
	if (*stream == NULL)
		return;
	ends_close(&(*stream)->ends);
	free(*stream);
}

bool
stream_begin(int fd, view recipient, view key, struct stream_out **out, struct error *err)
{
	AUTO(stream_out_done) struct stream_out *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return error_memory(err);
	if (!ends_open(&stream->ends, fd, err) || !put_head(&stream->ends, recipient, key, err))
		return false;
	*out = stream;
	stream = NULL;
	return true;
}

static bool
put_piece(struct stream_out *stream, bool last, struct error *err)
{
	struct ends *ends = &stream->ends;
	const view piece = { plain_bytes(ends->piece), stream->used };
	AUTO(buf_free) struct buf bound = { 0 };

	stream->used = 0;
	return bind_piece(ends, last, &bound, err) &&
	    aead_seal(ends->aead, piece, buf_view(&bound), ends->sealed, err) &&
	    put_with_length(ends, (view){ ends->sealed, piece.len + AEAD_OVERHEAD }, err);
}

bool
stream_write(struct stream_out *stream, view bytes, struct error *err)
{
	while (bytes.len > 0) {
		size_t room = STREAM_PIECE - stream->used;
		size_t some = bytes.len < room ? bytes.len : room;

		memcpy(plain_bytes(stream->ends.piece) + stream->used, bytes.ptr, some);
		stream->used += some;
		bytes = view_from(bytes, some);
		if (stream->used == STREAM_PIECE && !put_piece(stream, false, err))
			return false;
	}
	return true;
}

bool
stream_finish(struct stream_out *stream, uint64_t *bytes, uint8_t digest[SHA256_LEN],
    struct error *err)
{
	if (!put_piece(stream, true, err))
		return false;
	if (fsync(stream->ends.fd) != 0)
		return error_errno(err, "The backup can't be written");
	*bytes = stream->ends.bytes;
	return hash_end(stream->ends.hash, digest, err);
}

/* Reading */

/* Fewer than ${len} only at the end of the file. */
static bool
get(struct ends *ends, char *into, size_t len, size_t *got, struct error *err)
{
	*got = 0;
	while (*got < len) {
		ssize_t done = read(ends->fd, into + *got, len - *got);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return error_errno(err, "The backup can't be read");
		if (done == 0)
			break;
		*got += (size_t)done;
	}
	hash_add(ends->hash, (view){ into, *got });
	ends->bytes += *got;
	return true;
}

static bool
cut_short(struct error *err)
{
	return error_set(err, ERR_CORRUPT, "The backup ends in the middle.");
}

static bool
get_whole(struct ends *ends, char *into, size_t len, struct error *err)
{
	size_t got;

	return get(ends, into, len, &got, err) && (got == len || cut_short(err));
}

static bool
get_length(struct ends *ends, size_t min, size_t max, size_t *out, struct error *err)
{
	char bytes[LENGTH_LEN];
	struct unpack in = unpack_of((view){ bytes, sizeof(bytes) });

	if (!get_whole(ends, bytes, sizeof(bytes), err))
		return false;
	*out = unpack_u32(&in);
	return (*out >= min && *out <= max) ||
	    error_set(err, ERR_CORRUPT, "The backup is damaged.");
}

/* All that stands before the pieces; ${envelope} is a part of ${head}. */
static bool
get_head(struct ends *ends, struct buf *head, view *envelope, struct error *err)
{
	size_t len;
	char *room = buf_room(head, MAGIC.len + LENGTH_LEN + ENVELOPE_MAX);

	if (room == NULL)
		return error_memory(err);
	if (!get(ends, room, MAGIC.len, &len, err))
		return false;
	if (!view_eq((view){ room, len }, MAGIC))
		return error_set(err, ERR_CORRUPT, "This is not a backup.");
	if (!get_length(ends, 1, ENVELOPE_MAX, &len, err))
		return false;
	head->len = MAGIC.len;
	pack_u32(head, (uint32_t)len);
	if (!get_whole(ends, head->ptr + head->len, len, err))
		return false;
	*envelope = (view){ head->ptr + head->len, len };
	head->len += len;
	return true;
}

static bool
take_key(struct stream_in *stream, view private_key, view given, view envelope, struct error *err)
{
	if (given.len > 0)
		stream->key = plain_copy(given);
	else if (!envelope_open(private_key, envelope, &stream->key, err))
		return false;
	if (stream->key == NULL)
		return error_memory(err);
	return plain_view(stream->key).len == STREAM_KEY_LEN ||
	    error_set(err, ERR_CORRUPT, "The backup is damaged.");
}

void
stream_in_done(struct stream_in **stream)
{
	if (*stream == NULL)
		return;
	ends_close(&(*stream)->ends);
	plain_free((*stream)->key);
	free(*stream);
}

static bool
open_either(int fd, view private_key, view given, struct stream_in **out, struct error *err)
{
	AUTO(stream_in_done) struct stream_in *stream = calloc(1, sizeof(*stream));
	AUTO(buf_free) struct buf head = { 0 };
	view envelope;

	if (stream == NULL)
		return error_memory(err);
	if (!ends_open(&stream->ends, fd, err) || !get_head(&stream->ends, &head, &envelope, err) ||
	    !take_key(stream, private_key, given, envelope, err) ||
	    !ends_begin(&stream->ends, plain_view(stream->key), buf_view(&head), err))
		return false;
	*out = stream;
	stream = NULL;
	return true;
}

bool
stream_open(int fd, view key, struct stream_in **out, struct error *err)
{
	return open_either(fd, key, V(""), out, err);
}

bool
stream_open_with(int fd, view key, struct stream_in **out, struct error *err)
{
	return open_either(fd, V(""), key, out, err);
}

view
stream_id(const struct stream_in *stream)
{
	return view_from(plain_view(stream->key), AEAD_KEY_LEN);
}

/* The last piece is the one that is shorter than the others, if only by being empty. */
static bool
open_piece(struct ends *ends, view sealed, bool last, struct error *err)
{
	AUTO(buf_free) struct buf bound = { 0 };

	return bind_piece(ends, last, &bound, err) &&
	    aead_open(ends->aead, sealed, buf_view(&bound), plain_bytes(ends->piece), err);
}

static bool
next_piece(struct stream_in *stream, struct error *err)
{
	struct ends *ends = &stream->ends;
	size_t len;
	view sealed;

	if (stream->last)
		return cut_short(err);
	if (!get_length(ends, AEAD_OVERHEAD, SEALED_MAX, &len, err) ||
	    !get_whole(ends, ends->sealed, len, err))
		return false;
	sealed = (view){ ends->sealed, len };
	stream->last = len < SEALED_MAX;
	if (!open_piece(ends, sealed, stream->last, err))
		return err->code == ERR_CORRUPT
		    ? error_set(err, ERR_CORRUPT, "The backup is damaged, or not in one piece.")
		    : false;
	stream->at = 0;
	stream->len = len - AEAD_OVERHEAD;
	return true;
}

bool
stream_read(struct stream_in *stream, size_t len, struct buf *out, struct error *err)
{
	while (len > 0) {
		size_t some = stream->len - stream->at;

		if (some == 0) {
			if (!next_piece(stream, err))
				return false;
			continue;
		}
		some = some < len ? some : len;
		buf_add(out, (view){ plain_bytes(stream->ends.piece) + stream->at, some });
		stream->at += some;
		len -= some;
	}
	return buf_ok(out) || error_memory(err);
}

bool
stream_end(struct stream_in *stream, struct error *err)
{
	char more;
	size_t got;

	/* What was written may have filled its pieces: then the last one is empty. */
	while (!stream->last && stream->at == stream->len) {
		if (!next_piece(stream, err))
			return false;
	}
	if (stream->at < stream->len || !stream->last)
		return error_set(err, ERR_CORRUPT,
		    "There is more in the backup than its end says.");
	if (!get(&stream->ends, &more, 1, &got, err))
		return false;
	return got == 0 || error_set(err, ERR_CORRUPT, "Something follows the backup in its file.");
}

uint64_t
stream_size(const struct stream_in *stream)
{
	struct stat stat;

	return fstat(stream->ends.fd, &stat) == 0 ? (uint64_t)stat.st_size : 0;
}

uint64_t
stream_taken(const struct stream_in *stream)
{
	return stream->ends.bytes;
}

bool
stream_digest(struct stream_in *stream, uint8_t digest[SHA256_LEN], struct error *err)
{
	return hash_end(stream->ends.hash, digest, err);
}
