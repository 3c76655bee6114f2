#include "base/error.h"

#include "base/json.h"
#include "base/starved.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What the analyzer is told about callers (error.h) is in the way of the definitions. */
#undef error_set
#undef error_memory
#undef error_errno

const struct error_row error_table[ERR_COUNT] = {
	[ERR_NONE] = { 200, "None", NULL },
	[ERR_BAD_REQUEST] = { 400, "BadRequest", NULL },
	[ERR_NOT_FOUND] = { 404, "NotFound", NULL },
	[ERR_METHOD_NOT_ALLOWED] = { 405, "MethodNotAllowed", NULL },
	[ERR_TIMEOUT] = { 408, "RequestTimeout", NULL },
	[ERR_BODY_TOO_LARGE] = { 413, "RequestEntityTooLarge", NULL },
	[ERR_HEAD_TOO_LARGE] = { 431, "RequestHeaderFieldsTooLarge", NULL },
	[ERR_THROTTLED] = { 429, "Throttled", NULL },
	[ERR_INTERNAL] = { 500, "InternalServerError", NULL },
	[ERR_UNAVAILABLE] = { 503, "ServiceUnavailable", NULL },

	[ERR_BAD_PARAMETER] = { 400, "BadParameter", NULL },
	[ERR_MALFORMED_BACKUP] = { 400, "Malformed backup blob", NULL },
	[ERR_NOT_DELETED] = { 400, "MethodNotAllowed", "RequestNotAllowedOnNonDeletedObject" },
	[ERR_UNAUTHORIZED] = { 401, "Unauthorized", NULL },
	[ERR_FORBIDDEN] = { 403, "Forbidden", NULL },
	[ERR_FORBIDDEN_BY_RBAC] = { 403, "Forbidden", "ForbiddenByRbac" },
	[ERR_FORBIDDEN_BY_POLICY] = { 403, "Forbidden", "ForbiddenByPolicy" },
	[ERR_FORBIDDEN_BY_FIREWALL] = { 403, "Forbidden", "ForbiddenByFirewall" },
	[ERR_FORBIDDEN_BY_CONNECTION] = { 403, "Forbidden", "ForbiddenByConnection" },
	[ERR_SECRET_DISABLED] = { 403, "Forbidden", "SecretDisabled" },
	[ERR_SECRET_NOT_FOUND] = { 404, "SecretNotFound", NULL },
	[ERR_SECRET_MANAGED] = { 403, "Forbidden", "SecretManagedByKeyVault" },
	[ERR_KEY_DISABLED] = { 403, "Forbidden", "KeyDisabled" },
	[ERR_KEY_EXPIRED] = { 403, "Forbidden", "KeyExpired" },
	[ERR_KEY_NOT_YET_VALID] = { 403, "Forbidden", "KeyNotYetValid" },
	[ERR_KEY_OPERATION] = { 403, "Forbidden", "KeyOperationForbidden" },
	[ERR_KEY_TYPE] = { 400, "BadParameter", "KeyTypeNotSupported" },
	[ERR_ATTESTATION] = { 403, "Forbidden", "AccessDenied" },
	[ERR_KEY_NOT_FOUND] = { 404, "KeyNotFound", NULL },
	[ERR_KEY_MANAGED] = { 403, "Forbidden", "KeyManagedByKeyVault" },
	[ERR_CERTIFICATE_NOT_FOUND] = { 404, "CertificateNotFound", NULL },
	[ERR_CERTIFICATE_EXPIRED] = { 400, "CertificateExpired", NULL },
	[ERR_PENDING_NOT_FOUND] = { 404, "PendingCertificateNotFound", NULL },
	[ERR_PENDING_IN_PROGRESS] = { 409, "Forbidden", NULL },
	[ERR_CONTACTS_NOT_FOUND] = { 404, "ContactsNotFound", NULL },
	[ERR_ISSUER_NOT_FOUND] = { 404, "CertificateIssuerNotFound", NULL },
	[ERR_VAULT_NOT_FOUND] = { 404, "VaultNotFound", NULL },
	[ERR_CONFLICT] = { 409, "Conflict", NULL },
	[ERR_OBJECT_DELETED] = { 409, "Conflict", "ObjectIsDeletedButRecoverable" },

	[ERR_AUTHENTICATION_FAILED] = { 401, "AuthenticationFailed", NULL },
	[ERR_INVALID_TOKEN] = { 401, "InvalidAuthenticationToken", NULL },
	[ERR_INVALID_TOKEN_TENANT] = { 401, "InvalidAuthenticationTokenTenant", NULL },
	[ERR_MISSING_API_VERSION] = { 400, "MissingApiVersionParameter", NULL },
	[ERR_INVALID_API_VERSION] = { 400, "InvalidApiVersionParameter", NULL },
	[ERR_AUTHORIZATION_FAILED] = { 403, "AuthorizationFailed", NULL },
	[ERR_SUBSCRIPTION_NOT_FOUND] = { 404, "SubscriptionNotFound", NULL },
	[ERR_INVALID_REQUEST_CONTENT] = { 400, "InvalidRequestContent", NULL },
	[ERR_RESOURCE_NOT_FOUND] = { 404, "ResourceNotFound", NULL },
	[ERR_RESOURCE_GROUP_NOT_FOUND] = { 404, "ResourceGroupNotFound", NULL },
	[ERR_NO_REGISTERED_PROVIDER] = { 400, "NoRegisteredProviderFound", NULL },
	[ERR_INVALID_NAMESPACE] = { 404, "InvalidResourceNamespace", NULL },
	[ERR_INVALID_TYPE] = { 404, "InvalidResourceType", NULL },
	[ERR_SCOPE_LOCKED] = { 409, "ScopeLocked", NULL },
	[ERR_SUBSCRIPTION_INVALID] = { 400, "InvalidSubscriptionId", NULL },
	[ERR_LOCK_NOT_FOUND] = { 404, "LockNotFound", NULL },
	[ERR_PARENT_NOT_FOUND] = { 404, "ParentResourceNotFound", NULL },
	[ERR_RESOURCE_NAME_INVALID] = { 400, "InvalidResourceName", NULL },
	[ERR_GROUP_NAME_INVALID] = { 400, "InvalidResourceGroup", NULL },
	[ERR_LOCATION_REQUIRED] = { 400, "LocationRequired", NULL },
	[ERR_LOCATION_UNKNOWN] = { 400, "LocationNotAvailableForResourceType", NULL },
	[ERR_LOCATION_FIXED] = { 409, "InvalidResourceLocation", NULL },
	[ERR_GROUP_LOCATION_UNKNOWN] = { 400, "LocationNotAvailableForResourceGroup", NULL },
	[ERR_GROUP_LOCATION_FIXED] = { 409, "InvalidResourceGroupLocation", NULL },
	[ERR_GROUP_BEING_DELETED] = { 409, "ResourceGroupBeingDeleted", NULL },
	[ERR_TAGS_INVALID] = { 400, "InvalidTags", NULL },
	[ERR_FILTER_INVALID] = { 400, "InvalidFilterInQueryString", NULL },
	[ERR_PRECONDITION_FAILED] = { 412, "PreconditionFailed", NULL },
	[ERR_VAULT_NAME_INVALID] = { 400, "VaultNameNotValid", NULL },
	[ERR_VAULT_EXISTS] = { 409, "VaultAlreadyExists", NULL },
	[ERR_VAULT_IN_DELETED_STATE] = { 409, "ConflictError", NULL },
	[ERR_DELETED_VAULT_NOT_FOUND] = { 404, "DeletedVaultNotFound", NULL },
	[ERR_PURGE_PROTECTED] = { 405, "MethodNotAllowed", NULL },
	[ERR_ROLE_ASSIGNMENT_EXISTS] = { 409, "RoleAssignmentExists", NULL },
	[ERR_ROLE_ASSIGNMENT_FIXED] = { 400, "RoleAssignmentUpdateNotPermitted", NULL },
	[ERR_ROLE_ASSIGNMENT_NOT_FOUND] = { 404, "RoleAssignmentNotFound", NULL },
	[ERR_ROLE_DEFINITION_MISSING] = { 400, "RoleDefinitionDoesNotExist", NULL },
	[ERR_ROLE_ASSIGNMENT_LIMIT] = { 400, "RoleAssignmentLimitExceeded", NULL },
	[ERR_ROLE_NOT_ASSIGNABLE] = { 400, "RoleAssignmentScopeNotAssignableToRoleDefinition",
	    NULL },
	[ERR_ROLE_DEFINITION_NOT_FOUND] = { 404, "RoleDefinitionDoesNotExist", NULL },
	[ERR_ROLE_DEFINITION_INVALID] = { 400, "InvalidRoleDefinition", NULL },
	[ERR_ROLE_DEFINITION_NAMED] = { 409, "RoleDefinitionWithSameNameExists", NULL },
	[ERR_ROLE_DEFINITION_ASSIGNED] = { 400, "RoleDefinitionHasAssignments", NULL },
	[ERR_ROLE_DEFINITION_LIMIT] = { 400, "RoleDefinitionLimitExceeded", NULL },
	[ERR_INVALID_CONDITION] = { 400, "InvalidCondition", NULL },
	[ERR_DENY_ASSIGNMENT_NOT_FOUND] = { 404, "DenyAssignmentNotFound", NULL },
	[ERR_DENY_ASSIGNMENT_LIMIT] = { 400, "DenyAssignmentLimitExceeded", NULL },
	[ERR_DENIED_BY_ASSIGNMENT] = { 403, "DenyAssignmentAuthorizationFailed", NULL },
	[ERR_PRINCIPAL_TYPE] = { 400, "UnmatchedPrincipalType", NULL },
	[ERR_PRINCIPAL_NOT_FOUND] = { 400, "PrincipalNotFound", NULL },
	[ERR_GRAPH_DENIED] = { 403, "Authorization_RequestDenied", NULL },
	[ERR_GRAPH_NOT_FOUND] = { 404, "Request_ResourceNotFound", NULL },
	[ERR_GRAPH_BAD_REQUEST] = { 400, "Request_BadRequest", NULL },

	[ERR_STS_MALFORMED] = { 400, "invalid_request", "900144" },
	[ERR_STS_UNKNOWN_GRANT] = { 400, "unsupported_grant_type", "70003" },
	[ERR_STS_UNKNOWN_TENANT] = { 400, "invalid_request", "90002" },
	[ERR_STS_UNKNOWN_INSTANCE] = { 400, "invalid_instance", "50049" },
	[ERR_STS_UNKNOWN_APPLICATION] = { 400, "unauthorized_client", "700016" },
	[ERR_STS_UNKNOWN_RESOURCE] = { 400, "invalid_resource", "500011" },
	[ERR_STS_NO_CREDENTIAL] = { 401, "invalid_client", "7000216" },
	[ERR_STS_BAD_SECRET] = { 401, "invalid_client", "7000215" },
	[ERR_STS_EXPIRED_SECRET] = { 401, "invalid_client", "7000222" },
	[ERR_STS_BAD_ASSERTION] = { 401, "invalid_client", "700027" },
	[ERR_STS_EXPIRED_ASSERTION] = { 401, "invalid_client", "700024" },
	[ERR_STS_LOCKED] = { 400, "invalid_grant", "50053" },
	[ERR_STS_BAD_PASSWORD] = { 400, "invalid_grant", "50126" },
	[ERR_STS_BAD_GRANT] = { 400, "invalid_grant", "70000" },
	[ERR_STS_BAD_SCOPE] = { 400, "invalid_scope", "70011" },
	[ERR_STS_BAD_RESPONSE_TYPE] = { 400, "unsupported_response_type", "700054" },
	[ERR_STS_INTERACTION] = { 400, "interaction_required", "50058" },
	[ERR_STS_CLIENT_KIND] = { 401, "invalid_client", "7000218" },
	[ERR_STS_PENDING] = { 400, "authorization_pending", "70016" },
	[ERR_STS_SLOW_DOWN] = { 400, "slow_down", "70016" },
	[ERR_STS_DECLINED] = { 400, "authorization_declined", "70018" },
	[ERR_STS_EXPIRED_CODE] = { 400, "expired_token", "70020" },
	[ERR_STS_BUSY] = { 429, "temporarily_unavailable", "90033" },
	[ERR_STS_NO_FEDERATED] = { 401, "invalid_client", "700213" },
	[ERR_STS_ISSUER_UNREACHABLE] = { 400, "invalid_request", "50166" },

	[ERR_STORE_CONFLICT] = { 409, "Conflict", NULL },
	[ERR_CORRUPT] = { 500, "InternalServerError", NULL },
};

/* The message goes out as JSON: take a character back that was cut in half. */
static void
drop_half_character(char *message, size_t len)
{
	size_t start = len;

	while (start > 0 && ((unsigned char)message[start - 1] & 0xc0) == 0x80)
		start--;
	if (start > 0 && !utf8_valid((view){ message + start - 1, len - start + 1 }))
		message[start - 1] = '\0';
}

bool
error_set(struct error *err, enum error_code code, const char *format, ...)
{
	va_list args;
	int len;

	err->code = code;
	va_start(args, format);
	len = vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	if (len >= (int)sizeof(err->message))
		drop_half_character(err->message, sizeof(err->message) - 1);
	return false;
}

bool
error_memory(struct error *err)
{
	starved_note();
	return error_set(err, ERR_UNAVAILABLE, "The server is out of memory for this request.");
}

bool
error_errno(struct error *err, const char *what)
{
	char text[128];

	return error_set(err, ERR_INTERNAL, "%s: %s", what, strerror_r(errno, text, sizeof(text)));
}
