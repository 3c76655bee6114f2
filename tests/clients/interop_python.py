"""The part of matrix.py that Azure's library for Python does: here, from a whole JWK, and in the vault."""
import json
import os
import sys

from azure.identity import ClientSecretCredential
from azure.keyvault.keys import JsonWebKey, KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm

from keys import digest_for, flipped, random, unb64

PLAN = json.load(open(os.environ["INTEROP_PLAN"]))


def credential(who):
	return ClientSecretCredential(PLAN["tenant"], PLAN[who]["id"], PLAN[who]["secret"], authority=PLAN["authority"],
	    disable_instance_discovery=True)


def web_key(jwk, ops):
	return JsonWebKey(**{member: value if member in ("kty", "crv") else unb64(value) for member, value in jwk.items()},
	    key_ops=ops)


def signs(algorithm, signer, verifier):
	digest = digest_for(algorithm.value)
	signature = signer.sign(algorithm, digest).signature
	assert verifier.verify(algorithm, digest, signature).is_valid
	assert not verifier.verify(algorithm, flipped(digest), signature).is_valid


def encrypts(algorithm, one, other):
	plain, options = random(32), {}
	if "CBC" in algorithm.value:
		options = {"iv": random(16)}
	elif "GCM" in algorithm.value:
		options = {"additional_authenticated_data": b"about"}
	sealed = one.encrypt(algorithm, plain, **options)
	if "GCM" in algorithm.value:
		options |= {"iv": sealed.iv, "authentication_tag": sealed.tag}
	assert other.decrypt(algorithm, sealed.ciphertext, **options).plaintext == plain


def wraps(algorithm, one, other):
	plain = random(32)
	assert other.unwrap_key(algorithm, one.wrap_key(algorithm, plain).encrypted_key).key == plain


USES = {"sign": (SignatureAlgorithm, signs), "encrypt": (EncryptionAlgorithm, encrypts), "wrap": (KeyWrapAlgorithm, wraps)}


def run(keys, user, key):
	name = f"python-{key['name']}"
	sides = {}
	if "jwk" in key:
		whole = web_key(key["jwk"], key["ops"])
		sides["client"] = CryptographyClient.from_jwk(whole)
		made = keys.import_key(name, whole, hardware_protected=key["hsm"])
	else:
		made = keys.create_oct_key(name, size=key["bits"], hardware_protected=key["hsm"], key_operations=key["ops"])
	# Of a key that it may not read, the library computes nothing itself.
	sides["vault"] = CryptographyClient(made.id, user)
	for use, (kind, does) in USES.items():
		for algorithm in key["uses"].get(use, ()):
			for direction in ("vault-client", "client-vault", "vault-vault"):
				maker, checker = direction.split("-")
				if maker not in sides or checker not in sides:
					continue
				result = "ok"
				try:
					does(kind(algorithm), sides[maker], sides[checker])
					assert not sides["vault"]._key, "the vault was not asked"
				except Exception as error:
					result = " ".join(repr(error).split())
				print("python", key["type"], use, algorithm, direction, result, sep="\t", flush=True)


if __name__ == "__main__":
	user = credential("user")
	with KeyClient(PLAN["vault"], credential("admin")) as keys:
		for key in PLAN["keys"]:
			run(keys, user, key)
