#include "certs/contact.h"

#include "certs/text.h"

static bool
contacts_path(struct arena *arena, const struct vault *vault, view *out, struct error *err)
{
	return arena_join(arena, (const view[]){ V("v/"), uuid_view(&vault->id), V("/cc") }, 3,
		   out) ||
	    error_memory(err);
}

bool
contacts_read(struct tx *tx, const struct vault *vault, enum intent intent, struct contacts *out,
    bool *found, struct error *err)
{
	AUTO(plain_done) struct plain *document = NULL;
	view path;

	*found = false;
	if (!contacts_path(tx->arena, vault, &path, err) ||
	    !(intent == TO_CHANGE ? tx_take : tx_get)(tx, vault->key, path, &document, err))
		return false;
	if (document == NULL)
		return true;
	if (!contacts_unpack(plain_view(document), out))
		return error_set(err, ERR_CORRUPT, "the contacts' document can't be read");
	out->document = document;
	document = NULL;
	*found = true;
	return true;
}

static bool
reply_contacts(struct request *r, const struct contacts *contacts, struct error *err)
{
	struct json *json = reply_json(r);
	const view parts[] = { V("https://"), r->authority, V("/certificates/contacts") };

	if (!arena_join(r->arena, parts, COUNT_OF(parts), &r->object_id))
		return error_memory(err);
	json_open(json, '{');
	json_text(json, "id", r->object_id);
	json_open_in(json, "contacts", '[');
	for (size_t i = 0; i < contacts->count; i++) {
		json_open(json, '{');
		text_write(json, "email", &contacts->list[i].email);
		text_write(json, "name", &contacts->list[i].name);
		text_write(json, "phone", &contacts->list[i].phone);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_close(json, '}');
	return true;
}

static bool
run_set(struct request *r, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	struct contacts contacts;
	view path;

	if (!contacts_fill(r->body, &contacts, err))
		return false;
	contacts_pack(&contacts, &document);
	if (!buf_ok(&document))
		return error_memory(err);
	return contacts_path(r->arena, r->vault, &path, err) &&
	    tx_put(&r->tx, r->vault->key, path, &document, err) &&
	    reply_contacts(r, &contacts, err);
}

static bool
require(struct request *r, enum intent intent, struct contacts *out, struct error *err)
{
	bool found;

	if (!contacts_read(&r->tx, r->vault, intent, out, &found, err))
		return false;
	return found || error_set(err, ERR_CONTACTS_NOT_FOUND, "Contacts not found");
}

static bool
run_get(struct request *r, struct error *err)
{
	AUTO(contacts_done) struct contacts contacts = { 0 };

	return require(r, TO_READ, &contacts, err) && reply_contacts(r, &contacts, err);
}

static bool
run_delete(struct request *r, struct error *err)
{
	AUTO(contacts_done) struct contacts contacts = { 0 };
	view path;

	return require(r, TO_CHANGE, &contacts, err) &&
	    contacts_path(r->arena, r->vault, &path, err) && tx_delete(&r->tx, path, err) &&
	    reply_contacts(r, &contacts, err);
}

/* clang-format off */

#define ROW .plane = PLANE_VAULT, .guard = GUARD_DATA, .versioning = VERSION_VAULT, \
	.throttle = THROTTLE_OTHER, .path = "/certificates/contacts"

const struct op contact_ops[] = {
	{ "CertificateContactsSet", ROW, .method = HTTP_PUT, .action = "certificatecontacts/write",
	  .body = contacts_fields, .body_size = sizeof(struct contacts_body), .run = run_set },
	{ "CertificateContactsGet", ROW, .method = HTTP_GET, .action = "certificates/read",
	  .permission = "managecontacts", .run = run_get },
	{ "CertificateContactsDelete", ROW, .method = HTTP_DELETE,
	  .action = "certificatecontacts/write", .run = run_delete },
	{ 0 },
};

/* clang-format on */
