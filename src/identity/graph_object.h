/*
 * Directory objects as Graph writes them.
 */
#ifndef IDENTITY_GRAPH_OBJECT_H
#define IDENTITY_GRAPH_OBJECT_H

#include "base/json.h"
#include "identity/application_store.h"

/* A kind of object: the name of its collection, how its members are written. */
struct graph_kind {
	const char *collection;
	const char *type; /* "@odata.type" */
	enum object_kind object;
	void (*write)(const struct registration *registration, struct json *json);
};

extern const struct graph_kind graph_application, graph_service_principal;

/* graph_context(authority, name, entity, json): The member "@odata.context". */
void graph_context(view authority, const char *name, bool entity, struct json *json);

/* graph_secret(secret, text, json): The members of a passwordCredential; ${text} empty: hidden. */
void graph_secret(const struct client_secret *secret, view text, struct json *json);

#endif
