#include "base/pack.h"

static void
pack_be(struct buf *out, uint64_t value, size_t width)
{
	char bytes[8];

	for (size_t i = 0; i < width; i++)
		bytes[i] = (char)(value >> (8 * (width - 1 - i)));
	buf_add(out, (view){ bytes, width });
}

void
pack_u8(struct buf *out, uint8_t value)
{
	pack_be(out, value, 1);
}

void
pack_u32(struct buf *out, uint32_t value)
{
	pack_be(out, value, 4);
}

void
pack_i64(struct buf *out, int64_t value)
{
	pack_be(out, (uint64_t)value, 8);
}

void
pack_bytes(struct buf *out, view bytes)
{
	pack_u32(out, (uint32_t)bytes.len);
	buf_add(out, bytes);
}

struct unpack
unpack_of(view bytes)
{
	return (struct unpack){ .rest = bytes };
}

static view
take(struct unpack *in, size_t len)
{
	view bytes = { in->rest.ptr, len };

	if (in->failed || in->rest.len < len) {
		in->failed = true;
		return (view){ "", 0 };
	}
	in->rest = view_from(in->rest, len);
	return bytes;
}

static uint64_t
unpack_be(struct unpack *in, size_t width)
{
	view bytes = take(in, width);
	uint64_t value = 0;

	for (size_t i = 0; i < bytes.len; i++)
		value = value << 8 | (unsigned char)bytes.ptr[i];
	return value;
}

uint8_t
unpack_u8(struct unpack *in)
{
	return (uint8_t)unpack_be(in, 1);
}

uint32_t
unpack_u32(struct unpack *in)
{
	return (uint32_t)unpack_be(in, 4);
}

int64_t
unpack_i64(struct unpack *in)
{
	return (int64_t)unpack_be(in, 8);
}

view
unpack_bytes(struct unpack *in)
{
	return take(in, unpack_u32(in));
}

bool
unpack_end(const struct unpack *in)
{
	return !in->failed && in->rest.len == 0;
}
