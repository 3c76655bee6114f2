/*
 * What the outside is to certificates, by the settings: how authorities are asked, how contacts are
 * told, and under what name vaults are reached.
 */
#ifndef CERTS_OUTSIDE_H
#define CERTS_OUTSIDE_H

#include "mail/smtp.h"

struct outside {
	const char *acme_ca;       /* PEM, trusted beside the system's; NULL: none */
	const char *acme_dns_hook; /* NULL: none */
	bool acme_http;            /* proofs are shown by HTTP-01 */
	const struct smtp *smtp;   /* NULL: no e-mail */
	const char *vault_suffix;  /* what follows a vault's name: ".vault.<domain>[:port]" */
};

#endif
