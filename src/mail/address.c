#include "mail/address.h"

#include <string.h>

#define LOCAL_MAX 64
#define LABEL_MAX 63

static bool
is_alphanumeric(char c)
{
	char lower = ascii_lower(c);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

/* RFC 5322, 3.2.3: atext. */
static bool
is_atom_character(char c)
{
	return is_alphanumeric(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
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

static bool
label_valid(view label)
{
	if (label.len == 0 || label.len > LABEL_MAX || label.ptr[0] == '-' ||
	    label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		if (!is_alphanumeric(label.ptr[i]) && label.ptr[i] != '-')
			return false;
	}
	return true;
}

static bool
domain_valid(view domain)
{
	if (domain.len == 0 || domain.ptr[domain.len - 1] == '.')
		return false;
	while (domain.len > 0) {
		if (!label_valid(view_cut(&domain, '.')))
			return false;
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
	return local_valid(local) && domain_valid(domain);
}
