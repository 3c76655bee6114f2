/*
 * Filters as strangers send them: what is accepted keeps its bounds, and can be matched.
 */
#include "graph/filter.h"
#include "graph/object.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct registration registration = { .name = V_INIT("a") };
	static const struct user user = { .upn = V_INIT("a@b.c"), .name = V_INIT("a") };
	AUTO(arena_free) struct arena arena = { 0 };
	const struct graph_term *keys[FILTER_TERMS_MAX];
	view text = { (const char *)data, len };
	struct graph_filter filter;
	struct error err;

	arena_init(&arena, (size_t)256 * 1024);
	if (graph_filter_parse(text, graph_user.members, &arena, &filter, &err)) {
		(void)graph_filter_match(&filter, &user);
		if (filter.term_count > 0 && !filter.terms[filter.term_count - 1].ends)
			abort();
	}
	if (graph_filter_parse(text, graph_service_principal.members, &arena, &filter, &err)) {
		(void)graph_filter_match(&filter, &registration);
		if (graph_filter_keys(&filter, keys) > filter.term_count)
			abort();
	}
	return 0;
}
