/*
 * Settings files as somebody may have left them: what is accepted is within its bounds.
 */
#include "config.h"

#include "base/fuzzing.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
check_config(const struct config *config)
{
	check(config->port >= 1 && config->port <= 65535 && config->public_port <= 65535);
	check(config->pool >= 1 && config->pool <= 256 && config->loops <= 64);
	check(config->data[0] != '\0' && host_name_valid(view_of(config->domain)));
	check(config->listen.count >= 1 && config->listen.count <= CONFIG_LIST_MAX);
	check(config->vaults.count <= CONFIG_LIST_MAX);
	for (size_t i = 0; i < config->vaults.count; i++)
		check(config->vaults.items[i][0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char flag[64], *argv[] = { flag };
	struct config config;
	struct error err = { 0 };
	int fd = memfd_create("settings", MFD_CLOEXEC);

	check(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	(void)snprintf(flag, sizeof(flag), "--config=/proc/self/fd/%d", fd);
	if (config_load(1, argv, &config, &err))
		check_config(&config);
	else
		check(err.code == ERR_BAD_REQUEST && err.message[0] != '\0');
	config_free(&config);
	(void)close(fd);
	return 0;
}
