/*
 * Base64 and base64url (RFC 4648).  Encoding pads base64, and leaves base64url unpadded.  Decoding
 * is strict about the alphabet and takes both with or without padding.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

enum base64_kind { BASE64, BASE64URL };

size_t base64_encoded_len(enum base64_kind kind, size_t len);

/* base64_encode(kind, bytes, out): Append the text to ${out}. */
void base64_encode(enum base64_kind kind, view bytes, struct buf *out);

/*
 * base64_decode(kind, text, out, len):
 * Write at most text.len / 4 * 3 + 2 bytes to ${out}, which may be the text itself, and their
 * number to ${len}.  False on any foreign character or impossible length.
 */
MUST_USE bool base64_decode(enum base64_kind kind, view text, char *out, size_t *len);

#endif
