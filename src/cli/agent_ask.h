/*
 * What local clients ask the agent, in the shapes that SDKs know: App Service's
 * (IDENTITY_ENDPOINT), and the instance metadata service's (IMDS).
 */
#ifndef CLI_AGENT_ASK_H
#define CLI_AGENT_ASK_H

#include "cli/agent_account.h"
#include "http/http.h"

enum agent_shape {
	SHAPE_APP_SERVICE, /* GET /msi/token */
	SHAPE_IMDS,        /* GET /metadata/identity/oauth2/token, /oauth2/token */
	SHAPE_ENVIRONMENT, /* GET /environment, Unix socket only: `strongroom agent env` */
};

struct agent_ask {
	enum agent_shape shape;
	view resource;
	enum identity_key key;
	view identity; /* by ${key} */
	view header;   /* X-IDENTITY-HEADER; SHAPE_APP_SERVICE */
};

/* Why not: what goes over the wire. */
struct agent_refusal {
	int status;
	const char *error; /* OAuth's name for it; static, or in the request's arena */
	view description;
};

/*
 * agent_ask_read(request, arena, out, refusal):
 * False with ${refusal} filled in for what is no such question.
 */
MUST_USE bool agent_ask_read(const struct http_request *request, struct arena *arena,
    struct agent_ask *out, struct agent_refusal *refusal);

#endif
