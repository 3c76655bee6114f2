"""The API held against its published descriptions: every operation, every version that has one.

Good requests are answered as the description has it, with no member that its version does not know, and with what was said.
Bodies with one thing wrong are refused with the error's form, and change nothing.
"""
import base64
import itertools
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certs import begin, chain, csr_of, der, issue, make_pfx, new_key, pem_of, wait
from openapi import NEWEST, VERSIONS, Document, changed, value_at
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


NAMES = {"emails": ["a@b.test"], "dns_names": ["a.test"], "upns": ["c@b.test"], "uris": ["https://a.test/"],
    "ipAddresses": ["192.0.2.1"]}

# A policy with every member a client may give, but for two triggers in one action.
POLICY = {
	"key_props": {"exportable": True, "kty": "EC", "key_size": 256, "reuse_key": False, "crv": "P-256"},
	"secret_props": {"contentType": "application/x-pem-file"},
	"x509_props": {"subject": "CN=schema.test", "ekus": ["1.3.6.1.5.5.7.3.1"],
	    "sans": NAMES, "key_usage": ["digitalSignature"], "validity_months": 6, "basic_constraints": {"ca": False}},
	"lifetime_actions": [{"trigger": {"lifetime_percentage": 70}, "action": {"action_type": "AutoRenew"}},
	    {"trigger": {"days_before_expiry": 9}, "action": {"action_type": "EmailContacts"}}],
	"issuer": {"name": "Self", "cty": "OV-SSL", "cert_transparency": False},
	"attributes": {"enabled": True, "nbf": 1, "exp": FAR},
}
TO_MERGE = POLICY | {"issuer": {"name": "Unknown"}, "lifetime_actions": POLICY["lifetime_actions"][1:]}
COMMON = {"tags": {"a": "b"}, "attributes": {"enabled": True, "nbf": 1, "exp": FAR}}
ISSUER = {"provider": "Test", "credentials": {"account_id": "a", "pwd": "b"}, "attributes": {"enabled": True},
    "org_details": {"id": "o", "admin_details": [{"first_name": "A", "last_name": "B", "email": "a@b.test",
        "phone": "1"}]}}
CONTACTS = {"contacts": [{"email": "a@b.test", "name": "A", "phone": "1"}]}
FILE = pem_of(*chain())

MAKERS = {
	("secrets", None): lambda vault, name: vault.set(name),
	("keys", None): lambda vault, name: vault.post(f"/keys/{name}/create", {"kty": "EC"}).expect(200),
	("keys", "rsa"): lambda vault, name: vault.post(f"/keys/{name}/create", {"kty": "RSA"}).expect(200),
	("certificates", None): lambda vault, name: vault.post(f"/certificates/{name}/import", {"value": FILE}).expect(200),
	("certificates", "pending"): lambda vault, name: begin(vault, name, TO_MERGE),
	("certificates", "issuer"): lambda vault, name: vault.put(f"/certificates/issuers/{name}", ISSUER).expect(200),
	("certificates", "contacts"): lambda vault, name: vault.put("/certificates/contacts", CONTACTS).expect(200),
	("certificates", "nothing"): lambda vault, name: None,
}

# Where what there is of a name can be seen.
SEEN = {
	"secrets": ("secrets/{}", "secrets/{}/versions"),
	"keys": ("keys/{}", "keys/{}/versions", "keys/{}/rotationpolicy"),
	"certificates": ("certificates/{}", "certificates/{}/versions", "certificates/{}/policy",
	    "certificates/{}/pending", "keys/{}", "secrets/{}", "certificates/issuers/{}", "certificates/contacts"),
}


class Bench:
	"""A vault by one version of the API, and things in it to try operations on."""

	def __init__(self, vault, collection):
		self.vault, self.collection = vault, collection
		self.kept, self.versions = {}, {}

	def make(self, what=None):
		"""A new one: its name."""
		name = unique("schema")
		MAKERS[self.collection, what](self.vault, name)
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

	def state(self, name):
		"""What can be seen of it."""
		replies = [(path, self.vault.get("/" + path.format(name))) for path in SEEN[self.collection]]
		return [(path, reply.status, reply.json) for path, reply in replies]

	def merger(self, name):
		"""What a pending operation's request is answered with."""
		csr = csr_of(self.vault.get(f"/certificates/{name}/pending").expect(200).json)
		return der(issue(csr.public_key(), "schema.test", new_key(), "ca"))

	def use(self, what, verb, **members):
		return self.vault.post(f"/keys/{self.keep(what)}/{verb}", members).expect(200).json["value"]


DIGEST = b64(bytes(32))
OAEP = {"alg": "RSA-OAEP", "value": DIGEST}

# What stands in the path, if it is not the one that is kept for all.
SUBJECTS = {
	"DeleteSecret": Bench.make, "DeleteKey": Bench.make,
	"GetDeletedSecret": Bench.deleted, "PurgeDeletedSecret": Bench.deleted, "RecoverDeletedSecret": Bench.deleted,
	"GetDeletedKey": Bench.deleted, "PurgeDeletedKey": Bench.deleted, "RecoverDeletedKey": Bench.deleted,
	"DeleteCertificate": Bench.make, "GetDeletedCertificate": Bench.deleted,
	"PurgeDeletedCertificate": Bench.deleted, "RecoverDeletedCertificate": Bench.deleted,
	"CreateCertificate": lambda bench: bench.make("nothing"),
	"ImportCertificate": lambda bench: bench.make("nothing"),
	"GetCertificateOperation": lambda bench: bench.keep("pending"),
	**{name: lambda bench: bench.make("pending")
	    for name in ("UpdateCertificateOperation", "DeleteCertificateOperation", "MergeCertificate")},
	**{name: lambda bench: bench.keep("issuer")
	    for name in ("SetCertificateIssuer", "UpdateCertificateIssuer", "GetCertificateIssuer")},
	"DeleteCertificateIssuer": lambda bench: bench.make("issuer"),
	**{name: lambda bench: bench.make("contacts")
	    for name in ("SetCertificateContacts", "GetCertificateContacts", "DeleteCertificateContacts")},
	**{name: lambda bench: bench.keep("rsa")
	    for name in ("Encrypt", "Decrypt", "Sign", "Verify", "WrapKey", "UnwrapKey")},
}

# A good body for each operation that has one, with as many members as go together.
BODIES = {
	"SetSecret": lambda bench, _: {"value": "v", "tags": {"a": "b"}, "contentType": "text/plain",
	    "attributes": {"enabled": True, "nbf": 1, "exp": FAR}},
	"UpdateSecret": lambda bench, _: {"contentType": "text/html", "tags": {"c": "d"},
	    "attributes": {"enabled": True, "nbf": 2, "exp": FAR}},
	"RestoreSecret": lambda bench, _: {"value": bench.backup()},
	"CreateKey": lambda bench, _: {"kty": "EC", "crv": "P-256", "key_ops": ["sign", "verify"], "tags": {"a": "b"},
	    "attributes": {"enabled": True, "nbf": 1, "exp": FAR}},
	"ImportKey": lambda bench, _: {"Hsm": False, "key": rsa_jwk(), "tags": {"a": "b"},
	    "attributes": {"enabled": True, "nbf": 1, "exp": FAR}},
	"UpdateKey": lambda bench, _: {"key_ops": ["sign", "verify"], "tags": {"c": "d"},
	    "attributes": {"enabled": True, "nbf": 2, "exp": FAR}},
	"RestoreKey": lambda bench, _: {"value": bench.backup()},
	"Encrypt": lambda bench, _: OAEP,
	"WrapKey": lambda bench, _: OAEP,
	"Decrypt": lambda bench, _: OAEP | {"value": bench.use("rsa", "encrypt", **OAEP)},
	"UnwrapKey": lambda bench, _: OAEP | {"value": bench.use("rsa", "wrapkey", **OAEP)},
	"Sign": lambda bench, _: {"alg": "RS256", "value": DIGEST},
	"Verify": lambda bench, _: {"alg": "RS256", "digest": DIGEST,
	    "value": bench.use("rsa", "sign", alg="RS256", value=DIGEST)},
	"UpdateKeyRotationPolicy": lambda bench, _: {"attributes": {"expiryTime": "P90D"}, "lifetimeActions": [
	    {"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}},
	    {"trigger": {"timeAfterCreate": "P60D"}, "action": {"type": "Rotate"}}]},
	"GetRandomBytes": lambda bench, _: {"count": 32},
	"CreateCertificate": lambda bench, _: COMMON | {"policy": POLICY, "preserveCertOrder": True},
	"ImportCertificate": lambda bench, _: COMMON | {"value": FILE, "pwd": "", "policy": POLICY,
	    "preserveCertOrder": True},
	"UpdateCertificate": lambda bench, _: COMMON | {"policy": POLICY},
	"UpdateCertificatePolicy": lambda bench, _: POLICY,
	"UpdateCertificateOperation": lambda bench, _: {"cancellation_requested": True},
	"MergeCertificate": lambda bench, name: COMMON | {"x5c": [bench.merger(name)]},
	"RestoreCertificate": lambda bench, _: {"value": bench.backup()},
	"SetCertificateIssuer": lambda bench, _: ISSUER,
	"UpdateCertificateIssuer": lambda bench, _: ISSUER,
	"SetCertificateContacts": lambda bench, _: CONTACTS,
}

# Further good bodies, beside the one above.
MORE = {
	"CreateKey": ({"kty": "RSA", "key_size": 2048, "public_exponent": 65537}, {"kty": "oct", "key_size": 128}),
	"ImportKey": ({"key": ec_jwk()},),
	"CreateCertificate": ({"policy": {"x509_props": {"subject": "CN=a"}, "key_props": {"kty": "EC"}}},
	    {"policy": {"x509_props": {"sans": {"dns_names": ["a.test"]}}, "key_props": {"kty": "EC", "key_size": 384}}}),
	"ImportCertificate": ({"value": FILE}, {"value": make_pfx(*chain("RSA 2048"), b"password"), "pwd": "password"}),
	"UpdateCertificate": ({}, {"tags": {}}, {"attributes": {"enabled": False}}, {"attributes": {"enabled": True}}),
	"UpdateCertificatePolicy": ({}, {"x509_props": {"sans": {}}}, {"lifetime_actions": []}),
	"SetCertificateIssuer": ({"provider": "DigiCert", "credentials": None, "org_details": {"admin_details": []}},),
	"UpdateCertificateIssuer": ({}, {"provider": "GlobalSign"}),
	"SetCertificateContacts": ({"contacts": [{"email": "a@b.test"}]},),
}

# Operations that have tests of their own, because they need more around them than a vault.
ELSEWHERE = {
	"Release": "an attestation authority", "GetKeyAttestation": "keys in a token",
	"Securewrapkey": "an attestation authority", "Secureunwrapkey": "an attestation authority",
}


# Members that are never looked at, because the server says what they are.
IGNORED = {("key", "kid"), ("attributes", "external_key")}

# Whose type is looked at, but not their value, because the key or the certificate that comes with them says it.
OVERRULED = {("ImportKey", "crv"), ("ImportCertificate", "key_usage"), ("ImportCertificate", "validity_months")}


# Whose replies need not have anything of what was said.
NOTHING_TOLD = {
	"Encrypt", "Decrypt", "WrapKey", "UnwrapKey", "Sign", "Verify", "GetRandomBytes", "RestoreSecret", "RestoreKey", "RestoreCertificate",
	"CreateCertificate",  # an operation; preserveCertOrder in the newer versions
}

# Beginnings of members whose value in the reply is another one, or that are not in it.
VALIDITY = (("attributes", "nbf"), ("attributes", "exp"))
TOLD_OTHERWISE = {
	"ImportKey": tuple(("key", member) for member in ("d", "p", "q", "dp", "dq", "qi")),
	"SetCertificateIssuer": (("credentials", "pwd"),), "UpdateCertificateIssuer": (("credentials", "pwd"),),
	"UpdateCertificatePolicy": VALIDITY, "MergeCertificate": VALIDITY, "UpdateCertificate": (("policy",), *VALIDITY),
	"ImportCertificate": (("policy", "x509_props", "validity_months"), ("policy", "x509_props", "subject"),
	    ("policy", "attributes", "nbf"), ("policy", "attributes", "exp"), *VALIDITY),
}

# Where a version can be left out, and more is looked at then.
LATEST = {"GetCertificate", "UpdateCertificate"}

# Good for the type of a member, to say what only the server says.
SAID = {"string": "x", "integer": 1, "boolean": True, "object": {}}

COLLECTIONS = ("secrets", "keys", "certificates")
CASES = [(version, collection, name) for version in VERSIONS for collection in COLLECTIONS
	for name in Document(version, collection).operations if name not in ELSEWHERE]
WITH_BODY = [case for case in CASES if case[2] in BODIES]


@pytest.fixture(scope="module")
def benches(shared):
	return {(version, collection): Bench(shared.vault("schema", version=version), collection)
	    for version in VERSIONS for collection in COLLECTIONS}


@pytest.fixture(scope="module")
def documents():
	return {(version, collection): Document(version, collection)
	    for version in VERSIONS for collection in COLLECTIONS}


def subject(bench, name):
	return SUBJECTS.get(name, Bench.keep)(bench)


def body_for(bench, operation, name):
	return BODIES[operation.name](bench, name) if operation.body else None


def send(bench, operation, name, body, query=None, latest=False):
	path = re.sub(r"\{\w+-name\}", name, operation.path)
	if "-version}" in path:
		path = re.sub(r"\{\w+-version\}", "" if latest else bench.version(name), path)
	return bench.vault.request(operation.method, path, body, query=query)


def told_again(operation, path, body, status):
	"""Is what ${body} says there to come back as it is?"""
	return operation.name not in NOTHING_TOLD and isinstance(value_at(body, path), (str, int)) and operation.tells(status, path) and \
	    not any(path[:len(begin)] == begin for begin in TOLD_OTHERWISE.get(operation.name, ()))


def refused(bench, operation, reply, about, statuses=range(400, 500)):
	"""An error as the description has it; nobody is told of our insides."""
	assert reply.status in statuses, f"{operation.name} {about}: {reply}"
	error = reply.json
	assert set(error) == {"error"} and {"code", "message"} <= set(error["error"]), f"{about}: {reply}"
	if "KeyVaultError" in operation.document.definitions:
		operation.document.validate({"$ref": "#/definitions/KeyVaultError"}, error)


def test_the_descriptions_are_read():
	names = {name for version in VERSIONS for collection in COLLECTIONS for name in Document(version, collection).operations}
	assert len(VERSIONS) >= 5 and len(CASES) > 300 and len(WITH_BODY) > 100, (len(VERSIONS), len(CASES), len(WITH_BODY))
	assert {*SUBJECTS, *BODIES, *MORE, *ELSEWHERE, *LATEST, *(name for name, _ in OVERRULED), *NOTHING_TOLD, *TOLD_OTHERWISE} <= names


@pytest.mark.parametrize("version, collection, name", CASES)
def test_good(benches, documents, version, collection, name):
	bench, operation = benches[version, collection], documents[version, collection].operations[name]
	target = subject(bench, name)
	body = body_for(bench, operation, target)
	reply = send(bench, operation, target, body)
	operation.check(reply)
	told = [path for path, _, _ in operation.document.paths(operation.body or {}) if told_again(operation, path, body, reply.status)]
	assert bool(told) == (name in BODIES and name not in NOTHING_TOLD), told
	for path in told:
		assert value_at(reply.json, path) == value_at(body, path), (path, reply)
	if name in LATEST:
		operation.check(send(bench, operation, target, body_for(bench, operation, target), latest=True))
	if "includePending" in operation.queries:
		bench.make("pending")
		query = f"api-version={version}&includePending=true"
		operation.check(send(bench, operation, target, None, query))
	for body in MORE.get(name, ()):
		operation.check(send(bench, operation, subject(bench, name), body))


@pytest.mark.parametrize("version, collection, name", WITH_BODY)
def test_read_only(benches, documents, version, collection, name):
	"""What only the server says is passed over when a client says it."""
	document = documents[version, collection]
	bench, operation = benches[version, collection], document.operations[name]
	target = subject(bench, name)
	body = body_for(bench, operation, target)
	said = {path: SAID[document.type_of(schema)] for path, schema, _ in document.paths(operation.body, read_only=True)}
	for path, value in said.items():
		body = changed(body, path, value) or body
	reply = send(bench, operation, target, body, latest=name in LATEST)
	operation.check(reply)
	for path, value in said.items():
		assert value_at(reply.json, path) != value, (path, reply)


@pytest.mark.parametrize("version, collection, name", WITH_BODY)
def test_wrong_members(benches, documents, version, collection, name):
	"""Each member of the body in turn is of another type, or out of its range, or is missed."""
	document = documents[version, collection]
	bench, operation = benches[version, collection], document.operations[name]
	target = subject(bench, name)
	good, before = body_for(bench, operation, target), bench.state(target)
	tried = 0
	for path, schema, required in document.paths(operation.body):
		for value in document.wrong(schema, required, typed=(name, path[-1]) in OVERRULED):
			if path in IGNORED:
				continue
			body = changed(good, path, value)
			if body is not None:
				refused(bench, operation, send(bench, operation, target, body, latest=name in LATEST), (path, value), (400,))
				tried += 1
	assert tried >= 4
	assert bench.state(target) == before


@pytest.mark.parametrize("version, collection, name", WITH_BODY)
def test_wrong_bodies(benches, documents, version, collection, name):
	bench, operation = benches[version, collection], documents[version, collection].operations[name]
	target = subject(bench, name)
	before = bench.state(target)
	for body in (b"", b"null", b"[]", b"7", b'"x"', b"{", b'{"value":', b"\xff\xfe", b'{"a":' * 5000 + b"1" + b"}" * 5000,
	    b"[" * 100000, b'{"value":"\\ud800"}', b'{"alg":"x","alg":"y"}'):
		if body == b"" and (operation.method == "PATCH" or name == "UpdateKeyRotationPolicy"):
			continue  # no body is an empty one, and that is fine there
		refused(bench, operation, send(bench, operation, target, body), body[:20])
	assert bench.state(target) == before


@pytest.mark.parametrize("version, collection, name", CASES)
def test_wrong_queries(benches, documents, version, collection, name):
	bench, operation = benches[version, collection], documents[version, collection].operations[name]
	queries = ["", "api-version=", "api-version=9.9", f"api-version={version}%00"]
	if "maxresults" in operation.queries:
		queries += [f"api-version={version}&maxresults={count}" for count in ("0", "-1", "26", "x", "1" * 40)]
		queries += [f"api-version={version}&$skiptoken=x"]
	target = subject(bench, name)
	body = body_for(bench, operation, target)
	for query in queries:
		refused(bench, operation, send(bench, operation, target, body, query), query)


def test_certificates_by_every_version(benches, documents):
	"""What the newest version made is shown to the others as they know it."""
	newest = benches[NEWEST, "certificates"].vault
	name = benches[NEWEST, "certificates"].make("nothing")
	begin(newest, name, POLICY, preserveCertOrder=True)
	wait(newest, name)
	for version in VERSIONS:
		bench, document = benches[version, "certificates"], documents[version, "certificates"]
		for operation in document.operations.values():
			if operation.method == "GET" and operation.path.startswith("/certificates/{"):
				operation.check(send(bench, operation, name, None))
				operation.check(send(bench, operation, name, None, latest=True))
		shown = bench.vault.get(f"/certificates/{name}").json
		knows = "uris" in document.definitions["SubjectAlternativeNames"]["properties"]
		assert shown.get("preserveCertOrder", False) is knows
		assert set(shown["policy"]["x509_props"]["sans"]) == {
		    kind for kind in NAMES if knows or kind not in ("uris", "ipAddresses")}
		bench.vault.patch(f"/certificates/{name}/policy", shown["policy"]).expect(200)
		told = newest.get(f"/certificates/{name}/policy").expect(200).json
		assert told["x509_props"]["sans"] == NAMES, f"{version} lost what it does not know"
