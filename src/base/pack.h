/*
 * The flat binary encoding of stored documents: fields one after the other in an agreed order, each
 * with its length, read in place without building anything.  A document starts with its format
 * number, so that a later server can still read an earlier one's.
 *
 * Reading: every unpack_* returns the zero value once something was missing; ask unpack_end() once,
 * at the end, whether all was there and nothing was left.
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include "base/buf.h"

void pack_u8(struct buf *out, uint8_t value);
void pack_u32(struct buf *out, uint32_t value); /* big-endian */
void pack_i64(struct buf *out, int64_t value);
void pack_bytes(struct buf *out, view bytes); /* a u32 length, then the bytes */

struct unpack {
	view rest;
	bool failed;
};

struct unpack unpack_of(view bytes);
uint8_t unpack_u8(struct unpack *in);
uint32_t unpack_u32(struct unpack *in);
int64_t unpack_i64(struct unpack *in);
view unpack_bytes(struct unpack *in); /* borrows from what is read */
MUST_USE bool unpack_end(const struct unpack *in);

#endif
