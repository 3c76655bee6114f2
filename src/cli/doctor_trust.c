/*
 * The doctor looks at what clients need: names that resolve, a server that answers, a certificate
 * they trust.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/doctor_checks.h"
#include "http/client.h"
#include "pki/pem.h"
#include "pki/read.h"

#include <fcntl.h>
#include <netdb.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS_MAX 10
#define DAY 86400
#define DAYS_ADVICE 14
#define NAME_MAX_ (CONFIG_TEXT_MAX + 80)
#define OPTION_MAX 512
#define SYSTEM_ANCHOR "/usr/local/share/ca-certificates/strongroom.crt"

/* Certificates */

/* The first certificate of a PEM file. */
static bool
first_certificate(view pem, struct arena *arena, struct x509 *out, struct error *err)
{
	enum pem_found found;
	struct pem_block block;
	size_t len;
	char *der;

	do
		found = pem_next(&pem, &block);
	while (found == PEM_BLOCK && !view_eq(block.label, PEM_CERTIFICATE));
	der = found == PEM_BLOCK ? arena_alloc(arena, pem_room(block.body)) : NULL;
	if (der == NULL || !pem_decode(block.body, der, &len))
		return error_set(err, ERR_BAD_PARAMETER, "it is no PEM file of certificates");
	return x509_read((view){ der, len }, arena, out, err);
}

static void
say_validity(struct doctor *doctor, const char *path, const struct x509 *certificate)
{
	int64_t days = (certificate->not_after - clock_wall()) / DAY;

	if (certificate->not_before > clock_wall())
		doctor_say(doctor, WRONG, "certificate", "%s is not valid yet: is the clock right?",
		    path);
	else if (certificate->not_after <= clock_wall())
		doctor_say(doctor, WRONG, "certificate", "%s has expired: put a new one there",
		    path);
	else
		doctor_say(doctor, days < DAYS_ADVICE ? ADVICE : FINE, "certificate",
		    "%s is valid for %lld more days", path, (long long)days);
}

void
check_certificate(struct doctor *doctor)
{
	const char *own = doctor->config->certificate;
	const char *path = *own != '\0' ? own : doctor->authority;
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf pem = { 0 };
	struct x509 certificate;
	struct error problem;

	arena_init(&arena, (size_t)4 * 1024 * 1024);
	if (!file_read(path, (size_t)1024 * 1024, &pem, &problem) ||
	    !first_certificate(buf_view(&pem), &arena, &certificate, &problem))
		doctor_say(doctor, WRONG, "certificate", "%s: %s", path, problem.message);
	else
		say_validity(doctor, path, &certificate);
}

/* Names */

static bool
resolves(const char *name)
{
	struct addrinfo *found = NULL;

	if (getaddrinfo(name, NULL, NULL, &found) != 0)
		return false;
	freeaddrinfo(found);
	return true;
}

static void
check_name(struct doctor *doctor, const char *label, const char *under, unsigned *missing)
{
	char name[NAME_MAX_];

	(void)snprintf(name, sizeof(name), "%s%s.%s", label, under, doctor->config->domain);
	if (resolves(name))
		return;
	(*missing)++;
	doctor_say(doctor, WRONG, "names", "%s does not resolve here", name);
}

static bool
under_localhost(const char *domain)
{
	return view_ieq(view_of(domain), V("localhost")) ||
	    view_ends(view_of(domain), V(".localhost"));
}

void
check_names(struct doctor *doctor)
{
	static const char *const hosts[] = { "login", "management", "graph" };
	const struct config *config = doctor->config;
	unsigned missing = 0;

	for (size_t i = 0; i < COUNT_OF(hosts); i++)
		check_name(doctor, hosts[i], "", &missing);
	for (size_t i = 0; i < config->vaults.count; i++)
		check_name(doctor, config->vaults.items[i], ".vault", &missing);
	/* Without names of vaults, any will do: vaults come and go. */
	if (config->vaults.count == 0)
		check_name(doctor, "any-vault", ".vault", &missing);
	if (missing == 0)
		doctor_say(doctor, FINE, "names", "login, management, graph and vaults under %s",
		    config->domain);
	else if (under_localhost(config->domain))
		doctor_say(doctor, ADVICE, "names",
		    "apt-get install libnss-myhostname, or in /etc/hosts, NAME being a vault's:\n"
		    "127.0.0.1 login.%s management.%s graph.%s NAME.vault.%s",
		    config->domain, config->domain, config->domain, config->domain);
	else
		doctor_say(doctor, ADVICE, "names",
		    "point *.%s and *.vault.%s at the server in your DNS", config->domain,
		    config->domain);
}

/* The server */

bool
trusted(const struct doctor *doctor, const char *bundle, struct error *err)
{
	AUTO(buf_free) struct buf body = { 0 };
	char url[NAME_MAX_];
	struct client_request request = {
		.method = "GET",
		.url = url,
		.ca_file = bundle,
		.seconds = SECONDS_MAX,
	};
	long status;

	(void)snprintf(url, sizeof(url), "https://login.%s:%u/healthstatus", doctor->config->domain,
	    doctor->config->public_port);
	if (!client_send(&request, &status, &body, err))
		return false;
	return status == 200 ||
	    error_set(err, ERR_UNAVAILABLE, "%s: something else answers there (%ld)", url, status);
}

void
check_server(struct doctor *doctor)
{
	const char *proxy = secure_getenv("https_proxy");
	struct error problem;

	if (proxy == NULL)
		proxy = secure_getenv("HTTPS_PROXY");
	doctor->answers = trusted(doctor,
	    *doctor->config->certificate != '\0' ? SYSTEM_BUNDLE : doctor->authority, &problem);
	if (doctor->answers)
		doctor_say(doctor, FINE, "server", "answers at https://login.%s:%u",
		    doctor->config->domain, doctor->config->public_port);
	else
		doctor_say(doctor, WRONG, "server",
		    "%s\nis it running? systemctl start strongroom, or `strongroom dev`; are "
		    "--port and --domain its own?%s%s%s",
		    problem.message, proxy != NULL ? "\nhttps_proxy is set: export no_proxy=." : "",
		    proxy != NULL ? doctor->config->domain : "",
		    proxy != NULL ? ", unless the proxy leads there" : "");
}

/* Clients */

struct client {
	const char *name;
	const char *variables[3]; /* files it reads, the first one that is set */
	bool system;              /* without them it reads the system's store */
	bool anchor;              /* the first variable's file has the authority alone */
};

static const struct client clients[] = {
	{ "curl", { "CURL_CA_BUNDLE", "SSL_CERT_FILE" }, true, false },
	{ "Python, az", { "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE" }, false, false },
	{ "Node", { "NODE_EXTRA_CA_CERTS" }, false, true },
	{ "Go", { "SSL_CERT_FILE" }, true, false },
	{ ".NET", { "SSL_CERT_FILE" }, true, false },
};

static void
say_how(struct doctor *doctor, const struct client *client, enum finding finding, const char *why)
{
	if (doctor->dev)
		doctor_say(doctor, finding, client->name, "%s: . %s/env, or\nexport %s=%s/%s", why,
		    doctor->data, client->variables[0], doctor->data,
		    client->anchor ? "ca.pem" : "ca-bundle.pem");
	else if (client->system)
		doctor_say(doctor, finding, client->name,
		    "%s:\ncp %s " SYSTEM_ANCHOR " && update-ca-certificates", why,
		    doctor->authority);
	else
		doctor_say(doctor, finding, client->name,
		    "%s:\ncp %s " SYSTEM_ANCHOR " && update-ca-certificates\nexport %s=%s", why,
		    doctor->authority, client->variables[0],
		    client->anchor ? SYSTEM_ANCHOR : SYSTEM_BUNDLE);
}

/* The variable that names a file for it, if one is set. */
static const char *
set_variable(const struct client *client, const char **file)
{
	for (size_t i = 0; i < COUNT_OF(client->variables) && client->variables[i] != NULL; i++) {
		const char *value = secure_getenv(client->variables[i]);

		if (value == NULL || *value == '\0')
			continue;
		*file = value;
		return client->variables[i];
	}
	return NULL;
}

static void
check_client(struct doctor *doctor, const struct client *client)
{
	/* With a certificate of the operator's own, what a client brings along may do. */
	bool falls_back = client->system || *doctor->config->certificate != '\0';
	const char *bundle = falls_back ? SYSTEM_BUNDLE : NULL;
	const char *variable = set_variable(client, &bundle);
	char why[CONFIG_TEXT_MAX];
	struct error problem;

	if (bundle != NULL && trusted(doctor, bundle, &problem)) {
		doctor_say(doctor, FINE, client->name, "trusts the server, by %s", bundle);
	} else if (variable == NULL) {
		say_how(doctor, client, ADVICE, "does not trust the server's authority yet");
	} else {
		(void)snprintf(why, sizeof(why), "%s=%s, which %s", variable, bundle,
		    access(bundle, R_OK) == 0 ? "lacks the server's authority" : "can't be read");
		say_how(doctor, client, WRONG, why);
	}
}

void
check_clients(struct doctor *doctor)
{
	if (!doctor->answers) {
		doctor_say(doctor, ADVICE, "clients",
		    "not looked at: the server does not answer. Its authority is %s",
		    doctor->authority);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(clients); i++)
		check_client(doctor, &clients[i]);
}

/* Java */

/* -D${name}=VALUE among Java's options; ${out} stays as it is when it is not there. */
static bool
java_option(const char *name, char out[OPTION_MAX])
{
	view options = view_of(secure_getenv("JAVA_TOOL_OPTIONS"));

	while (options.len > 0) {
		view value = view_cut(&options, ' ');
		view key = view_cut(&value, '=');

		if (!view_eq(key, view_of(name)) || value.len >= OPTION_MAX)
			continue;
		(void)snprintf(out, OPTION_MAX, "%.*s", VIEW_ARG(value));
		return true;
	}
	return false;
}

/* Java's own tool writes a trust store of any kind as PEM; false when it can't. */
static bool
list_store(const char *store, char *password, int out)
{
	char tool[] = "keytool", list[] = "-list", pem[] = "-rfc", word[] = "-storepass";
	char by_name[] = "-keystore", own[] = "-cacerts", path[OPTION_MAX];
	char *argv[] = { tool, list, pem, word, password, own, NULL, NULL };
	posix_spawn_file_actions_t files;
	pid_t pid;
	int status;
	bool fine;

	if (*store != '\0') {
		(void)snprintf(path, sizeof(path), "%s", store);
		argv[5] = by_name;
		argv[6] = path;
	}
	if (posix_spawn_file_actions_init(&files) != 0)
		return false;
	fine =
	    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
	    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0) ==
		0 &&
	    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO) == 0 &&
	    posix_spawnp(&pid, tool, &files, NULL, argv, environ) == 0;
	(void)posix_spawn_file_actions_destroy(&files);
	return fine && waitpid(pid, &status, 0) == pid && status == 0;
}

void
check_java(struct doctor *doctor)
{
	char store[OPTION_MAX] = "", password[OPTION_MAX] = "changeit", listed[64];
	AUTO(fd_done) int fd = memfd_create("store", MFD_CLOEXEC);
	bool named = java_option("-Djavax.net.ssl.trustStore", store);
	struct error problem;

	if (!doctor->answers)
		return;
	(void)java_option("-Djavax.net.ssl.trustStorePassword", password);
	(void)snprintf(listed, sizeof(listed), "/proc/self/fd/%d", fd);
	if (fd < 0 || !list_store(store, password, fd))
		doctor_say(doctor, named ? WRONG : ADVICE, "Java",
		    named ? "keytool can't read the trust store %s that JAVA_TOOL_OPTIONS names"
			  : "not looked at: there is no keytool here%s",
		    store);
	else if (trusted(doctor, listed, &problem))
		doctor_say(doctor, FINE, "Java", "trusts the server, by %s",
		    named ? store : "its own store");
	else
		doctor_say(doctor, named ? WRONG : ADVICE, "Java",
		    "does not trust the server's authority yet:\n"
		    "keytool -importcert -noprompt -alias strongroom -file %s \\\n"
		    "  -keystore trust.p12 -storetype PKCS12 -storepass changeit\n"
		    "export JAVA_TOOL_OPTIONS=\"-Djavax.net.ssl.trustStore=$PWD/trust.p12 "
		    "-Djavax.net.ssl.trustStorePassword=changeit\"",
		    doctor->authority);
}
