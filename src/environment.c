#include "environment.h"

#include "base/file.h"
#include "base/log.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#define SYSTEM_BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define BUNDLE_MAX ((size_t)4 * 1024 * 1024)

static bool
write_in_data(const struct config *config, const char *name, const struct buf *content, mode_t mode,
    struct error *err)
{
	AUTO(text_done) char *path = NULL;

	AUTO(buf_free) struct buf present = { 0 };
	struct error problem;

	if (!buf_ok(content))
		return error_memory(err);
	if (!config_path(config, name, &path, err))
		return false;
	/* Mostly it is there already, and syncing files is what a start would wait for. */
	if (file_read(path, content->len, &present, &problem) &&
	    view_eq(buf_view(&present), buf_view(content)))
		return true;
	return file_write(path, buf_view(content), mode, err);
}

bool
environment_certificates(const struct config *config, const struct authority *authority,
    struct error *err)
{
	AUTO(buf_free) struct buf pem = { 0 }, bundle = { 0 };
	struct error problem;

	if (!authority_pem(authority, &pem, err))
		return false;
	/* A system without certificates of its own trusts only ours then. */
	if (!file_read(SYSTEM_BUNDLE, BUNDLE_MAX, &bundle, &problem))
		buf_reset(&bundle);
	buf_add(&bundle, buf_view(&pem));
	return write_in_data(config, "ca.pem", &pem, 0644, err) &&
	    write_in_data(config, "ca-bundle.pem", &bundle, 0644, err);
}

static void
export_line(struct buf *out, const char *name, view value)
{
	buf_print(out, "export %s='%.*s'\n", name, VIEW_ARG(value));
}

static void
export_host(const struct config *config, struct buf *out, const char *name, const char *label)
{
	buf_print(out, "export %s='https://%s.%s%s'\n", name, label, config->domain,
	    config_port(config).text);
}

static void
export_vault(const struct config *config, struct buf *out, view vault, bool first)
{
	const struct port_text port = config_port(config);

	for (int i = first ? 0 : 1; i < 2; i++) {
		buf_add(out, V("export KEYVAULT_URL"));
		if (i == 1)
			buf_add_char(out, '_');
		for (size_t at = 0; i == 1 && at < vault.len; at++)
			buf_add_char(out, vault.ptr[at] == '-' ? '_' : ascii_upper(vault.ptr[at]));
		buf_print(out, "='https://%.*s.vault.%s%s'\n", VIEW_ARG(vault), config->domain,
		    port.text);
	}
}

static bool
export_vaults(const struct config *config, struct vaults *vaults, struct buf *out,
    struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view *names, first = V("");
	size_t count;

	arena_init(&arena, SIZE_MAX);
	if (!vaults_names(vaults, &arena, &names, &count, err))
		return false;
	if (config->vaults.count > 0)
		first = view_of(config->vaults.items[0]);
	else if (count > 0)
		first = names[0];
	for (size_t i = 0; i < count; i++)
		export_vault(config, out, names[i], view_ieq(names[i], first));
	return true;
}

bool
environment_text(const struct config *config, const struct installation *installation, view secret,
    struct vaults *vaults, struct buf *out, struct error *err)
{
	static const char *const bundles[] = { "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE",
		"CURL_CA_BUNDLE" };
	AUTO(text_done) char *data = realpath(config->data, NULL);

	if (data == NULL)
		return error_errno(err, "the data folder");
	export_host(config, out, "AZURE_AUTHORITY_HOST", "login");
	/* Clients ask nobody else about an authority of this name; it is the first tenant's. */
	export_line(out, "AZURE_TENANT_ID",
	    vaults == NULL ? uuid_view(&installation->tenant) : V("adfs"));
	export_line(out, "AZURE_CLIENT_ID", uuid_view(&installation->administrator));
	export_line(out, "AZURE_CLIENT_SECRET", secret);
	export_line(out, "AZURE_SUBSCRIPTION_ID", uuid_view(&installation->subscription));
	export_line(out, "STRONGROOM_TENANT", uuid_view(&installation->tenant));
	export_host(config, out, "STRONGROOM_MANAGEMENT", "management");
	buf_print(out, "export STRONGROOM_DATA='%s'\n", data);
	buf_print(out, "export STRONGROOM_CA='%s/ca.pem'\n", data);
	buf_print(out, "export NODE_EXTRA_CA_CERTS='%s/ca.pem'\n", data);
	for (size_t i = 0; i < COUNT_OF(bundles); i++)
		buf_print(out, "export %s='%s/ca-bundle.pem'\n", bundles[i], data);
	return (vaults == NULL || export_vaults(config, vaults, out, err)) &&
	    (buf_ok(out) || error_memory(err));
}

/* *.localhost resolves by libnss-myhostname on Debian, and not at all without it. */
void
environment_check_names(const struct config *config)
{
	struct addrinfo *found = NULL;
	char name[CONFIG_TEXT_MAX + 8];

	(void)snprintf(name, sizeof(name), "login.%s", config->domain);
	if (getaddrinfo(name, NULL, NULL, &found) == 0)
		freeaddrinfo(found);
	else
		log_line(LOG_WARN, "names.unresolved",
		    "%s does not resolve here: install libnss-myhostname, or add it, its sisters "
		    "(management, graph) and each vault to /etc/hosts",
		    name);
}
