#include "crypto/random.h"
#include "keyring/token_private.h"
#include "base/file.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIN_MAX 255

static void
token_done(struct token **token)
{
	token_close(*token);
}

/* The PIN */

static bool
check_access(int fd, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return error_set(err, ERR_BAD_REQUEST, "The token's PIN file is not a file.");
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return error_set(err, ERR_BAD_REQUEST,
		    "The token's PIN file has mode %04o, which lets others at it: chmod 0600 it.",
		    (unsigned)(st.st_mode & 07777));
	return true;
}

/* The first line. */
static bool
read_pin(int fd, struct plain **out, struct error *err)
{
	AUTO(plain_done) struct plain *pin = plain_new(PIN_MAX + 1);
	size_t len = 0, line;
	ssize_t got;

	if (pin == NULL)
		return error_memory(err);
	do {
		got = read(fd, plain_bytes(pin) + len, PIN_MAX + 1 - len);
		if (got < 0 && errno != EINTR)
			return error_set(err, ERR_BAD_REQUEST,
			    "The token's PIN file can't be read.");
		len += got > 0 ? (size_t)got : 0;
	} while (got != 0 && len <= PIN_MAX);
	plain_resize(pin, len);
	if (!view_find(plain_view(pin), '\n', &line))
		line = len;
	if (line == 0 || line > PIN_MAX)
		return error_set(err, ERR_BAD_REQUEST,
		    "The token's PIN file does not begin with a PIN.");
	plain_resize(pin, line);
	*out = pin;
	pin = NULL;
	return true;
}

static bool
load_pin(const char *path, struct plain **out, struct error *err)
{
	/* Not blocking: opening a pipe would wait for a writer. */
	AUTO(fd_done) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return error_set(err, ERR_BAD_REQUEST, "The token's PIN file can't be opened.");
	return check_access(fd, err) && read_pin(fd, out, err);
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

	if (!token_new(settings, &token, err) || !load_pin(settings->pin_file, &token->pin, err) ||
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
