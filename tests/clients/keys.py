"""Keys as the wire has them, and the other side's mathematics: what a client computes by itself."""
import base64
import functools
import os

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (Prehashed, decode_dss_signature,
    encode_dss_signature)

RSA_OPS = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]
OPS = {"RSA": RSA_OPS, "EC": ["sign", "verify"], "oct": ["encrypt", "decrypt", "wrapKey", "unwrapKey"]}

# Curve -> what it is here, bytes of a coordinate, its algorithm.
CURVES = {
	"P-256": (ec.SECP256R1, 32, "ES256"), "P-256K": (ec.SECP256K1, 32, "ES256K"),
	"P-384": (ec.SECP384R1, 48, "ES384"), "P-521": (ec.SECP521R1, 66, "ES512"),
}
HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
RSA_SIGNING = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
RSA_ENCRYPTION = {  # and the bytes of padding
	"RSA1_5": (padding.PKCS1v15(), 11),
	"RSA-OAEP": (padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None), 42),
	"RSA-OAEP-256": (padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None), 66),
}


def b64(octets):
	return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def unb64(text):
	"""Of what a server sent: without padding, in the URL's alphabet."""
	assert not set(text) & set("+/="), text
	return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text):
	return int.from_bytes(unb64(text), "big")


def octets(value, length=0):
	return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


@functools.cache
def _made(kind, which):
	return rsa.generate_private_key(65537, kind) if isinstance(kind, int) else ec.generate_private_key(kind())


def rsa_key(bits=2048, which=0):
	"""The same one every time, or another."""
	return _made(bits, which)


def ec_key(curve="P-256", which=0):
	return _made(CURVES[curve][0], which)


def rsa_jwk(key):
	numbers = key.private_numbers()
	values = {"n": numbers.public_numbers.n, "e": numbers.public_numbers.e, "d": numbers.d,
	    "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp, "p": numbers.p, "q": numbers.q}
	return {"kty": "RSA", **{name: octets(value) for name, value in values.items()}}


def ec_jwk(key, curve):
	numbers, length = key.private_numbers(), CURVES[curve][1]
	point = numbers.public_numbers
	return {"kty": "EC", "crv": curve, "x": octets(point.x, length), "y": octets(point.y, length),
	    "d": octets(numbers.private_value, length)}


def public(jwk):
	"""The public key that a bundle shows."""
	if jwk["kty"] == "RSA":
		return rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
	curve = CURVES[jwk["crv"]][0]()
	return ec.EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), curve).public_key()


def hash_of(algorithm):
	return HASHES["256" if algorithm == "ES256K" else algorithm[2:]]()


def digest_for(algorithm, message=b"message"):
	state = hashes.Hash(hash_of(algorithm))
	state.update(message)
	return state.finalize()


def _how(algorithm):
	digest = hash_of(algorithm)
	if algorithm.startswith("ES"):
		return [ec.ECDSA(Prehashed(digest))]
	if algorithm.startswith("PS"):
		return [padding.PSS(padding.MGF1(digest), digest.digest_size), Prehashed(digest)]
	return [padding.PKCS1v15(), Prehashed(digest)]


def signs(key, algorithm, digest):
	signature = key.sign(digest, *_how(algorithm))
	if not algorithm.startswith("ES"):
		return signature
	length = (key.key_size + 7) // 8
	return b"".join(part.to_bytes(length, "big") for part in decode_dss_signature(signature))


def verifies(key, algorithm, digest, signature):
	"""ES*: r || s, each as long as a coordinate."""
	if algorithm.startswith("ES"):
		half = (key.key_size + 7) // 8
		assert len(signature) == 2 * half
		signature = encode_dss_signature(int.from_bytes(signature[:half], "big"),
		    int.from_bytes(signature[half:], "big"))
	try:
		key.verify(signature, digest, *_how(algorithm))
	except InvalidSignature:
		return False
	return True


def encrypts(key, algorithm, plaintext):
	return key.encrypt(plaintext, RSA_ENCRYPTION[algorithm][0])


def opens(key, algorithm, ciphertext):
	return key.decrypt(ciphertext, RSA_ENCRYPTION[algorithm][0])


def flipped(data, at=-1):
	data = bytearray(data)
	data[at] ^= 1
	return bytes(data)


class Key:
	"""A key in a vault, by its latest version or by one: path is /keys/NAME[/VERSION]."""

	def __init__(self, vault, path):
		self.vault, self.path = vault, path

	def ask(self, verb, algorithm, value=None, **members):
		"""The reply; octets are encoded on the way."""
		body = {"alg": algorithm, "value": value, **members}
		body = {name: b64(member) if isinstance(member, bytes) else member for name, member in body.items()
		    if member is not None}
		return self.vault.post(f"{self.path}/{verb}", body)

	def use(self, verb, algorithm, value=None, **members):
		return unb64(self.ask(verb, algorithm, value, **members).expect(200).json["value"])

	def verify(self, algorithm, digest, signature):
		reply = self.ask("verify", algorithm, signature, digest=digest).expect(200).json
		assert list(reply) == ["value"]
		return reply["value"]

	@property
	def state(self):
		"""All there is to see; compared before and after."""
		return self.vault.get(self.path).expect(200).json, self.vault.items(
			"/".join(self.path.split("/")[:3]) + "/versions")


def create(vault, name, kty="EC", **members):
	return vault.post(f"/keys/{name}/create", {"kty": kty, **members}).expect(200).json


def bring(vault, name, jwk, **members):
	"""Import."""
	return vault.put(f"/keys/{name}", {"key": jwk, **members}).expect(200).json


def version_of(bundle):
	return bundle["key"]["kid"].rsplit("/", 1)[1]


def key_of(vault, bundle):
	return Key(vault, bundle["key"]["kid"].removeprefix(vault.url))


def rsa_in(vault, name, bits=2048, **members):
	"""One of ours, brought in: nobody waits for primes.  The Key, and what it is made of."""
	private = rsa_key(bits)
	return key_of(vault, bring(vault, name, {**rsa_jwk(private), **members})), private


def random(length):
	return os.urandom(length)
