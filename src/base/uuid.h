/*
 * GUIDs as the protocols write them (8-4-4-4-12, lower case) and object versions (32 hex digits).
 * Random ones come from crypto/random.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/view.h"

#define UUID_LEN 36
#define HEX16_LEN 32

struct uuid {
	char text[UUID_LEN + 1];
};

/* uuid_from(bytes, out): A version 4 UUID out of 16 random bytes. */
void uuid_from(const uint8_t bytes[16], struct uuid *out);
bool uuid_parse(view text, struct uuid *out); /* any case in, lower case out */
view uuid_view(const struct uuid *uuid);

/* hex_encode(bytes, out): 2 * bytes.len lower-case digits, no NUL. */
void hex_encode(view bytes, char *out);

/* hex_decode(text, out): text.len / 2 bytes; false on an odd length or a foreign character. */
bool hex_decode(view text, uint8_t *out);

#endif
