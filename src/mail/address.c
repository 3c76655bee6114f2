#include "mail/address.h"

#include <string.h>

#define LOCAL_MAX 64

/* RFC 5322, 3.2.3: atext. */
static bool
is_atom_character(char c)
{
	return ascii_alphanumeric(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
local_valid(view local)
{
	if (local.len == 0 || local.len > LOCAL_MAX || local.ptr[local.len - 1] == '.')
		return false;
	while (local.len > 0) {
		view atom = view_cut(&local, '.');

		if (atom.len == 0)
			return false;
		for (size_t i = 0; i < atom.len; i++) {
			if (!is_atom_character(atom.ptr[i]))
				return false;
		}
	}
	return true;
}

bool
mail_address_valid(view address)
{
	view domain = address, local;

	if (address.len > MAIL_ADDRESS_MAX)
		return false;
	local = view_cut(&domain, '@');
	return local_valid(local) && host_name_valid(domain);
}
