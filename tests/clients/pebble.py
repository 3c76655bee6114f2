"""Pebble, Let's Encrypt's test server for ACME, with a DNS server of its own: Debian's packages."""
import contextlib
import datetime
import ipaddress
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from strongroom import free_port

KID, MAC_KEY = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def authority():
	"""A CA for Pebble's own listener: its key and certificate."""
	key = ec.generate_private_key(ec.SECP256R1())
	name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Pebble {x509.random_serial_number():x}"[:40])])
	now = datetime.datetime.now(datetime.timezone.utc)
	built = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
	    .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
	    .not_valid_after(now + datetime.timedelta(days=30))
	    .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True))
	return key, built.sign(key, hashes.SHA256())


def listener_certificate(ca_key, ca):
	key = ec.generate_private_key(ec.SECP256R1())
	built = (x509.CertificateBuilder()
	    .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]))
	    .issuer_name(ca.subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
	    .not_valid_before(ca.not_valid_before_utc).not_valid_after(ca.not_valid_after_utc)
	    .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"),
	        x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False))
	return key, built.sign(ca_key, hashes.SHA256())


def pem(key):
	return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
	    serialization.NoEncryption())


def wait_for(port):
	deadline = time.monotonic() + 30
	while True:
		with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
			return
		assert time.monotonic() < deadline, f"nothing listens at port {port}"
		time.sleep(0.02)


class Pebble:
	"""It proves names at ${http_port}, whatever they are: its DNS says 127.0.0.1 to all."""

	def __init__(self, folder, bindings=False, bad_nonces=5, sleep=False, reject=0):
		self.folder = folder
		self.folder.mkdir(parents=True, exist_ok=True)
		self.port, self.http_port, self.dns_port, self.manage_port = (free_port() for _ in range(4))
		self.ca = folder / "ca.pem"
		ca_key, ca = authority()
		key, certificate = listener_certificate(ca_key, ca)
		self.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
		(folder / "key.pem").write_bytes(pem(key))
		(folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
		self.settings = {"listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": "",
		    "certificate": str(folder / "cert.pem"), "privateKey": str(folder / "key.pem"),
		    "httpPort": self.http_port, "tlsPort": free_port(), "ocspResponderURL": "",
		    "externalAccountBindingRequired": bindings}
		if bindings:
			self.settings["externalAccountMACKeys"] = {KID: MAC_KEY}
		self.environment = {"PATH": os.environ["PATH"], "PEBBLE_WFE_NONCEREJECT": str(bad_nonces),
		    "PEBBLE_AUTHZREUSE": "0", "PEBBLE_WFE_ORDERS_PER_PAGE": "5"}
		if not sleep:
			self.environment["PEBBLE_VA_NOSLEEP"] = "1"
		self.processes = []

	@property
	def directory(self):
		return f"https://localhost:{self.port}/dir"

	@property
	def log(self):
		return (self.folder / "log").read_text(errors="replace")

	def spawn(self, *command):
		with open(self.folder / "log", "ab") as log:
			self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
			    env=self.environment, cwd=self.folder))

	def start(self):
		self.spawn("pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "",
		    "-tlsalpn01", "", "-dns01", f"127.0.0.1:{self.dns_port}", "-management", f"127.0.0.1:{self.manage_port}")
		wait_for(self.manage_port)
		return self.start_server()

	def start_server(self, validity=None):
		"""${validity}: seconds that its certificates last; it goes by the wall's clock."""
		settings = self.settings | ({"certificateValidityPeriod": validity} if validity else {})
		(self.folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
		self.spawn("pebble", "-config", "pebble.json", "-dnsserver", f"127.0.0.1:{self.dns_port}")
		wait_for(self.port)
		return self

	def stop_server(self):
		"""Pebble alone: it forgets all."""
		self._end(self.processes.pop())

	def stop(self):
		while self.processes:
			self._end(self.processes.pop())

	@staticmethod
	def _end(process):
		process.send_signal(signal.SIGTERM)
		process.wait(20)

	def manage(self, what, body):
		request = urllib.request.Request(f"http://127.0.0.1:{self.manage_port}/{what}", json.dumps(body).encode())
		with urllib.request.urlopen(request, timeout=10) as reply:
			assert reply.status == 200

	def hook(self):
		"""A program for acme-dns-hook: it tells the DNS server, and keeps a list of what it was asked."""
		path = self.folder / "hook"
		path.write_text(f"""#!/bin/sh
echo "$@" >>{self.folder}/hook.log
case $1 in
add)	what=set-txt; body="{{\\"host\\":\\"$2.\\",\\"value\\":\\"$3\\"}}" ;;
remove)	what=clear-txt; body="{{\\"host\\":\\"$2.\\"}}" ;;
esac
exec curl --silent --fail --output /dev/null --data "$body" http://127.0.0.1:{self.manage_port}/$what
""")
		path.chmod(0o755)
		return path


def issuer(pebble):
	return {"provider": "ACME", "org_details": {"id": pebble.directory, "admin_details": [{"email": "admin@example.com"}]}}


def acme_server(server, pebble, *options, http=True):
	"""A server with a vault whose issuer `acme` is ${pebble}; names are proved by HTTP unless ${http} is False."""
	shown = ["--acme-http-listen", f"127.0.0.1:{pebble.http_port}"] if http else []
	one = server(vaults=("one",), options=("--acme-ca", pebble.ca, *shown, *options))
	vault = one.vault("one")
	vault.put("/certificates/issuers/acme", issuer(pebble)).expect(200)
	return one, vault
