#include "base/freed.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* The linker's names. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void __real_free(void *memory);
void __wrap_free(void *memory);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* Volatile: the compiler knows a free that looks at neither. */
static const char *volatile wanted; /* NULL: don't look */
static volatile bool found;

void
__wrap_free(void *memory)
{
	if (memory != NULL && wanted != NULL &&
	    memmem(memory, malloc_usable_size(memory), wanted, strlen(wanted)) != NULL)
		found = true;
	__real_free(memory);
}

void
freed_watch(const char *text)
{
	found = false;
	wanted = text;
}

bool
freed_seen(void)
{
	wanted = NULL;
	return found;
}
