#include "config.h"

#include "acme/http01.h"
#include "base/address.h"
#include "base/file.h"
#include "base/uuid.h"
#include "base/view.h"
#include "identity/jwks.h"
#include "mail/address.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTPS_PORT 443
#define FILE_LEN_MAX ((size_t)1 << 20)
#define DOMAIN_LEN_MAX 200 /* a vault's name and more stand before it */
#define NAME_LEN_MAX 40    /* no setting's is longer */
#define LINE_LEN_MAX 197   /* with its end and a NUL, inih's buffer is 200 */

enum kind { KIND_TEXT, KIND_NUMBER, KIND_LIST };

struct setting {
	const char *name; /* --name, name = … in the file, STRONGROOM_NAME in the environment */
	enum kind kind;
	size_t offset;
	const char *fallback; /* the default; of a number, empty: CONFIG_UNSET */
	unsigned min, max;    /* KIND_NUMBER */
	const char *help;
};

#define TEXT(member) KIND_TEXT, offsetof(struct config, member)
#define NUMBER(member) KIND_NUMBER, offsetof(struct config, member)
#define LIST(member) KIND_LIST, offsetof(struct config, member)

/* clang-format off */
static const struct setting settings[] = {
	{ "data", TEXT(data), ".strongroom", 0, 0, "folder that holds everything the server keeps" },
	{ "domain", TEXT(domain), "localhost", 0, 0, "the domain all host names are under: NAME.vault.DOMAIN, login.DOMAIN ..." },
	{ "port", NUMBER(port), "8443", 1, 65535, "port to listen on" },
	{ "public-port", NUMBER(public_port), "0", 0, 65535, "port in the names clients use, where something forwards to `port`; 0: the same" },
	{ "listen", LIST(listen), "127.0.0.1,::1", 0, 0, "addresses to listen on" },
	{ "location", TEXT(location), "local", 0, 0, "region that vaults made by `dev` and `init` are in" },
	{ "loops", NUMBER(loops), "0", 0, 64, "event loops; 0: one for each core" },
	{ "pool", NUMBER(pool), "8", 1, 256, "threads for work that blocks or burns" },
	{ "certificate", TEXT(certificate), "", 0, 0, "PEM file with the listener's certificate chain; empty: the server's own authority makes one" },
	{ "certificate-key", TEXT(certificate_key), "", 0, 0, "PEM file with its private key" },
	{ "federation-ca", TEXT(federation_ca), "", 0, 0, "PEM file with authorities to trust, beside the system's, where outside issuers' keys are fetched" },
	{ "attestation-authority", LIST(attestation_authorities), "", 0, 0, "URLs of attestation authorities that may be named in keys' release policies; their keys are fetched, as outside issuers' are" },
	{ "connections", NUMBER(connections), "10000", 1, 1000000, "most connections at a time" },
	{ "connections-per-address", NUMBER(connections_per_address), "1024", 0, 1000000, "most connections of one address (IPv6: of one /64); 0: as many as there are" },
	{ "proxy-from", LIST(proxy_from), "", 0, 0, "address blocks of forwarders that begin each connection with a PROXY protocol header (version 2); nobody else may" },
	{ "idle-seconds", NUMBER(idle_seconds), "120", 1, 86400, "how long a connection may stay without a request" },
	{ "head-seconds", NUMBER(head_seconds), "15", 1, 3600, "how long a client may take for TLS and a request's head" },
	{ "body-seconds", NUMBER(body_seconds), "30", 1, 3600, "how long it may take for the body" },
	{ "write-seconds", NUMBER(write_seconds), "30", 1, 3600, "how long a reply may make no progress" },
	{ "drain-seconds", NUMBER(drain_seconds), "15", 1, 3600, "how long requests in progress have when the server stops" },
	{ "hsm-module", TEXT(hsm_module), "", 0, 0, "PKCS#11 library of the HSM that holds the keys of premium vaults; empty: there is none" },
	{ "hsm-token", TEXT(hsm_token), "", 0, 0, "label of the token in it" },
	{ "hsm-pin-file", TEXT(hsm_pin_file), "", 0, 0, "file with the token's user PIN, for nobody else to read" },
	{ "hsm-sessions", NUMBER(hsm_sessions), "8", 1, 1024, "most sessions with the token at a time" },
	{ "acme-ca", TEXT(acme_ca), "", 0, 0, "PEM file with authorities to trust, beside the system's, where ACME servers are asked" },
	{ "acme-http-listen", TEXT(acme_http_listen), "", 0, 0, "ADDRESS:PORT of a listener for plain HTTP that shows ACME's proofs and nothing else; empty: there is none" },
	{ "acme-dns-hook", TEXT(acme_dns_hook), "", 0, 0, "program that puts ACME's proofs into the DNS, called with `add` or `remove`, NAME and VALUE; empty: there is none" },
	{ "smtp-url", TEXT(smtp_url), "", 0, 0, "smtp://HOST[:PORT] (STARTTLS) or smtps://HOST[:PORT] of a server that takes e-mail to certificates' contacts; empty: none is sent" },
	{ "smtp-user", TEXT(smtp_user), "", 0, 0, "who signs in there; empty: nobody" },
	{ "smtp-password-file", TEXT(smtp_password_file), "", 0, 0, "file with the password, for nobody else to read" },
	{ "smtp-from", TEXT(smtp_from), "", 0, 0, "address that the e-mail comes from" },
	{ "smtp-ca", TEXT(smtp_ca), "", 0, 0, "PEM file with the authorities to trust there, in the system's stead" },
	{ "backup-folder", TEXT(backup_folder), "", 0, 0, "folder that the server puts verified backups of itself into; empty: it makes none" },
	{ "backup-recipient", TEXT(backup_recipient), "", 0, 0, "PEM file with the certificate (RSA or EC) that backups are sealed to" },
	{ "backup-every-hours", NUMBER(backup_hours), "24", 1, 8760, "hours from one of them to the next" },
	{ "backup-keep", NUMBER(backup_keep), "7", 1, 10000, "how many of them are kept" },
	{ "throttle", NUMBER(throttle), "", 0, 100000, "percent of the original's service limits that a vault has in 10 seconds; 0: no limits; `serve`: 100, `dev`: 0, unless set" },
	{ "throttle-vault", LIST(throttle_vault), "", 0, 0, "NAME=PERCENT, the same for one vault (0 to 100000)" },
	{ "audit-sync", TEXT(audit_sync), "interval", 0, 0, "`interval`: the audit log is synced within a second; `always`: before every answer; what records a change is durable with it in either case" },
	{ "audit-segment-mb", NUMBER(audit_segment_mb), "64", 1, 4096, "size of an audit log segment; so much disk is reserved ahead" },
	{ "audit-checkpoint-lines", NUMBER(audit_checkpoint_lines), "1000", 1, 1000000, "at least one signed checkpoint every so many lines" },
	{ "log-level", TEXT(log_level), "info", 0, 0, "debug, info, warn or error" },
	{ "vault", LIST(vaults), "", 0, 0, "`dev`, `init`: vaults to make; may be given several times" },
	{ "purge-protection", LIST(purge_protection), "", 0, 0, "`dev`, `init`: names of vaults to be made with purge protection" },
	{ "trusted-services", LIST(trusted_services), "", 0, 0, "application ids that pass the network rules of vaults whose bypass is AzureServices" },
	{ "retention", LIST(retention), "", 0, 0, "`dev`, `init`: NAME=DAYS, the soft-delete retention of a vault to be made (7 to 90)" },
};
/* clang-format on */

static void *
member(struct config *config, const struct setting *setting)
{
	return (char *)config + setting->offset;
}

static void
list_clear(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	*list = (struct config_list){ 0 };
}

static bool
list_add(struct config_list *list, view items, const char *name, struct error *err)
{
	while (items.len > 0) {
		view item = view_trim(view_cut(&items, ','));

		if (item.len == 0)
			continue;
		if (list->count == CONFIG_LIST_MAX)
			return error_set(err, ERR_BAD_REQUEST, "%s: more than %d entries", name,
			    CONFIG_LIST_MAX);
		list->items[list->count] = strndup(item.ptr, item.len);
		if (list->items[list->count] == NULL)
			return error_memory(err);
		list->count++;
	}
	return true;
}

static bool
set_number(const struct setting *setting, unsigned *out, view text, struct error *err)
{
	uint64_t value;

	if (!view_u64(text, &value) || value < setting->min || value > setting->max)
		return error_set(err, ERR_BAD_REQUEST, "%s: must be a number from %u to %u",
		    setting->name, setting->min, setting->max);
	*out = (unsigned)value;
	return true;
}

static bool
set_text(const struct setting *setting, char **out, view text, struct error *err)
{
	char *copy;

	if (text.len > CONFIG_TEXT_MAX)
		return error_set(err, ERR_BAD_REQUEST, "%s: too long", setting->name);
	copy = strndup(text.ptr, text.len);
	if (copy == NULL)
		return error_memory(err);
	free(*out);
	*out = copy;
	return true;
}

/* ${replace}: a source's first mention of a list starts it anew. */
static bool
set(struct config *config, const struct setting *setting, view text, bool replace,
    struct error *err)
{
	void *at = member(config, setting);

	if (setting->kind == KIND_NUMBER)
		return set_number(setting, at, text, err);
	if (setting->kind == KIND_TEXT)
		return set_text(setting, at, text, err);
	if (replace)
		list_clear(at);
	return list_add(at, text, setting->name, err);
}

static const struct setting *
find(view name)
{
	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		if (view_eq(name, view_of(settings[i].name)))
			return &settings[i];
	}
	return NULL;
}

/* How many letters must be put in, left out or changed; what is long is unlike everything. */
static unsigned
distance(view a, view b)
{
	unsigned row[NAME_LEN_MAX + 1];

	if (a.len > NAME_LEN_MAX || b.len > NAME_LEN_MAX)
		return NAME_LEN_MAX;
	for (unsigned j = 0; j <= b.len; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned corner = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			unsigned best = corner + (a.ptr[i - 1] != b.ptr[j - 1]);

			corner = row[j];
			best = best < row[j] + 1 ? best : row[j] + 1;
			row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
		}
	}
	return row[b.len];
}

static bool
no_such_setting(view name, struct error *err)
{
	const char *nearest = NULL;
	unsigned least = 3; /* more is no slip of the fingers */

	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		unsigned far = distance(name, view_of(settings[i].name));

		if (far < least && far < name.len) {
			least = far;
			nearest = settings[i].name;
		}
	}
	return error_set(err, ERR_BAD_REQUEST,
	    "no such setting: %.*s (%s%s%s`strongroom help settings` lists them)", VIEW_ARG(name),
	    nearest == NULL ? "" : "is it ", nearest == NULL ? "" : nearest,
	    nearest == NULL ? "" : "? ");
}

static bool
load_defaults(struct config *config, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		if (settings[i].kind == KIND_NUMBER && settings[i].fallback[0] == '\0')
			*(unsigned *)member(config, &settings[i]) = CONFIG_UNSET;
		else if (!set(config, &settings[i], view_of(settings[i].fallback), true, err))
			return false;
	}
	return true;
}

struct file_reading {
	struct config *config;
	bool seen[COUNT_OF(settings)];
	struct error *err;
	bool failed;
};

/* inih's convention: 0 is failure. */
static int
file_entry(void *ctx, const char *section, const char *name, const char *value)
{
	struct file_reading *reading = ctx;
	const struct setting *setting = section[0] == '\0' ? find(view_of(name)) : NULL;
	size_t index;

	/* inih goes on behind a mistake; the first one is the one to tell about. */
	if (reading->failed)
		return 0;
	if (setting == NULL) {
		reading->failed = true;
		(void)no_such_setting(view_of(name), reading->err);
		return 0;
	}
	index = (size_t)(setting - settings);
	if (!set(reading->config, setting, view_of(value), !reading->seen[index], reading->err))
		reading->failed = true;
	reading->seen[index] = true;
	return !reading->failed;
}

/* inih takes what is longer for two lines, and what stands behind a NUL for nothing. */
static bool
check_lines(view text, const char *path, struct error *err)
{
	size_t at;

	if (view_find(text, '\0', &at))
		return error_set(err, ERR_BAD_REQUEST, "the settings file %s is not text", path);
	for (int line = 1; text.len > 0; line++) {
		if (view_cut(&text, '\n').len > LINE_LEN_MAX)
			return error_set(err, ERR_BAD_REQUEST, "%s:%d: longer than %d characters",
			    path, line, LINE_LEN_MAX);
	}
	return true;
}

static bool
load_file(struct config *config, const char *path, struct error *err)
{
	struct file_reading reading = { .config = config, .err = err };
	AUTO(buf_free) struct buf text = { 0 };
	struct error problem;
	int line;

	if (!file_read(path, FILE_LEN_MAX, &text, &problem))
		return error_set(err, ERR_BAD_REQUEST, "the settings file %s can't be read: %s",
		    path, problem.message);
	if (!check_lines(buf_view(&text), path, err))
		return false;
	buf_add_char(&text, '\0');
	if (!buf_ok(&text))
		return error_memory(err);
	line = ini_parse_string(text.ptr, file_entry, &reading);
	if (reading.failed) {
		problem = *err;
		return error_set(err, problem.code, "%s: %s", path, problem.message);
	}
	if (line < 0)
		return error_memory(err);
	if (line > 0)
		return error_set(err, ERR_BAD_REQUEST, "%s:%d: not NAME = VALUE", path, line);
	return true;
}

static bool
load_environment(struct config *config, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		char name[64] = "STRONGROOM_";
		size_t len = sizeof("STRONGROOM_") - 1;
		const char *value;

		for (const char *c = settings[i].name; *c != '\0' && len < sizeof(name) - 1; c++)
			name[len++] = *c == '-' ? '_' : ascii_upper(*c);
		value = secure_getenv(name);
		if (value != NULL && !set(config, &settings[i], view_of(value), true, err))
			return false;
	}
	return true;
}

/* One flag: "--name value" or "--name=value"; moves *at behind it. */
static bool
take_flag(int argc, char **argv, int *at, view *name, view *value, struct error *err)
{
	view flag = view_of(argv[*at]);

	if (!view_starts(flag, V("--")))
		return error_set(err, ERR_BAD_REQUEST,
		    "unexpected argument: %s (settings are --NAME VALUE)", argv[*at]);
	flag = view_from(flag, 2);
	*value = flag;
	*name = view_cut(value, '=');
	(*at)++;
	if (name->len < flag.len)
		return true;
	if (*at == argc)
		return error_set(err, ERR_BAD_REQUEST,
		    "--%.*s: needs a value (`strongroom help settings` says which)",
		    VIEW_ARG(*name));
	*value = view_of(argv[(*at)++]);
	return true;
}

static bool
load_flags(int argc, char **argv, struct config *config, struct error *err)
{
	bool seen[COUNT_OF(settings)] = { 0 };

	for (int i = 0; i < argc;) {
		const struct setting *setting;
		view name, value;
		size_t index;

		if (!take_flag(argc, argv, &i, &name, &value, err))
			return false;
		if (view_eq(name, V("config")))
			continue;
		setting = find(name);
		if (setting == NULL)
			return no_such_setting(name, err);
		index = (size_t)(setting - settings);
		if (!set(config, setting, value, !seen[index], err))
			return false;
		seen[index] = true;
	}
	return true;
}

static bool
config_file(int argc, char **argv, view *out, struct error *err)
{
	*out = view_of(secure_getenv("STRONGROOM_CONFIG"));
	for (int i = 0; i < argc;) {
		view name, value;

		if (!take_flag(argc, argv, &i, &name, &value, err))
			return false;
		if (view_eq(name, V("config")))
			*out = value;
	}
	return true;
}

static bool
check_blocks(const struct config_list *list, const char *name, struct error *err)
{
	struct address_block block;

	for (size_t i = 0; i < list->count; i++) {
		if (!address_block_parse(view_of(list->items[i]), &block))
			return error_set(err, ERR_BAD_REQUEST,
			    "%s: %s is not an address or a block of addresses (10.0.0.0/8)", name,
			    list->items[i]);
	}
	return true;
}

static bool
check_urls(const struct config_list *list, const char *name, struct error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!issuer_url_good(view_of(list->items[i])))
			return error_set(err, ERR_BAD_REQUEST, "%s: %s is not an https URL", name,
			    list->items[i]);
	}
	return true;
}

static bool
check_ids(const struct config_list *list, const char *name, struct error *err)
{
	struct uuid id;

	for (size_t i = 0; i < list->count; i++) {
		if (!uuid_parse(view_of(list->items[i]), &id))
			return error_set(err, ERR_BAD_REQUEST, "%s: %s is not an application's id",
			    name, list->items[i]);
	}
	return true;
}

bool
config_named(const struct config_list *list, const struct named_numbers *numbers, view name,
    unsigned *out, struct error *err)
{
	unsigned found = *out;

	for (size_t i = 0; i < list->count; i++) {
		view number = view_of(list->items[i]);
		view of = view_cut(&number, '=');
		uint64_t value;

		if (of.len == 0 || !view_u64(number, &value) || value < numbers->min ||
		    value > numbers->max)
			return error_set(err, ERR_BAD_REQUEST, "%s: NAME=%s, %u to %u",
			    numbers->setting, numbers->what, numbers->min, numbers->max);
		if (view_ieq(of, name))
			found = (unsigned)value;
	}
	*out = found;
	return true;
}

static const struct named_numbers throttle_numbers = { "throttle-vault", "PERCENT", 0, 100000 };

unsigned
config_throttle(const struct config *config, view vault)
{
	unsigned percent = config->throttle;
	struct error err;

	if (percent == CONFIG_UNSET)
		percent = config->dev ? 0 : 100;
	/* The items have been checked. */
	return config_named(&config->throttle_vault, &throttle_numbers, vault, &percent, &err)
	    ? percent
	    : 100;
}

static bool
check_mail(const struct config *config, struct error *err)
{
	view url = view_of(config->smtp_url);

	if (url.len == 0)
		return true;
	if (!view_starts(url, V("smtp://")) && !view_starts(url, V("smtps://")))
		return error_set(err, ERR_BAD_REQUEST,
		    "smtp-url: smtp://HOST[:PORT] or smtps://HOST[:PORT]");
	if (!mail_address_valid(view_of(config->smtp_from)))
		return error_set(err, ERR_BAD_REQUEST, "smtp-from: an address, with smtp-url");
	if ((config->smtp_user[0] == '\0') != (config->smtp_password_file[0] == '\0'))
		return error_set(err, ERR_BAD_REQUEST,
		    "smtp-user and smtp-password-file go together");
	return true;
}

static bool
check_acme(const struct config *config, struct error *err)
{
	if (config->acme_http_listen[0] != '\0' && !http01_address_valid(config->acme_http_listen))
		return error_set(err, ERR_BAD_REQUEST, "acme-http-listen: ADDRESS:PORT");
	if (config->acme_dns_hook[0] != '\0' && config->acme_dns_hook[0] != '/')
		return error_set(err, ERR_BAD_REQUEST, "acme-dns-hook: a path from the root");
	return true;
}

static bool
check_whole(const struct config *config, struct error *err)
{
	unsigned unused = 0;

	if (strcmp(config->audit_sync, "interval") != 0 &&
	    strcmp(config->audit_sync, "always") != 0)
		return error_set(err, ERR_BAD_REQUEST, "audit-sync: `interval` or `always`");
	if ((config->certificate[0] == '\0') != (config->certificate_key[0] == '\0'))
		return error_set(err, ERR_BAD_REQUEST,
		    "certificate and certificate-key go together");
	if (!config_named(&config->throttle_vault, &throttle_numbers, V(""), &unused, err))
		return false;
	if ((config->hsm_module[0] == '\0') != (config->hsm_token[0] == '\0') ||
	    (config->hsm_module[0] == '\0') != (config->hsm_pin_file[0] == '\0'))
		return error_set(err, ERR_BAD_REQUEST,
		    "hsm-module, hsm-token and hsm-pin-file go together");
	if (!check_mail(config, err) || !check_acme(config, err))
		return false;
	if (config->listen.count == 0)
		return error_set(err, ERR_BAD_REQUEST, "listen: no address");
	if (config->data[0] == '\0')
		return error_set(err, ERR_BAD_REQUEST, "data can't be empty");
	if (!host_name_valid(view_of(config->domain)) || strlen(config->domain) > DOMAIN_LEN_MAX)
		return error_set(err, ERR_BAD_REQUEST,
		    "domain: `%s` is no name of DNS, as vaults.example.org", config->domain);
	return check_blocks(&config->proxy_from, "proxy-from", err) &&
	    check_urls(&config->attestation_authorities, "attestation-authority", err) &&
	    check_ids(&config->trusted_services, "trusted-services", err);
}

bool
config_load(int argc, char **argv, struct config *config, struct error *err)
{
	view file;

	*config = (struct config){ 0 };
	/* The view of the file's name ends where an argument or a variable does: at a NUL. */
	if (!load_defaults(config, err) || !config_file(argc, argv, &file, err) ||
	    (file.len > 0 && !load_file(config, file.ptr, err)) || !load_environment(config, err) ||
	    !load_flags(argc, argv, config, err) || !check_whole(config, err))
		return false;
	if (config->public_port == 0)
		config->public_port = config->port;
	return true;
}

void
config_free(struct config *config)
{
	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		void *at = member(config, &settings[i]);

		if (settings[i].kind == KIND_TEXT)
			free(*(char **)at);
		else if (settings[i].kind == KIND_LIST)
			list_clear(at);
	}
	*config = (struct config){ 0 };
}

bool
config_setting(size_t index, struct setting_text *out)
{
	const struct setting *setting;

	if (index >= COUNT_OF(settings))
		return false;
	setting = &settings[index];
	*out = (struct setting_text){
		.name = setting->name,
		.fallback = setting->fallback,
		.help = setting->help,
		.list = setting->kind == KIND_LIST,
		.min = setting->min,
		.max = setting->max,
	};
	return true;
}

void
config_markdown(struct buf *out)
{
	buf_add(out, V("| setting | default | meaning |\n|---|---|---|\n"));
	for (size_t i = 0; i < COUNT_OF(settings); i++)
		buf_print(out, "| `%s` | %s%s%s | %s |\n", settings[i].name,
		    settings[i].fallback[0] != '\0' ? "`" : "", settings[i].fallback,
		    settings[i].fallback[0] != '\0' ? "`" : "", settings[i].help);
}

const char *
config_given(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

struct port_text
config_port(const struct config *config)
{
	struct port_text port = { "" };

	if (config->public_port != HTTPS_PORT)
		(void)snprintf(port.text, sizeof(port.text), ":%u", config->public_port);
	return port;
}

bool
config_path(const struct config *config, const char *name, char **out, struct error *err)
{
	return file_path(config->data, name, out, err);
}
