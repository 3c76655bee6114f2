/*
 * A message of plain text (RFC 5322, MIME), put together so that nothing given to it can add a
 * header field: addresses are checked, a subject is one line and encoded unless it is plain ASCII,
 * the text is base64.
 */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include "base/buf.h"
#include "base/error.h"

#define MAIL_SUBJECT_MAX 500 /* bytes */
#define MAIL_TEXT_MAX ((size_t)64 * 1024)

struct mail {
	view from, to;      /* addresses */
	view subject, text; /* UTF-8 */
	view id;            /* of the message: unique, [0-9a-zA-Z-] */
	int64_t time;       /* Unix seconds */
};

/* mail_write(mail, out, err): ERR_BAD_REQUEST for what can't be put into a message. */
MUST_USE bool mail_write(const struct mail *mail, struct buf *out, struct error *err);

#endif
