/*
 * A treap: ordered by key, and a heap by a number that the key's hash gives.  The hash is keyed
 * with a random number, so that nobody can choose keys that make the tree deep.
 */
#include "store/tree.h"

#include "base/map.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct leaf {
	atomic_size_t refs;
	uint64_t weight, revision;
	size_t key_len, value_len;
	char bytes[]; /* the key, then the value */
};

struct tree {
	atomic_size_t refs;
	struct leaf *leaf;
	struct tree *left, *right;
	uint64_t count; /* of both sides and itself */
};

static view
leaf_key(const struct leaf *leaf)
{
	return (view){ leaf->bytes, leaf->key_len };
}

static struct leaf *
leaf_new(view key, view value, uint64_t revision)
{
	struct leaf *leaf = malloc(sizeof(*leaf) + key.len + value.len);

	if (leaf == NULL)
		return NULL;
	atomic_init(&leaf->refs, 1);
	leaf->weight = keyed_hash(key);
	leaf->revision = revision;
	leaf->key_len = key.len;
	leaf->value_len = value.len;
	memcpy(leaf->bytes, key.ptr, key.len);
	if (value.len > 0)
		memcpy(leaf->bytes + key.len, value.ptr, value.len);
	return leaf;
}

static struct leaf *
leaf_ref(struct leaf *leaf)
{
	atomic_fetch_add_explicit(&leaf->refs, 1, memory_order_relaxed);
	return leaf;
}

static void
leaf_unref(struct leaf *leaf)
{
	if (atomic_fetch_sub_explicit(&leaf->refs, 1, memory_order_acq_rel) == 1)
		free(leaf);
}

struct tree *
tree_ref(struct tree *tree)
{
	if (tree != NULL)
		atomic_fetch_add_explicit(&tree->refs, 1, memory_order_relaxed);
	return tree;
}

void
tree_unref(struct tree *tree)
{
	if (tree == NULL || atomic_fetch_sub_explicit(&tree->refs, 1, memory_order_acq_rel) != 1)
		return;
	leaf_unref(tree->leaf);
	tree_unref(tree->left);
	tree_unref(tree->right);
	free(tree);
}

static uint64_t
count_of(const struct tree *tree)
{
	return tree == NULL ? 0 : tree->count;
}

/*
 * Take over three references and give one.  Without memory they are dropped and *failed is set:
 * the callers go on with a tree that lacks something, and whoever started throws it away.
 */
static struct tree *
join(struct leaf *leaf, struct tree *left, struct tree *right, bool *failed)
{
	struct tree *tree = malloc(sizeof(*tree));

	if (tree == NULL) {
		*failed = true;
		leaf_unref(leaf);
		tree_unref(left);
		tree_unref(right);
		return NULL;
	}
	atomic_init(&tree->refs, 1);
	tree->leaf = leaf;
	tree->left = left;
	tree->right = right;
	tree->count = count_of(left) + count_of(right) + 1;
	return tree;
}

/* Two new trees: the keys before ${key}, and ${key} with those behind it. */
static void
split(const struct tree *tree, view key, struct tree **before, struct tree **rest, bool *failed)
{
	struct tree *part = NULL;

	if (tree == NULL) {
		*before = NULL;
		*rest = NULL;
	} else if (view_cmp(leaf_key(tree->leaf), key) < 0) {
		split(tree->right, key, &part, rest, failed);
		*before = join(leaf_ref(tree->leaf), tree_ref(tree->left), part, failed);
	} else {
		split(tree->left, key, before, &part, failed);
		*rest = join(leaf_ref(tree->leaf), part, tree_ref(tree->right), failed);
	}
}

/* One new tree out of two; all keys of ${a} stand before those of ${b}. */
static struct tree *
merge(struct tree *a, struct tree *b, bool *failed)
{
	if (a == NULL || b == NULL)
		return tree_ref(a == NULL ? b : a);
	if (a->leaf->weight > b->leaf->weight)
		return join(leaf_ref(a->leaf), tree_ref(a->left), merge(a->right, b, failed),
		    failed);
	return join(leaf_ref(b->leaf), merge(a, b->left, failed), tree_ref(b->right), failed);
}

static struct tree *
with(const struct tree *tree, struct leaf *leaf, bool *failed)
{
	struct tree *left, *right;
	int order = tree == NULL ? 0 : view_cmp(leaf_key(leaf), leaf_key(tree->leaf));

	if (tree != NULL && order == 0)
		return join(leaf, tree_ref(tree->left), tree_ref(tree->right), failed);
	if (tree == NULL || leaf->weight > tree->leaf->weight) {
		split(tree, leaf_key(leaf), &left, &right, failed);
		return join(leaf, left, right, failed);
	}
	if (order < 0)
		return join(leaf_ref(tree->leaf), with(tree->left, leaf, failed),
		    tree_ref(tree->right), failed);
	return join(leaf_ref(tree->leaf), tree_ref(tree->left), with(tree->right, leaf, failed),
	    failed);
}

static struct tree *
without(const struct tree *tree, view key, bool *failed)
{
	int order = tree == NULL ? 0 : view_cmp(key, leaf_key(tree->leaf));

	if (tree == NULL)
		return NULL;
	if (order == 0)
		return merge(tree->left, tree->right, failed);
	if (order < 0)
		return join(leaf_ref(tree->leaf), without(tree->left, key, failed),
		    tree_ref(tree->right), failed);
	return join(leaf_ref(tree->leaf), tree_ref(tree->left), without(tree->right, key, failed),
	    failed);
}

static bool
replace(struct tree **tree, struct tree *changed, bool failed)
{
	if (failed) {
		tree_unref(changed);
		return false;
	}
	tree_unref(*tree);
	*tree = changed;
	return true;
}

bool
tree_put(struct tree **tree, view key, view value, uint64_t revision)
{
	struct leaf *leaf = leaf_new(key, value, revision);
	bool failed = false;
	struct tree *changed;

	if (leaf == NULL)
		return false;
	changed = with(*tree, leaf, &failed);
	return replace(tree, changed, failed);
}

bool
tree_remove(struct tree **tree, view key)
{
	bool failed = false;
	struct document found;
	struct tree *changed;

	if (!tree_get(*tree, key, &found))
		return true;
	changed = without(*tree, key, &failed);
	return replace(tree, changed, failed);
}

bool
tree_cut(struct tree **tree, view from)
{
	struct tree *before, *rest;
	bool failed = false;

	split(*tree, from, &before, &rest, &failed);
	tree_unref(before);
	return replace(tree, rest, failed);
}

static struct document
document_of(const struct leaf *leaf)
{
	return (struct document){
		.key = leaf_key(leaf),
		.value.bytes = { leaf->bytes + leaf->key_len, leaf->value_len },
		.revision = leaf->revision,
	};
}

bool
tree_get(const struct tree *tree, view key, struct document *out)
{
	while (tree != NULL) {
		int order = view_cmp(key, leaf_key(tree->leaf));

		if (order == 0) {
			*out = document_of(tree->leaf);
			return true;
		}
		tree = order < 0 ? tree->left : tree->right;
	}
	return false;
}

uint64_t
tree_count(const struct tree *tree, view before)
{
	uint64_t count = 0;

	while (tree != NULL) {
		if (view_cmp(leaf_key(tree->leaf), before) >= 0) {
			tree = tree->left;
			continue;
		}
		count += count_of(tree->left) + 1;
		tree = tree->right;
	}
	return count;
}

struct walk {
	const struct range *range;
	size_t left; /* of the limit */
	backend_row *row;
	void *ctx;
};

static bool
walk(const struct tree *tree, struct walk *w, struct error *err)
{
	struct document row;
	view key;

	if (tree == NULL || w->left == 0)
		return true;
	key = leaf_key(tree->leaf);
	if (view_cmp(key, w->range->from) < 0)
		return walk(tree->right, w, err);
	if (!walk(tree->left, w, err))
		return false;
	if (w->left == 0 || view_cmp(key, w->range->to) >= 0)
		return true;
	w->left--;
	row = document_of(tree->leaf);
	return w->row(w->ctx, &row, err) && walk(tree->right, w, err);
}

bool
tree_walk(const struct tree *tree, const struct range *range, size_t limit, backend_row *row,
    void *ctx, struct error *err)
{
	struct walk w = { .range = range, .left = limit, .row = row, .ctx = ctx };

	return walk(tree, &w, err);
}
