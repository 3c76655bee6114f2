"""Private keys after memory has failed in the middle of using them: what they answer is right, or an error.

OpenSSL's blinding of an RSA key, left half changed by an allocation that failed, made wrong signatures from then on.
"""
import base64
import http.client
import json
import os
import ssl
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from shim import FaultyServer
from keys import RSA_ENCRYPTION, create, digest_for, encrypts, key_of, number, public, unb64, verifies

MOST = 12 * int(os.environ.get("STRONGROOM_FAULT_CALLS", 2))


class Starving:
	def __init__(self, folder):
		self.server = FaultyServer(folder)
		self.server.tolerated = (500, 503)
		self.server.start()
		self.memory = self.server.faults_told.memory
		self.vault = self.server.vault("main")
		self.answered = self.refused = 0

	def ask(self, use):
		"""A reply, or None when there was no memory to answer with."""
		try:
			return use()
		except (http.client.HTTPException, ConnectionError, ssl.SSLError):
			assert self.server.process.poll() is None, self.server.tail()
			self.server.forget_connections()
			return None

	def well(self, use):
		"""A log that could not be written has to be caught up with."""
		until = time.monotonic() + 20
		while (reply := self.ask(use)) is None or reply.status != 200:
			assert reply is None or reply.status == 503 and "audit log" in reply.error["message"], reply
			assert time.monotonic() < until, reply
			time.sleep(0.02)
		return reply

	def each(self, use, right):
		"""Each allocation of ${use} fails, and then none: whatever is answered with 200 is ${right}."""
		right(self.well(use))
		self.memory.off()
		self.memory.seen = 0
		self.well(use)
		count = self.memory.seen
		for first in sorted({1 + index * (count - 1) // (MOST - 1) for index in range(MOST)}):
			self.memory.arm(first, 1)
			reply = self.ask(use)
			self.memory.off()
			if reply is not None and reply.status == 200:
				assert right(reply), f"allocation {first} of {count}: a wrong answer"
				self.answered += 1
			else:
				self.refused += 1
			for _ in range(3):
				assert right(self.well(use)), f"allocation {first} of {count}: and wrong answers ever since"


@pytest.fixture(scope="module")
def one(tmp_path_factory):
	bench = Starving(tmp_path_factory.mktemp("starved"))
	yield bench
	print(f"{bench.answered} answered all the same, {bench.refused} refused")
	bench.server.stop()


@pytest.mark.parametrize("algorithm", ("RS256", "PS256", "ES256"))
def test_signatures(one, algorithm):
	bundle = create(one.vault, algorithm.lower(), "EC" if algorithm == "ES256" else "RSA")
	digest, key = digest_for(algorithm), key_of(one.vault, bundle)
	one.each(lambda: key.ask("sign", algorithm, digest),
	    lambda reply: verifies(public(bundle["key"]), algorithm, digest, unb64(reply.json["value"])))


@pytest.mark.parametrize("algorithm", sorted(RSA_ENCRYPTION))
def test_decryption(one, algorithm):
	bundle = create(one.vault, f"d{algorithm.lower().replace('_', '-')}", "RSA")
	key, secret = key_of(one.vault, bundle), b"a secret that was wrapped"
	wrapped = encrypts(public(bundle["key"]), algorithm, secret)
	one.each(lambda: key.ask("unwrapkey", algorithm, wrapped), lambda reply: unb64(reply.json["value"]) == secret)


def test_signed_and_decrypted_by_one_key(one):
	"""What damages it there must not show here."""
	bundle = create(one.vault, "both", "RSA")
	key, secret, digest = key_of(one.vault, bundle), b"a secret that was wrapped", digest_for("RS256")
	wrapped = encrypts(public(bundle["key"]), "RSA-OAEP-256", secret)

	def right(reply):
		opened = one.well(lambda: key.ask("unwrapkey", "RSA-OAEP-256", wrapped))
		return unb64(opened.json["value"]) == secret and verifies(public(bundle["key"]), "RS256", digest, unb64(reply.json["value"]))

	one.each(lambda: key.ask("sign", "RS256", digest), right)


def test_tokens(one):
	"""Who signs in after somebody else's sign-in had no memory is let in."""
	server = one.server
	listed = server.send("GET", server.host("login"), f"/{server.tenant}/discovery/v2.0/keys").expect(200).json["keys"]
	signers = {each["kid"]: rsa.RSAPublicNumbers(number(each["e"]), number(each["n"])).public_key() for each in listed}

	def right(reply):
		token = reply.json["access_token"]
		head, body, signature = token.split(".")
		signer = signers[json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]]
		try:
			signer.verify(unb64(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
		except InvalidSignature:
			return False
		return True

	def sign_in():
		reply = server.admin.sign_in(f"{server.resource}/.default")
		if reply.status == 503 and "error" in reply.json and not isinstance(reply.json["error"], dict):
			reply.body = json.dumps({"error": {"message": reply.json.get("error_description", "")}}).encode()
		return reply

	one.each(sign_in, right)
