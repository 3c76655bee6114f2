/*
 * The data plane's api-versions, in order of age, so that "from 7.3 on" is a comparison.
 */
#ifndef API_VERSION_H
#define API_VERSION_H

#include "base/view.h"

enum version_rank {
	VERSION_2016_10_01,
	VERSION_7_0,
	VERSION_7_1,
	VERSION_7_2,
	VERSION_7_3,
	VERSION_7_4,
	VERSION_7_5,
	VERSION_7_6,
	VERSION_2025_07_01,
	VERSION_2026_04_01,
};

struct api_version {
	const char *name;
	enum version_rank rank; /* a preview has its successor's */
};

/* api_version_find(text): In any case; NULL when unknown. */
const struct api_version *api_version_find(view text);
const struct api_version *api_version_newest(void); /* the newest stable one */

#endif
