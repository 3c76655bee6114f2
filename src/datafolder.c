#include "datafolder.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
make_folder(const struct config *config, struct error *err)
{
	if (mkdir(config->data, 0700) != 0 && errno != EEXIST)
		return error_errno(err, "cannot make the data folder");
	return true;
}

static bool
open_keyring(const struct config *config, bool fresh, struct datafolder *out, struct error *err)
{
	AUTO(text_done) char *path = NULL;
	struct root_provider provider;

	return config_path(config, "root.key", &path, err) &&
	    root_provider_file(path, fresh, &provider, err) &&
	    keyring_open(out->store, &provider, &out->keyring, err);
}

bool
datafolder_open(const struct config *config, bool create, struct datafolder *out, struct error *err)
{
	AUTO(text_done) char *path = NULL, *url = NULL;
	bool fresh;

	*out = (struct datafolder){ 0 };
	if ((create && !make_folder(config, err)) || !config_path(config, "store.db", &path, err))
		return false;
	/* A root key is only ever made together with the store: an existing one needs its own. */
	fresh = access(path, F_OK) != 0;
	if (fresh && !create)
		return error_set(err, ERR_NOT_FOUND,
		    "there is no store in the data folder %s (see `strongroom init`)",
		    config->data);
	if (asprintf(&url, "sqlite:%s", path) < 0) {
		url = NULL;
		return error_memory(err);
	}
	return store_open(view_of(url), &out->store, err) && open_keyring(config, fresh, out, err);
}

void
datafolder_close(struct datafolder *folder)
{
	keyring_close(folder->keyring);
	store_close(folder->store);
	*folder = (struct datafolder){ 0 };
}
