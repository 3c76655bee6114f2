/*
 * Filling a store with what another one held: the documents with the revisions they had, the
 * journal with its numbers, the counters.  Nobody serves it meanwhile, and it is not a store to be
 * served before fill_end: whoever fills one does so aside.
 */
#ifndef STORE_FILL_H
#define STORE_FILL_H

#include "store/store.h"

struct fill;

/* fill_begin(url, out, err): Make the store; ERR_CONFLICT when there is something in it already. */
MUST_USE bool fill_begin(view url, struct fill **out, struct error *err);

/*
 * fill_document, fill_line: In the order that store_each and store_each_line gave them, keys and
 * numbers rising; ERR_CORRUPT when they don't, or are what no store holds.
 */
MUST_USE bool fill_document(struct fill *fill, const struct document *document, struct error *err);
MUST_USE bool fill_line(struct fill *fill, const struct journal_line *line, struct error *err);

/* fill_end(fill, counters, err): All of it is durable then. ERR_CORRUPT: they are behind it. */
MUST_USE bool fill_end(struct fill *fill, const struct counters *counters, struct error *err);

void fill_close(struct fill *fill); /* NULL is fine */
void fill_done(struct fill **fill); /* for AUTO */

#endif
