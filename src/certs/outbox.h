/*
 * E-mail that is to be sent: written in the commit that causes it, sent by the scheduler behind it,
 * tried again later each time, given up after OUTBOX_PATIENCE or when the server refuses it.
 *
 * Document, sealed under the vault's key: v/<vault>/mail/<id>
 */
#ifndef CERTS_OUTBOX_H
#define CERTS_OUTBOX_H

#include "vault/due.h"

#define OUTBOX_PATIENCE ((int64_t)3 * 86400) /* seconds, by the vault's clock */
#define OUTBOX_WAIT_MAX ((int64_t)6 * 3600)

/*
 * outbox_add(services, tx, vault, letter, now, err):
 * To a valid address; the others are UTF-8, the subject one line.  Nothing is written when no
 * e-mail is to be sent at all (${smtp} NULL).
 */
struct outbox_letter {
	view to, subject, text;
};
MUST_USE bool outbox_add(const struct services *services, struct tx *tx, const struct vault *vault,
    const struct outbox_letter *letter, int64_t now, struct error *err);

/* DUE_MAIL: see jobs/due_job.c.  A message may come twice when the server ends in between. */
MUST_USE bool outbox_prepare(const struct services *services, const struct due *due,
    struct arena *arena, void **out, struct error *err);
MUST_USE bool outbox_run(const struct services *services, struct tx *tx, const struct due *due,
    void *prepared, int64_t now, struct due_done *done, struct error *err);

#endif
