#include "cli/fetch.h"

#include "base/log.h"
#include "cli/fetch_reload.h"
#include "cli/fetch_store.h"
#include "cli/remote.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fetch {
	struct fetch_place place;
	view name;
	const char *folder, *reload; /* no reload: NULL */
	int64_t every;               /* seconds; 0: once */
};

static void
fetch_done(struct fetch *fetch)
{
	fetch_place_done(&fetch->place);
}

int64_t
fetch_pause(int64_t every, unsigned failures)
{
	int64_t pause = FETCH_PAUSE_MIN, most = every < FETCH_PAUSE_MAX ? every : FETCH_PAUSE_MAX;

	if (failures == 0)
		return every;
	while (--failures > 0 && pause < most)
		pause *= 2;
	return pause < most ? pause : most;
}

/* "--name VALUE" or "--name=VALUE", at ${at}, which moves on. */
static bool
take_flag(int argc, char **argv, int *at, const char *name, const char **value)
{
	size_t len = strlen(name);
	const char *text = argv[*at];

	if (strncmp(text, name, len) != 0)
		return false;
	if (text[len] == '=')
		*value = text + len + 1;
	else if (text[len] == '\0' && *at + 1 < argc)
		*value = argv[++*at];
	else
		return false;
	return true;
}

static bool
take_flags(int argc, char **argv, struct fetch *out, struct error *err)
{
	const char *every = NULL;

	for (int at = 0; at < argc; at++) {
		if (!take_flag(argc, argv, &at, "--pem", &out->folder) &&
		    !take_flag(argc, argv, &at, "--reload", &out->reload) &&
		    !take_flag(argc, argv, &at, "--every", &every))
			return error_set(err, ERR_BAD_REQUEST, "what is %s?", argv[at]);
	}
	if (out->folder == NULL)
		return error_set(err, ERR_BAD_REQUEST, "where to? --pem DIR");
	if (every != NULL && (!timespan_parse(view_of(every), &out->every) || out->every < 1))
		return error_set(err, ERR_BAD_REQUEST, "how often? --every 12h, 30m, 45s");
	return true;
}

static bool
is_name(view name)
{
	if (name.len == 0 || name.len > FETCH_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return true;
}

static bool
take_arguments(int argc, char **argv, struct fetch *out, struct error *err)
{
	if (argc < 2)
		return error_set(err, ERR_BAD_REQUEST,
		    "which? For example https://shop.vault.example.org web --pem /etc/ssl/shop");
	out->name = view_of(argv[1]);
	if (!is_name(out->name))
		return error_set(err, ERR_BAD_REQUEST,
		    "a certificate's name is of letters, digits and '-'");
	return take_flags(argc - 2, argv + 2, out, err) &&
	    fetch_place_parse(view_of(argv[0]), view_of(secure_getenv("AZURE_AUTHORITY_HOST")),
		&out->place, err);
}

/* The files are there already: a command that fails is tried again, whatever the vault says. */
static bool
reload(const struct fetch *fetch, struct fetch_store *store, struct error *err)
{
	if (fetch->reload == NULL || !fetch_store_waits(store))
		return true;
	return fetch_reload(fetch->reload, FETCH_RELOAD_SECONDS, err) &&
	    fetch_store_loaded(store, err);
}

static bool
renew(const struct fetch *fetch, struct fetch_store *store, struct error *err)
{
	struct fetched fetched = { 0 };
	bool changed = false, fine;

	fine = fetch_ask(&fetch->place, fetch->name, &fetched, err) &&
	    fetch_store_put(store, &fetched, &changed, err);
	if (fine && changed)
		log_line(LOG_INFO, "fetch.changed", "%.*s is version %s now", VIEW_ARG(fetch->name),
		    fetched.version);
	fetched_free(&fetched);
	return fine;
}

static bool
fetch_once(const struct fetch *fetch, struct error *err)
{
	AUTO(fetch_store_done) struct fetch_store *store = NULL;
	struct error second;
	bool fine;

	if (!fetch_store_open(fetch->folder, fetch->name, &store, err))
		return false;
	fine = renew(fetch, store, err);
	if (reload(fetch, store, fine ? err : &second))
		return fine;
	if (!fine)
		log_line(LOG_WARN, "fetch.failed", "%s", second.message);
	return false;
}

static _Noreturn void
fetch_on(const struct fetch *fetch)
{
	unsigned failures = 0;
	struct error err;

	for (;;) {
		bool fine = fetch_once(fetch, &err);
		struct timespec pause;

		failures = fine ? 0 : failures + 1;
		pause = (struct timespec){ .tv_sec = fetch_pause(fetch->every, failures) };
		if (!fine)
			log_line(LOG_WARN, "fetch.failed", "%s; again in %lld seconds", err.message,
			    (long long)pause.tv_sec);
		(void)nanosleep(&pause, NULL);
	}
}

bool
fetch_cert(int argc, char **argv, struct error *err)
{
	AUTO(fetch_done) struct fetch fetch = { 0 };

	plain_protect_or_warn();
	if (!take_arguments(argc, argv, &fetch, err))
		return false;
	if (fetch.every > 0)
		fetch_on(&fetch);
	return fetch_once(&fetch, err);
}
