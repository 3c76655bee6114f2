"""Private parts of keys are in the server's memory only while they may be used."""
import base64
import hashlib
import os
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from strongroom import memory_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0,
    reason="only root may look into a process that dumps no core")

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
	time.sleep(0.5)
	assert seen(one, secrets) == 0
