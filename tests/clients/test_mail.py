"""E-mail over SMTP to a server that takes it only encrypted and from who has signed in."""
import subprocess

import pytest

from postoffice import USER, Mailbox
from strongroom import BINARY


@pytest.fixture
def mailbox(tmp_path):
	made = []

	def make(name="mail", **options):
		made.append(Mailbox(tmp_path / name, **options))
		return made[-1].start()

	yield make
	for each in made:
		each.stop()


def send(options, to="admin@example.org"):
	done = subprocess.run([BINARY, "mail", "try", to, *options], capture_output=True, text=True, timeout=60)
	return done.returncode, done.stderr


def replace(options, name, value):
	at = options.index(name)
	return options[:at + 1] + [str(value)] + options[at + 2:]


def test_sent(mailbox):
	one = mailbox()
	assert send(one.options) == (0, "")
	(sender, recipients, message), = one.messages
	assert (sender, recipients) == (USER, ["admin@example.org"])
	assert (message["From"], message["To"]) == (USER, "admin@example.org")
	assert message["Subject"] == "Strongroom can send e-mail" and message.get_content().startswith("This message")
	assert message["Auto-Submitted"] == "auto-generated" and message["Message-ID"].endswith("@example.com>")


def test_without_signing_in(mailbox):
	one = mailbox(sign_in=False)
	options = one.options[:one.options.index("--smtp-user")]
	assert send(options) == (0, "") and len(one.messages) == 1


def test_wrong_password(mailbox):
	one = mailbox()
	one.password_file.write_text("wrong\n")
	code, said = send(one.options)
	assert code == 1 and "Login denied" in said and "wrong" not in said and not one.messages


def test_password_for_others_to_read(mailbox):
	one = mailbox()
	one.password_file.chmod(0o644)
	code, said = send(one.options)
	assert code == 1 and "has mode 0644" in said and not one.messages


def test_certificate_is_verified(mailbox):
	one, other = mailbox(), mailbox("other")
	for options in (replace(one.options, "--smtp-ca", other.ca), replace(one.options, "--smtp-ca", ""),
	    replace(one.options, "--smtp-url", f"smtp://login.localhost:{one.port}")):
		code, said = send(options)
		assert code == 1 and ("certificate" in said or "SSL" in said) and not one.messages, said


def test_no_encryption_no_mail(tmp_path):
	"""A server without STARTTLS gets nothing, the password least of all."""
	from aiosmtpd.controller import Controller

	box = Mailbox(tmp_path / "box")
	said = []

	class Plain:
		async def handle_EHLO(self, server, session, envelope, hostname, responses):
			session.host_name = hostname
			return [*responses[:-1], "250-AUTH PLAIN LOGIN", responses[-1]]

		async def handle_AUTH(self, *arguments):
			said.append(arguments)

	controller = Controller(Plain(), hostname="127.0.0.1", port=box.port)
	controller.start()
	try:
		code, text = send(box.options)
	finally:
		controller.stop()
	assert code == 1 and not said, text


def test_refused_recipient(mailbox):
	one = mailbox()
	one.refuse["admin@example.org"] = "550 nobody of that name"
	code, said = send(one.options)
	assert code == 1 and "550" in said and not one.messages


@pytest.mark.parametrize("to", ["nobody", "a@b\r\nRCPT TO:<c@d>", "a@b>", ""])
def test_bad_addresses(mailbox, to):
	one = mailbox()
	code, said = send(one.options, to)
	assert code == 1 and "address" in said and not one.messages


@pytest.mark.parametrize("options, said", [
	([], "smtp-url is not set"),
	(["--smtp-url", "http://localhost"], "smtp-url"),
	(["--smtp-url", "smtp://localhost"], "smtp-from"),
	(["--smtp-url", "smtp://localhost", "--smtp-from", "nobody"], "smtp-from"),
	(["--smtp-url", "smtp://localhost", "--smtp-from", "a@b", "--smtp-user", "c"], "go together"),
	(["--smtp-url", "smtp://localhost:1", "--smtp-from", "a@b"], "mail server"),
	(["--acme-http-listen", "80"], "acme-http-listen"),
	(["--acme-dns-hook", "hook"], "acme-dns-hook")], ids=" ".join)
def test_settings(options, said):
	code, text = send(options)
	assert code == 1 and said in text
