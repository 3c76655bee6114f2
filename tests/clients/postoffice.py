"""A mail server that takes messages only over TLS and from who signs in."""
import email
import email.policy
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography.hazmat.primitives import serialization

from pebble import authority, listener_certificate, pem
from strongroom import free_port

USER, PASSWORD = "vault@example.com", "a password with spaces"


class Mailbox:
	"""${refuse}: replies by recipient, such as {"a@b": "550 no"}."""

	def __init__(self, folder, sign_in=True):
		folder.mkdir(parents=True, exist_ok=True)
		self.messages, self.refuse, self.port = [], {}, free_port()
		self.ca, self.password_file = folder / "mail-ca.pem", folder / "mail-password"
		ca_key, ca = authority()
		key, certificate = listener_certificate(ca_key, ca)
		self.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
		(folder / "mail.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + pem(key))
		self.password_file.write_text(PASSWORD + "\n")
		self.password_file.chmod(0o600)
		self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
		self.context.load_cert_chain(folder / "mail.pem")
		self.sign_in = sign_in
		self.controller = None

	def start(self):
		self.controller = Controller(self, hostname="127.0.0.1", port=self.port, tls_context=self.context,
		    require_starttls=True, auth_required=self.sign_in, authenticator=self.authenticate)
		self.controller.start()
		return self

	def stop(self):
		if self.controller:
			self.controller.stop()
			self.controller = None

	@property
	def options(self):
		return ["--smtp-url", f"smtp://localhost:{self.port}", "--smtp-from", USER, "--smtp-ca", str(self.ca),
		    "--smtp-user", USER, "--smtp-password-file", str(self.password_file)]

	def authenticate(self, server, session, envelope, mechanism, data):
		return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)

	async def handle_RCPT(self, server, session, envelope, address, options):
		if address in self.refuse:
			return self.refuse[address]
		envelope.rcpt_tos.append(address)
		return "250 OK"

	async def handle_DATA(self, server, session, envelope):
		message = email.message_from_bytes(envelope.content, policy=email.policy.default)
		assert session.ssl and bool(session.authenticated) == self.sign_in
		self.messages.append((envelope.mail_from, envelope.rcpt_tos, message))
		return "250 OK"
