/*
 * The functions of sign-in's rows (sts.c); the token endpoint's grants are in sts_ask.h.
 */
#ifndef SIGNIN_ROW_H
#define SIGNIN_ROW_H

#include "api/op.h"

op_run signin_authorize; /* a browser begins */
op_run signin_logout;
op_run signin_device; /* a device begins */
op_run signin_entry;  /* a browser comes for a device */
op_run signin_page;   /* a page's form comes back */

#endif
