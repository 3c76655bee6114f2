/*
 * Settings: one table, from which the settings file, the environment, the flags, the help and the
 * documentation are read.  Later sources win: default, file, environment, flag.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "base/buf.h"
#include "base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define CONFIG_LIST_MAX 64
#define CONFIG_TEXT_MAX 512
#define CONFIG_UNSET UINT_MAX /* of a number without a default that nobody has set */

struct config_list {
	char *items[CONFIG_LIST_MAX + 1]; /* NULL at the end */
	size_t count;
};

struct config {
	bool dev; /* set by the command, not a setting */
	char *data, *domain, *location;
	unsigned port, public_port;
	struct config_list listen;
	unsigned loops, pool;
	char *certificate, *certificate_key;
	unsigned connections, connections_per_address;
	struct config_list proxy_from; /* address_block_parse takes every item */
	unsigned idle_seconds, head_seconds, body_seconds, write_seconds;
	char *federation_ca;
	struct config_list attestation_authorities; /* https URLs */
	unsigned drain_seconds;
	char *audit_sync, *log_level;
	char *hsm_module, *hsm_token, *hsm_pin_file;
	unsigned hsm_sessions;
	unsigned audit_segment_mb, audit_checkpoint_lines;
	char *smtp_url, *smtp_user, *smtp_password_file, *smtp_from, *smtp_ca;
	char *acme_ca, *acme_http_listen, *acme_dns_hook;
	char *backup_folder, *backup_recipient;
	unsigned backup_hours, backup_keep;
	unsigned throttle; /* percent; see config_throttle */
	struct config_list throttle_vault;
	struct config_list vaults, purge_protection, retention, trusted_services;
};

/*
 * config_load(argc, argv, config, err):
 * Defaults, then the file named by --config (or STRONGROOM_CONFIG), the environment, the flags in
 * ${argv}.  ERR_BAD_REQUEST names the setting that is unknown or out of range.  The caller frees
 * ${config} with config_free, also after a failure.
 */
MUST_USE bool config_load(int argc, char **argv, struct config *config, struct error *err);
void config_free(struct config *config);

/* config_markdown(out): The settings as a table for docs/. */
void config_markdown(struct buf *out);

/* A setting, for help and manuals. */
struct setting_text {
	const char *name, *fallback, *help; /* ${fallback}: the default, may be empty */
	bool list;                          /* may be given several times */
	unsigned min, max;                  /* of a number; else ${max} is 0 */
};

/* config_setting(index, out): False behind the last one. */
bool config_setting(size_t index, struct setting_text *out);

/* A setting whose items are NAME=NUMBER. */
struct named_numbers {
	const char *setting, *what; /* what it is called, what the number is called */
	unsigned min, max;
};

/*
 * config_named(list, numbers, name, out, err):
 * The number that ${list} has for ${name}, in any case; the last one counts, and *out stays as it
 * is when there is none.  ERR_BAD_REQUEST when any item is not such a number.
 */
MUST_USE bool config_named(const struct config_list *list, const struct named_numbers *numbers,
    view name, unsigned *out, struct error *err);

/*
 * config_throttle(config, vault):
 * How many percent of the documents' service limits a vault of that name has: none of them (0) on a
 * development server that was not told otherwise.
 */
unsigned config_throttle(const struct config *config, view vault);

/* config_given(text): A setting's text; NULL when it is empty, which is: not given. */
const char *config_given(const char *text);

/*
 * config_port(config): What stands behind a host of ours in a URL: ":8443", or "" for https's own
 * port.
 */
struct port_text {
	char text[sizeof(":4294967295")];
};
struct port_text config_port(const struct config *config);

/* config_path(config, name, out, err): DATA/name; the caller frees ${out}. */
MUST_USE bool config_path(const struct config *config, const char *name, char **out,
    struct error *err);

#endif
