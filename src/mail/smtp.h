/*
 * Sending a message by SMTP (RFC 5321), over TLS whose certificate is verified.  Blocks.
 */
#ifndef MAIL_SMTP_H
#define MAIL_SMTP_H

#include "mail/message.h"

#define SMTP_SECONDS 30 /* at most, for the whole of it */

struct smtp {
	const char *url;                  /* smtp:// (with STARTTLS, or not at all) or smtps:// */
	const char *user, *password_file; /* NULL: nobody signs in */
	const char *from;
	const char *ca_file; /* PEM, and nothing else is trusted; NULL: the system's */
};

/*
 * smtp_send(smtp, mail, err):
 * ${mail}'s from is ${smtp}'s.  ERR_UNAVAILABLE: another time it may work; ERR_BAD_REQUEST: the
 * server refuses this message, or it is none.
 */
MUST_USE bool smtp_send(const struct smtp *smtp, const struct mail *mail, struct error *err);

#endif
