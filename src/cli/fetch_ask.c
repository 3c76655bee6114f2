#include "cli/fetch_ask.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json_tree.h"
#include "base/percent.h"
#include "cli/agent_token.h"
#include "http/client.h"
#include "pki/bundle.h"
#include "pki/chain.h"

#include <stdlib.h>
#include <string.h>

#define ASK_SECONDS 30
#define WORDS_MAX 400 /* of a refusal */
#define ARENA_MAX ((size_t)4 * 1024 * 1024)
#define SCHEME "https://"
#define METADATA "http://169.254.169.254"

bool
fetch_is_version(view text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return text.len == FETCH_VERSION_LEN;
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

/* By a client secret. */
static bool
ask_authority(view resource, struct agent_token *out, struct error *err)
{
	AUTO(buf_free) struct buf form = { 0 };
	struct agent_authority authority = {
		.login = view_of(variable("AZURE_AUTHORITY_HOST")),
		.tenant = view_of(variable("AZURE_TENANT_ID")),
		.ca_file = trusted(),
		.seconds = ASK_SECONDS,
	};

	if (view_ends(authority.login, V("/")))
		authority.login.len--;
	pairs_add(&form, "grant_type", V("client_credentials"));
	pairs_add(&form, "client_id", view_of(variable("AZURE_CLIENT_ID")));
	pairs_add(&form, "client_secret", view_of(variable("AZURE_CLIENT_SECRET")));
	pairs_add(&form, "resource", resource);
	if (!buf_ok(&form))
		return error_memory(err);
	return agent_token_ask(&authority, buf_view(&form), clock_wall(), out, err);
}

/* By the managed identity: App Service's shape, else the instance metadata service's. */
static bool
ask_host(view resource, struct agent_token *out, struct error *err)
{
	AUTO(buf_free) struct buf url = { 0 }, body = { 0 };
	struct client_request request = {
		.method = "GET",
		.local = true,
		.seconds = ASK_SECONDS,
	};
	const char *endpoint = secure_getenv("IDENTITY_ENDPOINT");
	const char *client_id = variable("AZURE_CLIENT_ID");
	long status;

	request.field_name = "X-IDENTITY-HEADER";
	request.field_value = variable("IDENTITY_HEADER");
	if (endpoint != NULL) {
		buf_print(&url, "%s?api-version=2019-08-01", endpoint);
	} else {
		const char *host = secure_getenv("AZURE_POD_IDENTITY_AUTHORITY_HOST");

		buf_print(&url, "%s/metadata/identity/oauth2/token?api-version=2018-02-01",
		    host == NULL ? METADATA : host);
		request.field_name = "Metadata";
		request.field_value = "true";
	}
	pairs_add(&url, "resource", resource);
	if (client_id[0] != '\0')
		pairs_add(&url, "client_id", view_of(client_id));
	buf_add_char(&url, '\0');
	if (!buf_ok(&url))
		return error_memory(err);
	request.url = url.ptr;
	return client_send(&request, &status, &body, err) &&
	    agent_token_read(status, buf_view(&body), clock_wall(), out, err);
}

static bool
ask_token(view resource, struct agent_token *out, struct error *err)
{
	return variable("AZURE_CLIENT_SECRET")[0] != '\0' ? ask_authority(resource, out, err)
							  : ask_host(resource, out, err);
}

static bool
read_refusal(view name, long status, view body, struct error *err)
{
	AUTO(json_tree_done) json_t *tree = NULL;
	const json_t *error;
	view inner, words;

	if (!json_tree_read(body, 0, &tree, err))
		return false;
	error = json_object_get(tree, "error");
	inner = json_tree_member(json_object_get(error, "innererror"), "code");
	words = json_tree_member(error, "message");
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
	view rest = json_tree_member(tree, "id"), last = { 0 };

	while (rest.len > 0)
		last = view_cut(&rest, '/');
	if (!fetch_is_version(last))
		return error_set(err, ERR_BAD_REQUEST, "the vault's reply has no version");
	memcpy(out->version, last.ptr, last.len);
	out->version[last.len] = '\0';
	return true;
}

static bool
take_bundle(const json_t *tree, struct arena *arena, struct bundle *out, struct error *err)
{
	view type = json_tree_member(tree, "contentType"), value = json_tree_member(tree, "value");
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
	AUTO(json_tree_done) json_t *tree = NULL;
	AUTO(fetched_free) struct fetched fetched = { 0 };
	const json_t *ends;
	struct error why;

	if (status != 200)
		return read_refusal(name, status, body, err);
	if (!json_tree_read(body, 0, &tree, err))
		return false;
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
