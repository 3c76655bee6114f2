/*
 * An ordered tree of bytes that never changes: putting and removing make a new tree that shares
 * most of the old one.  So a snapshot is a reference, and readers and the writer need no lock.
 */
#ifndef STORE_TREE_H
#define STORE_TREE_H

#include "store/backend.h"

struct tree; /* NULL is the empty tree */

struct tree *tree_ref(struct tree *tree);
void tree_unref(struct tree *tree); /* from any thread */

/*
 * These replace *tree, whose reference they take over, with the changed one; *tree stays as it was
 * when there is no memory (false).
 */
MUST_USE bool tree_put(struct tree **tree, view key, view value, uint64_t revision);
MUST_USE bool tree_remove(struct tree **tree, view key);
MUST_USE bool tree_cut(struct tree **tree, view from); /* forget what is before ${from} */

/* tree_get(tree, key, out): Borrowed from the tree; false when it is absent. */
bool tree_get(const struct tree *tree, view key, struct document *out);

/* tree_count(tree, before): How many keys stand before ${before}. */
uint64_t tree_count(const struct tree *tree, view before);

/*
 * tree_walk(tree, range, limit, row, ctx, err):
 * Call ${row} for at most ${limit} documents in order; false as soon as it says so.
 */
MUST_USE bool tree_walk(const struct tree *tree, const struct range *range, size_t limit,
    backend_row *row, void *ctx, struct error *err);

#endif
