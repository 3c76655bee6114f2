#include "secrets/secret.h"

#include "base/pack.h"

#define FORMAT 1

void
secret_pack(const struct secret *secret, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_u8(out, secret->has_content_type);
	pack_bytes(out, secret->content_type);
	pack_bytes(out, secret->value);
}

bool
secret_unpack(view content, struct secret *out)
{
	struct unpack in = unpack_of(content);
	bool fine = unpack_u8(&in) == FORMAT;

	out->has_content_type = unpack_u8(&in) != 0;
	out->content_type = unpack_bytes(&in);
	out->value = unpack_bytes(&in);
	return fine && unpack_end(&in);
}
