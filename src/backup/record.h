/*
 * What is in a backup: records, one after the other.  A frame is a length (u32) and so many bytes,
 * the first of which says what they are:
 *
 *	begin     once, first: whose it is, when it was made, how far the store had counted
 *	document  each of the store's, keys rising
 *	line      each of the journal's, numbers rising
 *	file      one of the data folder's: the root keys, a segment of the audit log; then
 *	bytes     its content, as many of these as it takes
 *	end       once, last: how many of each, and the digest of all documents
 *
 * Nothing in them is in the clear that is not in the clear in the data folder; but the root keys
 * are among them.
 */
#ifndef BACKUP_RECORD_H
#define BACKUP_RECORD_H

#include "base/buf.h"
#include "base/error.h"
#include "crypto/hash.h"
#include "store/store.h"

#define RECORD_FORMAT 1
#define RECORD_BYTES_MAX ((size_t)64 * 1024) /* of a file in one record */
#define RECORD_MAX (STORE_VALUE_MAX + 1024)
#define RECORD_TEXT_MAX 512
#define BACKUP_ID_LEN 16

#define RECORD_ROOT_KEY "root.key"

enum record_kind {
	RECORD_BEGIN = 1,
	RECORD_DOCUMENT,
	RECORD_LINE,
	RECORD_FILE,
	RECORD_BYTES,
	RECORD_END,
};

struct record_begin {
	view id;      /* BACKUP_ID_LEN random bytes */
	int64_t made; /* Unix seconds */
	view version, domain;
	struct counters counters;
};

struct record_end {
	uint64_t documents, lines, files;
	view digest; /* SHA-256 over the frames of all documents */
};

/* Views lie in what was parsed. */
struct record {
	enum record_kind kind;
	union {
		struct record_begin begin;
		struct document document;
		struct journal_line line;
		struct {
			view name;        /* RECORD_ROOT_KEY, or that of a segment */
			uint64_t segment; /* 0: the root keys */
			uint64_t length;
		} file;
		view bytes;
		struct record_end end;
	};
};

/* record_add(out, record): Append its frame. */
void record_add(struct buf *out, const struct record *record);

/*
 * record_parse(bytes, out, err):
 * One without its length.  ERR_CORRUPT: it is none, or names what no data folder has.
 */
MUST_USE bool record_parse(view bytes, struct record *out, struct error *err);

/* record_digest(hash, record, err): Add its frame. */
MUST_USE bool record_digest(struct hash *hash, const struct record *record, struct error *err);

#endif
