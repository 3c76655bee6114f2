#include "cli/doctor.h"

#include "base/file.h"
#include "cli/doctor_checks.h"
#include "cli/terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_ 2048
#define INDENT 25 /* columns before the text: finding and thing */

/* In this order: what is told first is mostly why the next thing fails. */
static check_fn *const checks[] = {
	check_folder,
	check_files,
	check_disk,
	check_memory,
	check_open_files,
	check_clock,
	check_certificate,
	check_names,
	check_server,
	check_clients,
	check_java,
};

static const struct {
	const char *word, *colour;
} findings[] = {
	[FINE] = { "ok", "\033[32m" },
	[ADVICE] = { "advice", "\033[33m" },
	[WRONG] = { "WRONG", "\033[1;31m" },
};

void
doctor_say(struct doctor *doctor, enum finding finding, const char *what, const char *format, ...)
{
	char text[LINE_MAX_];
	view rest = { text, 0 };
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (len > 0)
		rest.len = (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
	(void)printf("%s%-6s%s  %-16s ", doctor->colours ? findings[finding].colour : "",
	    findings[finding].word, doctor->colours ? "\033[0m" : "", what);
	for (bool first = true; rest.len > 0; first = false) {
		view line = view_cut(&rest, '\n');

		(void)printf("%*s%.*s\n", first ? 0 : INDENT, "", VIEW_ARG(line));
	}
	doctor->looked++;
	if (finding == WRONG)
		doctor->wrong++;
	(void)fflush(stdout);
}

bool
doctor(const struct config *config, struct error *err)
{
	AUTO(text_done) char *data = realpath(config->data, NULL);
	AUTO(text_done) char *authority = NULL;
	AUTO(text_done) char *env = NULL;
	struct doctor doctor_ = {
		.config = config,
		.data = data != NULL ? data : config->data,
		.colours = terminal_colours(STDOUT_FILENO),
	};

	if (!file_path(doctor_.data, "ca.pem", &authority, err) ||
	    !config_path(config, "env", &env, err))
		return false;
	doctor_.authority = authority;
	doctor_.dev = access(env, F_OK) == 0;
	for (size_t i = 0; i < COUNT_OF(checks); i++)
		checks[i](&doctor_);
	if (doctor_.wrong > 0)
		return error_set(err, ERR_BAD_REQUEST, "%u of %u things looked at are wrong",
		    doctor_.wrong, doctor_.looked);
	return true;
}
