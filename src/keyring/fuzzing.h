/*
 * For fuzz targets: a keyring over a store in memory, whose root key leaves no file behind.
 */
#ifndef KEYRING_FUZZING_H
#define KEYRING_FUZZING_H

#include "base/fuzzing.h"
#include "keyring/keyring.h"

#include <stdio.h>
#include <unistd.h>

/* fuzzing_keyring(store): Both stay until the process ends. */
static inline struct keyring *
fuzzing_keyring(struct store **store)
{
	char folder[] = "/tmp/fuzzing_XXXXXX", path[64];
	struct root_provider provider;
	struct keyring *keyring = NULL;
	struct error err;

	check(mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof(path), "%s/root.key", folder);
	check(root_provider_file(path, true, &provider, &err) &&
	    store_open(V("memory:"), store, &err) &&
	    keyring_open(*store, &provider, &keyring, &err));
	(void)unlink(path);
	(void)rmdir(folder);
	return keyring;
}

#endif
