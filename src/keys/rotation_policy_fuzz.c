/*
 * Rotation policies as strangers send them, and as documents that something has damaged: what is
 * accepted keeps the rules, and comes back the same from its document and from its JSON.
 */
#include "keys/rotation_policy.h"

#include "base/fuzzing.h"

#define ARENA_MAX ((size_t)256 * 1024)
#define NOW INT64_C(1706659200)

static bool
read_policy(view text, struct arena *arena, struct rotation_policy *out)
{
	struct rotation_policy_body body = { 0 };
	struct error err;

	return body_read(text, rotation_policy_fields, &body, arena, &err) &&
	    rotation_policy_fill(&body, out, &err);
}

/* Any policy, lawful or not. */
static void
try_next(const struct rotation_policy *policy)
{
	static const int64_t times[] = { 0, 1, NOW, NOW + 864000, INT64_MAX, INT64_MIN, -1 };

	for (size_t i = 0; i < COUNT_OF(times); i++) {
		struct attributes version = { .created = NOW, .has_exp = true, .exp = times[i] };
		struct rotation_next next;

		rotation_policy_next(policy, &version, &next);
		check(next.rotate == 0 || next.rotate >= NOW);
		check(next.notify == 0 || next.notify >= NOW);
		rotation_policy_expiry(policy, times[i], &version);
		check(!version.has_exp || version.exp >= times[i]);
	}
}

/*
 * What it makes of its own versions does not rotate at once, again and again.  A month back from an
 * expiry may be three days longer than the one that led to it.
 */
static void
check_pace(const struct rotation_policy *policy)
{
	struct attributes version = { .created = NOW };
	struct rotation_next next;

	rotation_policy_expiry(policy, NOW, &version);
	rotation_policy_next(policy, &version, &next);
	check(next.rotate == 0 || next.rotate >= NOW + 4 * INT64_C(86400));
	check(!version.has_exp || next.rotate <= version.exp - 7 * INT64_C(86400));
}

static void
try_body(view text, struct arena *arena)
{
	AUTO(buf_free) struct buf packed = { 0 }, again = { 0 }, json = { 0 };
	struct request r = { .authority = V("a.example"), .json = json_to(&json) };
	struct object key = { .name = V("k") };
	struct rotation_policy policy, got;

	if (!read_policy(text, arena, &policy))
		return;
	check(policy.count >= 1 && policy.count <= ROTATION_ACTIONS_MAX);
	rotation_policy_pack(&policy, &packed);
	check(rotation_policy_unpack(buf_view(&packed), &got));
	rotation_policy_write(&r, &key, &got);
	check(read_policy(buf_view(&json), arena, &got));
	rotation_policy_pack(&got, &again);
	check(view_eq(buf_view(&packed), buf_view(&again)));
	check_pace(&policy);
	try_next(&policy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view text = { (const char *)data, len };
	struct rotation_policy policy;
	struct duration duration;

	arena_init(&arena, ARENA_MAX);
	try_body(text, &arena);
	if (rotation_policy_unpack(text, &policy))
		try_next(&policy);
	if (duration_parse(text, &duration))
		check(duration_apart(&duration, &duration, 0));
	return 0;
}
