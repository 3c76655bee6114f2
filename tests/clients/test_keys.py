"""Keys on the wire: how they are made, taken in, told, listed, changed, deleted and brought back."""
import re
import time
import uuid

import pytest

from keys import (CURVES, OPS, b64, bring, create, digest_for, ec_jwk, ec_key, key_of, number,
    octets, public, rsa_jwk, rsa_key, unb64, verifies, version_of)
from strongroom import unique

DAY = 86400
NOT_FOUND = ("A key with (name/id) {} was not found in this key vault. If you recently deleted this "
    "key you may be able to recover it using the correct recovery command. For help resolving this "
    "issue, please see https://go.microsoft.com/fwlink/?linkid=2125182")
ATTRIBUTES = ["enabled", "created", "updated", "recoveryLevel", "recoverableDays", "exportable"]


@pytest.fixture
def name():
	return unique("k")


# Create

CREATE = {
	"RSA": ({"kty": "RSA"}, 2048), "RSA 2048": ({"kty": "RSA", "key_size": 2048}, 2048),
	"RSA 3072": ({"kty": "RSA", "key_size": 3072}, 3072), "RSA 4096": ({"kty": "RSA", "key_size": 4096}, 4096),
	"RSA e": ({"kty": "RSA", "public_exponent": 65537}, 2048),
	"EC": ({"kty": "EC"}, "P-256"), "EC sized": ({"kty": "EC", "key_size": 256}, "P-256"),
	**{crv: ({"kty": "EC", "crv": crv}, crv) for crv in CURVES},
	**{f"oct {bits}": ({"kty": "oct", "key_size": bits}, bits) for bits in (128, 192, 256)},
}


@pytest.mark.parametrize("body, size", CREATE.values(), ids=CREATE)
def test_create(main, name, body, size):
	made = main.post(f"/keys/{name}/create", body).expect(200).json
	key = made["key"]
	assert re.fullmatch(rf"{re.escape(main.url)}/keys/{name}/[0-9a-f]{{32}}", key["kid"])
	assert (key["kty"], key["key_ops"]) == (body["kty"], OPS[body["kty"]])
	assert list(made) == ["key", "attributes"] and list(made["attributes"]) == ATTRIBUTES
	members = {"RSA": ["n", "e"], "EC": ["crv", "x", "y"], "oct": []}[body["kty"]]
	assert list(key) == ["kid", "kty", "key_ops", *members]
	if body["kty"] == "RSA":
		assert len(unb64(key["n"])) * 8 == number(key["n"]).bit_length() == size
		assert number(key["n"]) % 2 and key["e"] == "AQAB"
	elif body["kty"] == "EC":
		assert key["crv"] == size and public(key)  # which looks whether it is on the curve
		assert [len(unb64(key[member])) for member in "xy"] == [CURVES[size][1]] * 2
	assert main.get(f"/keys/{name}").json == made


def test_keys_differ(main, name):
	made = [create(main, name)["key"] for _ in range(8)]
	assert len({key["x"] for key in made}) == len({key["kid"] for key in made}) == 8


VERSIONS = {
	"2016-10-01": ATTRIBUTES[:4], "7.0": ATTRIBUTES[:4], "7.1": ATTRIBUTES[:5], "7.2": ATTRIBUTES[:5],
	"7.3": ATTRIBUTES, "7.4": ATTRIBUTES, "7.5-preview.1": ATTRIBUTES + ["hsmPlatform"],
	"7.5": ATTRIBUTES + ["hsmPlatform"], "7.6": ATTRIBUTES + ["hsmPlatform"],
	"2025-07-01": ATTRIBUTES + ["hsmPlatform"],
}


@pytest.mark.parametrize("version, members", VERSIONS.items(), ids=VERSIONS)
def test_attributes_of_a_version(main, name, version, members):
	query = f"api-version={version}"
	made = main.post(f"/keys/{name}/create", {"kty": "EC"}, query=query).expect(200).json
	assert list(made["attributes"]) == members
	assert made["attributes"].get("exportable", False) is False
	assert made["attributes"].get("hsmPlatform", "0") == "0"
	assert main.get(f"/keys/{name}", query=query).json == made
	(item,) = main.get(f"/keys/{name}/versions", query=query).expect(200).json["value"]
	assert item["attributes"] == made["attributes"]


@pytest.mark.parametrize("body, bits", [({"kty": "RSA"}, 2048), ({"kty": "EC", "crv": "P-521"}, 521),
    ({"kty": "oct", "key_size": 192}, 192)], ids=["RSA", "EC", "oct"])
def test_key_size(main, name, body, bits):
	made = main.post(f"/keys/{name}/create", body, query="api-version=2026-04-01").expect(200).json
	assert set(made["attributes"]) == {*ATTRIBUTES, "hsmPlatform", "key_size"}
	assert made["attributes"]["key_size"] == bits


def test_shapes(main, name):
	made = create(main, name, attributes={"exp": 4, "nbf": 3, "enabled": True}, tags={"b": "2", "a": "1"},
	    key_ops=["verify", "sign"])
	assert list(made) == ["key", "attributes", "tags"]
	attributes = made["attributes"]
	assert list(attributes) == ["enabled", "nbf", "exp", *ATTRIBUTES[1:]]
	assert (attributes["enabled"], attributes["nbf"], attributes["exp"]) == (True, 3, 4)
	assert attributes["created"] == attributes["updated"] and abs(attributes["created"] - time.time()) < 30
	assert (attributes["recoveryLevel"], attributes["recoverableDays"]) == ("Recoverable+Purgeable", 90)
	assert made["key"]["key_ops"] == ["verify", "sign"], "as given"
	assert made["tags"] == {"b": "2", "a": "1"}
	for path in ("", "/", f"/{version_of(made)}", f"/{version_of(made)}/"):
		assert main.get(f"/keys/{name}{path}").expect(200).json == made

	item = next(each for each in main.items("/keys") if each["kid"] == f"{main.url}/keys/{name}")
	assert list(item) == ["kid", "attributes", "tags"]
	assert (item["attributes"], item["tags"]) == (attributes, made["tags"])
	(item,) = main.items(f"/keys/{name}/versions")
	assert (list(item), item["kid"]) == (["kid", "attributes", "tags"], made["key"]["kid"])

	deleted = main.delete(f"/keys/{name}").expect(200).json
	head = ["recoveryId", "deletedDate", "scheduledPurgeDate"]
	assert list(deleted) == [*head, "key", "attributes", "tags"] and deleted["key"] == made["key"]
	assert main.get(f"/deletedkeys/{name}").expect(200).json == deleted
	item = next(each for each in main.items("/deletedkeys") if each["recoveryId"] == deleted["recoveryId"])
	assert (list(item), item["kid"]) == ([*head, "kid", "attributes", "tags"], f"{main.url}/keys/{name}")
	assert main.post(f"/deletedkeys/{name}/recover").expect(200).json == made


@pytest.mark.parametrize("kty", ["RSA", "oct"])
def test_nothing_private_is_told(main, name, kty):
	made = create(main, name, kty)
	replies = [made, main.get(f"/keys/{name}").json, main.patch(f"/keys/{name}", {}).json,
	    main.delete(f"/keys/{name}").json, main.get(f"/deletedkeys/{name}").json]
	for reply in replies:
		assert not set(reply["key"]) & {"d", "p", "q", "dp", "dq", "qi", "k"}


def refused(reply):
	"""With the kinds' inner code when it is the kind that is wrong."""
	assert reply.expect(400).error["code"] == "BadParameter" and reply.error["message"]
	assert reply.inner in (None, "KeyTypeNotSupported")


BAD_CREATE = {
	"empty": b"", "array": b"[]", "cut": b'{"kty":"EC"', "no kty": b"{}", "null": b'{"kty":null}',
	"number": b'{"kty":7}', "unknown": b'{"kty":"DSA"}', "lower case": b'{"kty":"rsa"}',
	"twice": b'{"kty":"EC","kty":"EC"}',
	"RSA 1024": {"kty": "RSA", "key_size": 1024}, "RSA 2047": {"kty": "RSA", "key_size": 2047},
	"RSA 0": {"kty": "RSA", "key_size": 0}, "RSA -2048": {"kty": "RSA", "key_size": -2048},
	"RSA 16384": {"kty": "RSA", "key_size": 16384}, "RSA text": {"kty": "RSA", "key_size": "2048"},
	"RSA huge": b'{"kty":"RSA","key_size":99999999999999999999}', "RSA 2048.5": b'{"kty":"RSA","key_size":2048.5}',
	"EC 4096": {"kty": "EC", "key_size": 4096}, "another curve's": {"kty": "EC", "crv": "P-256", "key_size": 384},
	"curve": {"kty": "EC", "crv": "P-224"},
	"curve's case": {"kty": "EC", "crv": "p-256"}, "curve 7": {"kty": "EC", "crv": 7},
	"oct 64": {"kty": "oct", "key_size": 64}, "oct 2048": {"kty": "oct", "key_size": 2048},
	"ops text": {"kty": "EC", "key_ops": "sign"}, "ops number": {"kty": "EC", "key_ops": [1]},
	"ops unknown": {"kty": "EC", "key_ops": ["sing"]}, "ops case": {"kty": "EC", "key_ops": ["Sign"]},
	"16 tags": {"kty": "EC", "tags": {str(i): "" for i in range(16)}}, "tag": {"kty": "EC", "tags": {"a": 1}},
	"nbf after exp": {"kty": "EC", "attributes": {"nbf": 6, "exp": 5}},
	"enabled": {"kty": "EC", "attributes": {"enabled": "yes"}},
	"exportable": {"kty": "EC", "attributes": {"exportable": True}},
}


@pytest.mark.parametrize("body", BAD_CREATE.values(), ids=BAD_CREATE)
def test_bad_create(main, name, body):
	refused(main.post(f"/keys/{name}/create", body))
	main.get(f"/keys/{name}").expect(404)


def test_size_of_another_kind(main, name):
	reply = main.post(f"/keys/{name}/create", {"kty": "EC", "key_size": 4096}).expect(400, "BadParameter")
	assert reply.error["message"] == "Unsupported key size (4096). Supported sizes are [256, 384, 521]"


@pytest.mark.parametrize("bad", ["bad_name", "a.b", "a%20b", "n" * 128])
def test_bad_name(main, bad):
	main.post(f"/keys/{bad}/create", {"kty": "EC"}).expect(400, "BadParameter")
	main.put(f"/keys/{bad}", {"key": ec_jwk(ec_key(), "P-256")}).expect(400, "BadParameter")
	main.get(f"/keys/{bad}").expect(400, "BadParameter")


@pytest.mark.parametrize("good", ["n" * 127, "0", "create", "versions", "rotate"])
def test_good_name(other, good):
	assert create(other, good)["key"]["kid"].startswith(f"{other.url}/keys/{good}/")
	other.delete(f"/keys/{good}").expect(200)
	other.delete(f"/deletedkeys/{good}").expect(204)


@pytest.mark.parametrize("kty", ["RSA-HSM", "EC-HSM", "oct-HSM"])
def test_no_hsm_in_a_standard_vault(main, name, kty):
	assert main.post(f"/keys/{name}/create", {"kty": kty}).status in (400, 403)
	main.get(f"/keys/{name}").expect(404)


@pytest.mark.parametrize("kty", ["RSA-HSM", "EC-HSM", "oct-HSM"])
def test_no_hsm_without_a_token(shared, premium, name, kty):
	refused(premium.post(f"/keys/{name}/create", {"kty": kty}))
	premium.get(f"/keys/{name}").expect(404)


@pytest.fixture(scope="module")
def premium(shared):
	path = f"{shared.group_scope}/providers/Microsoft.KeyVault/vaults/premium-keys"
	shared.manage("PUT", path, {"location": "westeurope", "properties": {"tenantId": shared.tenant,
	    "sku": {"family": "A", "name": "premium"}, "enableRbacAuthorization": True}}, version="2023-07-01").expect(201)
	return shared.vault("premium-keys")


# Import

IMPORTS = {
	"RSA 2048": lambda: rsa_jwk(rsa_key()), "RSA 3072": lambda: rsa_jwk(rsa_key(3072)),
	**{crv: lambda crv=crv: ec_jwk(ec_key(crv), crv) for crv in CURVES},
}


@pytest.mark.parametrize("make", IMPORTS.values(), ids=IMPORTS)
def test_import(main, name, make):
	jwk = make()
	shown = [member for member in ("n", "e", "crv", "x", "y") if member in jwk]
	made = bring(main, name, jwk, Hsm=False, tags={"a": "b"}, attributes={"exp": 32503680000})
	assert list(made) == ["key", "attributes", "tags"]
	assert list(made["key"]) == ["kid", "kty", "key_ops", *shown]
	assert {member: made["key"][member] for member in shown} == {member: jwk[member] for member in shown}
	assert made["key"]["key_ops"] == OPS[jwk["kty"]]
	assert made["attributes"]["exportable"] is False and made["attributes"]["exp"] == 32503680000
	algorithm = CURVES[jwk["crv"]][2] if "crv" in jwk else "PS256"
	digest = digest_for(algorithm)
	assert verifies(public(jwk), algorithm, digest, key_of(main, made).use("sign", algorithm, digest))


def test_import_with_sign_octets(main, name):
	"""As Java's BigInteger writes numbers; they are told without."""
	jwk = rsa_jwk(rsa_key())
	padded = {member: b64(b"\0" + unb64(jwk[member])) for member in ("n", "e", "d", "p", "q", "dp", "dq", "qi")}
	made = bring(main, name, {"kty": "RSA", "key_ops": ["sign"], **padded})["key"]
	assert (made["n"], made["e"], made["key_ops"]) == (jwk["n"], "AQAB", ["sign"])


def test_import_is_a_new_version(main, name):
	first = create(main, name)
	second = bring(main, name, ec_jwk(ec_key(), "P-256"))
	assert version_of(first) != version_of(second)
	assert main.get(f"/keys/{name}").json == second
	assert main.get(f"/keys/{name}/{version_of(first)}").json == first


def swap(make, **members):
	"""A JWK with some members replaced, or left out: None."""
	return lambda: {member: value for member, value in {**make(), **members}.items() if value is not None}


def more(member, by=1, make=IMPORTS["RSA 2048"]):
	return lambda: {**make(), member: octets(number(make()[member]) + by)}


RSA, EC = IMPORTS["RSA 2048"], IMPORTS["P-256"]
BAD_IMPORT = {
	"no key": lambda: None, "text": lambda: "key", "empty": dict, "no kty": swap(RSA, kty=None),
	"unknown kty": swap(RSA, kty="DSA"), "RSA as EC": swap(RSA, kty="EC"), "EC as RSA": swap(EC, kty="RSA"),
	"RSA 1024": lambda: rsa_jwk(rsa_key(1024)), "even modulus": more("n"), "another modulus": more("n", 2),
	"cut modulus": lambda: {**RSA(), "n": RSA()["n"][:-4]}, "long modulus": lambda: {**RSA(), "n": RSA()["n"] + "AAAA"},
	"e 1": swap(RSA, e=octets(1)), "e 2": swap(RSA, e=octets(2)), "e 0": swap(RSA, e="AA"), "e 3": swap(RSA, e=octets(3)),
	"e huge": lambda: {**RSA(), "e": octets(2 ** 2040 + 1)},
	**{f"no {member}": swap(RSA, **{member: None}) for member in ("n", "e", "d", "p", "q")},
	**{f"another {member}": more(member, 2) for member in ("d", "p", "q", "dp", "dq", "qi")},
	"another's d": lambda: {**RSA(), "d": rsa_jwk(rsa_key(2048, 1))["d"]},
	"p 1": lambda: {**RSA(), "p": octets(1), "q": RSA()["n"]}, "p is q": lambda: {**RSA(), "q": RSA()["p"]},
	"d 0": swap(RSA, d="AA"), "empty n": swap(RSA, n=""), "not base64": swap(RSA, n="!!!!"), "number": swap(RSA, n=7),
	"null d": lambda: {**RSA(), "d": None}, "ops": swap(RSA, key_ops=["sing"]),
	**{f"no EC {member}": swap(EC, **{member: None}) for member in ("crv", "x", "y", "d")},
	"off the curve": more("y", make=EC), "at infinity": swap(EC, x="A" * 43, y="A" * 43),
	"another EC d": more("d", make=EC), "EC d 0": swap(EC, d="A" * 43), "another curve": swap(EC, crv="P-256K"),
	"unknown curve": swap(EC, crv="P-224"), "long x": lambda: {**EC(), "x": b64(b"\1" + unb64(EC()["x"]))},
	"a larger curve": swap(EC, crv="P-384"), "EC d as the order":
	    swap(EC, d=octets(0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551)),
}


@pytest.mark.parametrize("make", BAD_IMPORT.values(), ids=BAD_IMPORT)
def test_bad_import(main, name, make):
	"""Whatever is wrong with it: neither a key nor a new version comes of it."""
	before = create(main, name)
	body = {"key": make()}
	refused(main.put(f"/keys/{name}", body))
	assert main.get(f"/keys/{name}").json == before and len(main.items(f"/keys/{name}/versions")) == 1
	refused(main.put(f"/keys/{name}-new", body))
	main.get(f"/keys/{name}-new").expect(404, "KeyNotFound")
	assert main.items(f"/keys/{name}-new/versions") == []


def test_import_of_oct(main, name):
	reply = main.put(f"/keys/{name}", {"key": {"kty": "oct", "k": b64(bytes(32))}})
	assert reply.expect(400, "BadParameter", "KeyTypeNotSupported").error["message"] == "Invalid kty value: oct"
	main.get(f"/keys/{name}").expect(404)


def test_import_into_an_hsm(main, name):
	assert main.put(f"/keys/{name}", {"key": RSA(), "Hsm": True}).status in (400, 403)
	main.get(f"/keys/{name}").expect(404)


# Update

def test_patch(main, name):
	made = bring(main, name, RSA(), tags={"a": "1"}, attributes={"exp": 100})
	path = f"/keys/{name}"
	patched = main.patch(path, {"key_ops": ["decrypt", "encrypt"], "tags": {"c": "3"}}).expect(200).json
	assert patched["key"] == {**made["key"], "key_ops": ["decrypt", "encrypt"]}, "no new version, no other key"
	assert patched["tags"] == {"c": "3"}, "the whole map is replaced"
	assert patched["attributes"]["exp"] == 100
	patched = main.patch(path + "/", {"attributes": {"nbf": 50, "exp": 200, "enabled": False}}).expect(200).json
	assert (patched["attributes"]["nbf"], patched["attributes"]["exp"]) == (50, 200)
	assert patched["attributes"]["enabled"] is False
	assert (patched["tags"], patched["key"]["key_ops"]) == ({"c": "3"}, ["decrypt", "encrypt"]), "kept"
	patched = main.patch(f"{path}/{version_of(made)}", {"attributes": {"exp": None, "enabled": True}, "tags": {}})
	patched = patched.expect(200).json
	assert (patched["attributes"]["exp"], patched["attributes"]["enabled"]) == (200, True)
	assert patched.get("tags", {}) == {}
	assert main.get(path).json == patched
	assert len(main.items(f"{path}/versions")) == 1


def test_patch_of_a_version(main, name):
	old, new = create(main, name), create(main, name)
	patched = main.patch(f"/keys/{name}/{version_of(old)}", {"tags": {"a": "old"}}).expect(200).json
	assert patched["key"] == old["key"]
	assert main.get(f"/keys/{name}").json == new
	patched = main.patch(f"/keys/{name}", {"tags": {"a": "new"}}).expect(200).json
	assert patched["key"] == new["key"]
	assert main.get(f"/keys/{name}/{version_of(old)}").json["tags"] == {"a": "old"}


@pytest.mark.parametrize("body", [b"{", b"[]", {"key_ops": ["sing"]}, {"key_ops": "sign"}, {"attributes": {"exp": "1"}},
    {"tags": {str(i): "" for i in range(16)}}, {"attributes": {"nbf": 9, "exp": 8}},
    {"attributes": {"exportable": True}}], ids=lambda body: str(body)[:30])
def test_bad_patch(main, name, body):
	made = create(main, name)
	main.patch(f"/keys/{name}", body).expect(400, "BadParameter")
	assert main.get(f"/keys/{name}").json == made


# Missing ones

def test_missing(main, name):
	for method, path, body in (("GET", "", None), ("GET", "/", None), ("PATCH", "", {}), ("DELETE", "", None),
	    ("POST", "/sign", {"alg": "ES256", "value": b64(bytes(32))}),
	    ("POST", "/wrapkey", {"alg": "RSA-OAEP", "value": "AAAA"})):
		reply = main.request(method, f"/keys/{name}{path}", body).expect(404, "KeyNotFound")
		assert reply.error["message"] == NOT_FOUND.format(name)
	for path in (f"/keys/{name}/backup", f"/deletedkeys/{name}/recover"):
		assert main.post(path).expect(404, "KeyNotFound").error["message"] == f"Key not found: {name}"
	for method in ("GET", "DELETE"):
		reply = main.request(method, f"/deletedkeys/{name}").expect(404, "KeyNotFound")
		assert reply.error["message"] == f"Deleted Key not found: {name}"
	assert main.get(f"/keys/{name}/versions").expect(200).body == b'{"value":[],"nextLink":null}'


def test_missing_version(main, name):
	create(main, name)
	version = uuid.uuid4().hex
	for method in ("GET", "PATCH"):
		reply = main.request(method, f"/keys/{name}/{version}").expect(404, "KeyNotFound")
		assert reply.error["message"] == NOT_FOUND.format(f"{name}/{version}")
	main.post(f"/keys/{name}/{version}/sign", {"alg": "ES256", "value": b64(bytes(32))}).expect(404, "KeyNotFound")
	assert main.get(f"/keys/{name}/{'g' * 32}").status in (400, 404)


def test_names_are_shared_with_secrets(main, name):
	made = create(main, name)
	main.set(name, "a secret")
	main.remove(name)
	assert main.get(f"/keys/{name}").json == made


# Lists

def test_list(other):
	names = ["a-b", "a1", "A-C", "B", "a", "Z9", "0"] + [f"item-{i:02}" for i in range(22)]
	for each in names:
		create(other, each)
	listed = other.items("/keys")
	assert [each["kid"] for each in listed] == [f"{other.url}/keys/{each}" for each in sorted(names, key=str.upper)]
	assert len(other.get("/keys").json["value"]) == 25
	for size in (1, 7, 25):
		pages = list(other.pages("/keys", size))
		assert [each for page in pages for each in page["value"]] == listed
		assert all(list(page) == ["value", "nextLink"] and len(page["value"]) <= size for page in pages)
	link = other.get("/keys", query="api-version=7.4&maxresults=3").json["nextLink"]
	assert re.fullmatch(rf"{re.escape(other.url)}/keys\?api-version=7\.4&\$skiptoken=[\w-]+&maxresults=3", link)
	for bad in ("0", "26", "x"):
		other.get("/keys", query=f"api-version=7.4&maxresults={bad}").expect(400, "BadParameter")


def test_list_of_versions(main, name):
	made = [create(main, name, tags={"n": str(i)}) for i in range(27)]
	listed = main.items(f"/keys/{name}/versions")
	assert [each["kid"] for each in listed] == sorted(each["key"]["kid"] for each in made), "by id, not by time"
	assert [each for page in main.pages(f"/keys/{name}/versions", 7) for each in page["value"]] == listed
	assert main.get(f"/keys/{name}").json == made[-1], "the newest is the latest"
	(item,) = [each for each in main.items("/keys") if each["kid"].endswith(f"/{name}")]
	assert item["tags"] == {"n": "26"}


# Deleted keys

@pytest.mark.parametrize("vault, days", [("main", 90), ("short", 7), ("protected", 90)])
def test_deleted(shared, vault, days, name):
	vault = shared.vault(vault)
	made = [create(vault, name, tags={"n": str(i)}) for i in range(3)]
	digest = digest_for("ES256")
	signature = key_of(vault, made[0]).use("sign", "ES256", digest)
	deleted = vault.delete(f"/keys/{name}").expect(200).json
	assert deleted["scheduledPurgeDate"] == deleted["deletedDate"] + days * DAY
	assert abs(deleted["deletedDate"] - time.time()) < 30
	assert deleted["recoveryId"] == f"{vault.url}/deletedkeys/{name}"
	assert deleted["tags"] == {"n": "2"} and deleted["attributes"]["recoverableDays"] == days

	sign = {"alg": "ES256", "value": b64(digest)}
	for method, path, body in (("GET", "", None), ("GET", "/" + version_of(made[0]), None), ("PATCH", "", {}),
	    ("DELETE", "", None), ("POST", "/sign", sign), ("POST", f"/{version_of(made[0])}/sign", sign)):
		reply = vault.request(method, f"/keys/{name}{path}", body).expect(404, "KeyNotFound")
		assert reply.error["message"].startswith(f"A key with (name/id) {name}")
	for reply in (vault.post(f"/keys/{name}/create", {"kty": "EC"}), vault.put(f"/keys/{name}", {"key": EC()})):
		assert reply.expect(409, "Conflict", "ObjectIsDeletedButRecoverable").error["message"] == (
			f"Key {name} is currently in a deleted but recoverable state, and its name cannot be reused; "
			"in this state, the key can only be recovered or purged.")
	vault.post(f"/keys/{name}/backup").expect(404)
	assert vault.items(f"/keys/{name}/versions") == []
	assert f"{vault.url}/keys/{name}" not in [each["kid"] for each in vault.items("/keys")]

	assert vault.post(f"/deletedkeys/{name}/recover").expect(200).json == made[-1]
	assert [vault.get(f"/keys/{name}/{version_of(each)}").json for each in made] == made
	assert key_of(vault, made[0]).verify("ES256", digest, signature), "the same key"
	vault.get(f"/deletedkeys/{name}").expect(404, "KeyNotFound")


def test_recover_of_live(main, name):
	create(main, name)
	reply = main.post(f"/deletedkeys/{name}/recover")
	reply.expect(400, "MethodNotAllowed", "RequestNotAllowedOnNonDeletedObject")
	assert reply.error["message"] == f"Key exists already: {name}"


def test_purge(main, name):
	old = create(main, name)
	main.delete(f"/keys/{name}").expect(200)
	assert main.delete(f"/deletedkeys/{name}").expect(204).body == b""
	for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/recover")):
		main.request(method, f"/deletedkeys/{name}{path}").expect(404, "KeyNotFound")
	new = create(main, name)
	assert [each["kid"] for each in main.items(f"/keys/{name}/versions")] == [new["key"]["kid"]]
	main.get(f"/keys/{name}/{version_of(old)}").expect(404, "KeyNotFound")


def test_purge_protection(shared, name):
	vault = shared.vault("protected")
	create(vault, name)
	vault.delete(f"/keys/{name}").expect(200)
	reply = vault.delete(f"/deletedkeys/{name}").expect(403)
	assert reply.error["code"] == "Forbidden" and "purge protection is enabled" in reply.error["message"]
	vault.post(f"/deletedkeys/{name}/recover").expect(200)


# Backup

def backup(vault, name):
	return vault.post(f"/keys/{name}/backup").expect(200).json["value"]


def test_restore_into_another_vault(main, shared, name):
	"""Every version, and each is still the key it was."""
	short = shared.vault("short")
	made = [bring(main, name, RSA(), attributes={"exp": 32503680000}), create(main, name, "oct", tags={"a": "b"}),
	    create(main, name, crv="P-521", key_ops=["sign"], attributes={"enabled": False}), create(main, name)]
	digest = digest_for("RS256")
	signature = key_of(main, made[0]).use("sign", "RS256", digest)
	sealed = main.post(f"/keys/{name}/{version_of(made[1])}/wrapkey", {"alg": "A256KW", "value": b64(digest)}).expect(200)
	blob = backup(main, name)
	assert re.fullmatch(r"[\w-]+", blob), "base64url without padding"
	restored = short.post("/keys/restore", {"value": blob}).expect(200).json
	assert restored["key"]["kid"] == made[-1]["key"]["kid"].replace(main.url, short.url)
	assert restored["attributes"]["recoverableDays"] == 7, "the vault's, not the backup's"
	for bundle in made:
		copy = short.get(f"/keys/{name}/{version_of(bundle)}").expect(200).json
		assert {**copy["key"], "kid": 0} == {**bundle["key"], "kid": 0} and copy.get("tags") == bundle.get("tags")
		for member in ("enabled", "exp", "created", "updated"):
			assert copy["attributes"].get(member) == bundle["attributes"].get(member)
	path = f"/keys/{name}/{version_of(made[0])}"
	again = short.post(f"{path}/sign", {"alg": "RS256", "value": b64(digest)}).expect(200).json
	assert unb64(again["value"]) == signature, "RS256 has no chance in it"
	body = {"alg": "A256KW", "value": sealed.json["value"]}
	opened = short.post(f"/keys/{name}/{version_of(made[1])}/unwrapkey", body).expect(200).json
	assert unb64(opened["value"]) == digest
	short.delete(f"/keys/{name}").expect(200)
	assert main.get(f"/keys/{name}").json == made[-1], "independent of it"


def test_restore_conflict(main, name):
	made = create(main, name)
	blob = backup(main, name)
	reply = main.post("/keys/restore", {"value": blob}).expect(409, "Conflict")
	assert reply.error["message"].startswith(f"There was a conflict restoring the key '{made['key']['kid']}'. This can "
	    "happen if either: a second key with the same name was created")
	main.delete(f"/keys/{name}").expect(200)
	assert main.post("/keys/restore", {"value": blob}).expect(409).error["code"] == "Conflict"
	main.delete(f"/deletedkeys/{name}").expect(204)
	assert main.post("/keys/restore", {"value": blob}).expect(200).json == made
	key_of(main, made).use("sign", "ES256", digest_for("ES256"))


def malformed(vault, kind, blob):
	reply = vault.post(f"/{kind}/restore", {"value": blob})
	assert reply.expect(400, "Malformed backup blob").error["message"] == \
	    "Backup blob contains invalid or corrupt version."


def test_damaged_backup(main, shared, name):
	create(main, name)
	target, blob = shared.vault("short"), backup(main, name)
	middle = len(blob) // 2
	changed = blob[:middle] + ("A" if blob[middle] != "A" else "B") + blob[middle + 1:]
	own = b64(b"\x26AzureKeyVaultKeyBackupV1.microsoft.com" + b"e30.a.b.c.d")
	for damaged in (blob[:-4], blob[:100], blob[4:], changed, blob + "AAAA", "AAAA", "", "!!!", "x" * 50000, own):
		malformed(target, "keys", damaged)
	target.get(f"/keys/{name}").expect(404)
	target.post("/keys/restore", {"value": blob}).expect(200)


def test_backup_of_another_kind(main, shared, name):
	create(main, name)
	main.set(name, "a secret")
	malformed(shared.vault("short"), "secrets", backup(main, name))
	malformed(shared.vault("short"), "keys", main.backup(name))
	for kind in ("keys", "secrets"):
		shared.vault("short").get(f"/{kind}/{name}").expect(404)


def test_backup_of_another_installation(main, server, name):
	foreign = server(vaults=["main"]).vault("main")
	create(foreign, name)
	malformed(main, "keys", backup(foreign, name))
	main.get(f"/keys/{name}").expect(404)


def test_backup_hides_the_key(main, name):
	bring(main, name, EC())
	blob = unb64(backup(main, name))
	for text in (unb64(EC()["d"]), EC()["d"].encode(), unb64(EC()["d"]).hex().encode()):
		assert text[:16] not in blob


# Who may

def test_roles(shared, principal, main, name):
	user = principal(("Key Vault Crypto User", shared.scope("main")))
	officer = principal(("Key Vault Crypto Officer", shared.scope("main")))
	made = create(shared.vault("main", officer), name)
	sees = shared.vault("main", user)
	assert sees.get(f"/keys/{name}").expect(200).json == made
	key_of(sees, made).use("sign", "ES256", digest_for("ES256"))
	reply = sees.post(f"/keys/{name}/create", {"kty": "EC"}).expect(403, "Forbidden", "ForbiddenByRbac")
	assert "Action: 'Microsoft.KeyVault/vaults/keys/create/action'" in reply.error["message"]
	sees.delete(f"/keys/{name}").expect(403, "Forbidden", "ForbiddenByRbac")
	sees.get("/secrets").expect(403, "Forbidden", "ForbiddenByRbac")
	assert len(main.items(f"/keys/{name}/versions")) == 1


def test_random_bytes(main):
	seen = [unb64(main.post("/rng", {"count": count}).expect(200).json["value"]) for count in (1, 32, 128, 128)]
	assert [len(each) for each in seen] == [1, 32, 128, 128] and seen[2] != seen[3]
	for count in (0, 129, -1, 2**40, 1.5, "32", None):
		main.post("/rng", {"count": count}).expect(400, "BadParameter")
	main.post("/rng", {}).expect(400, "BadParameter")
