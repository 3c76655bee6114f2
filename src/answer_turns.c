#include "answer_turns.h"

#include "base/view.h"

#include <stdlib.h>

/* One vault's; there is none without anything in it. */
struct line {
	struct uuid vault;
	struct waiting *first, **end;
	size_t count;
	struct line *next;
};

struct turns {
	struct turns_bounds bounds;
	struct line *first, **end;
	size_t count; /* in all lines */
};

struct turns *
turns_new(const struct turns_bounds *bounds)
{
	struct turns *turns = calloc(1, sizeof(*turns));

	if (turns == NULL)
		return NULL;
	turns->bounds = *bounds;
	turns->end = &turns->first;
	return turns;
}

void
turns_free(struct turns *turns)
{
	free(turns);
}

static struct line *
find(const struct turns *turns, const struct uuid *vault)
{
	struct line *line = turns->first;

	while (line != NULL && !view_eq(uuid_view(&line->vault), uuid_view(vault)))
		line = line->next;
	return line;
}

/* Behind all the others. */
static void
append(struct turns *turns, struct line *line)
{
	line->next = NULL;
	*turns->end = line;
	turns->end = &line->next;
}

static struct line *
begin(struct turns *turns, const struct uuid *vault)
{
	struct line *line = calloc(1, sizeof(*line));

	if (line == NULL)
		return NULL;
	line->vault = *vault;
	line->end = &line->first;
	append(turns, line);
	return line;
}

static bool
has_room(const struct turns *turns, const struct line *line, struct error *err)
{
	const struct turns_bounds *bounds = &turns->bounds;

	if (line->count >= bounds->each)
		return error_set(err, ERR_THROTTLED,
		    "Request was not processed because too many requests were received. Reason: "
		    "VaultRequestTypeLimitReached");
	return bounds->all == 0 || turns->count < bounds->all ||
	    error_set(err, ERR_UNAVAILABLE,
		"Too much is being worked on at the moment; try again later.");
}

bool
turns_add(struct turns *turns, const struct uuid *vault, struct waiting *item, struct error *err)
{
	struct line *line = find(turns, vault);

	if (line != NULL && !has_room(turns, line, err))
		return false;
	if (line == NULL)
		line = begin(turns, vault);
	if (line == NULL)
		return error_memory(err);
	item->next = NULL;
	*line->end = item;
	line->end = &item->next;
	line->count++;
	turns->count++;
	return true;
}

struct waiting *
turns_take(struct turns *turns)
{
	struct line *line = turns->first;
	struct waiting *item;

	if (line == NULL)
		return NULL;
	turns->first = line->next;
	if (turns->first == NULL)
		turns->end = &turns->first;
	item = line->first;
	line->first = item->next;
	line->count--;
	turns->count--;
	if (line->first != NULL)
		append(turns, line);
	else
		free(line);
	return item;
}
