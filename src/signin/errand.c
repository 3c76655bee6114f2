#include "signin/errand.h"

#include "base/pack.h"

#include <string.h>

void
errand_pack(const struct errand *errand, struct buf *out)
{
	const struct scopes *scopes = &errand->scopes;

	pack_u8(out, (uint8_t)errand->stage);
	pack_u8(out, (uint8_t)errand->mode);
	pack_u8(out, (uint8_t)(scopes->openid | scopes->offline << 1 | scopes->v1 << 2));
	pack_bytes(out, view_of(errand->tenant.text));
	pack_bytes(out, view_of(errand->client.text));
	pack_bytes(out, view_of(errand->user.text));
	pack_bytes(out, view_of(errand->family));
	pack_bytes(out, (view){ (const char *)errand->cookie, SHA256_LEN });
	pack_i64(out, errand->sessions);
	pack_bytes(out, errand->client_name);
	pack_bytes(out, scopes->resource);
	pack_bytes(out, errand->hint);
	pack_bytes(out, errand->device);
	pack_bytes(out, errand->redirect);
	pack_bytes(out, errand->state);
	pack_bytes(out, errand->nonce);
	pack_bytes(out, errand->challenge);
}

/* A short text that fits ${size} with its NUL. */
static void
unpack_text(struct unpack *in, char *out, size_t size)
{
	view text = unpack_bytes(in);

	if (text.len >= size)
		in->failed = true;
	else if (text.len > 0)
		memcpy(out, text.ptr, text.len);
}

bool
errand_unpack(view bytes, struct errand *out, struct error *err)
{
	struct unpack in = unpack_of(bytes);
	struct errand errand = { .stage = (enum errand_stage)unpack_u8(&in) };
	uint8_t flags;
	view cookie;

	errand.mode = (enum errand_mode)unpack_u8(&in);
	flags = unpack_u8(&in);
	errand.scopes.openid = (flags & 1) != 0;
	errand.scopes.offline = (flags & 2) != 0;
	errand.scopes.v1 = (flags & 4) != 0;
	unpack_text(&in, errand.tenant.text, sizeof(errand.tenant.text));
	unpack_text(&in, errand.client.text, sizeof(errand.client.text));
	unpack_text(&in, errand.user.text, sizeof(errand.user.text));
	unpack_text(&in, errand.family, sizeof(errand.family));
	cookie = unpack_bytes(&in);
	errand.sessions = unpack_i64(&in);
	errand.client_name = unpack_bytes(&in);
	errand.scopes.resource = unpack_bytes(&in);
	errand.hint = unpack_bytes(&in);
	errand.device = unpack_bytes(&in);
	errand.redirect = unpack_bytes(&in);
	errand.state = unpack_bytes(&in);
	errand.nonce = unpack_bytes(&in);
	errand.challenge = unpack_bytes(&in);
	if (!unpack_end(&in) || cookie.len != SHA256_LEN)
		return error_set(err, ERR_INTERNAL, "A sign-in in memory does not read.");
	memcpy(errand.cookie, cookie.ptr, SHA256_LEN);
	*out = errand;
	return true;
}
