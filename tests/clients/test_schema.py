"""The API held against its published descriptions: every operation, every version that has one.

Good requests are answered as the description has it, with no member that its version does not know.
Bodies with one thing wrong are refused with the error's form, and change nothing.
"""
import base64
import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from openapi import VERSIONS, WRONG, Absent, Document, changed
from strongroom import unique

FAR = 4102444800  # 2100


def b64(data):
	return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
	return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def rsa_jwk():
	private = rsa.generate_private_key(65537, 2048).private_numbers()
	public = private.public_numbers
	return {"kty": "RSA", "key_ops": ["sign", "verify"], "n": number(public.n), "e": number(public.e),
	    "d": number(private.d), "p": number(private.p), "q": number(private.q), "dp": number(private.dmp1),
	    "dq": number(private.dmq1), "qi": number(private.iqmp)}


def ec_jwk():
	private = ec.generate_private_key(ec.SECP256R1()).private_numbers()
	public = private.public_numbers
	return {"kty": "EC", "crv": "P-256", "x": number(public.x, 32), "y": number(public.y, 32),
	    "d": number(private.private_value, 32)}


class Bench:
	"""A vault by one version of the API, and things in it to try operations on."""

	def __init__(self, vault, collection):
		self.vault, self.collection = vault, collection
		self.kind = collection.removesuffix("s")
		self.kept, self.versions = {}, {}

	def make(self, what=None):
		"""A new one: its name."""
		name = unique("schema")
		if self.kind == "secret":
			self.vault.set(name)
		elif what == "aes":
			self.vault.post(f"/keys/{name}/create", {"kty": "oct", "key_size": 256}).expect(200)
		elif what == "rsa":
			self.vault.post(f"/keys/{name}/create", {"kty": "RSA"}).expect(200)
		else:
			self.vault.post(f"/keys/{name}/create", {"kty": "EC"}).expect(200)
		return name

	def keep(self, what=None):
		"""The one of its kind that is there for all to use."""
		if what not in self.kept:
			self.kept[what] = self.make(what)
		return self.kept[what]

	def deleted(self):
		name = self.make()
		self.vault.delete(f"/{self.collection}/{name}").expect(200)
		return name

	def backup(self, name=None):
		"""Of one that is gone, so that it can be restored."""
		name = name or self.make()
		value = self.vault.post(f"/{self.collection}/{name}/backup").expect(200).json["value"]
		self.vault.delete(f"/{self.collection}/{name}").expect(200)
		self.vault.delete(f"/deleted{self.collection}/{name}").expect(204)
		return value

	def version(self, name):
		"""Any of its versions: the first one."""
		if name not in self.versions:
			items = self.vault.items(f"/{self.collection}/{name}/versions")
			self.versions[name] = next((item.get("id") or item["kid"]).rsplit("/", 1)[1] for item in [*items, {"id": "/"}])
		return self.versions[name]

	def count(self, name):
		return len(self.vault.items(f"/{self.collection}/{name}/versions"))

	def use(self, what, verb, **members):
		return self.vault.post(f"/keys/{self.keep(what)}/{verb}", members).expect(200).json["value"]


DIGEST = b64(bytes(32))
OAEP = {"alg": "RSA-OAEP", "value": DIGEST}

# What stands in the path, if it is not the one that is kept for all.
SUBJECTS = {
	"DeleteSecret": Bench.make, "DeleteKey": Bench.make,
	"GetDeletedSecret": Bench.deleted, "PurgeDeletedSecret": Bench.deleted, "RecoverDeletedSecret": Bench.deleted,
	"GetDeletedKey": Bench.deleted, "PurgeDeletedKey": Bench.deleted, "RecoverDeletedKey": Bench.deleted,
	**{name: lambda bench: bench.keep("rsa")
	    for name in ("Encrypt", "Decrypt", "Sign", "Verify", "WrapKey", "UnwrapKey")},
}

# A good body for each operation that has one, with as many members as go together.
BODIES = {
	"SetSecret": lambda bench: {"value": "v", "tags": {"a": "b"}, "contentType": "text/plain",
	    "attributes": {"enabled": True, "nbf": 1, "exp": FAR}},
	"UpdateSecret": lambda bench: {"contentType": "text/html", "tags": {"c": "d"},
	    "attributes": {"enabled": True, "nbf": 2, "exp": FAR}},
	"RestoreSecret": lambda bench: {"value": bench.backup()},
	"CreateKey": lambda bench: {"kty": "EC", "crv": "P-256", "key_ops": ["sign", "verify"], "tags": {"a": "b"},
	    "attributes": {"enabled": True, "nbf": 1, "exp": FAR}},
	"ImportKey": lambda bench: {"Hsm": False, "key": rsa_jwk(), "tags": {"a": "b"},
	    "attributes": {"enabled": True, "nbf": 1, "exp": FAR}},
	"UpdateKey": lambda bench: {"key_ops": ["sign", "verify"], "tags": {"c": "d"},
	    "attributes": {"enabled": True, "nbf": 2, "exp": FAR}},
	"RestoreKey": lambda bench: {"value": bench.backup()},
	"Encrypt": lambda bench: OAEP,
	"WrapKey": lambda bench: OAEP,
	"Decrypt": lambda bench: OAEP | {"value": bench.use("rsa", "encrypt", **OAEP)},
	"UnwrapKey": lambda bench: OAEP | {"value": bench.use("rsa", "wrapkey", **OAEP)},
	"Sign": lambda bench: {"alg": "RS256", "value": DIGEST},
	"Verify": lambda bench: {"alg": "RS256", "digest": DIGEST,
	    "value": bench.use("rsa", "sign", alg="RS256", value=DIGEST)},
	"UpdateKeyRotationPolicy": lambda bench: {"attributes": {"expiryTime": "P90D"}, "lifetimeActions": [
	    {"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}},
	    {"trigger": {"timeAfterCreate": "P60D"}, "action": {"type": "Rotate"}}]},
	"GetRandomBytes": lambda bench: {"count": 32},
}

# Further good bodies, beside the one above.
MORE = {
	"CreateKey": ({"kty": "RSA", "key_size": 2048, "public_exponent": 65537}, {"kty": "oct", "key_size": 128}),
	"ImportKey": ({"key": ec_jwk()},),
}

# Operations that have tests of their own, because they need more around them than a vault.
ELSEWHERE = {
	"Release": "an attestation authority", "GetKeyAttestation": "keys in a token",
	"Securewrapkey": "an attestation authority", "Secureunwrapkey": "an attestation authority",
}


# Members that are never looked at, because the server says what they are.
IGNORED = {("key", "kid"), ("attributes", "external_key")}


CASES = [(version, collection, name) for version in VERSIONS for collection in ("secrets", "keys")
	for name in Document(version, collection).operations if name not in ELSEWHERE]


@pytest.fixture(scope="module")
def benches(shared):
	return {(version, collection): Bench(shared.vault("schema", version=version), collection)
	    for version in VERSIONS for collection in ("secrets", "keys")}


@pytest.fixture(scope="module")
def documents():
	return {(version, collection): Document(version, collection)
	    for version in VERSIONS for collection in ("secrets", "keys")}


def subject(bench, name):
	return SUBJECTS.get(name, Bench.keep)(bench)


def send(bench, operation, name, body, query=None):
	path = operation.path.replace(f"{{{bench.kind}-name}}", name)
	path = path.replace(f"{{{bench.kind}-version}}", bench.version(name))
	return bench.vault.request(operation.method, path, body, query=query)


def refused(bench, operation, reply, about):
	"""An error as the description has it; nobody is told of our insides."""
	assert 400 <= reply.status < 500, f"{operation.name} {about}: {reply}"
	error = reply.json
	assert set(error) == {"error"} and {"code", "message"} <= set(error["error"]), f"{about}: {reply}"
	if "KeyVaultError" in operation.document.definitions:
		operation.document.validate({"$ref": "#/definitions/KeyVaultError"}, error)


@pytest.mark.parametrize("version, collection, name", CASES)
def test_good(benches, documents, version, collection, name):
	bench, operation = benches[version, collection], documents[version, collection].operations[name]
	bodies = [BODIES[name](bench)] if operation.body else [None]
	for body in itertools.chain(bodies, MORE.get(name, ())):
		operation.check(send(bench, operation, subject(bench, name), body))


@pytest.mark.parametrize("version, collection, name",
	[case for case in CASES if case[2] in BODIES])
def test_wrong_members(benches, documents, version, collection, name):
	"""Each member of the body in turn is of another type, or is missed."""
	document = documents[version, collection]
	bench, operation = benches[version, collection], document.operations[name]
	good, target = BODIES[name](bench), subject(bench, name)
	before = bench.count(target)
	tried = 0
	for path, schema, required in document.paths(operation.body):
		for value in [*WRONG[document.type_of(schema)], *[Absent] * required]:
			if path in IGNORED:
				continue
			body = changed(good, path, value)
			if body is not None:
				refused(bench, operation, send(bench, operation, target, body), (path, value))
				tried += 1
	assert tried >= 4
	assert bench.count(target) == before


@pytest.mark.parametrize("version, collection, name",
	[case for case in CASES if case[2] in BODIES])
def test_wrong_bodies(benches, documents, version, collection, name):
	bench, operation = benches[version, collection], documents[version, collection].operations[name]
	target = subject(bench, name)
	before = bench.count(target)
	for body in (b"", b"null", b"[]", b"7", b'"x"', b"{", b'{"value":', b"\xff\xfe", b'{"a":' * 5000 + b"1" + b"}" * 5000,
	    b"[" * 100000, b'{"value":"\\ud800"}', b'{"alg":"x","alg":"y"}'):
		if body == b"" and (operation.method == "PATCH" or name == "UpdateKeyRotationPolicy"):
			continue  # no body is an empty one, and that is fine there
		refused(bench, operation, send(bench, operation, target, body), body[:20])
	assert bench.count(target) == before


@pytest.mark.parametrize("version, collection, name", CASES)
def test_wrong_queries(benches, documents, version, collection, name):
	bench, operation = benches[version, collection], documents[version, collection].operations[name]
	body = BODIES[name](bench) if operation.body else None
	queries = ["", "api-version=", "api-version=9.9", f"api-version={version}%00"]
	if operation.lists:
		queries += [f"api-version={version}&maxresults={count}" for count in ("0", "-1", "26", "x", "1" * 40)]
		queries += [f"api-version={version}&$skiptoken=x"]
	target = subject(bench, name)
	for query in queries:
		refused(bench, operation, send(bench, operation, target, body, query), query)
