/*
 * What a PKCS#12 file asks to be computed before it can be read.  For pki/ only.
 */
#ifndef PKI_PFX_WORK_H
#define PKI_PFX_WORK_H

#include "base/attr.h"
#include "base/error.h"

#include <openssl/pkcs12.h>

/*
 * pfx_work_mac(pfx, work, err), pfx_work_cipher(algorithm, work, err):
 * Add the iterations to ${work}, which has to stay below BUNDLE_WORK_MAX; ERR_BAD_PARAMETER: too
 * many, or an algorithm that is not known here.
 */
MUST_USE bool pfx_work_mac(const PKCS12 *pfx, uint64_t *work, struct error *err);
MUST_USE bool pfx_work_cipher(const X509_ALGOR *algorithm, uint64_t *work, struct error *err);

#endif
