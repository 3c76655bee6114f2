/*
 * The optional texts of issuers and contacts: single lines that are kept and shown as they came.
 */
#ifndef CERTS_TEXT_H
#define CERTS_TEXT_H

#include "api/body.h"
#include "base/json.h"
#include "base/pack.h"

/* text_is_line(text): No control characters: they end up in others' forms and in messages. */
bool text_is_line(const struct body_text *text);

void text_pack(struct buf *out, const struct body_text *text);
void text_unpack(struct unpack *in, struct body_text *out);

/* text_write(json, name, text): Nothing when it was never given. */
void text_write(struct json *json, const char *name, const struct body_text *text);

#endif
