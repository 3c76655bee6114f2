#include "identity/trust.h"

#include "base/clock.h"
#include "base/map.h"
#include "identity/directory.h"
#include "identity/principal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "t/"
#define PAGE 64
#define PAGE_MEMORY ((size_t)64 << 20)

/* A trusted issuer's document, opened. */
struct trusted {
	struct trusted_issuer issuer; /* borrows from ->document */
	struct plain *document;
	struct trusted *next;
};

struct member;

/* One federated credential; those of one issuer and subject are in a list. */
struct entry {
	view key; /* issuer, line feed, subject */
	view audience;
	struct member *member;
	struct entry *next;
};

/* An application with federated credentials. */
struct member {
	struct uuid tenant, object, application;
	struct arena arena; /* of the views */
	struct entry entries[APPLICATION_FEDERATED_MAX];
	size_t count;
};

struct trust {
	struct directory *directory;
	pthread_rwlock_t lock;
	struct trusted *trusted;
	struct map *members;    /* document's path -> struct member */
	struct map *by_subject; /* entry's key -> struct entry, the first of its list */
};

static bool
member_key(struct arena *arena, view issuer, view subject, view *out)
{
	return arena_join(arena, (const view[]){ issuer, V("\n"), subject }, 3, out);
}

static void
entry_unlink(struct trust *trust, struct entry *entry)
{
	struct entry *first = map_get(trust->by_subject, entry->key), **at = &first;

	while (*at != NULL && *at != entry)
		at = &(*at)->next;
	if (*at != NULL)
		*at = entry->next;
	/* Putting over a key that is there takes no memory. */
	if (first == NULL || !map_put(trust->by_subject, entry->key, first))
		(void)map_remove(trust->by_subject, entry->key);
}

static bool
entry_link(struct trust *trust, struct entry *entry)
{
	entry->next = map_get(trust->by_subject, entry->key);
	return map_put(trust->by_subject, entry->key, entry);
}

static void
member_free(struct member *member)
{
	if (member == NULL)
		return;
	arena_free(&member->arena);
	free(member);
}

static void
member_done(struct member **member)
{
	member_free(*member);
}

static void
member_remove(struct trust *trust, view path)
{
	struct member *member = map_remove(trust->members, path);

	for (size_t i = 0; member != NULL && i < member->count; i++)
		entry_unlink(trust, &member->entries[i]);
	member_free(member);
}

static bool
member_new(const struct registration *from, struct member **out, struct error *err)
{
	AUTO(member_done) struct member *member = calloc(1, sizeof(*member));

	if (member == NULL)
		return error_memory(err);
	*member = (struct member){ from->tenant, from->object, from->id, .count = 0 };
	arena_init(&member->arena, (size_t)256 * 1024);
	for (size_t i = 0; i < from->federated_count; i++) {
		const struct federated_credential *credential = &from->federated[i];
		struct entry *entry = &member->entries[i];

		entry->member = member;
		if (!member_key(&member->arena, credential->issuer, credential->subject,
			&entry->key) ||
		    !arena_copy(&member->arena, credential->audience, &entry->audience))
			return error_memory(err);
		member->count++;
	}
	*out = member;
	member = NULL;
	return true;
}

/* With the lock. */
static bool
member_add(struct trust *trust, view path, struct member *member, struct error *err)
{
	if (!map_put(trust->members, path, member)) {
		member_free(member);
		return error_memory(err);
	}
	for (size_t i = 0; i < member->count; i++) {
		if (!entry_link(trust, &member->entries[i])) {
			member->count = i;
			member_remove(trust, path);
			return error_memory(err);
		}
	}
	return true;
}

static bool
application_changed(struct trust *trust, view path, view document, struct error *err)
{
	struct registration registration;
	struct member *member = NULL;
	bool fine;

	if (!registration_read(document, &registration, err) ||
	    (registration.federated_count > 0 && !member_new(&registration, &member, err)))
		return false;
	(void)pthread_rwlock_wrlock(&trust->lock);
	member_remove(trust, path);
	fine = member == NULL || member_add(trust, path, member, err);
	(void)pthread_rwlock_unlock(&trust->lock);
	return fine;
}

static bool
keep(struct trust *trust, view issuer, bool wanted)
{
	return trust->directory->issuers == NULL ||
	    issuers_keep(trust->directory->issuers, issuer, wanted);
}

static void
trusted_free(struct trusted *trusted)
{
	plain_free(trusted->document);
	free(trusted);
}

static bool
is_named(const struct trusted_issuer *issuer, const struct uuid *tenant, view name)
{
	return view_eq(uuid_view(&issuer->tenant), uuid_view(tenant)) &&
	    view_ieq(issuer->name, name);
}

/* With the lock. */
static void
trusted_remove(struct trust *trust, const struct uuid *tenant, view name)
{
	for (struct trusted **at = &trust->trusted; *at != NULL; at = &(*at)->next) {
		struct trusted *trusted = *at;

		if (!is_named(&trusted->issuer, tenant, name))
			continue;
		*at = trusted->next;
		(void)!keep(trust, trusted->issuer.issuer, false);
		trusted_free(trusted);
		return;
	}
}

static bool
issuer_changed(struct trust *trust, struct plain **document, struct error *err)
{
	struct trusted *fresh = calloc(1, sizeof(*fresh));

	if (fresh == NULL)
		return error_memory(err);
	if (!trusted_issuer_unpack(plain_view(*document), &fresh->issuer, err)) {
		free(fresh);
		return false;
	}
	if (!keep(trust, fresh->issuer.issuer, true)) {
		free(fresh);
		return error_memory(err);
	}
	fresh->document = *document;
	*document = NULL;
	(void)pthread_rwlock_wrlock(&trust->lock);
	trusted_remove(trust, &fresh->issuer.tenant, fresh->issuer.name);
	fresh->next = trust->trusted;
	trust->trusted = fresh;
	(void)pthread_rwlock_unlock(&trust->lock);
	return true;
}

enum path_kind { PATH_OTHER, PATH_APPLICATION, PATH_ISSUER };

/* "t/<tenant>/app/<appid>", "t/<tenant>/issuer/<name>" */
static enum path_kind
path_read(view path, struct uuid *tenant, view *name)
{
	view rest = view_from(path, sizeof(PREFIX) - 1), word;

	if (!uuid_parse(view_cut(&rest, '/'), tenant))
		return PATH_OTHER;
	word = view_cut(&rest, '/');
	*name = rest;
	return rest.len == 0             ? PATH_OTHER
	    : view_eq(word, V("app"))    ? PATH_APPLICATION
	    : view_eq(word, V("issuer")) ? PATH_ISSUER
					 : PATH_OTHER;
}

static bool
document_changed(struct trust *trust, view path, const struct sealed *value, struct error *err)
{
	AUTO(plain_done) struct plain *plain = NULL;
	struct uuid tenant;
	view name;
	enum path_kind kind = path_read(path, &tenant, &name);

	if (kind == PATH_OTHER)
		return true;
	if (!keyring_unseal(keyring_system(trust->directory->keyring), value, path, &plain, err))
		return false;
	return kind == PATH_ISSUER ? issuer_changed(trust, &plain, err)
				   : application_changed(trust, path, plain_view(plain), err);
}

static void
document_removed(struct trust *trust, view path)
{
	struct uuid tenant;
	view name;
	enum path_kind kind = path_read(path, &tenant, &name);

	if (kind == PATH_OTHER)
		return;
	(void)pthread_rwlock_wrlock(&trust->lock);
	if (kind == PATH_ISSUER)
		trusted_remove(trust, &tenant, name);
	else
		member_remove(trust, path);
	(void)pthread_rwlock_unlock(&trust->lock);
}

static bool
watch(void *ctx, view path, const struct sealed *value, uint64_t revision, struct error *err)
{
	struct trust *trust = ctx;
	struct uuid tenant;
	bool fine = true;
	view name;

	(void)revision;
	if (path_read(path, &tenant, &name) == PATH_OTHER)
		return true;
	if (value == NULL)
		document_removed(trust, path);
	else
		fine = document_changed(trust, path, value, err);
	/* What was believed of an outside token may hold no more. */
	atomic_fetch_add(&trust->directory->generation, 1);
	return fine;
}

static bool
load_under(struct trust *trust, struct store_reader *reader, const struct uuid *tenant,
    const char *word, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(buf_free) struct buf prefix = { 0 }, after = { 0 };
	struct document *documents;
	size_t count = PAGE;

	arena_init(&arena, PAGE_MEMORY);
	buf_print(&prefix, PREFIX "%s/%s/", tenant->text, word);
	while (count == PAGE) {
		arena_wipe(&arena);
		if (!buf_ok(&prefix) || !buf_ok(&after))
			return error_memory(err);
		if (!store_scan(reader, buf_view(&prefix), buf_view(&after), PAGE, &arena,
			&documents, &count, err))
			return false;
		for (size_t i = 0; i < count; i++) {
			if (!document_changed(trust, documents[i].key, &documents[i].value, err))
				return false;
		}
		buf_reset(&after);
		if (count > 0)
			buf_add(&after, documents[count - 1].key);
	}
	return true;
}

static bool
load(struct trust *trust, struct error *err)
{
	AUTO(store_reader_done) struct store_reader *reader = NULL;
	size_t at = 0;
	bool fine = true;
	void *value;

	if (!store_reader_new(trust->directory->store, &reader, err) || !store_begin(reader, err))
		return false;
	while (fine && map_next(trust->directory->tenants, &at, NULL, &value)) {
		const struct tenant *tenant = value;

		fine = load_under(trust, reader, &tenant->id, "issuer", err) &&
		    load_under(trust, reader, &tenant->id, "app", err);
	}
	store_end(reader);
	return fine;
}

static void
trust_done(struct trust **trust)
{
	trust_close(*trust);
}

bool
trust_open(struct directory *directory, struct trust **out, struct error *err)
{
	AUTO(trust_done) struct trust *trust = NULL;
	struct trust *fresh = calloc(1, sizeof(*fresh));

	if (fresh == NULL || pthread_rwlock_init(&fresh->lock, NULL) != 0) {
		free(fresh);
		return error_memory(err);
	}
	trust = fresh;
	trust->directory = directory;
	trust->members = map_new();
	trust->by_subject = map_new();
	if (trust->members == NULL || trust->by_subject == NULL)
		return error_memory(err);
	if (!store_watch(directory->store, V(PREFIX), watch, trust, err) || !load(trust, err))
		return false;
	*out = trust;
	trust = NULL;
	return true;
}

void
trust_close(struct trust *trust)
{
	size_t at = 0;
	void *member;

	if (trust == NULL)
		return;
	while (trust->trusted != NULL) {
		struct trusted *first = trust->trusted;

		trust->trusted = first->next;
		trusted_free(first);
	}
	while (map_next(trust->members, &at, NULL, &member))
		member_free(member);
	map_free(trust->members);
	map_free(trust->by_subject);
	(void)pthread_rwlock_destroy(&trust->lock);
	free(trust);
}

bool
trust_keep(struct trust *trust, struct error *err)
{
	bool fine = true;

	(void)pthread_rwlock_rdlock(&trust->lock);
	for (const struct trusted *one = trust->trusted; one != NULL && fine; one = one->next)
		fine = keep(trust, one->issuer.issuer, true);
	(void)pthread_rwlock_unlock(&trust->lock);
	return fine || error_memory(err);
}

bool
trust_names(struct trust *trust, view issuer)
{
	bool found = false;

	(void)pthread_rwlock_rdlock(&trust->lock);
	for (const struct trusted *one = trust->trusted; one != NULL && !found; one = one->next)
		found = view_eq(one->issuer.issuer, issuer);
	(void)pthread_rwlock_unlock(&trust->lock);
	return found;
}

/* Whom a token speaks for. */
struct match {
	bool audience; /* it is for one of a trust's audiences */
	size_t count;  /* of the principals that fit; the first one is below */
	struct uuid tenant, object, application;
};

static void
match_member(const struct member *member, struct match *match)
{
	if (match->count > 0 && view_eq(uuid_view(&match->object), uuid_view(&member->object)))
		return;
	if (match->count++ > 0)
		return;
	match->tenant = member->tenant;
	match->object = member->object;
	match->application = member->application;
}

static bool
match_trusted(const struct trust *trust, const struct trusted_issuer *issuer, const struct jwt *jwt,
    const struct jwt_claims *claims, struct match *match, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	view claim, subject, key;
	bool fits = false;

	for (size_t i = 0; i < issuer->audience_count && !fits; i++)
		fits = federation_for(claims, issuer->audiences[i]);
	if (!fits)
		return true;
	match->audience = true;
	arena_init(&arena, JWT_ARENA_MAX);
	if (!arena_copy(&arena, issuer->claim, &claim))
		return error_memory(err);
	if (!jwt_claim_text(jwt->payload, claim.ptr, &arena, &subject, err))
		return false;
	if (subject.len == 0)
		return true;
	if (!member_key(&arena, claims->iss, subject, &key))
		return error_memory(err);
	for (const struct entry *entry = map_get(trust->by_subject, key); entry != NULL;
	     entry = entry->next) {
		if (view_eq(uuid_view(&entry->member->tenant), uuid_view(&issuer->tenant)) &&
		    federation_for(claims, entry->audience))
			match_member(entry->member, match);
	}
	return true;
}

/* Another tenant's trust must not make a token ambiguous where it can't be meant. */
static bool
concerns(const struct trusted_issuer *issuer, const struct jwt_claims *claims,
    const struct uuid *tenant)
{
	return view_eq(issuer->issuer, claims->iss) &&
	    (tenant == NULL || view_eq(uuid_view(&issuer->tenant), uuid_view(tenant)));
}

static bool
match_all(struct trust *trust, const struct jwt *jwt, const struct jwt_claims *claims,
    const struct uuid *tenant, struct match *match, struct error *err)
{
	bool fine = true;

	(void)pthread_rwlock_rdlock(&trust->lock);
	for (const struct trusted *one = trust->trusted; one != NULL && fine; one = one->next) {
		if (concerns(&one->issuer, claims, tenant))
			fine = match_trusted(trust, &one->issuer, jwt, claims, match, err);
	}
	(void)pthread_rwlock_unlock(&trust->lock);
	return fine;
}

static bool
unauthorized(struct error *err, const char *text)
{
	return error_set(err, ERR_UNAUTHORIZED, "%s", text);
}

static bool
signature_fits(struct directory *directory, const struct jwt *jwt, view issuer, struct error *err)
{
	enum issuer_verdict verdict = directory->issuers == NULL || jwt->alg == SIGNATURE_NONE
	    ? ISSUER_BAD_SIGNATURE
	    : issuers_verify(directory->issuers, issuer, jwt, ISSUER_AT_ONCE);

	if (verdict == ISSUER_GOOD)
		return true;
	return verdict == ISSUER_BAD_SIGNATURE
	    ? unauthorized(err, "AKV10002: Token signature is not valid.")
	    : unauthorized(err,
		  "AKV10046: Unable to resolve the key used for signature validation. The "
		  "issuer's keys are being fetched; please try again.");
}

static bool
principal_enabled(struct directory *directory, const struct uuid *object)
{
	struct principal principal;

	return directory_principal(directory, object, &principal) && principal.enabled;
}

/* What the token's issuer says only counts once the signature shows that it does say so. */
bool
trust_accept(struct directory *directory, const struct jwt *jwt, const struct jwt_claims *claims,
    const struct uuid *tenant, struct token_facts *out, struct error *err)
{
	struct match match = { 0 };
	struct error why;

	if (!signature_fits(directory, jwt, claims->iss, err))
		return false;
	if (!match_all(directory->trust, jwt, claims, tenant, &match, &why))
		return why.code == ERR_BAD_REQUEST
		    ? error_set(err, ERR_UNAUTHORIZED, "AKV10001: Token is malformed: %s.",
			  why.message)
		    : error_set(err, why.code, "%s", why.message);
	if (!match.audience)
		return unauthorized(err, "AKV10022: Invalid audience.");
	if (match.count > 1)
		return unauthorized(err,
		    "AKV10032: More than one principal is registered for the token's subject.");
	if (match.count == 0 || !principal_enabled(directory, &match.object))
		return unauthorized(err,
		    "AKV10032: No principal is registered for the token's issuer and subject.");
	if (!claims->exp.given)
		return unauthorized(err, "AKV10001: Token is malformed: a claim is missing.");
	*out = (struct token_facts){
		.caller = { .known = true,
		    .tenant = match.tenant,
		    .object = match.object,
		    .application = match.application },
		.outside = true,
		.not_before = claims->nbf.given ? claims->nbf.at : claims->iat.at,
		.expires = claims->exp.at,
	};
	(void)snprintf(out->caller.issuer, sizeof(out->caller.issuer), "%.*s",
	    VIEW_ARG(claims->iss));
	return true;
}
