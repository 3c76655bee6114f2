#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum log_level threshold = LOG_INFO;
static const char *const names[] = { "debug", "info", "warn", "error" };

void
log_set_level(enum log_level level)
{
	threshold = level;
}

bool
log_level_parse(const char *name, enum log_level *out)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void
log_line(enum log_level level, const char *event, const char *format, ...)
{
	AUTO(buf_free) struct buf line = { 0 };
	struct json quoted = json_to(&line);
	char iso[CLOCK_ISO_LEN + 1], message[1024];
	va_list args;

	if (level < threshold)
		return;
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	clock_iso(clock_wall_nanos(), iso);
	buf_print(&line, "time=%s level=%s event=%s message=", iso, names[level], event);
	json_text(&quoted, NULL, view_of(message));
	buf_add_char(&line, '\n');
	/* One write, so that lines of several threads don't mix; nobody to tell when it fails. */
	if (buf_ok(&line) && write(STDERR_FILENO, line.ptr, line.len) < 0)
		return;
}
