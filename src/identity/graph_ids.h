/*
 * The body of getByIds: two lists of texts.
 */
#ifndef IDENTITY_GRAPH_IDS_H
#define IDENTITY_GRAPH_IDS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/view.h"

struct graph_ids {
	const view *ids, *types;
	size_t id_count, type_count;
};

/* graph_ids_read(body, arena, out, err): At most 1000 ids.  ERR_GRAPH_BAD_REQUEST. */
MUST_USE bool graph_ids_read(view body, struct arena *arena, struct graph_ids *out,
    struct error *err);

#endif
