/*
 * Read and judged in one go, by recursive descent: what is written is checked by the same code
 * that decides.
 */
#include "access/condition.h"

#include "access/condition_value.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define ASSIGNMENTS "Microsoft.Authorization/roleAssignments"
#define VAULTS "Microsoft.KeyVault/vaults"

/* How an attribute's value is found. */
enum origin {
	ORIGIN_SCOPE,   /* the name behind ->detail in the scope */
	ORIGIN_CLOCK,   /* now */
	ORIGIN_REQUEST, /* question->attributes; perhaps not known yet */
};

struct attribute {
	const char *name;
	const char *sources; /* where it may be asked for */
	enum value_kind kind;
	enum origin origin;
	const char *detail;
};

/* clang-format off */

static const struct attribute attributes[] = {
	{ VAULTS ":name", "Resource Request", VALUE_TEXT, ORIGIN_SCOPE, "vaults" },
	{ VAULTS "/secrets:name", "Resource Request", VALUE_TEXT, ORIGIN_SCOPE, "secrets" },
	{ VAULTS "/keys:name", "Resource Request", VALUE_TEXT, ORIGIN_SCOPE, "keys" },
	{ VAULTS "/certificates:name", "Resource Request", VALUE_TEXT, ORIGIN_SCOPE, "certificates" },
	{ "UtcNow", "Environment", VALUE_TIME, ORIGIN_CLOCK, NULL },
	{ ASSIGNMENTS ":RoleDefinitionId", "Request Resource", VALUE_GUID, ORIGIN_REQUEST, NULL },
	{ ASSIGNMENTS ":PrincipalId", "Request Resource", VALUE_GUID, ORIGIN_REQUEST, NULL },
	{ ASSIGNMENTS ":PrincipalType", "Request Resource", VALUE_TEXT, ORIGIN_REQUEST, NULL },
};

/* clang-format on */

struct parser {
	view text;
	size_t at;
	unsigned depth;
	const struct access_question *question; /* NULL: only to check */
	char problem[160];                      /* empty: none so far */
	char now[CLOCK_ISO_LEN + 1];
};

static enum verdict parse_or(struct parser *p);

static enum verdict
fail(struct parser *p, const char *problem, view about)
{
	if (p->problem[0] == '\0')
		(void)snprintf(p->problem, sizeof(p->problem), "%s%.*s (at character %zu)", problem,
		    about.len > 80 ? 80 : (int)about.len, about.ptr, p->at + 1);
	p->at = p->text.len;
	return VERDICT_FALSE;
}

static bool
failed(const struct parser *p)
{
	return p->problem[0] != '\0';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip(struct parser *p)
{
	while (p->at < p->text.len && is_space(p->text.ptr[p->at]))
		p->at++;
}

static bool
take(struct parser *p, view token)
{
	skip(p);
	if (!view_starts(view_from(p->text, p->at), token))
		return false;
	p->at += token.len;
	return true;
}

static bool
is_word(char c)
{
	return ascii_alphanumeric(c) || c == '.' || c == '-' || c == '+' || c == '_' || c == ':';
}

static view
peek_word(struct parser *p)
{
	size_t end;

	skip(p);
	for (end = p->at; end < p->text.len && is_word(p->text.ptr[end]);)
		end++;
	return (view){ p->text.ptr + p->at, end - p->at };
}

static bool
take_word(struct parser *p, view word)
{
	if (!view_ieq(peek_word(p), word))
		return false;
	p->at += word.len;
	return true;
}

/* 'text': there are no escapes, so a quote or a backslash can't be part of it. */
static bool
take_text(struct parser *p, view *out)
{
	size_t end;

	if (!take(p, V("'")) || !view_find(view_from(p->text, p->at), '\'', &end))
		return false;
	*out = (view){ p->text.ptr + p->at, end };
	if (memchr(out->ptr, '\\', out->len) != NULL)
		return false;
	p->at += end + 1;
	return true;
}

static bool
word_in(view words, view word)
{
	while (words.len > 0) {
		if (view_ieq(view_cut(&words, ' '), word))
			return true;
	}
	return false;
}

static const struct attribute *
attribute_find(view source, view name)
{
	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		if (view_ieq(name, view_of(attributes[i].name)) &&
		    word_in(view_of(attributes[i].sources), source))
			return &attributes[i];
	}
	return NULL;
}

/* An attribute as it is named, and what is known of it. */
struct named {
	const struct attribute *attribute;
	view source;
	bool present, pending;
	view value;
};

/* The name behind "/<collection>/" in ".../Microsoft.KeyVault/vaults/<v>/secrets/<s>". */
static bool
name_in_scope(view scope, const char *collection, view *out)
{
	static const view space = V_INIT("/providers/" VAULTS "/");
	size_t at = 0;

	while (at < scope.len && !view_istarts(view_from(scope, at), space))
		at++;
	scope = view_from(scope, at < scope.len ? at + space.len - sizeof("vaults/") + 1 : at);
	/* Types and names take turns: a vault may be called "secrets". */
	while (scope.len > 0) {
		bool here = view_ieq(view_cut(&scope, '/'), view_of(collection));

		*out = view_cut(&scope, '/');
		if (here)
			return out->len > 0;
	}
	return false;
}

static bool
given(const struct access_question *question, struct named *named)
{
	for (size_t i = 0; i < question->attribute_count; i++) {
		const struct access_attribute *attribute = &question->attributes[i];

		if (!view_ieq(attribute->source, named->source) ||
		    !view_ieq(attribute->name, view_of(named->attribute->name)))
			continue;
		named->value = attribute->value;
		return true;
	}
	return false;
}

static bool
may_be_pending(const struct access_question *question)
{
	return question->attributes_pending && !question->data &&
	    (view_ieq(question->action, V(ASSIGNMENT_WRITE)) ||
		view_ieq(question->action, V(ASSIGNMENT_DELETE)));
}

static void
look_up(struct parser *p, struct named *named)
{
	const struct access_question *question = p->question;

	if (question == NULL)
		return;
	switch (named->attribute->origin) {
	case ORIGIN_SCOPE:
		named->present =
		    name_in_scope(question->scope, named->attribute->detail, &named->value);
		break;
	case ORIGIN_CLOCK:
		clock_iso(clock_now() * 1000000000, p->now);
		named->value = view_of(p->now);
		named->present = true;
		break;
	case ORIGIN_REQUEST:
		named->present = given(question, named);
		named->pending = !named->present && may_be_pending(question);
		break;
	}
}

/* @Source[name] */
static bool
take_attribute(struct parser *p, struct named *out)
{
	size_t end;
	view name;

	*out = (struct named){ 0 };
	if (!take(p, V("@")))
		return false;
	out->source = peek_word(p);
	p->at += out->source.len;
	if (!take(p, V("[")) || !view_find(view_from(p->text, p->at), ']', &end)) {
		(void)fail(p, "an attribute is written @Source[name]", V(""));
		return false;
	}
	name = view_trim((view){ p->text.ptr + p->at, end });
	out->attribute = attribute_find(out->source, name);
	if (out->attribute == NULL) {
		(void)fail(p, "the attribute is not supported: ", name);
		return false;
	}
	p->at += end + 1;
	look_up(p, out);
	return true;
}

/* How the values of a set combine. */
struct comparison {
	const struct condition_operator *operator;
	struct named left;
	bool sets; /* ForAnyOfAnyValues and the like: the right side is a set */
	bool all;  /* of the right side's values */
	bool fold;
	size_t count;
	bool holds; /* so far */
	bool open;
};

static void
compare_with(struct comparison *c, view right)
{
	bool holds = c->left.present && c->operator->holds(c->left.value, right, c->fold);

	c->holds = c->count == 0 ? holds : c->all ? c->holds && holds : c->holds || holds;
	c->count++;
}

static bool
operator_fits(const struct condition_operator *operator, const struct attribute * attribute)
{
	if (operator->kind == attribute->kind)
		return true;
	/* A text may hold a number or a flag. */
	return attribute->kind == VALUE_TEXT &&
	    (operator->kind == VALUE_NUMBER || operator->kind == VALUE_FLAG);
}

/* A value: 'text', a bare GUID, number, time or flag, or another attribute. */
static bool
parse_value(struct parser *p, struct comparison *c)
{
	struct named other;
	view value;

	skip(p);
	if (view_starts(view_from(p->text, p->at), V("@"))) {
		if (!take_attribute(p, &other))
			return false;
		c->open = c->open || other.pending;
		if (!operator_fits(c->operator, other.attribute))
			(void)fail(p, "the operator does not fit the attribute: ",
			    view_of(other.attribute->name));
		c->fold = c->fold || other.attribute->origin == ORIGIN_SCOPE;
		c->left.present = c->left.present && other.present;
		compare_with(c, other.value);
		return true;
	}
	if (!take_text(p, &value)) {
		value = peek_word(p);
		p->at += value.len;
		if (value.len == 0 || c->operator->kind == VALUE_TEXT) {
			(void)fail(p, "a value is missing, or not quoted", V(""));
			return false;
		}
	}
	if (!condition_value_fits(c->operator->kind, value)) {
		(void)fail(p, "the value does not fit the operator: ", value);
		return false;
	}
	compare_with(c, value);
	return true;
}

static bool
parse_set(struct parser *p, struct comparison *c)
{
	if (!c->sets)
		return parse_value(p, c);
	if (!take(p, V("{"))) {
		(void)fail(p, "a set of values is missing", V(""));
		return false;
	}
	do {
		if (!parse_value(p, c))
			return false;
	} while (take(p, V(",")));
	if (take(p, V("}")))
		return true;
	(void)fail(p, "a set of values does not end", V(""));
	return false;
}

/* "ForAnyOfAllValues:": each side's values count when any, or when all of them do. */
static bool
take_quantifier(struct comparison *c, view *word)
{
	static const struct {
		view prefix;
		bool all;
	} rows[] = {
		{ V_INIT("ForAnyOfAnyValues:"), false },
		{ V_INIT("ForAllOfAnyValues:"), false },
		{ V_INIT("ForAnyOfAllValues:"), true },
		{ V_INIT("ForAllOfAllValues:"), true },
	};

	/* Every attribute there is has one value: any and all of the left side are the same. */
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!view_istarts(*word, rows[i].prefix))
			continue;
		c->sets = true;
		c->all = rows[i].all;
		*word = view_from(*word, rows[i].prefix.len);
		return true;
	}
	return false;
}

static enum verdict
parse_comparison(struct parser *p)
{
	struct comparison c = { 0 };
	view word;

	if (!take_attribute(p, &c.left))
		return fail(p, "an expression is expected", V(""));
	word = peek_word(p);
	p->at += word.len;
	(void)take_quantifier(&c, &word);
	c.operator= condition_operator_find(word);
	if (c.operator== NULL)
		return fail(p, "the operator is not known: ", word);
	if (!operator_fits(c.operator, c.left.attribute))
		return fail(p,
		    "the operator does not fit the attribute: ", view_of(c.left.attribute->name));
	c.fold = c.operator->any_case || c.left.attribute->origin == ORIGIN_SCOPE;
	c.open = c.left.pending;
	if (!parse_set(p, &c))
		return VERDICT_FALSE;
	if (c.open)
		return VERDICT_OPEN;
	return c.holds ? VERDICT_TRUE : VERDICT_FALSE;
}

static enum verdict
parse_exists(struct parser *p)
{
	struct named named;

	if (!take_attribute(p, &named))
		return fail(p, "Exists needs an attribute", V(""));
	if (named.pending)
		return VERDICT_OPEN;
	return named.present ? VERDICT_TRUE : VERDICT_FALSE;
}

/* ActionMatches{'pattern'} */
static enum verdict
parse_action(struct parser *p)
{
	view pattern;

	if (!take(p, V("{")) || !take_text(p, &pattern) || !take(p, V("}")))
		return fail(p, "ActionMatches needs an action: {'...'}", V(""));
	return p->question != NULL && action_matches(pattern, p->question->action) ? VERDICT_TRUE
										   : VERDICT_FALSE;
}

static enum verdict
parse_primary(struct parser *p)
{
	enum verdict verdict;

	if (take(p, V("("))) {
		verdict = parse_or(p);
		return take(p, V(")")) ? verdict : fail(p, "a parenthesis does not close", V(""));
	}
	if (take_word(p, V("ActionMatches")))
		return parse_action(p);
	if (take_word(p, V("SubOperationMatches")))
		return fail(p, "SubOperationMatches is not supported", V(""));
	if (take_word(p, V("Exists")))
		return parse_exists(p);
	return parse_comparison(p);
}

static enum verdict
negate(enum verdict verdict)
{
	return verdict == VERDICT_OPEN ? VERDICT_OPEN
	    : verdict == VERDICT_TRUE  ? VERDICT_FALSE
				       : VERDICT_TRUE;
}

static enum verdict
parse_not(struct parser *p)
{
	enum verdict verdict;

	if (++p->depth > CONDITION_DEPTH_MAX)
		return fail(p, "the condition is nested too deep", V(""));
	if (take(p, V("!")) || take_word(p, V("NOT")))
		verdict = negate(parse_not(p));
	else
		verdict = parse_primary(p);
	p->depth--;
	return verdict;
}

static enum verdict
both(enum verdict a, enum verdict b)
{
	if (a == VERDICT_FALSE || b == VERDICT_FALSE)
		return VERDICT_FALSE;
	return a == VERDICT_OPEN || b == VERDICT_OPEN ? VERDICT_OPEN : VERDICT_TRUE;
}

static enum verdict
parse_and(struct parser *p)
{
	enum verdict verdict = parse_not(p);

	while (!failed(p) && (take(p, V("&&")) || take_word(p, V("AND"))))
		verdict = both(verdict, parse_not(p));
	return verdict;
}

static enum verdict
parse_or(struct parser *p)
{
	enum verdict verdict = parse_and(p);

	while (!failed(p) && (take(p, V("||")) || take_word(p, V("OR"))))
		verdict = negate(both(negate(verdict), negate(parse_and(p))));
	return verdict;
}

static enum verdict
parse(struct parser *p)
{
	enum verdict verdict;

	if (p->text.len > CONDITION_MAX)
		return fail(p, "the condition is too long", V(""));
	verdict = parse_or(p);
	skip(p);
	if (!failed(p) && p->at < p->text.len)
		return fail(p, "AND, OR or the end is expected", V(""));
	return failed(p) ? VERDICT_FALSE : verdict;
}

bool
condition_check(view text, struct error *err)
{
	struct parser p = { .text = text };

	(void)parse(&p);
	return !failed(&p) ||
	    error_set(err, ERR_INVALID_CONDITION,
		"The condition of the role assignment is not valid: %s.", p.problem);
}

enum verdict
condition_judge(view text, const struct access_question *question)
{
	struct parser p = { .text = text, .question = question };

	return parse(&p);
}
