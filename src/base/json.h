/*
 * JSON out: a streaming writer straight into a buf; no tree on the way.  Commas are its business.
 *
 *	struct json json = json_to(&buf);
 *	json_open(&json, '{');
 *	json_text(&json, "name", name);
 *	json_close(&json, '}');
 *
 * Members take a NUL-terminated name, elements of arrays take NULL.  Text is written as given,
 * escaped; bytes that are not UTF-8 are the caller's to refuse (utf8_valid).
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

struct json {
	struct buf *out;
	bool comma; /* the next item needs one before it */
};

struct json json_to(struct buf *out);
void json_open(struct json *json, char bracket);                      /* '{' or '[' */
void json_open_in(struct json *json, const char *name, char bracket); /* as a member */
void json_close(struct json *json, char bracket);                     /* '}' or ']' */
void json_text(struct json *json, const char *name, view text);
void json_text_named(struct json *json, view name, view text);     /* a name that needs escaping */
void json_bytes(struct json *json, const char *name, view bytes);  /* as base64url */
void json_base64(struct json *json, const char *name, view bytes); /* with padding */
void json_number(struct json *json, const char *name, int64_t value);
void json_flag(struct json *json, const char *name, bool value);
void json_null_value(struct json *json, const char *name);
void json_raw(struct json *json, const char *name, view text); /* already JSON */

/*
 * json_text_open(json, name), json_text_part, json_text_close:
 * A text in pieces, so that an id need not be put together first.
 */
void json_text_open(struct json *json, const char *name);
void json_text_part(struct json *json, view text);
void json_text_close(struct json *json);

size_t utf8_length(view text); /* characters of a valid text */
bool utf8_valid(view text);    /* RFC 3629: no surrogates, no overlong forms */

#endif
