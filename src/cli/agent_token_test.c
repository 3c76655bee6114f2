#include "cli/agent_token.h"

#include "base/base64.h"
#include "base/testing.h"
#include "crypto/publickey.h"
#include "crypto/keypair.h"

#define NOW 1700000000

static struct error err;

static void
test_reads_replies(void **state)
{
	static const struct {
		long status;
		view body;
		enum error_code code;
		int64_t expires;
		const char *why;
	} rows[] = {
		{ 200,
		    V_INIT("{\"access_token\":\"t\",\"expires_on\":\"1700003600\","
			   "\"not_before\":\"1699999999\",\"expires_in\":\"3599\"}"),
		    ERR_NONE, 1700003600, "" },
		{ 200, V_INIT("{\"access_token\":\"t\",\"expires_on\":1700003600}"), ERR_NONE,
		    1700003600, "" },
		{ 200, V_INIT("{\"access_token\":\"t\",\"expires_in\":3599}"), ERR_NONE, NOW + 3599,
		    NULL },
		{ 200, V_INIT("{\"access_token\":\"t\"}"), ERR_UNAVAILABLE, 0, "no token" },
		{ 200, V_INIT("{\"access_token\":\"\",\"expires_in\":3599}"), ERR_UNAVAILABLE, 0,
		    "no token" },
		{ 200, V_INIT("{\"access_token\":5,\"expires_in\":3599}"), ERR_UNAVAILABLE, 0,
		    "no token" },
		{ 200, V_INIT("{\"access_token\":\"t\",\"expires_on\":\"1700000000\"}"),
		    ERR_UNAVAILABLE, 0, "no token" },
		{ 200, V_INIT("{\"access_token\":\"t\",\"expires_on\":\"-5\"}"), ERR_UNAVAILABLE, 0,
		    "no token" },
		{ 200, V_INIT("[]"), ERR_UNAVAILABLE, 0, "no token" },
		{ 200, V_INIT("<html>"), ERR_UNAVAILABLE, 0, "no JSON" },
		{ 200, V_INIT(""), ERR_UNAVAILABLE, 0, "no JSON" },
		{ 503, V_INIT("{}"), ERR_UNAVAILABLE, 0, "503" },
		{ 429, V_INIT("{}"), ERR_UNAVAILABLE, 0, "429" },
		{ 400, V_INIT("{\"error\":\"unauthorized_client\",\"error_codes\":[700016]}"),
		    ERR_NOT_FOUND, 0, "Identity not found" },
		{ 401, V_INIT("{\"error\":\"invalid_client\",\"error_codes\":[700021]}"),
		    ERR_NOT_FOUND, 0, "Identity not found" },
		{ 400,
		    V_INIT("{\"error\":\"invalid_resource\",\"error_codes\":[500011],"
			   "\"error_description\":\"AADSTS500011: no such resource\"}"),
		    ERR_STS_UNKNOWN_RESOURCE, 0, "AADSTS500011: no such resource" },
		{ 400, V_INIT("{\"error\":\"invalid_grant\",\"error_codes\":[50053]}"),
		    ERR_UNAVAILABLE, 0, "refused (400)" },
		{ 401,
		    V_INIT("{\"error\":\"invalid_client\",\"error_codes\":[700024],"
			   "\"error_description\":\"AADSTS700024: look at the clock\"}"),
		    ERR_BAD_REQUEST, 0, "look at the clock" },
		{ 404, V_INIT("{}"), ERR_BAD_REQUEST, 0, "no reason given" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct agent_token token = { 0 };
		bool fine = agent_token_read(rows[i].status, rows[i].body, NOW, &token, &err);

		if (fine != (rows[i].code == ERR_NONE))
			fail_msg("row %zu: %s", i, fine ? "taken" : err.message);
		if (fine) {
			assert_text(plain_view(token.text), V("t"));
			assert_int_equal(token.expires_on, rows[i].expires);
			assert_true(token.not_before <= NOW);
		} else if (err.code != rows[i].code || strstr(err.message, rows[i].why) == NULL) {
			fail_msg("row %zu: %s", i, err.message);
		}
		agent_token_free(&token);
	}
}

static view
decoded(view text, char *room)
{
	size_t len;

	assert_true(base64_decode(BASE64URL, text, room, &len));
	return (view){ room, len };
}

static void
test_asserts(void **state)
{
	AUTO(buf_free) struct buf pem = { 0 }, spki = { 0 }, text = { 0 };
	struct agent_settings settings = { .login = V("https://login.example.org:1"),
		.tenant = V("T"),
		.machine = V("M") };
	struct agent_host host = { .settings = &settings };
	struct public_key *public = NULL;
	struct private_key *key = NULL;
	char room[1024];
	view rest, header, payload;

	(void)state;
	assert_fine(keypair_new(&pem, &spki, &err), &err);
	assert_fine(private_key_from_pem(buf_view(&pem), &key, &err), &err);
	assert_fine(public_key_from_spki(buf_view(&spki), &public, &err), &err);
	host.key = key;
	assert_fine(agent_assertion(&host, NOW, &text, &err), &err);
	rest = buf_view(&text);
	header = view_cut(&rest, '.');
	payload = view_cut(&rest, '.');
	assert_true(public_key_verify(public, SIGNATURE_ES256,
	    (view){ text.ptr, header.len + 1 + payload.len }, decoded(rest, room)));
	assert_text(decoded(header, room), V("{\"alg\":\"ES256\",\"typ\":\"JWT\"}"));
	payload = decoded(payload, room);
	assert_true(view_starts(payload,
	    V("{\"iss\":\"M\",\"sub\":\"M\","
	      "\"aud\":\"https://login.example.org:1/T/oauth2/token\",\"jti\":\"")));
	assert_true(
	    view_ends(payload, V("\",\"iat\":1700000000,\"nbf\":1700000000,\"exp\":1700000300}")));
	private_key_free(key);
	public_key_free(public);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_replies),
		cmocka_unit_test(test_asserts),
	};

	return cmocka_run_group_tests_name("agent token", tests, NULL, NULL);
}
