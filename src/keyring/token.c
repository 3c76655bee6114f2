#include "crypto/random.h"
#include "keyring/token_private.h"
#include "base/file.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static void
token_done(struct token **token)
{
	token_close(*token);
}

/* The library.  It stays loaded for good: it may have left something to do to threads' ends. */
static bool
load_module(const char *path, CK_FUNCTION_LIST **out, struct error *err)
{
	CK_RV (*get)(CK_FUNCTION_LIST * *list);
	uint8_t first[16];
	void *library, *symbol;

	/*
	 * A module that shares our OpenSSL may offer it another generator: the first use of it
	 * decides, so that is ours.
	 */
	random_bytes(first, sizeof(first));
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	symbol = library == NULL ? NULL : dlsym(library, "C_GetFunctionList");
	if (symbol == NULL)
		return error_set(err, ERR_BAD_REQUEST,
		    "The HSM's library can't be loaded, or is not one of PKCS#11.");
	memcpy(&get, &symbol, sizeof(get)); /* C has no cast for it */
	if (get(out) != CKR_OK || *out == NULL)
		return error_set(err, ERR_BAD_REQUEST, "The HSM's library does not start.");
	return true;
}

static bool
token_new(const struct token_settings *settings, struct token **out, struct error *err)
{
	AUTO(token_done) struct token *token = calloc(1, sizeof(*token));

	if (token == NULL)
		return error_memory(err);
	token->objects = (pthread_rwlock_t)PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
	token->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	token->freed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
	token->limit = settings->sessions > 0 ? settings->sessions : 1;
	token->label = strdup(settings->label);
	token->idle = calloc(token->limit, sizeof(*token->idle));
	if (token->label == NULL || token->idle == NULL)
		return error_memory(err);
	*out = token;
	token = NULL;
	return true;
}

bool
token_open(const struct token_settings *settings, struct token **out, struct error *err)
{
	AUTO(token_done) struct token *token = NULL;

	if (!token_new(settings, &token, err) ||
	    !file_read_secret("The token's PIN file", settings->pin_file, &token->pin, err) ||
	    !load_module(settings->module, &token->calls, err))
		return false;
	if (!token_connect(token, err) && err->code != ERR_UNAVAILABLE)
		return false;
	*out = token;
	token = NULL;
	return true;
}

void
token_close(struct token *token)
{
	if (token == NULL)
		return;
	token_disconnect(token);
	(void)pthread_cond_destroy(&token->freed);
	(void)pthread_mutex_destroy(&token->lock);
	(void)pthread_rwlock_destroy(&token->objects);
	plain_free(token->pin);
	free(token->idle);
	free(token->label);
	free(token);
}
