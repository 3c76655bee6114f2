/*
 * The commands that ask a running server: as whoever the environment names (AZURE_CLIENT_ID and
 * its fellows), else as the data folder's `env` has it.
 */
#ifndef COMMANDS_REMOTE_H
#define COMMANDS_REMOTE_H

#include "manual.h"

command_run run_clock_advance, run_access_explain, run_access_who, run_access_coverage;

#endif
