/*
 * Resources: what a token may be asked for and what it is good for, named by URL.
 */
#ifndef IDENTITY_RESOURCE_H
#define IDENTITY_RESOURCE_H

#include "base/view.h"

/* The application id that stands for Key Vault in every cloud. */
#define VAULT_APPLICATION V("cfa8b339-82a2-471a-a3c9-0fc0be7a4093")

/*
 * resource_known(domain, resource):
 * Whether ${resource} is one of ours under ${domain} ("example.org:8443"): with or without the port
 * and a trailing slash.
 */
bool resource_known(view domain, view resource);

/*
 * audience_fits(wanted, found):
 * Whether a token for ${found} is good where ${wanted} ("https://vault.example.org:8443") is
 * served: one slash at the end and the case of the host don't matter, a missing port fits any.
 */
bool audience_fits(view wanted, view found);

#endif
