#include "audit/line.h"

#include "audit/checkpoint.h"
#include "base/base64.h"
#include "crypto/hash.h"

#include <inttypes.h>
#include <string.h>

#define JOURNAL V(",\"journal\":")
#define SEQ V(",\"seq\":")
#define CHAIN V(",\"chain\":\"")
#define END V("\"}")
#define TAIL_LEN (CHAIN.len + AUDIT_CHAIN_LEN + END.len)

/* Take `LABEL digits` off the end of ${text}; false when it is not there. */
static bool
cut_number(view *text, view label, uint64_t *out)
{
	size_t at = text->len;
	view before, digits;

	while (at > 0 && text->ptr[at - 1] >= '0' && text->ptr[at - 1] <= '9')
		at--;
	before = (view){ text->ptr, at };
	digits = view_from(*text, at);
	if (!view_ends(before, label) || view_starts(digits, V("0")) || !view_u64(digits, out))
		return false;
	text->len = at - label.len;
	return true;
}

bool
line_record_valid(view record)
{
	view open = { record.ptr, record.len == 0 ? 0 : record.len - 1 };
	uint64_t number;
	size_t at;

	return record.len <= AUDIT_RECORD_MAX && view_starts(record, V("{\"")) &&
	    view_ends(record, V("}")) && !view_find(record, '\n', &at) &&
	    !cut_number(&open, JOURNAL, &number) && !checkpoint_shaped(record);
}

static bool
chain_after(view before, view body, struct buf *out, struct error *err)
{
	const view parts[] = { before, body };
	uint8_t hash[SHA256_LEN];

	if (!sha256(parts, COUNT_OF(parts), hash, err))
		return false;
	base64_encode(BASE64URL, (view){ (const char *)hash, sizeof(hash) }, out);
	return true;
}

/* Close the line that begins at ${start} in ${out} with its hash. */
static bool
add_chain(struct buf *out, size_t start, view before, struct error *err)
{
	view body;

	/* Room first: the hash is made of bytes in ${out}, which must not move meanwhile. */
	if (buf_room(out, TAIL_LEN + 1) == NULL)
		return error_memory(err);
	body = (view){ out->ptr + start, out->len - start };
	buf_add(out, CHAIN);
	if (!chain_after(before, body, out, err))
		return false;
	buf_add(out, END);
	buf_add_char(out, '\n');
	return true;
}

bool
line_add(struct buf *out, view record, uint64_t journal, struct audit_head *at, struct error *err)
{
	size_t start = out->len;

	buf_add(out, (view){ record.ptr, record.len - 1 });
	if (journal != 0) {
		buf_add(out, JOURNAL);
		buf_add_u64(out, journal);
	}
	buf_add(out, SEQ);
	buf_add_u64(out, at->seq + 1);
	if (!add_chain(out, start, view_of(at->chain), err))
		return false;
	at->seq++;
	memcpy(at->chain, out->ptr + out->len - 1 - END.len - AUDIT_CHAIN_LEN, AUDIT_CHAIN_LEN);
	at->chain[AUDIT_CHAIN_LEN] = '\0';
	return true;
}

bool
line_parse(view text, struct line *out)
{
	struct line line = { 0 };
	view chain;

	if (text.len < TAIL_LEN || !view_starts(text, V("{\"")) || !view_ends(text, END))
		return false;
	line.body = (view){ text.ptr, text.len - TAIL_LEN };
	chain = view_from(text, line.body.len);
	if (!view_starts(chain, CHAIN))
		return false;
	line.chain = (view){ chain.ptr + CHAIN.len, AUDIT_CHAIN_LEN };
	line.record = line.body;
	if (!cut_number(&line.record, SEQ, &line.seq))
		return false;
	(void)cut_number(&line.record, JOURNAL, &line.journal);
	*out = line;
	return true;
}

bool
line_follows(const struct line *line, const struct audit_head *at, struct error *err)
{
	AUTO(buf_free) struct buf chain = { 0 };

	if (line->seq != at->seq + 1)
		return error_set(err, ERR_CORRUPT, "number %" PRIu64 " where %" PRIu64 " is due",
		    line->seq, at->seq + 1);
	if (!chain_after(view_of(at->chain), line->body, &chain, err))
		return false;
	if (!buf_ok(&chain))
		return error_memory(err);
	if (!view_eq(buf_view(&chain), line->chain))
		return error_set(err, ERR_CORRUPT, "the chain is broken");
	return true;
}

void
line_position(const struct line *line, struct audit_head *out)
{
	out->seq = line->seq;
	memcpy(out->chain, line->chain.ptr, AUDIT_CHAIN_LEN);
	out->chain[AUDIT_CHAIN_LEN] = '\0';
}
