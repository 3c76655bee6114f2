#include "arm/testing.h"
#include "arm/group.h"

#include "base/clock.h"
#include "base/testing.h"
#include "crypto/random.h"
#include "identity/identity.h"
#include "keyring/work.h"

#include <stdlib.h>

static bool
create_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	const struct estate *e = ctx;
	const struct subscription subscription = { { ESTATE_SUBSCRIPTION }, { ESTATE_TENANT },
		V("Estate") };

	(void)journal;
	return subscription_create(tx, &subscription, err) &&
	    resource_group_create(tx, &subscription.id, V("Group"), V("West Europe"), &e->caller,
		err);
}

void
estate_make(struct estate *e, const struct provider *const *providers,
    const struct op *const *tables)
{
	*e = (struct estate){ .caller = { .known = true,
				  .tenant = { ESTATE_TENANT },
				  .object = { ESTATE_OWNER },
				  .application = { ESTATE_OWNER } } };
	place_make(&e->place, false);
	e->services = (struct services){
		.location = "local",
		.store = e->place.store,
		.keyring = e->place.keyring,
		.providers = providers,
	};
	assert_fine(directory_open(e->place.store, e->place.keyring, V("https://login.localhost"),
			1, &e->directory, &e->err),
	    &e->err);
	e->services.directory = e->directory;
	assert_fine(access_open(e->place.store, e->place.keyring, e->directory,
			&(struct uuid){ ESTATE_TENANT }, &e->access, &e->err),
	    &e->err);
	e->services.access = e->access;
	assert_fine(subscriptions_open(e->place.store, e->place.keyring, &e->subscriptions,
			&e->err),
	    &e->err);
	e->services.subscriptions = e->subscriptions;
	assert_fine(locks_open(e->place.store, e->place.keyring, &e->locks, &e->err), &e->err);
	e->services.locks = e->locks;
	assert_fine(router_new(tables, &e->router, &e->err), &e->err);
	assert_fine(store_reader_new(e->place.store, &e->reader, &e->err), &e->err);
	arena_init(&e->arena, (size_t)8 << 20);
	assert_fine(work_run(e->place.store, e->place.keyring, create_body, e, &e->err), &e->err);
	estate_grant(e, ESTATE_OWNER, "Owner", S);
}

void
estate_drop(struct estate *e)
{
	clock_set_offset(0);
	buf_free(&e->out.body);
	buf_free(&e->out.fields);
	arena_free(&e->arena);
	store_reader_free(e->reader);
	router_free(e->router);
	locks_close(e->locks);
	subscriptions_close(e->subscriptions);
	access_close(e->access);
	directory_close(e->directory);
	place_remove(&e->place);
}

int
estate_setup(void **state, const struct provider *const *providers, const struct op *const *tables)
{
	struct estate *e = malloc(sizeof(*e));

	assert_non_null(e);
	estate_make(e, providers, tables);
	*state = e;
	return 0;
}

int
estate_teardown(void **state)
{
	estate_drop(*state);
	free(*state);
	return 0;
}

static bool
run(struct estate *e, struct request *r, const char *body)
{
	if (r->op->body != NULL) {
		r->body = arena_alloc(&e->arena, r->op->body_size);
		assert_non_null(r->body);
		if (!body_read(view_of(body), r->op->body, r->body, &e->arena, &e->err))
			return false;
	}
	return r->op->run(r, &e->err);
}

static int
once(struct estate *e, struct request *r, enum http_method method, const char *body)
{
	bool fine;

	buf_reset(&e->out.body);
	buf_reset(&e->out.fields);
	e->out.status = 0;
	e->err = (struct error){ 0 };
	assert_fine(store_begin(e->reader, &e->err), &e->err);
	fine = router_match(e->router, method, r, &e->err) && run(e, r, body);
	store_end(e->reader);
	if (fine && r->tx.count > 0)
		fine = tx_commit(&r->tx, e->place.store, V(""), &e->err);
	if (!fine)
		e->out.status = error_table[e->err.code].status;
	return e->out.status;
}

int
estate_do(struct estate *e, enum http_method method, const char *target, const char *body)
{
	view rest, path;
	struct request r = {
		.in = &e->in,
		.out = &e->out,
		.arena = &e->arena,
		.services = &e->services,
		.plane = PLANE_MANAGEMENT,
		.authority = V("management.localhost"),
		.domain = V("localhost"),
		.caller = e->caller,
		.tx = { .reader = e->reader, .keyring = e->place.keyring, .arena = &e->arena },
	};

	arena_wipe(&e->arena);
	/* The caller's text may be a part of the reply before. */
	assert_true(arena_copy(&e->arena, view_of(target), &rest));
	path = view_cut(&rest, '?');
	e->in.method = method;
	e->in.path = path;
	e->in.query = rest;
	e->in.body = view_of(body);
	e->in.fields = e->fields;
	r.path = path;
	return once(e, &r, method, body == NULL ? "" : body);
}

static const char *
reply_text(struct estate *e)
{
	view text;

	assert_true(arena_copy(&e->arena, buf_view(&e->out.body), &text));
	return text.ptr;
}

bool
estate_replied(struct estate *e, const char *text)
{
	return strstr(reply_text(e), text) != NULL;
}

size_t
estate_times(struct estate *e, const char *text)
{
	size_t count = 0;

	for (const char *at = reply_text(e); (at = strstr(at, text)) != NULL; at++)
		count++;
	return count;
}

view
estate_member(struct estate *e, const char *name)
{
	view key, rest;
	const char *at;

	assert_true(arena_print(&e->arena, &key, "\"%s\":\"", name));
	at = strstr(reply_text(e), key.ptr);
	if (at == NULL)
		return V("");
	rest = view_of(at + key.len);
	return view_cut(&rest, '"');
}

view
estate_field(struct estate *e, const char *name)
{
	view rest;

	assert_true(arena_copy(&e->arena, buf_view(&e->out.fields), &rest));
	while (rest.len > 0) {
		view value = view_cut(&rest, '\n'), key = view_cut(&value, ':');

		if (view_ieq(key, view_of(name)))
			return view_trim((view){ value.ptr, value.len - 1 });
	}
	return V("");
}

static bool
grant_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	(void)journal;
	return assignment_put(tx, ctx, err);
}

void
estate_grant(struct estate *e, const char *object, const char *role, const char *scope)
{
	struct assignment assignment = {
		.tenant = { ESTATE_TENANT },
		.role = role_id(role_find_named(view_of(role))),
		.scope = view_of(scope),
		.principal_type = V("ServicePrincipal"),
		.created = clock_now(),
		.updated = clock_now(),
		.created_by = { ESTATE_OWNER },
		.updated_by = { ESTATE_OWNER },
	};

	assert_true(uuid_parse(view_of(object), &assignment.principal));
	random_uuid(&assignment.name);
	assert_fine(work_run(e->place.store, e->place.keyring, grant_body, &assignment, &e->err),
	    &e->err);
}

uint64_t
estate_count(struct estate *e, const char *prefix)
{
	uint64_t count = 0;

	assert_fine(store_begin(e->reader, &e->err), &e->err);
	assert_fine(store_count(e->reader, view_of(prefix), &count, &e->err), &e->err);
	store_end(e->reader);
	return count;
}
