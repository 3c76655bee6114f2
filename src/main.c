/*
 * strongroom: the commands, one row each.
 */
#include "audit/audit.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/remote.h"
#include "config.h"
#include "crypto/memory.h"
#include "datafolder.h"
#include "environment_file.h"
#include "ops_list.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
	const char *name;
	const char *arguments, *summary;
	bool (*run)(struct config *config, int argc, char **argv, struct error *err);
	int positional; /* arguments before the settings */
};

static bool
apply_log_level(const struct config *config, struct error *err)
{
	enum log_level level;

	if (!log_level_parse(config->log_level, &level))
		return error_set(err, ERR_BAD_REQUEST, "log-level: debug, info, warn or error");
	log_set_level(level);
	return true;
}

static bool
run_dev(struct config *config, int argc, char **argv, struct error *err)
{
	(void)argc;
	(void)argv;
	config->dev = true;
	return server_run(config, err);
}

static bool
run_serve(struct config *config, int argc, char **argv, struct error *err)
{
	(void)argc;
	(void)argv;
	return server_run(config, err);
}

static bool
run_init(struct config *config, int argc, char **argv, struct error *err)
{
	(void)argc;
	(void)argv;
	return server_init(config, err);
}

static bool
run_env(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	AUTO(text_done) char *path = NULL;

	(void)argc;
	(void)argv;
	if (!config_path(config, "env", &path, err) ||
	    !file_read(path, (size_t)64 * 1024, &text, err))
		return false;
	(void)printf("%.*s", VIEW_ARG(buf_view(&text)));
	return true;
}

static bool
run_rekey(struct config *config, int argc, char **argv, struct error *err)
{
	struct datafolder folder;
	bool fine;

	(void)argc;
	(void)argv;
	fine = datafolder_open(config, false, &folder, err) && keyring_rekey(folder.keyring, err);
	datafolder_close(&folder);
	if (fine)
		(void)printf("The root key has been rotated.\n");
	return fine;
}

static bool
verify(const struct config *config, const struct datafolder *folder, struct audit_report *report,
    struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(text_done) char *directory = NULL;
	struct audit_head head;
	view public_key;

	arena_init(&arena, (size_t)1024 * 1024);
	return config_path(config, "audit", &directory, err) &&
	    audit_stored_head(folder->store, folder->keyring, &arena, &public_key, &head, err) &&
	    audit_verify(directory, public_key, &head, report, err);
}

static bool
run_audit_verify(struct config *config, int argc, char **argv, struct error *err)
{
	struct audit_report report = { 0 };
	struct datafolder folder;
	bool fine;

	(void)argc;
	(void)argv;
	fine =
	    datafolder_open(config, false, &folder, err) && verify(config, &folder, &report, err);
	datafolder_close(&folder);
	if (fine)
		(void)
		    printf("The audit log is whole: %llu lines, %llu checkpoints, %llu segments.\n",
			(unsigned long long)report.lines, (unsigned long long)report.checkpoints,
			(unsigned long long)report.segments);
	return fine;
}

/* One exported value, NUL-terminated. */
static bool
exported(const struct config *config, const char *name, struct buf *out, struct error *err)
{
	if (!environment_value(config, name, out, err))
		return false;
	buf_add_char(out, '\0');
	return buf_ok(out) || error_memory(err);
}

static bool
run_clock_advance(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free)
	struct buf login = { 0 }, management = { 0 }, id = { 0 }, secret = { 0 }, ca = { 0 },
		   reply = { 0 };
	int64_t seconds;

	if (argc < 1 || !duration_parse(view_of(argv[0]), &seconds))
		return error_set(err, ERR_BAD_REQUEST, "how far? For example 90d, 12h, 30m, 45s");
	if (!exported(config, "AZURE_AUTHORITY_HOST", &login, err) ||
	    !exported(config, "STRONGROOM_MANAGEMENT", &management, err) ||
	    !exported(config, "AZURE_CLIENT_ID", &id, err) ||
	    !exported(config, "AZURE_CLIENT_SECRET", &secret, err) ||
	    !exported(config, "STRONGROOM_CA", &ca, err))
		return false;
	if (!remote_advance_clock(&(struct remote){ login.ptr, management.ptr, id.ptr, secret.ptr,
				      ca.ptr },
		seconds, &reply, err))
		return false;
	(void)printf("%.*s\n", VIEW_ARG(buf_view(&reply)));
	return true;
}

static bool
run_settings(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };

	(void)config;
	(void)argc;
	(void)argv;
	config_markdown(&text);
	if (!buf_ok(&text))
		return error_memory(err);
	(void)printf("%.*s", VIEW_ARG(buf_view(&text)));
	return true;
}

static bool
run_operations(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };

	(void)config;
	(void)argc;
	(void)argv;
	ops_list(&text);
	if (!buf_ok(&text))
		return error_memory(err);
	(void)printf("%.*s\n", VIEW_ARG(buf_view(&text)));
	return true;
}

static bool
run_version(struct config *config, int argc, char **argv, struct error *err)
{
	(void)config;
	(void)argc;
	(void)argv;
	(void)err;
	(void)printf("strongroom %s\n", STRONGROOM_VERSION);
	return true;
}

static bool run_help(struct config *config, int argc, char **argv, struct error *err);

/* clang-format off */
static const struct command commands[] = {
	{ "dev", "", "serve for development: makes what is missing, on loopback, with a clock that moves", run_dev, 0 },
	{ "serve", "", "serve a data folder that `init` has set up", run_serve, 0 },
	{ "init", "", "set up a data folder for `serve`; prints the administrator's credentials once", run_init, 0 },
	{ "env", "", "print what `dev` exports for clients", run_env, 0 },
	{ "clock advance", "DURATION", "move a development server's clock: 90d, 12h, 30m, 45s", run_clock_advance, 1 },
	{ "audit verify", "", "check the whole audit log of a stopped server", run_audit_verify, 0 },
	{ "rekey", "", "rotate the root key of a stopped server", run_rekey, 0 },
	{ "settings", "", "print the settings as a table", run_settings, 0 },
	{ "operations", "", "print every operation and what it takes, as JSON", run_operations, 0 },
	{ "version", "", "print the version", run_version, 0 },
	{ "help", "", "print this", run_help, 0 },
};
/* clang-format on */

static bool
run_help(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };

	(void)config;
	(void)argc;
	(void)argv;
	buf_add(&text,
	    V("strongroom COMMAND [--SETTING VALUE]...\n\n"
	      "A key vault you run yourself, speaking Azure Key Vault's protocols.\n\nCommands:\n"));
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		buf_print(&text, "  %-15s %-9s %s\n", commands[i].name, commands[i].arguments,
		    commands[i].summary);
	buf_add(&text,
	    V("\nSettings (flag, or NAME = VALUE in the file that --config names, or\n"
	      "STRONGROOM_NAME in the environment):\n"));
	config_help(&text);
	if (!buf_ok(&text))
		return error_memory(err);
	(void)printf("%.*s", VIEW_ARG(buf_view(&text)));
	return true;
}

/* The words of a command's name at the front of the arguments: how many, 0 if it is another. */
static int
words_of(const struct command *command, int argc, char **argv)
{
	view name = view_of(command->name);
	int words = 0;

	while (name.len > 0) {
		view word = view_cut(&name, ' ');

		if (words == argc || !view_eq(word, view_of(argv[words])))
			return 0;
		words++;
	}
	return words;
}

static bool
run_command(const struct command *command, int argc, char **argv, struct error *err)
{
	int positional = argc < command->positional ? argc : command->positional;
	struct config config;
	bool fine;

	fine = config_load(argc - positional, argv + positional, &config, err) &&
	    apply_log_level(&config, err) && command->run(&config, argc, argv, err);
	config_free(&config);
	return fine;
}

int
main(int argc, char **argv)
{
	char word[] = "help", *help[] = { word };
	struct error err;

	if (!crypto_wipe_memory())
		log_line(LOG_WARN, "memory.unwiped", "OpenSSL's memory is not wiped");
	argc--;
	argv++;
	if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
		argc = 1;
		argv = help;
	}
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		int words = words_of(&commands[i], argc, argv);

		if (words == 0)
			continue;
		if (run_command(&commands[i], argc - words, argv + words, &err))
			return EXIT_SUCCESS;
		(void)fprintf(stderr, "strongroom %s: %s\n", commands[i].name, err.message);
		return EXIT_FAILURE;
	}
	(void)fprintf(stderr, "strongroom: no such command: %s (see `strongroom help`)\n", argv[0]);
	return EXIT_FAILURE;
}
