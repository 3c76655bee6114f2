"""NIST's vectors (CAVP and others) out of the package cryptography-vectors, as edges.py prints its own.

What there is for algorithms and sizes that keys here have: KW, KWP, GCM with its 96-bit nonces and whole tags (to
decrypt: nobody chooses a nonce here), CBC, ECDSA, RSA from 2048 bits.  PSS is here with a salt as long as the digest (RFC
7518), NIST's have others, so none of them is a signature.  HMAC's vectors have keys and messages of lengths that keys and
digests here never have.
"""
import hashlib
import re

import cryptography_vectors

from edges import say


def records(path):
	"""Blocks of "name = value"; headings ([name = value] or [NAME]) and lone numbers (n, p, q) hold for those below."""
	heading, lasting, block = {}, {}, {}
	with cryptography_vectors.open_vector_file(path, "r") as file:
		for line in [*(line.strip() for line in file), ""]:
			if line.startswith("["):
				name, _, value = line.strip("[]").partition("=")
				heading[name.strip() if value else "kind"] = value.strip() or name
			elif "=" in line and not line.startswith("#"):
				name, value = line.split("=", 1)
				block[name.strip().lower()] = value.strip()
			elif line == "FAIL":
				block["fail"] = ""
			elif not line and block:
				if set(block) <= {"n", "p", "q", "e"}:
					lasting |= block
				else:
					yield heading | lasting | block
				block = {}


def octets(text):
	"""Without the zeros that files put in front."""
	return bytes.fromhex(text.zfill(len(text) + len(text) % 2)).lstrip(b"\0")


def sized(text, size):
	return octets(text).rjust(size, b"\0")


def use(do, alg, want, **words):
	say(do=do, alg=alg, **words, want=want)


def key_wrap():
	for kind, alg in (("KW", "A{}KW"), ("KWP", "CKM_AES_KEY_WRAP_PAD")):
		for bits in (128, 192, 256):
			for do, source, result in (("AE", "p", "c"), ("AD", "c", "p")):
				for row in records(f"keywrap/kwtestvectors/{kind}_{do}_{bits}.txt"):
					say(key="oct", k=row["k"])
					use("encrypt" if do == "AE" else "decrypt", alg.format(bits), row.get(result, "refused"), value=row[source])


def gcm():
	for bits in (128, 192, 256):
		for row in records(f"ciphers/AES/GCM/gcmDecrypt{bits}.rsp"):
			if (row["IVlen"], row["Taglen"]) == ("96", "128"):
				say(key="oct", k=row["key"])
				use("decrypt", f"A{bits}GCM", row.get("pt", "refused"), value=row["ct"], iv=row["iv"], tag=row["tag"],
				    aad=row["aad"])


def cbc():
	for bits in (128, 192, 256):
		for name in ("MMT", "GFSbox", "KeySbox", "VarKey", "VarTxt"):
			for row in records(f"ciphers/AES/CBC/CBC{name}{bits}.rsp"):
				say(key="oct", k=row["key"])
				do, source, result = ("encrypt", "plaintext", "ciphertext")
				if row["kind"] == "DECRYPT":
					do, source, result = ("decrypt", result, source)
				use(do, f"A{bits}CBC", row[result], value=row[source], iv=row["iv"])


ECDSA = {"P-256,SHA-256": ("P-256", "ES256", 32), "K-256,SHA-256": ("P-256K", "ES256K", 32),
    "P-384,SHA-384": ("P-384", "ES384", 48), "P-521,SHA-512": ("P-521", "ES512", 66)}


def ecdsa():
	for file in ("FIPS_186-3/SigVer.rsp", "FIPS_186-3/SigGen.txt", "SECP256K1/SigGen.txt"):
		for row in records(f"asymmetric/ECDSA/{file}"):
			if row["kind"] not in ECDSA or "qx" not in row:
				continue
			curve, alg, size = ECDSA[row["kind"]]
			private = {"d": sized(row["d"], size)} if "d" in row else {}
			say(key="EC", crv=curve, x=sized(row["qx"], size), y=sized(row["qy"], size), **private)
			digest = hashlib.new("sha" + alg[2:5], bytes.fromhex(row["msg"])).digest()
			use("verify", alg, "true" if row.get("result", "P").startswith("P") else "false", value=digest,
			    signature=sized(row["r"], size) + sized(row["s"], size))


def rsa_signatures():
	for file, alg in (("FIPS_186-2/SigVer15_186-3.rsp", "RS"), ("SigVer15EMTest.txt", "RS"),
	    ("FIPS_186-2/SigGen15_186-3.rsp", "RS"), ("FIPS_186-2/SigVerPSS_186-3.rsp", "PS")):
		for row in records(f"asymmetric/RSA/{file}"):
			size, bits = int(row["mod"]) // 8, row.get("SHAAlg", row.get("shaalg", ""))[3:]
			if size not in (256, 384, 512) or bits not in ("256", "384", "512") or "s" not in row:
				continue
			good = row.get("result", "P").startswith("P") and (alg == "RS" or len(row["saltval"]) * 4 == int(bits))
			say(key="RSA", n=octets(row["n"]), e=octets(row["e"]))
			digest = hashlib.new(f"sha{bits}", bytes.fromhex(row["msg"])).digest()
			use("verify", alg + bits, "true" if good else "false", value=digest, signature=sized(row["s"], size))


KEY = {"Modulus": "n", "Exponent": "d", "Public exponent": "e", "Prime 1": "p", "Prime 2": "q", "Prime exponent 1": "dp",
    "Prime exponent 2": "dq", "Coefficient": "qi"}


def rsa_encryption():
	"""RSA Laboratories' files: a title behind a #, octets in lines below it."""
	for file, alg in (("pkcs1v15crypt-vectors.txt", "RSA1_5"), ("oaep-custom/oaep-sha256-sha256.txt", "RSA-OAEP-256"),
	    ("pkcs-1v2-1d2-vec/oaep-vect.txt", "RSA-OAEP")):
		with cryptography_vectors.open_vector_file(f"asymmetric/RSA/{file}", "r") as text:
			parts = re.findall(r"^# *([A-Z][\w ]*?): *\n((?:[0-9a-fA-F ]+\n)+)", text.read().replace("\r", ""), re.M)
		key, message = {}, b""
		for title, digits in parts:
			value = bytes.fromhex(re.sub(r"\s", "", digits).zfill(len(re.sub(r"\s", "", digits)) + 1 & ~1))
			if title == "Modulus":
				key = {}
			if title in KEY:
				key[KEY[title]] = value.lstrip(b"\0")
				if title == "Coefficient" and len(key["n"]) == 256 and len(key) == 8 and key["n"][0] & 0x80:
					say(key="RSA", **key)
			elif title == "Message":
				message = value
			elif title == "Encryption" and len(key["n"]) == 256 and key["n"][0] & 0x80:
				use("decrypt", alg, message, value=value.rjust(256, b"\0"))


if __name__ == "__main__":
	for part in (key_wrap, gcm, cbc, ecdsa, rsa_signatures, rsa_encryption):
		part()
