#include "certs/certificate.h"

#include "certs/enrol.h"
#include "certs/lifetime.h"

#include "base/pack.h"
#include "secrets/secret.h"

#include <string.h>

#define FORMAT 1
#define STATE_FORMAT 1

enum { FLAG_KEEP_ORDER = 1, FLAG_KEY_OUT = 2, FLAG_KEY_IN = 4 };
enum { FLAG_MAILED = 1 }; /* beside LIFETIME_NEAR_END and LIFETIME_ENDED */

void
certificate_pack(const struct certificate *certificate, struct buf *out)
{
	static const uint8_t keys[] = {
		[CERTIFICATE_KEY_OUT] = FLAG_KEY_OUT,
		[CERTIFICATE_KEY_IN] = FLAG_KEY_IN,
	};

	pack_u8(out, FORMAT);
	pack_u8(out,
	    (uint8_t)((certificate->keep_order ? FLAG_KEEP_ORDER : 0) | keys[certificate->key]));
	pack_bytes(out, certificate->cer);
	pack_bytes(out, certificate->thumbprint);
}

bool
certificate_unpack(view content, struct certificate *out)
{
	struct unpack in = unpack_of(content);
	struct certificate certificate = { 0 };
	bool fine = unpack_u8(&in) == FORMAT;
	uint8_t flags = unpack_u8(&in);

	certificate.keep_order = (flags & FLAG_KEEP_ORDER) != 0;
	if ((flags & FLAG_KEY_IN) != 0)
		certificate.key = CERTIFICATE_KEY_IN;
	else if ((flags & FLAG_KEY_OUT) != 0)
		certificate.key = CERTIFICATE_KEY_OUT;
	certificate.cer = unpack_bytes(&in);
	certificate.thumbprint = unpack_bytes(&in);
	if (!fine || !unpack_end(&in))
		return false;
	*out = certificate;
	return true;
}

void
certificate_state_pack(const struct certificate_state *state, struct buf *out)
{
	AUTO(buf_free) struct buf policy = { 0 }, pending = { 0 };

	cert_policy_pack(&state->policy, &policy);
	if (state->has_pending)
		pending_pack(&state->pending, &pending);
	pack_u8(out, STATE_FORMAT);
	pack_bytes(out, buf_view(&policy));
	pack_bytes(out, buf_view(&pending));
	pack_bytes(out, state->lifetime.version);
	pack_u8(out,
	    (uint8_t)((state->lifetime.mailed ? FLAG_MAILED : 0) | state->lifetime.announced));
	pack_u32(out, state->lifetime.tries);
	pack_i64(out, state->lifetime.again);
	out->failed = out->failed || !buf_ok(&policy) || !buf_ok(&pending);
}

bool
certificate_state_unpack(view document, struct arena *arena, struct certificate_state *out)
{
	struct unpack in = unpack_of(document);
	struct certificate_state state = { 0 };
	bool fine = unpack_u8(&in) == STATE_FORMAT;
	view policy = unpack_bytes(&in), pending = unpack_bytes(&in);
	unsigned said;

	state.has_pending = pending.len > 0;
	state.lifetime.version = unpack_bytes(&in);
	said = unpack_u8(&in);
	state.lifetime.mailed = (said & FLAG_MAILED) != 0;
	state.lifetime.announced = said & (LIFETIME_NEAR_END | LIFETIME_ENDED);
	state.lifetime.tries = unpack_u32(&in);
	state.lifetime.again = unpack_i64(&in);
	if (!fine || !unpack_end(&in) || !cert_policy_unpack(policy, arena, &state.policy) ||
	    (state.has_pending && !pending_unpack(pending, &state.pending)))
		return false;
	*out = state;
	return true;
}

bool
certificate_state_read(struct request *r, struct object *object, enum intent intent,
    struct certificate_state *out, struct error *err)
{
	if (!object_read_policy(r, &certificate_type, intent, object, err))
		return false;
	return certificate_state_unpack(object->policy, r->arena, out) ||
	    error_set(err, ERR_CORRUPT, "a certificate's policy can't be read");
}

bool
certificate_state_write(struct request *r, const struct object *object,
    const struct certificate_state *state, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };

	certificate_state_pack(state, &document);
	if (!buf_ok(&document))
		return error_memory(err);
	return object_write_policy(r, &certificate_type, object, &document, err);
}

bool
certificate_require(struct request *r, view version, enum intent intent, struct object *object,
    struct version *out, struct certificate_state *state, struct error *err)
{
	return object_require(r, &certificate_type, r->params[0], version, intent, object, out,
		   err) &&
	    certificate_state_read(r, object, intent, state, err);
}

void
certificate_write_url(struct request *r, const char *name, const struct object *object,
    const char *what)
{
	struct json *json = &r->json;

	json_text_open(json, name);
	json_text_part(json, V("https://"));
	json_text_part(json, r->authority);
	json_text_part(json, V("/certificates/"));
	json_text_part(json, object->name);
	json_text_part(json, view_of(what));
	json_text_close(json);
}

static void
write_policy(struct request *r, const struct object *object, const struct cert_policy *policy)
{
	certificate_write_url(r, "id", object, "/policy");
	cert_policy_write(&r->json, r->version->rank, policy);
}

/* Members in the original's order. */
static void
write_bundle(struct request *r, const struct object *object, const struct version *version,
    const struct certificate_shown *shown)
{
	struct json *json = &r->json;
	struct certificate certificate;

	if (!certificate_unpack(version->content, &certificate))
		certificate = (struct certificate){ 0 };
	write_id(r, "id", certificate_type.collection, object, version->id);
	if (certificate.cer.len > 0) {
		write_id(r, "kid", key_type.collection, object, version->id);
		write_id(r, "sid", secret_type.collection, object, version->id);
		json_bytes(json, "x5t", certificate.thumbprint);
		json_base64(json, "cer", certificate.cer);
	}
	write_attributes(r, &version->attributes);
	write_tags(r, version->tags);
	if (shown->policy != NULL) {
		json_open_in(json, "policy", '{');
		write_policy(r, object, &shown->policy->policy);
		json_close(json, '}');
	}
	if (shown->pending != NULL && shown->pending->has_pending) {
		json_open_in(json, "pending", '{');
		certificate_write_url(r, "id", object, "/pending");
		json_close(json, '}');
	}
	if (certificate.keep_order && r->version->rank >= VERSION_7_6)
		json_flag(json, "preserveCertOrder", true);
}

void
certificate_reply(struct request *r, const struct object *object, const struct version *version,
    const struct certificate_shown *shown)
{
	json_open(reply_json(r), '{');
	write_bundle(r, object, version, shown);
	json_close(&r->json, '}');
}

void
certificate_policy_reply(struct request *r, const struct object *object,
    const struct cert_policy *policy)
{
	json_open(reply_json(r), '{');
	write_policy(r, object, policy);
	json_close(&r->json, '}');
}

static void
write_whole(struct request *r, const struct object *object, const struct version *version)
{
	struct certificate_state state;
	bool known = certificate_state_unpack(object->policy, r->arena, &state);
	const struct certificate_shown shown = { known ? &state : NULL, known ? &state : NULL };

	write_bundle(r, object, version, &shown);
}

static void
write_item(struct request *r, const struct object *object, const struct version *version,
    bool versioned)
{
	struct json *json = &r->json;
	struct certificate certificate;

	if (!certificate_unpack(version->content, &certificate))
		certificate = (struct certificate){ 0 };
	write_id(r, "id", certificate_type.collection, object, versioned ? version->id : V(""));
	if (certificate.cer.len > 0)
		json_bytes(json, "x5t", certificate.thumbprint);
	if (object->deleted != 0) {
		write_attributes(r, &version->attributes);
		write_tags(r, version->tags);
		return;
	}
	json_open_in(json, "attributes", '{');
	attributes_write(json, &version->attributes);
	json_close(json, '}');
	write_tags(r, version->tags);
	/* The original has it in its lists, and always empty. */
	json_text(json, "subject", V(""));
}

static bool
is_provisional(const struct version *version)
{
	struct certificate certificate;

	return certificate_unpack(version->content, &certificate) && certificate.cer.len == 0;
}

/* An operation belongs to where it was begun: it is not in a backup. */
static bool
pack_policy(struct request *r, const struct object *object, struct buf *out, struct error *err)
{
	AUTO(object_done) struct object own = { .name = object->name };
	struct certificate_state state;

	memcpy(own.id, object->id, sizeof(own.id));
	if (!certificate_state_read(r, &own, TO_READ, &state, err))
		return false;
	state.has_pending = false;
	certificate_state_pack(&state, out);
	return buf_ok(out) || error_memory(err);
}

/*
 * It is deleted: nothing is shown by HTTP-01 of what does not go on.  Recovered, the operation
 * begins anew, with another order.
 */
static bool
abandon(struct request *r, const struct object *object, struct error *err)
{
	AUTO(object_done) struct object own = { .name = object->name };
	struct certificate_state state;

	memcpy(own.id, object->id, sizeof(own.id));
	if (!certificate_state_read(r, &own, TO_CHANGE, &state, err))
		return false;
	if (!state.has_pending || state.pending.enrolment.len == 0)
		return true;
	if (!enrol_abandon(&r->tx, state.pending.enrolment, err))
		return false;
	state.pending.enrolment = V("");
	return certificate_state_write(r, &own, &state, err);
}

/* Its operation goes on when the certificate is recovered. */
static bool
changed(struct request *r, const struct object *object, const struct version *latest,
    struct error *err)
{
	AUTO(object_done) struct object own = { .name = object->name };
	struct certificate_state state;
	struct due due;

	memcpy(own.id, object->id, sizeof(own.id));
	if (latest == NULL)
		return abandon(r, object, err);
	if (!is_provisional(latest) && !lifetime_touch(r, object, err))
		return false;
	if (!object_read_policy(r, &certificate_type, TO_READ, &own, err))
		return false;
	if (!certificate_state_unpack(own.policy, r->arena, &state) || !state.has_pending ||
	    state.pending.due == 0)
		return true;
	due = due_of(r, &certificate_type, object,
	    pending_enrols(&state.pending) ? DUE_ENROL : DUE_ISSUE, state.pending.due);
	return due_put(&r->tx, &due, err);
}

static bool
restore_policy(struct request *r, const struct object *object, view policy,
    const struct version *latest, struct error *err)
{
	struct certificate_state state;

	(void)latest;
	if (!certificate_state_unpack(policy, r->arena, &state))
		return error_set(err, ERR_CORRUPT, "a certificate's policy can't be read");
	return certificate_state_write(r, object, &state, err) && lifetime_touch(r, object, err);
}

/* There is nothing to be kept of what was never issued. */
static bool
to_backup(struct request *r, view binding, struct version *version, struct error *err)
{
	(void)r;
	(void)binding;
	return !is_provisional(version) ||
	    error_set(err, ERR_BAD_PARAMETER,
		"A certificate can't be backed up before its first operation is completed.");
}

static bool
from_backup(struct request *r, const struct object *object, view binding, struct version *version,
    struct error *err)
{
	struct certificate certificate;

	(void)r;
	(void)object;
	(void)binding;
	return (certificate_unpack(version->content, &certificate) && certificate.cer.len > 0) ||
	    error_set(err, ERR_CORRUPT, "a certificate's content can't be read");
}

static const struct object_type *const members[] = { &key_type, &secret_type, NULL };

static const char *const reserved[] = { "contacts", "issuers", "restore", NULL };

const struct object_type certificate_type = {
	.letter = 'c',
	.noun = "certificate",
	.title = "Certificate",
	.collection = "certificates",
	.deleted = "deletedcertificates",
	.not_found = ERR_CERTIFICATE_NOT_FOUND,
	.versions_named = true,
	.terse = true,
	.tag_name_max = 256,
	.tag_value_max = 256,
	.reserved = reserved,
	.members = members,
	.shows_policy = true,
	.hidden = is_provisional,
	.write = write_whole,
	.write_item = write_item,
	.to_backup = to_backup,
	.from_backup = from_backup,
	.changed = changed,
	.pack_policy = pack_policy,
	.restore_policy = restore_policy,
};
