/*
 * The small languages of Graph: times, certificates in text.
 */
#ifndef GRAPH_TEXT_H
#define GRAPH_TEXT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/view.h"

/* graph_time_parse(text, out): RFC 3339, with any fraction, to Unix seconds. */
MUST_USE bool graph_time_parse(view text, int64_t *out);

/* graph_time_print(seconds, out): "2026-01-31T23:59:59Z" */
#define GRAPH_TIME_LEN 20
view graph_time_print(int64_t seconds, char out[GRAPH_TIME_LEN + 1]);

/* graph_certificate_parse(text, arena, der): One, in base64 of DER, in PEM, or in base64 of PEM. */
MUST_USE bool graph_certificate_parse(view text, struct arena *arena, view *der);

#endif
