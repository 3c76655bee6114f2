/*
 * strongroom: the commands, one row each.
 */
#include "audit/audit.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/agent_command.h"
#include "cli/doctor.h"
#include "cli/fetch.h"
#include "cli/terminal.h"
#include "commands_backup.h"
#include "commands_remote.h"
#include "config.h"
#include "crypto/memory.h"
#include "datafolder.h"
#include "environment_file.h"
#include "http/client.h"
#include "manual.h"
#include "ops_list.h"
#include "postman.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
print(const struct buf *text, struct error *err)
{
	if (!buf_ok(text))
		return error_memory(err);
	(void)printf("%.*s", VIEW_ARG(buf_view(text)));
	return true;
}

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
run_tenant_create(struct config *config, int argc, char **argv, struct error *err)
{
	(void)argc;
	return server_tenant(config, view_of(argv[0]), err);
}

static bool
run_env(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };

	(void)argc;
	(void)argv;
	return environment_read(config, &text, err) && print(&text, err);
}

static bool
run_rekey(struct config *config, int argc, char **argv, struct error *err)
{
	struct terminal_line line = { 0 };
	const struct watch watching = terminal_watch(&line);
	struct datafolder folder;
	bool fine;

	(void)argc;
	(void)argv;
	fine = datafolder_open(config, false, &folder, err) &&
	    keyring_rekey(folder.keyring, &watching, err);
	datafolder_close(&folder);
	terminal_line_done(&line);
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
	AUTO(terminal_line_done) struct terminal_line line = { 0 };
	const struct watch watching = terminal_watch(&line);
	struct audit_head head;
	view public_key;

	arena_init(&arena, (size_t)1024 * 1024);
	return config_path(config, "audit", &directory, err) &&
	    audit_stored_head(folder->store, folder->keyring, &arena, &public_key, &head, err) &&
	    audit_verify(directory, public_key, &head, &watching, report, err);
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

static bool
run_mail_try(struct config *config, int argc, char **argv, struct error *err)
{
	(void)argc;
	if (!postman_try(config, view_of(argv[0]), err))
		return false;
	(void)printf("The mail server has taken a message to %s.\n", argv[0]);
	return true;
}

static bool
run_doctor(struct config *config, int argc, char **argv, struct error *err)
{
	(void)argc;
	(void)argv;
	return doctor(config, err);
}

static bool
run_settings(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };

	(void)config;
	(void)argc;
	(void)argv;
	config_markdown(&text);
	return print(&text, err);
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

static bool
run_agent_init(struct config *config, int argc, char **argv, struct error *err)
{
	(void)config;
	return agent_init(argc, argv, err);
}

static bool
run_agent_run(struct config *config, int argc, char **argv, struct error *err)
{
	(void)config;
	return agent_run(argc, argv, err);
}

static bool
run_agent_env(struct config *config, int argc, char **argv, struct error *err)
{
	(void)config;
	return agent_env(argc, argv, err);
}

static bool
run_fetch_cert(struct config *config, int argc, char **argv, struct error *err)
{
	(void)config;
	if (!client_wipe_memory())
		return error_memory(err);
	return fetch_cert(argc, argv, err);
}

static bool no_such_command(const char *word, struct error *err);
static bool run_help(struct config *config, int argc, char **argv, struct error *err);
static bool run_manual(struct config *config, int argc, char **argv, struct error *err);
static bool run_completion(struct config *config, int argc, char **argv, struct error *err);

/* clang-format off */
static const struct command commands[] = {
	{ "dev", "", "serve for development: makes what is missing, on loopback, with a clock that moves",
	  "--vault app --vault payments", run_dev, 0 },
	{ "serve", "", "serve a data folder that `init` has set up",
	  "--config /etc/strongroom/strongroom.conf", run_serve, 0 },
	{ "init", "", "set up a data folder for `serve`; prints the administrator's credentials once",
	  "--data /var/lib/strongroom --domain vaults.example.org --vault prod", run_init, 0 },
	{ "env", "", "print what `dev` exports for clients",
	  NULL, run_env, 0 },
	{ "doctor", "", "look at what an installation needs, and say what to do where something lacks",
	  "--config /etc/strongroom/strongroom.conf", run_doctor, 0 },
	{ "clock advance", "DURATION", "move a development server's clock: 90d, 12h, 30m, 45s",
	  "90d --data .strongroom", run_clock_advance, 1 },
	{ "access explain", "WHERE WHO ACTION", "whether WHO may do ACTION, and by which role; WHERE: a vault's name or a resource's id",
	  "prod ada@example.org Microsoft.KeyVault/vaults/secrets/getSecret/action", run_access_explain, 3 },
	{ "access who", "WHERE", "everybody with a role that counts there, direct or inherited",
	  "prod", run_access_who, 1 },
	{ "access coverage", "VAULT", "compare access policies with roles: who would lose what by the switch to roles",
	  "prod", run_access_coverage, 1 },
	{ "audit verify", "", "check the whole audit log of a stopped server",
	  "--config /etc/strongroom/strongroom.conf", run_audit_verify, 0 },
	{ "tenant create", "NAME", "add a tenant to a stopped server; prints its administrator's credentials once",
	  "Payments --config /etc/strongroom/strongroom.conf", run_tenant_create, 1 },
	{ "backup create", "FILE", "back up a data folder, served or not, sealed to backup-recipient, and verify it",
	  "/mnt/monday.backup --data /var/lib/strongroom --backup-recipient recipient.pem", run_backup_create, 1 },
	{ "backup verify", "FILE KEY", "restore a backup into a scratch folder, compare, and remove it; KEY: the recipient's, PEM",
	  "/mnt/monday.backup recipient.key", run_backup_verify, 2 },
	{ "backup restore", "FILE KEY", "make the data folder, which must be empty, from a backup",
	  "/mnt/monday.backup recipient.key --data /var/lib/strongroom", run_backup_restore, 2 },
	{ "backup status", "", "the newest of the server's own backups; fails when it is too old, or the last try failed",
	  "--config /etc/strongroom/strongroom.conf", run_backup_status, 0 },
	{ "mail try", "ADDRESS", "send a message there, to see whether the smtp- settings work",
	  "ada@example.org --config /etc/strongroom/strongroom.conf", run_mail_try, 1 },
	{ "rekey", "", "rotate the root key of a stopped server",
	  "--config /etc/strongroom/strongroom.conf", run_rekey, 0 },
	{ "agent init", "--folder DIR", "make this host's key, and say how to register the host",
	  NULL, run_agent_init, ALONE },
	{ "agent run", "--settings FILE", "give this host's workloads tokens",
	  "--settings /etc/strongroom-agent/agent.conf", run_agent_run, ALONE },
	{ "agent env", "--settings FILE", "print what a workload needs to find the agent",
	  NULL, run_agent_env, ALONE },
	{ "fetch-cert", "VAULT NAME --pem DIR --reload COMMAND --every DURATION", "write a certificate and its key as files, and again when they change",
	  "https://prod.vault.example.org web --pem /etc/ssl/web --reload 'systemctl reload nginx' --every 1h", run_fetch_cert, ALONE },
	{ "settings", "", "print the settings as a table",
	  NULL, run_settings, 0 },
	{ "operations", "", "print every operation and what it takes, as JSON",
	  NULL, run_operations, 0 },
	{ "version", "", "print the version",
	  NULL, run_version, 0 },
	{ "manual", "PAGE", "print a man page: `strongroom.1` or `strongroom.conf.5`",
	  "strongroom.1 | man -l -", run_manual, ALONE },
	{ "completion", "SHELL", "print what `bash`, `zsh` or `fish` reads to complete commands and settings",
	  "bash >~/.local/share/bash-completion/completions/strongroom", run_completion, ALONE },
	{ "help", "[COMMAND]", "print this, or more about a command, or the `settings`",
	  "backup create", run_help, ALONE },
};
/* clang-format on */

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

static const struct command *
find_command(int argc, char **argv, int *words)
{
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		*words = words_of(&commands[i], argc, argv);
		if (*words > 0)
			return &commands[i];
	}
	return NULL;
}

static const struct commands table = { commands, COUNT_OF(commands) };

static bool
run_help(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	const struct command *command;
	int words = 0;

	(void)config;
	command = find_command(argc, argv, &words);
	if (argc == 0)
		manual_overview(&table, &text);
	else if (argc == 1 && strcmp(argv[0], "settings") == 0)
		manual_settings(&text);
	else if (command != NULL)
		manual_command(command, &text);
	else
		return no_such_command(argv[0], err);
	return print(&text, err);
}

static bool
run_manual(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };

	(void)config;
	return manual_page(&table, view_of(argc == 1 ? argv[0] : NULL), &text, err) &&
	    print(&text, err);
}

static bool
run_completion(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };

	(void)config;
	return manual_completion(&table, view_of(argc == 1 ? argv[0] : NULL), &text, err) &&
	    print(&text, err);
}

static bool
wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

/* "NAME is missing", with what to type. */
static bool
missing(const struct command *command, int given, struct error *err)
{
	AUTO(buf_free) struct buf usage = { 0 };
	view rest = view_of(command->arguments), name = view_cut(&rest, ' ');

	while (given-- > 0)
		name = view_cut(&rest, ' ');
	manual_usage(command, &usage);
	return error_set(err, ERR_BAD_REQUEST, "%.*s is missing\n  %.*s\n  as in: strongroom %s %s",
	    VIEW_ARG(name), VIEW_ARG(buf_view(&usage)), command->name, command->example);
}

static bool
run_command(const struct command *command, int argc, char **argv, struct error *err)
{
	const int positional = command->positional;
	struct config config;
	bool fine;

	if (positional == ALONE)
		return command->run(NULL, argc, argv, err);
	for (int i = 0; i < positional; i++) {
		if (i == argc || view_starts(view_of(argv[i]), V("--")))
			return missing(command, i, err);
	}
	fine = config_load(argc - positional, argv + positional, &config, err) &&
	    apply_log_level(&config, err) && command->run(&config, argc, argv, err);
	config_free(&config);
	return fine;
}

/* "backup" alone: which of its commands?  And "--port 1": settings stand behind the command. */
static bool
no_such_command(const char *word, struct error *err)
{
	AUTO(buf_free) struct buf names = { 0 };

	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		view rest = view_of(commands[i].name);

		if (view_eq(view_cut(&rest, ' '), view_of(word)) && rest.len > 0)
			buf_print(&names, "%s%.*s", names.len > 0 ? ", " : "", VIEW_ARG(rest));
	}
	if (names.len > 0)
		return error_set(err, ERR_BAD_REQUEST, "%s what? %.*s (see `strongroom help`)",
		    word, VIEW_ARG(buf_view(&names)));
	if (word[0] == '-')
		return error_set(err, ERR_BAD_REQUEST,
		    "the command comes first, as in `strongroom dev %s ...` (see `strongroom help`)",
		    word);
	return error_set(err, ERR_BAD_REQUEST, "no such command: %s (see `strongroom help`)", word);
}

int
main(int argc, char **argv)
{
	const struct command *command;
	struct error err;
	int words = 0;
	bool fine;

	if (!crypto_wipe_memory())
		log_line(LOG_WARN, "memory.unwiped", "OpenSSL's memory is not wiped");
	argc--;
	argv++;
	command = find_command(argc, argv, &words);
	if (command == NULL && argc > 0 && !wants_help(1, argv)) {
		(void)no_such_command(argv[0], &err);
		(void)fprintf(stderr, "strongroom: %s\n", err.message);
		return EXIT_FAILURE;
	}
	if (command == NULL || wants_help(argc - words, argv + words))
		fine = run_help(NULL, words, argv, &err);
	else
		fine = run_command(command, argc - words, argv + words, &err);
	if (fine)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "strongroom %s: %s\n", command == NULL ? "help" : command->name,
	    err.message);
	return EXIT_FAILURE;
}
