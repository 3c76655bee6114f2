#include "cli/agent_token.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_tree.h"
#include "base/percent.h"
#include "crypto/random.h"
#include "http/client.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ASSERTION_SECONDS 300
#define TRY_SECONDS 8
#define REFUSAL_MAX 600 /* bytes of the authority's words */
#define LIFE_MAX 86400  /* seconds */

void
agent_token_free(struct agent_token *token)
{
	plain_free(token->text);
	*token = (struct agent_token){ 0 };
}

static void
add_payload(const struct agent_settings *settings, int64_t now, struct buf *out)
{
	struct json json = json_to(out);
	struct uuid id;

	random_uuid(&id);
	json_open(&json, '{');
	json_text(&json, "iss", settings->machine);
	json_text(&json, "sub", settings->machine);
	json_text_open(&json, "aud");
	json_text_part(&json, settings->login);
	json_text_part(&json, V("/"));
	json_text_part(&json, settings->tenant);
	json_text_part(&json, V("/oauth2/token"));
	json_text_close(&json);
	json_text(&json, "jti", uuid_view(&id));
	json_number(&json, "iat", now);
	json_number(&json, "nbf", now);
	json_number(&json, "exp", now + ASSERTION_SECONDS);
	json_close(&json, '}');
}

bool
agent_assertion(const struct agent_host *host, int64_t now, struct buf *out, struct error *err)
{
	AUTO(buf_free) struct buf payload = { 0 }, text = { 0 }, signature = { 0 };

	add_payload(host->settings, now, &payload);
	base64_encode(BASE64URL, V("{\"alg\":\"ES256\",\"typ\":\"JWT\"}"), &text);
	buf_add_char(&text, '.');
	base64_encode(BASE64URL, buf_view(&payload), &text);
	if (!buf_ok(&payload) || !buf_ok(&text))
		return error_memory(err);
	if (!private_key_sign(host->key, buf_view(&text), &signature, err))
		return false;
	buf_add_char(&text, '.');
	base64_encode(BASE64URL, buf_view(&signature), &text);
	buf_add(out, buf_view(&text));
	return (buf_ok(&text) && buf_ok(out)) || error_memory(err);
}

/* Numbers come as texts or as numbers. */
static int64_t
number_of(const json_t *tree, const char *name)
{
	const json_t *value = json_object_get(tree, name);
	uint64_t number;

	if (json_is_integer(value))
		return json_integer_value(value);
	if (!json_is_string(value) || !view_u64(json_tree_text(value), &number) ||
	    number > INT64_MAX)
		return 0;
	return (int64_t)number;
}

static bool
read_token(const json_t *tree, int64_t now, struct agent_token *out, struct error *err)
{
	const json_t *text = json_object_get(tree, "access_token");
	struct agent_token token = { .not_before = number_of(tree, "not_before"),
		.expires_on = number_of(tree, "expires_on") };
	int64_t life = number_of(tree, "expires_in");

	if (token.expires_on == 0 && life > 0)
		token.expires_on = now + (life < LIFE_MAX ? life : LIFE_MAX);
	if (token.not_before == 0)
		token.not_before = now;
	if (!json_is_string(text) || json_string_length(text) == 0 || token.expires_on <= now)
		return error_set(err, ERR_UNAVAILABLE,
		    "The authority's reply holds no token that is valid now.");
	token.text = plain_copy(json_tree_text(text));
	if (token.text == NULL)
		return error_memory(err);
	*out = token;
	return true;
}

/* The authority's numbers, and what they are to a local client. */
static enum error_code
code_of(const json_t *tree)
{
	static const struct {
		json_int_t number;
		enum error_code code;
	} rows[] = {
		{ 700016, ERR_NOT_FOUND }, /* an identity that the machine does not have */
		{ 700021, ERR_NOT_FOUND }, { 500011, ERR_STS_UNKNOWN_RESOURCE },
		{ 50053, ERR_UNAVAILABLE }, /* locked: wait */
	};
	const json_t *numbers = json_object_get(tree, "error_codes");

	for (size_t i = 0; i < json_array_size(numbers); i++) {
		for (size_t j = 0; j < COUNT_OF(rows); j++) {
			if (json_integer_value(json_array_get(numbers, i)) == rows[j].number)
				return rows[j].code;
		}
	}
	return ERR_BAD_REQUEST;
}

static bool
refused(const json_t *tree, long status, struct error *err)
{
	const char *words = json_string_value(json_object_get(tree, "error_description"));
	enum error_code code = code_of(tree);

	if (code == ERR_NOT_FOUND)
		return error_set(err, code, "Identity not found");
	return error_set(err, code, "The authority refused (%ld): %.*s", status, REFUSAL_MAX,
	    words == NULL ? "no reason given" : words);
}

bool
agent_token_read(long status, view body, int64_t now, struct agent_token *out, struct error *err)
{
	AUTO(json_tree_done) json_t *tree = NULL;

	if (status >= 500 || status == 429)
		return error_set(err, ERR_UNAVAILABLE, "The authority is not well (%ld).", status);
	if (!json_tree_read(body, 0, &tree, err))
		return false;
	if (tree == NULL)
		return error_set(err, ERR_UNAVAILABLE, "The authority answered (%ld) in no JSON.",
		    status);
	return status == 200 ? read_token(tree, now, out, err) : refused(tree, status, err);
}

/* The version 1 endpoint: it takes the resource as it is, and tells when the token expires. */
bool
agent_token_ask(const struct agent_authority *authority, view form, int64_t now,
    struct agent_token *out, struct error *err)
{
	AUTO(buf_free) struct buf url = { 0 }, body = { 0 };
	struct client_request request = {
		.method = "POST",
		.ca_file = authority->ca_file,
		.content_type = "application/x-www-form-urlencoded",
		.body = form,
		.seconds = authority->seconds,
	};
	long status;

	buf_print(&url, "%.*s/%.*s/oauth2/token", VIEW_ARG(authority->login),
	    VIEW_ARG(authority->tenant));
	buf_add_char(&url, '\0');
	if (!buf_ok(&url))
		return error_memory(err);
	request.url = url.ptr;
	return client_send(&request, &status, &body, err) &&
	    agent_token_read(status, buf_view(&body), now, out, err);
}

/* Once. */
static bool
fetch(const struct agent_host *host, view client_id, view resource, struct agent_token *out,
    struct error *err)
{
	const struct agent_settings *settings = host->settings;
	const struct agent_authority authority = {
		.login = settings->login,
		.tenant = settings->tenant,
		.ca_file = settings->ca.len > 0 ? settings->ca.ptr : NULL,
		.seconds = TRY_SECONDS,
	};
	AUTO(buf_free) struct buf assertion = { 0 }, form = { 0 };
	int64_t now = clock_wall();

	if (!agent_assertion(host, now, &assertion, err))
		return false;
	pairs_add(&form, "grant_type", V("client_credentials"));
	pairs_add(&form, "client_id", client_id);
	pairs_add(&form, "resource", resource);
	pairs_add(&form, "client_assertion_type",
	    V("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
	pairs_add(&form, "client_assertion", buf_view(&assertion));
	if (!buf_ok(&form))
		return error_memory(err);
	return agent_token_ask(&authority, buf_view(&form), now, out, err);
}

bool
agent_token_fetch(const struct agent_host *host, view client_id, view resource,
    struct agent_token *out, struct error *err)
{
	static const struct timespec pauses[] = {
		{ .tv_nsec = 200000000 },
		{ .tv_nsec = 700000000 },
		{ .tv_sec = 2 },
	};

	for (size_t i = 0;; i++) {
		if (fetch(host, client_id, resource, out, err))
			return true;
		if (err->code != ERR_UNAVAILABLE || i == COUNT_OF(pauses))
			return false;
		(void)nanosleep(&pauses[i], NULL);
	}
}
