/*
 * What the files token*.c share.  Every call is a visit: a session of the pool, for one thread,
 * until the visit is done.
 */
#ifndef KEYRING_TOKEN_PRIVATE_H
#define KEYRING_TOKEN_PRIVATE_H

#include "base/plain.h"
#include "keyring/token.h"

#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdatomic.h>

#define TOKEN_ID_LEN 16 /* CKA_ID: the key's id, decoded */

struct token {
	char *label;
	struct plain *pin;
	unsigned limit; /* of sessions, as it was set */
	CK_FUNCTION_LIST *calls;
	/*
	 * Written by who makes or destroys objects: one at a time looks whether a key is there and
	 * makes it, and nobody looks for one meanwhile (SoftHSM falls over its own feet then).
	 */
	pthread_rwlock_t objects;
	atomic_bool wraps; /* the wrapping key was seen in it */

	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t freed; /* a session came back, or the token went away */
	CK_SESSION_HANDLE *idle;
	unsigned idle_count, open, used, most;
	bool initialized, ready,
	    refused;   /* refused: our PIN; never tried again, it would lock it */
	int64_t tried; /* clock_mono() of the last try to open it */
	CK_SLOT_ID slot;
	/* The mechanisms that it has; changed only while no session is in use. */
	CK_MECHANISM_TYPE wrap_keys; /* for objects of any length; 0: none */
	bool wraps_blocks;           /* CKM_AES_KEY_WRAP, for objects of whole half blocks */
	bool wraps_data;             /* CKM_AES_KEY_WRAP encrypts callers' data, too */
};

struct visit {
	struct token *token;
	CK_SESSION_HANDLE session;
	bool away; /* the token went away meanwhile: no session goes back to the pool */
};

/* Sessions: token_session.c */

/* token_connect(token, err): For token_open: ERR_UNAVAILABLE, or ERR_BAD_REQUEST for good. */
MUST_USE bool token_connect(struct token *token, struct error *err);
void token_disconnect(struct token *token); /* no session is in use */

/* visit_begin(token, out, err): Waits for a session; opens the token when that is due. */
MUST_USE bool visit_begin(struct token *token, struct visit *out, struct error *err);
void visit_done(struct visit *visit); /* for AUTO; one that did not begin is fine */

/*
 * visit_failed(visit, rv, err):
 * A call was answered with ${rv}: ERR_UNAVAILABLE when that says that the token is away or that
 * there was no memory, else ERR_INTERNAL.  Always false.
 */
bool visit_failed(struct visit *visit, CK_RV rv, struct error *err);
bool visit_away(struct visit *visit, struct error *err); /* the token is away. Always false */

/*
 * visit_blames_caller(visit, rv):
 * Is ${rv} about what the caller sent?  Tokens answer a bad ciphertext with codes that stand for a
 * broken device, too: then the token is asked whether it is still there.
 */
bool visit_blames_caller(struct visit *visit, CK_RV rv);

/*
 * visit_alive(visit): Is the token there?  One that went away may go on answering from memory, but
 * does not find its wrapping key.
 */
bool visit_alive(struct visit *visit);

/* Objects: token_key.c */

#define TEMPLATE_MAX 24

struct template
{
	CK_ATTRIBUTE rows[TEMPLATE_MAX];
	CK_ULONG count;
	CK_ULONG numbers[4]; /* what rows point to */
	size_t number_count;
};

/* The bytes are borrowed. */
void template_add(struct template *template, CK_ATTRIBUTE_TYPE type, const void *bytes, size_t len);
void template_add_bool(struct template *template, CK_ATTRIBUTE_TYPE type, bool value);
void template_add_number(struct template *template, CK_ATTRIBUTE_TYPE type, CK_ULONG value);

/* token_find(visit, template, out): The first; CKR_OK and CK_INVALID_HANDLE when there is none. */
MUST_USE CK_RV token_find(const struct visit *visit, struct template *template,
    CK_OBJECT_HANDLE *out);

/* token_find_wrapping: The key that others are wrapped under, as token_find. */
MUST_USE CK_RV token_find_wrapping(const struct visit *visit, CK_OBJECT_HANDLE *out);

/*
 * token_unwrap(visit, spec, wrapping, wrapped, template, out):
 * A key of ${spec} out of what this token wrapped under ${wrapping}, by whichever mechanism it was.
 */
MUST_USE CK_RV token_unwrap(struct visit *visit, const struct key_spec *spec,
    CK_OBJECT_HANDLE wrapping, view wrapped, struct template *template, CK_OBJECT_HANDLE *out);

/* token_find_key(visit, spec, id, out, err): ERR_UNAVAILABLE when it is not there. */
MUST_USE bool token_find_key(struct visit *visit, const struct key_spec *spec, view id,
    CK_OBJECT_HANDLE *out, struct error *err);

/* Drafts: token_draft.c.  Objects of the session, gone when it ends. */

struct draft {
	struct visit *visit;
	CK_OBJECT_HANDLE key;
};

void draft_done(struct draft *draft); /* for AUTO: destroy */

/* A draft is extractable: it is there to be wrapped.  ${public} lies in ${arena}. */
MUST_USE bool draft_generate(struct visit *visit, const struct key_spec *spec, struct arena *arena,
    struct draft *out, struct key_numbers *public, struct error *err);
MUST_USE bool draft_import(struct visit *visit, const struct key_spec *spec,
    const struct key_numbers *numbers, struct draft *out, struct error *err);

/*
 * template_describe, template_allow: What kind of key it is, and what it may be used for.
 * template_draft: Both, for a draft.
 */
void template_describe(struct template *template, const struct key_spec *spec);
void template_allow(struct template *template, const struct key_spec *spec);
void template_draft(struct template *template, const struct key_spec *spec);

/* token_curve: A curve's object identifier in DER, as CKA_EC_PARAMS has it. */
view token_curve(enum key_curve curve);

/* token_read(visit, object, type, out, room, read, err): An attribute; ${read} points to ${out}. */
MUST_USE bool token_read(struct visit *visit, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
    void *out, size_t room, view *read, struct error *err);

/* token_read_rsa(visit, object, arena, out, err): n and e, which a private key has, too. */
MUST_USE bool token_read_rsa(struct visit *visit, CK_OBJECT_HANDLE object, struct arena *arena,
    struct key_numbers *out, struct error *err);

/*
 * draft_keep(draft, spec, id, arena, wrapped, err):
 * Make it a key of the token's by wrapping and unwrapping it: what is backed up is what is used.
 */
MUST_USE bool draft_keep(const struct draft *draft, const struct key_spec *spec, view id,
    struct arena *arena, view *wrapped, struct error *err);

/* Use: token_use.c, token_aes.c */

enum token_call { CALL_ENCRYPT, CALL_DECRYPT, CALL_SIGN };

struct job {
	struct visit *visit;
	const struct key_spec *spec;
	const struct key_algorithm *algorithm;
	CK_OBJECT_HANDLE key;
	bool encrypt;
	const struct key_message *in;
	struct arena *arena;
};

/* job_use(job, use, out, err): What the job's key is asked for. */
MUST_USE bool job_use(struct job *job, enum key_use use, struct key_result *out, struct error *err);

/*
 * job_begin, job_finish: An operation of the token's over one value.  ${len}: the room, then what
 * was written.
 */
MUST_USE CK_RV job_begin(const struct job *job, enum token_call call, CK_MECHANISM *mechanism);
MUST_USE CK_RV job_finish(const struct job *job, enum token_call call, view value, void *out,
    size_t *len);

/* Both; what it answers goes to job_failed. */
MUST_USE CK_RV job_run(const struct job *job, enum token_call call, CK_MECHANISM *mechanism,
    view value, void *out, size_t *len);

/* job_failed(job, call, rv, err): What does not decrypt is the caller's fault.  Always false. */
bool job_failed(const struct job *job, enum token_call call, CK_RV rv, struct error *err);

/* The analyzer sees only this header: tell it what "always false" means for the caller. */
#ifdef __clang_analyzer__
#define visit_failed(...) ((void)visit_failed(__VA_ARGS__), false)
#define visit_away(...) ((void)visit_away(__VA_ARGS__), false)
#define job_failed(...) ((void)job_failed(__VA_ARGS__), false)
#endif

MUST_USE bool token_use_aes(const struct job *job, struct key_result *out, struct error *err);

#endif
