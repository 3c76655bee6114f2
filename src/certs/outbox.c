#include "certs/outbox.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/pack.h"
#include "certs/outside.h"
#include "crypto/random.h"
#include "keyring/work.h"

#define FORMAT 1
#define LETTER 'm' /* no object's */
#define WAIT_FIRST 60

struct kept {
	struct plain *document; /* what the views point into */
	struct outbox_letter letter;
	int64_t since;
	uint32_t tries;
};

static void
kept_done(struct kept *kept)
{
	plain_free(kept->document);
}

static bool
kept_path(struct arena *arena, view vault, view id, view *out, struct error *err)
{
	return arena_join(arena, (const view[]){ V("v/"), vault, V("/mail/"), id }, 4, out) ||
	    error_memory(err);
}

static bool
kept_write(struct tx *tx, const struct vault *vault, view id, const struct kept *kept,
    struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };
	view path;

	pack_u8(&document, FORMAT);
	pack_bytes(&document, kept->letter.to);
	pack_bytes(&document, kept->letter.subject);
	pack_bytes(&document, kept->letter.text);
	pack_i64(&document, kept->since);
	pack_u32(&document, kept->tries);
	if (!buf_ok(&document))
		return error_memory(err);
	return kept_path(tx->arena, uuid_view(&vault->id), id, &path, err) &&
	    tx_put(tx, vault->key, path, &document, err);
}

static bool
kept_read(struct tx *tx, const struct vault *vault, view id, struct kept *out, bool *found,
    struct error *err)
{
	struct unpack in;
	bool fine;
	view path;

	*found = false;
	if (!kept_path(tx->arena, uuid_view(&vault->id), id, &path, err) ||
	    !tx_take(tx, vault->key, path, &out->document, err))
		return false;
	if (out->document == NULL)
		return true;
	in = unpack_of(plain_view(out->document));
	fine = unpack_u8(&in) == FORMAT;
	out->letter.to = unpack_bytes(&in);
	out->letter.subject = unpack_bytes(&in);
	out->letter.text = unpack_bytes(&in);
	out->since = unpack_i64(&in);
	out->tries = unpack_u32(&in);
	*found = true;
	return (fine && unpack_end(&in)) ||
	    error_set(err, ERR_CORRUPT, "a message's document can't be read");
}

static struct due
due_for(const struct vault *vault, view id, int64_t time)
{
	return (struct due){ .kind = DUE_MAIL,
		.time = time,
		.vault_name = vault->name,
		.vault = uuid_view(&vault->id),
		.letter = LETTER,
		.object = id,
		.name = V("") };
}

bool
outbox_add(const struct services *services, struct tx *tx, const struct vault *vault,
    const struct outbox_letter *letter, int64_t now, struct error *err)
{
	const struct kept kept = { .letter = *letter, .since = now };
	char id[HEX16_LEN + 1];
	struct due due;

	if (services->outside == NULL || services->outside->smtp == NULL)
		return true;
	random_ordered(id);
	due = due_for(vault, view_of(id), now);
	return kept_write(tx, vault, view_of(id), &kept, err) && due_put(tx, &due, err);
}

/* How it went, for the transaction behind. */
struct sending {
	bool sent, refused;
	struct error problem;
};

static bool
send_letter(const struct services *services, const struct kept *kept, view id,
    struct sending *sending)
{
	const struct smtp *smtp = services->outside->smtp;
	const struct mail mail = {
		.from = view_of(smtp->from),
		.to = kept->letter.to,
		.subject = kept->letter.subject,
		.text = kept->letter.text,
		.id = id,
		.time = clock_wall(),
	};

	sending->sent = smtp_send(smtp, &mail, &sending->problem);
	sending->refused = !sending->sent && sending->problem.code == ERR_BAD_REQUEST;
	return true;
}

static bool
look_up(struct tx *tx, const struct due *due, struct vault *vault, struct kept *out, bool *found,
    struct error *err)
{
	enum due_vault_state state;

	*found = false;
	if (!due_vault(tx, due, vault, &state, err))
		return false;
	return state == VAULT_GONE || kept_read(tx, vault, due->object, out, found, err);
}

static bool
look_ahead(const struct services *services, const struct due *due, struct arena *arena,
    struct kept *out, bool *found, struct error *err)
{
	AUTO(reading_done) struct reading reading = { 0 };
	struct vault vault;

	return reading_begin(services->store, services->keyring, arena, &reading, err) &&
	    look_up(&reading.tx, due, &vault, out, found, err);
}

bool
outbox_prepare(const struct services *services, const struct due *due, struct arena *arena,
    void **out, struct error *err)
{
	AUTO(kept_done) struct kept kept = { 0 };
	struct sending *sending = arena_alloc(arena, sizeof(*sending));
	bool found;

	*out = NULL;
	if (sending == NULL)
		return error_memory(err);
	if (!look_ahead(services, due, arena, &kept, &found, err))
		return false;
	if (!found || services->outside == NULL || services->outside->smtp == NULL)
		return true;
	*out = sending;
	return send_letter(services, &kept, due->object, sending);
}

/* An address is nobody's business but the vault's: the log says which vault. */
static void
tell_problem(const struct vault *vault, const struct sending *sending, bool given_up)
{
	log_line(given_up ? LOG_ERROR : LOG_WARN, "mail.unsent", "%.*s: %s%s",
	    VIEW_ARG(vault->name),
	    sending != NULL ? sending->problem.message : "no e-mail is sent any more",
	    given_up ? " (given up)" : "");
}

bool
outbox_run(const struct services *services, struct tx *tx, const struct due *due, void *prepared,
    int64_t now, struct due_done *done, struct error *err)
{
	AUTO(kept_done) struct kept kept = { 0 };
	const struct sending *sending = prepared;
	struct vault vault;
	struct due again;
	bool found, given_up;
	view path;

	(void)services;
	(void)done;
	if (!look_up(tx, due, &vault, &kept, &found, err))
		return false;
	if (!found)
		return true;
	given_up = sending == NULL || sending->refused || now - kept.since > OUTBOX_PATIENCE;
	if (sending == NULL || !sending->sent)
		tell_problem(&vault, sending, given_up);
	if (given_up || sending->sent)
		return kept_path(tx->arena, due->vault, due->object, &path, err) &&
		    tx_delete(tx, path, err);
	again = due_for(&vault, due->object,
	    now + due_backoff(WAIT_FIRST, OUTBOX_WAIT_MAX, kept.tries));
	kept.tries++;
	return kept_write(tx, &vault, due->object, &kept, err) && due_put(tx, &again, err);
}
