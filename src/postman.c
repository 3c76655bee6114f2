#include "postman.h"

#include "base/clock.h"
#include "base/uuid.h"
#include "crypto/random.h"

bool
postman_smtp(const struct config *config, struct smtp *out)
{
	*out = (struct smtp){
		.url = config_given(config->smtp_url),
		.user = config_given(config->smtp_user),
		.password_file = config_given(config->smtp_password_file),
		.from = config_given(config->smtp_from),
		.ca_file = config_given(config->smtp_ca),
	};
	return out->url != NULL;
}

bool
postman_try(const struct config *config, view to, struct error *err)
{
	struct uuid id;
	struct smtp smtp;
	struct mail mail = {
		.to = to,
		.subject = V("Strongroom can send e-mail"),
		.text = V("This message was sent by `strongroom mail try`.\n"),
		.time = clock_wall(),
	};

	if (!postman_smtp(config, &smtp))
		return error_set(err, ERR_BAD_REQUEST,
		    "smtp-url is not set: the mail server, as smtps://mail.example.org");
	random_uuid(&id);
	mail.id = uuid_view(&id);
	mail.from = view_of(smtp.from);
	return smtp_send(&smtp, &mail, err);
}
