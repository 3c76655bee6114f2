/*
 * Backups of a whole server: one file, sealed to a recipient's certificate, that holds all there is
 * in the data folder at one moment: documents as they are sealed, the root keys that open them, the
 * audit log up to the line the store remembers.  The server goes on serving meanwhile.
 *
 * The folder the file is for is the caller's; what is written is 0600, under another name until it
 * is whole, durable and has been restored once.
 */
#ifndef BACKUP_BACKUP_H
#define BACKUP_BACKUP_H

#include "base/error.h"
#include "base/watch.h"
#include "crypto/hash.h"
#include "keyring/keyring.h"
#include "store/store.h"

struct backup_report {
	char id[33];
	int64_t made; /* Unix seconds */
	char version[64], domain[256];
	uint64_t documents, journal_lines, audit_lines, token_keys; /* those in an HSM */
	uint64_t bytes;
	char digest[2 * SHA256_LEN + 1]; /* of the file, as sha256sum says it */
};

struct backup_source {
	struct store *store; /* served, or looked into (store_look) */
	struct keyring *keyring;
	const char *data; /* the folder */
	view version, domain;
	view recipient; /* a certificate in PEM */
	struct watch watch;
};

/*
 * backup_create(source, path, report, err):
 * Make the backup ${path}, which must not be there yet.  Before it has that name it is restored
 * into a scratch folder beside the data, which goes again, and compared with what was written.
 * ERR_BAD_REQUEST: the certificate; ERR_CONFLICT: something is there.
 */
MUST_USE bool backup_create(const struct backup_source *source, const char *path,
    struct backup_report *report, struct error *err);

/*
 * backup_verify(path, key, scratch, watch, report, err):
 * Restore ${path} by the recipient's private ${key} (PEM) into a folder made in ${scratch}: all of
 * it is there and in its place, the root keys open every vault's key, the store holds what the
 * backup's end says, the audit log's chain is whole.  Nothing stays; the root keys are not written
 * there.
 */
MUST_USE bool backup_verify(const char *path, view key, const char *scratch,
    const struct watch *watch, struct backup_report *report, struct error *err);

/*
 * backup_restore(path, key, data, watch, report, err):
 * The same, and what was restored and found to be whole becomes the data folder ${data}, which is
 * made, or is empty (else ERR_CONFLICT) but for what a restore that was killed has left there.
 * After a failure it is empty again.  Killed, it leaves a folder that nobody serves.
 */
MUST_USE bool backup_restore(const char *path, view key, const char *data,
    const struct watch *watch, struct backup_report *report, struct error *err);

/* backup_restored(data, err): ERR_UNAVAILABLE: a restore to ${data} is under way, or was killed. */
MUST_USE bool backup_restored(const char *data, struct error *err);

#endif
