#include "identity/issuer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/starved.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KEYS_SECONDS 86400  /* how long fetched keys are good */
#define STALE_SECONDS 86400 /* and how much longer when they can't be fetched again */
#define KEPT_SECONDS 3600   /* how old they get for issuers that are always at hand */
#define RETRY_SECONDS 60    /* and twice as long after each further failure */
#define RETRIES_MAX 4       /* eight minutes at most */
#define WAIT_SECONDS 12     /* both documents, and some */
/* Threads of the pool that may be in here at a time: the rest is for everybody else. */
#define BUSY_MAX 2
#define TICK_SECONDS 30

struct issuer {
	char url[ISSUER_URL_MAX + 1];
	struct key_set *keys;
	int64_t fetched, tried; /* the settings' clock; ->tried only once ->asked */
	bool asked, fetching;
	unsigned failures; /* since it last answered; at most RETRIES_MAX */
	bool wanted;       /* the thread is to fetch */
	unsigned kept;     /* how many want it at hand */
	unsigned holders;  /* who must find it again after having been without the lock */
	uint64_t used;
};

struct issuers {
	struct issuers_settings settings;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	struct map *by_url; /* -> struct issuer */
	uint64_t uses;
	unsigned busy;
	bool stopping, running;
	pthread_t thread;
	atomic_uint_fast64_t generation;
};

static int64_t
seconds_now(void)
{
	return clock_mono() / 1000000000;
}

static void
issuer_free(struct issuer *issuer)
{
	key_set_done(&issuer->keys);
	free(issuer);
}

/* The one unused for longest of those that nobody has a hold on. */
static struct issuer *
evictable(struct issuers *issuers)
{
	struct issuer *oldest = NULL;
	size_t at = 0;
	void *value;

	while (map_next(issuers->by_url, &at, NULL, &value)) {
		struct issuer *issuer = value;

		if (issuer->kept == 0 && issuer->holders == 0 && !issuer->fetching &&
		    (oldest == NULL || issuer->used < oldest->used))
			oldest = issuer;
	}
	return oldest;
}

static bool
make_room(struct issuers *issuers)
{
	struct issuer *oldest;

	if (map_count(issuers->by_url) < ISSUERS_MAX)
		return true;
	oldest = evictable(issuers);
	if (oldest == NULL)
		return false;
	(void)map_remove(issuers->by_url, view_of(oldest->url));
	issuer_free(oldest);
	return true;
}

/* The issuer of that URL, made when it is new; NULL without room. With the lock. */
static struct issuer *
issuer_place(struct issuers *issuers, view url)
{
	struct issuer *issuer = map_get(issuers->by_url, url);

	if (issuer == NULL) {
		if (!issuer_url_good(url) || !make_room(issuers))
			return NULL;
		issuer = calloc(1, sizeof(*issuer));
		if (issuer == NULL || !map_put(issuers->by_url, url, issuer)) {
			starved_note();
			free(issuer);
			return NULL;
		}
		memcpy(issuer->url, url.ptr, url.len);
	}
	issuer->used = ++issuers->uses;
	return issuer;
}

static bool
fetch_keys(const struct issuers_settings *settings, const char *url, struct key_set **out,
    struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf document = { 0 };
	view issuer = view_of(url), base = issuer, at, keys_url;

	arena_init(&arena, 4096);
	if (view_ends(base, V("/")))
		base.len--;
	if (!arena_print(&arena, &at, "%.*s/.well-known/openid-configuration", VIEW_ARG(base)))
		return error_memory(err);
	if (!settings->fetch(settings->ctx, at.ptr, &document, err) ||
	    !discovery_read(buf_view(&document), issuer, &arena, &keys_url, err))
		return false;
	buf_reset(&document);
	return settings->fetch(settings->ctx, keys_url.ptr, &document, err) &&
	    key_set_read(buf_view(&document), out, err);
}

/* With the lock, which is given up meanwhile. */
static void
fetch(struct issuers *issuers, struct issuer *issuer)
{
	AUTO(key_set_done) struct key_set *keys = NULL;
	struct error err = { 0 };
	bool fine;

	issuer->fetching = true;
	issuer->wanted = false;
	(void)pthread_mutex_unlock(&issuers->lock);
	fine = fetch_keys(&issuers->settings, issuer->url, &keys, &err);
	if (!fine)
		log_line(LOG_WARN, "issuer.unreachable", "the keys of %s: %s", issuer->url,
		    err.message);
	(void)pthread_mutex_lock(&issuers->lock);
	issuer->fetching = false;
	issuer->asked = true;
	issuer->tried = issuers->settings.clock();
	if (!fine && issuer->failures < RETRIES_MAX)
		issuer->failures++;
	if (fine) {
		issuer->failures = 0;
		if (!key_set_same(issuer->keys, keys))
			atomic_fetch_add(&issuers->generation, 1);
		key_set_done(&issuer->keys);
		issuer->keys = keys;
		keys = NULL;
		issuer->fetched = issuer->tried;
	}
	(void)pthread_cond_broadcast(&issuers->changed);
}

/* By the monotonic clock, as the condition goes. */
static struct timespec
after(int seconds)
{
	int64_t now = clock_mono();

	return (struct timespec){ now / 1000000000 + seconds, now % 1000000000 };
}

static void
wait_for_fetch(struct issuers *issuers, const struct issuer *issuer)
{
	struct timespec until = after(WAIT_SECONDS);

	while (issuer->fetching && !issuers->stopping &&
	    pthread_cond_timedwait(&issuers->changed, &issuers->lock, &until) == 0)
		;
}

static bool
younger(const struct issuers *issuers, const struct issuer *issuer, int64_t seconds)
{
	return issuer->keys != NULL && issuers->settings.clock() - issuer->fetched < seconds;
}

/* What fails again and again is asked less often: there may be many, and the thread is one. */
static bool
may_ask(const struct issuers *issuers, const struct issuer *issuer)
{
	int64_t pause = (int64_t)RETRY_SECONDS << (issuer->failures > 1 ? issuer->failures - 1 : 0);

	return !issuer->asked || issuers->settings.clock() - issuer->tried >= pause;
}

/* Fetch, or wait for whoever does.  False: too many do. */
static bool
fetch_or_wait(struct issuers *issuers, struct issuer *issuer)
{
	if (issuers->busy == BUSY_MAX)
		return false;
	issuers->busy++;
	issuer->holders++;
	if (issuer->fetching)
		wait_for_fetch(issuers, issuer);
	else
		fetch(issuers, issuer);
	issuer->holders--;
	issuers->busy--;
	return true;
}

/* Are the keys there that a token needs?  If not, see to it. */
static enum issuer_verdict
refresh(struct issuers *issuers, struct issuer *issuer, view kid, enum issuer_patience patience)
{
	bool usable = younger(issuers, issuer, KEYS_SECONDS + STALE_SECONDS);
	bool known = usable && (kid.len == 0 || key_set_names(issuer->keys, kid));

	if ((known && (issuer->fetching || younger(issuers, issuer, KEYS_SECONDS))) ||
	    !may_ask(issuers, issuer))
		return ISSUER_GOOD;
	if (patience == ISSUER_AT_ONCE) {
		issuer->wanted = true;
		(void)pthread_cond_broadcast(&issuers->changed);
		return ISSUER_GOOD;
	}
	return fetch_or_wait(issuers, issuer) || known ? ISSUER_GOOD : ISSUER_BUSY;
}

static enum issuer_verdict
keys_for(struct issuers *issuers, view url, view kid, enum issuer_patience patience,
    struct key_set **out)
{
	struct issuer *issuer = issuer_place(issuers, url);
	enum issuer_verdict verdict;

	if (issuer == NULL)
		return ISSUER_BUSY;
	issuer->holders++;
	verdict = refresh(issuers, issuer, kid, patience);
	issuer->holders--;
	if (verdict != ISSUER_GOOD)
		return verdict;
	if (!younger(issuers, issuer, KEYS_SECONDS + STALE_SECONDS))
		return ISSUER_UNREACHABLE;
	*out = key_set_hold(issuer->keys);
	return ISSUER_GOOD;
}

enum issuer_verdict
issuers_verify(struct issuers *issuers, view issuer, const struct jwt *jwt,
    enum issuer_patience patience)
{
	static const enum issuer_verdict verdicts[] = {
		[KEY_UNKNOWN] = ISSUER_UNKNOWN_KEY,
		[KEY_BAD_SIGNATURE] = ISSUER_BAD_SIGNATURE,
		[KEY_GOOD] = ISSUER_GOOD,
	};
	AUTO(key_set_done) struct key_set *keys = NULL;
	enum issuer_verdict verdict;

	(void)pthread_mutex_lock(&issuers->lock);
	verdict = keys_for(issuers, issuer, jwt->kid, patience, &keys);
	(void)pthread_mutex_unlock(&issuers->lock);
	return verdict == ISSUER_GOOD ? verdicts[key_set_verify(keys, jwt)] : verdict;
}

bool
issuers_keep(struct issuers *issuers, view issuer, bool keep)
{
	struct issuer *found;
	bool starved;

	(void)pthread_mutex_lock(&issuers->lock);
	found = keep ? issuer_place(issuers, issuer) : map_get(issuers->by_url, issuer);
	if (found != NULL && keep)
		found->kept++;
	else if (found != NULL && found->kept > 0)
		found->kept--;
	/* One for which there is no room is fetched when it is asked for. */
	starved = found == NULL && keep && issuer_url_good(issuer) &&
	    map_count(issuers->by_url) < ISSUERS_MAX;
	(void)pthread_cond_broadcast(&issuers->changed);
	(void)pthread_mutex_unlock(&issuers->lock);
	return !starved;
}

static bool
due(const struct issuers *issuers, const struct issuer *issuer)
{
	return !issuer->fetching && may_ask(issuers, issuer) &&
	    (issuer->wanted || (issuer->kept > 0 && !younger(issuers, issuer, KEPT_SECONDS)));
}

/* The one that was asked longest ago, so that those that take their time hold up none for good. */
static struct issuer *
next_due(const struct issuers *issuers)
{
	struct issuer *next = NULL;
	size_t at = 0;
	void *value;

	while (map_next(issuers->by_url, &at, NULL, &value)) {
		struct issuer *issuer = value;

		if (due(issuers, issuer) &&
		    (next == NULL || !issuer->asked ||
			(next->asked && issuer->tried < next->tried)))
			next = issuer;
	}
	return next;
}

/* With the lock.  Each fetched one is not due again for a while, so that this ends. */
static void
tick(struct issuers *issuers)
{
	struct issuer *issuer;

	while (!issuers->stopping && (issuer = next_due(issuers)) != NULL)
		fetch(issuers, issuer);
}

void
issuers_tick(struct issuers *issuers)
{
	(void)pthread_mutex_lock(&issuers->lock);
	tick(issuers);
	(void)pthread_mutex_unlock(&issuers->lock);
}

uint64_t
issuers_generation(struct issuers *issuers)
{
	return atomic_load(&issuers->generation);
}

static void *
run(void *ctx)
{
	struct issuers *issuers = ctx;
	struct timespec until;

	(void)pthread_mutex_lock(&issuers->lock);
	while (!issuers->stopping) {
		tick(issuers);
		if (issuers->stopping)
			break;
		until = after(TICK_SECONDS);
		(void)pthread_cond_timedwait(&issuers->changed, &issuers->lock, &until);
	}
	(void)pthread_mutex_unlock(&issuers->lock);
	return NULL;
}

static bool
init_locks(struct issuers *issuers)
{
	pthread_condattr_t attributes;
	bool fine;

	if (pthread_condattr_init(&attributes) != 0)
		return false;
	fine = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
	    pthread_cond_init(&issuers->changed, &attributes) == 0 &&
	    pthread_mutex_init(&issuers->lock, NULL) == 0;
	(void)pthread_condattr_destroy(&attributes);
	return fine;
}

static void
issuers_done(struct issuers **issuers)
{
	issuers_free(*issuers);
}

bool
issuers_new(const struct issuers_settings *settings, struct issuers **out, struct error *err)
{
	AUTO(issuers_done) struct issuers *issuers = NULL;
	struct issuers *fresh = calloc(1, sizeof(*fresh));

	if (fresh == NULL || !init_locks(fresh)) {
		free(fresh);
		return error_memory(err);
	}
	issuers = fresh;
	issuers->settings = *settings;
	if (settings->clock == NULL)
		issuers->settings.clock = seconds_now;
	issuers->by_url = map_new();
	if (issuers->by_url == NULL)
		return error_memory(err);
	if (settings->background && pthread_create(&issuers->thread, NULL, run, issuers) != 0)
		return error_set(err, ERR_UNAVAILABLE, "no thread for the outside issuers");
	issuers->running = settings->background;
	*out = issuers;
	issuers = NULL;
	return true;
}

void
issuers_free(struct issuers *issuers)
{
	size_t at = 0;
	void *issuer;

	if (issuers == NULL)
		return;
	(void)pthread_mutex_lock(&issuers->lock);
	issuers->stopping = true;
	(void)pthread_cond_broadcast(&issuers->changed);
	(void)pthread_mutex_unlock(&issuers->lock);
	if (issuers->running)
		(void)pthread_join(issuers->thread, NULL);
	while (map_next(issuers->by_url, &at, NULL, &issuer))
		issuer_free(issuer);
	map_free(issuers->by_url);
	(void)pthread_cond_destroy(&issuers->changed);
	(void)pthread_mutex_destroy(&issuers->lock);
	free(issuers);
}
