#include "datafolder.h"

#include "backup/backup.h"
#include "base/file.h"
#include "base/plain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
make_folder(const struct config *config, struct error *err)
{
	char why[128];

	if (mkdir(config->data, 0700) == 0 || errno == EEXIST)
		return true;
	return error_set(err, ERR_UNAVAILABLE,
	    "the data folder %s can't be made: %s (name another by --data, or make it and give it "
	    "to the user who runs this)",
	    config->data, strerror_r(errno, why, sizeof(why)));
}

/* ${found} false: there is none. What may not be looked at is no folder without a store. */
static bool
find_store(const struct config *config, char **path, bool *found, struct error *err)
{
	if (!backup_restored(config->data, err) || !config_path(config, "store.db", path, err))
		return false;
	*found = access(*path, F_OK) == 0;
	if (!*found && errno == EACCES)
		return error_set(err, ERR_UNAVAILABLE,
		    "the data folder %s is not for this user: run this as its owner (a package's "
		    "is: runuser -u strongroom -- strongroom ...)",
		    config->data);
	return true;
}

static bool
no_store(const struct config *config, struct error *err)
{
	return error_set(err, ERR_NOT_FOUND,
	    "there is no store in the data folder %s: name the right one by --data or --config, or "
	    "make it by `strongroom init`",
	    config->data);
}

static bool
open_keyring(const struct config *config, bool fresh, struct datafolder *out, struct error *err)
{
	AUTO(text_done) char *path = NULL;
	struct root_provider provider;

	/* From here on the root keys are in memory, whichever command it is. */
	plain_protect_or_warn();
	return config_path(config, "root.key", &path, err) &&
	    root_provider_file(path, fresh, &provider, err) &&
	    keyring_open(out->store, &provider, &out->keyring, err);
}

bool
datafolder_open(const struct config *config, bool create, struct datafolder *out, struct error *err)
{
	AUTO(text_done) char *path = NULL, *url = NULL;
	bool found;

	*out = (struct datafolder){ 0 };
	if ((create && !make_folder(config, err)) || !find_store(config, &path, &found, err))
		return false;
	if (!found && !create)
		return no_store(config, err);
	/*
	 * A restore that began meanwhile has either seen the store, and given up, or is seen.
	 * A root key is only ever made together with the store: an existing one needs its own.
	 */
	return store_url(path, &url, err) && store_open(view_of(url), &out->store, err) &&
	    backup_restored(config->data, err) && open_keyring(config, !found, out, err);
}

bool
datafolder_look(const struct config *config, struct datafolder *out, struct error *err)
{
	AUTO(text_done) char *path = NULL, *url = NULL;
	bool found;

	*out = (struct datafolder){ 0 };
	if (!find_store(config, &path, &found, err))
		return false;
	if (!found)
		return no_store(config, err);
	return store_url(path, &url, err) && store_look(view_of(url), &out->store, err) &&
	    open_keyring(config, false, out, err);
}

void
datafolder_close(struct datafolder *folder)
{
	keyring_close(folder->keyring);
	store_close(folder->store);
	*folder = (struct datafolder){ 0 };
}
