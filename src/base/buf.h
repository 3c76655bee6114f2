/*
 * A growable run of bytes with an owner.  Appending never fails in the middle: a failed allocation
 * is remembered and asked for once, at the end (buf_ok).  Wiped when freed.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/attr.h"
#include "base/view.h"

struct buf {
	char *ptr;
	size_t len, size;
	bool failed;
};

void buf_add(struct buf *buf, view bytes);
void buf_add_char(struct buf *buf, char c);
PRINTF(2, 3) void buf_print(struct buf *buf, const char *format, ...);
void buf_add_u64(struct buf *buf, uint64_t value); /* decimal */

/*
 * buf_room(buf, len):
 * ${len} writable bytes behind the end, to be claimed with buf->len; NULL when there is no memory.
 */
MUST_USE char *buf_room(struct buf *buf, size_t len);

bool buf_ok(const struct buf *buf);
view buf_view(const struct buf *buf);
void buf_reset(struct buf *buf); /* wipe what is in it; keep the memory */
void buf_free(struct buf *buf);  /* wipe, free; may be used again */

#endif
