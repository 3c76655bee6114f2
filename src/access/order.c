/*
 * A skip list: a quarter of the entries stand on each higher level.
 */
#include "access/order.h"

#include "base/map.h"

#include <stdlib.h>

#define HEIGHT_MAX 12

struct order_node {
	view head, key;
	void *value;
	unsigned height;
	struct order_node *next[];
};

struct order {
	struct order_node *first; /* stands before all; as high as can be */
	uint64_t seed;            /* of the heights */
};

static struct order_node *
node_new(unsigned height)
{
	struct order_node *node = calloc(1, sizeof(*node) + height * sizeof(struct order_node *));

	if (node != NULL)
		node->height = height;
	return node;
}

struct order *
order_new(void)
{
	struct order *order = calloc(1, sizeof(*order));
	uintptr_t place = (uintptr_t)order;

	if (order == NULL)
		return NULL;
	/* Nobody can choose the heights without knowing where the process has its memory. */
	order->seed = keyed_hash((view){ (const char *)&place, sizeof(place) }) | 1;
	order->first = node_new(HEIGHT_MAX);
	if (order->first == NULL) {
		free(order);
		return NULL;
	}
	return order;
}

void
order_free(struct order *order)
{
	struct order_node *node = order == NULL ? NULL : order->first;

	while (node != NULL) {
		struct order_node *next = node->next[0];

		free(node);
		node = next;
	}
	free(order);
}

static unsigned
draw_height(struct order *order)
{
	unsigned height = 1;
	uint64_t bits;

	order->seed ^= order->seed << 13;
	order->seed ^= order->seed >> 7;
	order->seed ^= order->seed << 17;
	for (bits = order->seed >> 16; (bits & 3) == 0 && height < HEIGHT_MAX; bits >>= 2)
		height++;
	return height;
}

static bool
stands_before(const struct order_node *node, view head, view key)
{
	int order = view_cmp(node->head, head);

	return order < 0 || (order == 0 && view_cmp(node->key, key) < 0);
}

/* The last entry before the place, on every level. */
static void
find(const struct order *order, view head, view key, struct order_node *before[HEIGHT_MAX])
{
	struct order_node *node = order->first;

	for (unsigned level = HEIGHT_MAX; level-- > 0;) {
		while (node->next[level] != NULL && stands_before(node->next[level], head, key))
			node = node->next[level];
		before[level] = node;
	}
}

bool
order_put(struct order *order, view head, view key, void *value)
{
	struct order_node *before[HEIGHT_MAX], *node = node_new(draw_height(order));

	if (node == NULL)
		return false;
	node->head = head;
	node->key = key;
	node->value = value;
	find(order, head, key, before);
	for (unsigned level = 0; level < node->height; level++) {
		node->next[level] = before[level]->next[level];
		before[level]->next[level] = node;
	}
	return true;
}

void
order_remove(struct order *order, view head, view key)
{
	struct order_node *before[HEIGHT_MAX], *node;

	find(order, head, key, before);
	node = before[0]->next[0];
	if (node == NULL || !view_eq(node->head, head) || !view_eq(node->key, key))
		return;
	for (unsigned level = 0; level < node->height; level++)
		before[level]->next[level] = node->next[level];
	free(node);
}

const struct order_node *
order_seek(const struct order *order, view head, view key)
{
	struct order_node *before[HEIGHT_MAX];

	find(order, head, key, before);
	return before[0]->next[0];
}

const struct order_node *
order_next(const struct order_node *node)
{
	return node->next[0];
}

view
order_head(const struct order_node *node)
{
	return node->head;
}

view
order_key(const struct order_node *node)
{
	return node->key;
}

void *
order_value(const struct order_node *node)
{
	return node->value;
}
