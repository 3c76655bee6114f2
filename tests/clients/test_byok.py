"""Keys brought into the token without anybody on the way seeing them, as a vendor's tool and az do it."""
import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_public_key

from az import az_for
from hsm import premium, shown
from keys import (CURVES, RSA_ENCRYPTION, RSA_SIGNING, b64, create, digest_for, ec_jwk, ec_key, encrypts, flipped, key_of, random,
    rsa_jwk, rsa_key, verifies)
from strongroom import unique

OAEP_SHA1 = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
UNFIT = 'The property "key_hsm" is not a key that was wrapped for this key exchange key.'
NO_EXCHANGE = 'The property "key_hsm" names no key exchange key of this vault'


@pytest.fixture
def one(server, token):
	return server(options=token.options, environment=token.environment)


def pkcs8(key):
	return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def wrapped(exchange, secret):
	"""CKM_RSA_AES_KEY_WRAP: an AES key under the exchange key, and the secret under that."""
	aes = random(32)
	return exchange.encrypt(aes, OAEP_SHA1) + keywrap.aes_key_wrap_with_padding(aes, secret)


def blob(kid, sealed, **changes):
	"""What a vendor's tool writes into the .byok file."""
	header = {"kid": kid, "alg": "dir", "enc": "CKM_RSA_AES_KEY_WRAP"}
	whole = {"schema_version": "1.0.0", "header": header, "ciphertext": b64(sealed), "generator": "a test"}
	for name, value in changes.items():
		(header if name in header else whole)[name] = value
	return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


def exchange_key(vault, size=2048, name="exchange"):
	return create(vault, name, "RSA-HSM", key_size=size, key_ops=["import"])


def bring(vault, name, transfer, kty, **members):
	return vault.put(f"/keys/{name}", {"key": {"kty": kty, "key_hsm": b64(transfer), **members}, "Hsm": True})


@pytest.mark.parametrize("size", [2048, 3072])
def test_rsa(one, size):
	vault = premium(one)
	exchange = exchange_key(vault, size)
	for bits in (2048, 3072, 4096):
		key = rsa_key(bits)
		transfer = blob(exchange["key"]["kid"], wrapped(shown(exchange), pkcs8(key)))
		bundle = bring(vault, unique("rsa"), transfer, "RSA-HSM").expect(200).json
		assert bundle["key"]["kty"] == "RSA-HSM" and shown(bundle) == key.public_key()
		ours = key_of(vault, bundle)
		for algorithm in RSA_SIGNING:
			digest = digest_for(algorithm)
			assert verifies(key.public_key(), algorithm, digest, ours.use("sign", algorithm, digest))
		for algorithm in RSA_ENCRYPTION:
			assert ours.use("decrypt", algorithm, encrypts(key.public_key(), algorithm, b"message")) == b"message"


@pytest.mark.parametrize("curve", CURVES)
def test_ec(one, curve):
	vault = premium(one)
	exchange = exchange_key(vault)
	algorithm = CURVES[curve][2]
	for which in range(4):  # both halves of the curve, as good as certainly
		key = ec_key(curve, which)
		transfer = blob(exchange["key"]["kid"], wrapped(shown(exchange), pkcs8(key)))
		bundle = bring(vault, unique("ec"), transfer, "EC-HSM", crv=curve).expect(200).json
		assert shown(bundle) == key.public_key()
		digest = digest_for(algorithm)
		assert verifies(key.public_key(), algorithm, digest, key_of(vault, bundle).use("sign", algorithm, digest))


def test_oct(one):
	vault = premium(one)
	exchange = exchange_key(vault)
	for bits in (128, 192, 256):
		secret, other = random(bits // 8), random(32)
		transfer = blob(exchange["key"]["kid"], wrapped(shown(exchange), secret))
		bundle = bring(vault, unique("oct"), transfer, "oct-HSM").expect(200).json
		assert key_of(vault, bundle).use("unwrapkey", f"A{bits}KW", keywrap.aes_key_wrap(secret, other)) == other


def test_it_is_a_key_like_any_other(one):
	"""Versions, backup, another start of the server; and the exchange key may be gone by then."""
	vault = premium(one)
	exchange, key, digest = exchange_key(vault), ec_key("P-256"), digest_for("ES256")
	first = create(vault, "k", "EC-HSM")
	transfer = blob(exchange["key"]["kid"], wrapped(shown(exchange), pkcs8(key)))
	bundle = bring(vault, "k", transfer, "EC-HSM", crv="P-256").expect(200).json
	assert len(vault.items("/keys/k/versions")) == 2 and shown(bundle) != shown(first)
	saved = vault.post("/keys/k/backup").expect(200).json["value"]
	vault.delete("/keys/exchange").expect(200)
	vault.delete("/deletedkeys/exchange").expect(204)
	bring(vault, "k", transfer, "EC-HSM", crv="P-256").expect(400, "BadParameter")
	one.restart()
	assert verifies(key.public_key(), "ES256", digest, key_of(vault, bundle).use("sign", "ES256", digest))
	restored = premium(one, "second").post("/keys/restore", {"value": saved}).expect(200).json
	assert shown(restored) == key.public_key()


def test_exchange_keys(one):
	"""They import, and do nothing else, for ever."""
	vault = premium(one)
	bundle = exchange_key(vault)
	assert bundle["key"]["key_ops"] == ["import"]
	key = key_of(vault, bundle)
	for verb, algorithm, value in (("sign", "RS256", digest_for("RS256")), ("decrypt", "RSA-OAEP", random(256)),
	    ("encrypt", "RSA-OAEP", b"x"), ("wrapkey", "RSA1_5", b"x"), ("unwrapkey", "RSA1_5", random(256))):
		key.ask(verb, algorithm, value).expect(403, "Forbidden", "KeyOperationForbidden")
	for ops in (["sign"], ["import", "sign"], ["decrypt", "import"]):
		vault.patch("/keys/exchange", {"key_ops": ops}).expect(400, "BadParameter")
	other = create(vault, "other", "RSA-HSM")
	vault.patch("/keys/other", {"key_ops": ["import"]}).expect(400, "BadParameter")
	for body in ({"kty": "RSA-HSM", "key_ops": ["import", "sign"]}, {"kty": "EC-HSM", "key_ops": ["import"]},
	    {"kty": "oct-HSM", "key_ops": ["import"]}):
		vault.post("/keys/none/create", body).expect(400, "BadParameter")
	vault.put("/keys/none", {"key": {**rsa_jwk(rsa_key()), "key_ops": ["import"]}, "Hsm": True}).expect(400, "BadParameter")
	vault.get("/keys/none").expect(404)
	assert vault.get("/keys/exchange").json["key"]["key_ops"] == ["import"]
	# After rotation the older version still opens what was wrapped for it.
	rotated = vault.post("/keys/exchange/rotate").expect(200).json
	for bundle in (bundle, rotated):
		transfer = blob(bundle["key"]["kid"], wrapped(shown(bundle), random(32)))
		bring(vault, unique("oct"), transfer, "oct-HSM").expect(200)
	# Nor does it open what a key of another kind would: that one unwraps nothing.
	transfer = blob(other["key"]["kid"], wrapped(shown(other), random(32)))
	assert NO_EXCHANGE in bring(vault, "none", transfer, "oct-HSM").expect(400, "BadParameter").error["message"]


def test_restored_exchange_key(one):
	vault = premium(one)
	saved, bundle = None, exchange_key(vault)
	saved = vault.post("/keys/exchange/backup").expect(200).json["value"]
	other = premium(one, "second")
	restored = other.post("/keys/restore", {"value": saved}).expect(200).json
	secret, message = random(32), random(32)
	transfer = blob(restored["key"]["kid"], wrapped(shown(bundle), secret))
	brought = bring(other, "k", transfer, "oct-HSM").expect(200).json
	assert key_of(other, brought).use("unwrapkey", "A256KW", keywrap.aes_key_wrap(secret, message)) == message


def test_unfit(one):
	"""Whatever is wrong with what was wrapped: one message, and nothing is there."""
	vault = premium(one)
	exchange, second = exchange_key(vault), exchange_key(vault, name="second")
	kid, public = exchange["key"]["kid"], shown(exchange)
	key = pkcs8(ec_key("P-256"))
	good = wrapped(public, key)
	aes = random(32)
	under = public.encrypt(aes, OAEP_SHA1)
	refused = {
		"another exchange key": wrapped(shown(second), key),
		"a flipped bit in the AES key": flipped(good, 7),
		"a flipped bit in the key": flipped(good),
		"cut": good[:-8],
		"longer": good + bytes(8),
		"the AES key alone": under,
		"nothing": b"",
		"a few bytes": b"x" * 16,
		"OAEP with SHA-256": public.encrypt(aes, RSA_ENCRYPTION["RSA-OAEP-256"][0]) + keywrap.aes_key_wrap_with_padding(aes, key),
		"an AES key of no size": public.encrypt(random(31), OAEP_SHA1) + keywrap.aes_key_wrap_with_padding(aes, key),
		"no PKCS#8": under + keywrap.aes_key_wrap_with_padding(aes, random(64)),
		"a key of another kind": wrapped(public, pkcs8(rsa_key())),
		"a key of another curve": wrapped(public, pkcs8(ec_key("P-384"))),
		"another vault's, of the same name": wrapped(ec_free_rsa(), key),
	}
	for what, ciphertext in refused.items():
		reply = bring(vault, "k", blob(kid, ciphertext), "EC-HSM", crv="P-256").expect(400, "BadParameter")
		assert reply.error["message"] == UNFIT, what
	for kty, secret in (("RSA-HSM", pkcs8(rsa_key(1024))), ("RSA-HSM", key), ("oct-HSM", random(15)), ("oct-HSM", random(33)),
	    ("oct-HSM", key)):
		bring(vault, "k", blob(kid, wrapped(public, secret)), kty).expect(400, "BadParameter")
	vault.get("/keys/k").expect(404)
	bring(vault, "k", blob(kid, good), "EC-HSM", crv="P-256").expect(200)


def ec_free_rsa():
	return rsa_key(2048, 7).public_key()


def test_malformed(one):
	vault = premium(one)
	bundle = exchange_key(vault)
	kid = bundle["key"]["kid"]
	good = wrapped(shown(bundle), random(32))
	for transfer in (b"", b"{}", b"[]", b"\xff", b"x" * 20000, blob(kid, good, schema_version="2.0.0"), blob(kid, good, alg="RSA"),
	    blob(kid, good, enc="none"), blob(kid, good, enc=None), blob(kid, good, ciphertext="***"), blob(kid, good, ciphertext=None),
	    blob(kid, good, header=None), blob(kid, good, schema_version=1), blob(kid, good)[:-1]):
		bring(vault, "k", transfer, "oct-HSM").expect(400, "BadParameter")
	name, version = kid.rsplit("/", 2)[1:]
	for wrong in ("", "x", kid.replace("https", "http"), kid.replace(version, ""), kid.rsplit("/", 1)[0], kid + "/", kid + "/x",
	    kid.replace("premium", "main"), kid.replace("/keys/", "/secrets/"), kid.replace(name, "no-such-key"), kid.replace(name, "no_such"),
	    kid[:-1] + ("0" if kid[-1] != "0" else "1"), kid.replace("/keys/", "/deletedkeys/"), 7):
		reply = bring(vault, "k", blob(wrong, good), "oct-HSM").expect(400, "BadParameter")
		if isinstance(wrong, str):
			assert NO_EXCHANGE in reply.error["message"], wrong
	vault.patch("/keys/exchange", {"attributes": {"enabled": False}}).expect(200)
	assert NO_EXCHANGE in bring(vault, "k", blob(kid, good), "oct-HSM").expect(400).error["message"]
	vault.patch("/keys/exchange", {"attributes": {"enabled": True}}).expect(200)
	for jwk in ({"kty": "RSA", "key_hsm": b64(blob(kid, good))}, {**ec_jwk(ec_key(), "P-256"), "key_hsm": b64(blob(kid, good))}):
		vault.put("/keys/k", {"key": jwk}).expect(400, "BadParameter")
	one.vault("main").put("/keys/k", {"key": {"kty": "oct-HSM", "key_hsm": b64(blob(kid, good))}}).expect(400,
	    "BadParameter", "KeyTypeNotSupported")
	vault.get("/keys/k").expect(404)
	standard = base64.b64encode(blob(kid, good)).decode()
	vault.put("/keys/k", {"key": {"kty": "oct-HSM", "key_hsm": standard}}).expect(200)


def test_az(one, tmp_path):
	"""The commands of docs/keys.md, with a tool of ours in the place of the vendor's."""
	premium(one, "byok-kv")
	az = az_for(one, tmp_path)
	exchange = az("keyvault", "key", "create", "--vault-name", "byok-kv", "-n", "exchange", "--kty", "RSA-HSM", "--size", 4096,
	    "--ops", "import")
	public_file, byok_file = tmp_path / "exchange.pem", tmp_path / "mine.byok"
	az("keyvault", "key", "download", "--vault-name", "byok-kv", "-n", "exchange", "--file", public_file)
	key = rsa_key(3072)
	byok_file.write_bytes(blob(exchange["key"]["kid"], wrapped(load_pem_public_key(public_file.read_bytes()), pkcs8(key))))
	bundle = az("keyvault", "key", "import", "--vault-name", "byok-kv", "-n", "mine", "--protection", "hsm", "--kty", "RSA",
	    "--byok-file", byok_file)
	assert bundle["key"]["kty"] == "RSA-HSM"
	digest = digest_for("PS256")
	ours = key_of(one.vault("byok-kv"), one.vault("byok-kv").get("/keys/mine").json)
	assert verifies(key.public_key(), "PS256", digest, ours.use("sign", "PS256", digest))
