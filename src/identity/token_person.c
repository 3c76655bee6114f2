#include "identity/token_person.h"

#include "base/base64.h"
#include "identity/token_issue.h"

#include <stdio.h>

static void
write_given(struct json *json, const char *name, view text)
{
	if (text.len > 0)
		json_text(json, name, text);
}

static void
write_times(struct json *json, int64_t now)
{
	json_number(json, "iat", now);
	json_number(json, "nbf", now);
	json_number(json, "exp", now + TOKEN_SECONDS);
}

static void
write_list_of_one(struct json *json, const char *name, view text)
{
	json_open_in(json, name, '[');
	json_text(json, NULL, text);
	json_close(json, ']');
}

/* Both tokens say who it is in the same words. */
static void
write_names(struct json *json, const struct user *user)
{
	write_given(json, "family_name", user->family);
	write_given(json, "given_name", user->given);
	write_given(json, "name", user->name);
	json_text(json, "preferred_username", user->upn);
	json_text(json, "unique_name", user->upn);
	json_text(json, "upn", user->upn);
	json_text(json, "oid", uuid_view(&user->object));
	json_text(json, "sub", uuid_view(&user->object));
	json_text(json, "tid", uuid_view(&user->tenant));
}

static void
write_access(const struct directory *directory, const struct person_wish *wish, struct buf *out)
{
	char issuer[sizeof(((struct caller *)0)->issuer)];
	struct json json = json_to(out);

	(void)snprintf(issuer, sizeof(issuer), "%s/%s/", directory->issuer,
	    wish->user->tenant.text);
	json_open(&json, '{');
	json_text(&json, "aud", wish->resource);
	json_text(&json, "iss", view_of(issuer));
	write_times(&json, wish->now);
	json_text(&json, "acr", V("1"));
	token_write_random(&json, "aio", V(""), TOKEN_OPAQUE_BYTES);
	write_list_of_one(&json, "amr", V("pwd"));
	json_text(&json, "appid", uuid_view(wish->client));
	json_text(&json, "appidacr", wish->proof);
	json_text(&json, "idtyp", V("user"));
	json_text(&json, "ipaddr", wish->address);
	write_names(&json, wish->user);
	token_write_random(&json, "rh", V("1."), TOKEN_OPAQUE_BYTES);
	json_text(&json, "scp", V("user_impersonation"));
	token_write_random(&json, "uti", V(""), 16);
	json_text(&json, "ver", V("1.0"));
	json_number(&json, "xms_tcdt", wish->tenant_created);
	json_close(&json, '}');
}

bool
token_person_access(struct directory *directory, const struct person_wish *wish, struct buf *out,
    struct error *err)
{
	AUTO(buf_free) struct buf claims = { 0 };

	write_access(directory, wish, &claims);
	if (!buf_ok(&claims))
		return error_memory(err);
	return token_seal(directory, &wish->user->tenant, wish->now, buf_view(&claims), out, err);
}

bool
token_person_id(struct directory *directory, const struct person_wish *wish, struct buf *out,
    struct error *err)
{
	AUTO(buf_free) struct buf claims = { 0 };
	struct json json = json_to(&claims);

	json_open(&json, '{');
	json_text(&json, "aud", uuid_view(wish->client));
	json_text(&json, "iss", wish->issuer);
	write_times(&json, wish->now);
	write_list_of_one(&json, "amr", V("pwd"));
	write_given(&json, "email", wish->user->mail);
	write_given(&json, "nonce", wish->nonce);
	write_names(&json, wish->user);
	token_write_random(&json, "uti", V(""), 16);
	json_text(&json, "ver", wish->version);
	json_close(&json, '}');
	if (!buf_ok(&claims))
		return error_memory(err);
	return token_seal(directory, &wish->user->tenant, wish->now, buf_view(&claims), out, err);
}

void
token_client_info(const struct user *user, struct buf *out)
{
	AUTO(buf_free) struct buf text = { 0 };
	struct json json = json_to(&text);

	json_open(&json, '{');
	json_text(&json, "uid", uuid_view(&user->object));
	json_text(&json, "utid", uuid_view(&user->tenant));
	json_close(&json, '}');
	base64_encode(BASE64URL, buf_view(&text), out);
}
