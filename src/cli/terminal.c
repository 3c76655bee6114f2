#include "cli/terminal.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVERY ((int64_t)100 * 1000 * 1000)
#define ERASE "\r\033[K"

static bool
is_terminal(int fd)
{
	const char *kind = secure_getenv("TERM");

	return isatty(fd) != 0 && kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0;
}

bool
terminal_colours(int fd)
{
	const char *no = secure_getenv("NO_COLOR");

	return (no == NULL || *no == '\0') && is_terminal(fd);
}

static void
say(const struct progress *progress)
{
	const uint64_t large = (uint64_t)10 * 1024 * 1024,
		       most = progress->total > progress->done ? progress->total : progress->done;
	const uint64_t size = progress->unit != NULL ? 1 : most < large ? 1024 : 1024 * 1024;
	const char *unit = progress->unit != NULL ? progress->unit : most < large ? "KB" : "MB";
	char of[32] = "";

	/* What has grown since it was counted is of nobody knows how much. */
	if (progress->total >= progress->done && progress->total > 0)
		(void)snprintf(of, sizeof(of), " of %llu",
		    (unsigned long long)(progress->total / size));
	(void)fprintf(stderr, ERASE "%s: %llu%s %s", progress->doing,
	    (unsigned long long)(progress->done / size), of, unit);
}

static bool
told(void *ctx, const struct progress *progress)
{
	struct terminal_line *line = ctx;
	int64_t now = clock_mono();

	if (line->at == 0 || now - line->at >= EVERY) {
		line->at = now;
		say(progress);
	}
	return true;
}

struct watch
terminal_watch(struct terminal_line *line)
{
	return is_terminal(STDERR_FILENO) ? (struct watch){ .told = told, .ctx = line }
					  : (struct watch){ 0 };
}

void
terminal_line_done(struct terminal_line *line)
{
	if (line->at != 0)
		(void)fputs(ERASE, stderr);
	line->at = 0;
}
