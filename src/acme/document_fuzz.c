/*
 * What an ACME server may answer; the first byte says as what it is read.  Whatever is taken is
 * within its bounds, and whatever is not says why.
 */
#include "acme/document.h"

#include "acme/http01.h"
#include "base/fuzzing.h"
#include "base/json.h"

static void
check_url(const struct body_text *url)
{
	check(!url->given || (acme_url_valid(url->text) && url->text.len < ACME_URL_MAX));
}

static void
try_directory(view text, struct arena *arena)
{
	struct acme_directory directory;
	struct error err;

	if (!acme_read_directory(text, &directory, arena, &err))
		return;
	check_url(&directory.new_nonce);
	check(directory.new_order.given && directory.new_account.given);
}

static void
try_order(view text, struct arena *arena)
{
	struct acme_order order;
	struct error err;

	if (!acme_read_order(text, &order, arena, &err))
		return;
	check_url(&order.finalize);
	check_url(&order.certificate);
	check(order.authorizations.count <= ACME_NAMES_MAX);
}

static void
try_authorization(view text, struct arena *arena)
{
	struct acme_authorization authorization;
	const struct acme_challenge *challenges;
	struct error err;

	if (!acme_read_authorization(text, &authorization, arena, &err))
		return;
	check(authorization.name.text.len > 0 && authorization.name.text.len < ACME_NAME_MAX);
	challenges = authorization.challenges.items;
	for (size_t i = 0; i < authorization.challenges.count; i++) {
		check_url(&challenges[i].url);
		check(!challenges[i].token.given || acme_token_valid(challenges[i].token.text));
	}
}

static void
try_problem(view text, struct arena *arena)
{
	struct acme_problem problem;
	struct error err;

	(void)!acme_read_problem(text, &problem, arena, &err);
	check(!acme_problem_set(&problem, ERR_BAD_REQUEST, &err));
	check(err.message[0] != '\0' && utf8_valid(view_of(err.message)));
}

/* What strangers ask the listener where proofs are seen, and an address to listen at. */
static void
try_listener(view text, struct arena *arena)
{
	view asked = http01_token_asked(text), address;

	check(asked.len == 0 || acme_token_valid(asked));
	check(arena_copy(arena, text, &address));
	if (http01_address_valid(address.ptr))
		check(address.len >= 6);
}

/* Where an order stands, as something may have damaged it in the store. */
static void
try_state(view bytes)
{
	static struct acme_state state, again;
	AUTO(buf_free) struct buf once = { 0 };

	if (!acme_unpack(bytes, &state))
		return;
	check(acme_stage_name(state.stage) != NULL);
	acme_pack(&state, &once);
	check(acme_unpack(buf_view(&once), &again) && again.stage == state.stage);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view text = { (const char *)data + 1, len - 1 };

	if (len == 0)
		return 0;
	arena_init(&arena, (size_t)4 * 1024 * 1024);
	switch (data[0] % 6) {
	case 0: try_directory(text, &arena); break;
	case 1: try_order(text, &arena); break;
	case 2: try_authorization(text, &arena); break;
	case 3: try_problem(text, &arena); break;
	case 4: try_state(text); break;
	default: try_listener(text, &arena);
	}
	return 0;
}
