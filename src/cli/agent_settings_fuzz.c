/*
 * The agent's settings as somebody may have left them: what is accepted is whole and within its
 * bounds.
 */
#include "cli/agent_settings.h"

#include "base/fuzzing.h"

static void
check_settings(const struct agent_settings *settings)
{
	check(view_starts(settings->login, V("https://")) && settings->port <= 65535);
	check(settings->tenant.len > 0 && settings->machine.len > 0 && settings->key.len > 0);
	check(settings->identity_count <= AGENT_IDENTITIES_MAX);
	for (size_t i = 0; i < settings->identity_count; i++) {
		const struct agent_identity *identity = &settings->identities[i];

		check(identity->name.len > 0 && identity->client_id.len > 0);
		check(identity->users.count <= AGENT_NAMES_MAX &&
		    identity->groups.count <= AGENT_NAMES_MAX);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct agent_settings settings;
	struct error err = { 0 };

	if (agent_settings_read((view){ (const char *)data, len }, &settings, &err))
		check_settings(&settings);
	else
		check(err.code == ERR_BAD_REQUEST && err.message[0] != '\0');
	agent_settings_free(&settings);
	return 0;
}
