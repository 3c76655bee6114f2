/*
 * A program of the operator's that puts TXT records into the DNS and takes them out again, for
 * DNS-01 (RFC 8555, 8.4):
 *
 *	HOOK add _acme-challenge.example.com VALUE
 *	HOOK remove _acme-challenge.example.com VALUE
 *
 * Run without a shell, with nothing in its environment but PATH, nothing open but /dev/null as its
 * input and output, in the root folder.  "add" is done when the record can be asked for; either may
 * come twice, and for several issuers at the same time (jobs/lanes.h): to wait for another's here
 * would keep from its work whoever waits.
 */
#ifndef ACME_DNS_HOOK_H
#define ACME_DNS_HOOK_H

#include "base/error.h"
#include "base/view.h"

#define DNS_HOOK_SECONDS 120 /* it is killed then, with all it started */

/* dns_hook_run(path, add, name, value, err): ERR_UNAVAILABLE unless it ends with status 0. */
MUST_USE bool dns_hook_run(const char *path, bool add, view name, view value, struct error *err);

/* dns_hook_run_for(seconds, ...): With another limit, for tests. */
MUST_USE bool dns_hook_run_for(unsigned seconds, const char *path, bool add, view name, view value,
    struct error *err);

#endif
