#include "mail/smtp.h"

#include "base/file.h"

#include <curl/curl.h>
#include <string.h>

static void
curl_done(CURL **curl)
{
	curl_easy_cleanup(*curl);
}

static void
list_done(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static size_t
give(char *out, size_t size, size_t count, void *ctx)
{
	view *rest = ctx;
	size_t len = rest->len < size * count ? rest->len : size * count;

	memcpy(out, rest->ptr, len);
	*rest = view_from(*rest, len);
	return len;
}

static bool
sign_in(CURL *curl, const struct smtp *smtp, struct error *err)
{
	AUTO(plain_done) struct plain *password = NULL;
	char text[FILE_SECRET_MAX + 1];
	bool fine;

	if (smtp->user == NULL)
		return true;
	if (!file_read_secret("The file smtp-password-file", smtp->password_file, &password, err))
		return false;
	memcpy(text, plain_bytes(password), plain_view(password).len);
	text[plain_view(password).len] = '\0';
	fine = curl_easy_setopt(curl, CURLOPT_USERNAME, smtp->user) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_PASSWORD, text) == CURLE_OK;
	explicit_bzero(text, sizeof(text));
	return fine || error_memory(err);
}

/* "<address>", as a NUL-terminated text. */
static void
bracket(view address, struct buf *out)
{
	buf_print(out, "<%.*s>", VIEW_ARG(address));
	buf_add_char(out, '\0');
}

/* What is copied needs memory: without it, another authority would be trusted, say. */
static bool
set_options(CURL *curl, const struct smtp *smtp, char *problem)
{
	(void)curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SMTP_SECONDS);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
	(void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	if (smtp->ca_file != NULL)
		(void)curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* see http/client.c */
	return curl_easy_setopt(curl, CURLOPT_URL, smtp->url) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
	    /* whatever the environment says */
	    curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
	    (smtp->ca_file == NULL ||
		curl_easy_setopt(curl, CURLOPT_CAINFO, smtp->ca_file) == CURLE_OK);
}

/* A reply of 5xx says that coming again is no use; of 4xx, and of none, that it may be. */
static bool
refused(CURL *curl, CURLcode code, const char *problem, struct error *err)
{
	long reply = 0;

	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
	return error_set(err,
	    reply >= 500 && code != CURLE_LOGIN_DENIED ? ERR_BAD_REQUEST : ERR_UNAVAILABLE,
	    "The mail server: %s", problem[0] != '\0' ? problem : curl_easy_strerror(code));
}

bool
smtp_send(const struct smtp *smtp, const struct mail *mail, struct error *err)
{
	AUTO(curl_done) CURL *curl = curl_easy_init();
	AUTO(list_done) struct curl_slist *recipients = NULL;
	AUTO(buf_free) struct buf message = { 0 }, from = { 0 }, to = { 0 };
	char problem[CURL_ERROR_SIZE] = "";
	CURLcode code;
	view rest;

	if (curl == NULL)
		return error_memory(err);
	if (!mail_write(mail, &message, err))
		return false;
	bracket(mail->from, &from);
	bracket(mail->to, &to);
	if (!buf_ok(&from) || !buf_ok(&to))
		return error_memory(err);
	recipients = curl_slist_append(NULL, to.ptr);
	if (recipients == NULL)
		return error_memory(err);
	rest = buf_view(&message);
	(void)curl_easy_setopt(curl, CURLOPT_READDATA, &rest);
	(void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
	if (!set_options(curl, smtp, problem) ||
	    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.ptr) != CURLE_OK)
		return error_memory(err);
	if (!sign_in(curl, smtp, err))
		return false;
	code = curl_easy_perform(curl);
	if (code == CURLE_OUT_OF_MEMORY)
		return error_memory(err);
	return code == CURLE_OK || refused(curl, code, problem, err);
}
