#include "backup/record.h"

#include "audit/segment.h"
#include "base/json.h"
#include "base/pack.h"

#include <string.h>

static void
add_u64(struct buf *out, uint64_t value)
{
	pack_i64(out, (int64_t)value);
}

static void
add_begin(struct buf *out, const struct record *record)
{
	const struct record_begin *begin = &record->begin;

	pack_u8(out, RECORD_FORMAT);
	pack_bytes(out, begin->id);
	pack_i64(out, begin->made);
	pack_bytes(out, begin->version);
	pack_bytes(out, begin->domain);
	add_u64(out, begin->counters.sequence);
	add_u64(out, begin->counters.revision);
	add_u64(out, begin->counters.journal);
}

static void
add_document(struct buf *out, const struct record *record)
{
	pack_bytes(out, record->document.key);
	add_u64(out, record->document.revision);
	pack_bytes(out, record->document.value.bytes);
}

static void
add_line(struct buf *out, const struct record *record)
{
	add_u64(out, record->line.number);
	pack_bytes(out, record->line.line);
}

static void
add_file(struct buf *out, const struct record *record)
{
	pack_bytes(out, record->file.name);
	add_u64(out, record->file.length);
}

static void
add_bytes(struct buf *out, const struct record *record)
{
	pack_bytes(out, record->bytes);
}

static void
add_end(struct buf *out, const struct record *record)
{
	add_u64(out, record->end.documents);
	add_u64(out, record->end.lines);
	add_u64(out, record->end.files);
	pack_bytes(out, record->end.digest);
}

static uint64_t
take_u64(struct unpack *in)
{
	int64_t value = unpack_i64(in);

	in->failed = in->failed || value < 0;
	return (uint64_t)value;
}

static bool
is_text(view text)
{
	return text.len <= RECORD_TEXT_MAX && utf8_valid(text) &&
	    memchr(text.ptr, 0, text.len) == NULL;
}

static bool
take_begin(struct unpack *in, struct record *out)
{
	struct record_begin *begin = &out->begin;
	uint8_t format = unpack_u8(in);

	begin->id = unpack_bytes(in);
	begin->made = unpack_i64(in);
	begin->version = unpack_bytes(in);
	begin->domain = unpack_bytes(in);
	begin->counters.sequence = take_u64(in);
	begin->counters.revision = take_u64(in);
	begin->counters.journal = take_u64(in);
	return !in->failed && format == RECORD_FORMAT && begin->id.len == BACKUP_ID_LEN &&
	    is_text(begin->version) && is_text(begin->domain);
}

static bool
take_document(struct unpack *in, struct record *out)
{
	struct document *document = &out->document;

	document->key = unpack_bytes(in);
	document->revision = take_u64(in);
	document->value.bytes = unpack_bytes(in);
	return document->key.len > 0 && document->key.len <= STORE_KEY_MAX &&
	    document->revision > 0 && document->value.bytes.len <= STORE_VALUE_MAX;
}

static bool
take_line(struct unpack *in, struct record *out)
{
	out->line.number = take_u64(in);
	out->line.line = unpack_bytes(in);
	return out->line.number > 0;
}

/* "audit-<digits>.log", spelled as it would be. */
static bool
segment_of(view name, uint64_t *out)
{
	view digits = name;

	if (!view_starts(name, V("audit-")) || !view_ends(name, V(".log")))
		return false;
	digits = view_from(digits, sizeof("audit-") - 1);
	digits.len -= digits.len < sizeof(".log") - 1 ? digits.len : sizeof(".log") - 1;
	return view_u64(digits, out) && *out > 0 && view_eq(name, view_of(segment_name(*out).text));
}

static bool
take_file(struct unpack *in, struct record *out)
{
	out->file.name = unpack_bytes(in);
	out->file.length = take_u64(in);
	out->file.segment = 0;
	return view_eq(out->file.name, V(RECORD_ROOT_KEY)) ||
	    segment_of(out->file.name, &out->file.segment);
}

static bool
take_bytes(struct unpack *in, struct record *out)
{
	out->bytes = unpack_bytes(in);
	return out->bytes.len > 0 && out->bytes.len <= RECORD_BYTES_MAX;
}

static bool
take_end(struct unpack *in, struct record *out)
{
	out->end.documents = take_u64(in);
	out->end.lines = take_u64(in);
	out->end.files = take_u64(in);
	out->end.digest = unpack_bytes(in);
	return out->end.digest.len == SHA256_LEN;
}

static const struct {
	void (*add)(struct buf *out, const struct record *record);
	bool (*take)(struct unpack *in, struct record *out);
} kinds[] = {
	[RECORD_BEGIN] = { add_begin, take_begin },
	[RECORD_DOCUMENT] = { add_document, take_document },
	[RECORD_LINE] = { add_line, take_line },
	[RECORD_FILE] = { add_file, take_file },
	[RECORD_BYTES] = { add_bytes, take_bytes },
	[RECORD_END] = { add_end, take_end },
};

void
record_add(struct buf *out, const struct record *record)
{
	size_t before = out->len, len;

	pack_u32(out, 0);
	pack_u8(out, (uint8_t)record->kind);
	kinds[record->kind].add(out, record);
	if (!buf_ok(out))
		return;
	len = out->len - before - 4;
	for (size_t i = 0; i < 4; i++)
		out->ptr[before + i] = (char)(uint8_t)(len >> (24 - 8 * i));
}

bool
record_parse(view bytes, struct record *out, struct error *err)
{
	struct unpack in = unpack_of(bytes);
	uint8_t kind = unpack_u8(&in);
	struct record record;

	memset(&record, 0, sizeof(record));
	if (kind < RECORD_BEGIN || kind > RECORD_END || !kinds[kind].take(&in, &record) ||
	    !unpack_end(&in))
		return error_set(err, ERR_CORRUPT,
		    "The backup holds what this version of Strongroom does not know.");
	record.kind = (enum record_kind)kind;
	*out = record;
	return true;
}

bool
record_digest(struct hash *hash, const struct record *record, struct error *err)
{
	AUTO(buf_free) struct buf frame = { 0 };

	record_add(&frame, record);
	if (!buf_ok(&frame))
		return error_memory(err);
	hash_add(hash, buf_view(&frame));
	return true;
}
