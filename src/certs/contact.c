#include "certs/contact.h"

#include "certs/text.h"
#include "mail/address.h"

#include <string.h>

#define FORMAT 1
#define TEXT_MAX 256 /* bytes of a name or a phone number */

/* clang-format off */

#define TEXT(text, member, most) { .name = text, .kind = FIELD_TEXT, .max = most, \
	  .offset = offsetof(struct contact, member)

static const struct field contact_fields[] = {
	TEXT("email", email, MAIL_ADDRESS_MAX), .required = true },
	TEXT("name", name, TEXT_MAX) },
	TEXT("phone", phone, TEXT_MAX) },
	{ 0 },
};

const struct field contacts_fields[] = {
	{ .name = "contacts", .kind = FIELD_LIST, .max = CONTACTS_MAX, .required = true,
	  .fields = contact_fields, .size = sizeof(struct contact),
	  .offset = offsetof(struct contacts_body, contacts) },
	{ 0 },
};

/* clang-format on */

void
contacts_done(struct contacts *contacts)
{
	plain_free(contacts->document);
	contacts->document = NULL;
}

bool
contacts_fill(const struct contacts_body *body, struct contacts *out, struct error *err)
{
	const struct contact *list = body->contacts.items;

	*out = (struct contacts){ .count = body->contacts.count };
	for (size_t i = 0; i < out->count; i++) {
		if (!mail_address_valid(list[i].email.text))
			return error_set(err, ERR_BAD_PARAMETER,
			    "Property email has invalid value\r\n");
		if (!text_is_line(&list[i].name) || !text_is_line(&list[i].phone))
			return error_set(err, ERR_BAD_PARAMETER,
			    "Property contacts has invalid value\r\n");
		out->list[i] = list[i];
	}
	return true;
}

void
contacts_pack(const struct contacts *contacts, struct buf *out)
{
	pack_u8(out, FORMAT);
	pack_u8(out, (uint8_t)contacts->count);
	for (size_t i = 0; i < contacts->count; i++) {
		text_pack(out, &contacts->list[i].email);
		text_pack(out, &contacts->list[i].name);
		text_pack(out, &contacts->list[i].phone);
	}
}

bool
contacts_unpack(view document, struct contacts *out)
{
	struct unpack in = unpack_of(document);
	struct contacts contacts = { 0 };
	bool fine = unpack_u8(&in) == FORMAT;

	contacts.count = unpack_u8(&in);
	if (!fine || contacts.count > CONTACTS_MAX)
		return false;
	for (size_t i = 0; i < contacts.count; i++) {
		text_unpack(&in, &contacts.list[i].email);
		text_unpack(&in, &contacts.list[i].name);
		text_unpack(&in, &contacts.list[i].phone);
	}
	if (!unpack_end(&in))
		return false;
	*out = contacts;
	return true;
}
