#include "http/client.h"

#include <curl/curl.h>
#include <stdio.h>

#define BODY_MAX ((size_t)1024 * 1024)

static size_t
take(char *bytes, size_t size, size_t count, void *ctx)
{
	struct buf *body = ctx;

	if (body->len + size * count > BODY_MAX)
		return 0;
	buf_add(body, (view){ bytes, size * count });
	return buf_ok(body) ? size * count : 0;
}

static void
curl_done(CURL **curl)
{
	curl_easy_cleanup(*curl);
}

static void
fields_done(struct curl_slist **fields)
{
	curl_slist_free_all(*fields);
}

static bool
add_field(struct curl_slist **fields, const char *name, const char *value, struct error *err)
{
	AUTO(buf_free) struct buf line = { 0 };
	struct curl_slist *longer;

	buf_print(&line, "%s: %s", name, value);
	buf_add_char(&line, '\0');
	longer = buf_ok(&line) ? curl_slist_append(*fields, line.ptr) : NULL;
	if (longer == NULL)
		return error_memory(err);
	*fields = longer;
	return true;
}

static bool
add_fields(const struct client_request *request, struct curl_slist **fields, struct error *err)
{
	AUTO(buf_free) struct buf bearer = { 0 };

	if (request->bearer != NULL) {
		buf_print(&bearer, "Bearer %s", request->bearer);
		if (!buf_ok(&bearer))
			return error_memory(err);
		buf_add_char(&bearer, '\0');
		if (!add_field(fields, "Authorization", bearer.ptr, err))
			return false;
	}
	return request->content_type == NULL ||
	    add_field(fields, "Content-Type", request->content_type, err);
}

static void
set_options(CURL *curl, const struct client_request *request, struct curl_slist *fields,
    struct buf *body, char *problem)
{
	(void)curl_easy_setopt(curl, CURLOPT_URL, request->url);
	(void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
	    request->unix_path == NULL ? "https" : "http");
	if (request->unix_path != NULL) {
		(void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request->unix_path);
		(void)curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* whatever the environment says */
	}
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)request->seconds);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	if (request->ca_file != NULL)
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
	if (request->content_type != NULL) {
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.ptr);
	}
}

bool
client_send(const struct client_request *request, long *status, struct buf *body, struct error *err)
{
	AUTO(curl_done) CURL *curl = curl_easy_init();
	AUTO(fields_done) struct curl_slist *fields = NULL;
	char problem[CURL_ERROR_SIZE] = "";
	CURLcode code;

	if (curl == NULL)
		return error_memory(err);
	if (!add_fields(request, &fields, err))
		return false;
	set_options(curl, request, fields, body, problem);
	code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		return error_set(err, ERR_UNAVAILABLE, "%s: %s", request->url,
		    problem[0] != '\0' ? problem : curl_easy_strerror(code));
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	return true;
}
