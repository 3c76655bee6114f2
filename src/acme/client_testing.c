/*
 * The client by itself, for tests against a real server:
 *
 *	acme_client DIRECTORY CA_FILE KEY_FILE CSR_FILE HTTP_LISTEN|- HOOK|- KID|- KEY|- NAME...
 *
 * KEY_FILE: the account's P-256 key in PEM; CSR_FILE: DER; KID and KEY (raw): the external binding.
 * The chain goes to standard output.  After each step the state is packed, forgotten and unpacked,
 * as if the process had ended.  "NAME" may be "ip:ADDRESS".  WRONG_PROOF in the environment: what
 * is shown is wrong.
 */
#include "acme/acme.h"
#include "acme/dns_hook.h"
#include "acme/http01.h"
#include "base/base64.h"
#include "base/file.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)4 * 1024 * 1024)
#define STEPS_MAX 500

struct client {
	EVP_PKEY *key;
	const char *hook;
	pthread_mutex_t lock;
	char token[ACME_TOKEN_MAX], value[256];
};

static bool
find(void *ctx, view token, struct buf *out)
{
	struct client *client = ctx;
	bool found;

	(void)pthread_mutex_lock(&client->lock);
	found = view_eq(token, view_of(client->token));
	if (found)
		buf_add(out, view_of(client->value));
	(void)pthread_mutex_unlock(&client->lock);
	return found;
}

static bool
show(void *ctx, const struct acme_proof *proof, struct error *err)
{
	struct client *client = ctx;
	const char *wrong = secure_getenv("WRONG_PROOF");

	(void)fprintf(stderr, "show %.*s %.*s\n", VIEW_ARG(proof->name), VIEW_ARG(proof->value));
	if (proof->kind == ACME_DNS_01)
		return dns_hook_run(client->hook, true, proof->name,
		    wrong != NULL ? view_of(wrong) : proof->value, err);
	(void)pthread_mutex_lock(&client->lock);
	(void)snprintf(client->token, sizeof(client->token), "%.*s", VIEW_ARG(proof->token));
	(void)snprintf(client->value, sizeof(client->value), "%.*s%s", VIEW_ARG(proof->value),
	    wrong != NULL ? wrong : "");
	(void)pthread_mutex_unlock(&client->lock);
	return true;
}

static bool
hide(void *ctx, const struct acme_proof *proof, struct error *err)
{
	struct client *client = ctx;

	(void)fprintf(stderr, "hide %.*s\n", VIEW_ARG(proof->name));
	if (proof->kind == ACME_DNS_01)
		return dns_hook_run(client->hook, false, proof->name, proof->value, err);
	(void)pthread_mutex_lock(&client->lock);
	client->token[0] = '\0';
	(void)pthread_mutex_unlock(&client->lock);
	return true;
}

static bool
sign(void *ctx, view message, uint8_t out[ACME_SIGNATURE_LEN], struct error *err)
{
	const struct client *client = ctx;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char der[144];
	const unsigned char *at = der;
	size_t len = sizeof(der);
	ECDSA_SIG *sig;

	(void)err;
	if (EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, client->key) != 1 ||
	    EVP_DigestSign(md, der, &len, (const unsigned char *)message.ptr, message.len) != 1)
		abort();
	EVP_MD_CTX_free(md);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	(void)BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32);
	(void)BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32);
	ECDSA_SIG_free(sig);
	return true;
}

static void
take_coordinate(const EVP_PKEY *key, const char *name, uint8_t out[ACME_COORDINATE_LEN])
{
	BIGNUM *number = NULL;

	if (EVP_PKEY_get_bn_param(key, name, &number) != 1 ||
	    BN_bn2binpad(number, out, ACME_COORDINATE_LEN) != ACME_COORDINATE_LEN)
		abort();
	BN_free(number);
}

static EVP_PKEY *
read_key(const char *path)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key = file == NULL ? NULL : PEM_read_PrivateKey(file, NULL, NULL, NULL);

	if (key == NULL)
		abort();
	(void)fclose(file);
	return key;
}

static void
forget(struct acme_state *state)
{
	AUTO(buf_free) struct buf packed = { 0 };

	acme_pack(state, &packed);
	memset(state, 0, sizeof(*state));
	if (!acme_unpack(buf_view(&packed), state))
		abort();
}

static int
drive(const struct acme *acme)
{
	AUTO(buf_free) struct buf chain = { 0 };
	struct acme_state state = { 0 };
	struct error err;

	for (int i = 0; i < STEPS_MAX && state.stage != ACME_DONE; i++) {
		AUTO(arena_free) struct arena arena = { 0 };
		unsigned wait;

		arena_init(&arena, ARENA_MAX);
		(void)fprintf(stderr, "step: %s\n", acme_stage_name(state.stage));
		if (!acme_step(acme, &state, &arena, &wait, &chain, &err)) {
			(void)fprintf(stderr, "%s, wait %u: %s\n",
			    err.code == ERR_UNAVAILABLE ? "later" : "refused", wait, err.message);
			if (err.code != ERR_UNAVAILABLE)
				return 2;
			if (secure_getenv("ONE_TRY") != NULL)
				return 3;
			wait = 1;
		}
		forget(&state);
		(void)sleep(wait);
	}
	(void)fwrite(chain.ptr, 1, chain.len, stdout);
	return state.stage == ACME_DONE ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct client client = { .lock = PTHREAD_MUTEX_INITIALIZER };
	AUTO(buf_free) struct buf csr = { 0 };
	struct acme_name names[ACME_NAMES_MAX];
	const view email = V("admin@example.com");
	struct acme acme = { .sign = sign,
		.show = show,
		.hide = hide,
		.ctx = &client,
		.emails = &email,
		.email_count = 1,
		.names = names };
	struct http01 *http01 = NULL;
	struct error err;
	int code;

	if (argc < 10 || argc - 9 > ACME_NAMES_MAX)
		return 64;
	acme.directory = argv[1];
	acme.more_ca_file = argv[2];
	client.key = read_key(argv[3]);
	take_coordinate(client.key, OSSL_PKEY_PARAM_EC_PUB_X, acme.x);
	take_coordinate(client.key, OSSL_PKEY_PARAM_EC_PUB_Y, acme.y);
	if (!file_read(argv[4], 65536, &csr, &err))
		return 64;
	acme.csr = buf_view(&csr);
	acme.http = strcmp(argv[5], "-") != 0;
	acme.dns = strcmp(argv[6], "-") != 0;
	client.hook = argv[6];
	if (acme.http && !http01_open(argv[5], find, &client, &http01, &err)) {
		(void)fprintf(stderr, "%s\n", err.message);
		return 64;
	}
	if (strcmp(argv[7], "-") != 0) {
		acme.binding_id = view_of(argv[7]);
		acme.binding_key = view_of(argv[8]);
	}
	for (int i = 9; i < argc; i++) {
		view name = view_of(argv[i]);
		bool address = view_starts(name, V("ip:"));

		names[acme.name_count++] =
		    (struct acme_name){ address, address ? view_from(name, 3) : name };
	}
	code = drive(&acme);
	http01_close(http01);
	EVP_PKEY_free(client.key);
	return code;
}
