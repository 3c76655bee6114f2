"""The ACME client against Pebble, over TLS that is verified; bad nonces are part of it."""
import base64
import ipaddress
import os
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pebble import KID, MAC_KEY, pem
from strongroom import BINARY, SANITIZER_FAULT, SANITIZER_OPTIONS

CLIENT = BINARY.parent / "src" / "acme" / "acme_client"


class Account:
	def __init__(self, folder):
		self.folder = folder
		(folder / "account.pem").write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))

	def csr(self, *names):
		self.key = ec.generate_private_key(ec.SECP256R1())
		sans = [x509.IPAddress(ipaddress.ip_address(name[3:])) if name.startswith("ip:") else x509.DNSName(name)
		    for name in names]
		csr = (x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
		    .add_extension(x509.SubjectAlternativeName(sans), critical=False).sign(self.key, hashes.SHA256()))
		path = self.folder / "csr.der"
		path.write_bytes(csr.public_bytes(serialization.Encoding.DER))
		return path

	def run(self, pebble, *names, http=True, hook="-", binding=("-", "-"), csr=None, ca=None, **environment):
		return subprocess.run([CLIENT, pebble.directory, ca or pebble.ca, self.folder / "account.pem",
		    csr or self.csr(*names), f"127.0.0.1:{pebble.http_port}" if http else "-", hook, *binding, *names],
		    capture_output=True, text=True, timeout=100, env=SANITIZER_OPTIONS | dict(os.environ) | environment)

	def chain(self, done):
		assert done.returncode == 0 and not SANITIZER_FAULT.search(done.stderr), done.stderr
		chain = x509.load_pem_x509_certificates(done.stdout.encode())
		assert len(chain) >= 2
		assert chain[0].public_key().public_numbers() == self.key.public_key().public_numbers()
		chain[0].verify_directly_issued_by(chain[1])
		return chain

	def refusal(self, done):
		assert done.returncode == 2 and not SANITIZER_FAULT.search(done.stderr), done.stderr
		assert done.stdout == ""
		return done.stderr.splitlines()[-1] + "\n" + done.stderr


@pytest.fixture
def account(tmp_path):
	return Account(tmp_path)


def test_http01(pebble, account):
	one = pebble()
	names = ["one.example.com", "two.example.com", "ip:127.0.0.1"]
	done = account.run(one, *names)
	sans = account.chain(done)[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
	assert sorted(sans.get_values_for_type(x509.DNSName)) == names[:2]
	assert sans.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.1")]
	shown = [line for line in done.stderr.splitlines() if line.startswith("show")]
	assert len(shown) == 3 and done.stderr.count("\nhide ") == 3
	# The account is found again by its key.
	account.chain(account.run(one, "three.example.com"))


def test_bad_nonces(pebble, account):
	"""Three of four are refused."""
	one = pebble(bad_nonces=75)
	done = account.run(one, "nonces.example.com")
	account.chain(done)
	assert one.log.count(" POST ") > done.stderr.count("step: ") - 1


def test_nothing_but_bad_nonces(pebble, account):
	done = account.run(pebble(bad_nonces=100), "nonces.example.com", ONE_TRY="1")
	assert done.returncode == 3 and "later, wait 0: badNonce" in done.stderr, done.stderr


def test_dns01(pebble, account):
	one = pebble()
	names = ["*.wild.example.com", "wild.example.com"]
	account.chain(account.run(one, *names, http=False, hook=one.hook()))
	asked = [line.split() for line in (one.folder / "hook.log").read_text().splitlines()]
	assert [(line[0], line[1]) for line in asked] == [("add", "_acme-challenge.wild.example.com"),
	    ("remove", "_acme-challenge.wild.example.com")] * 2
	assert all(len(base64.urlsafe_b64decode(line[2] + "=")) == 32 for line in asked)


def test_wildcards_go_by_dns(pebble, account):
	"""With both ways set up each name takes its own."""
	one = pebble()
	account.chain(account.run(one, "*.both.example.com", "other.example.com", hook=one.hook()))
	assert "_acme-challenge.other" not in (one.folder / "hook.log").read_text()


def test_no_way_to_prove(pebble, account):
	said = account.refusal(account.run(pebble(), "*.wild.example.com")).splitlines()[0]
	assert "wild.example.com can't be proved" in said


def test_wrong_proof(pebble, account):
	said = account.refusal(account.run(pebble(), "wrong.example.com", WRONG_PROOF="x"))
	assert "wrong.example.com was not proved: unauthorized" in said.splitlines()[0]
	assert "\nhide wrong.example.com" in said, "nothing is left to be seen"


def test_wrong_record(pebble, account):
	one = pebble()
	said = account.refusal(account.run(one, "wrong.example.com", http=False, hook=one.hook(), WRONG_PROOF="x"))
	assert "wrong.example.com was not proved: unauthorized" in said.splitlines()[0]
	assert "remove _acme-challenge.wrong.example.com" in (one.folder / "hook.log").read_text()


def test_refused_names(pebble, account):
	said = account.refusal(account.run(pebble(), "bad name", csr=account.csr("a.example.com")))
	assert said.startswith("refused, wait 0: "), said
	assert "malformed" in said.splitlines()[0]


def test_request_for_another_name(pebble, account):
	"""What is ordered is not what is asked for at the end."""
	said = account.refusal(account.run(pebble(), "ordered.example.com", csr=account.csr("other.example.com")))
	assert "unauthorized" in said.splitlines()[0] or "badCSR" in said.splitlines()[0], said


def test_broken_request(pebble, account):
	broken = account.folder / "broken.der"
	broken.write_bytes(b"0\x03abc")
	said = account.refusal(account.run(pebble(), "broken.example.com", csr=broken)).splitlines()[0]
	assert "malformed" in said or "badCSR" in said


def test_external_binding(pebble, account):
	one = pebble(bindings=True)
	raw = base64.urlsafe_b64decode(MAC_KEY)
	assert b"\0" not in raw, "it is an argument here"
	said = account.refusal(account.run(one, "bound.example.com")).splitlines()[0]
	assert "externalAccountRequired" in said
	said = account.refusal(account.run(one, "bound.example.com", binding=(KID.encode(), b"x" * 32))).splitlines()[0]
	assert said.startswith("refused")
	account.chain(account.run(one, "bound.example.com", binding=(KID.encode(), raw)))


def test_its_certificate_is_verified(pebble, account, tmp_path):
	one, other = pebble(), pebble()
	done = account.run(one, "tls.example.com", ca=other.ca, ONE_TRY="1")
	assert done.returncode == 3 and "later" in done.stderr and "certificate" in done.stderr, done.stderr


def test_it_is_away(pebble, account):
	one = pebble()
	one.stop_server()
	done = account.run(one, "away.example.com", ONE_TRY="1")
	assert done.returncode == 3 and "later" in done.stderr, done.stderr


def test_slow_validation(pebble, account):
	"""As Pebble is by default: validation takes seconds, orders are processed for a while."""
	done = account.run(pebble(sleep=True), "slow.example.com")
	account.chain(done)
