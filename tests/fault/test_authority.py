"""Certificates under way and a vault's own authority, across kill -9 and disks that fail.

An operation that was acknowledged is gone on with and ends; what was cancelled or taken away never completes; certificate, key
and secret are of one version.  The authority is made once, knows every certificate that it signed and showed, uses no serial
number twice, forgets no revocation, and numbers its lists upwards.
"""
import base64
import errno
import http.client
import os
import random
import threading
import time
import urllib.parse
import uuid
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from shim import FaultyServer
from certs import pfx_of

# Each round of each way to fail has a vault of its own, and `--vault` takes 64 names.
ROUNDS = min(int(os.environ.get("STRONGROOM_FAULT_CALLS", 2)) * 2, 64 // 4)
OWN = {"provider": "Strongroom"}
FAILS = {  # what happens to the disk before the process is killed
	"nothing": None,
	"no sync": (("sync",), "/store.db", errno.EIO, 0),
	"full halfway": (("write",), "/store.db", errno.ENOSPC, 700),
	"log full": (("write", "reserve"), "/audit/", errno.ENOSPC, 100),
}


def policy(issuer, name):
	return {"policy": {"key_props": {"kty": "EC", "crv": "P-256", "exportable": True}, "issuer": {"name": issuer},
	    "x509_props": {"subject": f"CN={name}.example.com", "sans": {"dns_names": [f"{name}.example.com"]}}}}


def spki(key):
	return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class Facts:
	"""What anybody was told, over all rounds; it has to stay so."""

	def __init__(self):
		self.lock = threading.Lock()
		self.begun = {}         # name -> request_id
		self.unsure = set()     # names with a change under way when the server died, or that was refused
		self.cancelled, self.gone = set(), set()
		self.leaves = {}        # name -> certificate
		self.serials = {}       # (issuer, serial) -> certificate
		self.revoked = set()
		self.roots, self.intermediates = set(), set()
		self.crl_number = 0
		self.answered = {}      # correlation -> status
		self.wrong = []

	def saw(self, leaf):
		der, key = leaf.public_bytes(Encoding.DER), (leaf.issuer.rfc4514_string(), leaf.serial_number)
		with self.lock:
			if self.serials.setdefault(key, der) != der:
				self.wrong.append(f"serial {leaf.serial_number:x} is used twice")


class Client(threading.Thread):
	def __init__(self, server, vault, facts, prefix, work):
		super().__init__()
		self.server, self.vault, self.facts, self.prefix = server, server.vault(vault), facts, prefix
		self.work = getattr(self, work)
		self.over = False
		self.random = random.Random(prefix)
		self.names = []

	def run(self):
		try:
			while not self.over and not self.facts.wrong:
				self.work()
		except (OSError, http.client.HTTPException):
			pass  # It was killed.
		except BaseException as failure:
			self.facts.wrong.append(f"{self.prefix}: {failure!r}")

	def ask(self, method, path, body=None, name=None, **more):
		"""A reply, or None: refused, for the disk's sake.  ${name}: what it changes, if it is answered well."""
		if name:
			self.facts.unsure.add(name)
		correlation = str(uuid.uuid4())
		reply = self.vault.request(method, path, body, headers={"x-ms-client-request-id": correlation}, **more)
		self.facts.answered[correlation] = reply.status
		if reply.status >= 500:
			time.sleep(0.05)
			return None
		if name:
			self.facts.unsure.discard(name)
		return reply

	def issue(self):
		name = f"{self.prefix}-{len(self.names)}"
		self.names.append(name)
		reply = self.ask("POST", f"/certificates/{name}/create", policy(self.random.choice(("own", "own", "Self")), name), name)
		if reply is None:
			return
		self.facts.begun[name] = reply.expect(202).json["request_id"]
		what = self.random.random()
		if what < 0.15 and (reply := self.ask("PATCH", f"/certificates/{name}/pending", {"cancellation_requested": True}, name)):
			if reply.status == 200:
				self.facts.cancelled.add(name)
		elif what < 0.3 and (reply := self.ask("DELETE", f"/certificates/{name}/pending", None, name)):
			# When it was over already, the certificate is there.
			if reply.status == 200 and reply.json["status"] == "inProgress":
				self.facts.gone.add(name)
		elif len(self.names) > 20:  # an operation takes two seconds
			self.look(self.random.choice(self.names[-30:-15]))
		time.sleep(0.1)

	def look(self, name):
		reply = self.ask("GET", f"/certificates/{name}")
		if reply and reply.status == 200 and "cer" in reply.json:
			leaf = x509.load_der_x509_certificate(base64.b64decode(reply.json["cer"]))
			self.facts.leaves[name] = leaf
			self.facts.saw(leaf)

	def revoke(self):
		"""And see that it is told, from then on."""
		facts = self.facts
		own = [leaf for leaf in list(facts.leaves.values()) if leaf.issuer != leaf.subject and leaf.serial_number not in facts.revoked]
		if own:
			leaf = self.random.choice(own)
			digits = f"{leaf.serial_number:x}"
			reply = self.ask("POST", "/authority/revoke", {"serial": digits.zfill(len(digits) + len(digits) % 2), "reason": "superseded"})
			if reply:
				reply.expect(200)
				facts.revoked.add(leaf.serial_number)
		self.read_list()
		time.sleep(0.1)

	def read_list(self):
		facts, due = self.facts, set(self.facts.revoked)
		least = facts.crl_number
		reply = self.ask("GET", "/authority/crl", query="", token=False)
		if reply is None or reply.status == 404:  # there is no authority yet
			if reply and facts.roots:
				facts.wrong.append("the authority is gone")
			return None
		crl = x509.load_der_x509_crl(reply.expect(200).body)
		number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
		with facts.lock:
			if number < least:
				facts.wrong.append(f"list {number} after {least}")
			facts.crl_number = max(number, facts.crl_number)
		missing = due - {entry.serial_number for entry in crl}
		if missing:
			facts.wrong.append(f"revoked, and not listed: {missing}")
		for what, seen in (("root", facts.roots), ("intermediate", facts.intermediates)):
			if reply := self.ask("GET", f"/authority/{what}", query="", token=False):
				seen.add(reply.expect(200).body)
		return crl


class Bench:
	def __init__(self, folder):
		self.vaults = [f"authority{number}" for number in range(ROUNDS * len(FAILS))]
		self.server = FaultyServer(folder, vaults=self.vaults)
		self.server.tolerated = (500, 503)
		self.server.start()
		self.counts = {"operations": 0, "completed": 0, "revoked": 0}

	def load(self, vault, fails, seed, facts):
		server, chance = self.server, random.Random(seed)
		server.vault(vault).put("/certificates/issuers/own", OWN).expect(200)
		clients = [Client(server, vault, facts, f"{vault}-{number}", "issue") for number in range(4)]
		clients += [Client(server, vault, facts, f"{vault}-r{number}", "revoke") for number in range(2)]
		for client in clients:
			client.start()
		time.sleep(chance.uniform(0.2, 8))
		if fails:
			server.faults_told.fail(*fails)
			time.sleep(chance.uniform(0.5, 2))
			if chance.random() < 0.5:  # it recovers before it dies
				server.faults_told.off()
				time.sleep(chance.uniform(0.5, 2))
		server.kill()
		for client in clients:
			client.over = True
		for client in clients:
			client.join(60)
			assert not client.is_alive()
		server.faults_told.off()
		server.forget_connections()
		server.start()

	def check(self, vault, facts):
		client = Client(self.server, vault, facts, "check", "issue")
		vault = self.server.vault(vault)
		sure = {name: request for name, request in facts.begun.items() if name not in facts.unsure}
		until = time.monotonic() + 90
		for name in set(facts.begun) | facts.unsure:
			while (reply := vault.get(f"/certificates/{name}/pending")).status == 200 and reply.json["status"] == "inProgress":
				assert time.monotonic() < until, f"{name} is never over: {reply}"
				time.sleep(0.2)
			if name in facts.unsure:
				assert reply.status in (200, 404), reply
			elif name in facts.gone:
				reply.expect(404)
			else:
				assert reply.expect(200).json["request_id"] == sure[name]
				assert reply.json["status"] == ("cancelled" if name in facts.cancelled else "completed"), (name, reply)
			completed = reply.status == 200 and reply.json["status"] == "completed"
			self.check_certificate(vault, name, completed, facts)
			self.counts["operations"] += 1
			self.counts["completed"] += completed
		crl = client.read_list()
		assert not facts.wrong, facts.wrong[:5]
		self.check_authority(vault, crl, facts)

	def revoke_more(self, vault, facts):
		"""What is revoked is so after a kill that follows at once."""
		client = Client(self.server, vault, facts, "check", "issue")
		for _ in range(5):
			client.revoke()
		self.server.kill()
		self.server.forget_connections()
		self.server.start()
		crl = client.read_list()
		assert not facts.wrong, facts.wrong[:5]
		self.check_authority(self.server.vault(vault), crl, facts)

	def check_certificate(self, vault, name, completed, facts):
		reply = vault.get(f"/certificates/{name}")
		if not completed:
			assert reply.status == 404 or "cer" not in reply.json, f"{name} was not to be"
			for other in ("keys", "secrets"):
				assert vault.get(f"/{other}/{name}").status == 404, f"{name} is half there"
			assert name not in facts.leaves
			return
		bundle = reply.expect(200).json
		assert len(vault.items(f"/certificates/{name}/versions")) == 1
		leaf = x509.load_der_x509_certificate(base64.b64decode(bundle["cer"]))
		facts.saw(leaf)
		assert facts.leaves.setdefault(name, leaf) == leaf, f"{name} is another one than it was"
		secret = vault.get(bundle["sid"].removeprefix(vault.url)).expect(200).json
		private, certificate, _ = pfx_of(secret)
		assert certificate == leaf and spki(private.public_key()) == spki(leaf.public_key())
		key = vault.get(bundle["kid"].removeprefix(vault.url)).expect(200).json["key"]
		numbers = leaf.public_key().public_numbers()
		assert int.from_bytes(base64.urlsafe_b64decode(key["x"] + "=="), "big") == numbers.x

	def check_authority(self, vault, crl, facts):
		own = [leaf for leaf in facts.leaves.values() if leaf.issuer != leaf.subject]
		if not own:
			return
		assert len(facts.roots) == 1 and len(facts.intermediates) == 1, "the authority was made twice"
		root, intermediate = (x509.load_der_x509_certificate(next(iter(seen))) for seen in (facts.roots, facts.intermediates))
		intermediate.verify_directly_issued_by(root)
		assert crl.is_signature_valid(intermediate.public_key())
		self.counts["revoked"] += len(facts.revoked) - self.revoked_before
		self.revoked_before = len(facts.revoked)
		listed = {entry.serial_number for entry in crl}
		for leaf in own:
			leaf.verify_directly_issued_by(intermediate)
			request = ocsp.OCSPRequestBuilder().add_certificate(leaf, intermediate, hashes.SHA256()).build()
			encoded = urllib.parse.quote(base64.b64encode(request.public_bytes(Encoding.DER)).decode(), safe="")
			reply = vault.request("GET", f"/authority/ocsp/{encoded}", query="", token=False).expect(200)
			state = ocsp.load_der_ocsp_response(reply.body)
			assert state.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL, f"{leaf.serial_number:x} is unknown to who issued it"
			assert (state.certificate_status == ocsp.OCSPCertStatus.REVOKED) == (leaf.serial_number in listed)
			assert leaf.serial_number in listed or leaf.serial_number not in facts.revoked


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
	one = Bench(tmp_path_factory.mktemp("authority"))
	yield one
	print(", ".join(f"{count} {what}" for what, count in one.counts.items() if count))
	one.server.stop()
	verified = one.server.cli("audit", "verify")
	assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.mark.timeout(120 + 60 * ROUNDS)
@pytest.mark.parametrize("fails", FAILS)
def test_killed_while_certificates_are_made(bench, fails):
	seed = os.environ.get("STRONGROOM_FAULT_SEED") or uuid.uuid4().hex
	print(f"STRONGROOM_FAULT_SEED={seed}")
	server = bench.server
	for number in range(ROUNDS):
		vault, facts = bench.vaults.pop(), Facts()
		bench.load(vault, FAILS[fails], f"{seed}-{number}", facts)
		bench.revoked_before = 0
		bench.check(vault, facts)
		bench.revoke_more(vault, facts)
		logged = b"".join(path.read_bytes() for path in sorted(Path(server.data / "audit").glob("audit-*.log")))
		missing = [correlation for correlation, status in facts.answered.items() if status < 400 and logged.count(correlation.encode()) != 1]
		assert not missing, f"answered, and not recorded once: {missing[:5]}"
