/*
 * `strongroom agent init`, `run` and `env`: ${argv} is what stands behind the command's name.
 */
#ifndef CLI_AGENT_COMMAND_H
#define CLI_AGENT_COMMAND_H

#include "base/error.h"

/*
 * --folder DIR: Make the host's key there unless it has one, and print how to register the host.
 */
MUST_USE bool agent_init(int argc, char **argv, struct error *err);

/* --settings FILE: Serve until SIGTERM. */
MUST_USE bool agent_run(int argc, char **argv, struct error *err);

/* --settings FILE: Print what the caller's workloads need in their environment. */
MUST_USE bool agent_env(int argc, char **argv, struct error *err);

#endif
