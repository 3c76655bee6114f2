#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "http/http.h"

bool reply_has_body(const struct http_reply *reply, enum http_method method);

/* reply_head(reply, close, out): Append status line and fields, up to the empty line. */
void reply_head(const struct http_reply *reply, bool close, struct buf *out);

#endif
