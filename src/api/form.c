#include "api/form.h"

#include "base/percent.h"

static const struct form_pair *
find(const struct form *form, view name)
{
	for (size_t i = 0; i < form->count; i++) {
		if (view_ieq(form->pairs[i].name, name))
			return &form->pairs[i];
	}
	return NULL;
}

static bool
add(struct form *form, view text, struct arena *arena, struct error *err)
{
	view value = text, name = view_cut(&value, '=');
	struct form_pair pair;

	if (form->count == FORM_PAIRS_MAX)
		return error_set(err, ERR_BAD_REQUEST, "The request has more than %d parameters.",
		    FORM_PAIRS_MAX);
	if (!percent_decode(name, true, arena, &pair.name) ||
	    !percent_decode(value, true, arena, &pair.value))
		return error_set(err, ERR_BAD_REQUEST,
		    "A parameter of the request is not encoded as it should be.");
	if (find(form, pair.name) != NULL)
		return error_set(err, ERR_BAD_REQUEST,
		    "A parameter of the request is given more than once.");
	form->pairs[form->count++] = pair;
	return true;
}

bool
form_read(view text, struct arena *arena, struct form *out, struct error *err)
{
	if (text.len > FORM_BYTES_MAX)
		return error_set(err, ERR_BODY_TOO_LARGE, "The request body is too large.");
	out->count = 0;
	while (text.len > 0) {
		view pair = view_cut(&text, '&');

		if (pair.len > 0 && !add(out, pair, arena, err))
			return false;
	}
	return true;
}

view
form_get(const struct form *form, const char *name)
{
	const struct form_pair *pair = find(form, view_of(name));

	return pair == NULL ? V("") : pair->value;
}
