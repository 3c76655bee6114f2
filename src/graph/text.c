#include "graph/text.h"

#include "base/clock.h"
#include "pki/pem.h"

#include <string.h>
#include <time.h>

/* ${digits} decimal digits from the front, and the separator behind them when there is one. */
static bool
take_number(view *text, size_t digits, char separator, int *out)
{
	uint64_t value;

	if (text->len < digits || !view_u64((view){ text->ptr, digits }, &value))
		return false;
	*text = view_from(*text, digits);
	*out = (int)value;
	if (separator == '\0')
		return true;
	if (text->len == 0 || ascii_upper(text->ptr[0]) != separator)
		return false;
	*text = view_from(*text, 1);
	return true;
}

/* "Z", "+01:00", "-01:00": the seconds that local time is ahead. */
static bool
take_zone(view text, int64_t *out)
{
	int hours, minutes, sign;

	if (text.len == 1 && ascii_upper(text.ptr[0]) == 'Z') {
		*out = 0;
		return true;
	}
	if (text.len != 6 || (text.ptr[0] != '+' && text.ptr[0] != '-'))
		return false;
	sign = text.ptr[0] == '-' ? -1 : 1;
	text = view_from(text, 1);
	if (!take_number(&text, 2, ':', &hours) || !take_number(&text, 2, '\0', &minutes) ||
	    hours > 23 || minutes > 59)
		return false;
	*out = (int64_t)sign * (hours * 3600 + minutes * 60);
	return true;
}

bool
graph_time_parse(view text, int64_t *out)
{
	struct tm tm = { 0 }, day;
	int64_t ahead;
	time_t seconds;

	if (!take_number(&text, 4, '-', &tm.tm_year) || !take_number(&text, 2, '-', &tm.tm_mon) ||
	    !take_number(&text, 2, 'T', &tm.tm_mday) || !take_number(&text, 2, ':', &tm.tm_hour) ||
	    !take_number(&text, 2, ':', &tm.tm_min) || !take_number(&text, 2, '\0', &tm.tm_sec))
		return false;
	if (text.len > 0 && text.ptr[0] == '.') {
		text = view_from(text, 1);
		while (text.len > 0 && text.ptr[0] >= '0' && text.ptr[0] <= '9')
			text = view_from(text, 1);
	}
	if (!take_zone(text, &ahead) || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	day = tm;
	seconds = timegm(&tm);
	/* A day that does not exist comes out as another one. */
	if (day.tm_mon < 0 || day.tm_mon > 11 || day.tm_mday < 1 ||
	    (day.tm_sec < 60 && (tm.tm_mday != day.tm_mday || tm.tm_mon != day.tm_mon)))
		return false;
	*out = (int64_t)seconds - ahead;
	return true;
}

view
graph_time_print(int64_t seconds, char out[GRAPH_TIME_LEN + 1])
{
	char text[CLOCK_ISO_LEN + 1];

	clock_iso_seconds(seconds, text);
	memcpy(out, text, GRAPH_TIME_LEN - 1);
	out[GRAPH_TIME_LEN - 1] = 'Z';
	out[GRAPH_TIME_LEN] = '\0';
	return (view){ out, GRAPH_TIME_LEN };
}

/* In PEM, or without its marks. */
static bool
decode(view text, struct arena *arena, view *out)
{
	enum pem_found found;
	struct pem_block block;
	view rest = text;
	char *bytes;
	size_t len;

	found = pem_next(&rest, &block);
	if (found == PEM_NONE)
		block.body = text;
	else if (found == PEM_BROKEN || !view_eq(block.label, PEM_CERTIFICATE))
		return false;
	bytes = arena_alloc(arena, pem_room(block.body));
	if (bytes == NULL || !pem_decode(block.body, bytes, &len))
		return false;
	*out = (view){ bytes, len };
	return true;
}

bool
graph_certificate_parse(view text, struct arena *arena, view *der)
{
	view bytes;

	if (!decode(text, arena, &bytes))
		return false;
	if (view_starts(bytes, V("-----BEGIN")) && !decode(bytes, arena, &bytes))
		return false;
	*der = bytes;
	return bytes.len > 0;
}
