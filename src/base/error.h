/*
 * One error, carried through the call: a code to act on, a message to read.  The message goes to
 * the client: no secret, no file path, no SQL in it.  Log once, at the top.
 *
 * The table maps every code to what goes over the wire: the HTTP status, the error's `code` and,
 * where the original has one, `innererror.code`.  For sign-in errors (ERR_STS_*) `name` is the
 * OAuth error and `inner` the AADSTS number.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/attr.h"

#include <stdbool.h>

enum error_code {
	ERR_NONE,
	/* any plane */
	ERR_BAD_REQUEST,
	ERR_NOT_FOUND,
	ERR_METHOD_NOT_ALLOWED,
	ERR_TIMEOUT,
	ERR_BODY_TOO_LARGE,
	ERR_HEAD_TOO_LARGE,
	ERR_THROTTLED,
	ERR_INTERNAL,
	ERR_UNAVAILABLE,
	/* vaults: reference of the data plane, section 5.2 */
	ERR_BAD_PARAMETER,
	ERR_MALFORMED_BACKUP,
	ERR_NOT_DELETED,
	ERR_UNAUTHORIZED,
	ERR_FORBIDDEN,
	ERR_FORBIDDEN_BY_RBAC,
	ERR_FORBIDDEN_BY_POLICY,
	ERR_FORBIDDEN_BY_FIREWALL,
	ERR_FORBIDDEN_BY_CONNECTION,
	ERR_SECRET_DISABLED,
	ERR_SECRET_NOT_FOUND,
	ERR_SECRET_MANAGED,
	ERR_KEY_DISABLED,
	ERR_KEY_EXPIRED,
	ERR_KEY_NOT_YET_VALID,
	ERR_KEY_OPERATION,
	ERR_KEY_TYPE,
	ERR_KEY_NOT_FOUND,
	ERR_KEY_MANAGED,
	ERR_CERTIFICATE_NOT_FOUND,
	ERR_CERTIFICATE_EXPIRED,
	ERR_PENDING_NOT_FOUND,
	ERR_PENDING_IN_PROGRESS,
	ERR_CONTACTS_NOT_FOUND,
	ERR_ISSUER_NOT_FOUND,
	ERR_VAULT_NOT_FOUND,
	ERR_CONFLICT,
	ERR_OBJECT_DELETED,
	/* resource management and directory */
	ERR_AUTHENTICATION_FAILED,
	ERR_INVALID_TOKEN,
	ERR_INVALID_TOKEN_TENANT,
	ERR_MISSING_API_VERSION,
	ERR_INVALID_API_VERSION,
	ERR_AUTHORIZATION_FAILED,
	ERR_SUBSCRIPTION_NOT_FOUND,
	ERR_INVALID_REQUEST_CONTENT,
	ERR_RESOURCE_NOT_FOUND,
	ERR_RESOURCE_GROUP_NOT_FOUND,
	ERR_NO_REGISTERED_PROVIDER,
	ERR_INVALID_NAMESPACE,
	ERR_INVALID_TYPE,
	ERR_SCOPE_LOCKED,
	ERR_SUBSCRIPTION_INVALID,
	ERR_LOCK_NOT_FOUND,
	ERR_PARENT_NOT_FOUND,
	ERR_RESOURCE_NAME_INVALID,
	ERR_GROUP_NAME_INVALID,
	ERR_LOCATION_REQUIRED,
	ERR_LOCATION_UNKNOWN,
	ERR_LOCATION_FIXED,
	ERR_GROUP_LOCATION_UNKNOWN,
	ERR_GROUP_LOCATION_FIXED,
	ERR_GROUP_BEING_DELETED,
	ERR_TAGS_INVALID,
	ERR_FILTER_INVALID,
	ERR_PRECONDITION_FAILED,
	ERR_VAULT_NAME_INVALID,
	ERR_VAULT_EXISTS,
	ERR_VAULT_IN_DELETED_STATE,
	ERR_DELETED_VAULT_NOT_FOUND,
	ERR_PURGE_PROTECTED,
	ERR_ROLE_ASSIGNMENT_EXISTS,
	ERR_ROLE_ASSIGNMENT_FIXED,
	ERR_ROLE_ASSIGNMENT_NOT_FOUND,
	ERR_ROLE_DEFINITION_MISSING,
	ERR_ROLE_ASSIGNMENT_LIMIT,
	ERR_ROLE_NOT_ASSIGNABLE,
	ERR_ROLE_DEFINITION_NOT_FOUND,
	ERR_ROLE_DEFINITION_INVALID,
	ERR_ROLE_DEFINITION_NAMED,
	ERR_ROLE_DEFINITION_ASSIGNED,
	ERR_ROLE_DEFINITION_LIMIT,
	ERR_INVALID_CONDITION,
	ERR_DENY_ASSIGNMENT_NOT_FOUND,
	ERR_DENY_ASSIGNMENT_LIMIT,
	ERR_DENIED_BY_ASSIGNMENT,
	ERR_PRINCIPAL_NOT_FOUND,
	ERR_PRINCIPAL_TYPE,
	ERR_GRAPH_DENIED,
	ERR_GRAPH_NOT_FOUND,
	ERR_GRAPH_BAD_REQUEST,
	/* sign-in */
	ERR_STS_MALFORMED,
	ERR_STS_UNKNOWN_GRANT,
	ERR_STS_UNKNOWN_TENANT,
	ERR_STS_UNKNOWN_INSTANCE,
	ERR_STS_UNKNOWN_APPLICATION,
	ERR_STS_UNKNOWN_RESOURCE,
	ERR_STS_NO_CREDENTIAL,
	ERR_STS_BAD_SECRET,
	ERR_STS_EXPIRED_SECRET,
	ERR_STS_BAD_ASSERTION,
	ERR_STS_EXPIRED_ASSERTION,
	ERR_STS_LOCKED,
	ERR_STS_BAD_PASSWORD,
	ERR_STS_BAD_GRANT, /* a code, refresh token or account that is no good any more */
	ERR_STS_BAD_SCOPE,
	ERR_STS_BAD_RESPONSE_TYPE,
	ERR_STS_INTERACTION,
	ERR_STS_CLIENT_KIND, /* a credential is missing, or must not be there */
	ERR_STS_PENDING,
	ERR_STS_SLOW_DOWN,
	ERR_STS_DECLINED,
	ERR_STS_EXPIRED_CODE,
	ERR_STS_BUSY,
	ERR_STS_NO_FEDERATED,
	ERR_STS_ISSUER_UNREACHABLE,
	/* inside the process: never sent as they are */
	ERR_STORE_CONFLICT, /* an expected revision was not there: run again */
	ERR_CORRUPT,        /* a stored document does not open */
	ERR_COUNT
};

#define ERROR_MESSAGE_MAX 2048

struct error {
	enum error_code code;
	char message[ERROR_MESSAGE_MAX];
};

struct error_row {
	int status;
	const char *name;
	const char *inner; /* NULL where there is none */
};

extern const struct error_row error_table[ERR_COUNT];

/*
 * error_set(err, code, format, ...):
 * Fill in ${err}; a message that is too long is cut.  Always false, so that callers
 * `return error_set(...)`.
 */
PRINTF(3, 4) bool error_set(struct error *err, enum error_code code, const char *format, ...);

/* error_memory(err): An allocation failed, or a request's budget is spent. Always false. */
bool error_memory(struct error *err);

/* error_errno(err, what): A system call failed: ${what} and errno's text. Always false. */
bool error_errno(struct error *err, const char *what);

/* The analyzer sees only this header: tell it what "always false" means for the caller. */
#ifdef __clang_analyzer__
#define error_set(...) ((void)error_set(__VA_ARGS__), false)
#define error_memory(err) ((void)error_memory(err), false)
#define error_errno(err, what) ((void)error_errno(err, what), false)
#endif

#endif
