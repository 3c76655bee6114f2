"""Keys at work: every algorithm against the other side's mathematics, who may when, and what is refused."""
import re
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import padding

from keys import (CURVES, RSA_ENCRYPTION, RSA_OPS, RSA_SIGNING, Key, b64, bring, create, digest_for, ec_jwk, ec_key,
    encrypts, flipped, key_of, opens, public, random, rsa_in, rsa_jwk, rsa_key, signs, unb64, verifies, version_of)
from strongroom import unique

FAR, PAST = 32503680000, 1


@pytest.fixture
def name():
	return unique("u")


@pytest.fixture(scope="module")
def main(shared):
	"""With the newest api-version: the symmetric algorithms came late."""
	return shared.vault("main", version="2025-07-01")


# Ours, brought in: both sides have the private part.

@pytest.fixture(scope="module", params=(2048, 3072, 4096))
def both(main, request):
	return rsa_in(main, unique("rsa"), request.param)


@pytest.mark.parametrize("algorithm", RSA_SIGNING)
def test_rsa_signature(both, algorithm):
	key, private = both
	digest = digest_for(algorithm)
	signature = key.use("sign", algorithm, digest)
	assert len(signature) * 8 == private.key_size
	assert verifies(private.public_key(), algorithm, digest, signature)
	if algorithm.startswith("RS"):
		assert signature == signs(private, algorithm, digest), "there is no chance in it"
	assert key.verify(algorithm, digest, signature)
	assert key.verify(algorithm, digest, signs(private, algorithm, digest))
	assert not key.verify(algorithm, flipped(digest), signature)
	assert not key.verify(algorithm, digest, flipped(signature))


@pytest.mark.parametrize("plain", [b"x", b"x" * 36, b"\x30" * 51, b"x" * 245], ids=len)
def test_rsnull(main, name, plain):
	"""PKCS#1 padding around whatever comes."""
	key, private = rsa_in(main, name)
	signature = key.use("sign", "RSNULL", plain)
	assert private.public_key().recover_data_from_signature(signature, padding.PKCS1v15(), None) == plain
	assert key.verify("RSNULL", plain, signature) and not key.verify("RSNULL", flipped(plain), signature)


@pytest.mark.parametrize("there, back", [("encrypt", "decrypt"), ("wrapkey", "unwrapkey"), ("wrapKey", "unwrapKey")])
@pytest.mark.parametrize("algorithm", RSA_ENCRYPTION)
def test_rsa_encryption(both, algorithm, there, back):
	key, private = both
	for plain in (b"x", b"\0" * 32, b"y" * (private.key_size // 8 - RSA_ENCRYPTION[algorithm][1])):
		ours = key.use(there, algorithm, plain)
		assert len(ours) * 8 == private.key_size and ours != key.use(there, algorithm, plain), "random"
		assert opens(private, algorithm, ours) == plain
		assert key.use(back, algorithm, ours) == plain
		assert key.use(back, algorithm, encrypts(private.public_key(), algorithm, plain)) == plain


@pytest.mark.parametrize("crv", CURVES)
@pytest.mark.parametrize("made", [True, False], ids=["created", "imported"])
def test_ec_signature(main, name, crv, made):
	bundle = create(main, name, crv=crv) if made else bring(main, name, ec_jwk(ec_key(crv), crv))
	key, known, algorithm = key_of(main, bundle), public(bundle["key"]), CURVES[crv][2]
	digest = digest_for(algorithm)
	seen = [key.use("sign", algorithm, digest) for _ in range(8)]
	assert {len(signature) for signature in seen} == {2 * CURVES[crv][1]}, "r || s, each as long as a coordinate"
	for signature in seen:
		assert verifies(known, algorithm, digest, signature)
		assert key.verify(algorithm, digest, signature)
	assert not key.verify(algorithm, flipped(digest), seen[0])
	assert not key.verify(algorithm, digest, flipped(seen[0]))
	assert not key.verify(algorithm, digest, bytes(len(seen[0])))
	if not made:
		assert key.verify(algorithm, digest, signs(ec_key(crv), algorithm, digest))


def test_result_tells_the_version(main, name):
	old, new = create(main, name), create(main, name)
	digest = b64(digest_for("ES256"))
	for path, bundle in ((f"/{version_of(old)}/sign", old), (f"/{version_of(old)}/sign/", old), ("/sign", new),
	    ("/sign/", new), ("//sign", new)):  # the libraries' way of no version
		reply = main.post(f"/keys/{name}{path}", {"alg": "ES256", "value": digest}).expect(200).json
		assert list(reply) == ["kid", "value"] and reply["kid"] == bundle["key"]["kid"]
		assert verifies(public(bundle["key"]), "ES256", digest_for("ES256"), unb64(reply["value"]))


# Symmetric keys never leave: one block at a time tells what they are.

@pytest.fixture(scope="module", params=(128, 192, 256))
def symmetric(main, request):
	key = key_of(main, create(main, unique("oct"), "oct", key_size=request.param))
	key.size = f"A{request.param}"
	return key


def block(key, octets):
	"""AES itself: CBC's first block, from zero."""
	return key.use("encrypt", f"{key.size}CBC", octets, iv=bytes(16))


def xor(one, other):
	return bytes(a ^ b for a, b in zip(one, other))


def test_cbc(symmetric):
	key, iv, plain = symmetric, random(16), random(48)
	reply = key.ask("encrypt", f"{key.size}CBC", plain, iv=iv).expect(200).json
	assert set(reply) >= {"kid", "value", "iv"} and unb64(reply["iv"]) == iv
	sealed, chained = b"", iv
	for at in range(0, 48, 16):
		chained = block(key, xor(plain[at:at + 16], chained))
		sealed += chained
	assert unb64(reply["value"]) == sealed
	assert key.use("decrypt", f"{key.size}CBC", sealed, iv=iv) == plain
	for length in (0, 1, 15, 16, 47):
		padded = plain[:length] + bytes([16 - length % 16]) * (16 - length % 16)
		if length:
			sealed = key.use("encrypt", f"{key.size}CBCPAD", plain[:length], iv=iv)
			assert sealed == key.use("encrypt", f"{key.size}CBC", padded, iv=iv)
			assert key.use("decrypt", f"{key.size}CBCPAD", sealed, iv=iv) == plain[:length]


@pytest.mark.parametrize("aad", [None, b"about"])
def test_gcm(symmetric, aad):
	key, plain = symmetric, random(40)
	seen = set()
	for _ in range(2):
		reply = key.ask("encrypt", f"{key.size}GCM", plain, aad=aad).expect(200).json
		iv, tag, sealed = (unb64(reply[member]) for member in ("iv", "tag", "value"))
		assert (len(iv), len(tag), len(sealed)) == (12, 16, 40)
		stream = b"".join(block(key, iv + count.to_bytes(4, "big")) for count in (2, 3, 4))
		assert sealed == xor(plain, stream)
		assert key.use("decrypt", f"{key.size}GCM", sealed, iv=iv, tag=tag, aad=aad) == plain
		seen.add(iv)
	assert len(seen) == 2


def test_nobody_chooses_gcms_iv(symmetric):
	"""One that comes twice would give the key's secrets away."""
	reply = symmetric.ask("encrypt", f"{symmetric.size}GCM", b"plain", iv=bytes(12))
	assert reply.status == 400 or unb64(reply.expect(200).json["iv"]) != bytes(12)


@pytest.mark.parametrize("algorithm", ["A{}KW", "CKM_AES_KEY_WRAP"])
def test_key_wrap(symmetric, algorithm):
	"""RFC 3394, with the key's own blocks."""
	key, plain = symmetric, random(32)
	algorithm = algorithm.format(key.size[1:])
	a, parts = b"\xa6" * 8, [plain[at:at + 8] for at in range(0, 32, 8)]
	for round_ in range(6):
		for at, part in enumerate(parts):
			out = block(key, a + part)
			a, parts[at] = xor(out[:8], (4 * round_ + at + 1).to_bytes(8, "big")), out[8:]
	wrapped = key.use("wrapkey", algorithm, plain)
	assert wrapped == a + b"".join(parts)
	assert key.use("unwrapkey", algorithm, wrapped) == plain


@pytest.mark.parametrize("length", [1, 7, 8, 9, 33])
def test_padded_key_wrap(symmetric, length):
	plain = random(length)
	wrapped = symmetric.use("wrapkey", "CKM_AES_KEY_WRAP_PAD", plain)
	assert len(wrapped) == 8 + (length + 7) // 8 * 8
	if length <= 8:  # RFC 5649: one block
		assert wrapped == block(symmetric, b"\xa6\x59\x59\xa6" + length.to_bytes(4, "big") + plain.ljust(8, b"\0"))
	assert symmetric.use("unwrapkey", "CKM_AES_KEY_WRAP_PAD", wrapped) == plain


@pytest.mark.parametrize("algorithm, length", [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_hmac(main, name, algorithm, length):
	key = key_of(main, create(main, name, "oct", key_ops=["sign", "verify"]))
	digest = random(length)
	signature = key.use("sign", algorithm, digest)
	assert len(signature) == length and signature == key.use("sign", algorithm, digest)
	assert key.verify(algorithm, digest, signature)
	assert not key.verify(algorithm, flipped(digest), signature)
	assert not key.verify(algorithm, digest, flipped(signature))


# When a key may be used

STATES = {
	"expired": {"exp": PAST}, "not yet valid": {"nbf": FAR}, "disabled": {"enabled": False},
}
# What keeps from using it, and what is left of its use.
VERBS = ("sign", "encrypt", "wrapkey", "verify", "decrypt", "unwrapkey")


@pytest.fixture(scope="module")
def work():
	"""A body for each verb, made here."""
	known, digest = rsa_key().public_key(), digest_for("RS256")
	sealed = {"alg": "RSA-OAEP-256", "value": b64(encrypts(known, "RSA-OAEP-256", b"x"))}
	plain = {"alg": "RSA-OAEP-256", "value": b64(b"x")}
	return {"sign": {"alg": "RS256", "value": b64(digest)}, "encrypt": plain, "wrapkey": plain,
	    "verify": {"alg": "RS256", "digest": b64(digest), "value": b64(signs(rsa_key(), "RS256", digest))},
	    "decrypt": sealed, "unwrapkey": sealed}


@pytest.mark.parametrize("state", STATES)
def test_state(main, name, work, state):
	key, _ = rsa_in(main, name)
	main.patch(key.path, {"attributes": STATES[state]}).expect(200)
	for path in (key.path, f"/keys/{name}"):
		for verb in VERBS:
			reply = main.post(f"{path}/{verb}", work[verb])
			if state == "disabled":
				reply.expect(403, "Forbidden", "KeyDisabled")
				assert re.fullmatch(r"Operation \w+ is not allowed on a disabled key\.", reply.error["message"])
			elif verb in VERBS[:3]:
				assert reply.expect(403).error["code"] == "Forbidden", verb
			else:
				assert reply.expect(200).json["value"] in (True, b64(b"x")), verb
	main.get(key.path).expect(200)
	assert len(main.items(f"/keys/{name}/versions")) == 1
	main.patch(key.path, {"attributes": {"exp": FAR + 1, "nbf": PAST, "enabled": True}}).expect(200)
	for verb in VERBS:
		main.post(f"{key.path}/{verb}", work[verb]).expect(200)


@pytest.mark.parametrize("edge", [2**63 - 1, 2**63 - 299, 2**53])
def test_expiry_at_the_end_of_time(main, name, edge):
	"""Nothing is added to what a client sends: it would come out before the beginning."""
	key = key_of(main, create(main, name))
	reply = main.patch(key.path, {"attributes": {"exp": edge}})
	assert reply.status in (200, 400)
	key.use("sign", "ES256", digest_for("ES256"))


def test_state_is_of_a_version(main, name):
	old, new = create(main, name), create(main, name, attributes={"enabled": False})
	digest = digest_for("ES256")
	key_of(main, old).use("sign", "ES256", digest)
	for key in (key_of(main, new), Key(main, f"/keys/{name}")):
		key.ask("sign", "ES256", digest).expect(403, "Forbidden", "KeyDisabled")


def test_window(main, name, work):
	key, _ = rsa_in(main, name)
	main.patch(key.path, {"attributes": {"nbf": int(time.time()) - 3600, "exp": int(time.time()) + 3600}}).expect(200)
	for verb in VERBS:
		main.post(f"{key.path}/{verb}", work[verb]).expect(200)


@pytest.mark.parametrize("verb, op", list(zip(VERBS, ("sign", "encrypt", "wrapKey", "verify", "decrypt", "unwrapKey"))))
def test_operation_that_is_not_permitted(main, name, work, verb, op):
	key, _ = rsa_in(main, name, key_ops=[each for each in RSA_OPS if each != op])
	reply = main.post(f"{key.path}/{verb}", work[verb]).expect(403, "Forbidden", "KeyOperationForbidden")
	assert re.fullmatch(r"Operation \w+ is not permitted on this key\.", reply.error["message"])
	main.patch(key.path, {"key_ops": [op]}).expect(200)
	for each in VERBS:
		main.post(f"{key.path}/{each}", work[each]).expect(200 if each == verb else 403)


# What is refused

@pytest.fixture(scope="module")
def kept(main):
	"""Keys that nothing below changes."""
	made = {"rsa": rsa_in(main, unique("rsa"))[0], "ec": key_of(main, create(main, unique("ec"))),
	    "oct": key_of(main, create(main, unique("oct"), "oct", key_ops=["encrypt", "decrypt", "wrapKey", "unwrapKey",
	        "sign", "verify"]))}
	before = {kind: key.state for kind, key in made.items()}
	yield made
	assert {kind: key.state for kind, key in made.items()} == before


IV = bytes(16)
# Key, verb, algorithm, octets of the value; or the value itself, and more members.
BAD_LENGTHS = """
rsa sign: RS256 31, RS256 33, RS256 0, RS384 32, RS512 48, PS256 64, PS384 47, PS512 65, RSNULL 246, RS512 90000,
	ES256 32, HS256 32, RSA-OAEP 32, RS1 20, rs256 32
rsa encrypt: RSA1_5 246, RSA-OAEP 215, RSA-OAEP-256 191, RSA-OAEP 0, RSA1_5 0, RSA-OAEP-256 100000, A256GCM 16,
	RS256 32, rsa-oaep 16, RSA-OAEP-512 16
rsa wrapkey: A256KW 32, RSA-OAEP 0, RSA-OAEP 215
rsa decrypt: RSA-OAEP 255, RSA-OAEP 257, RSA1_5 0, RSA-OAEP-256 1, A256CBC 256
rsa unwrapkey: RSA-OAEP 255, RSA1_5 512
ec sign: ES256 31, ES256 64, ES256 0, ES256K 32, ES384 48, ES512 64, RS256 32, PS256 32, HS256 32, ECDSA256 32
oct sign: HS256 0, RS256 32, ES256 32
oct encrypt: A256CBC 16, A192GCM 16, A256KW 16, RSA-OAEP 16
oct wrapkey: A128KW 16, A256KW 15, A256KW 0, A256GCM 16
oct unwrapkey: A256KW 39, A256KW 40, A256KW 8
"""
BAD_USE = [
	*((*line.split(":")[0].split(), case.split()[0], bytes(int(case.split()[1])), {})
	    for line in BAD_LENGTHS.replace(",\n\t", ", ").strip().splitlines() for case in line.split(":")[1].split(",")),
	*(("rsa", "sign", alg, bytes(32), {}) for alg in ("", "none", "RS256\0", "R" * 5000, 7, None, ["RS256"])),
	*(("rsa", "sign", "RS256", value, {}) for value in (None, 7, "", "!" * 43, "A" * 41, ["A" * 43])),
	("rsa", "verify", "RS256", bytes(256), {}), ("rsa", "verify", "RS256", bytes(256), {"digest": bytes(31)}),
	("rsa", "verify", "RS256", None, {"digest": bytes(32)}), ("rsa", "verify", "ES256", bytes(64), {"digest": bytes(32)}),
	("ec", "verify", "ES256", bytes(64), {"digest": bytes(20)}),
	("ec", "verify", "ES384", bytes(96), {"digest": bytes(48)}),
	*(("oct", "encrypt", alg, bytes(length), {"iv": bytes(iv)}) for alg, length, iv in (
		("A256CBC", 16, 15), ("A256CBC", 15, 16), ("A128CBC", 16, 16), ("A256CBCPAD", 16, 17))),
	*(("oct", "decrypt", alg, bytes(length), members) for alg, length, members in (
		("A256CBC", 15, {"iv": IV}), ("A256CBC", 16, {}), ("A256CBCPAD", 0, {"iv": IV}), ("A256GCM", 16, {"iv": IV[4:]}),
		("A256GCM", 16, {"tag": IV}), ("A256GCM", 16, {"iv": IV[4:], "tag": IV[8:]}),
		("A256GCM", 16, {"iv": IV[4:], "tag": IV}))),
]


def bad_label(row):
	kind, verb, algorithm, value, members = row
	size = len(value) if isinstance(value, bytes) else value
	return f"{kind} {verb} {str(algorithm)[:20]!r} {size} {' '.join(members)}"


@pytest.mark.parametrize("row", BAD_USE, ids=bad_label)
def test_bad_use(kept, row):
	kind, verb, algorithm, value, members = row
	reply = kept[kind].ask(verb, algorithm, value, **members).expect(400)
	assert reply.error["code"] in ("BadParameter", "BadRequest") and reply.error["message"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"alg":"RS256"',
    b'{"alg":"RS256","alg":"RS256","value":"AA"}', b"[" * 100000], ids=lambda body: body[:12].decode())
@pytest.mark.parametrize("verb", VERBS)
def test_bad_body(main, kept, verb, body):
	main.post(f"{kept['rsa'].path}/{verb}", body).expect(400, "BadParameter")


@pytest.mark.parametrize("verb, op", [("encrypt", "RSA-OAEP"), ("decrypt", "RSA-OAEP"), ("wrapkey", "RSA-OAEP")])
def test_curves_do_not_encrypt(kept, verb, op):
	assert kept["ec"].ask(verb, op, bytes(64)).status in (400, 403)


@pytest.mark.parametrize("length", [0, 1, 255, 257, 4096])
def test_signature_of_another_length(kept, length):
	"""No error of its own, or a bad request; never a yes."""
	reply = kept["rsa"].ask("verify", "RS256", bytes(length), digest=digest_for("RS256"))
	assert reply.status == 400 or reply.expect(200).json == {"value": False}


def test_failures_to_decrypt_are_one(kept):
	"""Whatever was wrong with the ciphertext is not told: nobody learns from it."""
	key, known = kept["rsa"], rsa_key().public_key().public_numbers()
	bare = [int.from_bytes(message.ljust(256, b"\x55"), "big") for message in (b"\0\1" + b"\xff" * 253 + b"\0", b"\1",
	    b"\0\2", b"\0\2\x55\x55\x55\0", b"\0\0\2" + b"\x55" * 20 + b"\0", b"\0\2" + b"\x55" * 7 + b"\0")]
	bad = [pow(number, known.e, known.n).to_bytes(256, "big") for number in bare if number < known.n]
	bad += [bytes(256), b"\xff" * 256, known.n.to_bytes(256, "big")]
	sealed = [encrypts(rsa_key().public_key(), algorithm, b"x" * 32) for algorithm in RSA_ENCRYPTION]
	wrong = {"RSA1_5": bad, "RSA-OAEP": [*bad, sealed[0], sealed[2], flipped(sealed[1], 100)],
	    "RSA-OAEP-256": [*bad, sealed[0], sealed[1], flipped(sealed[2], 100)]}
	seen = {key.ask(verb, algorithm, each).expect(400).body for algorithm, those in wrong.items() for each in those
	    for verb in ("decrypt", "unwrapkey")}
	assert len(seen) == 1, seen


def test_failures_to_open_are_one(kept):
	key = kept["oct"]
	made = key.ask("encrypt", "A256GCM", bytes(32), aad=b"about").expect(200).json
	good = {member: unb64(made[member]) for member in ("value", "iv", "tag")} | {"aad": b"about"}
	assert key.use("decrypt", "A256GCM", **good) == bytes(32)
	seen = {key.ask("decrypt", "A256GCM", **{**good, member: flipped(good[member])}).expect(400).body for member in good}
	padded = key.use("encrypt", "A256CBCPAD", bytes(20), iv=IV)
	seen.add(key.ask("decrypt", "A256CBCPAD", padded[:16], iv=IV).expect(400).body)
	seen.add(key.ask("unwrapkey", "A256KW", flipped(key.use("wrapkey", "A256KW", bytes(32)))).expect(400).body)
	assert len(seen) == 1, seen


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_verbs(main, kept, method):
	assert main.request(method, f"{kept['rsa'].path}/sign", {}).status in (400, 404, 405)
