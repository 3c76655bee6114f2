/*
 * Issuers: who makes a vault's certificates, and what a vault needs to ask them.  They have neither
 * versions nor soft delete.  Reference of the data plane, 10.1 and 10.5.
 *
 * Document, sealed under the vault's key; NAME in upper case:
 *	v/<vault>/ci/<NAME>
 */
#ifndef CERTS_ISSUER_H
#define CERTS_ISSUER_H

#include "vault/object.h"

#define ISSUER_ADMINS_MAX 10
#define ISSUER_TEXT_MAX 256 /* bytes of a name, a phone number or an account */
#define ISSUER_PASSWORD_MAX 1024
#define ISSUER_ORGANIZATION_MAX 512

enum issuer_provider {
	ISSUER_DIGICERT = 1,
	ISSUER_GLOBALSIGN,
	ISSUER_TEST,
	ISSUER_STRONGROOM, /* the installation's own authority */
	/*
	 * RFC 8555: org_details.id is the directory's URL; account_id and pwd are the identifier
	 * and the base64url key of an external account binding, both or neither.
	 */
	ISSUER_ACME,
};

struct issuer_admin {
	struct body_text first_name, last_name, email, phone;
};

/* A text is there (`given`) when a client ever gave it. */
struct issuer {
	struct plain *document; /* what the views point into; NULL: something else */
	view name;              /* as it was written when it was made */
	enum issuer_provider provider;
	bool enabled;
	int64_t created, updated;
	struct body_text account, password, organization;
	bool has_admins;
	size_t admin_count;
	struct issuer_admin admins[ISSUER_ADMINS_MAX];
};

void issuer_done(struct issuer *issuer); /* for AUTO */

/* issuer_provider_name(provider): "DigiCert" ... */
const char *issuer_provider_name(enum issuer_provider provider);

/* What a client may send; PUT must name the provider. */
struct issuer_body {
	struct body_text provider, account, password, organization;
	struct body_list admins; /* of struct issuer_admin */
	struct body_flag enabled;
};
extern const struct field issuer_set_fields[], issuer_update_fields[];

/*
 * issuer_fill(body, issuer, err):
 * Change what ${body} gives and check the whole.  ERR_BAD_PARAMETER names the property.
 */
MUST_USE bool issuer_fill(const struct issuer_body *body, struct issuer *issuer, struct error *err);

void issuer_pack(const struct issuer *issuer, struct buf *out);
MUST_USE bool issuer_unpack(view document, struct issuer *out);

/* issuer_name_reserved(name): `Self` and `Unknown` say something of their own in policies. */
bool issuer_name_reserved(view name);

/*
 * issuer_read(tx, vault, name, intent, out, found, err):
 * The issuer of that name, in any case.  Owned by the caller: AUTO(issuer_done).
 */
MUST_USE bool issuer_read(struct tx *tx, const struct vault *vault, view name, enum intent intent,
    struct issuer *out, bool *found, struct error *err);

MUST_USE bool issuer_path(struct arena *arena, const struct vault *vault, view name, view *out,
    struct error *err);

extern const struct op issuer_ops[];

#endif
