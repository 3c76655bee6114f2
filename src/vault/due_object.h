/*
 * The object that a due document is about, as one transaction has it: how folders that have kinds
 * of their own (due.h) begin with one.
 */
#ifndef VAULT_DUE_OBJECT_H
#define VAULT_DUE_OBJECT_H

#include "vault/due.h"

struct due_object {
	struct vault vault;
	enum due_vault_state where;
	/*
	 * To its vault, made by hand: a vault that is deleted is written under its own key all the
	 * same.  Unset while the vault is gone.
	 */
	struct request request;
	struct object object;
	struct version latest;
	bool found; /* it is live, and that very one: not another one of its name */
};

void due_object_done(struct due_object *object); /* for AUTO */

/*
 * due_object_find(services, tx, due, type, out, err):
 * Read it, to be changed.  What is done through ${out}->request goes back to ${tx} by
 * due_object_keep.
 */
MUST_USE bool due_object_find(const struct services *services, struct tx *tx, const struct due *due,
    const struct object_type *type, struct due_object *out, struct error *err);

/* due_object_keep(object, tx): The caller's transaction has what was read and changed since. */
void due_object_keep(const struct due_object *object, struct tx *tx);

#endif
