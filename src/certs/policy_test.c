#include "base/testing.h"
#include "certs/policy.h"

#include <stdlib.h>

#define ARENA_MAX ((size_t)1024 * 1024)

static bool
read_policy(const char *text, struct arena *arena, struct cert_policy *out, struct error *err)
{
	struct cert_policy_body body = { 0 };

	cert_policy_default(out);
	return body_read(view_of(text), cert_policy_fields, &body, arena, err) &&
	    cert_policy_fill(&body, arena, out, err) && cert_policy_check(out, arena, err);
}

static void
assert_written(const struct cert_policy *policy, const char *wanted)
{
	AUTO(buf_free) struct buf out = { 0 };
	struct json json = json_to(&out);

	cert_policy_write(&json, api_version_newest()->rank, policy);
	assert_true(buf_ok(&out));
	assert_text(buf_view(&out), view_of(wanted));
}

#define SELF "\"issuer\":{\"name\":\"Self\"}"
#define X509(members) "{\"x509_props\":{\"subject\":\"CN=a\"" members "}," SELF "}"
#define USUAL_EKUS "\"ekus\":[\"1.3.6.1.5.5.7.3.1\",\"1.3.6.1.5.5.7.3.2\"]"
#define USUAL_USAGES "\"key_usage\":[\"digitalSignature\",\"keyEncipherment\"]"
#define RSA_KEY \
	"\"key_props\":{\"exportable\":true,\"kty\":\"RSA\",\"key_size\":2048,\"reuse_key\":false}"
#define PFX "\"secret_props\":{\"contentType\":\"application/x-pkcs12\"}"
#define RENEWS                                                             \
	"\"lifetime_actions\":[{\"trigger\":{\"lifetime_percentage\":80}," \
	"\"action\":{\"action_type\":\"AutoRenew\"}}]"
#define ATTRIBUTES "\"attributes\":{\"enabled\":true,\"created\":0,\"updated\":0}"

static const struct {
	const char *sent, *written;
} good[] = {
	{ X509(""),
	    RSA_KEY "," PFX ",\"x509_props\":{\"subject\":\"CN=a\"," USUAL_EKUS "," USUAL_USAGES
		    ",\"validity_months\":12,\"basic_constraints\":{\"ca\":false}}," RENEWS "," SELF
		    "," ATTRIBUTES },
	{ X509(",\"sans\":{},\"ekus\":[],\"key_usage\":[\"keyCertSign\",\"cRLSign\"],"
	       "\"basic_constraints\":{\"ca\":true},\"validity_months\":1200"),
	    RSA_KEY "," PFX
		    ",\"x509_props\":{\"subject\":\"CN=a\",\"sans\":{},\"ekus\":[],\"key_usage\":["
		    "\"cRLSign\",\"keyCertSign\"],\"validity_months\":1200,\"basic_constraints\":{"
		    "\"ca\":true}}," RENEWS "," SELF "," ATTRIBUTES },
	{ "{\"x509_props\":{\"subject\":\"\",\"sans\":{\"upns\":[\"u@a\"],\"dns_names\":[\"a.b\"]}},"
	  "\"key_props\":{\"kty\":\"EC-HSM\",\"crv\":\"P-384\",\"reuse_key\":true},"
	  "\"secret_props\":{\"contentType\":\"application/x-pem-file\"},"
	  "\"issuer\":{\"name\":\"unknown\",\"cty\":\"OV-SSL\",\"cert_transparency\":false}}",
	    "\"key_props\":{\"exportable\":false,\"kty\":\"EC-HSM\",\"key_size\":384,"
	    "\"reuse_key\":true,\"crv\":\"P-384\"},"
	    "\"secret_props\":{\"contentType\":\"application/x-pem-file\"},"
	    "\"x509_props\":{\"subject\":\"\",\"sans\":{\"dns_names\":[\"a.b\"],\"upns\":[\"u@a\"]}," USUAL_EKUS
	    "," USUAL_USAGES ",\"validity_months\":12,"
	    "\"basic_constraints\":{\"ca\":false}},"
	    "\"lifetime_actions\":[{\"trigger\":{\"lifetime_percentage\":80},"
	    "\"action\":{\"action_type\":\"EmailContacts\"}}],"
	    "\"issuer\":{\"name\":\"unknown\",\"cty\":\"OV-SSL\",\"cert_transparency\":false}," ATTRIBUTES },
};

static void
test_reads_and_writes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		AUTO(arena_free) struct arena arena = { 0 };
		AUTO(buf_free) struct buf packed = { 0 };
		struct cert_policy policy, again;
		struct error err = { 0 };

		arena_init(&arena, ARENA_MAX);
		if (!read_policy(good[i].sent, &arena, &policy, &err))
			fail_msg("%s: %s", good[i].sent, err.message);
		assert_written(&policy, good[i].written);
		cert_policy_pack(&policy, &packed);
		assert_true(cert_policy_unpack(buf_view(&packed), &arena, &again));
		assert_written(&again, good[i].written);
	}
}

static void
test_refuses(void **state)
{
	static const char *const rows[] = {
		"{}",
		"{" SELF "}",
		X509(",\"validity_months\":0"),
		X509(",\"validity_months\":1201"),
		X509(",\"key_usage\":[\"signing\"]"),
		X509(",\"ekus\":[\"1.2.\"]"),
		X509(",\"ekus\":\"1.2\""),
		X509(",\"sans\":{\"ipAddresses\":[\"1.2.3\"]}"),
		X509(",\"sans\":[]"),
		"{\"x509_props\":{\"subject\":\"CN=a\"},\"attributes\":{\"exp\":\"2100\"}}",
		"{\"x509_props\":{\"subject\":\"CN=a\"},\"platformManaged\":{}}",
		"{\"x509_props\":{\"subject\":\"CN\"}}",
		"{\"x509_props\":{\"subject\":\"CN=a\"},\"key_props\":{\"kty\":\"oct\"}}",
		"{\"x509_props\":{\"subject\":\"CN=a\"},\"key_props\":{\"crv\":\"P-256\"}}",
		"{\"x509_props\":{\"subject\":\"CN=a\"},"
		"\"key_props\":{\"kty\":\"RSA-HSM\",\"exportable\":true}}",
		"{\"x509_props\":{\"subject\":\"CN=a\"},\"secret_props\":{\"contentType\":\"x\"}}",
		"{\"x509_props\":{\"subject\":\"CN=a\"},\"lifetime_actions\":[{}]}",
		"{\"x509_props\":{\"subject\":\"CN=a\"},\"lifetime_actions\":[{\"trigger\":{"
		"\"days_before_expiry\":9},\"action\":{\"action_type\":\"AutoRenew\"}}]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(arena_free) struct arena arena = { 0 };
		struct cert_policy policy;
		struct error err = { 0 };

		arena_init(&arena, ARENA_MAX);
		if (read_policy(rows[i], &arena, &policy, &err))
			fail_msg("%s", rows[i]);
		assert_true(err.code == ERR_BAD_PARAMETER || err.code == ERR_KEY_TYPE);
	}
}

/* Each cut lies in memory of its own length, so that ASan sees what is read beyond it. */
static void
test_cuts_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		AUTO(arena_free) struct arena arena = { 0 };
		AUTO(buf_free) struct buf packed = { 0 };
		struct cert_policy policy;
		struct error err = { 0 };

		arena_init(&arena, ARENA_MAX);
		assert_true(read_policy(good[i].sent, &arena, &policy, &err));
		cert_policy_pack(&policy, &packed);
		for (size_t len = 0; len < packed.len; len++) {
			char *copy = malloc(len);

			if (len > 0)
				memcpy(copy, packed.ptr, len);
			assert_false(cert_policy_unpack((view){ copy, len }, &arena, &policy));
			free(copy);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_and_writes),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_cuts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
