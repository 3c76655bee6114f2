/*
 * Bodies of issuers, contacts, and of creating, importing, merging and updating certificates, as
 * strangers send them.  What is accepted comes back the same from its document.
 */
#include "certs/contact.h"

#include "base/fuzzing.h"
#include "certs/issue.h"
#include "certs/issuer.h"

#define ARENA_MAX ((size_t)1024 * 1024)

static void
try_issuer(view text, const struct field *fields, struct arena *arena)
{
	AUTO(buf_free) struct buf packed = { 0 }, again = { 0 };
	struct issuer issuer = { .provider = ISSUER_TEST };
	struct issuer_body body = { 0 };
	struct issuer same;
	struct error err;

	if (!body_read(text, fields, &body, arena, &err) || !issuer_fill(&body, &issuer, &err))
		return;
	issuer_pack(&issuer, &packed);
	check(issuer_unpack(buf_view(&packed), &same));
	issuer_pack(&same, &again);
	check(view_eq(buf_view(&packed), buf_view(&again)));
}

static void
try_contacts(view text, struct arena *arena)
{
	AUTO(buf_free) struct buf packed = { 0 }, again = { 0 };
	struct contacts_body body = { 0 };
	struct contacts contacts = { 0 }, same;
	struct error err;

	if (!body_read(text, contacts_fields, &body, arena, &err) ||
	    !contacts_fill(&body, &contacts, &err))
		return;
	contacts_pack(&contacts, &packed);
	check(contacts_unpack(buf_view(&packed), &same));
	contacts_pack(&same, &again);
	check(view_eq(buf_view(&packed), buf_view(&again)));
}

static void
try_certificate(view text, const struct field *fields, struct arena *arena)
{
	struct certificate_body body = { 0 };
	struct cert_policy policy;
	struct error err;

	if (!body_read(text, fields, &body, arena, &err))
		return;
	cert_policy_default(&policy);
	if (cert_policy_fill(&body.policy, arena, &policy, &err))
		(void)cert_policy_check(&policy, arena, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct field *const bodies[] = { certificate_create_fields,
		certificate_import_fields, certificate_merge_fields, certificate_update_fields };
	AUTO(arena_free) struct arena arena = { 0 };
	view text = { (const char *)data, len };

	arena_init(&arena, ARENA_MAX);
	try_issuer(text, issuer_set_fields, &arena);
	try_issuer(text, issuer_update_fields, &arena);
	try_contacts(text, &arena);
	for (size_t i = 0; i < COUNT_OF(bodies); i++)
		try_certificate(text, bodies[i], &arena);
	return 0;
}
