#include "acme/document.h"

#include "base/json.h"

#include <stdlib.h>

#define DETAIL_MAX 4096 /* bytes of a problem's text */
#define DETAIL_SHOWN 400
#define WORD_MAX 64
#define URN "urn:ietf:params:acme:error:"

/* clang-format off */

#define TEXT(text, type, member, most) { .name = text, .kind = FIELD_TEXT, .max = most, \
	  .offset = offsetof(struct type, member)
#define URL(text, type, member) TEXT(text, type, member, ACME_URL_MAX - 1)

static const struct field directory_fields[] = {
	URL("newNonce", acme_directory, new_nonce), .required = true },
	URL("newAccount", acme_directory, new_account), .required = true },
	URL("newOrder", acme_directory, new_order), .required = true },
	{ 0 },
};

static const struct field problem_fields[] = {
	TEXT("type", acme_problem, type, DETAIL_MAX) },
	TEXT("detail", acme_problem, detail, DETAIL_MAX) },
	{ 0 },
};

static const struct field order_fields[] = {
	TEXT("status", acme_order, status, WORD_MAX), .required = true },
	URL("finalize", acme_order, finalize), .required = true },
	URL("certificate", acme_order, certificate) },
	{ .name = "authorizations", .kind = FIELD_TEXTS, .max = ACME_NAMES_MAX,
	  .size = ACME_URL_MAX - 1, .required = true,
	  .offset = offsetof(struct acme_order, authorizations) },
	{ .name = "error", .kind = FIELD_OBJECT, .fields = problem_fields,
	  .offset = offsetof(struct acme_order, error) },
	{ 0 },
};

static const struct field name_fields[] = {
	TEXT("type", acme_authorization, name_type, WORD_MAX), .required = true },
	TEXT("value", acme_authorization, name, ACME_NAME_MAX - 1), .required = true },
	{ 0 },
};

static const struct field challenge_fields[] = {
	TEXT("type", acme_challenge, type, WORD_MAX), .required = true },
	URL("url", acme_challenge, url) },
	TEXT("token", acme_challenge, token, 0) },
	TEXT("status", acme_challenge, status, WORD_MAX) },
	{ .name = "error", .kind = FIELD_OBJECT, .fields = problem_fields,
	  .offset = offsetof(struct acme_challenge, error) },
	{ 0 },
};

static const struct field authorization_fields[] = {
	TEXT("status", acme_authorization, status, WORD_MAX), .required = true },
	{ .name = "identifier", .kind = FIELD_OBJECT, .fields = name_fields, .required = true },
	{ .name = "wildcard", .kind = FIELD_FLAG,
	  .offset = offsetof(struct acme_authorization, wildcard) },
	{ .name = "challenges", .kind = FIELD_LIST, .max = CHALLENGES_MAX, .required = true,
	  .fields = challenge_fields, .size = sizeof(struct acme_challenge),
	  .offset = offsetof(struct acme_authorization, challenges) },
	{ 0 },
};

/* clang-format on */

static bool
unreadable(struct error *err)
{
	return error_set(err, ERR_UNAVAILABLE, "The ACME server's answer can't be read.");
}

bool
acme_url_valid(view url)
{
	static const view scheme = V_INIT("https://");

	if (!view_starts(url, scheme) || url.len == scheme.len || url.len >= ACME_URL_MAX)
		return false;
	for (size_t i = 0; i < url.len; i++) {
		if (url.ptr[i] <= ' ' || url.ptr[i] > '~')
			return false;
	}
	return true;
}

bool
acme_token_valid(view token)
{
	if (token.len == 0 || token.len >= ACME_TOKEN_MAX)
		return false;
	for (size_t i = 0; i < token.len; i++) {
		char c = token.ptr[i];

		if (!ascii_alphanumeric(c) && c != '-' && c != '_')
			return false;
	}
	return true;
}

static bool
url_fine(const struct body_text *url)
{
	return !url->given || acme_url_valid(url->text);
}

/* False: it is none of these; or there is no memory for it, when *starved. */
static bool
read_fields(view text, const struct field *fields, void *out, struct arena *arena, bool *starved)
{
	struct error problem;

	*starved = false;
	if (!utf8_valid(text))
		return false;
	if (body_read(text, fields, out, arena, &problem))
		return true;
	*starved = problem.code == ERR_UNAVAILABLE;
	return false;
}

static bool
read_document(view text, const struct field *fields, void *out, struct arena *arena,
    struct error *err)
{
	bool starved;

	return read_fields(text, fields, out, arena, &starved) || unreadable(err);
}

bool
acme_read_directory(view text, struct acme_directory *out, struct arena *arena, struct error *err)
{
	*out = (struct acme_directory){ 0 };
	if (!read_document(text, directory_fields, out, arena, err))
		return false;
	return (url_fine(&out->new_nonce) && url_fine(&out->new_account) &&
		   url_fine(&out->new_order)) ||
	    unreadable(err);
}

static int
compare(const void *a, const void *b)
{
	return view_cmp(*(const view *)a, *(const view *)b);
}

/* A server may list them in another order each time: they are counted through in their own. */
static bool
sort(struct body_texts *texts, struct arena *arena, struct error *err)
{
	view *sorted = arena_alloc(arena, (texts->count + 1) * sizeof(*sorted));

	if (sorted == NULL)
		return error_memory(err);
	for (size_t i = 0; i < texts->count; i++)
		sorted[i] = texts->texts[i];
	qsort(sorted, texts->count, sizeof(*sorted), compare);
	texts->texts = sorted;
	return true;
}

bool
acme_read_order(view text, struct acme_order *out, struct arena *arena, struct error *err)
{
	*out = (struct acme_order){ 0 };
	if (!read_document(text, order_fields, out, arena, err))
		return false;
	if (!url_fine(&out->finalize) || !url_fine(&out->certificate))
		return unreadable(err);
	for (size_t i = 0; i < out->authorizations.count; i++) {
		if (!acme_url_valid(out->authorizations.texts[i]))
			return unreadable(err);
	}
	return sort(&out->authorizations, arena, err);
}

/* What goes into the name of a record, and into a program's arguments. */
static bool
name_fine(view name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] <= ' ' || name.ptr[i] > '~')
			return false;
	}
	return name.len > 0 && name.ptr[0] != '-';
}

bool
acme_read_authorization(view text, struct acme_authorization *out, struct arena *arena,
    struct error *err)
{
	const struct acme_challenge *challenges;

	*out = (struct acme_authorization){ 0 };
	if (!read_document(text, authorization_fields, out, arena, err))
		return false;
	challenges = out->challenges.items;
	for (size_t i = 0; i < out->challenges.count; i++) {
		if (!url_fine(&challenges[i].url) ||
		    (challenges[i].token.given && !acme_token_valid(challenges[i].token.text)))
			return unreadable(err);
	}
	return name_fine(out->name.text) || unreadable(err);
}

bool
acme_read_problem(view text, struct acme_problem *out, struct arena *arena, struct error *err)
{
	bool starved;

	*out = (struct acme_problem){ 0 };
	if (read_fields(text, problem_fields, out, arena, &starved))
		return true;
	*out = (struct acme_problem){ 0 };
	return !starved || error_memory(err);
}

bool
acme_problem_is(const struct acme_problem *problem, view name)
{
	return view_starts(problem->type.text, V(URN)) &&
	    view_eq(view_from(problem->type.text, sizeof(URN) - 1), name);
}

/* Another's words: in one line, and not too many. */
static void
add_line(struct buf *out, view text)
{
	size_t len = text.len > DETAIL_SHOWN ? DETAIL_SHOWN : text.len;

	/* Not in the middle of a character. */
	while (len < text.len && len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
		len--;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		buf_add_char(out, c < ' ' || c == 0x7f ? ' ' : text.ptr[i]);
	}
	if (len < text.len)
		buf_add(out, V("..."));
}

bool
acme_problem_set(const struct acme_problem *problem, enum error_code code, struct error *err)
{
	AUTO(buf_free) struct buf text = { 0 };
	view type = problem->type.text;

	if (view_starts(type, V(URN)))
		type = view_from(type, sizeof(URN) - 1);
	add_line(&text, type.len > 0 ? type : V("no reason given"));
	if (problem->detail.text.len > 0) {
		buf_add(&text, V(": "));
		add_line(&text, problem->detail.text);
	}
	if (!buf_ok(&text))
		return error_memory(err);
	return error_set(err, code, "%.*s", VIEW_ARG(buf_view(&text)));
}
