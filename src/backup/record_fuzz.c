#include "backup/record.h"

#include "base/fuzzing.h"

#include <string.h>

/* What parses is written again as it was. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(buf_free) struct buf again = { 0 };
	struct record record;
	struct error err;

	if (!record_parse((view){ (const char *)data, len }, &record, &err))
		return 0;
	record_add(&again, &record);
	if (!buf_ok(&again) || again.len != len + 4 || memcmp(again.ptr + 4, data, len) != 0)
		abort();
	return 0;
}
