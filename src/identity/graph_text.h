/*
 * The small languages of Graph: filters, times, certificates in text.
 */
#ifndef IDENTITY_GRAPH_TEXT_H
#define IDENTITY_GRAPH_TEXT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/view.h"

enum graph_filter_kind {
	FILTER_NONE,
	FILTER_APP_ID,      /* appId eq 'X', servicePrincipalNames/any(c:c eq 'X') */
	FILTER_NAME,        /* displayName eq 'X' */
	FILTER_NAME_STARTS, /* startswith(displayName,'X') */
};

struct graph_filter {
	enum graph_filter_kind kind;
	view text;
};

/* graph_filter_parse(text, arena, out, err): ERR_GRAPH_BAD_REQUEST for any other filter. */
MUST_USE bool graph_filter_parse(view text, struct arena *arena, struct graph_filter *out,
    struct error *err);

/* graph_time_parse(text, out): RFC 3339, with any fraction, to Unix seconds. */
MUST_USE bool graph_time_parse(view text, int64_t *out);

/* graph_time_print(seconds, out): "2026-01-31T23:59:59Z" */
#define GRAPH_TIME_LEN 20
view graph_time_print(int64_t seconds, char out[GRAPH_TIME_LEN + 1]);

/* graph_certificate_parse(text, arena, der): One, in base64 of DER, in PEM, or in base64 of PEM. */
MUST_USE bool graph_certificate_parse(view text, struct arena *arena, view *der);

#endif
