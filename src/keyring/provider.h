/*
 * Where root keys come from.  A provider holds one current root key and, while a rekey is under
 * way, the one before; keys are named by an id of 16 hex digits that stands in front of everything
 * they wrap.  The keyring makes one call at a time.
 */
#ifndef KEYRING_PROVIDER_H
#define KEYRING_PROVIDER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/plain.h"
#include "base/view.h"

struct root_provider;

struct root_provider_ops {
	const char *name;
	/* Wrap under the current root key / unwrap under whichever wrapped it. */
	bool (*wrap)(void *self, view plain, view aad, struct buf *out, struct error *err);
	bool (*unwrap)(void *self, view wrapped, view aad, struct plain **out, struct error *err);
	/* Add a new current key, durably, keeping the old; drop all but the current one. */
	bool (*rotate)(void *self, struct error *err);
	bool (*retire)(void *self, struct error *err);
	void (*close)(void *self);
};

struct root_provider {
	const struct root_provider_ops *ops;
	void *self;
};

/*
 * root_provider_file(path, create, out, err):
 * A root key in a file of mode 0600 that belongs to this user; anything looser is refused.  With
 * ${create}, a missing file is made (written whole, synced, then renamed into place).
 */
MUST_USE bool root_provider_file(const char *path, bool create, struct root_provider *out,
    struct error *err);

/*
 * root_provider_text(text, out, err):
 * The root keys of a file that says ${text}, without the file: for looking into a backup.  They
 * can't be rotated.
 */
MUST_USE bool root_provider_text(view text, struct root_provider *out, struct error *err);

#endif
