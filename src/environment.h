/*
 * What a client needs to find and trust an installation, as files in its data folder: the
 * authority's certificate, a bundle of it with the system's, and (for development) `env`, a list
 * of export lines.
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include "authority.h"
#include "config.h"
#include "environment_file.h"
#include "provision.h"
#include "vault/vault.h"

/* environment_certificates(config, authority, err): Write DATA/ca.pem and DATA/ca-bundle.pem. */
MUST_USE bool environment_certificates(const struct config *config,
    const struct authority *authority, struct error *err);

/*
 * environment_text(config, installation, secret, vaults, out, err):
 * Append the export lines; the secret is among them.  ${vaults} is NULL for a further tenant.
 */
MUST_USE bool environment_text(const struct config *config, const struct installation *installation,
    view secret, struct vaults *vaults, struct buf *out, struct error *err);

/* environment_check_names(config): Log a warning when its names do not resolve here.  May block. */
void environment_check_names(const struct config *config);

#endif
