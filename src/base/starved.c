#include "base/starved.h"

static _Thread_local bool starved;

void
starved_note(void)
{
	starved = true;
}

void
starved_begin(void)
{
	starved = false;
}

bool
starved_judge(bool fine, struct error *err)
{
	if (!starved || (!fine && err->code == ERR_STORE_CONFLICT))
		return fine;
	return error_memory(err);
}
