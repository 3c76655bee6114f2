#include "mail/message.h"

#include "base/base64.h"
#include "base/json.h"
#include "mail/address.h"

#include <time.h>

#define LINE_BYTES 57 /* 76 characters of base64: RFC 2045, 6.8 */
#define WORD_BYTES 42 /* of an encoded word that leaves room for "Subject: " in 78: RFC 2047, 2 */
#define ID_MAX 64

/* RFC 5322, 3.3; the names are English whatever the locale is. */
static void
add_date(struct buf *out, int64_t time)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)time;
	struct tm tm = { 0 };

	(void)gmtime_r(&seconds, &tm);
	buf_print(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
	    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static bool
is_line(view text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < ' ' || c == 0x7f)
			return false;
	}
	return true;
}

/* ASCII that can't be taken for an encoded word, and short enough not to need folding. */
static bool
is_simple(view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] > '~' || text.ptr[i] == '=')
			return false;
	}
	return text.len <= 60;
}

/* How much of ${text} fits into one word without cutting a character. */
static size_t
word_of(view text)
{
	size_t len = text.len < WORD_BYTES ? text.len : WORD_BYTES;

	while (len < text.len && len > 1 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void
add_subject(struct buf *out, view subject)
{
	buf_add(out, V("Subject: "));
	if (is_simple(subject)) {
		buf_add(out, subject);
		subject = V("");
	}
	while (subject.len > 0) {
		size_t len = word_of(subject);

		buf_add(out, V("=?utf-8?B?"));
		base64_encode(BASE64, (view){ subject.ptr, len }, out);
		buf_add(out, V("?="));
		subject = view_from(subject, len);
		if (subject.len > 0)
			buf_add(out, V("\r\n "));
	}
	buf_add(out, V("\r\n"));
}

static void
add_text(struct buf *out, view text)
{
	while (text.len > 0) {
		size_t len = text.len < LINE_BYTES ? text.len : LINE_BYTES;

		base64_encode(BASE64, (view){ text.ptr, len }, out);
		buf_add(out, V("\r\n"));
		text = view_from(text, len);
	}
}

static bool
id_valid(view id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = ascii_lower(id.ptr[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return id.len > 0 && id.len <= ID_MAX;
}

bool
mail_write(const struct mail *mail, struct buf *out, struct error *err)
{
	view domain = mail->from;

	if (!mail_address_valid(mail->from) || !mail_address_valid(mail->to))
		return error_set(err, ERR_BAD_REQUEST, "An address of an e-mail is none.");
	if (mail->subject.len > MAIL_SUBJECT_MAX || !is_line(mail->subject) ||
	    !utf8_valid(mail->subject) || !id_valid(mail->id))
		return error_set(err, ERR_BAD_REQUEST, "An e-mail's subject is no line.");
	if (mail->text.len > MAIL_TEXT_MAX || !utf8_valid(mail->text))
		return error_set(err, ERR_BAD_REQUEST, "An e-mail's text is too long or none.");
	(void)view_cut(&domain, '@');
	buf_print(out, "From: <%.*s>\r\nTo: <%.*s>\r\n", VIEW_ARG(mail->from), VIEW_ARG(mail->to));
	add_date(out, mail->time);
	buf_print(out, "Message-ID: <%.*s@%.*s>\r\n", VIEW_ARG(mail->id), VIEW_ARG(domain));
	add_subject(out, mail->subject);
	buf_add(out,
	    V("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	      "Content-Type: text/plain; charset=utf-8\r\n"
	      "Content-Transfer-Encoding: base64\r\n\r\n"));
	add_text(out, mail->text);
	return buf_ok(out) || error_memory(err);
}
