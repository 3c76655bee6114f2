/*
 * A backup's file: a stream of bytes sealed in pieces, in memory that does not grow with it.
 *
 *	"strongroom-backup 1\n"
 *	u32, envelope     the file's key and id, sealed to the recipient (crypto/envelope.h)
 *	u32, piece        again and again: STREAM_PIECE bytes or fewer, AES-256-GCM by that key
 *
 * What is authenticated with each piece is the digest of all before the first one, its number, and
 * whether it is the last: pieces that are missing, doubled, moved, of another backup or behind the
 * last one are refused, as is a file that ends before the last one.
 */
#ifndef BACKUP_STREAM_H
#define BACKUP_STREAM_H

#include "base/buf.h"
#include "base/error.h"
#include "base/plain.h"
#include "crypto/hash.h"

#define STREAM_PIECE ((size_t)128 * 1024)
#define STREAM_KEY_LEN 48 /* the key, and BACKUP_ID_LEN bytes of id */

/* Writing; the file is the caller's. */
struct stream_out;

/*
 * stream_begin(fd, recipient, key, out, err):
 * ${key}: STREAM_KEY_LEN random bytes; ${recipient}: a certificate in PEM.
 */
MUST_USE bool stream_begin(int fd, view recipient, view key, struct stream_out **out,
    struct error *err);
MUST_USE bool stream_write(struct stream_out *stream, view bytes, struct error *err);

/* stream_finish: The last piece, and what is in the file made durable. ${digest}: of the file. */
MUST_USE bool stream_finish(struct stream_out *stream, uint64_t *bytes, uint8_t digest[SHA256_LEN],
    struct error *err);
void stream_out_done(struct stream_out **stream); /* for AUTO */

/* Reading. */
struct stream_in;

/*
 * stream_open(fd, key, out, err):
 * Read what stands before the pieces.  ${key}: the recipient's private key in PEM.  ERR_CORRUPT:
 * it is no backup, or not sealed to that key.
 * stream_open_with: ${key} is the one the file was written with.
 */
MUST_USE bool stream_open(int fd, view key, struct stream_in **out, struct error *err);
MUST_USE bool stream_open_with(int fd, view key, struct stream_in **out, struct error *err);

/* stream_id(stream): BACKUP_ID_LEN bytes, that the envelope holds. */
view stream_id(const struct stream_in *stream);

/* stream_read(stream, len, out, err): Append exactly ${len} bytes; ERR_CORRUPT: there are fewer. */
MUST_USE bool stream_read(struct stream_in *stream, size_t len, struct buf *out, struct error *err);

/* stream_end(stream, err): All was read, and nothing follows it in the file; ERR_CORRUPT. */
MUST_USE bool stream_end(struct stream_in *stream, struct error *err);

/* stream_size: Of the file, 0 when there is no telling. */
uint64_t stream_size(const struct stream_in *stream);

/* stream_taken: Of the file, so far; the digest only after stream_end. */
uint64_t stream_taken(const struct stream_in *stream);
MUST_USE bool stream_digest(struct stream_in *stream, uint8_t digest[SHA256_LEN],
    struct error *err);
void stream_in_done(struct stream_in **stream); /* for AUTO */

#endif
