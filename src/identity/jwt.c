#include "identity/jwt.h"

#include "base/base64.h"
#include "base/json_tree.h"

/* Numeric dates end with the year 9999, so that sums with them don't overflow. */
#define TIME_MAX 253402300799.0

static bool
malformed(struct error *err, const char *why)
{
	return error_set(err, ERR_BAD_REQUEST, "%s", why);
}

static bool
decode(view part, struct arena *arena, view *out, struct error *err)
{
	char *bytes;
	size_t len;

	if (part.len == 0 || part.ptr[part.len - 1] == '=')
		return malformed(err, "a part is empty or padded");
	bytes = arena_alloc(arena, part.len);
	if (bytes == NULL)
		return error_memory(err);
	if (!base64_decode(BASE64URL, part, bytes, &len))
		return malformed(err, "a part is not base64url");
	*out = (view){ bytes, len };
	return true;
}

static bool
object_parse(view text, json_t **out, struct error *err)
{
	/* The library nests its own calls as deep as its input; it stops at 2048 by itself. */
	if (!json_tree_read(text, JSON_REJECT_DUPLICATES, out, err))
		return false;
	return json_is_object(*out) || malformed(err, "a part is not a JSON object");
}

static bool
text_member(const json_t *object, const char *name, struct arena *arena, view *out,
    struct error *err)
{
	const json_t *value = json_object_get(object, name);

	if (value == NULL)
		return true;
	if (!json_is_string(value))
		return malformed(err, "a member that must be text is not");
	return arena_copy(arena, json_tree_text(value), out) || error_memory(err);
}

/* Some clients send fractions of a second (RFC 7519, section 2: NumericDate). */
static bool
time_member(const json_t *object, const char *name, struct jwt_time *out, struct error *err)
{
	const json_t *value = json_object_get(object, name);
	double seconds;

	if (value == NULL)
		return true;
	if (!json_is_number(value))
		return malformed(err, "a time is not a number");
	seconds = json_number_value(value);
	if (!(seconds >= 0 && seconds <= TIME_MAX))
		return malformed(err, "a time is out of range");
	*out = (struct jwt_time){ .given = true, .at = (int64_t)seconds };
	return true;
}

static bool
header_read(view text, struct arena *arena, struct jwt *out, struct error *err)
{
	AUTO(json_tree_done) json_t *tree = NULL;
	view typ = { "", 0 };

	if (!object_parse(text, &tree, err) ||
	    !text_member(tree, "alg", arena, &out->alg_name, err) ||
	    !text_member(tree, "typ", arena, &typ, err) ||
	    !text_member(tree, "kid", arena, &out->kid, err) ||
	    !text_member(tree, "x5t", arena, &out->x5t, err) ||
	    !text_member(tree, "x5t#S256", arena, &out->x5t_s256, err))
		return false;
	/* RFC 7515, section 4.1.11: extensions that we don't understand, and we understand none. */
	if (json_object_get(tree, "crit") != NULL)
		return malformed(err, "it has critical extensions");
	/* RFC 9068 names access tokens so. */
	if (typ.len > 0 && !view_ieq(typ, V("JWT")) && !view_ieq(typ, V("at+jwt")))
		return malformed(err, "it is of another type");
	out->alg = signature_alg_parse(out->alg_name);
	return true;
}

bool
jwt_parse(view text, size_t header_max, struct arena *arena, struct jwt *out, struct error *err)
{
	struct jwt jwt = { .alg_name = V(""), .kid = V(""), .x5t = V(""), .x5t_s256 = V("") };
	view rest = text, header_json, payload, signature;

	if (text.len > JWT_MAX)
		return malformed(err, "it is too long");
	jwt.header = view_cut(&rest, '.');
	payload = view_cut(&rest, '.');
	signature = rest;
	if (jwt.header.len > header_max)
		return malformed(err, "its header is too long");
	jwt.signing_input = (view){ text.ptr, jwt.header.len + 1 + payload.len };
	if (!decode(jwt.header, arena, &header_json, err) ||
	    !decode(payload, arena, &jwt.payload, err) ||
	    !decode(signature, arena, &jwt.signature, err) ||
	    !header_read(header_json, arena, &jwt, err))
		return false;
	*out = jwt;
	return true;
}

/* One audience is a text, several are an array (RFC 7519, section 4.1.3). */
static bool
audiences_read(const json_t *object, struct arena *arena, struct jwt_claims *out, struct error *err)
{
	const json_t *value = json_object_get(object, "aud");
	size_t count = json_array_size(value);

	out->aud = V("");
	if (!json_is_array(value)) {
		if (!text_member(object, "aud", arena, &out->aud, err))
			return false;
		out->audiences[0] = out->aud;
		out->audience_count = value != NULL;
		return true;
	}
	if (count > JWT_AUDIENCES_MAX)
		return malformed(err, "it has too many audiences");
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(value, i);
		view text = json_tree_text(item);

		if (!json_is_string(item))
			return malformed(err, "an audience is not a text");
		if (!arena_copy(arena, text, &out->audiences[i]))
			return error_memory(err);
	}
	out->audience_count = count;
	if (count == 1)
		out->aud = out->audiences[0];
	return true;
}

bool
jwt_claims_read(view payload, struct arena *arena, struct jwt_claims *out, struct error *err)
{
	AUTO(json_tree_done) json_t *tree = NULL;
	struct jwt_claims claims = { 0 };
	const struct {
		const char *name;
		view *to;
	} texts[] = {
		{ "iss", &claims.iss },
		{ "sub", &claims.sub },
		{ "tid", &claims.tid },
		{ "oid", &claims.oid },
		{ "appid", &claims.appid },
		{ "jti", &claims.jti },
		{ "idtyp", &claims.idtyp },
		{ "upn", &claims.upn },
	};

	if (!object_parse(payload, &tree, err))
		return false;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		*texts[i].to = V("");
		if (!text_member(tree, texts[i].name, arena, texts[i].to, err))
			return false;
	}
	if (!audiences_read(tree, arena, &claims, err) ||
	    !time_member(tree, "iat", &claims.iat, err) ||
	    !time_member(tree, "nbf", &claims.nbf, err) ||
	    !time_member(tree, "exp", &claims.exp, err))
		return false;
	*out = claims;
	return true;
}

bool
jwt_claim_text(view payload, const char *name, struct arena *arena, view *out, struct error *err)
{
	AUTO(json_tree_done) json_t *tree = NULL;
	view found = V("");

	if (!object_parse(payload, &tree, err) || !text_member(tree, name, arena, &found, err))
		return false;
	*out = found;
	return true;
}

const char *
printable(view text, char out[PRINTABLE_MAX + 1])
{
	size_t len = text.len < PRINTABLE_MAX ? text.len : PRINTABLE_MAX;

	for (size_t i = 0; i < len; i++)
		out[i] = text.ptr[i] > 0x20 && text.ptr[i] < 0x7f ? text.ptr[i] : '?';
	out[len] = '\0';
	return out;
}
