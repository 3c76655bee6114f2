/*
 * Conditions as strangers write them: what is refused never holds, what is accepted is judged the
 * same way twice, and is open only where it may be.
 */
#include "access/condition.h"

#include "base/fuzzing.h"

#include <stdlib.h>
#include <string.h>

/* A text may hold a number: one that does lets operators of numbers have something to look at. */
static const struct access_attribute attributes[] = {
	{ V_INIT("Request"), V_INIT("Microsoft.Authorization/roleAssignments:RoleDefinitionId"),
	    V_INIT("00482a5a-887f-4fb3-b363-3b7fe8e74483") },
	{ V_INIT("Request"), V_INIT("Microsoft.Authorization/roleAssignments:PrincipalType"),
	    V_INIT("-12.5") },
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct access_question question = {
		.action = V(ASSIGNMENT_WRITE),
		.scope = V("/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/"
			   "vaults/v/secrets/s"),
		.attributes = attributes,
		.attribute_count = COUNT_OF(attributes),
		.attributes_pending = true,
	};
	enum verdict first, second;
	struct error err = { 0 };
	char *copy = malloc(len + 1);
	view text = { copy, len };
	bool fine;

	check(copy != NULL);
	if (len > 0)
		memcpy(copy, data, len);
	fine = condition_check(text, &err);
	first = condition_judge(text, &question);
	question.attributes_pending = false;
	second = condition_judge(text, &question);
	check(fine || (err.code == ERR_INVALID_CONDITION && first == VERDICT_FALSE));
	check(second != VERDICT_OPEN);
	check(first == VERDICT_OPEN || first == second || memchr(copy, 'U', len) != NULL ||
	    memchr(copy, 'u', len) != NULL);
	free(copy);
	return 0;
}
