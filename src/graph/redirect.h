/*
 * Where an application's sign-in codes may be sent to.
 */
#ifndef GRAPH_REDIRECT_H
#define GRAPH_REDIRECT_H

#include "api/body.h"
#include "identity/application_store.h"

#define REDIRECT_MAX 256 /* bytes */

/*
 * redirects_set(registration, kind, uris, err):
 * Instead of those of this kind, when ${uris} was given.  ERR_GRAPH_BAD_REQUEST: not absolute URIs
 * without a fragment ("https:", "http:" of this machine only; for public clients also schemes of
 * their own), or too many.
 */
MUST_USE bool redirects_set(struct registration *registration, enum redirect_kind kind,
    const struct body_texts *uris, struct error *err);

#endif
