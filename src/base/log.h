/*
 * The operator's log: one logfmt line an event on standard error.  Never a value, a token, a key or
 * a password: callers log names and reasons only.  (The audit log is another thing: audit/.)
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/attr.h"

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level);
bool log_level_parse(const char *name, enum log_level *out);

/* log_line(level, event, format, ...): `time=... level=info event=EVENT message="..."` */
PRINTF(3, 4) void log_line(enum log_level level, const char *event, const char *format, ...);

#endif
