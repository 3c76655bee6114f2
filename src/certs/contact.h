/*
 * Contacts: who is told about a vault's certificates by e-mail.  One list for a vault.
 *
 * Document, sealed under the vault's key: v/<vault>/cc
 */
#ifndef CERTS_CONTACT_H
#define CERTS_CONTACT_H

#include "vault/object.h"

#define CONTACTS_MAX 50

struct contact {
	struct body_text email, name, phone; /* the address is always there */
};

struct contacts {
	struct plain *document; /* what the views point into; NULL: something else */
	size_t count;
	struct contact list[CONTACTS_MAX];
};

void contacts_done(struct contacts *contacts); /* for AUTO */

/* What a client may send. */
struct contacts_body {
	struct body_list contacts; /* of struct contact */
};
extern const struct field contacts_fields[];

/* contacts_fill(body, out, err): ERR_BAD_PARAMETER unless each has an address and all are lines. */
MUST_USE bool contacts_fill(const struct contacts_body *body, struct contacts *out,
    struct error *err);

void contacts_pack(const struct contacts *contacts, struct buf *out);
MUST_USE bool contacts_unpack(view document, struct contacts *out);

/* contacts_read(tx, vault, intent, out, found, err): Owned by the caller: AUTO(contacts_done). */
MUST_USE bool contacts_read(struct tx *tx, const struct vault *vault, enum intent intent,
    struct contacts *out, bool *found, struct error *err);

extern const struct op contact_ops[];

#endif
