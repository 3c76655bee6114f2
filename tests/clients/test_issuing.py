"""Certificates by issuers: the vault's own authority, and ACME by a real server of it."""
import base64
import contextlib
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from cryptography.x509 import ocsp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from pebble import KID, MAC_KEY, acme_server
from strongroom import free_port, unique, wait_until
from test_life import records

OWN = {"provider": "Strongroom"}


@pytest.fixture
def name():
	return unique("cert")


def policy(issuer, *names, kty="EC", **more):
	key = {"kty": kty, "crv": "P-256"} if kty == "EC" else {"kty": kty, "key_size": 2048}
	return {"policy": {"key_props": {**key, "exportable": True}, "issuer": {"name": issuer},
	    "x509_props": {"subject": f"CN={names[0]}", "sans": {"dns_names": list(names)}}, **more}}


def pending(vault, name):
	return vault.get(f"/certificates/{name}/pending").expect(200).json


def wait_for(vault, name, seconds=60):
	"""The operation once it is over."""
	deadline = time.monotonic() + seconds
	while (operation := pending(vault, name))["status"] == "inProgress":
		assert time.monotonic() < deadline, operation
		time.sleep(0.2)
	return operation


def chain_of(vault, name):
	"""The key and the certificates in the secret."""
	secret = vault.get(f"/secrets/{name}").expect(200).json
	assert secret["contentType"] == "application/x-pkcs12"
	bundle = pkcs12.load_pkcs12(base64.b64decode(secret["value"]), b"")
	return bundle.key, [bundle.cert.certificate, *(each.certificate for each in bundle.additional_certs)]


def create(vault, name, body, status="completed"):
	reply = vault.request("POST", f"/certificates/{name}/create", body).expect(202)
	assert reply.json["status"] == "inProgress" and reply.json["issuer"]["name"] == body["policy"]["issuer"]["name"]
	operation = wait_for(vault, name)
	assert operation["status"] == status, operation
	return operation


def authority(vault, what):
	return vault.request("GET", f"/authority/{what}", query="", token=False).expect(200)


# The vault's own authority

@pytest.fixture(scope="module")
def own(shared):
	vault = shared.vault("main")
	vault.put("/certificates/issuers/own", OWN).expect(200)
	return vault


@pytest.mark.parametrize("kty", ["EC", "RSA"])
def test_own_authority(own, name, kty):
	create(own, name, policy("own", "www.example.com", "example.com", kty=kty))
	bundle = own.get(f"/certificates/{name}").expect(200).json
	key, chain = chain_of(own, name)
	leaf, intermediate = chain
	assert leaf.public_bytes(Encoding.DER) == base64.b64decode(bundle["cer"])
	assert key.public_key().public_numbers() == leaf.public_key().public_numbers()
	root = x509.load_der_x509_certificate(authority(own, "root").body)
	assert x509.load_der_x509_certificate(authority(own, "intermediate").body) == intermediate
	for signed, signer in ((leaf, intermediate), (intermediate, root), (root, root)):
		signed.verify_directly_issued_by(signer)
	sans = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
	assert sans.get_values_for_type(x509.DNSName) == ["www.example.com", "example.com"]
	assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days in range(364, 368)
	point = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0]
	assert point.full_name[0].value == f"{own.url}/authority/crl"


def test_verified_by_openssl(own, name, tmp_path):
	"""As a relying party would: chain, CRL, OCSP."""
	create(own, name, policy("own", "verify.example.com"))
	_, (leaf, intermediate) = chain_of(own, name)
	root = x509.load_der_x509_certificate(authority(own, "root").body)
	crl = x509.load_der_x509_crl(authority(own, "crl").body)
	for file, parts in {"root": [root], "chain": [intermediate], "leaf": [leaf], "crl": [crl]}.items():
		(tmp_path / f"{file}.pem").write_bytes(b"".join(part.public_bytes(Encoding.PEM) for part in parts))

	def verify():
		return subprocess.run(["openssl", "verify", "-crl_check", "-CAfile", "root.pem", "-untrusted", "chain.pem",
		    "-CRLfile", "crl.pem", "-purpose", "sslserver", "leaf.pem"], cwd=tmp_path, capture_output=True, text=True)

	done = verify()
	assert done.returncode == 0, done.stderr
	request = ocsp.OCSPRequestBuilder().add_certificate(leaf, intermediate, hashes.SHA256()).build()

	def ask():
		reply = own.request("POST", "/authority/ocsp", request.public_bytes(Encoding.DER), query="", token=False,
		    headers={"Content-Type": "application/ocsp-request"}).expect(200)
		assert reply.header("Content-Type") == "application/ocsp-response"
		return ocsp.load_der_ocsp_response(reply.body)

	assert ask().certificate_status == ocsp.OCSPCertStatus.GOOD
	serial = f"{leaf.serial_number:x}"
	serial = serial.zfill(len(serial) + len(serial) % 2)
	own.request("POST", "/authority/revoke", {"serial": serial, "reason": "keyCompromise"}).expect(200)
	assert ask().certificate_status == ocsp.OCSPCertStatus.REVOKED
	assert ask().revocation_reason == x509.ReasonFlags.key_compromise
	crl = x509.load_der_x509_crl(authority(own, "crl").body)
	(tmp_path / "crl.pem").write_bytes(crl.public_bytes(Encoding.PEM))
	assert crl.get_revoked_certificate_by_serial_number(leaf.serial_number) and crl.is_signature_valid(intermediate.public_key())
	done = verify()
	assert done.returncode != 0 and "revoked" in done.stdout + done.stderr


def ocsp_request(leaf, issuer, algorithm=None, nonce=None):
	built = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, algorithm or hashes.SHA256())
	if nonce:
		built = built.add_extension(x509.OCSPNonce(nonce), critical=False)
	return built.build().public_bytes(Encoding.DER)


def ask_ocsp(vault, der, get=False):
	if get:
		reply = vault.request("GET", "/authority/ocsp/" + urllib.parse.quote(base64.b64encode(der).decode(), safe=get),
		    query="", token=False)
	else:
		reply = vault.request("POST", "/authority/ocsp", der, query="", token=False)
	assert reply.status == 200 and reply.header("Content-Type") == "application/ocsp-response"
	return reply


def serial_of(certificate):
	digits = f"{certificate.serial_number:x}"
	return digits.zfill(len(digits) + len(digits) % 2)


def revoke(vault, certificate, reason="superseded"):
	vault.request("POST", "/authority/revoke", {"serial": serial_of(certificate), "reason": reason}).expect(200)


def test_strangers_cause_no_signatures(server, name):
	"""A signature is never the same twice: answers that are the same were signed once."""
	one = server(vaults=("one",))
	vault = one.vault("one")
	vault.put("/certificates/issuers/own", OWN).expect(200)
	create(vault, name, policy("own", "a.example.com"))
	_, (leaf, intermediate) = chain_of(vault, name)

	def answers():
		"""As different as a stranger can make the questions."""
		return ({authority(vault, "crl").body for _ in range(20)},
		    {ask_ocsp(vault, ocsp_request(leaf, intermediate, nonce=bytes([index]) * 16), get=index % 2 and "/").body
		        for index in range(20)})

	def check(lists, states, revoked):
		crl, state = x509.load_der_x509_crl(lists.pop()), ocsp.load_der_ocsp_response(states.pop())
		assert not lists and not states
		assert crl.is_signature_valid(intermediate.public_key())
		intermediate.public_key().verify(state.signature, state.tbs_response_bytes, ec.ECDSA(state.signature_hash_algorithm))
		assert (crl.get_revoked_certificate_by_serial_number(leaf.serial_number) is not None) == revoked
		assert state.certificate_status == (ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD)
		return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number, crl, state

	first, crl, state = check(*answers(), revoked=False)
	revoke(vault, leaf)
	second, *_ = check(*answers(), revoked=True)
	assert second > first
	one.kill()
	one.start()
	third, crl, state = check(*answers(), revoked=True)
	assert third >= second
	one.advance("13h")  # more than half of a day
	fourth, later, later_state = check(*answers(), revoked=True)
	assert fourth > third and later.next_update_utc > crl.next_update_utc and later_state.next_update_utc > state.next_update_utc


def test_intermediate_is_renewed(server, name):
	"""Half of its life is over: another certificate for the same key, and what was told before holds."""
	one = server(vaults=("one",))
	vault = one.vault("one")
	vault.put("/certificates/issuers/own", OWN).expect(200)
	long = policy("own", "a.example.com", x509_props={"subject": "CN=a", "validity_months": 84})
	create(vault, name, long)
	_, (first, before) = chain_of(vault, name)
	root = x509.load_der_x509_certificate(authority(vault, "root").body)
	one.advance(f"{6 * 365}d")
	create(vault, f"{name}-later", long)
	_, (second, after) = chain_of(vault, f"{name}-later")
	assert before != after and before.public_key() == after.public_key()
	assert x509.load_der_x509_certificate(authority(vault, "intermediate").body) == after
	assert x509.load_der_x509_certificate(authority(vault, "root").body) == root
	assert (second.not_valid_after_utc - second.not_valid_before_utc).days > 83 * 30 < (first.not_valid_after_utc - first.not_valid_before_utc).days
	for leaf in (first, second):
		for intermediate in (before, after):
			leaf.verify_directly_issued_by(intermediate)
			intermediate.verify_directly_issued_by(root)
		revoke(vault, leaf)
		state = ocsp.load_der_ocsp_response(ask_ocsp(vault, ocsp_request(leaf, before)).body)
		assert state.certificate_status == ocsp.OCSPCertStatus.REVOKED
	crl = x509.load_der_x509_crl(authority(vault, "crl").body)
	assert len(crl) == 2 and crl.is_signature_valid(before.public_key())


def test_signing_for_strangers_is_bounded(server, name):
	"""What was not signed before counts against the service limits: here two in ten seconds."""
	one = server(vaults=("one",))
	vault = one.vault("one")
	vault.put("/certificates/issuers/own", OWN).expect(200)
	create(vault, name, policy("own", "a.example.com"))
	_, (leaf, intermediate) = chain_of(vault, name)
	one.stop()
	one.options += ("--throttle-vault", "one=1")
	one.start()
	algorithms = [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()]
	refused, deadline = False, time.monotonic() + 60
	while True:  # a window may end meanwhile
		said = [ocsp.load_der_ocsp_response(ask_ocsp(vault, ocsp_request(leaf, intermediate, each)).body).response_status
		    for each in algorithms]
		if said.count(ocsp.OCSPResponseStatus.SUCCESSFUL) == len(said):
			break
		assert set(said) <= {ocsp.OCSPResponseStatus.SUCCESSFUL, ocsp.OCSPResponseStatus.TRY_LATER}
		assert time.monotonic() < deadline
		refused = True
		time.sleep(0.5)
	assert refused


@pytest.mark.parametrize("safe", ["/+=", "/", ""])
def test_ocsp_by_get(own, name, safe):
	"""RFC 6960, A.1; caches on the way may keep it."""
	create(own, name, policy("own", "get.example.com"))
	_, (leaf, intermediate) = chain_of(own, name)
	# Requests of all lengths, so that slashes of base64 stand everywhere, two of them in a row too.
	for algorithm in (hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):
		reply = ask_ocsp(own, ocsp_request(leaf, intermediate, algorithm, nonce=b"\xff" * 20), get=safe or "~")
		answer = ocsp.load_der_ocsp_response(reply.body)
		assert answer.certificate_status == ocsp.OCSPCertStatus.GOOD and answer.serial_number == leaf.serial_number
		assert reply.header("Cache-Control") == "max-age=3600, public, no-transform, must-revalidate"
		assert reply.header("Pragma") is None and reply.header("Expires") is None
	for broken in ("/x", "/%00", "/=", "/MDA", "/" + "A" * 5000):
		reply = own.request("GET", "/authority/ocsp" + broken, query="", token=False)
		assert reply.header("Cache-Control") == "no-cache" and reply.status in (200, 400, 401, 414), (broken[:9], reply)
		if reply.status == 200:
			assert ocsp.load_der_ocsp_response(reply.body).response_status == ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_only_what_was_issued_is_told_of(own, name):
	"""RFC 5019, 2.2.3: without a signature."""
	create(own, name, policy("own", "a.example.com"))
	_, (leaf, intermediate) = chain_of(own, name)
	root = x509.load_der_x509_certificate(authority(own, "root").body)
	for subject, issuer in ((intermediate, intermediate), (intermediate, root), (root, root), (leaf, root)):
		reply = ask_ocsp(own, ocsp_request(subject, issuer))
		assert ocsp.load_der_ocsp_response(reply.body).response_status == ocsp.OCSPResponseStatus.UNAUTHORIZED
		assert reply.header("Cache-Control") == "no-cache"


def test_openssl_asks(own, name, tmp_path):
	create(own, name, policy("own", "openssl.example.com"))
	_, (leaf, intermediate) = chain_of(own, name)
	root = x509.load_der_x509_certificate(authority(own, "root").body)
	for file, parts in {"root": [root], "chain": [intermediate, root], "issuer": [intermediate], "leaf": [leaf]}.items():
		(tmp_path / f"{file}.pem").write_bytes(b"".join(part.public_bytes(Encoding.PEM) for part in parts))

	def ask(*options):
		made = subprocess.run(["openssl", "ocsp", *options, "-issuer", "issuer.pem", "-cert", "leaf.pem", "-reqout", "request.der"],
		    cwd=tmp_path, capture_output=True, text=True)
		assert made.returncode == 0, made.stderr
		(tmp_path / "answer.der").write_bytes(ask_ocsp(own, (tmp_path / "request.der").read_bytes()).body)
		done = subprocess.run(["openssl", "ocsp", *options, "-issuer", "issuer.pem", "-cert", "leaf.pem", "-respin", "answer.der",
		    "-CAfile", "root.pem", "-verify_other", "chain.pem"], cwd=tmp_path, capture_output=True, text=True)
		assert done.returncode == 0 and "Response verify OK" in done.stderr, done.stderr
		return done.stdout

	assert "leaf.pem: good" in ask() and "leaf.pem: good" in ask("-no_nonce") and "leaf.pem: good" in ask("-sha256")
	revoke(own, leaf)
	assert "leaf.pem: revoked" in ask() and "Reason: superseded" in ask("-no_nonce")


@pytest.mark.parametrize("body", [{}, {"serial": "zz"}, {"serial": ""}, {"serial": "01", "reason": "boredom"}, {"serial": 1}])
def test_bad_revocations(own, body):
	assert own.request("POST", "/authority/revoke", body).status in (400, 404)


def test_revoking_takes_a_right(shared, own):
	stranger = shared.vault("main", shared.make_principal())
	stranger.request("POST", "/authority/revoke", {"serial": "01"}).expect(403)
	own.request("POST", "/authority/revoke", {"serial": "01"}, token=False).expect(401)
	own.request("POST", "/authority/revoke", {"serial": "01"}).expect(404, "CertificateNotFound")


@pytest.mark.parametrize("body", [b"", b"x", b"0\x03abc", b"\0" * 5000])
def test_broken_ocsp_requests(own, body):
	reply = own.request("POST", "/authority/ocsp", body, query="", token=False)
	assert reply.status == 200 and ocsp.load_der_ocsp_response(reply.body).response_status == ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_vault_without_an_authority(shared):
	vault = shared.vault("short")
	for method, path in (("GET", "root"), ("GET", "intermediate"), ("GET", "crl"), ("POST", "ocsp")):
		vault.request(method, f"/authority/{path}", query="", token=False).expect(404)
	shared.vault("nobody-has-this").request("GET", "/authority/crl", query="", token=False).expect(404)


def test_no_authorities(own, name):
	body = policy("own", "ca.example.com")
	body["policy"]["x509_props"]["key_usage"] = ["keyCertSign", "cRLSign"]
	operation = create(own, name, body, status="failed")
	assert operation["error"] == {"code": "Request rejected", "message": "The authority makes no authorities."}


@pytest.mark.parametrize("provider", ["DigiCert", "GlobalSign", "Test"])
def test_providers_of_others(main, name, provider):
	main.put(f"/certificates/issuers/{name}", {"provider": provider}).expect(200)
	operation = create(main, name, policy(name, "a.example.com"), status="failed")
	assert operation["error"]["code"] == "Certificate issuer error"
	assert "version" not in main.get(f"/certificates/{name}").json and main.get(f"/secrets/{name}").status in (403, 404)


def test_issuer_gone_meanwhile(main, name):
	main.put(f"/certificates/issuers/{name}", OWN).expect(200)
	main.request("POST", f"/certificates/{name}/create", policy(name, "a.example.com")).expect(202)
	main.delete(f"/certificates/issuers/{name}").expect(200)
	operation = wait_for(main, name)
	assert (operation["status"], operation["error"]["message"]) == ("failed", "The issuer is not there.")
	main.request("POST", f"/certificates/{unique('none')}/create", policy(name, "a.example.com")).expect(404, "CertificateIssuerNotFound")


def test_unknown_issuer(main, name):
	main.request("POST", f"/certificates/{name}/create", policy(name, "a.example.com")).expect(404, "CertificateIssuerNotFound")


def test_enrolments_in_the_audit_log(server):
	"""One record for an operation that came to its end, saying what came of it; none while it goes on."""
	one = server(vaults=("one",))
	vault = one.vault("one")
	dead = {"provider": "ACME", "org_details": {"id": "https://127.0.0.1:1/directory"}}
	for issuer, body in {"own": OWN, "digi": {"provider": "DigiCert"}, "dead": dead}.items():
		vault.put(f"/certificates/issuers/{issuer}", body).expect(200)
	told = lambda name: [(line["resultType"], line["resultSignature"], line["properties"]["httpStatusCode"],  # noqa: E731
	    line.get("resultDescription")) for line in records(one) if line["operationName"] == "CertificateEnroll" and
	    line["properties"]["id"].endswith(f"/certificates/{name}")]
	create(vault, "made", policy("own", "a.example.com"))
	create(vault, "failed", policy("digi", "a.example.com"), status="failed")
	refused = policy("own", "a.example.com")
	refused["policy"]["x509_props"]["key_usage"] = ["keyCertSign"]
	create(vault, "refused", refused, status="failed")
	vault.request("POST", "/certificates/waits/create", policy("dead", "a.example.com")).expect(202)
	wait_until(lambda: "The issuer:" in pending(vault, "waits")["status_details"])
	for _ in range(2):
		one.advance("5m")
		time.sleep(1.5)
	assert not told("waits")
	vault.request("PATCH", "/certificates/waits/pending", {"cancellation_requested": True}).expect(200)
	wait_until(lambda: pending(vault, "waits")["status"] == "cancelled" or one.advance("1h"))
	assert told("made") == [("Success", "OK", 200, None)]
	assert told("failed") == [("Failed", "Service Unavailable", 503, "The issuer's provider could not be reached from here.")]
	assert told("refused") == [("Failed", "Bad Request", 400, "The authority makes no authorities.")]
	assert told("waits") == [("Failed", "Conflict", 409, "The operation was cancelled.")]


# ACME

def check(vault, name, *names):
	key, chain = chain_of(vault, name)
	assert key.public_key().public_numbers() == chain[0].public_key().public_numbers() and len(chain) >= 2
	chain[0].verify_directly_issued_by(chain[1])
	sans = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
	assert sorted(sans.get_values_for_type(x509.DNSName)) == sorted(names)
	return chain


def test_acme(server, pebble, name):
	one, vault = acme_server(server, pebble())
	create(vault, name, policy("acme", "one.example.com", "two.example.com"))
	check(vault, name, "one.example.com", "two.example.com")
	# Another version, by the same account; nothing is left to be seen.
	create(vault, name, policy("acme", "one.example.com"))
	check(vault, name, "one.example.com")


def stored(server, prefix):
	"""The keys of documents in the store, which are no secret."""
	with contextlib.closing(sqlite3.connect(f"file:{server.data}/store.db?mode=ro", uri=True)) as store:
		return [bytes(key).decode() for key, in store.execute(
		    "SELECT CAST(key AS BLOB) FROM doc WHERE CAST(key AS TEXT) LIKE ?", (prefix + "%",))]


def test_acme_goes_on_at_once(server, pebble, name):
	"""It waits where the authority has to look, and for nothing else: most steps are done when the one before was due."""
	one, vault = acme_server(server, pebble())
	names = ["one.example.com", "two.example.com", "three.example.com"]
	vault.request("POST", f"/certificates/{name}/create", policy("acme", *names)).expect(202)
	times = set()
	while pending(vault, name)["status"] == "inProgress":
		times.update(key.split("/")[1] for key in stored(one, "away/"))
		time.sleep(0.02)
	check(vault, name, *names)
	one.stop()
	log = b"".join(file.read_bytes() for file in (one.data / "audit").glob("audit-*.log"))
	assert log.count(b'"CertificateEnroll"') == 1
	assert len(times) <= 9, times  # of the sixteen steps that there are at least


def test_acme_over_restarts(server, pebble, name):
	"""The server ends again and again while it is under way; it takes many names to take long."""
	one, vault = acme_server(server, pebble(sleep=True))
	names = [f"n{index}.example.com" for index in range(3)]
	vault.request("POST", f"/certificates/{name}/create", policy("acme", *names)).expect(202)
	for number in range(6):
		time.sleep(2)
		one.kill() if number % 2 else one.stop()
		one.start()
	said = wait_for(vault, name)
	if said["status"] != "completed":  # the authority came to look while nobody was there: that is final
		assert said["status"] == "failed" and said["error"]["message"], said
		create(vault, name, policy("acme", *names))
	check(vault, name, *names)


def test_acme_by_dns(server, pebble, name):
	ca = pebble()
	one, vault = acme_server(server, ca, "--acme-dns-hook", ca.hook(), http=False)
	create(vault, name, policy("acme", "*.wild.example.com", "wild.example.com"))
	check(vault, name, "*.wild.example.com", "wild.example.com")


def test_acme_bound(server, pebble, name):
	ca = pebble(bindings=True)
	one, vault = acme_server(server, ca)
	operation = create(vault, name, policy("acme", "bound.example.com"), status="failed")
	assert operation["error"]["code"] == "Request rejected" and "externalAccountRequired" in operation["error"]["message"]
	vault.request("PATCH", "/certificates/issuers/acme", {"credentials": {"account_id": KID, "pwd": MAC_KEY}}).expect(200)
	create(vault, name, policy("acme", "bound.example.com"))
	check(vault, name, "bound.example.com")


def test_acme_away(server, pebble, name):
	"""What is wrong can be seen; it goes on when the authority is there again."""
	ca = pebble()
	ca.stop_server()
	one, vault = acme_server(server, ca)
	vault.request("POST", f"/certificates/{name}/create", policy("acme", "away.example.com")).expect(202)
	wait_until(lambda: "The issuer:" in pending(vault, name)["status_details"])
	assert "onnect" in pending(vault, name)["status_details"]
	ca.start_server()
	one.advance("2m")
	assert wait_for(vault, name)["status"] == "completed"
	check(vault, name, "away.example.com")


def test_acme_cancelled(server, pebble, name):
	ca = pebble()
	ca.stop_server()
	one, vault = acme_server(server, ca)
	vault.request("POST", f"/certificates/{name}/create", policy("acme", "never.example.com")).expect(202)
	wait_until(lambda: "The issuer:" in pending(vault, name)["status_details"])
	vault.request("PATCH", f"/certificates/{name}/pending", {"cancellation_requested": True}).expect(200)
	one.advance("2m")
	assert wait_for(vault, name)["status"] == "cancelled"
	vault.delete(f"/certificates/{name}/pending").expect(200)


class Silent:
	"""It accepts, and never says a word."""

	def __init__(self):
		self.listener = socket.create_server(("127.0.0.1", 0))
		self.accepted = []
		self.thread = threading.Thread(target=self._accept)
		self.thread.start()

	@property
	def directory(self):
		return f"https://localhost:{self.listener.getsockname()[1]}/dir"

	def _accept(self):
		with contextlib.suppress(OSError):
			while True:
				self.accepted.append(self.listener.accept()[0])

	def close(self):
		self.listener.shutdown(socket.SHUT_RDWR)
		self.listener.close()
		self.thread.join()
		for each in self.accepted:
			each.close()


@pytest.fixture
def silent():
	made = []

	def make():
		made.append(Silent())
		return made[-1]

	yield make
	for each in made:
		each.close()


@pytest.mark.parametrize(("issuers", "each"), [(1, 12), (6, 4)])
def test_dead_issuers_stop_no_others(server, pebble, silent, name, issuers, each):
	"""More of them than there are threads, and of each more than one is due: the others come to an end meanwhile."""
	one, vault = acme_server(server, pebble())
	vault.put("/certificates/issuers/own", OWN).expect(200)
	dead = [silent() for _ in range(issuers)]
	for number, listener in enumerate(dead):
		vault.put(f"/certificates/issuers/dead{number}", {"provider": "ACME", "org_details": {"id": listener.directory}}).expect(200)
	for number in range(issuers * each):
		vault.request("POST", f"/certificates/{name}-{number}/create", policy(f"dead{number % issuers}", "a.example.com")).expect(202)
	wait_until(lambda: sum(len(listener.accepted) for listener in dead) >= min(issuers, 4))
	for which in ("own", "acme"):
		vault.request("POST", f"/certificates/{which}-{name}/create", policy(which, "b.example.com")).expect(202)
	for which in ("own", "acme"):
		assert wait_for(vault, f"{which}-{name}", seconds=100)["status"] == "completed"
	# All of the dead were due before, and had they been asked in turn, each would have been asked by now.
	assert sum(len(listener.accepted) for listener in dead) < issuers * each
	assert pending(vault, f"{name}-{issuers * each - 1}")["status"] == "inProgress"


def proofs(server):
	"""What the store holds to be shown by HTTP-01."""
	return stored(server, "acme/")


@pytest.mark.parametrize("what", ["certificate", "pending"])
def test_acme_deleted_meanwhile(server, pebble, name, what):
	"""Nothing is shown for an operation that does not go on; recovered, it begins anew."""
	one, vault = acme_server(server, pebble(sleep=True))
	wait_until(lambda: not proofs(one))
	vault.request("POST", f"/certificates/{name}/create", policy("acme", "gone.example.com")).expect(202)
	wait_until(lambda: proofs(one))
	vault.delete(f"/certificates/{name}" + ("/pending" if what == "pending" else "")).expect(200)
	assert not proofs(one)
	if what == "pending":
		return
	wait_until(lambda: vault.get(f"/deletedcertificates/{name}").status == 200)
	vault.request("POST", f"/deletedcertificates/{name}/recover").expect(200)
	operation = wait_for(vault, name, seconds=90)
	assert operation["status"] == "completed" and not proofs(one), operation.get("error", operation)
	check(vault, name, "gone.example.com")


@pytest.mark.parametrize("how", ["deleted", "disabled", "refused"])
def test_acme_fails_meanwhile(server, pebble, name, how):
	"""Nothing is shown any more for what has failed."""
	ca = pebble(sleep=True)
	if how == "refused":
		ca.http_port = free_port()
	one, vault = acme_server(server, ca)
	vault.request("POST", f"/certificates/{name}/create", policy("acme", "lost.example.com")).expect(202)
	wait_until(lambda: proofs(one))
	if how == "deleted":
		vault.delete("/certificates/issuers/acme").expect(200)
	elif how == "disabled":
		vault.request("PATCH", "/certificates/issuers/acme", {"attributes": {"enabled": False}}).expect(200)
	operation = wait_for(vault, name)
	code = "Request rejected" if how == "refused" else "Certificate issuer error"
	assert (operation["status"], operation["error"]["code"]) == ("failed", code)
	assert not proofs(one)


@pytest.mark.parametrize("to", ["another server", "own authority"])
def test_issuer_corrected_meanwhile(server, pebble, name, to):
	"""The operation under way goes by what the issuer is by then; nothing is shown of what it was."""
	ca, other = pebble(sleep=True), pebble()
	other.stop()
	other.settings["httpPort"] = ca.http_port
	other.start()
	ca.ca.write_bytes(ca.ca.read_bytes() + other.ca.read_bytes())
	one, vault = acme_server(server, ca)
	vault.request("POST", f"/certificates/{name}/create", policy("acme", "moved.example.com")).expect(202)
	wait_until(lambda: proofs(one))
	ca.stop_server()
	body = {"provider": "ACME", "org_details": {"id": other.directory}} if to == "another server" else OWN
	vault.put("/certificates/issuers/acme", body).expect(200)
	wait_until(lambda: pending(vault, name)["status"] != "inProgress" or one.advance("2m"))
	assert pending(vault, name)["status"] == "completed" and not proofs(one)
	check(vault, name, "moved.example.com")


def test_acme_given_up(server, pebble, name):
	ca = pebble()
	ca.stop_server()
	one, vault = acme_server(server, ca)
	vault.request("POST", f"/certificates/{name}/create", policy("acme", "never.example.com")).expect(202)
	wait_until(lambda: "The issuer:" in pending(vault, name)["status_details"])
	one.advance("4d")
	operation = wait_for(vault, name)
	assert (operation["status"], operation["error"]["code"]) == ("failed", "Certificate issuer error")


def test_acme_other_names(server, pebble, name):
	one, vault = acme_server(server, pebble())
	body = policy("acme", "a.example.com")
	body["policy"]["x509_props"]["sans"]["emails"] = ["a@example.com"]
	operation = create(vault, name, body, status="failed")
	assert operation["error"]["message"] == "ACME certifies host names and addresses only."


def test_no_way_to_prove(server, pebble, name):
	one, vault = acme_server(server, pebble(), http=False)
	operation = create(vault, name, policy("acme", "a.example.com"), status="failed")
	assert "acme-http-listen" in operation["error"]["message"]
