#include "http/client.h"

#include "base/wipe.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX ((size_t)1024 * 1024)

struct taking {
	struct buf *body;
	size_t max;
};

static size_t
take(char *bytes, size_t size, size_t count, void *ctx)
{
	struct taking *taking = ctx;

	if (taking->body->len + size * count > taking->max)
		return 0;
	buf_add(taking->body, (view){ bytes, size * count });
	return buf_ok(taking->body) ? size * count : 0;
}

static void
take_value(struct client_field *field, view value)
{
	buf_reset(&field->value);
	if (value.len <= CLIENT_FIELD_MAX)
		buf_add(&field->value, value);
}

/* libcurl gives one line of the head at a time, with its end. */
static size_t
take_line(char *bytes, size_t size, size_t count, void *ctx)
{
	const struct client_request *request = ctx;
	view value = { bytes, size * count };
	view name = view_cut(&value, ':');

	while (
	    value.len > 0 && (value.ptr[value.len - 1] == '\r' || value.ptr[value.len - 1] == '\n'))
		value.len--;
	for (size_t i = 0; i < request->field_count; i++) {
		if (view_ieq(name, view_of(request->fields[i].name)))
			take_value(&request->fields[i], view_trim(value));
	}
	return size * count;
}

/* RFC 3927 and RFC 4291, 2.5.6; an IPv4 address also as the IPv6 address that maps it. */
bool
client_refuses(const struct sockaddr *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in plain;
	struct sockaddr_in6 six;
	const uint8_t *four;

	if (address->sa_family == AF_INET) {
		memcpy(&plain, address, sizeof(plain));
		four = (const uint8_t *)&plain.sin_addr;
		return four[0] == 169 && four[1] == 254;
	}
	if (address->sa_family != AF_INET6)
		return true;
	memcpy(&six, address, sizeof(six));
	four = six.sin6_addr.s6_addr + sizeof(mapped);
	if (memcmp(six.sin6_addr.s6_addr, mapped, sizeof(mapped)) == 0)
		return four[0] == 169 && four[1] == 254;
	return six.sin6_addr.s6_addr[0] == 0xfe && (six.sin6_addr.s6_addr[1] & 0xc0) == 0x80;
}

/* libcurl asks for a socket once the name is resolved: the last moment to look at the address. */
static curl_socket_t
open_carefully(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)ctx;
	(void)purpose;
	if (client_refuses(&address->addr))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool
is_loopback(const struct sockaddr *address)
{
	struct sockaddr_in plain;
	struct sockaddr_in6 six;

	if (address->sa_family == AF_INET) {
		memcpy(&plain, address, sizeof(plain));
		return ntohl(plain.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&six, address, sizeof(six));
	return IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
}

static curl_socket_t
open_locally(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)ctx;
	(void)purpose;
	if (!is_loopback(&address->addr) && !client_refuses(&address->addr))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static CURLcode
trust_more(CURL *curl, void *ssl_ctx, void *ctx)
{
	const char *file = ctx;

	(void)curl;
	return SSL_CTX_load_verify_file(ssl_ctx, file) == 1 ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
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
	if (request->field_name != NULL &&
	    !add_field(fields, request->field_name, request->field_value, err))
		return false;
	return request->content_type == NULL ||
	    add_field(fields, "Content-Type", request->content_type, err);
}

/* A text is copied: without it there would be another authority, method or way to go. */
static bool
set_text(CURL *curl, CURLoption option, const char *text)
{
	return text == NULL || curl_easy_setopt(curl, option, text) == CURLE_OK;
}

static bool
set_trust(CURL *curl, const struct client_request *request)
{
	if (request->more_ca_file != NULL) {
		(void)curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, trust_more);
		(void)curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, request->more_ca_file);
	}
	if (request->careful)
		(void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_carefully);
	/* Debian's libcurl looks into the system's folder beside any file. */
	if (request->ca_file != NULL)
		(void)curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	return set_text(curl, CURLOPT_CAINFO, request->ca_file);
}

static bool
set_way(CURL *curl, const struct client_request *request)
{
	bool plain = request->unix_path != NULL || request->local;

	if (request->local)
		(void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_locally);
	return set_text(curl, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https") &&
	    set_text(curl, CURLOPT_UNIX_SOCKET_PATH, request->unix_path) &&
	    /* whatever the environment says */
	    set_text(curl, CURLOPT_PROXY, plain ? "" : NULL) &&
	    set_text(curl, CURLOPT_URL, request->url);
}

static bool
set_options(CURL *curl, const struct client_request *request, struct curl_slist *fields,
    struct taking *taking, char *problem)
{
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)request->seconds);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, taking);
	if (request->field_count > 0) {
		(void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_line);
		(void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, request);
	}
	if (strcmp(request->method, "HEAD") == 0)
		(void)curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	if (request->content_type != NULL) {
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.ptr);
	}
	return set_text(curl, CURLOPT_CUSTOMREQUEST, request->method) &&
	    set_text(curl, CURLOPT_USERAGENT, "Strongroom") && set_way(curl, request) &&
	    set_trust(curl, request);
}

/* The fields that were asked for are there as they came. */
static bool
fields_whole(const struct client_request *request)
{
	for (size_t i = 0; i < request->field_count; i++) {
		if (!buf_ok(&request->fields[i].value))
			return false;
	}
	return true;
}

bool
client_send(const struct client_request *request, long *status, struct buf *body, struct error *err)
{
	AUTO(curl_done) CURL *curl = curl_easy_init();
	AUTO(fields_done) struct curl_slist *fields = NULL;
	struct taking taking = { body, request->max > 0 ? request->max : BODY_MAX };
	char problem[CURL_ERROR_SIZE] = "";
	CURLcode code;

	if (curl == NULL)
		return error_memory(err);
	if (!add_fields(request, &fields, err))
		return false;
	if (!set_options(curl, request, fields, &taking, problem))
		return error_memory(err);
	code = curl_easy_perform(curl);
	if (code == CURLE_OUT_OF_MEMORY || !buf_ok(body) || !fields_whole(request))
		return error_memory(err);
	if (code != CURLE_OK)
		return error_set(err, ERR_UNAVAILABLE, "%s: %s", request->url,
		    problem[0] != '\0' ? problem : curl_easy_strerror(code));
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	return true;
}

bool
client_wipe_memory(void)
{
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_free, wipe_realloc, strdup,
		   calloc) == CURLE_OK;
}
