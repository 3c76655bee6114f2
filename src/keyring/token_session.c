#include "keyring/token_private.h"
#include "base/clock.h"
#include "base/log.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* What the analyzer is told about callers (token_private.h) is in the way of the definitions. */
#undef visit_failed
#undef visit_away

#define RETRY_NANOS ((int64_t)1000000000)
#define LABEL_LEN 32

/* RFC 5649, as PKCS#11 3.0 has it. */
#define MECHANISM_KEY_WRAP_KWP 0x210bUL

static void
slots_done(CK_SLOT_ID **slots)
{
	free(*slots);
}

static bool
is_one_of(CK_RV rv, const CK_RV *codes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (codes[i] == rv)
			return true;
	}
	return false;
}

/* What means that the token is away, or that its sessions are no good any more. */
static bool
means_away(CK_RV rv)
{
	static const CK_RV codes[] = {
		CKR_GENERAL_ERROR,
		CKR_FUNCTION_FAILED,
		CKR_DEVICE_ERROR,
		CKR_DEVICE_MEMORY,
		CKR_DEVICE_REMOVED,
		CKR_TOKEN_NOT_PRESENT,
		CKR_TOKEN_NOT_RECOGNIZED,
		CKR_SLOT_ID_INVALID,
		CKR_SESSION_HANDLE_INVALID,
		CKR_SESSION_CLOSED,
		CKR_SESSION_COUNT,
		CKR_USER_NOT_LOGGED_IN,
		CKR_CRYPTOKI_NOT_INITIALIZED,
		/* What was found in it a moment ago is not there. */
		CKR_OBJECT_HANDLE_INVALID,
		CKR_KEY_HANDLE_INVALID,
		CKR_WRAPPING_KEY_HANDLE_INVALID,
		CKR_UNWRAPPING_KEY_HANDLE_INVALID,
		/* The session is stuck in another operation. */
		CKR_OPERATION_ACTIVE,
		CKR_BUFFER_TOO_SMALL,
	};

	return is_one_of(rv, codes, COUNT_OF(codes));
}

/* What means either: the data is bad, or the token. */
static bool
is_vague(CK_RV rv)
{
	static const CK_RV codes[] = { CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED, CKR_DEVICE_ERROR };

	return is_one_of(rv, codes, COUNT_OF(codes));
}

static bool
is_about_pin(CK_RV rv)
{
	static const CK_RV codes[] = { CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE,
		CKR_PIN_EXPIRED, CKR_PIN_LOCKED, CKR_USER_PIN_NOT_INITIALIZED };

	return is_one_of(rv, codes, COUNT_OF(codes));
}

static bool
is_away(struct error *err)
{
	return error_set(err, ERR_UNAVAILABLE, "The HSM token is not available at the moment.");
}

/* Opening */

void
token_disconnect(struct token *token)
{
	if (token->initialized)
		(void)token->calls->C_Finalize(NULL); /* ends all sessions, and logs out */
	token->initialized = token->ready = false;
	token->open = token->idle_count = 0;
}

static bool
initialize(struct token *token, struct error *err)
{
	CK_C_INITIALIZE_ARGS arguments = { .flags = CKF_OS_LOCKING_OK };
	CK_RV rv = token->calls->C_Initialize(&arguments);

	token->initialized = rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED;
	return token->initialized || is_away(err);
}

/* A token's label is filled up with spaces. */
static bool
has_label(const CK_TOKEN_INFO *info, view label)
{
	view found = { (const char *)info->label, LABEL_LEN };

	while (found.len > 0 && found.ptr[found.len - 1] == ' ')
		found.len--;
	return view_eq(found, label);
}

static bool
find_slot(struct token *token, struct error *err)
{
	AUTO(slots_done) CK_SLOT_ID *slots = NULL;
	CK_ULONG count = 0;

	if (token->calls->C_GetSlotList(CK_TRUE, NULL, &count) != CKR_OK)
		return is_away(err);
	slots = calloc(count + 1, sizeof(*slots));
	if (slots == NULL)
		return error_memory(err);
	if (token->calls->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
		return is_away(err);
	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO info;

		token->slot = slots[i];
		if (token->calls->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
		    (info.flags & CKF_TOKEN_INITIALIZED) != 0 &&
		    has_label(&info, view_of(token->label)))
			return true;
	}
	return is_away(err);
}

static bool
has_mechanism(const struct token *token, CK_MECHANISM_TYPE type, CK_FLAGS flags)
{
	CK_MECHANISM_INFO info;

	return token->calls->C_GetMechanismInfo(token->slot, type, &info) == CKR_OK &&
	    (info.flags & flags) == flags;
}

static bool
check_mechanisms(struct token *token, struct error *err)
{
	static const struct {
		CK_MECHANISM_TYPE type;
		const char *name;
		CK_FLAGS flags;
	} needed[] = {
		{ CKM_RSA_PKCS_KEY_PAIR_GEN, "CKM_RSA_PKCS_KEY_PAIR_GEN", CKF_GENERATE_KEY_PAIR },
		{ CKM_RSA_PKCS, "CKM_RSA_PKCS", CKF_SIGN | CKF_DECRYPT },
		{ CKM_EC_KEY_PAIR_GEN, "CKM_EC_KEY_PAIR_GEN", CKF_GENERATE_KEY_PAIR },
		{ CKM_ECDSA, "CKM_ECDSA", CKF_SIGN },
		{ CKM_AES_KEY_GEN, "CKM_AES_KEY_GEN", CKF_GENERATE },
		{ CKM_AES_ECB, "CKM_AES_ECB", CKF_ENCRYPT | CKF_DECRYPT },
		{ CKM_AES_CBC, "CKM_AES_CBC", CKF_ENCRYPT | CKF_DECRYPT },
		{ CKM_AES_GCM, "CKM_AES_GCM", CKF_ENCRYPT | CKF_DECRYPT },
	};
	CK_FLAGS wrap = CKF_WRAP | CKF_UNWRAP;

	for (size_t i = 0; i < COUNT_OF(needed); i++) {
		if (!has_mechanism(token, needed[i].type, needed[i].flags))
			return error_set(err, ERR_BAD_REQUEST, "The HSM token lacks %s.",
			    needed[i].name);
	}
	token->wrap_keys = 0;
	if (has_mechanism(token, MECHANISM_KEY_WRAP_KWP, wrap))
		token->wrap_keys = MECHANISM_KEY_WRAP_KWP;
	if (has_mechanism(token, CKM_AES_KEY_WRAP_PAD, wrap))
		token->wrap_keys = CKM_AES_KEY_WRAP_PAD;
	token->wraps_blocks = has_mechanism(token, CKM_AES_KEY_WRAP, wrap);
	token->wraps_data = has_mechanism(token, CKM_AES_KEY_WRAP, CKF_ENCRYPT | CKF_DECRYPT);
	return token->wrap_keys != 0 || token->wraps_blocks ||
	    error_set(err, ERR_BAD_REQUEST, "The HSM token lacks CKM_AES_KEY_WRAP_PAD.");
}

static bool
open_session(struct token *token, CK_SESSION_HANDLE *out, CK_RV *rv)
{
	*rv = token->calls->C_OpenSession(token->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
	    NULL, out);
	token->open += *rv == CKR_OK;
	return *rv == CKR_OK;
}

/* For all sessions, as long as there is one. */
static bool
log_in(struct token *token, CK_SESSION_HANDLE session, struct error *err)
{
	view pin = plain_view(token->pin);
	CK_RV rv =
	    token->calls->C_Login(session, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)pin.ptr, pin.len);

	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
		return true;
	token->refused = is_about_pin(rv);
	return token->refused ? error_set(err, ERR_BAD_REQUEST, "The HSM token refuses the PIN.")
			      : is_away(err);
}

static bool
connect_anew(struct token *token, struct error *err)
{
	struct visit visit = { .token = token };
	CK_OBJECT_HANDLE wrapping;
	CK_RV rv;

	token_disconnect(token);
	if (!initialize(token, err) || !find_slot(token, err) || !check_mechanisms(token, err))
		return false;
	if (!open_session(token, &visit.session, &rv) || !log_in(token, visit.session, err))
		return token->refused ? false : is_away(err);
	if (token_find_wrapping(&visit, &wrapping) != CKR_OK)
		return is_away(err);
	atomic_store(&token->wraps, wrapping != CK_INVALID_HANDLE);
	token->idle[token->idle_count++] = visit.session;
	token->most = token->limit;
	token->ready = true;
	return true;
}

bool
token_connect(struct token *token, struct error *err)
{
	bool ok;

	token->tried = clock_mono();
	ok = connect_anew(token, err);
	ERR_clear_error(); /* a module may share our OpenSSL */
	if (ok)
		log_line(LOG_INFO, "token.open", "The HSM token is there.");
	else
		log_line(LOG_WARN, "token.open", "%s", err->message);
	return ok;
}

/* Under the lock: open the token again, when nobody uses it and the last try was a while ago. */
static bool
make_ready(struct token *token, struct error *err)
{
	if (token->ready)
		return true;
	if (token->used > 0 || token->refused || clock_mono() - token->tried < RETRY_NANOS)
		return is_away(err);
	return token_connect(token, err) || is_away(err);
}

static void
lose(struct token *token)
{
	if (token->ready)
		log_line(LOG_WARN, "token.lost", "The HSM token went away.");
	token->ready = false;
	(void)pthread_cond_broadcast(&token->freed);
}

/* Under the lock: one that is idle, a new one, or the next that is given back. */
static bool
take_session(struct token *token, CK_SESSION_HANDLE *out, struct error *err)
{
	CK_RV rv;

	while (token->ready) {
		if (token->idle_count > 0) {
			*out = token->idle[--token->idle_count];
			return true;
		}
		if (token->open >= token->most)
			(void)pthread_cond_wait(&token->freed, &token->lock);
		else if (open_session(token, out, &rv))
			return true;
		else if (rv == CKR_SESSION_COUNT && token->open > 0)
			token->most = token->open; /* it has no more */
		else
			lose(token);
	}
	return is_away(err);
}

bool
visit_begin(struct token *token, struct visit *out, struct error *err)
{
	CK_SESSION_HANDLE session;
	bool ok;

	(void)pthread_mutex_lock(&token->lock);
	ok = make_ready(token, err) && take_session(token, &session, err);
	token->used += ok;
	(void)pthread_mutex_unlock(&token->lock);
	if (ok)
		*out = (struct visit){ token, session, false };
	return ok;
}

void
visit_done(struct visit *visit)
{
	struct token *token = visit->token;

	if (token == NULL)
		return;
	/*
	 * A module may share our OpenSSL: what it leaves in the thread's queue would make the next
	 * SSL_get_error here report a connection as broken.
	 */
	ERR_clear_error();
	(void)pthread_mutex_lock(&token->lock);
	token->used--;
	if (visit->away)
		lose(token);
	if (token->ready)
		token->idle[token->idle_count++] = visit->session;
	(void)pthread_cond_signal(&token->freed);
	(void)pthread_mutex_unlock(&token->lock);
}

/* Failing */

bool
visit_away(struct visit *visit, struct error *err)
{
	visit->away = true;
	return is_away(err);
}

bool
visit_failed(struct visit *visit, CK_RV rv, struct error *err)
{
	if (means_away(rv))
		return visit_away(visit, err);
	if (rv == CKR_HOST_MEMORY)
		return error_memory(err);
	return error_set(err, ERR_INTERNAL, "The HSM token refused (0x%lx).", rv);
}

bool
visit_alive(struct visit *visit)
{
	CK_OBJECT_HANDLE wrapping;
	bool wraps = atomic_load(&visit->token->wraps);
	bool alive = token_find_wrapping(visit, &wrapping) == CKR_OK &&
	    (!wraps || wrapping != CK_INVALID_HANDLE);

	visit->away = visit->away || !alive;
	return alive;
}

bool
visit_blames_caller(struct visit *visit, CK_RV rv)
{
	if (rv == CKR_HOST_MEMORY)
		return false;
	return is_vague(rv) ? visit_alive(visit) : !means_away(rv);
}
