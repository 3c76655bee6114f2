#include "base/watch.h"

#include <stddef.h>

bool
watch_tell(const struct watch *watch, struct progress progress, struct error *err)
{
	return watch == NULL || watch->told == NULL || watch->told(watch->ctx, &progress) ||
	    error_set(err, ERR_UNAVAILABLE, "It was stopped.");
}
