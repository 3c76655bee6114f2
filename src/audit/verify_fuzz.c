#include "audit/checkpoint.h"
#include "audit/line.h"
#include "audit/verify.h"
#include "base/fuzzing.h"

/* Some P-256 key: no signature is ever good, but all on the way to it is run through. */
static const char spki[] =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    "\x03\x42\x00\x04\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d"
    "\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7"
    "\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";

static const struct public_key *
some_key(void)
{
	static struct public_key *key;
	struct error err;

	if (key == NULL && !public_key_from_spki((view){ spki, sizeof(spki) - 1 }, &key, &err))
		abort();
	return key;
}

/* What parses must be made of its parts again. */
static void
check_parts(view text)
{
	struct line line;

	if (!line_parse(text, &line))
		return;
	if (line.record.len > line.body.len || line.body.len > text.len ||
	    line.chain.len != AUDIT_CHAIN_LEN ||
	    line.chain.ptr + line.chain.len + 2 != text.ptr + text.len)
		abort();
}

/* The chain of most lines is made right, or no input would ever get behind the first. */
static void
feed(struct verifier *verifier, view record)
{
	AUTO(buf_free) struct buf made = { 0 };
	struct audit_head at = verifier->at;
	struct error err;

	if (record.len > 0 && line_add(&made, record, record.len % 3, &at, &err)) {
		made.len--;
		if (verifier_line(verifier, buf_view(&made), &err) && verifier->at.seq != at.seq)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct audit_head head = { .seq = 3, .chain = "x" };
	struct verifier raw = { .key = some_key(), .head = &head }, chained = { .key = some_key() };
	view text = { (const char *)data, len };
	struct error err;

	while (text.len > 0) {
		view line = view_cut(&text, '\n');

		check_parts(line);
		(void)!verifier_line(&raw, line, &err);
		(void)!checkpoint_check(line, &raw.at, some_key(), &err);
		feed(&chained, line);
	}
	(void)!verifier_end(&raw, &err);
	return 0;
}
