#include "pki/pem.h"

#include "base/base64.h"

#define LINE_BYTES 48 /* 64 characters */

static void
mark(const char *what, view label, struct buf *out)
{
	buf_print(out, "-----%s %.*s-----\n", what, VIEW_ARG(label));
}

void
pem_write(view label, view der, struct buf *out)
{
	mark("BEGIN", label, out);
	while (der.len > 0) {
		view line = { der.ptr, der.len < LINE_BYTES ? der.len : LINE_BYTES };

		base64_encode(BASE64, line, out);
		buf_add_char(out, '\n');
		der = view_from(der, line.len);
	}
	mark("END", label, out);
}
