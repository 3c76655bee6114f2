#include "manual.h"

#include <string.h>

#define WIDTH 80
#define COMMAND_COLUMN 36
#define SETTING_COLUMN 31
#define WRITTEN "2026-11-28" /* what the man pages say, the last time by hand */

/* Help */

static void
spaces(struct buf *out, size_t count)
{
	while (count-- > 0)
		buf_add_char(out, ' ');
}

/* ${left} from the margin on, ${text} from ${column} on, in lines of WIDTH. */
static void
two_columns(struct buf *out, view left, size_t column, view text)
{
	size_t at = 2 + left.len;

	buf_print(out, "  %.*s", VIEW_ARG(left));
	if (left.len > 0 && at + 1 > column) {
		buf_add_char(out, '\n');
		at = 0;
	}
	spaces(out, column - at);
	at = column;
	while (text.len > 0) {
		view word = view_cut(&text, ' ');

		if (at > column && at + 1 + word.len > WIDTH) {
			buf_add_char(out, '\n');
			spaces(out, column);
			at = column;
		} else if (at > column) {
			buf_add_char(out, ' ');
			at++;
		}
		buf_add(out, word);
		at += word.len;
	}
	buf_add_char(out, '\n');
}

/* "VAULT NAME --pem DIR": what stands before the first flag, and the flags. */
static view
arguments_of(const struct command *row, view *flags)
{
	view all = view_of(row->arguments);
	size_t at = 0;

	while (at < all.len && !view_starts(view_from(all, at), V("--")))
		at++;
	*flags = view_from(all, at);
	return view_trim((view){ all.ptr, at });
}

void
manual_overview(const struct commands *commands, struct buf *out)
{
	buf_add(out,
	    V("strongroom COMMAND [--SETTING VALUE]...\n\n"
	      "A key vault you run yourself, speaking Azure Key Vault's protocols.\n\n"));
	for (size_t i = 0; i < commands->count; i++) {
		const struct command *row = &commands->rows[i];
		AUTO(buf_free) struct buf left = { 0 };
		view flags, arguments = arguments_of(row, &flags);

		buf_print(&left, "%s%s%.*s", row->name, arguments.len > 0 ? " " : "",
		    VIEW_ARG(arguments));
		two_columns(out, buf_view(&left), COMMAND_COLUMN, view_of(row->summary));
	}
	buf_add(out,
	    V("\n`strongroom help COMMAND` says more about one, `strongroom help settings` lists\n"
	      "the settings.  To begin: `strongroom dev`; if something is amiss:\n"
	      "`strongroom doctor`.\n"));
}

void
manual_settings(struct buf *out)
{
	struct setting_text setting;

	buf_add(out,
	    V("As flags; or NAME = VALUE in the file that --config (or STRONGROOM_CONFIG) names;\n"
	      "or STRONGROOM_NAME in the environment.  Flags count first, then the environment.\n"
	      "\n"));
	for (size_t i = 0; config_setting(i, &setting); i++) {
		AUTO(buf_free) struct buf left = { 0 }, text = { 0 };

		buf_print(&left, "--%s", setting.name);
		buf_print(&text, "%s%s%s%s", setting.help, setting.fallback[0] != '\0' ? " [" : "",
		    setting.fallback, setting.fallback[0] != '\0' ? "]" : "");
		two_columns(out, buf_view(&left), SETTING_COLUMN, buf_view(&text));
	}
}

/* "--pem DIR --every DURATION": the next flag with its value's name; empty behind the last. */
static view
next_flag(view *flags)
{
	view name = view_cut(flags, ' '), value = view_cut(flags, ' ');

	return (view){ name.ptr, name.len == 0 ? 0 : (size_t)(value.ptr + value.len - name.ptr) };
}

void
manual_usage(const struct command *command, struct buf *out)
{
	view flags, arguments = arguments_of(command, &flags);

	buf_print(out, "strongroom %s%s%.*s", command->name, arguments.len > 0 ? " " : "",
	    VIEW_ARG(arguments));
	while (flags.len > 0) {
		view flag = next_flag(&flags);

		buf_print(out, " [%.*s]", VIEW_ARG(flag));
	}
	if (command->positional != ALONE)
		buf_add(out, V(" [--SETTING VALUE]..."));
}

void
manual_command(const struct command *command, struct buf *out)
{
	manual_usage(command, out);
	buf_add(out, V("\n\n"));
	two_columns(out, V(""), 2, view_of(command->summary));
	if (command->example != NULL)
		buf_print(out, "\nFor example:\n\n    strongroom %s %s\n", command->name,
		    command->example);
	if (command->positional != ALONE)
		buf_add(out, V("\n`strongroom help settings` lists the settings.\n"));
}

/* Man pages */

/* As man(7) needs it; what is between backquotes is bold. */
static void
roff(struct buf *out, view text)
{
	bool bold = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '`') {
			bold = !bold;
			buf_add(out, bold ? V("\\fB") : V("\\fR"));
		} else if (c == '-' || c == '\\') {
			buf_add(out, c == '-' ? V("\\-") : V("\\e"));
		} else if ((c == '.' || c == '\'') && i == 0) {
			buf_add(out, V("\\&"));
			buf_add_char(out, c);
		} else {
			buf_add_char(out, c);
		}
	}
}

static void
bold_line(struct buf *out, const char *text)
{
	buf_add(out, V(".TP\n\\fB"));
	roff(out, view_of(text));
	buf_add(out, V("\\fR"));
}

static void
commands_page(const struct commands *commands, struct buf *out)
{
	buf_add(out,
	    V(".TH STRONGROOM 1 " WRITTEN " \"Strongroom " STRONGROOM_VERSION "\"\n"
	      ".SH NAME\nstrongroom \\- a key vault that speaks Azure Key Vault's protocols\n"
	      ".SH SYNOPSIS\n.B strongroom\n\\fICOMMAND\\fR [\\fB\\-\\-\\fISETTING VALUE\\fR]...\n"
	      ".SH DESCRIPTION\nSecrets, keys and certificates, encrypted at rest, authorised and "
	      "audited, for\nclients of Azure Key Vault.  \\fBstrongroom dev\\fR needs no "
	      "settings;\n\\fBstrongroom init\\fR and \\fBstrongroom serve\\fR are for earnest;\n"
	      "\\fBstrongroom doctor\\fR says what an installation lacks.\n.SH COMMANDS\n"));
	for (size_t i = 0; i < commands->count; i++) {
		const struct command *row = &commands->rows[i];
		view flags, arguments = arguments_of(row, &flags);

		bold_line(out, row->name);
		buf_print(out, " \\fI%.*s\\fR", VIEW_ARG(arguments));
		while (flags.len > 0) {
			view value = next_flag(&flags), flag = view_cut(&value, ' ');

			buf_add(out, V(" [\\fB"));
			roff(out, flag);
			buf_print(out, "\\fR \\fI%.*s\\fR]", VIEW_ARG(value));
		}
		buf_add_char(out, '\n');
		roff(out, view_of(row->summary));
		if (row->example != NULL) {
			buf_add(out, V(":\n.br\n\\fBstrongroom "));
			roff(out, view_of(row->name));
			buf_add_char(out, ' ');
			roff(out, view_of(row->example));
			buf_add(out, V("\\fR"));
		}
		buf_add_char(out, '\n');
	}
	buf_add(out,
	    V(".SH SETTINGS\nCommands take the settings of\n.BR strongroom.conf (5)\nas flags, "
	      "but for those above that name flags of their own, and\n\\fBhelp\\fR, "
	      "\\fBmanual\\fR and \\fBcompletion\\fR.\n"
	      ".SH EXIT STATUS\n0, or 1 when the command failed, with the reason on standard "
	      "error.\n"
	      ".SH FILES\n.TP\n.I /etc/strongroom/strongroom.conf\nsettings of the packaged "
	      "service\n.TP\n.I /var/lib/strongroom\nits data folder\n"
	      ".SH SEE ALSO\n.BR strongroom.conf (5)\n"));
}

static void
setting_entry(struct buf *out, const struct setting_text *setting)
{
	bold_line(out, setting->name);
	buf_add_char(out, '\n');
	roff(out, view_of(setting->help));
	buf_add(out, V(".\n"));
	if (setting->max > 0)
		buf_print(out, "From %u to %u.\n", setting->min, setting->max);
	if (setting->list)
		buf_add(out, V("A list, with commas between, or several times.\n"));
	if (setting->fallback[0] == '\0')
		return;
	buf_add(out, V("Default: \\fB"));
	roff(out, view_of(setting->fallback));
	buf_add(out, V("\\fR.\n"));
}

static void
settings_page(struct buf *out)
{
	struct setting_text setting;

	buf_add(out,
	    V(".TH STRONGROOM.CONF 5 " WRITTEN " \"Strongroom " STRONGROOM_VERSION "\"\n"
	      ".SH NAME\nstrongroom.conf \\- settings of strongroom\n"
	      ".SH DESCRIPTION\nA line is \\fINAME\\fR = \\fIVALUE\\fR; a comment begins with "
	      "\\fB;\\fR at the start of a line.\nThe file is the one that \\fB\\-\\-config\\fR "
	      "or \\fBSTRONGROOM_CONFIG\\fR names.\nThe same settings are read from the "
	      "environment (\\fBSTRONGROOM_PUBLIC_PORT\\fR) and\nfrom flags "
	      "(\\fB\\-\\-public\\-port\\fR): flags count first, then the environment, then the "
	      "file.\n.SH SETTINGS\n"));
	for (size_t i = 0; config_setting(i, &setting); i++)
		setting_entry(out, &setting);
	buf_add(out, V(".SH SEE ALSO\n.BR strongroom (1)\n"));
}

bool
manual_page(const struct commands *commands, view name, struct buf *out, struct error *err)
{
	if (view_eq(name, V("strongroom.1")))
		commands_page(commands, out);
	else if (view_eq(name, V("strongroom.conf.5")))
		settings_page(out);
	else
		return error_set(err, ERR_BAD_REQUEST,
		    "which page? strongroom.1 or strongroom.conf.5");
	return buf_ok(out) || error_memory(err);
}

/* Completion */

static view
first_word(const struct command *row)
{
	view name = view_of(row->name);

	return view_cut(&name, ' ');
}

/* The first of its rows: "agent" stands for "agent init", "agent run" .... */
static bool
is_first(const struct commands *commands, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (view_eq(first_word(&commands->rows[i]), first_word(&commands->rows[index])))
			return false;
	}
	return true;
}

static void
add_word(struct buf *out, view word)
{
	buf_print(out, " %.*s", VIEW_ARG(word));
}

static void
first_words(const struct commands *commands, struct buf *out)
{
	for (size_t i = 0; i < commands->count; i++) {
		if (is_first(commands, i))
			add_word(out, first_word(&commands->rows[i]));
	}
}

/* The second words behind a first one: nothing when it is a whole name. */
static void
second_words(const struct commands *commands, view first, struct buf *out)
{
	for (size_t i = 0; i < commands->count; i++) {
		view rest = view_of(commands->rows[i].name), word = view_cut(&rest, ' ');

		if (view_eq(word, first) && rest.len > 0)
			add_word(out, rest);
	}
}

static void
flag_words(const struct command *row, struct buf *out)
{
	view flags;

	(void)arguments_of(row, &flags);
	if (row->positional != ALONE) {
		buf_add(out, V("$settings"));
		return;
	}
	while (flags.len > 0) {
		view value = next_flag(&flags), flag = view_cut(&value, ' ');

		add_word(out, flag);
	}
	/* `help` explains the other commands. */
	if (view_eq(view_of(row->name), V("help")))
		buf_add(out, V("$names"));
}

/* What both shells understand: which words may stand where, as a function that fills $fitting. */
static void
words_function(const struct commands *commands, struct buf *out)
{
	struct setting_text setting;

	buf_add(out, V("_strongroom_words()\n{\n\tlocal names=\""));
	first_words(commands, out);
	buf_add(out, V("\" settings=\"--config"));
	for (size_t i = 0; config_setting(i, &setting); i++)
		buf_print(out, " --%s", setting.name);
	buf_add(out, V("\"\n\tfitting=$names\n\t[[ $1 == 1 ]] && return\n\tcase \"$1 $2\" in\n"));
	for (size_t i = 0; i < commands->count; i++) {
		view first = first_word(&commands->rows[i]);
		AUTO(buf_free) struct buf seconds = { 0 };

		second_words(commands, first, &seconds);
		if (seconds.len > 0 && is_first(commands, i))
			buf_print(out, "\t\"2 %.*s\") fitting=\"%.*s\"; return ;;\n",
			    VIEW_ARG(first), VIEW_ARG(buf_view(&seconds)));
	}
	buf_add(out, V("\tesac\n\tcase \"$2 $3\" in\n"));
	for (size_t i = 0; i < commands->count; i++) {
		const struct command *row = &commands->rows[i];

		buf_print(out, "\t\"%s%s) fitting=\"", row->name,
		    first_word(row).len == strlen(row->name) ? " \"*" : "\"");
		flag_words(row, out);
		buf_add(out, V("\" ;;\n"));
	}
	buf_add(out, V("\t*) fitting= ;;\n\tesac\n}\n"));
}

static void
bash_completion(const struct commands *commands, struct buf *out)
{
	buf_add(out, V("# bash completion for strongroom\n"));
	words_function(commands, out);
	buf_add(out,
	    V("_strongroom()\n{\n\tlocal fitting=\n"
	      "\t_strongroom_words \"$COMP_CWORD\" \"${COMP_WORDS[1]-}\" "
	      "\"${COMP_WORDS[2]-}\"\n"
	      "\tCOMPREPLY=($(compgen -W \"$fitting\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
	      "complete -o default -F _strongroom strongroom\n"));
}

static void
zsh_completion(const struct commands *commands, struct buf *out)
{
	buf_add(out, V("#compdef strongroom\n"));
	words_function(commands, out);
	buf_add(out,
	    V("local fitting=\n"
	      "_strongroom_words $((CURRENT - 1)) \"${words[2]-}\" \"${words[3]-}\"\n"
	      "compadd -- ${=fitting} || _files\n"));
}

/* What fish shows beside a word. */
static void
fish_describe(struct buf *out, view text)
{
	buf_add(out, V(" -d '"));
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\'' || text.ptr[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, text.ptr[i]);
	}
	buf_add(out, V("'\n"));
}

static void
fish_command(const struct commands *commands, size_t index, struct buf *out)
{
	const struct command *row = &commands->rows[index];
	view flags, first = first_word(row), second = view_from(view_of(row->name), first.len);
	const bool alone = second.len == 0;

	if (is_first(commands, index))
		buf_print(out, "complete -c strongroom -f -n '__strongroom_behind \"\"' -a %.*s",
		    VIEW_ARG(first));
	if (is_first(commands, index))
		fish_describe(out, alone ? view_of(row->summary) : V("..."));
	if (!alone) {
		buf_print(out, "complete -c strongroom -f -n '__strongroom_behind %.*s' -a%.*s",
		    VIEW_ARG(first), VIEW_ARG(second));
		fish_describe(out, view_of(row->summary));
	}
	(void)arguments_of(row, &flags);
	while (row->positional == ALONE && flags.len > 0) {
		view value = next_flag(&flags), flag = view_cut(&value, ' ');

		buf_print(out, "complete -c strongroom -n '__strongroom_under \"%s\"' -l %.*s -r\n",
		    row->name, VIEW_ARG(view_from(flag, 2)));
	}
	if (row->positional != ALONE)
		buf_print(out, "set -a __strongroom_settled \"%s\"\n", row->name);
}

static void
fish_setting(const char *name, const char *help, struct buf *out)
{
	buf_print(out,
	    "complete -c strongroom -n '__strongroom_under $__strongroom_settled' -r -l %s", name);
	fish_describe(out, view_of(help));
}

static void
fish_completion(const struct commands *commands, struct buf *out)
{
	struct setting_text setting;

	buf_add(out,
	    V("# fish completion for strongroom\n"
	      "function __strongroom_behind\n\tset -l words (commandline -opc)\n"
	      "\tset -e words[1]\n\ttest \"$words\" = \"$argv\"\nend\n"
	      "function __strongroom_under\n\tset -l words (commandline -opc)\n"
	      "\tset -e words[1]\n\tcontains -- \"$words[1]\" $argv; or "
	      "contains -- \"$words[1] $words[2]\" $argv\nend\n"
	      "set -g __strongroom_settled\n"));
	for (size_t i = 0; i < commands->count; i++)
		fish_command(commands, i, out);
	buf_add(out, V("complete -c strongroom -f -n '__strongroom_behind help' -a '"));
	first_words(commands, out);
	buf_add(out, V("'\n"));
	fish_setting("config", "a file of settings", out);
	for (size_t i = 0; config_setting(i, &setting); i++)
		fish_setting(setting.name, setting.help, out);
}

static const struct {
	const char *shell;
	void (*tell)(const struct commands *commands, struct buf *out);
} completions[] = {
	{ "bash", bash_completion },
	{ "zsh", zsh_completion },
	{ "fish", fish_completion },
};

bool
manual_completion(const struct commands *commands, view shell, struct buf *out, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(completions); i++) {
		if (!view_eq(view_of(completions[i].shell), shell))
			continue;
		completions[i].tell(commands, out);
		return buf_ok(out) || error_memory(err);
	}
	return error_set(err, ERR_BAD_REQUEST, "for which shell? bash, zsh or fish");
}
