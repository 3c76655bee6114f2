/*
 * What a command shows to a person only: colours, and how far long work is.  Where nobody looks (a
 * file, a pipe, a terminal that is "dumb"), there is neither.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include "base/watch.h"

/* terminal_colours(fd): A terminal that has colours, and NO_COLOR (no-color.org) is not set. */
bool terminal_colours(int fd);

/*
 * A line on standard error, "restoring: 20 of 61 MB", written anew at most ten times a second, and
 * erased in the end.  Only one at a time.
 */
struct terminal_line {
	int64_t at; /* when it was written; 0: it is not there */
};

/* terminal_watch(line): For the work that it is about; ${line} comes zeroed, and stays in place. */
struct watch terminal_watch(struct terminal_line *line);
void terminal_line_done(struct terminal_line *line); /* for AUTO; before anything else is said */

#endif
