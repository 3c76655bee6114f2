/*
 * The commands, told: help, man pages and completion, all from the table of commands and the table
 * of settings.
 */
#ifndef MANUAL_H
#define MANUAL_H

#include "config.h"

typedef bool command_run(struct config *config, int argc, char **argv, struct error *err);

struct command {
	const char *name;      /* one word or two */
	const char *arguments; /* what to put there, then its flags: "VAULT NAME --pem DIR" */
	const char *summary;   /* `of this shape` is code */
	const char *example;   /* what follows the name, to be typed so; NULL: it needs none */
	command_run *run;
	int positional; /* arguments before the settings; ALONE: there are no settings */
};

#define ALONE (-1)

struct commands {
	const struct command *rows;
	size_t count;
};

/* manual_overview(commands, out): What there is; manual_settings: every setting, for a terminal. */
void manual_overview(const struct commands *commands, struct buf *out);
void manual_settings(struct buf *out);
/* manual_command: All about one; manual_usage: what to type, on a line. */
void manual_usage(const struct command *command, struct buf *out);
void manual_command(const struct command *command, struct buf *out);

/* manual_page(commands, name, out, err): "strongroom.1" or "strongroom.conf.5", for man(7). */
MUST_USE bool manual_page(const struct commands *commands, view name, struct buf *out,
    struct error *err);

/* manual_completion(commands, shell, out, err): What "bash", "zsh" or "fish" reads. */
MUST_USE bool manual_completion(const struct commands *commands, view shell, struct buf *out,
    struct error *err);

#endif
