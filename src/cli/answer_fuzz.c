/*
 * What an authority and a vault may answer to the agent and to fetch-certificate, or who is in
 * their place: the first byte says with which status.  The same text as a vault's address.
 */
#include "base/fuzzing.h"
#include "cli/agent_token.h"
#include "cli/fetch_ask.h"
#include "cli/remote.h"

#define NOW INT64_C(1706659200)

static void
try_token(long status, view text)
{
	AUTO(agent_token_free) struct agent_token token = { 0 };
	struct error err = { 0 };

	if (agent_token_read(status, text, NOW, &token, &err))
		check(status == 200 && plain_view(token.text).len > 0 && token.expires_on > NOW);
	else
		check(err.message[0] != '\0' && token.text == NULL);
}

static void
try_certificate(long status, view text)
{
	AUTO(fetched_free) struct fetched fetched = { 0 };
	struct error err = { 0 };

	if (fetch_read(V("web"), status, text, NOW, &fetched, &err))
		check(status == 200 && fetch_is_version(view_of(fetched.version)) &&
		    plain_view(fetched.chain).len > 0);
	else
		check(err.message[0] != '\0' && fetched.key == NULL);
}

static void
try_place(view text)
{
	AUTO(fetch_place_done) struct fetch_place place = { 0 };
	view authority = text, vault = view_cut(&authority, '\n');
	struct error err;
	int64_t seconds;

	if (fetch_place_parse(vault, authority, &place, &err))
		check(view_starts(buf_view(&place.vault), V("https://")) &&
		    view_starts(buf_view(&place.resource), V("https://")));
	if (timespan_parse(text, &seconds))
		check(seconds >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const long statuses[] = { 200, 400, 401, 403, 404, 429, 500 };
	view text = { (const char *)data + 1, len - 1 };
	long status;

	if (len == 0)
		return 0;
	status = statuses[data[0] % COUNT_OF(statuses)];
	try_token(status, text);
	try_certificate(status, text);
	try_place(text);
	return 0;
}
