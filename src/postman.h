/*
 * E-mail, by the settings.
 */
#ifndef POSTMAN_H
#define POSTMAN_H

#include "config.h"
#include "mail/smtp.h"

/* postman_smtp(config, out): False when no e-mail is to be sent. Borrows from ${config}. */
bool postman_smtp(const struct config *config, struct smtp *out);

/* postman_try(config, to, err): `strongroom mail try`: send a message that says that it works. */
MUST_USE bool postman_try(const struct config *config, view to, struct error *err);

#endif
