"""`init` and `serve`: a server as it runs in earnest, under a supervisor and with a certificate of its own."""
import datetime
import os
import shlex
import signal
import socket
import ssl
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from strongroom import SANITIZER_OPTIONS, Server


class Serving(Server):
	"""`strongroom serve` with a settings file; `init` has printed the credentials."""

	settings = ""

	def command(self):
		return [self.binary, "serve", "--config", self.folder / "strongroom.conf", *self.options]

	def set_up(self):
		(self.folder / "strongroom.conf").write_text(
		    f"; of this test\ndata = {self.data}\nport = {self.port}\n{self.settings}")
		done = self.init()
		assert done.returncode == 0, done.stderr
		self.printed = dict(words[1].split("=", 1) for words in (shlex.split(line, comments=True) for line in done.stdout.splitlines())
		    if words[:1] == ["export"])
		return self

	def init(self):
		names = [part for name in self.vaults for part in ("--vault", name)]
		# Another test's server may have left its settings in this process's environment.
		environment = {name: value for name, value in os.environ.items() if not name.startswith("STRONGROOM_")}
		return subprocess.run([self.binary, "init", "--config", self.folder / "strongroom.conf", *names],
		    cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
		    env=SANITIZER_OPTIONS | environment)

	def read_env(self):
		return self.printed


@pytest.fixture
def serving(tmp_path):
	made = Serving(tmp_path / "server")
	yield made
	if made.process is not None and made.process.poll() is None:
		made.stop()


def certificate(folder, name):
	"""A self-signed certificate for the names of a vault's client, in two PEM files."""
	key = ec.generate_private_key(ec.SECP256R1())
	subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
	now = datetime.datetime.now(datetime.timezone.utc)
	names = [x509.DNSName(f"{label}.localhost") for label in ("*.vault", "login", "management", "graph")]
	made = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
	    .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
	    .not_valid_after(now + datetime.timedelta(days=1))
	    .add_extension(x509.SubjectAlternativeName(names), False)
	    .add_extension(x509.BasicConstraints(True, 0), True).sign(key, hashes.SHA256()))
	(folder / "tls.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
	(folder / "tls.key").write_bytes(key.private_bytes(serialization.Encoding.PEM,
	    serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
	return made


def presented(server):
	"""The certificate that the listener shows now."""
	context = ssl.create_default_context()
	context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
	with socket.create_connection(("127.0.0.1", server.port), 10) as plain:
		with context.wrap_socket(plain, server_hostname="main.vault.localhost") as tls:
			return tls.getpeercert(binary_form=True)


def test_init_then_serve(serving):
	serving.set_up().start()
	vault = serving.vault("main")
	vault.set("s", "v")
	assert vault.value("s") == "v"
	# The credentials are nowhere but where init printed them.
	assert not (serving.data / "env").exists()
	# The clock stands still outside development.
	serving.manage("POST", "/strongroom/clock", {"advance": 1}).expect(404)
	serving.restart()
	assert serving.vault("main").value("s") == "v"


def test_init_twice_is_refused(serving):
	serving.set_up()
	again = serving.init()
	assert again.returncode != 0 and "already" in again.stderr and "SECRET" not in again.stdout


def test_serve_without_init_is_refused(serving):
	(serving.folder / "strongroom.conf").write_text(f"data = {serving.data}\nport = {serving.port}\n")
	serving.spawn()
	assert serving.wait() != 0
	assert "strongroom init" in serving.output()


def test_readiness_is_told(serving, tmp_path):
	path = str(tmp_path / "notify")
	with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
		notify.bind(path)
		notify.settimeout(30)
		serving.environment = {"NOTIFY_SOCKET": path}
		serving.set_up().start()
		assert notify.recv(100) == b"READY=1"
		serving.stop()
		assert notify.recv(100) == b"STOPPING=1"


def test_certificate_is_reloaded(serving):
	serving.settings = "certificate = tls.pem\ncertificate-key = tls.key\n"
	first = certificate(serving.folder, "first")
	serving.set_up().start()
	assert presented(serving) == first.public_bytes(serialization.Encoding.DER)
	second = certificate(serving.folder, "second").public_bytes(serialization.Encoding.DER)
	assert presented(serving) != second
	serving.process.send_signal(signal.SIGHUP)
	deadline = time.monotonic() + 20
	while presented(serving) != second:
		assert time.monotonic() < deadline, "the new certificate is not used"
		time.sleep(0.1)
	# A broken one is not taken: the server goes on with what it has.
	(serving.folder / "tls.pem").write_text("not a certificate")
	serving.process.send_signal(signal.SIGHUP)
	time.sleep(2)
	assert presented(serving) == second


def test_own_certificate_names_every_host(serving):
	serving.set_up().start()
	made = x509.load_der_x509_certificate(presented(serving))
	names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
	assert {"*.vault.localhost", "*.managedhsm.localhost", "login.localhost", "management.localhost",
	    "graph.localhost"} <= set(names.get_values_for_type(x509.DNSName))
	life = made.not_valid_after_utc - made.not_valid_before_utc
	assert life < datetime.timedelta(days=8)
