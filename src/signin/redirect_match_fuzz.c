#include "api/form.h"
#include "base/fuzzing.h"
#include "signin/errand.h"
#include "signin/redirect_match.h"
#include "signin/scope.h"

/* What is registered: all that fits it starts with its scheme and host. */
static void
check_redirect(view asked)
{
	AUTO(buf_free) struct buf origin = { 0 };

	if (redirect_fits(V("https://app.example.org/back"), asked))
		check(view_eq(asked, V("https://app.example.org/back")));
	if (redirect_fits(V("http://localhost/back"), asked))
		check(view_istarts(asked, V("http://localhost")) && view_ends(asked, V("/back")));
	if (redirect_fits_native(asked))
		check(view_istarts(asked, V("http://localhost")) &&
		    (asked.len == 16 || asked.ptr[16] == ':' || asked.ptr[16] == '/'));
	redirect_origin(asked, &origin);
	check(!redirect_sound(asked) || origin.len > 0);
	for (size_t i = 0; i < origin.len; i++)
		check(origin.ptr[i] > 0x20 && origin.ptr[i] != ';' && origin.ptr[i] != ',');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view text = { (const char *)data, len };
	struct errand errand;
	struct scopes scopes;
	struct error err;
	struct form form;

	arena_init(&arena, (size_t)1 << 20);
	check_redirect(text);
	(void)errand_unpack(text, &errand, &err);
	if (!form_read(text, &arena, &form, &err))
		return 0;
	check_redirect(form_get(&form, "redirect_uri"));
	if (scopes_read(form_get(&form, "scope"), form_get(&form, "resource"), &scopes, &err))
		check(scopes.resource.len <= SCOPE_MAX);
	return 0;
}
