#include "clock_api.h"

#include "api/body.h"
#include "base/clock.h"
#include "base/pack.h"
#include "config.h"

#define PATH "dev/clock"
#define ADVANCE_MAX ((int64_t)100 * 366 * 86400) /* seconds, in all: dates keep four digits */

struct clock_body {
	struct body_number advance;
};

static const struct field clock_fields[] = {
	{ .name = "advance",
	    .kind = FIELD_NUMBER,
	    .required = true,
	    .offset = offsetof(struct clock_body, advance) },
	{ 0 },
};

/* The commit moves the clock, not the request: what was not kept has not happened. */
static bool
update(void *ctx, view name, const view *document, struct error *err)
{
	struct unpack in = unpack_of(document == NULL ? V("") : *document);
	int64_t offset = document == NULL ? 0 : unpack_i64(&in);

	(void)ctx;
	(void)name;
	if (!unpack_end(&in))
		return error_set(err, ERR_CORRUPT, "the clock's document can't be read");
	clock_set_offset(offset);
	return true;
}

bool
clock_open(struct store *store, struct keyring *keyring, struct mirror **out, struct error *err)
{
	return mirror_open(store, keyring, V(PATH), update, NULL, out, err);
}

static bool
run_advance(struct request *r, struct error *err)
{
	const struct clock_body *body = r->body;
	AUTO(buf_free) struct buf document = { 0 };
	AUTO(plain_done) struct plain *before = NULL;
	struct vault_key *system = keyring_system(r->services->keyring);
	int64_t offset = clock_offset();

	if (!r->services->config->dev)
		return error_set(err, ERR_NOT_FOUND, "The clock moves in development only.");
	if (body->advance.value < 0 || body->advance.value > ADVANCE_MAX - offset)
		return error_set(err, ERR_BAD_REQUEST,
		    "The clock can be advanced by 0 seconds to 100 years, in all.");
	offset += body->advance.value;
	pack_i64(&document, offset);
	if (!tx_take(&r->tx, system, V(PATH), &before, err) ||
	    !tx_put(&r->tx, system, V(PATH), &document, err))
		return false;
	json_open(reply_json(r), '{');
	json_number(&r->json, "now", clock_wall() + offset);
	json_number(&r->json, "offset", offset);
	json_close(&r->json, '}');
	return true;
}

const struct op clock_ops[] = {
	{ "ClockAdvance", PLANE_MANAGEMENT, HTTP_POST, "/strongroom/clock", GUARD_ADMIN,
	    VERSION_NONE, COST_LOOP, .body = clock_fields, .body_size = sizeof(struct clock_body),
	    .run = run_advance },
	{ 0 },
};
