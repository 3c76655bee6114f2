/*
 * What the doctor looks at, one function each, and how it tells.
 */
#ifndef CLI_DOCTOR_CHECKS_H
#define CLI_DOCTOR_CHECKS_H

#include "config.h"

enum finding { FINE, ADVICE, WRONG };

struct doctor {
	const struct config *config;
	const char *data; /* the data folder, from the root where there is one */
	char *authority;  /* DATA/ca.pem */
	bool dev;         /* the folder is a development server's: it has the file env */
	bool answers;     /* the server does; check_server finds out */
	bool colours;
	unsigned looked, wrong;
};

/*
 * doctor_say(doctor, finding, what, format, ...):
 * A line; ${what} is the thing in a word or two.  What stands behind a "\n" goes below, indented.
 */
PRINTF(4, 5)
void doctor_say(struct doctor *doctor, enum finding finding, const char *what, const char *format,
    ...);

typedef void check_fn(struct doctor *doctor);

check_fn check_folder, check_files, check_disk, check_memory, check_open_files, check_clock;
check_fn check_certificate, check_names, check_server, check_clients, check_java;

/* trusted(doctor, bundle, err): Does who trusts only that PEM file get the server's answer? */
MUST_USE bool trusted(const struct doctor *doctor, const char *bundle, struct error *err);

#define SYSTEM_BUNDLE "/etc/ssl/certs/ca-certificates.crt"

#endif
