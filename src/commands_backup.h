/*
 * The commands for backups of the whole server (backup/backup.h).
 */
#ifndef COMMANDS_BACKUP_H
#define COMMANDS_BACKUP_H

#include "manual.h"

command_run run_backup_create, run_backup_verify, run_backup_restore, run_backup_status;

#endif
