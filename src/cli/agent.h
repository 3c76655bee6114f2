/*
 * The agent: a small process on a host that gives its workloads tokens of managed identities, so
 * that they need no secret.  It proves the host to the authority by its key, and a workload to
 * itself by the local user who asks (cli/peer.h).
 */
#ifndef CLI_AGENT_H
#define CLI_AGENT_H

#include "base/error.h"
#include "cli/agent_token.h"
#include "http/http.h"

struct agent;

/*
 * agent_open(host, out, err):
 * Listen as the settings say; ${host} is borrowed.  agent_server runs it: http_server_run.
 */
MUST_USE bool agent_open(const struct agent_host *host, struct agent **out, struct error *err);
struct http_server *agent_server(struct agent *agent);
void agent_close(struct agent *agent); /* NULL is fine */

#endif
