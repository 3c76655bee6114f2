#include "http/tls.h"

#include "http/tls_conn.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/* TLS 1.2: forward secrecy and authenticated encryption only.  1.3 has nothing else. */
#define CIPHERS_12                                                   \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:" \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
#define CIPHERS_13 "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
#define GROUPS "X25519:P-256"
/* What a handshake is signed with; the library's own list has SHA-224 in it. */
#define SIGNATURES                                              \
	"ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:" \
	"RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512"

static void
ctx_done(SSL_CTX **ctx)
{
	SSL_CTX_free(*ctx);
}

static void
bio_done(BIO **bio)
{
	(void)BIO_free(*bio);
}

static void
cert_done(X509 **cert)
{
	X509_free(*cert);
}

static void
key_done(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static bool
failed(struct error *err, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	return error_set(err, ERR_BAD_PARAMETER, "%s: %s", what,
	    reason == NULL ? "unusable" : reason);
}

/* An encrypted key is refused; without this OpenSSL would ask for its password on the terminal. */
static int
no_password(char *out, int size, int writing, void *ctx)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static BIO *
bio_of(view text)
{
	return text.len > INT_MAX ? NULL : BIO_new_mem_buf(text.ptr, (int)text.len);
}

/* The leaf, then what leads from it to a root. */
static bool
use_chain(SSL_CTX *ctx, view chain, struct error *err)
{
	AUTO(bio_done) BIO *bio = bio_of(chain);
	AUTO(cert_done) X509 *leaf = NULL;

	if (bio == NULL)
		return error_memory(err);
	leaf = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	if (leaf == NULL || SSL_CTX_use_certificate(ctx, leaf) != 1)
		return failed(err, "The TLS certificate");
	for (;;) {
		AUTO(cert_done) X509 *issuer = PEM_read_bio_X509(bio, NULL, no_password, NULL);

		if (issuer == NULL)
			break;
		if (SSL_CTX_add1_chain_cert(ctx, issuer) != 1)
			return failed(err, "The TLS certificate's chain");
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return failed(err, "The TLS certificate's chain");
	ERR_clear_error();
	return true;
}

static bool
use_key(SSL_CTX *ctx, view text, struct error *err)
{
	AUTO(bio_done) BIO *bio = bio_of(text);
	AUTO(key_done) EVP_PKEY *key = NULL;

	if (bio == NULL)
		return error_memory(err);
	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (key == NULL || SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		return failed(err, "The TLS certificate's private key");
	return true;
}

static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *offered, unsigned offered_len, void *ctx)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)ctx;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, offered, offered_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool
configure(SSL_CTX *ctx, struct error *err)
{
	static const unsigned char session_context[] = "strongroom";

	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS_12) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, CIPHERS_13) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, GROUPS) != 1 ||
	    SSL_CTX_set1_sigalgs_list(ctx, SIGNATURES) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 1) != 1 ||
	    SSL_CTX_set_session_id_context(ctx, session_context, sizeof(session_context) - 1) != 1)
		return failed(err, "TLS");
	(void)SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* Given back after every use, and wiped then: see crypto/memory.h. */
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	/* Resumption is by ticket: nothing to keep, and the ticket key goes with the context. */
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	return true;
}

static bool
ctx_new(view chain, view key, SSL_CTX **out, struct error *err)
{
	AUTO(ctx_done) SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL)
		return error_memory(err);
	if (!configure(ctx, err) || !use_chain(ctx, chain, err) || !use_key(ctx, key, err))
		return false;
	*out = ctx;
	ctx = NULL;
	return true;
}

bool
tls_new(view chain, view key, struct tls **out, struct error *err)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (tls == NULL)
		return error_memory(err);
	(void)pthread_mutex_init(&tls->lock, NULL);
	tls->bio = tls_bio_method();
	if (tls->bio == NULL || !ctx_new(chain, key, &tls->ctx, err)) {
		bool memory = tls->bio == NULL;

		tls_free(tls);
		return memory ? error_memory(err) : false;
	}
	*out = tls;
	return true;
}

bool
tls_replace(struct tls *tls, view chain, view key, struct error *err)
{
	SSL_CTX *fresh = NULL, *old;

	if (!ctx_new(chain, key, &fresh, err))
		return false;
	(void)pthread_mutex_lock(&tls->lock);
	old = tls->ctx;
	tls->ctx = fresh;
	(void)pthread_mutex_unlock(&tls->lock);
	SSL_CTX_free(old);
	return true;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->ctx);
	BIO_meth_free(tls->bio);
	(void)pthread_mutex_destroy(&tls->lock);
	free(tls);
}
