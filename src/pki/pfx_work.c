#include "pki/pfx_work.h"

#include "crypto/openssl.h"
#include "pki/bundle.h"

#include <openssl/x509.h>

#define SALT_MAX 1024

OPENSSL_OWNER(pbe, PBEPARAM, PBEPARAM_free)
OPENSSL_OWNER(pbe2, PBE2PARAM, PBE2PARAM_free)
OPENSSL_OWNER(pbkdf2, PBKDF2PARAM, PBKDF2PARAM_free)

static bool
unsupported(struct error *err)
{
	return openssl_failed(err, ERR_BAD_PARAMETER,
	    "The specified PKCS#12 X.509 certificate content is encrypted in a way that is not "
	    "supported.");
}

static bool
add(const ASN1_INTEGER *iterations, uint64_t *work, struct error *err)
{
	int64_t count = 1;

	if (iterations != NULL && ASN1_INTEGER_get_int64(&count, iterations) != 1)
		count = INT64_MAX; /* more than that */
	if (count < 1 || count > BUNDLE_ITERATIONS_MAX || *work + (uint64_t)count > BUNDLE_WORK_MAX)
		return openssl_failed(err, ERR_BAD_PARAMETER,
		    "The specified PKCS#12 X.509 certificate content asks for too many iterations.");
	*work += (uint64_t)count;
	return true;
}

/* SHA-1 and SHA-2; what the others could cost is not known. */
static bool
is_digest(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
	switch (OBJ_obj2nid(oid)) {
	case NID_sha1:
	case NID_sha224:
	case NID_sha256:
	case NID_sha384:
	case NID_sha512: return true;
	default: return false;
	}
}

bool
pfx_work_mac(const PKCS12 *pfx, uint64_t *work, struct error *err)
{
	const X509_ALGOR *algorithm = NULL;
	const ASN1_OCTET_STRING *salt = NULL;
	const ASN1_INTEGER *iterations = NULL;

	PKCS12_get0_mac(NULL, &algorithm, &salt, &iterations, pfx);
	if (algorithm == NULL || !is_digest(algorithm) || ASN1_STRING_length(salt) > SALT_MAX)
		return unsupported(err);
	return add(iterations, work, err);
}

static bool
is_prf(const X509_ALGOR *prf)
{
	const ASN1_OBJECT *oid;

	if (prf == NULL)
		return true; /* HMAC with SHA-1 */
	X509_ALGOR_get0(&oid, NULL, NULL, prf);
	switch (OBJ_obj2nid(oid)) {
	case NID_hmacWithSHA1:
	case NID_hmacWithSHA224:
	case NID_hmacWithSHA256:
	case NID_hmacWithSHA384:
	case NID_hmacWithSHA512: return true;
	default: return false;
	}
}

static bool
is_cipher(const X509_ALGOR *cipher)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(&oid, NULL, NULL, cipher);
	switch (OBJ_obj2nid(oid)) {
	case NID_aes_128_cbc:
	case NID_aes_192_cbc:
	case NID_aes_256_cbc:
	case NID_des_ede3_cbc: return true;
	default: return false;
	}
}

static bool
pbkdf2(const ASN1_TYPE *parameter, uint64_t *work, struct error *err)
{
	AUTO(pbkdf2_done)
	PBKDF2PARAM *kdf = parameter == NULL
	    ? NULL
	    : ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), parameter);
	int64_t len = 0;

	if (kdf == NULL || kdf->salt == NULL || kdf->salt->type != V_ASN1_OCTET_STRING ||
	    ASN1_STRING_length(kdf->salt->value.octet_string) > SALT_MAX || !is_prf(kdf->prf) ||
	    (kdf->keylength != NULL &&
		(ASN1_INTEGER_get_int64(&len, kdf->keylength) != 1 || len < 1 || len > 32)))
		return unsupported(err);
	return add(kdf->iter, work, err);
}

static bool
pbes2(const X509_ALGOR *algorithm, uint64_t *work, struct error *err)
{
	AUTO(pbe2_done)
	PBE2PARAM *parameters = algorithm->parameter == NULL
	    ? NULL
	    : ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
	const ASN1_OBJECT *kdf;

	if (parameters == NULL || !is_cipher(parameters->encryption))
		return unsupported(err);
	X509_ALGOR_get0(&kdf, NULL, NULL, parameters->keyfunc);
	if (OBJ_obj2nid(kdf) != NID_id_pbkdf2)
		return unsupported(err);
	return pbkdf2(parameters->keyfunc->parameter, work, err);
}

/* PKCS#12's own (RFC 7292, appendix C): key and initialisation vector are derived one by one. */
static bool
pbe(const X509_ALGOR *algorithm, uint64_t *work, struct error *err)
{
	AUTO(pbe_done)
	PBEPARAM *parameters = algorithm->parameter == NULL
	    ? NULL
	    : ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), algorithm->parameter);

	if (parameters == NULL || ASN1_STRING_length(parameters->salt) > SALT_MAX)
		return unsupported(err);
	return add(parameters->iter, work, err) && add(parameters->iter, work, err);
}

bool
pfx_work_cipher(const X509_ALGOR *algorithm, uint64_t *work, struct error *err)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
	switch (OBJ_obj2nid(oid)) {
	case NID_pbes2: return pbes2(algorithm, work, err);
	case NID_pbe_WithSHA1And3_Key_TripleDES_CBC:
	case NID_pbe_WithSHA1And2_Key_TripleDES_CBC:
	case NID_pbe_WithSHA1And128BitRC2_CBC:
	case NID_pbe_WithSHA1And40BitRC2_CBC:
	case NID_pbe_WithSHA1And128BitRC4:
	case NID_pbe_WithSHA1And40BitRC4: return pbe(algorithm, work, err);
	default: return unsupported(err);
	}
}
