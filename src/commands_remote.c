#include "commands_remote.h"

#include "cli/access.h"
#include "environment_file.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOGIN, MANAGEMENT, TENANT, CLIENT, SECRET, AUTHORITY, SUBSCRIPTION, TEXTS };

static const char *const names[TEXTS] = {
	[LOGIN] = "AZURE_AUTHORITY_HOST",
	[MANAGEMENT] = "STRONGROOM_MANAGEMENT",
	[TENANT] = "STRONGROOM_TENANT",
	[CLIENT] = "AZURE_CLIENT_ID",
	[SECRET] = "AZURE_CLIENT_SECRET",
	[AUTHORITY] = "STRONGROOM_CA",
	[SUBSCRIPTION] = "AZURE_SUBSCRIPTION_ID",
};

/* Where the server is and who asks, with the texts that say so. */
struct connection {
	struct buf texts[TEXTS];
	struct remote remote;
};

static void
connection_done(struct connection *connection)
{
	for (size_t i = 0; i < TEXTS; i++)
		buf_free(&connection->texts[i]);
}

static bool
connection_open(const struct config *config, bool from_environment, struct connection *out,
    struct error *err)
{
	struct buf *texts = out->texts;

	/* All from one place: a shell may speak of another cloud's client. */
	from_environment = from_environment && secure_getenv(names[MANAGEMENT]) != NULL;
	for (size_t i = 0; i < TEXTS; i++) {
		const char *text = from_environment ? secure_getenv(names[i]) : NULL;

		if (text != NULL)
			buf_add(&texts[i], view_of(text));
		else if (!environment_value(config, names[i], &texts[i], err))
			return false;
		buf_add_char(&texts[i], '\0');
		if (!buf_ok(&texts[i]))
			return error_memory(err);
	}
	out->remote = (struct remote){
		.login = texts[LOGIN].ptr,
		.management = texts[MANAGEMENT].ptr,
		.tenant = texts[TENANT].ptr,
		.client_id = texts[CLIENT].ptr,
		.client_secret = texts[SECRET].ptr,
		.ca_file = texts[AUTHORITY].ptr,
	};
	return true;
}

static void
print(const struct buf *text)
{
	(void)printf("%.*s", VIEW_ARG(buf_view(text)));
}

bool
run_clock_advance(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(connection_done) struct connection connection = { 0 };
	AUTO(buf_free) struct buf reply = { 0 };
	int64_t seconds;

	(void)argc;
	if (!timespan_parse(view_of(argv[0]), &seconds))
		return error_set(err, ERR_BAD_REQUEST, "how far? As in 90d, 12h, 30m, 45s");
	/* The folder's own server, whatever the environment speaks of. */
	if (!connection_open(config, false, &connection, err) ||
	    !remote_advance_clock(&connection.remote, seconds, &reply, err))
		return false;
	buf_add_char(&reply, '\n');
	print(&reply);
	return true;
}

static bool
access_place(const struct config *config, const char *where, struct connection *connection,
    struct access_place *out, struct error *err)
{
	if (!connection_open(config, true, connection, err))
		return false;
	*out = (struct access_place){
		.remote = &connection->remote,
		.subscription = connection->texts[SUBSCRIPTION].ptr,
		.where = view_of(where),
	};
	return true;
}

bool
run_access_explain(struct config *config, int argc, char **argv, struct error *err)
{
	AUTO(connection_done) struct connection connection = { 0 };
	AUTO(buf_free) struct buf text = { 0 };
	struct access_place place;

	(void)argc;
	if (!access_place(config, argv[0], &connection, &place, err) ||
	    !access_explain(&place, view_of(argv[1]), view_of(argv[2]), &text, err))
		return false;
	print(&text);
	return true;
}

typedef bool report_fn(const struct access_place *place, struct buf *out, struct error *err);

static bool
run_report(const struct config *config, const char *where, report_fn *report, struct error *err)
{
	AUTO(connection_done) struct connection connection = { 0 };
	AUTO(buf_free) struct buf text = { 0 };
	struct access_place place;

	if (!access_place(config, where, &connection, &place, err) || !report(&place, &text, err))
		return false;
	print(&text);
	return true;
}

bool
run_access_who(struct config *config, int argc, char **argv, struct error *err)
{
	(void)argc;
	return run_report(config, argv[0], access_who, err);
}

bool
run_access_coverage(struct config *config, int argc, char **argv, struct error *err)
{
	(void)argc;
	return run_report(config, argv[0], access_coverage, err);
}
