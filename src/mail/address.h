/*
 * Addresses of e-mail, as far as they are taken: NAME@DOMAIN in ASCII, without quoting, comments or
 * routes (a part of RFC 5321, 4.1.2), so that nothing in one can end a line or a command.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/view.h"

#define MAIL_ADDRESS_MAX 254 /* bytes: RFC 5321, 4.5.3.1.3, without the angle brackets */

bool mail_address_valid(view address);

#endif
