"""Private parts of keys, and what they protect: in the server's memory only while it is needed, on the disk never."""
import base64
import hashlib
import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from strongroom import memory_of
from test_life import eventually

DIGEST = base64.urlsafe_b64encode(hashlib.sha256(b"message").digest()).rstrip(b"=").decode()


def octets(number, length=None):
	return number.to_bytes(length or (number.bit_length() + 7) // 8, "big")


def text(data):
	return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def rsa_key():
	private = rsa.generate_private_key(65537, 2048).private_numbers()
	secret = {"d": private.d, "p": private.p, "q": private.q, "dp": private.dmp1, "dq": private.dmq1,
	    "qi": private.iqmp}
	public = {"n": private.public_numbers.n, "e": private.public_numbers.e}
	jwk = {"kty": "RSA"} | {name: text(octets(number)) for name, number in (secret | public).items()}
	return jwk, [octets(number) for number in secret.values()], "RS256"


def ec_key():
	private = ec.generate_private_key(ec.SECP256R1()).private_numbers()
	public = private.public_numbers
	jwk = {"kty": "EC", "crv": "P-256", "d": text(octets(private.private_value, 32)), "x": text(octets(public.x, 32)),
	    "y": text(octets(public.y, 32))}
	return jwk, [octets(private.private_value, 32)], "ES256"


def forms(secret):
	"""As it is sent, as PKCS#8 has it, and as big numbers lie in memory here; a part of it is enough."""
	middle = secret[4:-4]
	return [middle, middle[::-1], text(secret).encode()[8:-8]]


def seen(server, secrets):
	wanted = [form for secret in secrets for form in forms(secret)]
	return sum(region.count(form) for region in memory_of(server.process.pid) for form in wanted)


def disable(main, name):
	main.patch(f"/keys/{name}", {"attributes": {"enabled": False}}).expect(200)


def remove(main, name):
	main.delete(f"/keys/{name}").expect(200)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a process that dumps no core")
@pytest.mark.parametrize("end", [disable, remove], ids=["disabled", "deleted"])
@pytest.mark.parametrize("make", [rsa_key, ec_key], ids=["rsa", "ec"])
def test_private_parts_go(server, make, end):
	one = server()
	main = one.vault("main")
	jwk, secrets, algorithm = make()
	main.put("/keys/k", {"key": jwk}).expect(200)
	main.post("/keys/k/sign", {"alg": algorithm, "value": DIGEST}).expect(200)
	assert seen(one, secrets), "a hot key is in memory, so the search finds what is there"
	end(main, "k")
	eventually(lambda: seen(one, secrets) == 0)


def held(folder, secrets):
	"""The files that hold a part of any of them."""
	wanted = [form for secret in secrets for form in forms(secret)]
	return [path for path in folder.rglob("*") if path.is_file() and any(form in path.read_bytes() for form in wanted)]


@pytest.mark.parametrize("make", [rsa_key, ec_key], ids=["rsa", "ec"])
def test_nothing_is_on_the_disk(server, tmp_path, make):
	"""Nor in what the server logs: of keys that it takes and refuses, and of what goes through them."""
	one = server()
	main = one.vault("main")
	jwk, secrets, algorithm = make()
	canary = os.urandom(48)
	main.put("/keys/k", {"key": jwk}).expect(200)
	signature = main.post("/keys/k/sign", {"alg": algorithm, "value": DIGEST}).expect(200).json["value"]
	main.post("/keys/k/sign", {"alg": algorithm, "value": text(canary)}).expect(400)
	main.post("/keys/k/verify", {"alg": algorithm, "digest": DIGEST, "value": text(canary)}).expect(200)
	main.post("/keys/k/backup").expect(200)
	main.put("/keys/bad", {"key": {**jwk, "d": text(canary)}}).expect(400)
	main.put("/keys/bad_name", {"key": jwk}).expect(400)
	main.put("/keys/k", {"key": jwk, "tags": 1}).expect(400)
	main.put("/keys/k", {"key": jwk}, token="garbage").expect(401)
	if make is rsa_key:
		sealed = main.post("/keys/k/encrypt", {"alg": "RSA-OAEP", "value": text(canary)}).expect(200).json["value"]
		assert main.post("/keys/k/decrypt", {"alg": "RSA-OAEP", "value": sealed}).expect(200).json["value"] == text(canary)
	hidden = [*secrets, canary, base64.urlsafe_b64decode(signature + "==")]
	for stop in (False, True):
		if stop:
			one.stop()
		assert held(one.folder, hidden) == []
	(tmp_path / "control").write_bytes(b"..." + text(secrets[0]).encode())
	assert held(tmp_path, hidden), "the search finds what is there"
