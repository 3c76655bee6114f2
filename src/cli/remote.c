#include "cli/remote.h"

#include "base/json.h"
#include "base/json_tree.h"
#include "http/client.h"

#include <string.h>

#define SECONDS_MAX 30

bool
timespan_parse(view text, int64_t *seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	uint64_t count;

	if (text.len < 2 || !view_u64((view){ text.ptr, text.len - 1 }, &count) || count > 1000000)
		return false;
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (units[i].unit == text.ptr[text.len - 1]) {
			*seconds = (int64_t)count * units[i].seconds;
			return true;
		}
	}
	return false;
}

static bool
refused(const char *what, long status, const struct buf *body, struct error *err)
{
	return error_set(err, ERR_BAD_REQUEST, "%s: the server answered %ld: %.*s", what, status,
	    VIEW_ARG(buf_view(body)));
}

static bool
take_token(const struct buf *body, struct buf *token, struct error *err)
{
	AUTO(json_tree_done) json_t *tree = NULL;
	const char *text;

	if (!json_tree_read(buf_view(body), 0, &tree, err))
		return false;
	text = json_string_value(json_object_get(tree, "access_token"));
	if (text == NULL)
		return error_set(err, ERR_BAD_REQUEST,
		    "signing in: there is no token in the reply");
	buf_add(token, (view){ text, strlen(text) + 1 });
	return buf_ok(token) || error_memory(err);
}

static bool
sign_in(const struct remote *remote, struct buf *token, struct error *err)
{
	AUTO(buf_free) struct buf url = { 0 }, form = { 0 }, body = { 0 };
	struct client_request request = {
		.method = "POST",
		.ca_file = remote->ca_file,
		.content_type = "application/x-www-form-urlencoded",
		.seconds = SECONDS_MAX,
	};
	long status;

	buf_print(&url, "%s/%s/oauth2/v2.0/token", remote->login, remote->tenant);
	buf_add_char(&url, '\0');
	buf_print(&form,
	    "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s/.default",
	    remote->client_id, remote->client_secret, remote->management);
	if (!buf_ok(&url) || !buf_ok(&form))
		return error_memory(err);
	request.url = url.ptr;
	request.body = buf_view(&form);
	if (!client_send(&request, &status, &body, err))
		return false;
	return status == 200 ? take_token(&body, token, err)
			     : refused("signing in", status, &body, err);
}

bool
remote_call(const struct remote *remote, const struct remote_request *wanted, struct buf *reply,
    struct error *err)
{
	AUTO(buf_free) struct buf token = { 0 }, url = { 0 };
	struct client_request request = {
		.method = wanted->method,
		.ca_file = remote->ca_file,
		.content_type = "application/json",
		.seconds = SECONDS_MAX,
		.body = wanted->body,
	};
	long status;

	if (!sign_in(remote, &token, err))
		return false;
	buf_print(&url, "%s%.*s", remote->management, VIEW_ARG(wanted->target));
	buf_add_char(&url, '\0');
	if (!buf_ok(&url))
		return error_memory(err);
	request.url = url.ptr;
	request.bearer = token.ptr;
	if (!client_send(&request, &status, reply, err))
		return false;
	return status == 200 || refused(wanted->what, status, reply, err);
}

bool
remote_advance_clock(const struct remote *remote, int64_t seconds, struct buf *reply,
    struct error *err)
{
	AUTO(buf_free) struct buf body = { 0 };
	struct json json = json_to(&body);

	json_open(&json, '{');
	json_number(&json, "advance", seconds);
	json_close(&json, '}');
	if (!buf_ok(&body))
		return error_memory(err);
	return remote_call(remote,
	    &(struct remote_request){ "moving the clock", "POST", V("/strongroom/clock"),
		buf_view(&body) },
	    reply, err);
}
