#include "access/decide.h"

#include "access/condition.h"
#include "access/index.h"

#include <string.h>

/*
 * Conditions are read anew for every question, on an event loop: beyond so many bytes of them,
 * which is hundreds of ordinary ones, those that are left count as not met.
 */
#define JUDGED_MAX ((size_t)64 * 1024)

/* One decision on its way. */
struct search {
	struct access *access;
	const struct access_question *question;
	const struct memberships *who;
	struct scope_path path;
	size_t top; /* the first level that counts: 1 when the root's grants do not */
	size_t end; /* behind the last one */
	bool conditional, skipped; /* those with a condition come last; there are some */
	size_t judged;             /* bytes of conditions */
	struct access_decision *out;
};

static int
compare(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->text, b->text, UUID_LEN);
}

static bool
is_listed(const struct deny_principal *list, size_t count, const struct uuid *id)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(&list[middle].id, id);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool
any_listed(const struct deny_principal *list, size_t count, const struct memberships *who)
{
	for (size_t i = 0; count > 0 && i < who->count; i++) {
		if (is_listed(list, count, &who->ids[i]))
			return true;
	}
	return false;
}

static bool
covers(const struct deny_entry *entry, const struct search *search)
{
	const struct deny *deny = &entry->deny;

	if (!deny_forbids(deny, search->question->action, search->question->data) ||
	    entry->everyone_excluded ||
	    any_listed(deny->excluded, deny->excluded_count, search->who))
		return false;
	return entry->everyone || any_listed(deny->principals, deny->principal_count, search->who);
}

static bool
denied_at(struct search *search, size_t level)
{
	struct place_key key =
	    place_key_of(&search->question->tenant, scope_level(&search->path, level));
	bool here = search->path.whole && level + 1 == search->path.count;
	const struct deny_entry *entry = map_get(search->access->denies, place_key_view(&key));

	for (; entry != NULL; entry = entry->next) {
		if ((here || !entry->deny.here_only) && covers(entry, search)) {
			search->out->reason = ACCESS_DENIED;
			search->out->deny = entry->deny.name;
			return true;
		}
	}
	return false;
}

static bool
denied(struct search *search)
{
	if (map_count(search->access->denies) == 0)
		return false;
	for (size_t level = search->path.count; level-- > 0;) {
		if (denied_at(search, level))
			return true;
	}
	return false;
}

static bool
has_condition(const struct grant *grant, const struct role *role)
{
	return grant->assignment.condition.len > 0 || role->condition != NULL;
}

static enum verdict
conditions_hold(struct search *search, const struct grant *grant, const struct role *role)
{
	const struct access_question *question = search->question;
	enum verdict own = VERDICT_TRUE, roles = VERDICT_TRUE;

	search->judged += grant->assignment.condition.len;
	if (search->judged > JUDGED_MAX)
		return VERDICT_FALSE;
	if (grant->assignment.condition.len > 0)
		own = condition_judge(grant->assignment.condition, question);
	if (role->condition != NULL)
		roles = condition_judge(view_of(role->condition), question);
	if (own == VERDICT_FALSE || roles == VERDICT_FALSE)
		return VERDICT_FALSE;
	return own == VERDICT_OPEN || roles == VERDICT_OPEN ? VERDICT_OPEN : VERDICT_TRUE;
}

/* May ${grant} be what allows it?  The first whose condition fails is remembered for reports. */
static bool
allows(struct search *search, const struct grant *grant, const struct uuid *through)
{
	const struct access_question *question = search->question;
	const struct role *role = grant_role(grant);
	struct access_decision *out = search->out;
	bool holds;

	if (compare(&grant->assignment.tenant, &question->tenant) != 0 || role == NULL ||
	    !role_allows(role, question->action, question->data))
		return false;
	if (has_condition(grant, role) != search->conditional) {
		search->skipped = true;
		return false;
	}
	/* VERDICT_OPEN comes only when the question says that it may be. */
	holds = conditions_hold(search, grant, role) != VERDICT_FALSE;
	if (!holds && out->reason == ACCESS_CONDITION)
		return false;
	out->reason = holds ? ACCESS_ASSIGNED : ACCESS_CONDITION;
	out->assignment = grant->assignment.name;
	out->through = through != NULL ? *through : (struct uuid){ 0 };
	return holds;
}

static bool
granted_to(struct search *search, size_t member)
{
	const struct uuid *id = &search->who->ids[member];
	const struct uuid *through = member > 0 ? id : NULL; /* the group, if it is one */

	if (map_get(search->access->holders, uuid_view(id)) == NULL)
		return false;
	for (size_t level = search->end; level-- > search->top;) {
		struct place_key key = place_key_of(id, scope_level(&search->path, level));
		const struct grant *grant = map_get(search->access->grants, place_key_view(&key));

		for (; grant != NULL; grant = grant->next) {
			if (allows(search, grant, through))
				return true;
		}
	}
	return false;
}

/* Whose subscription is it?  False when it is another tenant's. */
static bool
enter_tenant(struct search *search)
{
	view id = scope_subscription(scope_folded(&search->path));
	const struct uuid *tenant;

	search->top = 0;
	search->end = search->path.count;
	if (id.len == 0)
		return true;
	tenant = map_get(search->access->subscriptions, id);
	if (tenant == NULL)
		search->top = 1;
	return tenant == NULL || compare(tenant, &search->question->tenant) == 0;
}

/*
 * A deny assignment can be ended by whom it covers, too, if the right to was given above it: else
 * one who owns a vault could lock out who owns everything, for good.
 */
static bool
may_be_lifted(struct search *search)
{
	size_t level = 0;

	if (search->question->data || !view_ieq(search->question->action, V(DENY_DELETE)))
		return false;
	while (level < search->path.count && !denied_at(search, level))
		level++;
	search->end = level;
	return true;
}

static bool
granted_to_any(struct search *search, bool conditional)
{
	search->conditional = conditional;
	search->skipped = false;
	for (size_t member = 0; member < search->who->count; member++) {
		if (granted_to(search, member))
			return true;
	}
	return false;
}

static bool
any_granted(struct search *search)
{
	return granted_to_any(search, false) || (search->skipped && granted_to_any(search, true));
}

static bool
decide(struct search *search)
{
	struct access_decision denial;

	if (!enter_tenant(search))
		return false;
	if (!denied(search))
		return any_granted(search);
	denial = *search->out;
	if (!may_be_lifted(search))
		return false;
	*search->out = (struct access_decision){ .reason = ACCESS_NO_ASSIGNMENT };
	if (any_granted(search))
		return true;
	*search->out = denial;
	return false;
}

bool
access_decide_among(struct access *access, const struct access_question *question,
    const struct memberships *who, struct access_decision *out)
{
	struct search search = { .access = access, .question = question, .who = who, .out = out };

	*out = (struct access_decision){ .reason = ACCESS_NO_ASSIGNMENT };
	if (!who->whole) {
		out->reason = ACCESS_UNDECIDED;
		return false;
	}
	scope_fold(question->scope, &search.path);
	(void)pthread_rwlock_rdlock(&access->lock);
	out->allowed = decide(&search);
	(void)pthread_rwlock_unlock(&access->lock);
	return out->allowed;
}

bool
access_decide(struct access *access, const struct access_question *question,
    struct access_decision *out)
{
	struct memberships who;

	directory_memberships(access->directory, &question->principal, &who);
	return access_decide_among(access, question, &who, out);
}

const char *
access_reason_name(enum access_reason reason)
{
	static const char *const names[] = {
		[ACCESS_NO_ASSIGNMENT] = "NoAssignment",
		[ACCESS_ASSIGNED] = "Assigned",
		[ACCESS_DENIED] = "DenyAssignment",
		[ACCESS_CONDITION] = "ConditionNotMet",
		[ACCESS_UNDECIDED] = "TooManyGroups",
	};

	return names[reason];
}

/* At, above or below: the place of one of the principal's own spans. */
static bool
reaches(struct access *access, const struct uuid *tenant, const struct uuid *id, view scope)
{
	struct spans spans = spans_of(scope, true);
	struct span span;

	if (map_get(access->holders, uuid_view(id)) == NULL)
		return false;
	while (spans_next(&spans, &span)) {
		view prefix = { span.text, span.len };
		const struct order_node *node =
		    order_seek(access->by_principal, uuid_view(id), prefix);

		for (; node != NULL && view_eq(order_head(node), uuid_view(id)) &&
		     view_starts(order_key(node), prefix);
		     node = order_next(node)) {
			const struct grant *grant = order_value(node);

			if (compare(&grant->assignment.tenant, tenant) == 0)
				return true;
		}
	}
	return false;
}

bool
access_reaches(struct access *access, const struct uuid *tenant, const struct uuid *principal,
    view scope)
{
	struct memberships who;
	bool found = false;

	directory_memberships(access->directory, principal, &who);
	(void)pthread_rwlock_rdlock(&access->lock);
	for (size_t i = 0; i < who.count && !found; i++)
		found = reaches(access, tenant, &who.ids[i], scope);
	(void)pthread_rwlock_unlock(&access->lock);
	return found;
}
