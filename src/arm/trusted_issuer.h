/*
 * Strongroom.Identity/trustedIssuers: the outside issuers that the caller's tenant trusts whole
 * (identity/trust.h).  For directory administrators.
 */
#ifndef ARM_TRUSTED_ISSUER_H
#define ARM_TRUSTED_ISSUER_H

#include "api/op.h"

extern const struct op trusted_issuer_ops[];

#endif
