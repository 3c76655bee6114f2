/*
 * What strangers ask the token endpoint: the first line is the Authorization field, the rest the
 * form.  No more than one credential is taken, and no refresh token that was never given.  The same
 * bytes as a refresh token's document.
 */
#include "keyring/fuzzing.h"
#include "signin/refresh_store.h"
#include "signin/sts_form.h"

#define ARENA_MAX ((size_t)1024 * 1024)
#define NOW INT64_C(1706659200)

static struct store_reader *reader;
static struct keyring *keyring;

static void
try_refresh(view token, struct arena *arena)
{
	static const struct uuid tenant = { "00000000-0000-4000-8000-00000000000a" };
	struct tx tx = { .reader = reader, .keyring = keyring, .arena = arena };
	enum refresh_verdict verdict = REFRESH_FINE;
	struct refresh_use use;
	struct error err = { 0 };

	check(store_begin(reader, &err));
	if (refresh_use(&tx, &tenant, token, NOW, &use, &verdict, &err))
		check(verdict == REFRESH_UNKNOWN);
	store_end(reader);
}

static void
try_form(view authorization, view text, struct arena *arena)
{
	struct form form;
	struct sts_form asked;
	struct error err = { 0 };

	if (!sts_form(text, arena, &form, &err)) {
		check(err.message[0] != '\0');
		return;
	}
	check(form.count <= FORM_PAIRS_MAX);
	if (sts_credential_read(&form, authorization, arena, &asked, &err))
		check(asked.client.len > 0 && (asked.secret.len == 0 || asked.assertion.len == 0));
	if (sts_form_read(&form, authorization, arena, &asked, &err))
		check((asked.secret.len == 0) != (asked.assertion.len == 0));
	else
		check(err.code == ERR_STS_MALFORMED || err.code == ERR_STS_NO_CREDENTIAL);
	try_refresh(form_get(&form, "refresh_token"), arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct store *store;
	AUTO(arena_free) struct arena arena = { 0 };
	view text = { (const char *)data, len }, rest = text;
	view authorization = view_cut(&rest, '\n');
	struct refresh_family family;
	struct error err;

	if (reader == NULL) {
		keyring = fuzzing_keyring(&store);
		check(store_reader_new(store, &reader, &err));
	}
	arena_init(&arena, ARENA_MAX);
	try_form(authorization, rest, &arena);
	if (refresh_family_read(text, &family, &err))
		check(family.count <= REFRESH_BEFORE_MAX);
	return 0;
}
