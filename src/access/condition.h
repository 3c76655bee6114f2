/*
 * Conditions of role assignments, in the original's language, version 2.0: they narrow what a grant
 * allows by attributes of the request.
 *
 *	(!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/getSecret/action'})) OR
 *	(@Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'app-')
 *
 * Only attributes that the server has can be named; a condition with others is refused when it is
 * written.  One that is absent from a request makes its comparison false, whatever the operator.
 * Names of vaults and their objects compare in any case, also with the case-sensitive operators:
 * "Prod" and "prod" are one secret.
 */
#ifndef ACCESS_CONDITION_H
#define ACCESS_CONDITION_H

#include "access/decide.h"

#define CONDITION_MAX 8192 /* bytes */
#define CONDITION_DEPTH_MAX 32

/* condition_check(text, err): ERR_INVALID_CONDITION says what can't be understood, and where. */
MUST_USE bool condition_check(view text, struct error *err);

enum verdict {
	VERDICT_FALSE,
	VERDICT_TRUE,
	VERDICT_OPEN, /* question->attributes_pending: it depends on what is not known yet */
};

/* condition_judge(text, question): Allocates nothing; what condition_check refuses is false. */
enum verdict condition_judge(view text, const struct access_question *question);

#endif
