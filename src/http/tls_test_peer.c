#include "http/tls_test_peer.h"

#include "base/attr.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define GIVE_UP_SECONDS 10

static void
require(bool fact)
{
	if (!fact)
		abort();
}

static void
pem_take(BIO *bio, struct buf *out)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);

	buf_add(out, (view){ bytes, (size_t)len });
	require(buf_ok(out));
	(void)BIO_free(bio);
}

static void
extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	require(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

struct test_cert
test_cert_new(void)
{
	struct test_cert made = { 0 };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	BIO *chain = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());

	require(key != NULL && cert != NULL && chain != NULL && secret != NULL);
	require(X509_set_version(cert, X509_VERSION_3) == 1 && X509_set_pubkey(cert, key) == 1);
	require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		    (const unsigned char *)"localhost", -1, -1, 0) == 1 &&
	    X509_set_issuer_name(cert, name) == 1);
	require(X509_gmtime_adj(X509_getm_notBefore(cert), -60) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), 3600) != NULL);
	extend(cert, NID_subject_alt_name, "DNS:localhost");
	require(X509_sign(cert, key, EVP_sha256()) > 0 && PEM_write_bio_X509(chain, cert) == 1 &&
	    PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1);
	pem_take(chain, &made.chain);
	pem_take(secret, &made.key);
	X509_free(cert);
	EVP_PKEY_free(key);
	return made;
}

void
test_cert_done(struct test_cert *cert)
{
	buf_free(&cert->chain);
	buf_free(&cert->key);
}

static void
trust(SSL_CTX *ctx, const struct test_cert *cert)
{
	BIO *bio = BIO_new_mem_buf(cert->chain.ptr, (int)cert->chain.len);
	X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	require(x509 != NULL && X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x509) == 1);
	X509_free(x509);
	(void)BIO_free(bio);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
}

int
peer_connect(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct timeval limit = { .tv_sec = GIVE_UP_SECONDS };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	require(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
	require(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0);
	require(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

struct peer
peer_open(unsigned port, const struct peer_wish *wish)
{
	struct peer peer = { .fd = peer_connect(port), .ctx = SSL_CTX_new(TLS_client_method()) };

	require(peer.ctx != NULL);
	trust(peer.ctx, wish->trust);
	if (wish->version != 0) {
		SSL_CTX_set_security_level(peer.ctx, 0); /* or OpenSSL would not offer TLS 1.1 */
		require(SSL_CTX_set_min_proto_version(peer.ctx, wish->version) == 1);
		require(SSL_CTX_set_max_proto_version(peer.ctx, wish->version) == 1);
	}
	peer.ssl = SSL_new(peer.ctx);
	require(peer.ssl != NULL && SSL_set1_host(peer.ssl, "localhost") == 1);
	require(SSL_set_fd(peer.ssl, peer.fd) == 1);
	if (wish->alpn.len > 0)
		require(SSL_set_alpn_protos(peer.ssl, (const unsigned char *)wish->alpn.ptr,
			    (unsigned)wish->alpn.len) == 0);
	if (wish->session != NULL)
		require(SSL_set_session(peer.ssl, wish->session) == 1);
	for (size_t i = 0; i < wish->before.len; i++)
		(void)send(peer.fd, wish->before.ptr + i, 1, MSG_NOSIGNAL);
	if (SSL_connect(peer.ssl) != 1) {
		SSL_free(peer.ssl);
		peer.ssl = NULL;
	}
	return peer;
}

void
peer_done(struct peer *peer)
{
	SSL_free(peer->ssl);
	SSL_CTX_free(peer->ctx);
	if (peer->fd >= 0)
		(void)close(peer->fd);
	*peer = (struct peer){ .fd = -1 };
}

bool
peer_send(struct peer *peer, view text)
{
	return SSL_write(peer->ssl, text.ptr, (int)text.len) == (int)text.len;
}

static bool
read_some(struct peer *peer, struct buf *out, size_t most)
{
	char bytes[16384];
	int len = SSL_read(peer->ssl, bytes, (int)(most < sizeof(bytes) ? most : sizeof(bytes)));

	if (len > 0)
		buf_add(out, (view){ bytes, (size_t)len });
	return len > 0;
}

static size_t
content_length(view head)
{
	while (head.len > 0) {
		view line = view_cut(&head, '\n'), rest = view_from(line, 16);
		uint64_t len;

		rest.len = rest.len > 0 ? rest.len - 1 : 0;
		if (view_istarts(line, V("Content-Length: ")) && view_u64(rest, &len))
			return (size_t)len;
	}
	return 0;
}

bool
peer_reply(struct peer *peer, struct buf *out)
{
	size_t start = out->len, body;

	/* Byte by byte: what follows belongs to the next reply. */
	while (!view_ends(view_from(buf_view(out), start), V("\r\n\r\n"))) {
		if (!read_some(peer, out, 1))
			return false;
	}
	for (body = content_length(view_from(buf_view(out), start)); body > 0;) {
		size_t before = out->len;

		if (!read_some(peer, out, body))
			return false;
		body -= out->len - before;
	}
	return true;
}

bool
peer_rest(struct peer *peer, struct buf *out)
{
	while (read_some(peer, out, SIZE_MAX))
		;
	return (SSL_get_shutdown(peer->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}
