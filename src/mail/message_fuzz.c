/*
 * Addresses and texts as strangers give them (contacts, names of objects), a line each: nothing in
 * one adds a header field, or ends a line or a command.
 */
#include "base/fuzzing.h"
#include "mail/address.h"
#include "mail/message.h"

#include <string.h>

static void
check_address(view address)
{
	if (!mail_address_valid(address))
		return;
	check(address.len <= MAIL_ADDRESS_MAX);
	for (size_t i = 0; i < address.len; i++)
		check(address.ptr[i] > ' ' && address.ptr[i] < 0x7f &&
		    strchr("<>()[],;:\\\"", address.ptr[i]) == NULL);
}

/* Each line is a field of ours, goes on with one, or is base64. */
static void
check_message(view text)
{
	static const view fields[] = { V_INIT("From: <"), V_INIT("To: <"), V_INIT("Date: "),
		V_INIT("Message-ID: <"), V_INIT("Subject: "),
		V_INIT("Auto-Submitted: auto-generated"), V_INIT("MIME-Version: 1.0"),
		V_INIT("Content-Type: text/plain; charset=utf-8"),
		V_INIT("Content-Transfer-Encoding: base64") };
	size_t next = 0;

	while (text.len > 0) {
		view line = view_cut(&text, '\n');

		check(line.len > 0 && line.ptr[line.len - 1] == '\r' && line.len <= 998);
		line.len--;
		check(memchr(line.ptr, '\r', line.len) == NULL);
		if (next < COUNT_OF(fields) && view_starts(line, fields[next]))
			next++;
		else if (next < COUNT_OF(fields))
			check(next == 5 && view_starts(line, V(" =?utf-8?B?")));
		else
			check(line.len <= 76 && memchr(line.ptr, ':', line.len) == NULL);
	}
	check(next == COUNT_OF(fields));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(buf_free) struct buf out = { 0 };
	struct mail mail = { .from = V("vault@example.org"), .id = V("id-1"), .time = 1706659200 };
	struct error err = { 0 };

	mail.text = (view){ (const char *)data, len };
	mail.to = view_cut(&mail.text, '\n');
	mail.subject = view_cut(&mail.text, '\n');
	check_address(mail.to);
	if (mail_write(&mail, &out, &err))
		check_message(buf_view(&out));
	else
		check(err.code == ERR_BAD_REQUEST);
	return 0;
}
