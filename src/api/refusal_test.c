#include "api/refusal.h"
#include "base/clock.h"
#include "base/testing.h"

#include <stdio.h>

#define ID "00482a5a-887f-4fb3-b363-3b7fe8e74483"

static const struct uuid id = { ID };

static void
refuse(enum plane plane, enum error_code code, const char *message, struct buf *out)
{
	struct error err;

	(void)error_set(&err, code, "%s", message);
	refusal_write(plane, &err, &id, out);
	assert_true(buf_ok(out));
}

static void
test_the_envelope(void **state)
{
	static const struct {
		enum plane plane;
		enum error_code code;
		const char *message;
		view body;
	} rows[] = {
		{ PLANE_VAULT, ERR_BAD_PARAMETER, "wrong",
		    V_INIT("{\"error\":{\"code\":\"BadParameter\",\"message\":\"wrong\"}}") },
		{ PLANE_VAULT, ERR_FORBIDDEN_BY_RBAC, "no\r\n",
		    V_INIT("{\"error\":{\"code\":\"Forbidden\",\"message\":\"no\\r\\n\","
			   "\"innererror\":{\"code\":\"ForbiddenByRbac\"}}}") },
		{ PLANE_VAULT, ERR_OBJECT_DELETED, "a \"name\"",
		    V_INIT("{\"error\":{\"code\":\"Conflict\",\"message\":\"a \\\"name\\\"\","
			   "\"innererror\":{\"code\":\"ObjectIsDeletedButRecoverable\"}}}") },
		{ PLANE_MANAGEMENT, ERR_AUTHORIZATION_FAILED, "",
		    V_INIT("{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"\"}}") },
		{ PLANE_NONE, ERR_NOT_FOUND, "gone",
		    V_INIT("{\"error\":{\"code\":\"NotFound\",\"message\":\"gone\"}}") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(buf_free) struct buf body = { 0 };

		refuse(rows[i].plane, rows[i].code, rows[i].message, &body);
		assert_text(buf_view(&body), rows[i].body);
	}
}

/* Cut a time of ${shape} ('0' for a digit) out of ${body}, where ${before} ends; the rest stays. */
static void
cut_times(struct buf *body, const char *before, const char *shape)
{
	AUTO(buf_free) struct buf out = { 0 };
	const char *rest, *at;

	buf_add_char(body, '\0');
	rest = body->ptr;
	while ((at = strstr(rest, before)) != NULL) {
		at += strlen(before);
		for (size_t i = 0; shape[i] != '\0'; i++) {
			if (shape[i] == '0')
				assert_in_range(at[i], '0', '9');
			else
				assert_int_equal(at[i], shape[i]);
		}
		buf_add(&out, (view){ rest, (size_t)(at - rest) });
		buf_add(&out, V("#"));
		rest = at + strlen(shape);
	}
	buf_add(&out, view_of(rest));
	buf_reset(body);
	buf_add(body, buf_view(&out));
}

static void
test_graph(void **state)
{
	AUTO(buf_free) struct buf body = { 0 };

	(void)state;
	refuse(PLANE_GRAPH, ERR_GRAPH_DENIED, "no", &body);
	cut_times(&body, "\"date\":\"", "0000-00-00T00:00:00");
	assert_text(buf_view(&body),
	    V("{\"error\":{\"code\":\"Authorization_RequestDenied\",\"message\":\"no\","
	      "\"innerError\":{\"date\":\"#\",\"request-id\":\"" ID "\","
	      "\"client-request-id\":\"" ID "\"}}}"));
}

static void
test_sign_in(void **state)
{
	AUTO(buf_free) struct buf body = { 0 };

	(void)state;
	refuse(PLANE_LOGIN, ERR_STS_BAD_SECRET, "AADSTS7000215: no.", &body);
	cut_times(&body, "Timestamp: ", "0000-00-00 00:00:00Z");
	cut_times(&body, "\"timestamp\":\"", "0000-00-00 00:00:00Z");
	assert_text(buf_view(&body),
	    V("{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: no. "
	      "Trace ID: " ID " Correlation ID: " ID " Timestamp: #\","
	      "\"error_codes\":[7000215],\"timestamp\":\"#\",\"trace_id\":\"" ID "\","
	      "\"correlation_id\":\"" ID "\"}"));
}

/* What is no sign-in error has no number there. */
static void
test_sign_in_without_a_number(void **state)
{
	AUTO(buf_free) struct buf body = { 0 };

	(void)state;
	refuse(PLANE_LOGIN, ERR_NOT_FOUND, "", &body);
	buf_add_char(&body, '\0');
	assert_non_null(strstr(body.ptr, "\"error_codes\":[],"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_envelope),
		cmocka_unit_test(test_graph),
		cmocka_unit_test(test_sign_in),
		cmocka_unit_test(test_sign_in_without_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
