#include "keys/rotation_policy.h"

#include "base/testing.h"

#include <stdlib.h>

#define ARENA_MAX ((size_t)256 * 1024)
#define DAY INT64_C(86400)

static bool
read_policy(view text, struct arena *arena, struct rotation_policy *out, struct error *err)
{
	struct rotation_policy_body body = { 0 };

	return body_read(text, rotation_policy_fields, &body, arena, err) &&
	    rotation_policy_fill(&body, out, err);
}

static void
assert_written(const struct rotation_policy *policy, const char *wanted)
{
	AUTO(buf_free) struct buf out = { 0 };
	struct request r = { .authority = V("a.vault.example:8443"), .json = json_to(&out) };
	struct object key = { .name = V("Key1") };

	rotation_policy_write(&r, &key, policy);
	assert_true(buf_ok(&out));
	assert_text(buf_view(&out), view_of(wanted));
}

#define ID "{\"id\":\"https://a.vault.example:8443/keys/Key1/rotationpolicy\",\"lifetimeActions\":["
#define ROTATE_AFTER(time) \
	"{\"trigger\":{\"timeAfterCreate\":\"" time "\"},\"action\":{\"type\":\"Rotate\"}}"
#define ROTATE_BEFORE(time) \
	"{\"trigger\":{\"timeBeforeExpiry\":\"" time "\"},\"action\":{\"type\":\"Rotate\"}}"
#define NOTIFY(time) \
	"{\"trigger\":{\"timeBeforeExpiry\":\"" time "\"},\"action\":{\"type\":\"Notify\"}}"
#define ACTIONS(actions) "{\"lifetimeActions\":[" actions "]}"
#define LASTING(actions, time) \
	"{\"lifetimeActions\":[" actions "],\"attributes\":{\"expiryTime\":\"" time "\"}}"
#define TRIGGER(type, trigger) \
	"{\"lifetimeActions\":[{\"trigger\":{" trigger "},\"action\":{\"type\":\"" type "\"}}]}"

static void
test_takes(void **state)
{
	static const struct {
		const char *sent, *written;
	} rows[] = {
		{ LASTING(ROTATE_AFTER("P15D") "," NOTIFY("P7D"), "P30D"),
		    ID ROTATE_AFTER("P15D") "," NOTIFY("P7D") "],\"attributes\":{"
							      "\"expiryTime\":\"P30D\"}}" },
		{ LASTING(NOTIFY("P15D") "," ROTATE_BEFORE("P30D"), "P1Y"),
		    ID NOTIFY("P15D") "," ROTATE_BEFORE("P30D") "],\"attributes\":{"
								"\"expiryTime\":\"P1Y\"}}" },
		{ ACTIONS(ROTATE_AFTER("P18M")),
		    ID ROTATE_AFTER("P18M") "," NOTIFY("P30D") "],\"attributes\":{}}" },
		{ TRIGGER("rOTATE", "\"timeAfterCreate\":\"PT168H\",\"timeBeforeExpiry\":null"),
		    ID ROTATE_AFTER("PT168H") "," NOTIFY("P30D") "],\"attributes\":{}}" },
		{ TRIGGER("notify", "\"timeAfterCreate\":null,\"timeBeforeExpiry\":\"P7D\""),
		    ID NOTIFY("P7D") "],\"attributes\":{}}" },
		{ LASTING("", "P28D"),
		    ID NOTIFY("P30D") "],\"attributes\":{\"expiryTime\":\"P28D\"}}" },
		{ LASTING(NOTIFY("P30D"), "P28D"), /* it gave that itself */
		    ID NOTIFY("P30D") "],\"attributes\":{\"expiryTime\":\"P28D\"}}" },
		{ LASTING(ROTATE_AFTER("P21D"), "P1M"),
		    ID ROTATE_AFTER("P21D") "," NOTIFY("P30D") "],\"attributes\":{"
							       "\"expiryTime\":\"P1M\"}}" },
		{ "", ID NOTIFY("P30D") "],\"attributes\":{}}" },
		{ "{\"lifetimeActions\":null,\"attributes\":{\"expiryTime\":null,\"created\":1}}",
		    ID NOTIFY("P30D") "],\"attributes\":{}}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(arena_free) struct arena arena = { 0 };
		struct rotation_policy policy;
		struct error err;

		arena_init(&arena, ARENA_MAX);
		assert_fine(read_policy(view_of(rows[i].sent), &arena, &policy, &err), &err);
		assert_written(&policy, rows[i].written);
	}
}

static void
test_refuses(void **state)
{
	static const struct {
		const char *sent, *told;
	} rows[] = {
		{ TRIGGER("Delete", "\"timeAfterCreate\":\"P30D\""), "'Delete'" },
		{ TRIGGER("", "\"timeAfterCreate\":\"P30D\""), "Rotate or Notify" },
		{ TRIGGER("Rotate", ""), "exactly one" },
		{ TRIGGER("Rotate", "\"timeAfterCreate\":null"), "exactly one" },
		{ TRIGGER("Rotate", "\"timeAfterCreate\":\"P30D\",\"timeBeforeExpiry\":\"P30D\""),
		    "exactly one" },
		{ TRIGGER("Notify", "\"timeAfterCreate\":\"P30D\""), "Notify action can only" },
		{ TRIGGER("Rotate", "\"timeAfterCreate\":30"), "timeAfterCreate" },
		{ ACTIONS(ROTATE_AFTER("30 days")), "timeAfterCreate: '30 days'" },
		{ ACTIONS(ROTATE_AFTER("")), "timeAfterCreate: ''" },
		{ ACTIONS(NOTIFY("P7d")), "timeBeforeExpiry: 'P7d'" },
		{ ACTIONS("{\"action\":{\"type\":\"Rotate\"}}"), "\"trigger\"" },
		{ ACTIONS("{\"trigger\":{\"timeAfterCreate\":\"P30D\"}}"), "\"action\"" },
		{ ACTIONS("{\"trigger\":{\"timeAfterCreate\":\"P30D\"},\"action\":{}}"),
		    "\"type\"" },
		{ ACTIONS(ROTATE_AFTER("P30D") "," ROTATE_AFTER("P30D")), "one Rotate" },
		{ LASTING(ROTATE_AFTER("P30D") "," ROTATE_BEFORE("P30D"), "P1Y"), "one Rotate" },
		{ ACTIONS(NOTIFY("P7D") "," ROTATE_AFTER("P30D") "," NOTIFY("P8D")), "one Notify" },
		{ ACTIONS(ROTATE_BEFORE("P30D")), "needs an expiryTime" },
		{ LASTING("", "P27D"), "at least 28 days" },
		{ LASTING("", "P0D"), "at least 28 days" },
		{ LASTING("", ""), "expiryTime: ''" },
		{ LASTING("", "1 year"), "expiryTime: '1 year'" },
		{ ACTIONS(ROTATE_AFTER("P6D")), "at least 7 days" },
		{ ACTIONS(ROTATE_AFTER("PT167H")), "at least 7 days" },
		{ ACTIONS(NOTIFY("P6D")), "at least 7 days" },
		{ LASTING(ROTATE_BEFORE("P6D"), "P30D"), "at least 7 days" },
		{ LASTING(ROTATE_AFTER("P24D"), "P30D"), "less than expiryTime" },
		{ LASTING(ROTATE_AFTER("P22D"), "P1M"), "less than expiryTime" }, /* February */
		{ LASTING(ROTATE_BEFORE("P24D"), "P30D"), "less than expiryTime" },
		{ LASTING(ROTATE_BEFORE("P12M"), "P1Y"), "less than expiryTime" },
		{ LASTING(ROTATE_AFTER("P2Y"), "P1Y"), "less than expiryTime" },
		{ LASTING(NOTIFY("P31D"), "P30D"), "less than expiryTime" },
		{ "{\"lifetimeActions\":{}}", "lifetimeActions" },
		{ "{\"attributes\":[]}", "attributes" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(arena_free) struct arena arena = { 0 };
		struct rotation_policy policy = { .created = 4711 };
		struct error err = { 0 };

		arena_init(&arena, ARENA_MAX);
		if (read_policy(view_of(rows[i].sent), &arena, &policy, &err))
			fail_msg("%s", rows[i].sent);
		assert_int_equal(err.code, ERR_BAD_PARAMETER);
		assert_int_equal(policy.created, 4711);
		if (strstr(err.message, rows[i].told) == NULL)
			fail_msg("%s: %s", rows[i].sent, err.message);
	}
}

static void
test_default(void **state)
{
	struct rotation_policy policy;

	(void)state;
	rotation_policy_default(&policy);
	assert_written(&policy, ID NOTIFY("P30D") "],\"attributes\":{}}");
}

/* What is given out is taken again. */
static void
test_packs(void **state)
{
	static const char *const rows[] = {
		LASTING(ROTATE_AFTER("P15D") "," NOTIFY("P7D"), "P30D"),
		LASTING(NOTIFY("P8D") "," ROTATE_BEFORE("P1M"), "P1Y10D"),
		ACTIONS(ROTATE_AFTER("PT480H")),
		"{}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(arena_free) struct arena arena = { 0 };
		AUTO(buf_free) struct buf packed = { 0 }, again = { 0 };
		struct rotation_policy policy, got;
		struct error err;

		arena_init(&arena, ARENA_MAX);
		assert_fine(read_policy(view_of(rows[i]), &arena, &policy, &err), &err);
		policy.created = 1700000000;
		policy.updated = 1700000001;
		rotation_policy_pack(&policy, &packed);
		assert_true(rotation_policy_unpack(buf_view(&packed), &got));
		assert_int_equal(got.created, policy.created);
		assert_int_equal(got.updated, policy.updated);
		assert_int_equal(got.count, policy.count);
		assert_int_equal(got.expiry.duration.months, policy.expiry.duration.months);
		rotation_policy_pack(&got, &again);
		assert_text(buf_view(&again), buf_view(&packed));
	}
}

static void
test_writes_times(void **state)
{
	struct rotation_policy policy;

	(void)state;
	rotation_policy_default(&policy);
	policy.created = 1700000000;
	policy.updated = 1700000009;
	assert_written(&policy,
	    ID NOTIFY("P30D") "],\"attributes\":{\"created\":1700000000,\"updated\":1700000009}}");
}

/* Each cut lies in memory of its own length, so that ASan sees what is read beyond it. */
static void
test_cuts_and_additions_are_refused(void **state)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf packed = { 0 };
	struct rotation_policy policy, got;
	struct error err;

	(void)state;
	arena_init(&arena, ARENA_MAX);
	assert_fine(read_policy(V(LASTING(ROTATE_AFTER("P15D"), "P30D")), &arena, &policy, &err),
	    &err);
	rotation_policy_pack(&policy, &packed);
	for (size_t len = 0; len < packed.len; len++) {
		char *copy = malloc(len);

		if (len > 0)
			memcpy(copy, packed.ptr, len);
		assert_false(rotation_policy_unpack((view){ copy, len }, &got));
		free(copy);
	}
	buf_add_char(&packed, '\0');
	assert_false(rotation_policy_unpack(buf_view(&packed), &got));
}

static void
test_nonsense_is_refused(void **state)
{
	static const struct rotation_action rotate = { .type = ROTATION_ROTATE,
		.time = { .text = V_INIT("P30D") } };
	struct rotation_policy rows[4], got;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		rows[i] = (struct rotation_policy){ .actions = { rotate }, .count = 1 };
	rows[0].actions[0].type = 3;
	rows[1].actions[0].time.text = V("P30");
	rows[2].expiry.text = V("P");
	rows[3].actions[1] = rotate;
	rows[3].count = 2;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf packed = { 0 };

		rotation_policy_pack(&rows[i], &packed);
		if (rotation_policy_unpack(buf_view(&packed), &got))
			fail_msg("row %zu", i);
	}
}

#define CREATED INT64_C(1706659200) /* 2024-01-31 */

static void
test_next(void **state)
{
	static const struct {
		const char *policy;
		bool has_exp;
		int64_t exp, rotate, notify;
	} rows[] = {
		{ "{}", false, 0, 0, 0 },
		{ "{}", true, CREATED + 100 * DAY, 0, CREATED + 70 * DAY },
		{ "{}", true, CREATED + 10 * DAY, 0, CREATED },
		{ "{}", true, 86400, 0, CREATED },
		{ "{}", true, INT64_MAX, 0, 0 },
		{ ACTIONS(ROTATE_AFTER("P15D")), false, 0, CREATED + 15 * DAY, 0 },
		{ ACTIONS(ROTATE_AFTER("P1M")), false, 0, CREATED + 29 * DAY, 0 },
		{ ACTIONS(ROTATE_AFTER("P15D")), true, CREATED + 10 * DAY, CREATED + 15 * DAY,
		    CREATED },
		{ LASTING(ROTATE_BEFORE("P7D"), "P60D"), false, 0, 0, 0 },
		{ LASTING(ROTATE_BEFORE("P7D"), "P60D"), true, CREATED + 60 * DAY,
		    CREATED + 53 * DAY, CREATED + 30 * DAY },
		{ LASTING(ROTATE_BEFORE("P7D") "," NOTIFY("P9D"), "P60D"), true, CREATED + DAY,
		    CREATED, CREATED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct attributes version = { .created = CREATED,
			.has_exp = rows[i].has_exp,
			.exp = rows[i].exp };
		AUTO(arena_free) struct arena arena = { 0 };
		struct rotation_policy policy;
		struct rotation_next next;
		struct error err;

		arena_init(&arena, ARENA_MAX);
		assert_fine(read_policy(view_of(rows[i].policy), &arena, &policy, &err), &err);
		rotation_policy_next(&policy, &version, &next);
		if (next.rotate != rows[i].rotate || next.notify != rows[i].notify)
			fail_msg("row %zu: %lld, %lld", i, (long long)next.rotate,
			    (long long)next.notify);
	}
}

static void
test_expiry_of_what_follows(void **state)
{
	static const struct {
		const char *policy;
		bool has_exp;
		int64_t exp;
	} rows[] = {
		{ LASTING("", "P30D"), true, CREATED + 30 * DAY },
		{ LASTING("", "P1M"), true, CREATED + 29 * DAY },
		{ "{}", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct attributes version = { .has_exp = true, .exp = 4711 };
		AUTO(arena_free) struct arena arena = { 0 };
		struct rotation_policy policy;
		struct error err;

		arena_init(&arena, ARENA_MAX);
		assert_fine(read_policy(view_of(rows[i].policy), &arena, &policy, &err), &err);
		rotation_policy_expiry(&policy, CREATED, &version);
		assert_int_equal(version.has_exp, rows[i].has_exp);
		assert_int_equal(version.exp, rows[i].exp);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_packs),
		cmocka_unit_test(test_writes_times),
		cmocka_unit_test(test_cuts_and_additions_are_refused),
		cmocka_unit_test(test_nonsense_is_refused),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_expiry_of_what_follows),
	};

	return cmocka_run_group_tests_name("rotation policies", tests, NULL, NULL);
}
