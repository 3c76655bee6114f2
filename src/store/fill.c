#include "store/fill.h"

#include "store/inside.h"

#include <stdlib.h>
#include <string.h>

struct fill {
	const struct backend_driver *driver;
	struct backend *backend;
	bool begun;               /* a batch */
	size_t bytes;             /* in it */
	struct counters counters; /* as high as what was put in */
	size_t key_len;
	char key[STORE_KEY_MAX]; /* the last one */
};

bool
fill_begin(view url, struct fill **out, struct error *err)
{
	AUTO(fill_done) struct fill *fill = calloc(1, sizeof(*fill));
	view where = url, scheme = view_cut(&where, ':');
	struct counters counters;

	if (fill == NULL)
		return error_memory(err);
	fill->driver = store_driver(scheme);
	if (fill->driver == NULL)
		return error_set(err, ERR_UNAVAILABLE, "There is no such kind of store.");
	if (!fill->driver->open(where, &fill->backend, err))
		return false;
	fill->begun = true;
	if (!fill->driver->begin(fill->backend, &counters, err))
		return false;
	if (counters.sequence != 0 || counters.revision != 0 || counters.journal != 0)
		return error_set(err, ERR_CONFLICT, "There is something in the store already.");
	*out = fill;
	fill = NULL;
	return true;
}

static bool
commit(struct fill *fill, const struct counters *counters, struct error *err)
{
	const struct backend_driver *driver = fill->driver;

	if (!driver->commit(fill->backend, counters, err))
		return false;
	fill->begun = false;
	fill->bytes = 0;
	if (driver->upkeep_due != NULL && driver->upkeep_due(fill->backend)) {
		driver->upkeep(fill->backend, false);
		driver->upkeep(fill->backend, true);
	}
	return true;
}

/* ${bytes} more: in this batch, or in the next one. */
static bool
make_room(struct fill *fill, size_t bytes, struct error *err)
{
	struct counters before;

	if (fill->begun && fill->bytes >= BATCH_BYTES) {
		fill->counters.sequence++;
		if (!commit(fill, &fill->counters, err))
			return false;
	}
	if (!fill->begun) {
		fill->begun = true;
		if (!fill->driver->begin(fill->backend, &before, err))
			return false;
	}
	fill->bytes += bytes;
	return true;
}

bool
fill_document(struct fill *fill, const struct document *document, struct error *err)
{
	const view last = { fill->key, fill->key_len };
	view key = document->key;

	if (key.len == 0 || key.len > STORE_KEY_MAX || view_cmp(last, key) >= 0 ||
	    document->value.bytes.len > STORE_VALUE_MAX || document->revision == 0 ||
	    document->revision > INT64_MAX)
		return error_set(err, ERR_CORRUPT, "These are not a store's documents.");
	if (!make_room(fill, key.len + document->value.bytes.len, err) ||
	    !fill->driver->put(fill->backend, key, document->value.bytes, document->revision, err))
		return false;
	memcpy(fill->key, key.ptr, key.len);
	fill->key_len = key.len;
	if (document->revision > fill->counters.revision)
		fill->counters.revision = document->revision;
	return true;
}

bool
fill_line(struct fill *fill, const struct journal_line *line, struct error *err)
{
	if (line->number <= fill->counters.journal || line->number > INT64_MAX ||
	    line->line.len > STORE_VALUE_MAX)
		return error_set(err, ERR_CORRUPT, "These are not a journal's lines.");
	if (!make_room(fill, line->line.len, err) ||
	    !fill->driver->journal_add(fill->backend, line->number, line->line, err))
		return false;
	fill->counters.journal = line->number;
	return true;
}

bool
fill_end(struct fill *fill, const struct counters *counters, struct error *err)
{
	if (counters->revision < fill->counters.revision ||
	    counters->journal < fill->counters.journal || counters->revision > INT64_MAX ||
	    counters->journal > INT64_MAX || counters->sequence > INT64_MAX)
		return error_set(err, ERR_CORRUPT,
		    "The store's counters are behind what it holds.");
	return make_room(fill, 0, err) && commit(fill, counters, err);
}

void
fill_close(struct fill *fill)
{
	if (fill == NULL)
		return;
	if (fill->begun)
		fill->driver->rollback(fill->backend);
	if (fill->backend != NULL)
		fill->driver->close(fill->backend);
	free(fill);
}

void
fill_done(struct fill **fill)
{
	fill_close(*fill);
}
