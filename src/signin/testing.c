#include "signin/testing.h"

#include "base/base64.h"
#include "base/clock.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "identity/application_store.h"
#include "signin/signin.h"

#include <string.h>

struct village village;

static struct uuid
person(const char *upn, const char *password, bool enabled, bool must_change)
{
	AUTO(buf_free) struct buf hash = { 0 };
	struct user user = {
		.tenant = town.tenant,
		.upn = view_of(upn),
		.name = V("Ada Lovelace"),
		.mail = V(""),
		.given = V("Ada"),
		.family = V("Lovelace"),
		.enabled = enabled,
		.must_change = must_change,
		.created = clock_wall(),
		.sessions_started = clock_wall(),
	};

	random_uuid(&user.object);
	if (password != NULL)
		REQUIRE(password_hash(view_of(password), &hash, &town.err));
	user.password_hash = buf_view(&hash);
	town_begin();
	REQUIRE(user_add(&town.tx, &user, &town.err));
	town_commit();
	return user.object;
}

static void
redirect_add(const struct uuid *id, const char *redirect, bool keeps_secrets)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct registration registration;

	town_begin();
	REQUIRE(registration_get(&town.tx, uuid_view(&town.tenant), uuid_view(id), STORE_CHANGE,
	    &document, &registration, &town.err));
	registration.redirects[0] = view_of(redirect);
	registration.redirect_count = 1;
	if (!keeps_secrets)
		registration.secret_count = 0;
	REQUIRE(registration_put(&town.tx, &registration, &town.err));
	town_commit();
}

void
village_disarm(void)
{
	redirect_add(&village.web.id, "https://app.example.org/back", false);
	town_begin();
}

static void
applications(void)
{
	struct plain *unused = NULL;
	view text;

	village.web = town_application("Web", &village.secret);
	redirect_add(&village.web.id, "https://app.example.org/back", true);
	village.native = town_application("Native <b>&amp;", &unused).id;
	plain_free(unused);
	redirect_add(&village.native, "http://localhost/back", false);
	assert_true(arena_print(&town.arena, &text, "&client_id=%s", village.native.text));
	village.native_client = text.ptr;
}

int
village_setup(void **state)
{
	(void)town_setup(state);
	village = (struct village){ .path = "organizations", .peer = "192.0.2.1" };
	REQUIRE(signin_open(&village.signin, &town.err));
	village.ada = person("Ada@example.org", "lovelace", true, false);
	(void)person("eve@example.org", "disabled", false, false);
	(void)person("new@example.org", "initial", true, true);
	(void)person("none@example.org", NULL, true, false);
	applications();
	town_begin();
	return 0;
}

int
village_teardown(void **state)
{
	signin_close(village.signin);
	plain_free(village.secret);
	buf_free(&village.reply.body);
	buf_free(&village.reply.fields);
	return town_teardown(state);
}

static const struct op *
row_of(enum http_method method, const char *path)
{
	for (const struct op *op = sts_ops; op->name != NULL; op++) {
		if (op->method == method && strcmp(op->path, path) == 0)
			return op;
	}
	fail_msg("no row %s", path);
	return NULL;
}

static bool
run(const struct op *op, view query, view body)
{
	struct services services = {
		.directory = town.directory,
		.keyring = town.keyring,
		.signin = village.signin,
	};
	struct http_field field = { V("Cookie"), view_of(village.cookie) };
	struct http_request in = { .method = op->method,
		.query = query,
		.body = body,
		.peer = view_of(village.peer),
		.fields = &field,
		.field_count = village.cookie == NULL ? 0 : 1 };
	struct request r = {
		.in = &in,
		.out = &village.reply,
		.arena = &town.arena,
		.services = &services,
		.plane = PLANE_LOGIN,
		.op = op,
		.authority = V(AUTHORITY),
		.domain = V("localhost:8443"),
		.params = { view_of(village.path) },
		.param_count = 1,
	};
	bool fine;

	town_begin();
	r.tx = town.tx;
	buf_reset(&village.reply.body);
	buf_reset(&village.reply.fields);
	fine = op->run(&r, &town.err);
	village.who = r.caller;
	village.said = r.error;
	if (!fine)
		return false;
	if (r.tx.count > 0)
		REQUIRE(tx_commit(&r.tx, town.store, V(""), &town.err));
	town_begin();
	return true;
}

bool
village_get(const char *path, const char *query)
{
	return run(row_of(HTTP_GET, path), view_of(query), V(""));
}

bool
village_post(const char *path, const char *body)
{
	return run(row_of(HTTP_POST, path), V(""), view_of(body));
}

bool
village_token(const char *body)
{
	return village_post("/{tenant}/oauth2/v2.0/token", body);
}

bool
village_has(const char *text)
{
	return holds(buf_view(&village.reply.body), text);
}

static bool
cut_between(view text, view before, view after, view *out)
{
	for (size_t i = 0; i + before.len <= text.len; i++) {
		view rest = view_from(text, i + before.len);

		if (!view_starts(view_from(text, i), before))
			continue;
		for (size_t j = 0; j + after.len <= rest.len; j++) {
			if (view_starts(view_from(rest, j), after))
				return arena_copy(&town.arena, (view){ rest.ptr, j }, out);
		}
	}
	return false;
}

view
village_between(const char *before, const char *after)
{
	view out = V("");

	if (!cut_between(buf_view(&village.reply.body), view_of(before), view_of(after), &out))
		fail_msg("no %s in %.*s", before, VIEW_ARG(buf_view(&village.reply.body)));
	return out;
}

view
village_member(const char *name)
{
	view before;

	assert_true(arena_print(&town.arena, &before, "\"%s\":\"", name));
	return village_between(before.ptr, "\"");
}

view
village_field(const char *name)
{
	view before, out = V("");

	assert_true(arena_print(&town.arena, &before, "%s: ", name));
	(void)cut_between(buf_view(&village.reply.fields), before, V("\r\n"), &out);
	return out;
}

view
village_decoded(view text)
{
	char *bytes = arena_alloc(&town.arena, text.len + 4);
	size_t len = 0;

	assert_non_null(bytes);
	assert_true(base64_decode(BASE64URL, text, bytes, &len));
	return (view){ bytes, len };
}

view
village_payload(view jwt)
{
	(void)view_cut(&jwt, '.');
	return village_decoded(view_cut(&jwt, '.'));
}

bool
village_claims(view jwt, struct jwt_claims *out)
{
	return jwt_claims_read(village_payload(jwt), &town.arena, out, &town.err);
}
