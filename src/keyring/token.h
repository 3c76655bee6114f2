/*
 * The token: an HSM, reached by PKCS#11.  Keys are generated in it, are not extractable and are
 * used there.  Sessions are pooled.  A token that went away answers ERR_UNAVAILABLE until it is
 * back; then it is opened anew by the next call.
 *
 * For a backup a key is wrapped in the token, once, when it is made, under an AES key that never
 * leaves the token ("strongroom-wrapping"): who makes it keeps the wrapped bytes.  What is wrapped
 * is an object of the session, and what stands in the token was unwrapped from it: so no key in the
 * token was ever extractable, whenever the process stops.
 *
 * A PIN that is refused when the token comes back is not tried again by this process: the token
 * would be locked.
 */
#ifndef KEYRING_TOKEN_H
#define KEYRING_TOKEN_H

#include "keyring/key.h"
#include "base/arena.h"

struct token;

struct token_settings {
	const char *module;   /* path of the PKCS#11 library */
	const char *label;    /* of the token */
	const char *pin_file; /* 0600, the user's PIN in its first line */
	unsigned sessions;    /* most at a time */
};

/*
 * token_open(settings, out, err):
 * Load the library.  A token that is not there is no error yet; a wrong PIN, a library that can't
 * be loaded or a token without a needed mechanism is ERR_BAD_REQUEST.
 */
MUST_USE bool token_open(const struct token_settings *settings, struct token **out,
    struct error *err);
void token_close(struct token *token); /* NULL is fine */

/*
 * token_generate(token, spec, id, arena, public, wrapped, err):
 * A new key in the token, labelled with ${id} (32 hex digits); ${public}: n, e or x, y.
 * token_import: One from outside, checked by the caller.  token_restore: from ${wrapped}; a key of
 * that ${id} that is already there is left as it is; ERR_MALFORMED_BACKUP when this token did not
 * wrap it.
 */
MUST_USE bool token_generate(struct token *token, const struct key_spec *spec, view id,
    struct arena *arena, struct key_numbers *public, view *wrapped, struct error *err);
MUST_USE bool token_import(struct token *token, const struct key_spec *spec, view id,
    const struct key_numbers *numbers, struct arena *arena, view *wrapped, struct error *err);
MUST_USE bool token_restore(struct token *token, const struct key_spec *spec, view id, view wrapped,
    struct error *err);

/*
 * token_take(token, exchange, exchange_id, blob, spec, id, arena, public, wrapped, err):
 * A key from outside that was wrapped for the token's key ${exchange_id}, of spec ${exchange}: an
 * AES key under RSA-OAEP with SHA-1, then the key itself (PKCS#8; a symmetric one as it is) under
 * that AES key with AES-KWP, RFC 5649.  Both are unwrapped in the token.  ${spec} comes with the
 * kind and curve and gets the size that was found.  ERR_BAD_PARAMETER, with one message, for all
 * that is wrong with the blob.
 */
MUST_USE bool token_take(struct token *token, const struct key_spec *exchange, view exchange_id,
    view blob, struct key_spec *spec, view id, struct arena *arena, struct key_numbers *public,
    view *wrapped, struct error *err);

/*
 * token_use(...): As material_use; only what takes the private or symmetric part (decrypt and sign;
 * everything with AES and HMAC).  Any thread; blocks.  A key that is not in the token is
 * ERR_UNAVAILABLE, too.
 */
MUST_USE bool token_use(struct token *token, const struct key_spec *spec, view id,
    const struct key_algorithm *algorithm, enum key_use use, const struct key_message *in,
    struct arena *arena, struct key_result *out, struct error *err);

/* token_destroy(token, id, err): Of one that is not there: fine. */
MUST_USE bool token_destroy(struct token *token, view id, struct error *err);

#endif
