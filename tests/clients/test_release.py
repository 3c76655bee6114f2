"""Secure key release: keys in a real token, an attestation authority of its own behind TLS, and what an attested machine does
with the reply."""
import base64
import hmac
import json
import subprocess
import sys
import time

import jwt
import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.keyvault.keys import JsonWebKey, KeyClient, KeyReleasePolicy
from cryptography import x509
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from az import az_for
from hsm import Token, premium, shown
from keys import OPS, b64, create, digest_for, ec_jwk, ec_key, key_of, octets, random, rsa_jwk, rsa_key, unb64, verifies
from strongroom import Server, unique
from test_docs import blocks, script_of
from test_federation import Issuer

UNVERIFIED = "Target environment attestation statement cannot be verified."
NOT_ENOUGH = "Target environment attestation does not meet key release policy requirements."
OAEP = {"CKM_RSA_AES_KEY_WRAP": hashes.SHA1, "RSA_AES_KEY_WRAP_256": hashes.SHA256, "RSA_AES_KEY_WRAP_384": hashes.SHA384}
MACHINE = rsa.generate_private_key(65537, 2048)  # of the attested machine


def jwk(key, **members):
	numbers = key.public_key().public_numbers()
	return {"kty": "RSA", "n": octets(numbers.n), "e": octets(numbers.e)} | members


TARGET = {"keys": [jwk(MACHINE, kid="TpmEphemeralEncryptionKey", key_ops=["encrypt"])]}
TEE = {"x-ms-isolation-tee": {"x-ms-attestation-type": "sevsnpvm", "x-ms-compliance-status": "azure-compliant-cvm"},
    "secureboot": True, "x-ms-runtime": TARGET}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
	one = Issuer(tmp_path_factory.mktemp("authority"))
	yield one
	one.server.shutdown()


@pytest.fixture(scope="module")
def place(authority, tmp_path_factory):
	token = Token(tmp_path_factory.mktemp("token"))
	one = Server(tmp_path_factory.mktemp("release"), options=(*token.options, "--federation-ca", authority.ca,
	    "--attestation-authority", authority.url), environment=token.environment).start()
	yield one
	one.stop()


@pytest.fixture(scope="module")
def vault(place):
	premium(place)
	return place.vault("premium", version="7.4")


@pytest.fixture
def name():
	return unique("skr")


def grammar(authority, *conditions, **policy):
	conditions = conditions or ({"claim": "x-ms-isolation-tee.x-ms-compliance-status", "equals": "azure-compliant-cvm"},
	    {"claim": "secureboot", "equals": True})
	return {"version": "1.0.0", "anyOf": [{"authority": authority.url, "allOf": list(conditions)}]} | policy


def policy(rules, **members):
	return {"data": b64(rules if isinstance(rules, bytes) else json.dumps(rules).encode()), **members}


def exportable(vault, name, rules, kty="EC-HSM", **members):
	return create(vault, name, kty, attributes={"exportable": True}, release_policy=policy(rules), **members)


def ask(vault, name, token, **members):
	return vault.post(f"/keys/{name}/release", {"target": token, **members})


def release(vault, authority, name, token=None, **members):
	"""The reply once the authority's keys are at hand."""
	deadline = time.monotonic() + 20
	while True:
		reply = ask(vault, name, token or authority.token(**TEE), **members)
		if reply.status == 200 or time.monotonic() > deadline:
			return reply.expect(200).json["value"]
		time.sleep(0.1)


def verified(server, statement):
	"""What the server states, by its authority's certificate alone."""
	header = jwt.get_unverified_header(statement)
	leaf, root = (x509.load_der_x509_certificate(base64.b64decode(der, validate=True)) for der in header["x5c"])
	trusted = x509.load_pem_x509_certificates(open(server.env["STRONGROOM_CA"], "rb").read())
	assert root in trusted and header["alg"] == "RS256"
	leaf.verify_directly_issued_by(root)
	assert leaf.not_valid_before_utc.timestamp() < time.time() < leaf.not_valid_after_utc.timestamp()
	assert leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
	with pytest.raises(x509.ExtensionNotFound):
		leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
	return jwt.decode(statement, leaf.public_key(), algorithms=["RS256"], options={"verify_aud": False})


def unwrapped(statement, machine=MACHINE):
	"""What the machine gets out of it: PKCS#8, or a symmetric key's bytes."""
	blob = json.loads(unb64(statement["response"]["key"]["key"]["key_hsm"]))
	assert (blob["schema_version"], blob["header"]["alg"]) == ("1.0", "dir")
	ciphertext, length = unb64(blob["ciphertext"]), machine.key_size // 8
	digest = OAEP[blob["header"]["enc"]]
	transport = machine.decrypt(ciphertext[:length], padding.OAEP(padding.MGF1(digest()), digest(), None))
	assert len(transport) == 32
	return keywrap.aes_key_unwrap_with_padding(transport, ciphertext[length:])


def der(key):
	return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@pytest.mark.parametrize("enc", OAEP)
@pytest.mark.parametrize("make, brought", [(rsa_key, lambda key: rsa_jwk(key)), (lambda: ec_key("P-384"), lambda key: ec_jwk(key, "P-384")),
    (lambda: ec_key("P-521"), lambda key: ec_jwk(key, "P-521"))], ids=["rsa", "p384", "p521"])
def test_released_key_is_the_imported_one(place, vault, authority, name, make, brought, enc):
	key = make()
	bundle = vault.put(f"/keys/{name}", {"key": brought(key), "Hsm": True, "attributes": {"exportable": True},
	    "release_policy": policy(grammar(authority))}).expect(200).json
	assert bundle["attributes"]["exportable"] is True
	assert bundle["release_policy"] == {"contentType": "application/json; charset=utf-8", "data": policy(grammar(authority))["data"],
	    "immutable": False}
	statement = verified(place, release(vault, authority, name, enc=enc, nonce="once \N{EURO SIGN}"))
	assert statement["request"] == {"api-version": "7.4", "enc": enc, "kid": bundle["key"]["kid"], "nonce": "once \N{EURO SIGN}"}
	told = statement["response"]["key"]
	assert {k: v for k, v in told["key"].items() if k != "key_hsm"} == bundle["key"]
	assert told["attributes"] == bundle["attributes"] and told["release_policy"] == bundle["release_policy"]
	blob = json.loads(unb64(told["key"]["key_hsm"]))
	assert blob["header"] == {"kid": "TpmEphemeralEncryptionKey", "alg": "dir", "enc": enc}
	opened = serialization.load_der_private_key(unwrapped(statement), None)
	assert opened.private_numbers() == key.private_numbers()


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_symmetric_key(place, vault, authority, name, bits):
	bundle = exportable(vault, name, grammar(authority), "oct-HSM", key_size=bits)
	secret = unwrapped(verified(place, release(vault, authority, name)))
	assert len(secret) == bits // 8
	wrapped = keywrap.aes_key_wrap(secret, b"k" * 32)
	assert key_of(vault, bundle).use("unwrapkey", f"A{bits}KW", wrapped) == b"k" * 32


def test_made_here_used_there(place, vault, authority, name):
	bundle = exportable(vault, name, grammar(authority), "RSA-HSM", key_size=4096)
	key = serialization.load_der_private_key(unwrapped(verified(place, release(vault, authority, name))), None)
	assert key.public_key() == shown(bundle)
	# It goes on being used in the token.
	digest = digest_for("RS256")
	assert verifies(key.public_key(), "RS256", digest, key_of(vault, bundle).use("sign", "RS256", digest))


def test_two_releases_share_nothing(place, vault, authority, name):
	exportable(vault, name, grammar(authority))
	first, second = (verified(place, release(vault, authority, name)) for _ in range(2))
	blobs = [unb64(json.loads(unb64(one["response"]["key"]["key"]["key_hsm"]))["ciphertext"]) for one in (first, second)]
	assert blobs[0][:256] != blobs[1][:256] and blobs[0][256:] != blobs[1][256:]
	assert unwrapped(first) == unwrapped(second)


# Attestations

def refused(vault, name, token, message=UNVERIFIED, **members):
	reply = ask(vault, name, token, **members).expect(403, "Forbidden", "AccessDenied")
	assert reply.error["message"] == message, reply
	return reply


@pytest.fixture(scope="module")
def ready(vault, authority):
	exportable(vault, "ready", grammar(authority))
	release(vault, authority, "ready")
	return "ready"


def segment(value):
	return b64(json.dumps(value).encode())


def forged(authority, head, key=None):
	"""The right claims under another header; signed with HMAC over what everybody knows, or not at all."""
	text = f"{segment(head)}.{authority.token(**TEE).split('.')[1]}"
	return f"{text}.{b64(hmac.digest(key, text.encode(), 'sha256')) if key else ''}"


def public_pem(key):
	return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


STRANGER = rsa.generate_private_key(65537, 2048)
HOSTILE = {
	"none": lambda a: forged(a, {"alg": "none", "kid": a.kid}),
	"None": lambda a: forged(a, {"alg": "None", "kid": a.kid}),
	"no algorithm": lambda a: forged(a, {"kid": a.kid}),
	"HS256 with the public key": lambda a: forged(a, {"alg": "HS256", "kid": a.kid}, public_pem(a.key)),
	"stranger": lambda a: a.token(key=STRANGER, **TEE),
	"stranger's kid": lambda a: a.token(key=STRANGER, headers={"kid": "two"}, **TEE),
	"embedded jwk": lambda a: a.token(key=STRANGER, headers={"jwk": jwk(STRANGER)}, **TEE),
	"embedded jku": lambda a: a.token(key=STRANGER, headers={"jku": "https://localhost:1/keys", "kid": "two"}, **TEE),
	"no kid": lambda a: jwt.encode({"iss": a.url, "exp": int(time.time()) + 60, **TEE}, a.key, "RS256"),
	"critical": lambda a: a.token(headers={"crit": ["exp"], "exp": 1}, **TEE),
	"other authority": lambda a: a.token(**TEE, iss=a.url + "/other"),
	"authority in capitals": lambda a: a.token(**TEE, iss=a.url.replace("localhost", "LOCALHOST")),
	"no authority": lambda a: jwt.encode({"exp": int(time.time()) + 60, **TEE}, a.key, "RS256", {"kid": a.kid}),
	"expired": lambda a: a.token(**TEE, exp=int(time.time()) - 3600),
	"no expiry": lambda a: jwt.encode({"iss": a.url, **TEE}, a.key, "RS256", {"kid": a.kid}),
	"not yet": lambda a: a.token(**TEE, nbf=int(time.time()) + 3600),
	"exp out of range": lambda a: a.token(**TEE, exp=10 ** 15),
	"payload changed": lambda a: ".".join((a.token(**TEE).split(".")[0], segment({"iss": a.url, "exp": 10 ** 11, **TEE}),
	    a.token(**TEE).split(".")[2])),
	"two parts": lambda a: a.token(**TEE).rpartition(".")[0],
	"four parts": lambda a: a.token(**TEE) + ".AAAA",
	"no JSON": lambda a: "AAAA.AAAA.AAAA",
	"nothing": lambda a: "..",
	"deep": lambda a: f"{segment({'alg': 'RS256', 'kid': a.kid})}.{b64(b'[' * 5000)}.AAAA",
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_hostile_tokens(vault, authority, ready, make):
	refused(vault, ready, make(authority))
	release(vault, authority, ready)


@pytest.mark.parametrize("claims", [{"secureboot": False}, {"secureboot": 1}, {"secureboot": None}, {"secureboot": [True]},
    {"x-ms-isolation-tee": "azure-compliant-cvm"}, {"x-ms-isolation-tee": {"x-ms-compliance-status": "AZURE-COMPLIANT-CVM"}},
    {"x-ms-isolation-tee": {}}, {"x-ms-isolation-tee": [{"x-ms-compliance-status": "azure-compliant-cvm"}]}], ids=str)
def test_claims_that_are_not_enough(vault, authority, ready, claims):
	refused(vault, ready, authority.token(**TEE | claims), NOT_ENOUGH)


SMALL = rsa.generate_private_key(65537, 1024)
EC = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))


@pytest.mark.parametrize("runtime", [{}, {"keys": []}, {"keys": "none"}, {"keys": [None]}, {"keys": [jwk(SMALL, key_ops=["encrypt"])]},
    {"keys": [EC | {"use": "enc"}]}, {"keys": [jwk(MACHINE, use="sig")]}, {"keys": [jwk(MACHINE, kid="a", use="enc"),
    jwk(STRANGER, kid="b", use="enc")]}, {"keys": [jwk(MACHINE), jwk(STRANGER)]}, {"keys": [TARGET["keys"][0]] * 2},
    {"keys": [jwk(MACHINE, use="enc") | {"n": "!"}]}, {"keys": [jwk(MACHINE, use="enc") | {"e": "AQ"}]}, {"keys": [{"kty": "oct", "k": "AAAA"}]}],
    ids=lambda value: str(value)[:40])
def test_no_key_to_release_for(vault, authority, ready, runtime):
	ask(vault, ready, authority.token(**TEE | {"x-ms-runtime": runtime})).expect(400, "BadParameter")


@pytest.mark.parametrize("claims", [{"x-ms-runtime": {"keys": [jwk(STRANGER, kid="ak", use="sig"), jwk(MACHINE, kid="ek", key_ops=["wrapKey"])]}},
    {"x-ms-runtime": {"keys": [jwk(MACHINE)]}},
    {"x-ms-runtime": {"keys": [jwk(STRANGER, kid="other", key_ops=["encrypt"]), *TARGET["keys"]]}},
    {"x-ms-runtime": {}, "x-ms-sgx-ehd": b64(json.dumps(jwk(MACHINE, kid="enclave")).encode())},
    {"x-ms-runtime": {}, "maa-ehd": b64(json.dumps({"keys": [jwk(MACHINE, use="enc")]}).encode())},
    {"x-ms-runtime": {}, "x-ms-sgx-ehd": jwk(MACHINE, kid="enclave")}], ids=["two uses", "alone", "vTPM", "SGX", "set", "object"])
def test_where_the_key_is(place, vault, authority, ready, claims):
	unwrapped(verified(place, release(vault, authority, ready, authority.token(**TEE | claims))))


def test_large_target(place, vault, authority, ready):
	machine = rsa.generate_private_key(65537, 4096)
	token = authority.token(**TEE | {"x-ms-runtime": {"keys": [jwk(machine, use="enc")]}})
	unwrapped(verified(place, release(vault, authority, ready, token)), machine)


def test_bodies(vault, authority, ready):
	token = authority.token(**TEE)
	for body in ({}, {"target": None}, {"target": 1}, {"target": ""}, {"target": token, "enc": "RSA-OAEP"}, {"target": token, "enc": ""},
	    {"target": token, "nonce": 1}, {"target": token, "nonce": "n" * 1025}, {"target": "a" * 17000},
	    {"target": authority.token(**TEE, more="a" * 20000)}):
		assert vault.post(f"/keys/{ready}/release", body).status in (400, 403), str(body)[:80]
	ask(vault.server.vault("premium", version="7.2"), ready, token).expect(400, "BadParameter")
	vault.post("/keys/nobody/release", {"target": token}).expect(404, "KeyNotFound")


def test_keys_that_change_at_the_authority(vault, authority, ready, monkeypatch):
	"""A new signing key is fetched when a token names it, not before a minute has passed; an old one is good until then."""
	monkeypatch.setattr(authority, "kid", "renewed")
	refused(vault, ready, authority.token(**TEE))


# Who may, and which keys

def test_states(vault, authority, name):
	bundle = exportable(vault, name, grammar(authority))
	release(vault, authority, name)
	for attributes in ({"exp": 1700000000}, {"nbf": 4102444800, "exp": 4102444900}):
		vault.patch(f"/keys/{name}", {"attributes": attributes}).expect(200)
		release(vault, authority, name)
	vault.patch(f"/keys/{name}", {"attributes": {"enabled": False}}).expect(200)
	ask(vault, name, authority.token(**TEE)).expect(403, "Forbidden", "KeyDisabled")
	vault.delete(f"/keys/{name}").expect(200)
	ask(vault, name, authority.token(**TEE)).expect(404, "KeyNotFound")
	assert bundle["attributes"]["exportable"]


def test_not_exportable(vault, authority, name, ready):
	create(vault, name, "RSA-HSM")
	ask(vault, name, authority.token(**TEE)).expect(403, "Forbidden", "KeyOperationForbidden")
	create(vault, name + "-soft", "RSA")
	ask(vault, name + "-soft", authority.token(**TEE)).expect(403, "Forbidden", "KeyOperationForbidden")


def test_permission(place, vault, authority, ready):
	scope = f"{place.scope()}/resourceGroups/premium/providers/Microsoft.KeyVault/vaults/premium"
	nobody, machine = place.make_principal(), place.make_principal()
	place.assign(nobody, "Key Vault Crypto User", scope)
	place.assign(machine, "08bbd89e-9f13-488c-ac41-acfcb10c90ab", scope)
	ask(place.vault("premium", nobody), ready, authority.token(**TEE)).expect(403, "Forbidden", "ForbiddenByRbac")
	ask(place.vault("premium", machine), ready, authority.token(**TEE)).expect(200)
	place.vault("premium", machine).get(f"/keys/{ready}").expect(403)


# Policies

CODES = {
	1001: "AKV.SKR.1001: The exportable attribute is only supported with premium vaults and API version >= '7.3-preview'.",
	1004: "AKV.SKR.1004: Exportable keys must have release policy.",
	1005: "AKV.SKR.1005: Non-exportable keys must not have release policy.",
	1020: "AKV.SKR.1020: Immutable Key Release Policy cannot be modified.",
}


def code(reply, number):
	reply.expect(400, "BadParameter")
	assert reply.error["message"].startswith(f"AKV.SKR.{number}: ") and reply.error["message"] == CODES.get(number, reply.error["message"])


def test_rules(place, vault, authority, name):
	yes, rules = {"exportable": True}, policy(grammar(authority))
	path = f"/keys/{name}/create"
	code(place.vault("main").post(path, {"kty": "RSA", "attributes": yes, "release_policy": rules}), 1001)
	code(place.vault("premium", version="7.2").post(path, {"kty": "EC-HSM", "attributes": yes, "release_policy": rules}), 1001)
	code(vault.post(path, {"kty": "EC-HSM", "attributes": yes}), 1004)
	code(vault.post(path, {"kty": "EC-HSM", "attributes": yes, "release_policy": {}}), 1004)
	code(vault.post(path, {"kty": "EC-HSM", "release_policy": rules}), 1005)
	code(vault.post(path, {"kty": "EC", "attributes": yes, "release_policy": rules}), 1006)
	code(vault.put(f"/keys/{name}", {"key": ec_jwk(ec_key(), "P-256"), "attributes": yes, "release_policy": rules}), 1006)
	vault.post(path, {"kty": "RSA-HSM", "key_ops": ["import"], "attributes": yes, "release_policy": rules}).expect(400, "BadParameter")
	vault.get(f"/keys/{name}").expect(404)
	first = exportable(vault, name, grammar(authority))
	code(vault.post(path, {"kty": "EC-HSM", "attributes": {"exportable": False}}), 1003)
	code(vault.post(path, {"kty": "EC"}), 1006)
	code(vault.patch(f"/keys/{name}", {"attributes": {"exportable": False}}), 1014)
	code(vault.patch(first["key"]["kid"].removeprefix(vault.url), {"release_policy": rules}), 1016)
	assert vault.get(f"/keys/{name}").json == first
	# A version more has what the key has.
	second = create(vault, name, "EC-HSM")
	assert second["attributes"]["exportable"] and second["release_policy"] == first["release_policy"]
	create(vault, name + "-plain", "EC-HSM")
	code(vault.post(f"/keys/{name}-plain/create", {"kty": "EC-HSM", "attributes": yes, "release_policy": rules}), 1003)
	code(vault.patch(f"/keys/{name}-plain", {"release_policy": rules}), 1005)
	code(vault.patch(f"/keys/{name}-plain", {"attributes": yes}), 1014)


def test_a_tighter_policy_holds_for_older_versions(vault, authority, name):
	first = exportable(vault, name, grammar(authority))
	vault.post(f"/keys/{name}/rotate").expect(200)
	old = first["key"]["kid"].removeprefix(vault.url + "/keys/")
	release(vault, authority, old)
	tighter = policy(grammar(authority, {"claim": "x-ms-policy-hash", "equals": "abc"}))
	vault.patch(f"/keys/{name}", {"release_policy": tighter}).expect(200)
	for path in (name, old):
		refused(vault, path, authority.token(**TEE), NOT_ENOUGH)
		assert vault.get(f"/keys/{path}").json["release_policy"]["data"] == tighter["data"]
		release(vault, authority, path, authority.token(**TEE, **{"x-ms-policy-hash": "abc"}))


def test_immutable(vault, authority, name):
	rules, other = policy(grammar(authority)), policy(grammar(authority, {"claim": "a", "equals": 1}))
	exportable(vault, name, grammar(authority))
	vault.patch(f"/keys/{name}", {"release_policy": {"immutable": True}}).expect(200)
	for change in (other, policy(grammar(authority), immutable=False), {"immutable": False}, {"data": "!"}, policy(b"no policy"),
	    {"contentType": "application/json"}):
		code(vault.patch(f"/keys/{name}", {"release_policy": change}), 1020)
		code(vault.post(f"/keys/{name}/create", {"kty": "EC-HSM", "release_policy": change}), 1020)
	vault.patch(f"/keys/{name}", {"release_policy": rules | {"immutable": True}, "tags": {"a": "b"}}).expect(200)
	assert vault.post(f"/keys/{name}/rotate").expect(200).json["release_policy"] == {**rules, "immutable": True,
	    "contentType": "application/json; charset=utf-8"}
	release(vault, authority, name)


def test_backup_and_rotation_keep_it(place, vault, authority, name):
	bundle = exportable(vault, name, grammar(authority), tags={"a": "b"})
	rotated = vault.post(f"/keys/{name}/rotate").expect(200).json
	assert rotated["attributes"]["exportable"] and rotated["release_policy"] == bundle["release_policy"]
	secret = unwrapped(verified(place, release(vault, authority, name)))
	blob = vault.post(f"/keys/{name}/backup").expect(200).json["value"]
	vault.delete(f"/keys/{name}").expect(200)
	vault.delete(f"/deletedkeys/{name}").expect(204)
	restored = vault.post("/keys/restore", {"value": blob}).expect(200).json
	assert restored["attributes"]["exportable"] and restored["release_policy"] == bundle["release_policy"]
	assert unwrapped(verified(place, release(vault, authority, name))) == secret


CONDITION = {"claim": "a", "equals": "b"}
BAD = {
	"no JSON": lambda a: b"{", "a list": lambda a: [], "empty": lambda a: {}, "text": lambda a: "policy", "number": lambda a: 1,
	"no authority": lambda a: {"version": "1.0.0", "anyOf": []},
	"allOf on top": lambda a: {"version": "1.0.0", "allOf": grammar(a)["anyOf"]},
	"another version": lambda a: grammar(a, version="2.0.0"), "version as number": lambda a: grammar(a, version=1),
	"more on top": lambda a: grammar(a, more=1),
	"http": lambda a: {"anyOf": [{"authority": "http://a.example", "allOf": [CONDITION]}]},
	"authority is no text": lambda a: {"anyOf": [{"authority": 1, "allOf": [CONDITION]}]},
	"no conditions": lambda a: {"anyOf": [{"authority": a.url, "allOf": []}]},
	"nothing but an authority": lambda a: {"anyOf": [{"authority": a.url}]},
	"both": lambda a: {"anyOf": [{"authority": a.url, "allOf": [CONDITION], "anyOf": [CONDITION]}]},
	"empty inside": lambda a: grammar(a, {"allOf": []}), "empty any inside": lambda a: grammar(a, {"anyOf": []}),
	"authority inside": lambda a: grammar(a, {"authority": a.url, "allOf": [CONDITION]}),
	"list with a claim": lambda a: grammar(a, {"allOf": [CONDITION], **CONDITION}),
	"no claim": lambda a: grammar(a, {"equals": "b"}), "empty claim": lambda a: grammar(a, {"claim": "", "equals": "b"}),
	"no value": lambda a: grammar(a, {"claim": "a"}), "null": lambda a: grammar(a, {"claim": "a", "equals": None}),
	"object": lambda a: grammar(a, {"claim": "a", "equals": {}}), "array": lambda a: grammar(a, {"claim": "a", "equals": ["b"]}),
	"another comparison": lambda a: grammar(a, {"claim": "a", "greater": 1}),
	"equals and more": lambda a: grammar(a, {"claim": "a", "equals": "b", "not": True}),
	"old form, another condition": lambda a: grammar(a, {"claim": "a", "condition": "notEquals", "value": "b"}),
	"condition is no object": lambda a: grammar(a, "a"),
	"duplicate": lambda a: json.dumps(grammar(a)).replace('"claim"', '"claim": "x", "claim"').encode(),
	"trailing": lambda a: json.dumps(grammar(a)).encode() + b"x",
	"NUL": lambda a: json.dumps(grammar(a, {"claim": "a", "equals": "\0"})).encode(),
	"too many": lambda a: grammar(a, *[CONDITION] * 257),
	"too deep": lambda a: grammar(a, json.loads('{"allOf":[' * 8 + json.dumps(CONDITION) + "]}" * 8)),
	"too long": lambda a: grammar(a, {"claim": "a", "equals": "b" * 17000}),
	"no UTF-8": lambda a: json.dumps(grammar(a)).encode().replace(b"secureboot", b"\xff"),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_policies_out_of_grammar(vault, authority, name, make):
	body = {"kty": "EC-HSM", "attributes": {"exportable": True}, "release_policy": policy(make(authority))}
	vault.post(f"/keys/{name}/create", body).expect(400, "BadParameter")
	vault.get(f"/keys/{name}").expect(404)


@pytest.mark.parametrize("release_policy", [{"data": "!"}, {"data": 1}, {"data": ""}, {"immutable": True}, {"data": "e30", "contentType": "text/plain"},
    {"data": "e30", "immutable": "yes"}, "policy", []], ids=str)
def test_bad_policy_members(vault, name, release_policy):
	body = {"kty": "EC-HSM", "attributes": {"exportable": True}, "release_policy": release_policy}
	vault.post(f"/keys/{name}/create", body).expect(400, "BadParameter")


NESTED = {"anyOf": [{"allOf": [{"claim": "a.b", "equals": 1}, {"claim": "c", "equals": "x"}]}, {"claim": "d.e.f", "condition": "equals", "value": False}]}


@pytest.mark.parametrize("claims, enough", [({"a": {"b": 1}, "c": "x"}, True), ({"a": {"b": 1}, "c": "y"}, False), ({"a.b": 1, "c": "x"}, True),
    ({"d": {"e": {"f": False}}}, True), ({"d": {"e": {"f": "false"}}}, True), ({"d": {"e": {"f": 0}}}, False), ({"d.e": {"f": False}}, False),
    ({"a": {"b": "1"}, "c": "x"}, False), ({"a": {"b": 1.5}, "c": "x"}, False), ({}, False)], ids=str)
def test_nested_conditions(vault, authority, ready, claims, enough):
	name = unique("nested")
	exportable(vault, name, grammar(authority, NESTED))
	token = authority.token(**claims, **{"x-ms-runtime": TARGET})
	if enough:
		ask(vault, name, token).expect(200)
	else:
		refused(vault, name, token, NOT_ENOUGH)


def test_other_authorities(vault, authority, ready, name):
	"""One that is named in the policy and not set on the server, and the other way round."""
	exportable(vault, name, {"anyOf": [{"authority": "https://elsewhere.example", "allOf": [{"claim": "secureboot", "equals": True}]}]})
	refused(vault, name, authority.token(**TEE), NOT_ENOUGH)
	refused(vault, name, authority.token(**TEE, iss="https://elsewhere.example"))
	exportable(vault, name + "-slash", {"anyOf": [{"authority": authority.url + "/", "anyOf": [{"claim": "secureboot", "equals": "true"}]}]})
	ask(vault, name + "-slash", authority.token(**TEE)).expect(200)


# Azure's library

@pytest.fixture(scope="module")
def client(place, vault):
	credential = ClientSecretCredential(place.tenant, place.env["AZURE_CLIENT_ID"], place.env["AZURE_CLIENT_SECRET"],
	    authority=f"https://login.localhost:{place.port}", disable_instance_discovery=True,
	    connection_verify=place.env["STRONGROOM_CA"])
	with KeyClient(place.url("premium"), credential, connection_verify=place.env["STRONGROOM_CA"]) as client:
		yield client


def sdk_policy(authority, claim=True, **options):
	rules = {"anyOf": [{"anyOf": [{"claim": "sdk-test", "equals": claim}], "authority": authority.url + "/"}], "version": "1.0.0"}
	return KeyReleasePolicy(encoded_policy=json.dumps(rules).encode(), **options)


def test_library(place, client, authority, ready, name):
	rules = sdk_policy(authority)
	made = client.create_rsa_key(name, hardware_protected=True, exportable=True, release_policy=rules)
	assert made.properties.exportable and made.properties.release_policy.encoded_policy == rules.encoded_policy
	assert made.properties.release_policy.immutable is False
	token = authority.token(**{"sdk-test": True, "x-ms-runtime": TARGET})
	for version in (None, made.properties.version):
		result = client.release_key(name, token, version=version, nonce="n", algorithm="RSA_AES_KEY_WRAP_256")
		assert serialization.load_der_private_key(unwrapped(verified(place, result.value)), None).key_size == 2048
	updated = client.update_key_properties(name, release_policy=sdk_policy(authority, False))
	assert json.loads(updated.properties.release_policy.encoded_policy)["anyOf"][0]["anyOf"][0]["equals"] is False
	with pytest.raises(HttpResponseError) as caught:
		client.release_key(name, token)
	assert caught.value.status_code == 403
	client.update_key_properties(name, release_policy=sdk_policy(authority, immutable=True))
	with pytest.raises(HttpResponseError, match="AKV.SKR.1020"):
		client.update_key_properties(name, release_policy=sdk_policy(authority, False))
	with pytest.raises(HttpResponseError, match="AKV.SKR.1004"):
		client.create_rsa_key(unique("skr"), hardware_protected=True, exportable=True)


def test_library_import(place, client, authority, ready, name):
	private = rsa_key()
	jwk = JsonWebKey(**{member: value if member == "kty" else unb64(value) for member, value in rsa_jwk(private).items()},
	    key_ops=OPS["RSA"])
	made = client.import_key(name, jwk, hardware_protected=True, exportable=True, release_policy=sdk_policy(authority))
	assert made.properties.release_policy is not None and client.get_key(name).properties.exportable
	result = client.release_key(name, authority.token(**{"sdk-test": True, "x-ms-runtime": TARGET}))
	opened = serialization.load_der_private_key(unwrapped(verified(place, result.value)), None)
	assert opened.private_numbers() == private.private_numbers()


# The page

def test_page(place, authority, ready, tmp_path):
	"""docs/release.md, followed by an administrator and by a machine."""
	az = az_for(place, tmp_path)
	az.env |= place.env | {"ATTESTATION_URL": authority.url}
	done = az.shell(f"cd {tmp_path}\n{script_of('docs/release.md')}")
	assert done.returncode == 0, done.stdout[-2000:] + done.stderr
	(tmp_path / "attestation.jwt").write_text(authority.token(**TEE))
	(tmp_path / "machine.pem").write_bytes(MACHINE.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
	    serialization.NoEncryption()))
	(program,) = blocks("docs/release.md", "python")
	done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=tmp_path,
	    env=az.env | {"KEYVAULT_URL": place.url("attested-kv")})
	assert done.stdout == "2048\n", done.stderr


# Traces

def test_nothing_of_it_is_written_down(place, vault, authority, name, ready):
	secret = random(32)
	brought = ec.derive_private_key(int.from_bytes(secret, "big") % 2 ** 255 + 1, ec.SECP256R1())
	numbers = brought.private_numbers().private_value.to_bytes(32, "big")
	vault.put(f"/keys/{name}", {"key": ec_jwk(brought, "P-256"), "Hsm": True, "attributes": {"exportable": True},
	    "release_policy": policy(grammar(authority))}).expect(200)
	token = authority.token(**TEE)
	statement = verified(place, release(vault, authority, name, token))
	assert serialization.load_der_private_key(unwrapped(statement), None).private_numbers() == brought.private_numbers()
	refused(vault, name, token[:-4] + "AAAA")
	place.restart()
	blob = statement["response"]["key"]["key"]["key_hsm"]
	cipher = json.loads(unb64(blob))["ciphertext"]
	needles = [numbers, b64(numbers).encode(), numbers.hex().encode(), blob[:200].encode(), cipher.encode(), unb64(cipher),
	    token.encode(), token.split(".")[1].encode()]
	searched = [path for path in place.folder.rglob("*") if path.is_file()]
	assert any("audit" in str(path) for path in searched)
	for path in searched:
		content = path.read_bytes()
		assert not [needle for needle in needles if needle in content], path
	trail = b"".join(path.read_bytes() for path in searched if "audit" in str(path))
	assert b"KeyRelease" in trail and b"TpmEphemeral" not in trail
	release(vault, authority, name)


def test_statements_go_on_after_a_restart(place, vault, authority, ready):
	def key(statement):
		return jwt.get_unverified_header(statement)["kid"]
	before = release(vault, authority, ready)
	place.restart()
	after = release(vault, authority, ready)
	assert key(before) == key(after)
	verified(place, before)
	verified(place, after)


def test_no_authority_is_believed(server, tmp_path, authority):
	token = Token(tmp_path)
	one = server(options=token.options, environment=token.environment)
	vault = premium(one)
	exportable(vault, "k", grammar(authority))
	refused(vault, "k", authority.token(**TEE))
