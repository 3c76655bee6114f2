#include "acme/wire.h"

#include "acme/document.h"
#include "acme/jws.h"
#include "http/client.h"

#include <string.h>

#define NONCE_TRIES 6
#define WAIT_MAX 86400 /* seconds that a server is waited for */
#define WAIT_BUSY 60

enum { FIELD_NONCE, FIELD_LOCATION, FIELD_RETRY, FIELD_COUNT };

struct answer {
	long status;
	struct client_field fields[FIELD_COUNT];
};

static void
answer_done(struct answer *answer)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		buf_free(&answer->fields[i].value);
}

static bool
keep_text(view text, char *out, size_t size)
{
	if (text.len >= size)
		return false;
	memcpy(out, text.ptr, text.len);
	out[text.len] = '\0';
	return true;
}

static void
keep_nonce(struct turn *turn, const struct answer *answer)
{
	view nonce = buf_view(&answer->fields[FIELD_NONCE].value);

	for (size_t i = 0; i < nonce.len; i++) {
		if (nonce.ptr[i] <= ' ' || nonce.ptr[i] > '~')
			nonce.len = 0;
	}
	/* A nonce is good once: without a new one, one has to be fetched. */
	if (!keep_text(nonce, turn->state->nonce, sizeof(turn->state->nonce)))
		turn->state->nonce[0] = '\0';
}

/* As seconds; dates are as good as nothing here, since clocks differ. */
static void
keep_retry(struct turn *turn, const struct answer *answer)
{
	uint64_t seconds;

	if (!view_u64(buf_view(&answer->fields[FIELD_RETRY].value), &seconds))
		return;
	turn->wait = seconds > WAIT_MAX ? WAIT_MAX : (unsigned)seconds;
	turn->wait_given = true;
}

static bool
send_request(struct turn *turn, struct client_request *request, struct answer *answer,
    struct buf *body, struct error *err)
{
	static const char *const names[FIELD_COUNT] = {
		[FIELD_NONCE] = "Replay-Nonce",
		[FIELD_LOCATION] = "Location",
		[FIELD_RETRY] = "Retry-After",
	};

	for (size_t i = 0; i < FIELD_COUNT; i++)
		answer->fields[i].name = names[i];
	request->more_ca_file = turn->acme->more_ca_file;
	request->seconds = ACME_SECONDS;
	request->max = ACME_CHAIN_MAX;
	request->careful = true;
	request->fields = answer->fields;
	request->field_count = FIELD_COUNT;
	if (!client_send(request, &answer->status, body, err))
		return false;
	keep_nonce(turn, answer);
	keep_retry(turn, answer);
	return true;
}

/* What was refused, and whether coming again may help. */
static bool
refused(struct turn *turn, const struct answer *answer, const struct acme_problem *problem,
    struct error *err)
{
	bool busy = answer->status >= 500 || answer->status == 429 ||
	    acme_problem_is(problem, V("rateLimited")) ||
	    acme_problem_is(problem, V("serverInternal"));

	if (busy && !turn->wait_given)
		turn->wait = WAIT_BUSY;
	if (problem->type.given || problem->detail.given)
		return acme_problem_set(problem, busy ? ERR_UNAVAILABLE : ERR_BAD_REQUEST, err);
	return error_set(err, busy ? ERR_UNAVAILABLE : ERR_BAD_REQUEST,
	    "The ACME server answered with status %ld.", answer->status);
}

bool
wire_get(struct turn *turn, const char *url, struct buf *body, struct error *err)
{
	AUTO(answer_done) struct answer answer = { 0 };
	struct client_request request = { .method = "GET", .url = url };
	struct acme_problem problem;

	if (!send_request(turn, &request, &answer, body, err))
		return false;
	if (answer.status == 200)
		return true;
	return acme_read_problem(buf_view(body), &problem, turn->arena, err) &&
	    refused(turn, &answer, &problem, err);
}

static bool
need_nonce(struct turn *turn, struct error *err)
{
	AUTO(answer_done) struct answer answer = { 0 };
	AUTO(buf_free) struct buf body = { 0 };
	struct client_request request = { .method = "HEAD", .url = turn->state->new_nonce };

	if (turn->state->nonce[0] != '\0')
		return true;
	if (!send_request(turn, &request, &answer, &body, err))
		return false;
	return turn->state->nonce[0] != '\0' ||
	    error_set(err, ERR_UNAVAILABLE, "The ACME server gave no nonce (status %ld).",
		answer.status);
}

static bool
post_once(struct turn *turn, const char *url, view payload, bool as_key, struct answer *answer,
    struct buf *body, struct error *err)
{
	AUTO(buf_free) struct buf jws = { 0 };
	struct client_request request = {
		.method = "POST",
		.url = url,
		.content_type = "application/jose+json",
	};

	if (!need_nonce(turn, err) ||
	    !jws_make(turn->acme, as_key ? NULL : turn->state->account, turn->state->nonce, url,
		payload, &jws, err))
		return false;
	request.body = buf_view(&jws);
	/* Whatever comes of it, this nonce has been used. */
	turn->state->nonce[0] = '\0';
	return send_request(turn, &request, answer, body, err);
}

static bool
keep_location(const struct answer *answer, char *out, struct error *err)
{
	view location = buf_view(&answer->fields[FIELD_LOCATION].value);

	if (out == NULL)
		return true;
	return (acme_url_valid(location) && keep_text(location, out, ACME_URL_MAX)) ||
	    error_set(err, ERR_UNAVAILABLE, "The ACME server did not say where to go on.");
}

bool
wire_post(struct turn *turn, const char *url, view payload, bool as_key,
    char location[ACME_URL_MAX], struct buf *body, struct error *err)
{
	struct acme_problem problem = { 0 };

	for (unsigned i = 0; i < NONCE_TRIES; i++) {
		AUTO(answer_done) struct answer answer = { 0 };

		buf_reset(body);
		if (!post_once(turn, url, payload, as_key, &answer, body, err))
			return false;
		if (answer.status >= 200 && answer.status < 300)
			return keep_location(&answer, location, err);
		if (!acme_read_problem(buf_view(body), &problem, turn->arena, err))
			return false;
		if (!acme_problem_is(&problem, V("badNonce")))
			return refused(turn, &answer, &problem, err);
	}
	return acme_problem_set(&problem, ERR_UNAVAILABLE, err);
}
