/*
 * Microsoft.HybridCompute/machines: hosts.  Registering one gives it a system-assigned identity;
 * user-assigned ones can be attached to it.  The host's agent proves itself with the private half
 * of properties.clientPublicKey and gets tokens of these identities for the host's workloads.
 *
 * What the agent sends (identity/host.h has the authority's side):
 *
 *	POST https://login.<domain>/<identity.tenantId>/oauth2/v2.0/token
 *	grant_type=client_credentials
 *	client_id=   the wanted identity: the machine's own client id (identity.clientId), or of an
 *	             attached one its client id, its principal id or its resource id
 *	scope=<resource>/.default
 *	client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer
 *	client_assertion=  a JWT signed by the host's key (RS256, PS256, ES256 and the longer ones):
 *	             iss and sub the machine's client id, whichever identity is wanted; aud the URL
 *	             that is asked; a random jti; exp at most ten minutes ahead
 *
 * A token carries xms_mirid, the identity's resource id, and xms_az_rid, the machine's.
 */
#ifndef ARM_MACHINE_H
#define ARM_MACHINE_H

#include "arm/provider.h"

extern const struct provider machine_provider;
extern const struct op machine_ops[];

#endif
