#include "api/version.h"

#include "base/attr.h"

/* Reference: API versions of the data plane.  A preview is served as its stable successor. */
static const struct api_version versions[] = {
	{ "2016-10-01", VERSION_2016_10_01 },
	{ "7.0", VERSION_7_0 },
	{ "7.1", VERSION_7_1 },
	{ "7.2-preview", VERSION_7_2 },
	{ "7.2", VERSION_7_2 },
	{ "7.3-preview", VERSION_7_3 },
	{ "7.3", VERSION_7_3 },
	{ "7.4-preview.1", VERSION_7_4 },
	{ "7.4", VERSION_7_4 },
	{ "7.5-preview.1", VERSION_7_5 },
	{ "7.5", VERSION_7_5 },
	{ "7.6-preview.1", VERSION_7_6 },
	{ "7.6-preview.2", VERSION_7_6 },
	{ "7.6", VERSION_7_6 },
	{ "2025-06-01-preview", VERSION_2025_07_01 },
	{ "2025-07-01", VERSION_2025_07_01 },
	{ "2026-01-01-preview", VERSION_2026_04_01 },
	{ "2026-03-01-preview", VERSION_2026_04_01 },
	/* Those that have no successor yet count as the newest. */
	{ "2026-05-01-preview", VERSION_2026_04_01 },
	{ "2026-07-01-preview", VERSION_2026_04_01 },
	{ "2026-04-01", VERSION_2026_04_01 },
};

const struct api_version *
api_version_find(view text)
{
	for (size_t i = 0; i < COUNT_OF(versions); i++) {
		if (view_ieq(text, view_of(versions[i].name)))
			return &versions[i];
	}
	return NULL;
}

const struct api_version *
api_version_newest(void)
{
	return &versions[COUNT_OF(versions) - 1];
}
