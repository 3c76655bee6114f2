/*
 * The directory's documents as something may have damaged them in the store, and what strangers
 * name in it: hosts' keys, resources, audiences.
 */
#include "base/fuzzing.h"
#include "identity/group_store.h"
#include "identity/host.h"
#include "identity/resource.h"
#include "identity/tenant_store.h"
#include "identity/trust.h"

static void
try_registration(view bytes)
{
	static struct registration out;
	struct error err = { 0 };

	if (!registration_read(bytes, &out, &err)) {
		check(err.code == ERR_CORRUPT);
		return;
	}
	check(out.secret_count <= APPLICATION_SECRETS_MAX &&
	    out.certificate_count <= APPLICATION_CERTIFICATES_MAX &&
	    out.federated_count <= APPLICATION_FEDERATED_MAX &&
	    out.redirect_count <= APPLICATION_REDIRECTS_MAX &&
	    out.attached_count <= APPLICATION_ATTACHED_MAX);
}

static void
try_documents(view bytes)
{
	struct tenant_record tenant;
	struct signing_record signing;
	struct trusted_issuer issuer;
	struct uuid group, member;
	struct oid oid;
	struct error err;

	if (oid_unpack(bytes, &oid, &err))
		check(oid.kind > OBJECT_ANY && oid.kind < OBJECT_KINDS);
	if (tenant_record_read(bytes, &tenant, &err))
		check(tenant.name.len < bytes.len);
	if (signing_record_read(bytes, &signing, &err))
		check(signing.spki.len < bytes.len);
	if (trusted_issuer_unpack(bytes, &issuer, &err))
		check(issuer.audience_count <= TRUSTED_AUDIENCES_MAX);
	if (membership_parse(bytes, &group, &member))
		check(bytes.len == 2 * UUID_LEN + 1);
	check(tenant_path_parse(bytes).kind <= TENANT_SIGNING);
}

static void
try_names(view text)
{
	AUTO(buf_free) struct buf spki = { 0 };
	struct error err = { 0 };

	if (host_key_read(text, &spki, &err))
		check(spki.len > 0);
	else
		check(err.code == ERR_BAD_REQUEST);
	if (audience_fits(V("https://vault.example.org:8443"), text))
		check(view_istarts(text, V("https://vault.example.org")) ||
		    view_ieq(text, VAULT_APPLICATION));
	if (resource_known(V("example.org:8443"), text))
		check(view_istarts(text, V("https://")) || view_ieq(text, VAULT_APPLICATION));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	view bytes = { (const char *)data, len };

	try_registration(bytes);
	try_documents(bytes);
	try_names(bytes);
	return 0;
}
