#include "audit/checkpoint.h"

#include "audit/line.h"
#include "base/base64.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

#define TIME V("{\"time\":\"")
#define CATEGORY V("\",\"category\":\"AuditCheckpoint\",\"checkpoint\":{\"seq\":")
#define CHAIN V(",\"chain\":\"")
#define SIGNATURE V("\"},\"signature\":\"")
#define SIGNATURE_LEN 64 /* r || s on P-256 */
#define SIGNATURE_TEXT_LEN 86

struct checkpoint {
	uint64_t seq;
	view chain, signature;
};

/* What is signed; the names in front keep the signature from meaning anything elsewhere. */
struct message {
	char text[128];
};

static view
message_of(const struct audit_head *at, struct message *out)
{
	(void)snprintf(out->text, sizeof(out->text), "strongroom:audit-checkpoint:%" PRIu64 ":%s",
	    at->seq, at->chain);
	return view_of(out->text);
}

bool
checkpoint_record(struct signing_key *key, const struct audit_head *at, struct buf *out,
    struct error *err)
{
	AUTO(buf_free) struct buf signature = { 0 };
	char time[CLOCK_ISO_LEN + 1];
	struct message message;

	if (!signing_key_sign(key, SIGNATURE_ES256, message_of(at, &message), &signature, err))
		return false;
	clock_iso(clock_wall_nanos(), time);
	buf_add(out, TIME);
	buf_add(out, view_of(time));
	buf_add(out, CATEGORY);
	buf_add_u64(out, at->seq);
	buf_add(out, CHAIN);
	buf_add(out, view_of(at->chain));
	buf_add(out, SIGNATURE);
	base64_encode(BASE64URL, buf_view(&signature), out);
	buf_add(out, V("\"}"));
	return buf_ok(&signature) && buf_ok(out) ? true : error_memory(err);
}

static bool
eat(view *rest, view text)
{
	if (!view_starts(*rest, text))
		return false;
	*rest = view_from(*rest, text.len);
	return true;
}

static bool
take(view *rest, size_t len, view *out)
{
	if (rest->len < len)
		return false;
	*out = (view){ rest->ptr, len };
	*rest = view_from(*rest, len);
	return true;
}

static bool
take_number(view *rest, uint64_t *out)
{
	size_t len = 0;
	view digits;

	while (len < rest->len && rest->ptr[len] >= '0' && rest->ptr[len] <= '9')
		len++;
	return take(rest, len, &digits) && view_u64(digits, out);
}

bool
checkpoint_shaped(view record)
{
	view time;

	return eat(&record, TIME) && take(&record, CLOCK_ISO_LEN, &time) &&
	    view_starts(record, CATEGORY);
}

static bool
checkpoint_parse(view record, struct checkpoint *out)
{
	view time;

	return eat(&record, TIME) && take(&record, CLOCK_ISO_LEN, &time) &&
	    eat(&record, CATEGORY) && take_number(&record, &out->seq) && eat(&record, CHAIN) &&
	    take(&record, AUDIT_CHAIN_LEN, &out->chain) && eat(&record, SIGNATURE) &&
	    take(&record, SIGNATURE_TEXT_LEN, &out->signature) && view_eq(record, V("\""));
}

static bool
signature_good(view text, const struct audit_head *at, const struct public_key *key)
{
	char bytes[SIGNATURE_TEXT_LEN];
	struct message message;
	size_t len;

	return base64_decode(BASE64URL, text, bytes, &len) && len == SIGNATURE_LEN &&
	    public_key_verify(key, SIGNATURE_ES256, message_of(at, &message), (view){ bytes, len });
}

bool
checkpoint_check(view record, const struct audit_head *at, const struct public_key *key,
    struct error *err)
{
	struct checkpoint checkpoint;

	if (!checkpoint_parse(record, &checkpoint))
		return error_set(err, ERR_CORRUPT, "a checkpoint that can't be read");
	if (checkpoint.seq != at->seq || !view_eq(checkpoint.chain, view_of(at->chain)))
		return error_set(err, ERR_CORRUPT, "a checkpoint of another place");
	if (!signature_good(checkpoint.signature, at, key))
		return error_set(err, ERR_CORRUPT, "a checkpoint with a bad signature");
	return true;
}
