"""The part of matrix.py that the openssl command does; the vault is spoken to by plain HTTPS."""
import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import keys
from hsm import shown
from keys import digest_for, flipped, random

PADDING = {
	"RSA1_5": ("rsa_padding_mode:pkcs1",),
	"RSA-OAEP": ("rsa_padding_mode:oaep",),
	"RSA-OAEP-256": ("rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"),
}


class Openssl:
	"""One key: its private part in a file, and the public one that the vault shows."""

	def __init__(self, folder, pem, public):
		self.folder = Path(folder)
		(self.folder / "private.pem").write_text(pem)
		(self.folder / "public.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
		self.half = (public.key_size + 7) // 8

	def run(self, verb, value, *options, key="private"):
		self.file("value", value)
		side = ("-pubin", "-inkey", "public.pem") if key == "public" else ("-inkey", "private.pem")
		return subprocess.run(["openssl", "pkeyutl", verb, *side, "-in", "value", *options], cwd=self.folder,
		    capture_output=True, timeout=30)

	def file(self, name, octets):
		(self.folder / name).write_bytes(octets)
		return name

	@staticmethod
	def options(*pairs):
		return [part for pair in pairs for part in ("-pkeyopt", pair)]

	def signing(self, algorithm):
		pairs = ["digest:sha256" if algorithm == "ES256K" else f"digest:sha{algorithm[2:]}"]
		if algorithm.startswith("PS"):
			pairs += ["rsa_padding_mode:pss", "rsa_pss_saltlen:digest"]
		return self.options(*pairs)

	def sign(self, algorithm, digest):
		done = self.run("-sign", digest, *self.signing(algorithm))
		assert done.returncode == 0, done.stderr
		if not algorithm.startswith("ES"):
			return done.stdout
		return b"".join(part.to_bytes(self.half, "big") for part in decode_dss_signature(done.stdout))

	def verify(self, algorithm, digest, signature):
		if algorithm.startswith("ES"):
			assert len(signature) == 2 * self.half
			signature = encode_dss_signature(*(int.from_bytes(part, "big")
			    for part in (signature[:self.half], signature[self.half:])))
		done = self.run("-verify", digest, "-sigfile", self.file("signature", signature), *self.signing(algorithm), key="public")
		assert b"Signature Verif" in done.stdout, done.stderr
		return done.returncode == 0

	def crypt(self, verb, algorithm, value):
		done = self.run(f"-{verb}", value, *self.options(*PADDING[algorithm]), key="public" if verb == "encrypt" else "private")
		assert done.returncode == 0, done.stderr
		return done.stdout


def from_vault(ours, key, use, algorithm):
	if use == "sign":
		digest = digest_for(algorithm)
		signature = key.use("sign", algorithm, digest)
		assert ours.verify(algorithm, digest, signature)
		assert not ours.verify(algorithm, flipped(digest), signature)
	else:
		plain = random(32)
		assert ours.crypt("decrypt", algorithm, key.use("encrypt" if use == "encrypt" else "wrapkey", algorithm, plain)) == plain


def to_vault(ours, key, use, algorithm):
	if use == "sign":
		digest = digest_for(algorithm)
		signature = ours.sign(algorithm, digest)
		assert key.verify(algorithm, digest, signature)
		assert not key.verify(algorithm, flipped(digest), signature)
	else:
		plain = random(32)
		sealed = ours.crypt("encrypt", algorithm, plain)
		assert key.use("decrypt" if use == "encrypt" else "unwrapkey", algorithm, sealed) == plain


def run(vault, plan, folder):
	"""The lines, as the other clients print them."""
	for key in plan["keys"]:
		if "jwk" not in key:
			continue
		bundle = keys.bring(vault, f"openssl-{key['name']}", {**key["jwk"], "key_ops": key["ops"]}, Hsm=key["hsm"])
		ours, theirs = Openssl(folder, key["pem"], shown(bundle)), keys.key_of(vault, bundle)
		for use, algorithms in key["uses"].items():
			for algorithm in algorithms:
				for direction, does in (("vault-client", from_vault), ("client-vault", to_vault)):
					result = "ok"
					try:
						does(ours, theirs, use, algorithm)
					except AssertionError as error:
						result = " ".join(repr(error).split())
					yield "\t".join(("openssl", key["type"], use, algorithm, direction, result))
