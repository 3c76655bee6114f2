#include "base/buf.h"

#include "base/starved.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MIN 256

/* Not realloc: it would leave the old bytes behind, unwiped. */
static bool
grow(struct buf *buf, size_t need)
{
	size_t size = buf->size < SIZE_MIN ? SIZE_MIN : buf->size;
	char *bytes;

	while (size < need) {
		if (__builtin_mul_overflow(size, 2U, &size))
			return false;
	}
	bytes = malloc(size);
	if (bytes == NULL)
		return false;
	if (buf->ptr != NULL) {
		memcpy(bytes, buf->ptr, buf->len);
		explicit_bzero(buf->ptr, buf->len);
	}
	free(buf->ptr);
	buf->ptr = bytes;
	buf->size = size;
	return true;
}

char *
buf_room(struct buf *buf, size_t len)
{
	if (buf->failed)
		return NULL;
	/* Room for nothing is room, too: not NULL, which would be a failure. */
	if ((buf->ptr == NULL || buf->size - buf->len < len) &&
	    (len > SIZE_MAX / 2 - buf->len || !grow(buf, buf->len + len))) {
		buf->failed = true;
		starved_note();
		return NULL;
	}
	return buf->ptr + buf->len;
}

void
buf_add(struct buf *buf, view bytes)
{
	char *room = bytes.len == 0 ? NULL : buf_room(buf, bytes.len);

	if (room == NULL)
		return;
	memcpy(room, bytes.ptr, bytes.len);
	buf->len += bytes.len;
}

void
buf_add_char(struct buf *buf, char c)
{
	char *room = buf_room(buf, 1);

	if (room == NULL)
		return;
	*room = c;
	buf->len++;
}

void
buf_add_u64(struct buf *buf, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	buf_add(buf, (view){ digits + at, sizeof(digits) - at });
}

void
buf_print(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	char *room;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	room = len < 0 ? NULL : buf_room(buf, (size_t)len + 1);
	if (room != NULL) {
		(void)vsnprintf(room, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

bool
buf_ok(const struct buf *buf)
{
	return !buf->failed;
}

view
buf_view(const struct buf *buf)
{
	return (view){ buf->ptr == NULL ? "" : buf->ptr, buf->len };
}

void
buf_reset(struct buf *buf)
{
	if (buf->ptr != NULL)
		explicit_bzero(buf->ptr, buf->len);
	buf->len = 0;
	buf->failed = false;
}

void
buf_free(struct buf *buf)
{
	buf_reset(buf);
	free(buf->ptr);
	*buf = (struct buf){ 0 };
}
