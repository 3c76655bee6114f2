#include "cli/agent.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/uuid.h"
#include "cli/agent_ask.h"
#include "cli/agent_cache.h"
#include "cli/peer.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_LEN ((size_t)2 * SHA256_LEN)

struct agent {
	struct agent_host host;
	struct agent_cache *cache;
	struct http_server *http;
	const char *addresses[2];
	uint8_t secret[SHA256_LEN]; /* of the users' headers */
};

/* One request on its way; in the exchange's arena. */
struct question {
	struct agent_waiter waiter; /* first: one is cast to the other */
	struct agent *agent;
	struct http_exchange *exchange;
	struct agent_ask ask;
	uid_t uid;
	const struct agent_identity *identity;
	struct agent_token fetched;
	struct error err; /* of the work, when it is not ${fine} */
	bool fine;
};

static void
send_json(struct http_exchange *exchange, int status)
{
	exchange->reply.status = status;
	buf_add(&exchange->reply.fields,
	    V("Content-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n"));
	http_send(exchange);
}

static void
write_refusal(struct http_reply *reply, const char *error, view description, bool app_service)
{
	struct json json = json_to(&reply->body);

	if (!utf8_valid(description))
		description = V("");
	json_open(&json, '{');
	json_text(&json, "error", view_of(error));
	json_text(&json, "error_description", description);
	if (app_service) { /* where its clients look */
		json_number(&json, "statusCode", reply->status);
		json_text(&json, "message", description);
	}
	json_close(&json, '}');
}

static void
refuse(struct http_exchange *exchange, const struct agent_refusal *refusal)
{
	exchange->reply.status = refusal->status;
	write_refusal(&exchange->reply, refusal->error, refusal->description,
	    view_starts(exchange->request.path, V("/msi/")));
	if (refusal->status == 405)
		buf_add(&exchange->reply.fields, V("Allow: GET\r\n"));
	send_json(exchange, refusal->status);
}

static void
refuse_for(struct http_exchange *exchange, const struct error *err)
{
	static const struct {
		enum error_code code;
		int status;
		const char *error;
	} rows[] = {
		{ ERR_BAD_REQUEST, 400, "invalid_request" },
		{ ERR_NOT_FOUND, 400, "invalid_request" }, /* "Identity not found" */
		{ ERR_STS_UNKNOWN_RESOURCE, 400, "invalid_resource" },
		{ ERR_FORBIDDEN, 403, "access_denied" },
		{ ERR_UNAVAILABLE, 503, "temporarily_unavailable" },
	};
	struct agent_refusal refusal = { 500, "server_error", view_of(err->message) };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].code == err->code)
			refusal = (struct agent_refusal){ rows[i].status, rows[i].error,
				view_of(err->message) };
	}
	refuse(exchange, &refusal);
}

/* Requests that are no HTTP. */
static void
on_refuse(void *ctx, const struct error *err, struct http_reply *reply)
{
	(void)ctx;
	write_refusal(reply, "invalid_request", view_of(err->message), false);
	buf_add(&reply->fields, V("Content-Type: application/json; charset=utf-8\r\n"));
}

/* A header of each user's own, without state: the same as long as the host's key is. */
static bool
header_of(const struct agent *agent, uid_t uid, char out[HEADER_LEN], struct error *err)
{
	uint64_t number = uid;
	uint8_t mac[SHA256_LEN];

	if (!hmac_sha256((view){ (const char *)agent->secret, sizeof(agent->secret) },
		(view){ (const char *)&number, sizeof(number) }, mac, err))
		return false;
	hex_encode((view){ (const char *)mac, sizeof(mac) }, out);
	return true;
}

static void
add_text_number(struct json *json, const char *name, int64_t number)
{
	char digits[24];
	struct buf text = { .ptr = digits, .size = sizeof(digits) };

	buf_add_u64(&text, number > 0 ? (uint64_t)number : 0);
	json_text(json, name, buf_view(&text));
}

/* All members are texts, numbers too. */
static void
write_token(const struct question *question, const struct agent_token *token, struct json *json)
{
	json_open(json, '{');
	json_text(json, "access_token", plain_view(token->text));
	json_text(json, "client_id", question->identity->client_id);
	add_text_number(json, "expires_on", token->expires_on);
	json_text(json, "resource", question->ask.resource);
	json_text(json, "token_type", V("Bearer"));
	if (question->ask.shape == SHAPE_IMDS) {
		int64_t left = token->expires_on - clock_wall();

		add_text_number(json, "expires_in", left);
		add_text_number(json, "ext_expires_in", left);
		add_text_number(json, "not_before", token->not_before);
	}
	json_close(json, '}');
}

/* The cache's word: a token, or none. */
static void
on_token(struct agent_waiter *waiter, const struct agent_token *token, const struct error *err)
{
	struct question *question = (struct question *)waiter;
	struct http_exchange *exchange = question->exchange;
	struct json json = json_to(&exchange->reply.body);

	if (token == NULL) {
		log_line(LOG_WARN, "agent.failed", "user %u, identity %.*s: %s",
		    (unsigned)question->uid, VIEW_ARG(question->identity->name), err->message);
		refuse_for(exchange, err);
		return;
	}
	log_line(LOG_INFO, "agent.token", "user %u, identity %.*s, resource %.*s",
	    (unsigned)question->uid, VIEW_ARG(question->identity->name),
	    VIEW_ARG(question->ask.resource));
	write_token(question, token, &json);
	send_json(exchange, 200);
}

/* On a thread of the pool. */
static void
fetch(struct http_exchange *exchange)
{
	struct question *question = exchange->user;

	question->fine = agent_token_fetch(&question->agent->host, question->identity->client_id,
	    question->ask.resource, &question->fetched, &question->err);
}

static void
fetched(struct http_exchange *exchange)
{
	struct question *question = exchange->user;

	agent_cache_put(question->agent->cache, question->identity->client_id,
	    question->ask.resource, clock_wall(), question->fine ? &question->fetched : NULL,
	    &question->err);
}

/* On a thread of the pool: accounts may come from the network. */
static void
look_up(struct http_exchange *exchange)
{
	struct question *question = exchange->user;
	struct account account;

	question->fine = account_find(question->uid, &exchange->arena, &account, &question->err) &&
	    identity_choose(question->agent->host.settings, &account, question->ask.key,
		question->ask.identity, &question->identity, &question->err);
}

static void
looked_up(struct http_exchange *exchange)
{
	struct question *question = exchange->user;
	struct agent *agent = question->agent;

	if (!question->fine) {
		log_line(LOG_WARN, "agent.refused", "user %u: %s", (unsigned)question->uid,
		    question->err.message);
		refuse_for(exchange, &question->err);
		return;
	}
	if (agent_cache_ask(agent->cache, question->identity->client_id, question->ask.resource,
		clock_wall(), &question->waiter) == CACHE_FETCH)
		http_work(exchange, fetch, fetched);
}

static bool
header_fits(const struct question *question, struct error *err)
{
	char header[HEADER_LEN];

	if (question->ask.shape != SHAPE_APP_SERVICE)
		return true;
	if (!header_of(question->agent, question->uid, header, err))
		return false;
	return constant_time_equal(question->ask.header, (view){ header, sizeof(header) }) ||
	    error_set(err, ERR_FORBIDDEN,
		"X-IDENTITY-HEADER is not the one of user %u (see `strongroom agent env`).",
		(unsigned)question->uid);
}

static void
send_environment(struct question *question)
{
	struct http_exchange *exchange = question->exchange;
	bool ipv6 = strchr(question->agent->addresses[0], ':') != NULL;
	char header[HEADER_LEN];
	struct error err;

	if (!header_of(question->agent, question->uid, header, &err)) {
		refuse_for(exchange, &err);
		return;
	}
	buf_print(&exchange->reply.body,
	    "export IDENTITY_ENDPOINT=http://%s%s%s:%u/msi/token\nexport IDENTITY_HEADER=%.*s\n",
	    ipv6 ? "[" : "", question->agent->addresses[0], ipv6 ? "]" : "",
	    http_server_port(question->agent->http), (int)HEADER_LEN, header);
	exchange->reply.status = 200;
	buf_add(&exchange->reply.fields, V("Content-Type: text/plain\r\n"));
	http_send(exchange);
}

static void
on_request(void *ctx, struct http_exchange *exchange)
{
	struct question *question = arena_alloc(&exchange->arena, sizeof(*question));
	struct agent_refusal refusal;
	struct error err;

	if (question == NULL) {
		(void)error_memory(&err);
		refuse_for(exchange, &err);
		return;
	}
	question->waiter.done = on_token;
	question->agent = ctx;
	question->exchange = exchange;
	exchange->user = question;
	if (!agent_ask_read(&exchange->request, &exchange->arena, &question->ask, &refusal))
		refuse(exchange, &refusal);
	else if (!peer_user(http_socket(exchange), &question->uid, &err) ||
	    !header_fits(question, &err))
		refuse_for(exchange, &err);
	else if (question->ask.shape == SHAPE_ENVIRONMENT)
		send_environment(question);
	else
		http_work(exchange, look_up, looked_up);
}

static void
agent_done(struct agent **agent)
{
	agent_close(*agent);
}

static bool
listen_as_set(struct agent *agent, struct error *err)
{
	const struct agent_settings *settings = agent->host.settings;
	const struct http_settings http = {
		.addresses = agent->addresses,
		.port = settings->port,
		.unix_path = settings->socket.ptr,
		.loops = 1,
		.max_connections = 512,
		.max_head = 8192,
		.max_body = 4096,
		.max_fields = 64,
		.max_arena = (size_t)1024 * 1024,
		.head_seconds = 10,
		.body_seconds = 10,
		.idle_seconds = 60,
		.write_seconds = 10,
		.drain_seconds = 5,
		.answer = on_request,
		.refuse = on_refuse,
		.ctx = agent,
	};

	return http_server_open(&http, &agent->http, err);
}

bool
agent_open(const struct agent_host *host, struct agent **out, struct error *err)
{
	AUTO(agent_done) struct agent *agent = calloc(1, sizeof(*agent));

	if (agent == NULL)
		return error_memory(err);
	agent->host = *host;
	agent->addresses[0] = host->settings->address;
	agent->cache = agent_cache_new();
	if (agent->cache == NULL)
		return error_memory(err);
	if (!private_key_derive(host->key, V("strongroom agent: identity header"), agent->secret,
		err) ||
	    !listen_as_set(agent, err))
		return false;
	*out = agent;
	agent = NULL;
	return true;
}

struct http_server *
agent_server(struct agent *agent)
{
	return agent->http;
}

void
agent_close(struct agent *agent)
{
	if (agent == NULL)
		return;
	http_server_free(agent->http);
	agent_cache_free(agent->cache);
	explicit_bzero(agent->secret, sizeof(agent->secret));
	free(agent);
}
