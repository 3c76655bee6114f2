/*
 * An ordered index: values by a head (an id) and a key behind it, compared bytewise.  For lists
 * that are read from any place on, page by page, however long they are.  Not synchronised.
 */
#ifndef ACCESS_ORDER_H
#define ACCESS_ORDER_H

#include "base/attr.h"
#include "base/view.h"

struct order;
struct order_node;

MUST_USE struct order *order_new(void);
void order_free(struct order *order); /* not the values; NULL is fine */

/* order_put(order, head, key, value): The views live as long as the entry.  False: no memory. */
MUST_USE bool order_put(struct order *order, view head, view key, void *value);
void order_remove(struct order *order, view head, view key); /* an absent one is fine */

/* order_seek(order, head, key): The first entry at or behind ${head}, ${key}; NULL: none. */
const struct order_node *order_seek(const struct order *order, view head, view key);
const struct order_node *order_next(const struct order_node *node);
view order_head(const struct order_node *node);
view order_key(const struct order_node *node);
void *order_value(const struct order_node *node);

#endif
