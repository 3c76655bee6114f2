#include "clock_api.h"

#include "api/body.h"
#include "base/clock.h"
#include "base/pack.h"
#include "config.h"
#include "keyring/work.h"

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

static bool
restore_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	int64_t *offset = ctx;
	struct unpack in;

	(void)journal;
	if (!tx_get(tx, keyring_system(tx->keyring), V(PATH), &document, err))
		return false;
	if (document == NULL)
		return true;
	in = unpack_of(plain_view(document));
	*offset = unpack_i64(&in);
	return unpack_end(&in) || error_set(err, ERR_CORRUPT, "the clock's document can't be read");
}

bool
clock_restore(struct store *store, struct keyring *keyring, struct error *err)
{
	int64_t offset = 0;

	if (!work_run(store, keyring, restore_body, &offset, err))
		return false;
	clock_set_offset(offset);
	return true;
}

static bool
run_advance(struct request *r, struct error *err)
{
	const struct clock_body *body = r->body;
	AUTO(buf_free) struct buf document = { 0 };
	int64_t offset = clock_offset();

	if (!r->services->config->dev)
		return error_set(err, ERR_NOT_FOUND, "The clock moves in development only.");
	if (body->advance.value < 0 || body->advance.value > ADVANCE_MAX - offset)
		return error_set(err, ERR_BAD_REQUEST,
		    "The clock can be advanced by 0 seconds to 100 years, in all.");
	offset += body->advance.value;
	pack_i64(&document, offset);
	if (!tx_put(&r->tx, keyring_system(r->services->keyring), V(PATH), &document, err))
		return false;
	clock_set_offset(offset);
	json_open(reply_json(r), '{');
	json_number(&r->json, "now", clock_now());
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
