#include "cli/agent_command.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/notify.h"
#include "base/plain.h"
#include "cli/agent.h"
#include "crypto/keypair.h"
#include "http/client.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_MAX 8192
#define KEY_MODE_BAD 0027 /* others may not read it, nobody else may change it */
#define POOL "8"          /* threads: each may wait for the authority */
#define ENV_SECONDS 10
#define SETTINGS_FILE "/etc/strongroom-agent/agent.conf"

static struct http_server *_Atomic running;

static void
key_done(struct private_key **key)
{
	private_key_free(*key);
}

static void
agent_done(struct agent **agent)
{
	agent_close(*agent);
}

static void
settings_done(struct agent_settings **settings)
{
	if (*settings != NULL)
		agent_settings_free(*settings);
	free(*settings);
}

/* The one flag that a command has: "--name VALUE" or "--name=VALUE". */
static bool
take_flag(int argc, char **argv, const char *name, const char **value, struct error *err)
{
	size_t len = strlen(name);

	if (argc == 0)
		return true;
	if (strncmp(argv[0], name, len) == 0) {
		if (argc == 1 && argv[0][len] == '=') {
			*value = argv[0] + len + 1;
			return true;
		}
		if (argc == 2 && argv[0][len] == '\0') {
			*value = argv[1];
			return true;
		}
	}
	return error_set(err, ERR_BAD_REQUEST, "the one argument is %s", name);
}

static bool
key_load(const char *path, struct private_key **out, struct error *err)
{
	AUTO(buf_free) struct buf pem = { 0 };
	struct stat stat_;

	if (stat(path, &stat_) == 0 && (stat_.st_mode & KEY_MODE_BAD) != 0)
		return error_set(err, ERR_BAD_REQUEST,
		    "%s: others may read or change it (chmod 600)", path);
	return file_read(path, KEY_MAX, &pem, err) &&
	    private_key_from_pem(buf_view(&pem), out, err);
}

static bool
key_make(const char *folder, const char *path, struct error *err)
{
	AUTO(buf_free) struct buf pem = { 0 }, spki = { 0 };

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return error_errno(err, folder);
	return keypair_new(&pem, &spki, err) && file_write(path, buf_view(&pem), 0600, err);
}

static void
tell_how_to_register(const char *folder, view public_key)
{
	char host[65] = "HOST";

	(void)gethostname(host, sizeof(host) - 1);
	(void)printf(
	    "The host's key is in %s/key.pem. Its public half:\n\n%.*s\n\n"
	    "Register the host with it (az, signed in as who may write there; fill in SUBSCRIPTION\n"
	    "and GROUP):\n\n"
	    "az rest --method put --url \"/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/"
	    "providers/Microsoft.HybridCompute/machines/%s?api-version=2024-07-10\" --body '"
	    "{\"location\":\"local\",\"identity\":{\"type\":\"SystemAssigned\"},"
	    "\"properties\":{\"clientPublicKey\":\"%.*s\"}}'\n\n"
	    "The reply's identity.tenantId and identity.clientId are `tenant` and `machine` in\n"
	    "the agent's settings.\n",
	    folder, VIEW_ARG(public_key), host, VIEW_ARG(public_key));
}

bool
agent_init(int argc, char **argv, struct error *err)
{
	AUTO(buf_free) struct buf spki = { 0 }, text = { 0 };
	AUTO(key_done) struct private_key *key = NULL;
	AUTO(text_done) char *path = NULL;
	const char *folder = "/etc/strongroom-agent";

	if (!take_flag(argc, argv, "--folder", &folder, err))
		return false;
	if (!file_path(folder, "key.pem", &path, err))
		return false;
	if (access(path, F_OK) != 0 && !key_make(folder, path, err))
		return false;
	if (!key_load(path, &key, err) || !private_key_public(key, &spki, err))
		return false;
	base64_encode(BASE64, buf_view(&spki), &text);
	if (!buf_ok(&text))
		return error_memory(err);
	tell_how_to_register(folder, buf_view(&text));
	return true;
}

static bool
settings_load(int argc, char **argv, struct agent_settings **out, struct error *err)
{
	AUTO(settings_done) struct agent_settings *settings = calloc(1, sizeof(*settings));
	const char *path = SETTINGS_FILE;

	if (settings == NULL)
		return error_memory(err);
	if (!take_flag(argc, argv, "--settings", &path, err) ||
	    !agent_settings_load(path, settings, err))
		return false;
	*out = settings;
	settings = NULL;
	return true;
}

static void
on_stop(int number)
{
	struct http_server *http = atomic_load(&running);

	(void)number;
	if (http != NULL)
		http_server_stop(http);
}

static bool
serve(struct agent *agent, struct error *err)
{
	struct sigaction stop = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
	bool fine;

	atomic_store(&running, agent_server(agent));
	(void)sigaction(SIGTERM, &stop, NULL);
	(void)sigaction(SIGINT, &stop, NULL);
	(void)printf("ready: port %u\n", http_server_port(agent_server(agent)));
	(void)fflush(stdout);
	notify_send("READY=1");
	fine = http_server_run(agent_server(agent), err);
	atomic_store(&running, NULL);
	notify_send("STOPPING=1");
	return fine;
}

bool
agent_run(int argc, char **argv, struct error *err)
{
	AUTO(settings_done) struct agent_settings *settings = NULL;
	AUTO(key_done) struct private_key *key = NULL;
	AUTO(agent_done) struct agent *agent = NULL;
	struct agent_host host;

	/* Before the first thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	(void)setenv("UV_THREADPOOL_SIZE", POOL, 1);
	plain_protect_or_warn();
	if (!settings_load(argc, argv, &settings, err) || !key_load(settings->key.ptr, &key, err))
		return false;
	host = (struct agent_host){ settings, key };
	return agent_open(&host, &agent, err) && serve(agent, err);
}

bool
agent_env(int argc, char **argv, struct error *err)
{
	AUTO(settings_done) struct agent_settings *settings = NULL;
	AUTO(buf_free) struct buf text = { 0 };
	struct client_request request = {
		.method = "GET",
		.url = "http://localhost/environment",
		.seconds = ENV_SECONDS,
	};
	long status;

	if (!settings_load(argc, argv, &settings, err))
		return false;
	request.unix_path = settings->socket.ptr;
	if (!client_send(&request, &status, &text, err))
		return false;
	if (status != 200)
		return error_set(err, ERR_BAD_REQUEST, "the agent answered %ld: %.*s", status,
		    VIEW_ARG(buf_view(&text)));
	(void)printf("%.*s", VIEW_ARG(buf_view(&text)));
	return true;
}
