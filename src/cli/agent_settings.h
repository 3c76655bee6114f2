/*
 * The agent's settings: where the authority is, who this host is there, and which local users may
 * have which identity.  Nothing in the file is secret.
 *
 *	login = https://login.example.org
 *	tenant = 9d6a3a3c-...
 *	machine = 5f0b2d1e-...
 *
 *	[identity shop]
 *	client-id = 0e5d5a4b-...
 *	users = shop, 1001
 *	groups = deployers
 */
#ifndef CLI_AGENT_SETTINGS_H
#define CLI_AGENT_SETTINGS_H

#include "base/address.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#include <sys/types.h>

#define AGENT_IDENTITIES_MAX 64
#define AGENT_NAMES_MAX 64

/* A user or a group, by name or by number. */
struct agent_name {
	view text;
	bool number;
	unsigned id; /* of a ${number}; for groups, what the name stands for */
};

struct agent_names {
	struct agent_name items[AGENT_NAMES_MAX];
	size_t count;
};

struct agent_identity {
	view name;
	view client_id;   /* the machine's when the file gives none */
	view object_id;   /* may be empty */
	view resource_id; /* may be empty */
	struct agent_names users, groups;
};

struct agent_settings {
	struct arena arena; /* everything's; texts have a NUL behind them */
	view login;         /* "https://host[:port]" */
	view tenant, machine;
	view key;    /* the file with the private key */
	view ca;     /* PEM; empty: the system's */
	view listen; /* on loopback: "127.0.0.1:40380", "[::1]:40380" */
	view socket; /* a Unix socket's path */
	char address[ADDRESS_TEXT];
	unsigned port; /* of ${listen}; 0: any */
	struct agent_identity identities[AGENT_IDENTITIES_MAX];
	size_t identity_count; /* in the file's order, which is the order of precedence */
};

/*
 * agent_settings_read(text, out, err), agent_settings_load(path, out, err):
 * ERR_BAD_REQUEST says what is wrong.  The caller frees ${out}, also after a failure.
 */
MUST_USE bool agent_settings_read(view text, struct agent_settings *out, struct error *err);
MUST_USE bool agent_settings_load(const char *path, struct agent_settings *out, struct error *err);
void agent_settings_free(struct agent_settings *settings);

#endif
