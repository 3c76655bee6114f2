/*
 * Objects' documents: their keys in the store and their encoding.  Private to vault/.
 */
#ifndef VAULT_OBJECT_STORE_H
#define VAULT_OBJECT_STORE_H

#include "vault/object.h"

/* The key prefixes of a list of heads and of an object's versions, with the '/' at the end. */
MUST_USE bool heads_prefix(struct request *r, const struct object_type *type,
    enum object_state state, view *out, struct error *err);
MUST_USE bool versions_prefix(struct arena *arena, view vault, char letter, view object, view *out,
    struct error *err);

MUST_USE bool head_path(struct request *r, const struct object_type *type, enum object_state state,
    view name, view *out, struct error *err);
MUST_USE bool version_path(struct request *r, const struct object_type *type,
    const struct object *object, view version, view *out, struct error *err);

/* object_unknown(type, name, err): What backup and recover say of one that is not there; false. */
bool object_unknown(const struct object_type *type, view name, struct error *err);

MUST_USE bool head_write(struct request *r, const struct object_type *type,
    const struct object *object, struct error *err);

MUST_USE bool head_decode(struct plain *document, struct object *out, struct error *err);
MUST_USE bool version_decode(struct plain *document, struct version *out, struct error *err);
void version_encode(const struct version *version, struct buf *out);

/* version_write: The document alone; object_write_version tells the type, too. */
MUST_USE bool version_write(struct request *r, const struct object_type *type,
    const struct object *object, const struct version *version, struct error *err);

/* object_changed: Tell the type, when it wants to know. */
MUST_USE bool object_changed(struct request *r, const struct object_type *type,
    const struct object *object, const struct version *latest, struct error *err);

/* version_read: NULL document when it is absent; AUTO(version_done). */
MUST_USE bool version_read(struct request *r, const struct object_type *type,
    const struct object *object, view id, enum intent intent, struct version *out,
    struct error *err);

/* version_latest: The object's latest, to read it; ERR_CORRUPT when it is not there. */
MUST_USE bool version_latest(struct request *r, const struct object_type *type,
    const struct object *object, struct version *out, struct error *err);

#endif
