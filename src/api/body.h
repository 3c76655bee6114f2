/*
 * Request bodies as data: a table of fields says what a client may send, where it goes in a struct,
 * and how large it may be.  Unknown members are ignored and null means "not given", as the original
 * has it; duplicate names, wrong types and trailing bytes are refused.
 */
#ifndef API_BODY_H
#define API_BODY_H

#include "base/arena.h"
#include "base/error.h"
#include "base/view.h"

enum field_kind {
	FIELD_TEXT,    /* struct body_text */
	FIELD_FLAG,    /* struct body_flag */
	FIELD_NUMBER,  /* struct body_number */
	FIELD_OBJECT,  /* the fields of ->fields, at the same struct's offset */
	FIELD_TAGS,    /* struct body_tags: an object of texts */
	FIELD_LIST,    /* struct body_list: an array of objects, each read by ->fields */
	FIELD_TEXTS,   /* struct body_texts: an array of texts of at most ->size bytes each */
	FIELD_MEMBERS, /* struct body_members: an object of objects and nulls, by their names */
	FIELD_PRESENT, /* struct body_flag: is it there at all?  Beside a field that reads it */
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset; /* of the member in the struct */
	size_t max;    /* bytes of a text; entries of tags, lists, texts, members */
	bool required;
	const struct field *fields; /* FIELD_OBJECT, FIELD_LIST: ended by a nameless one */
	size_t size;                /* FIELD_LIST: of one item; FIELD_TEXTS: see there */
};

struct body_text {
	bool given;
	view text;
};
struct body_flag {
	bool given, value;
};
struct body_number {
	bool given;
	int64_t value;
};
struct body_tag {
	view name, value;
};
struct body_tags {
	bool given;
	const struct body_tag *tags; /* in the order sent */
	size_t count;
};

struct body_list {
	bool given;
	const void *items; /* an array of the list's item struct */
	size_t count;
};

struct body_texts {
	bool given;
	const view *texts;
	size_t count;
};

struct body_member {
	view name;
	bool gone; /* null was sent */
};
struct body_members {
	bool given;
	const struct body_member *items;
	size_t count;
};

/*
 * body_read(text, fields, out, arena, err):
 * Parse ${text} (a JSON object; an empty body is {}) and fill in ${out}, zeroed before. Views
 * point into ${arena}. ERR_BAD_PARAMETER says which property is wrong.
 */
MUST_USE bool body_read(view text, const struct field *fields, void *out, struct arena *arena,
    struct error *err);

#endif
