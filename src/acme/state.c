/*
 * Where an issuance stands, as bytes.
 */
#include "acme/acme.h"
#include "base/pack.h"

#include <string.h>

#define FORMAT 1

static const struct {
	size_t offset, size;
} texts[] = {
#define TEXT(member)                                                                          \
	{                                                                                     \
		offsetof(struct acme_state, member), sizeof(((struct acme_state *)0)->member) \
	}
	TEXT(new_nonce),
	TEXT(new_account),
	TEXT(new_order),
	TEXT(nonce),
	TEXT(account),
	TEXT(order),
	TEXT(finalize),
	TEXT(authorization),
	TEXT(challenge),
	TEXT(certificate),
	TEXT(name),
	TEXT(token),
};

static const char *const stages[] = {
	[ACME_DIRECTORY] = "asking where the authority is",
	[ACME_ACCOUNT] = "making an account",
	[ACME_ORDER] = "ordering",
	[ACME_LOOK] = "waiting for the authority",
	[ACME_AUTHORIZATION] = "asking how to prove a name",
	[ACME_ANSWER] = "a name's proof is there to be seen",
	[ACME_PROVED] = "waiting for a name's proof to be seen",
	[ACME_FINALIZE] = "sending the certificate request",
	[ACME_DOWNLOAD] = "fetching the certificate",
	[ACME_DONE] = "done",
	[ACME_FAILED] = "failed",
};

const char *
acme_stage_name(enum acme_stage stage)
{
	return stages[stage];
}

void
acme_pack(const struct acme_state *state, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_u8(out, (uint8_t)state->stage);
	pack_u32(out, state->next);
	pack_u32(out, state->waits);
	pack_u8(out, (uint8_t)state->kind);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		pack_bytes(out, view_of((const char *)state + texts[i].offset));
}

bool
acme_unpack(view packed, struct acme_state *out)
{
	struct unpack in = unpack_of(packed);
	struct acme_state state = { 0 };
	bool fine = unpack_u8(&in) == FORMAT;

	state.stage = unpack_u8(&in);
	state.next = unpack_u32(&in);
	state.waits = unpack_u32(&in);
	state.kind = unpack_u8(&in);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		view text = unpack_bytes(&in);

		if (text.len >= texts[i].size)
			return false;
		if (text.len > 0)
			memcpy((char *)&state + texts[i].offset, text.ptr, text.len);
	}
	if (!fine || !unpack_end(&in) || state.stage > ACME_FAILED || state.kind > ACME_DNS_01)
		return false;
	*out = state;
	return true;
}
