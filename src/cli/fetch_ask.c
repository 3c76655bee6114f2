#include "cli/fetch_ask.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/percent.h"
#include "cli/agent_token.h"
#include "http/client.h"
#include "pki/bundle.h"
#include "pki/chain.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define ASK_SECONDS 30
#define WORDS_MAX 400 /* of a refusal */
#define ARENA_MAX ((size_t)4 * 1024 * 1024)
#define SCHEME "https://"
#define METADATA "http://169.254.169.254"

static void
tree_done(json_t **tree)
{
	json_decref(*tree);
}

static view
text_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return (view){ json_string_value(value), json_string_length(value) };
}

void
fetched_free(struct fetched *fetched)
{
	plain_free(fetched->key);
	plain_free(fetched->chain);
	plain_free(fetched->combined);
	*fetched = (struct fetched){ 0 };
}

void
fetch_place_done(struct fetch_place *place)
{
	buf_free(&place->vault);
	buf_free(&place->resource);
}

/* Letters, digits, '-', '.', and a port. */
static bool
is_host(view host)
{
	view port = host, name = view_cut(&port, ':');
	uint64_t number;

	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.')
			return false;
	}
	return name.len > 0 &&
	    (name.len == host.len || (view_u64(port, &number) && number < 65536));
}

bool
fetch_place_parse(view vault, view authority, struct fetch_place *out, struct error *err)
{
	AUTO(buf_free) struct buf host = { 0 };
	view rest = vault, domain;
	size_t dot;

	if (view_starts(vault, V(SCHEME))) {
		rest = view_from(vault, sizeof(SCHEME) - 1);
		if (view_ends(rest, V("/")))
			rest.len--;
		buf_add(&host, rest);
	} else if (view_find(vault, '.', &dot)) {
		buf_add(&host, vault);
	} else {
		domain = view_from(authority, sizeof(SCHEME "login") - 1);
		if (!view_starts(authority, V(SCHEME "login.")) || domain.len < 2)
			return error_set(err, ERR_BAD_REQUEST,
			    "give the vault's URL, or AZURE_AUTHORITY_HOST as https://login.DOMAIN");
		buf_add(&host, vault);
		buf_add(&host, V(".vault"));
		if (view_ends(domain, V("/")))
			domain.len--;
		buf_add(&host, domain);
	}
	if (!buf_ok(&host))
		return error_memory(err);
	rest = buf_view(&host);
	if (!is_host(rest) || view_cut(&rest, '.').len == 0 || rest.len == 0)
		return error_set(err, ERR_BAD_REQUEST,
		    "not a vault's URL (https://NAME.vault.DOMAIN): %.*s", VIEW_ARG(vault));
	buf_print(&out->vault, SCHEME "%.*s", VIEW_ARG(buf_view(&host)));
	buf_add_char(&out->vault, '\0');
	buf_print(&out->resource, SCHEME "%.*s", VIEW_ARG(rest));
	buf_add_char(&out->resource, '\0');
	return (buf_ok(&out->vault) && buf_ok(&out->resource)) || error_memory(err);
}

static const char *
trusted(void)
{
	const char *file = secure_getenv("STRONGROOM_CA");

	return file != NULL ? file : secure_getenv("SSL_CERT_FILE");
}

static const char *
variable(const char *name)
{
	const char *text = secure_getenv(name);

	return text == NULL ? "" : text;
}

static void
add_pair(struct buf *out, const char *name, view value)
{
	buf_print(out, "%s=", name);
	percent_encode(value, out);
}

/* By a client secret: the version 1 endpoint, which takes the resource as it is. */
static bool
ask_authority(view resource, long *status, struct buf *body, struct error *err)
{
	AUTO(buf_free) struct buf url = { 0 }, form = { 0 };
	struct client_request request = {
		.method = "POST",
		.ca_file = trusted(),
		.content_type = "application/x-www-form-urlencoded",
		.seconds = ASK_SECONDS,
	};
	view authority = view_of(variable("AZURE_AUTHORITY_HOST"));

	if (view_ends(authority, V("/")))
		authority.len--;
	buf_print(&url, "%.*s/%s/oauth2/token", VIEW_ARG(authority), variable("AZURE_TENANT_ID"));
	buf_add_char(&url, '\0');
	buf_add(&form, V("grant_type=client_credentials&"));
	add_pair(&form, "client_id", view_of(variable("AZURE_CLIENT_ID")));
	buf_add_char(&form, '&');
	add_pair(&form, "client_secret", view_of(variable("AZURE_CLIENT_SECRET")));
	buf_add_char(&form, '&');
	add_pair(&form, "resource", resource);
	if (!buf_ok(&url) || !buf_ok(&form))
		return error_memory(err);
	request.url = url.ptr;
	request.body = buf_view(&form);
	return client_send(&request, status, body, err);
}

/* By the managed identity: App Service's shape, else the instance metadata service's. */
static bool
ask_host(view resource, long *status, struct buf *body, struct error *err)
{
	AUTO(buf_free) struct buf url = { 0 };
	struct client_request request = {
		.method = "GET",
		.local = true,
		.seconds = ASK_SECONDS,
	};
	const char *endpoint = secure_getenv("IDENTITY_ENDPOINT");
	const char *client_id = secure_getenv("AZURE_CLIENT_ID");

	request.field_name = "X-IDENTITY-HEADER";
	request.field_value = variable("IDENTITY_HEADER");
	if (endpoint != NULL) {
		buf_print(&url, "%s?api-version=2019-08-01&", endpoint);
	} else {
		const char *host = secure_getenv("AZURE_POD_IDENTITY_AUTHORITY_HOST");

		buf_print(&url, "%s/metadata/identity/oauth2/token?api-version=2018-02-01&",
		    host == NULL ? METADATA : host);
		request.field_name = "Metadata";
		request.field_value = "true";
	}
	add_pair(&url, "resource", resource);
	if (client_id != NULL && client_id[0] != '\0') {
		buf_add_char(&url, '&');
		add_pair(&url, "client_id", view_of(client_id));
	}
	buf_add_char(&url, '\0');
	if (!buf_ok(&url))
		return error_memory(err);
	request.url = url.ptr;
	return client_send(&request, status, body, err);
}

static bool
ask_token(view resource, struct agent_token *out, struct error *err)
{
	AUTO(buf_free) struct buf body = { 0 };
	bool by_secret = variable("AZURE_CLIENT_SECRET")[0] != '\0';
	long status;

	if (by_secret ? !ask_authority(resource, &status, &body, err)
		      : !ask_host(resource, &status, &body, err))
		return false;
	return agent_token_read(status, buf_view(&body), clock_wall(), out, err);
}

static bool
read_refusal(view name, long status, view body, struct error *err)
{
	AUTO(tree_done) json_t *tree = json_loadb(body.len == 0 ? "" : body.ptr, body.len, 0, NULL);
	const json_t *error = json_object_get(tree, "error");
	view inner = text_of(json_object_get(error, "innererror"), "code");
	view words = text_of(error, "message");

	if (status == 404)
		return error_set(err, ERR_NOT_FOUND,
		    "%.*s is not in the vault: deleted, or never made", VIEW_ARG(name));
	if (status == 403 && view_eq(inner, V("SecretDisabled")))
		return error_set(err, ERR_FORBIDDEN, "%.*s is disabled", VIEW_ARG(name));
	if (words.len > WORDS_MAX)
		words.len = WORDS_MAX;
	return error_set(err, status >= 500 || status == 429 ? ERR_UNAVAILABLE : ERR_BAD_REQUEST,
	    "%.*s: the vault answered %ld: %.*s", VIEW_ARG(name), status, VIEW_ARG(words));
}

static bool
take_version(const json_t *tree, struct fetched *out, struct error *err)
{
	view rest = text_of(tree, "id"), last = { 0 };

	while (rest.len > 0)
		last = view_cut(&rest, '/');
	/* It becomes a folder's name. */
	if (last.len != FETCH_VERSION_LEN)
		return error_set(err, ERR_BAD_REQUEST, "the vault's reply has no version");
	for (size_t i = 0; i < last.len; i++) {
		char c = last.ptr[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return error_set(err, ERR_BAD_REQUEST, "the vault's reply has no version");
	}
	memcpy(out->version, last.ptr, last.len);
	out->version[last.len] = '\0';
	return true;
}

static bool
take_bundle(const json_t *tree, struct arena *arena, struct bundle *out, struct error *err)
{
	view type = text_of(tree, "contentType"), value = text_of(tree, "value");
	AUTO(plain_done) struct plain *pfx = NULL;
	size_t len;

	if (view_ieq(type, V("application/x-pem-file")))
		return bundle_from_pem(value, arena, out, err);
	if (!view_ieq(type, V("application/x-pkcs12")))
		return error_set(err, ERR_BAD_REQUEST, "the secret is no certificate's");
	pfx = plain_new(value.len + 2);
	if (pfx == NULL)
		return error_memory(err);
	if (!base64_decode(BASE64, value, plain_bytes(pfx), &len))
		return error_set(err, ERR_BAD_REQUEST, "the secret is no PKCS#12 in base64");
	plain_resize(pfx, len);
	return bundle_from_pfx(plain_view(pfx), V(""), arena, out, err);
}

/* The leaf first, then who signed whom; what belongs to nobody is left out. */
static bool
take_chain(const struct bundle *bundle, int64_t now, struct arena *arena, struct views *out,
    struct error *err)
{
	struct chain chain;

	if (!chain_order(&bundle->certificates, bundle->spki, arena, &chain, err))
		return false;
	if (chain.certificates[0].not_after < now)
		return error_set(err, ERR_BAD_REQUEST, "the certificate has expired");
	out->items = arena_alloc(arena, chain.linked * sizeof(view));
	if (out->items == NULL)
		return error_memory(err);
	for (size_t i = 0; i < chain.linked; i++)
		out->items[i] = chain.certificates[i].der;
	out->count = chain.linked;
	return true;
}

static bool
take_files(const json_t *tree, int64_t now, struct fetched *out, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(bundle_free) struct bundle bundle = { 0 };
	struct views chain, none = { 0 };

	arena_init(&arena, ARENA_MAX);
	return take_bundle(tree, &arena, &bundle, err) &&
	    take_chain(&bundle, now, &arena, &chain, err) &&
	    bundle_to_pem(plain_view(bundle.key), &none, &out->key, err) &&
	    bundle_to_pem(V(""), &chain, &out->chain, err) &&
	    bundle_to_pem(plain_view(bundle.key), &chain, &out->combined, err);
}

bool
fetch_read(view name, long status, view body, int64_t now, struct fetched *out, struct error *err)
{
	AUTO(tree_done) json_t *tree = NULL;
	AUTO(fetched_free) struct fetched fetched = { 0 };
	const json_t *ends;
	struct error why;

	if (status != 200)
		return read_refusal(name, status, body, err);
	tree = json_loadb(body.len == 0 ? "" : body.ptr, body.len, 0, NULL);
	ends = json_object_get(json_object_get(tree, "attributes"), "exp");
	if (json_is_integer(ends) && json_integer_value(ends) < now)
		return error_set(err, ERR_BAD_REQUEST, "%.*s has expired", VIEW_ARG(name));
	if (!take_version(tree, &fetched, &why) || !take_files(tree, now, &fetched, &why))
		return error_set(err, why.code, "%.*s: %s", VIEW_ARG(name), why.message);
	*out = fetched;
	fetched = (struct fetched){ 0 };
	return true;
}

bool
fetch_ask(const struct fetch_place *place, view name, struct fetched *out, struct error *err)
{
	AUTO(buf_free) struct buf url = { 0 }, body = { 0 };
	AUTO(agent_token_free) struct agent_token token = { 0 };
	AUTO(plain_done) struct plain *bearer = NULL;
	struct client_request request = {
		.method = "GET",
		.ca_file = trusted(),
		.seconds = ASK_SECONDS,
	};
	long status;

	if (!ask_token(view_of(place->resource.ptr), &token, err))
		return false;
	bearer = plain_new(plain_view(token.text).len + 1);
	buf_print(&url, "%s/secrets/%.*s?api-version=7.4", place->vault.ptr, VIEW_ARG(name));
	buf_add_char(&url, '\0');
	if (bearer == NULL || !buf_ok(&url))
		return error_memory(err);
	memcpy(plain_bytes(bearer), plain_view(token.text).ptr, plain_view(token.text).len);
	request.url = url.ptr;
	request.bearer = plain_bytes(bearer);
	return client_send(&request, &status, &body, err) &&
	    fetch_read(name, status, buf_view(&body), clock_wall(), out, err);
}
