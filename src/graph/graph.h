/*
 * The directory as Graph shows it: rows over identity's documents.
 */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "api/op.h"

extern const struct op graph_ops[]; /* on PLANE_GRAPH */

#endif
