/*
 * Lifetime actions: at their time before a certificate's end it is renewed, or its vault's contacts
 * are told.  That the end is near, and that it has come, is announced in the audit log, whatever
 * the actions.  Reference of the data plane, 10.3, 10.5, 14 and 15.
 *
 * A due document (DUE_LIFETIME) is written whenever the certificate's latest version or its policy
 * changes, and looks: at what is due by now, and for when to look again.  So one that comes too
 * early, or twice, does nothing.  What came of it for the latest version is kept with the
 * certificate (struct lifetime).
 *
 * A renewal that fails can be seen in the pending operation, and is tried again an hour later, then
 * two, four ... and once a day; so is one that brought a certificate that was due when it came, as
 * of an issuer whose clock is behind.  Between two tries passes at most a quarter of the time until
 * the end, or since it, but an hour: so what was mended before the end still helps.  Once its
 * policy is changed it is tried at once.  A disabled certificate is left alone until it is enabled,
 * but for the announcements.
 */
#ifndef CERTS_LIFETIME_H
#define CERTS_LIFETIME_H

#include "certs/certificate.h"

#define LIFETIME_RETRY ((int64_t)3600) /* seconds */
#define LIFETIME_RETRY_MAX ((int64_t)86400)
#define LIFETIME_RETRY_PART 4 /* of the time between now and the end, one a try */

/*
 * lifetime_at(action, start, end):
 * When it is due, Unix seconds, for a certificate's validity.  An issuer may give less than the
 * policy's: where the days before the end are all it lasts, the usual percentage counts.
 */
int64_t lifetime_at(const struct lifetime_action *action, int64_t start, int64_t end);

/* lifetime_forget_tries(lifetime): Why renewals failed may be mended: the next need not wait. */
void lifetime_forget_tries(struct lifetime *lifetime);

/* lifetime_touch(r, object, err): Something changed: look, soon. */
MUST_USE bool lifetime_touch(struct request *r, const struct object *object, struct error *err);

/* DUE_LIFETIME: see jobs/due_job.c. */
MUST_USE bool lifetime_prepare(const struct services *services, const struct due *due,
    struct arena *arena, void **out, struct error *err);
MUST_USE bool lifetime_run(const struct services *services, struct tx *tx, const struct due *due,
    void *prepared, int64_t now, struct due_done *done, struct error *err);

#endif
