#include "arm/group_delete.h"

#include "api/paging.h"
#include "arm/group.h"
#include "audit/record.h"
#include "base/log.h"
#include "base/pack.h"
#include "crypto/random.h"
#include "keyring/work.h"

#include <string.h>

#define PREFIX "gd"
#define FORMAT 1
#define AT_ONCE_MAX 200 /* resources that go with the request itself */
#define BATCH 100       /* that go in one of the job's commits */
#define GROUPS_MAX 100  /* deletions the job looks at in one round */
#define RETRY_SECONDS "2"
#define OPERATION_LIST "operationresults" /* what its tokens are made for */

static bool
member_prefix(struct arena *arena, view id, view *out, struct error *err)
{
	view lower;

	if (!id_lower(arena, id, &lower, err))
		return false;
	return arena_join(arena, (const view[]){ V("r"), lower, V("/") }, 3, out) ||
	    error_memory(err);
}

/* Remove resources from the last on, so that children go before parents. */
static bool
remove_members(struct tx *tx, const struct services *services, const view *keys, size_t count,
    const struct caller *caller, struct error *err)
{
	while (count-- > 0) {
		struct resource member;
		bool found;

		if (!resource_get(tx, services, view_from(keys[count], 1), true, &member, &found,
			err))
			return false;
		if (found && !resource_remove_only(tx, services, &member, caller, err))
			return false;
	}
	return true;
}

/* ${done}: everything fitted. */
static bool
delete_at_once(struct request *r, const struct resource *group, bool *done, struct error *err)
{
	view prefix, *keys;
	size_t count;

	*done = false;
	if (!member_prefix(r->arena, group->id, &prefix, err) ||
	    !store_keys(r->tx.reader, prefix, V(""), AT_ONCE_MAX + 1, r->arena, &keys, &count, err))
		return false;
	if (group->deleting || count > AT_ONCE_MAX)
		return true;
	if (!remove_members(&r->tx, r->services, keys, count, &r->caller, err) ||
	    !assignments_remove(&r->tx, r->services, group->id, err))
		return false;
	*done = true;
	return resource_delete(&r->tx, group->id, err);
}

static bool
due_path(struct arena *arena, view id, view *out, struct error *err)
{
	view lower;

	if (!id_lower(arena, id, &lower, err))
		return false;
	return arena_join(arena, (const view[]){ V(PREFIX), lower }, 2, out) || error_memory(err);
}

/* Who wants it, for the hooks and the audit log. */
static bool
put_due(struct request *r, const struct resource *group, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	pack_u8(&document, FORMAT);
	pack_u8(&document, r->caller.person);
	pack_bytes(&document, uuid_view(&r->caller.tenant));
	pack_bytes(&document, uuid_view(&r->caller.object));
	pack_bytes(&document, uuid_view(&r->caller.application));
	pack_bytes(&document, view_of(r->caller.upn));
	return due_path(r->arena, group->id, &path, err) &&
	    tx_put(&r->tx, keyring_system(r->tx.keyring), path, &document, err);
}

static bool
decode_due(view document, struct caller *out, struct error *err)
{
	struct unpack in = unpack_of(document);
	bool fine = unpack_u8(&in) == FORMAT;
	view upn;

	*out = (struct caller){ .known = true, .person = unpack_u8(&in) != 0 };
	fine = fine && uuid_parse(unpack_bytes(&in), &out->tenant) &&
	    uuid_parse(unpack_bytes(&in), &out->object) &&
	    uuid_parse(unpack_bytes(&in), &out->application);
	upn = unpack_bytes(&in);
	if (!fine || upn.len > UPN_MAX || !unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "a group's deletion can't be read");
	memcpy(out->upn, upn.ptr, upn.len);
	return true;
}

/* Names the group and its creation: a new one of the name is another. */
static bool
operation_marker(struct arena *arena, const struct resource *group, view *out, struct error *err)
{
	return arena_print(arena, out, "%lld %.*s", (long long)group->created,
		   VIEW_ARG(group->id)) ||
	    error_memory(err);
}

static bool
reply_location(struct request *r, const struct resource *group, struct error *err)
{
	AUTO(buf_free) struct buf link = { 0 };
	view marker, version = V("2021-04-01");

	if (!operation_marker(r->arena, group, &marker, err))
		return false;
	(void)request_query(r, "api-version", &version);
	buf_print(&link, "https://%.*s/subscriptions/%.*s/operationresults/",
	    VIEW_ARG(r->authority), VIEW_ARG(r->params[0]));
	if (!page_token_add(r, V(OPERATION_LIST), marker, &link, err))
		return false;
	buf_print(&link, "?api-version=%.*s", VIEW_ARG(version));
	if (!buf_ok(&link))
		return error_memory(err);
	r->out->status = 202;
	reply_field(r, "Location", buf_view(&link));
	reply_field(r, "Retry-After", V(RETRY_SECONDS));
	return true;
}

bool
group_delete(struct request *r, const struct resource *group, struct error *err)
{
	struct resource marked = *group;
	bool done;

	marked.deleting = true;
	if (delete_at_once(r, group, &done, err)) {
		r->out->status = 200;
		if (done || group->deleting)
			return done || reply_location(r, group, err);
	} else if (err->code != ERR_UNAVAILABLE) {
		return false;
	}
	/* Too many or too large for one commit. */
	tx_reset(&r->tx);
	*err = (struct error){ 0 };
	return resource_expect(&r->tx, group->id, err) && resource_put(&r->tx, &marked, err) &&
	    put_due(r, group, err) && reply_location(r, group, err);
}

bool
operation_result(struct request *r, struct error *err)
{
	struct resource group;
	view rest, id, marker;
	bool found;

	if (!page_token_read(r, V(OPERATION_LIST), r->params[1], &rest, err))
		return error_set(err, ERR_NOT_FOUND, "There is no such operation.");
	id = rest;
	(void)view_cut(&id, ' ');
	if (!resource_get(&r->tx, r->services, id, false, &group, &found, err))
		return false;
	r->out->status = 200;
	if (!found || !group.deleting)
		return true;
	if (!operation_marker(r->arena, &group, &marker, err))
		return false;
	return !view_eq(marker, rest) || reply_location(r, &group, err);
}

/* One of the job's commits. */
struct step {
	const struct services *services;
	view id; /* of the group, in lower case */
	size_t batch;
	bool done;
};

static bool
tell(const struct step *step, const struct caller *caller, struct arena *arena, view *journal,
    struct error *err)
{
	struct uuid correlation;
	struct audit_record record = {
		.operation = V("ResourceGroupDelete"),
		.correlation = uuid_view(&correlation),
		.status = step->done ? 200 : 202,
		.id = step->id,
		.object = uuid_view(&caller->object),
		.application = uuid_view(&caller->application),
		.tenant = uuid_view(&caller->tenant),
	};
	char *capital = arena_alloc(arena, step->id.len + 1);

	if (capital == NULL)
		return error_memory(err);
	for (size_t i = 0; i < step->id.len; i++)
		capital[i] = ascii_upper(step->id.ptr[i]);
	record.resource = (view){ capital, step->id.len };
	random_uuid(&correlation);
	return record_line(&record, arena, journal, err);
}

static bool
step_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	struct step *step = ctx;
	struct caller caller;
	view path, prefix, *keys;
	size_t count;

	step->done = true;
	if (!due_path(tx->arena, step->id, &path, err) ||
	    !tx_take(tx, keyring_system(tx->keyring), path, &document, err))
		return false;
	if (document == NULL)
		return true;
	if (!decode_due(plain_view(document), &caller, err) ||
	    !member_prefix(tx->arena, step->id, &prefix, err) ||
	    !store_keys(tx->reader, prefix, V(""), step->batch, tx->arena, &keys, &count, err) ||
	    !remove_members(tx, step->services, keys, count, &caller, err))
		return false;
	step->done = count < step->batch;
	if (step->done &&
	    (!assignments_remove(tx, step->services, step->id, err) ||
		!resource_delete(tx, step->id, err) || !tx_delete(tx, path, err)))
		return false;
	return tell(step, &caller, tx->arena, journal, err);
}

static bool
finish_one(const struct services *services, view id, struct error *err)
{
	struct step step = { .services = services, .id = id, .batch = BATCH };

	while (!step.done) {
		if (work_run(services->store, services->keyring, step_body, &step, err))
			continue;
		/* What they hold may be more than a commit's memory. */
		if (err->code != ERR_UNAVAILABLE || step.batch == 1)
			return false;
		step.batch = step.batch / 4 + 1;
		step.done = false;
	}
	return true;
}

bool
groups_finish(const struct services *services, struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	AUTO(arena_free) struct arena arena = { 0 };
	struct error problem;
	view *paths;
	size_t count;
	bool fine;

	arena_init(&arena, (size_t)1 << 20);
	if (!store_reader_new(services->store, &reader, err) || !store_begin(reader, err))
		return false;
	fine = store_keys(reader, V(PREFIX "/"), V(""), GROUPS_MAX, &arena, &paths, &count, err);
	store_end(reader);
	if (!fine)
		return false;
	for (size_t i = 0; i < count; i++) {
		/* One that can't be done must not hold up the others. */
		if (!finish_one(services, view_from(paths[i], sizeof(PREFIX) - 1), &problem))
			log_line(LOG_ERROR, "group.failed", "%.*s: %s", VIEW_ARG(paths[i]),
			    problem.message);
	}
	return true;
}
