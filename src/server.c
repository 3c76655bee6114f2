#include "server.h"

#include "access/access.h"
#include "acme/http01.h"
#include "answer.h"
#include "backup_job.h"
#include "arm/arm.h"
#include "arm/group.h"
#include "arm/keyvault.h"
#include "arm/lock.h"
#include "arm/provider.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/notify.h"
#include "certs/ca_answers.h"
#include "certs/outside.h"
#include "certs/proof.h"
#include "clock_api.h"
#include "datafolder.h"
#include "environment.h"
#include "identity/attestation.h"
#include "identity/identity.h"
#include "jobs/due_job.h"
#include "jobs/scheduler.h"
#include "keyring/token.h"
#include "keyring/token_object.h"
#include "keyring/work.h"
#include "postman.h"
#include "server_certificate.h"
#include "signin/refresh.h"
#include "signin/signin.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#define HEAD_MAX ((size_t)16 * 1024)
#define BODY_MAX ((size_t)1024 * 1024)
#define FIELDS_MAX 100
#define ARENA_MAX ((size_t)8 * 1024 * 1024)
#define MEGABYTE ((size_t)1024 * 1024)

struct server {
	const struct config *config;
	struct datafolder folder;
	struct installation installation;
	struct token *token; /* NULL: no HSM */
	struct audit *audit;
	struct mirror *clock; /* development only */
	struct directory *directory;
	struct signin *signin;
	struct access *access;
	struct vaults *vaults;
	struct subscriptions *subscriptions;
	struct locks *locks;
	struct authority *authority;
	struct ca_answers *answers;
	struct services services;
	struct router *router;
	struct answerer *answerer;
	struct server_certificate certificate;
	struct http_server *http;
	struct scheduler *care, *scheduler, *slow, *away[LANES_THREADS];
	struct lanes lanes;        /* of the last */
	struct backup_job *backup; /* NULL: it makes none */
	struct outside outside;
	struct smtp smtp;
	char vault_suffix[CONFIG_TEXT_MAX + 16];
	struct proofs *proofs; /* NULL: none are shown here */
	struct http01 *http01;
	atomic_bool stopping;
	unsigned loops;
	struct address_block forwarders[CONFIG_LIST_MAX];
};

/* What the signal handlers reach. */
static struct http_server *_Atomic running;
static atomic_bool reload_wanted;

static bool
tick_audit(void *ctx, struct error *err)
{
	struct server *server = ctx;

	(void)err;
	audit_tick(server->audit);
	return true;
}

static bool
do_due(void *ctx, struct error *err)
{
	struct server *server = ctx;

	return due_job(&server->services, &server->stopping, err);
}

static bool
do_slow_due(void *ctx, struct error *err)
{
	struct server *server = ctx;

	return due_slow_job(&server->services, &server->stopping, err);
}

static bool
do_away_due(void *ctx, struct error *err)
{
	struct server *server = ctx;

	return due_away_job(&server->services, &server->lanes, &server->stopping, err);
}

static bool
finish_groups(void *ctx, struct error *err)
{
	struct server *server = ctx;

	return groups_finish(&server->services, err);
}

static bool
rotate_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct server *server = ctx;

	(void)journal;
	return directory_rotate_signing_keys(server->directory, tx, err);
}

static bool
rotate_signing_keys(void *ctx, struct error *err)
{
	struct server *server = ctx;

	return work_run(server->folder.store, server->folder.keyring, rotate_body, server, err);
}

static bool
sweep_refresh_tokens(void *ctx, struct error *err)
{
	struct server *server = ctx;

	return refresh_sweep(server->directory, clock_wall(), err);
}

static bool
refresh_certificate(void *ctx, struct error *err)
{
	struct server *server = ctx;

	return server_certificate_refresh(&server->certificate,
	    atomic_exchange(&reload_wanted, false), err);
}

/* Not before the first answer, because looking a name up takes a while. */
static bool
check_names(void *ctx, struct error *err)
{
	const struct server *server = ctx;

	(void)err;
	environment_check_names(server->config);
	return true;
}

/* What everything else waits for in the end: however much is due, it has its turn each second. */
static const struct job care_jobs[] = {
	{ "audit.tick", 1, tick_audit },
	{ "tls.certificate", 1, refresh_certificate },
};
static const struct job jobs[] = {
	{ "due", 1, do_due },
	{ "groups", 1, finish_groups },
	{ "identity.signing-keys", 3600, rotate_signing_keys },
	{ "identity.refresh-tokens", 3600, sweep_refresh_tokens },
	{ "names", 86400, check_names },
};

static bool
destroy_token_objects(void *ctx, struct error *err)
{
	struct server *server = ctx;

	return token_objects_destroy(server->folder.keyring, &server->stopping, err);
}

/* Makes keys: whoever asks for something goes first. */
#define SLOW_BEHIND 10
static const struct job slow_jobs[] = {
	{ "hsm.objects", 1, destroy_token_objects },
	{ "due.slow", 1, do_slow_due },
};
static const struct job away_jobs[] = {
	{ "due.away", 1, do_away_due },
};

static bool
open_audit(struct server *server, struct error *err)
{
	const struct config *config = server->config;
	AUTO(text_done) char *directory = NULL;
	struct audit_settings settings = {
		.segment_bytes = config->audit_segment_mb * MEGABYTE,
		.checkpoint_lines = config->audit_checkpoint_lines,
		.sync = strcmp(config->audit_sync, "always") == 0 ? AUDIT_SYNC_ALWAYS
								  : AUDIT_SYNC_INTERVAL,
	};

	if (!config_path(config, "audit", &directory, err))
		return false;
	if (mkdir(directory, 0700) != 0 && access(directory, W_OK) != 0)
		return error_errno(err, "cannot make the audit log's folder");
	settings.directory = directory;
	return audit_open(&settings, server->folder.store, server->folder.keyring, &server->audit,
	    err);
}

static bool
open_installation(struct server *server, struct error *err)
{
	struct store *store = server->folder.store;
	struct keyring *keyring = server->folder.keyring;
	bool found;

	if (!installation_read(store, keyring, &server->installation, &found, err))
		return false;
	if (!found && !server->config->dev)
		return error_set(err, ERR_NOT_FOUND,
		    "the data folder has not been set up (see `strongroom init`)");
	if (!found && !installation_create(store, keyring, &server->installation, err))
		return false;
	if (!vaults_adopt(store, keyring, err))
		return false;
	if (!server->config->dev)
		return true;
	return clock_open(store, keyring, &server->clock, err) &&
	    installation_vaults(server->config, store, keyring, &server->installation, !found, err);
}

static bool
authority_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct server *server = ctx;

	(void)journal;
	/* A commit that lost a race is made again. */
	authority_free(server->authority);
	server->authority = NULL;
	return authority_open(tx, &server->authority, err);
}

static unsigned
throttle_percent(const void *ctx, view name)
{
	return config_throttle(ctx, name);
}

/* One that is away is waited for; one that is set wrongly is not. */
static bool
open_token(struct server *server, struct error *err)
{
	const struct config *config = server->config;
	const struct token_settings settings = {
		.module = config->hsm_module,
		.label = config->hsm_token,
		.pin_file = config->hsm_pin_file,
		.sessions = config->hsm_sessions,
	};

	if (settings.module[0] == '\0')
		return true;
	if (!token_open(&settings, &server->token, err))
		return false;
	keyring_set_token(server->folder.keyring, server->token);
	return true;
}

/* How certificates get out: before whoever asks for them. */
static void
describe_outside(struct server *server)
{
	const struct config *config = server->config;

	(void)snprintf(server->vault_suffix, sizeof(server->vault_suffix), ".vault.%s%s",
	    config->domain, config_port(config).text);
	server->outside = (struct outside){
		.acme_ca = config_given(config->acme_ca),
		.acme_dns_hook = config_given(config->acme_dns_hook),
		.acme_http = config->acme_http_listen[0] != '\0',
		.smtp = postman_smtp(config, &server->smtp) ? &server->smtp : NULL,
		.vault_suffix = server->vault_suffix,
	};
}

static bool
open_services(struct server *server, struct error *err)
{
	const struct config *config = server->config;
	struct store *store = server->folder.store;
	struct keyring *keyring = server->folder.keyring;
	char issuer[CONFIG_TEXT_MAX + 32];

	(void)snprintf(issuer, sizeof(issuer), "https://login.%s%s", config->domain,
	    config_port(config).text);
	describe_outside(server);
	if (!directory_open(store, keyring, view_of(issuer), server->loops, &server->directory,
		err) ||
	    !access_open(store, keyring, server->directory, &server->installation.tenant,
		&server->access, err) ||
	    !signin_open(&server->signin, err) ||
	    !vaults_open(store, keyring, &server->vaults, err) ||
	    !vaults_throttle(server->vaults, throttle_percent, config, err) ||
	    !subscriptions_open(store, keyring, &server->subscriptions, err) ||
	    !locks_open(store, keyring, &server->locks, err))
		return false;
	if (!directory_federate(server->directory, config_given(config->federation_ca), err))
		return false;
	server->answers = ca_answers_new();
	if (server->answers == NULL)
		return error_memory(err);
	directory_attest(server->directory,
	    (const char *const *)config->attestation_authorities.items);
	server->services = (struct services){
		.config = config,
		.location = config->location,
		.store = store,
		.keyring = keyring,
		.directory = server->directory,
		.signin = server->signin,
		.access = server->access,
		.vaults = server->vaults,
		.subscriptions = server->subscriptions,
		.locks = server->locks,
		.providers = provider_list,
		.outside = &server->outside,
		.answers = server->answers,
		/* A server of one's own mostly stands in a network of one's own. */
		.private_ranges = true,
	};
	if (!work_run(store, keyring, authority_body, server, err))
		return false;
	server->services.authority = server->authority;
	server->services.sign = authority_sign;
	return true;
}

static bool
open_proofs(struct server *server, struct error *err)
{
	if (!server->outside.acme_http)
		return true;
	return proofs_open(server->folder.store, server->folder.keyring, &server->proofs, err) &&
	    http01_open(server->config->acme_http_listen, proofs_find, server->proofs,
		&server->http01, err);
}

static bool
open_answerer(struct server *server, struct error *err)
{
	return router_new(op_tables, &server->router, err) &&
	    answerer_new(&server->services, server->router, server->audit, server->loops,
		&server->answerer, err);
}

/* The settings have been checked: every item is a block. */
static size_t
forwarders(const struct config_list *list, struct address_block *out)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += address_block_parse(view_of(list->items[i]), &out[count]);
	return count;
}

static bool
open_http(struct server *server, struct error *err)
{
	const struct config *config = server->config;
	const struct http_settings settings = {
		.addresses = (const char *const *)config->listen.items,
		.port = config->port,
		.loops = server->loops,
		.max_connections = config->connections,
		.max_from_address = config->connections_per_address,
		.max_head = HEAD_MAX,
		.max_body = BODY_MAX,
		.max_fields = FIELDS_MAX,
		.max_arena = ARENA_MAX,
		.head_seconds = config->head_seconds,
		.body_seconds = config->body_seconds,
		.idle_seconds = config->idle_seconds,
		.write_seconds = config->write_seconds,
		.drain_seconds = config->drain_seconds,
		.tls = server->certificate.tls,
		.proxies = server->forwarders,
		.proxy_count = forwarders(&config->proxy_from, server->forwarders),
		.answer = answer_request,
		.turn = answer_turn,
		.refuse = answer_refuse,
		.overdue = answer_overdue,
		.ctx = server->answerer,
	};

	return http_server_open(&settings, &server->http, err);
}

/* Everything, from the store to the sockets; nothing is served yet. */
static bool
server_open(struct server *server, struct error *err)
{
	lanes_init(&server->lanes);
	return datafolder_open(server->config, server->config->dev, &server->folder, err) &&
	    open_audit(server, err) && open_installation(server, err) && open_token(server, err) &&
	    open_services(server, err) &&
	    environment_certificates(server->config, server->authority, err) &&
	    server_certificate_open(server->config, server->authority, &server->certificate, err) &&
	    open_answerer(server, err) && open_http(server, err) && open_proofs(server, err);
}

/* What writes goes first, what it writes to last. */
static void
server_close(struct server *server)
{
	atomic_store(&server->stopping, true);
	scheduler_stop(server->scheduler);
	scheduler_stop(server->slow);
	for (size_t i = 0; i < LANES_THREADS; i++)
		scheduler_stop(server->away[i]);
	scheduler_stop(server->care);
	lanes_done(&server->lanes);
	backup_job_stop(server->backup);
	http01_close(server->http01);
	proofs_close(server->proofs);
	http_server_free(server->http);
	answerer_free(server->answerer);
	ca_answers_free(server->answers);
	router_free(server->router);
	server_certificate_close(&server->certificate);
	authority_free(server->authority);
	audit_close(server->audit);
	locks_close(server->locks);
	subscriptions_close(server->subscriptions);
	vaults_close(server->vaults);
	signin_close(server->signin);
	access_close(server->access);
	directory_close(server->directory);
	mirror_close(server->clock);
	datafolder_close(&server->folder);
	token_close(server->token);
}

static bool
environment_secret(const struct server *server, struct buf *secret, struct error *err)
{
	AUTO(buf_free) struct buf client = { 0 };
	AUTO(plain_done) struct plain *fresh = NULL;

	if (environment_value(server->config, "AZURE_CLIENT_ID", &client, err) &&
	    view_eq(buf_view(&client), uuid_view(&server->installation.administrator)) &&
	    environment_value(server->config, "AZURE_CLIENT_SECRET", secret, err))
		return true;
	buf_reset(secret);
	if (!installation_secret(server->folder.store, server->folder.keyring,
		&server->installation, &fresh, err))
		return false;
	buf_add(secret, plain_view(fresh));
	return buf_ok(secret) || error_memory(err);
}

/* Development: DATA/env holds what a client needs, the administrator's secret among it. */
static bool
write_environment(const struct server *server, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 }, secret = { 0 };
	AUTO(text_done) char *path = NULL;

	return environment_secret(server, &secret, err) &&
	    environment_text(server->config, &server->installation, buf_view(&secret),
		server->vaults, &text, err) &&
	    config_path(server->config, "env", &path, err) &&
	    file_write(path, buf_view(&text), 0600, err);
}

static void
tell_how_to_connect(const struct config *config)
{
	(void)printf(
	    "Strongroom, for development. In another shell:\n\n"
	    "    . %s/env\n"
	    "    curl --cacert \"$STRONGROOM_CA\" \"$KEYVAULT_URL/healthstatus\"\n\n"
	    "Any Azure SDK signs in with what env exports (DefaultAzureCredential). For az:\n\n"
	    "    az cloud register -n Strongroom "
	    "--endpoint-resource-manager \"$STRONGROOM_MANAGEMENT\"\n"
	    "    az cloud set -n Strongroom\n"
	    "    az config set core.instance_discovery=false\n"
	    "    az login --service-principal -u \"$AZURE_CLIENT_ID\" "
	    "-p \"$AZURE_CLIENT_SECRET\" --tenant \"$STRONGROOM_TENANT\"\n\n",
	    config->data);
}

static void
on_stop(int number)
{
	struct http_server *http = atomic_load(&running);

	(void)number;
	if (http != NULL)
		http_server_stop(http);
}

static void
on_reload(int number)
{
	(void)number;
	atomic_store(&reload_wanted, true);
}

static void
install_signals(struct http_server *http)
{
	struct sigaction stop = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
	struct sigaction reload = { .sa_handler = on_reload, .sa_flags = SA_RESTART };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	atomic_store(&running, http);
	(void)sigaction(SIGTERM, &stop, NULL);
	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGHUP, &reload, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

static bool
start_jobs(struct server *server, struct error *err)
{
	if (!scheduler_start(care_jobs, COUNT_OF(care_jobs), server, 0, &server->care, err) ||
	    !scheduler_start(jobs, COUNT_OF(jobs), server, 0, &server->scheduler, err) ||
	    !scheduler_start(slow_jobs, COUNT_OF(slow_jobs), server, SLOW_BEHIND, &server->slow,
		err))
		return false;
	for (size_t i = 0; i < LANES_THREADS; i++) {
		if (!scheduler_start(away_jobs, COUNT_OF(away_jobs), server, SLOW_BEHIND,
			&server->away[i], err))
			return false;
	}
	return true;
}

static bool
serve(struct server *server, struct error *err)
{
	const struct config *config = server->config;
	bool fine;

	if (config->dev) {
		if (!write_environment(server, err))
			return false;
		tell_how_to_connect(config);
	}
	if (!start_jobs(server, err) ||
	    !backup_job_start(config, &server->folder, server->audit, &server->backup, err))
		return false;
	install_signals(server->http);
	(void)printf("ready: https://*.%s:%u\n", config->domain, config->public_port);
	(void)fflush(stdout);
	notify_send("READY=1");
	fine = http_server_run(server->http, err);
	atomic_store(&running, NULL);
	notify_send("STOPPING=1");
	return fine;
}

static unsigned
loop_count(const struct config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (config->loops > 0)
		return config->loops;
	return cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
}

static bool
size_pool(const struct config *config, struct error *err)
{
	char text[16];

	/* libuv reads the size of its pool here, once. */
	(void)snprintf(text, sizeof(text), "%u", config->pool);
	/* Before the first thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	return setenv("UV_THREADPOOL_SIZE", text, 1) == 0 ||
	    error_errno(err, "cannot size the pool");
}

bool
server_run(const struct config *config, struct error *err)
{
	struct server server = { .config = config, .loops = loop_count(config) };
	bool fine;

	fine = size_pool(config, err) && server_open(&server, err) && serve(&server, err);
	server_close(&server);
	uv_library_shutdown(); /* the pool's threads end, and give back what OpenSSL has for them */
	return fine;
}

static bool
init_installation(struct server *server, struct error *err)
{
	const struct config *config = server->config;
	struct store *store = server->folder.store;
	struct keyring *keyring = server->folder.keyring;
	bool found;

	if (!installation_read(store, keyring, &server->installation, &found, err))
		return false;
	if (found)
		return error_set(err, ERR_CONFLICT,
		    "the data folder %s has been set up already: serve it (`strongroom serve`), or "
		    "name another by --data",
		    config->data);
	return installation_create(store, keyring, &server->installation, err) &&
	    installation_vaults(config, store, keyring, &server->installation, false, err) &&
	    open_services(server, err) && environment_certificates(config, server->authority, err);
}

static bool
print_credentials(struct server *server, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	AUTO(plain_done) struct plain *secret = NULL;

	if (!installation_secret(server->folder.store, server->folder.keyring,
		&server->installation, &secret, err) ||
	    !environment_text(server->config, &server->installation, plain_view(secret),
		server->vaults, &text, err))
		return false;
	(void)printf("# The administrator's credentials: kept nowhere else.\n%.*s"
		     "# With az:\n"
		     "# az cloud register -n Strongroom "
		     "--endpoint-resource-manager \"$STRONGROOM_MANAGEMENT\"\n",
	    VIEW_ARG(buf_view(&text)));
	return fflush(stdout) == 0 || error_errno(err, "cannot print the credentials");
}

bool
server_init(const struct config *config, struct error *err)
{
	struct server server = { .config = config, .loops = 1 };
	bool fine;

	fine = installation_check(config, err) &&
	    datafolder_open(config, true, &server.folder, err) && init_installation(&server, err) &&
	    print_credentials(&server, err);
	server_close(&server);
	return fine;
}

bool
server_tenant(const struct config *config, view name, struct error *err)
{
	struct server server = { .config = config, .loops = 1 };
	bool fine;

	fine = datafolder_open(config, false, &server.folder, err) &&
	    installation_tenant(server.folder.store, server.folder.keyring, name,
		&server.installation, err) &&
	    print_credentials(&server, err);
	server_close(&server);
	return fine;
}
