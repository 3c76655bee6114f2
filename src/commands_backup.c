#include "commands_backup.h"

#include "backup/backup.h"
#include "backup_job.h"
#include "base/file.h"
#include "base/plain.h"
#include "cli/terminal.h"
#include "datafolder.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define KEY_MAX ((size_t)64 * 1024)

static void
print_report(const char *what, const struct backup_report *report)
{
	char made[32];
	struct tm parts;
	time_t seconds = (time_t)report->made;

	if (gmtime_r(&seconds, &parts) == NULL ||
	    strftime(made, sizeof(made), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		made[0] = '\0';
	(void)printf("%s: backup %s of %s, made %s by strongroom %s\n"
		     "  %llu documents, %llu lines of the audit log; %llu bytes\n"
		     "  sha256 %s\n",
	    what, report->id, report->domain, made, report->version,
	    (unsigned long long)report->documents, (unsigned long long)report->audit_lines,
	    (unsigned long long)report->bytes, report->digest);
	if (report->token_keys > 0)
		(void)printf("  keys in an HSM: %llu; they are not in the backup, and need the "
			     "token they are in\n",
		    (unsigned long long)report->token_keys);
}

bool
run_backup_create(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf recipient = { 0 };
	AUTO(datafolder_close) struct datafolder looked = { 0 };
	AUTO(terminal_line_done) struct terminal_line line = { 0 };
	struct backup_report report;
	struct backup_source source = { .data = config->data,
		.version = V(STRONGROOM_VERSION),
		.domain = view_of(config->domain),
		.watch = terminal_watch(&line) };

	(void)argc;
	if (!backup_recipient_read(config, &recipient, err) ||
	    !datafolder_look(config, &looked, err))
		return false;
	source.store = looked.store;
	source.keyring = looked.keyring;
	source.recipient = buf_view(&recipient);
	if (!backup_create(&source, argv[0], &report, err))
		return false;
	terminal_line_done(&line);
	print_report("Made and verified", &report);
	return true;
}

static bool
read_key(const char *path, struct buf *out, struct error *err)
{
	struct error why;

	if (file_read(path, KEY_MAX, out, &why))
		return true;
	return error_set(err, ERR_BAD_REQUEST, "the key %s can't be read: %s", path, why.message);
}

bool
run_backup_verify(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf key = { 0 };
	AUTO(terminal_line_done) struct terminal_line line = { 0 };
	const struct watch watching = terminal_watch(&line);
	const char *scratch = secure_getenv("TMPDIR");
	struct backup_report report;

	(void)config;
	(void)argc;
	plain_protect_or_warn();
	if (!read_key(argv[1], &key, err) ||
	    !backup_verify(argv[0], buf_view(&key), scratch == NULL ? "/tmp" : scratch, &watching,
		&report, err))
		return false;
	terminal_line_done(&line);
	print_report("Whole", &report);
	return true;
}

bool
run_backup_restore(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf key = { 0 };
	AUTO(terminal_line_done) struct terminal_line line = { 0 };
	const struct watch watching = terminal_watch(&line);
	struct backup_report report;

	(void)argc;
	plain_protect_or_warn();
	if (!read_key(argv[1], &key, err) ||
	    !backup_restore(argv[0], buf_view(&key), config->data, &watching, &report, err))
		return false;
	terminal_line_done(&line);
	print_report("Restored", &report);
	(void)printf("It is in %s. Serve it by the name it had (--domain %s), and nowhere else at "
		     "the same time.\n",
	    config->data, report.domain);
	return true;
}

bool
run_backup_status(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	AUTO(datafolder_close) struct datafolder looked = { 0 };

	(void)argc;
	(void)argv;
	if (config->backup_folder[0] == '\0')
		return error_set(err, ERR_NOT_FOUND,
		    "the server makes no backups of itself: backup-folder is not set (see docs/backup.md)");
	if (!datafolder_look(config, &looked, err) ||
	    !backup_job_status(config, &looked, &text, err))
		return false;
	(void)printf("%.*s\n", VIEW_ARG(buf_view(&text)));
	return true;
}
