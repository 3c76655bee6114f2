"""A canary in every field of every request, and then a search: every file of the data folder, the audit log, what the
program printed, at its most talkative.  Which field may be found where is in docs/security-tests.md, and in ALLOWED."""
import base64
import json
import re
import urllib.parse
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certs import chain, make_pfx
from strongroom import Server, unique
from test_life import encodings
from test_rows import ROWS, filled, version_for

# Fields whose canary may be in the audit log: they name what was asked for, by whom, and with what program.
ALLOWED = {
	"path": "requestUri", "user-agent": "clientInfo", "x-ms-client-request-id": "correlationId", "api-version": "operationVersion",
}
# What a refusal repeats (names of things, and of choices), so that its record has it in resultDescription.
REPEATED = {("member", "level"), ("member", "location"), ("form", "redirect_uri")}

# What is no name of anything: neither a refusal nor a record has it, in no row.
SECRET = ("value", "pwd", "password", "newPassword", "currentPassword", "secretText", "client_secret", "client_assertion",
    "assertion", "refresh_token", "code",
    "code_verifier", "device_code", "k", "d", "p", "q", "dp", "dq", "qi", "key_hsm", "n", "x", "y", "e", "digest", "iv", "aad",
    "tag", "target", "nonce", "contentType",
    "account_id", "state", "login_hint", "tags")
OTHERS = ("displayName", "description", "mailNickname", "userPrincipalName", "mail", "givenName", "surname", "id", "appId",
    "keyId", "issuer", "subject", "name",
    "principalId", "roleDefinitionId", "condition", "conditionVersion", "principalType", "location", "type", "createMode",
    "tenantId", "alg", "kty", "crv", "enc", "email", "phone", "first_name",
    "notes", "level", "roleName", "workload", "subscriptionId", "securityEnabledOnly", "ids", "url", "passwordProfile",
    "passwordCredential", "keyCredentials", "owners", "sku", "family",
    "objectId", "kind", "denyAssignmentName", "reason", "serial", "org_id", "provider", "preserveCertOrder", "recoveryId",
    "kid", "unknownMember", "audiences", "@odata.id", "startDateTime",
    "billingScope", "advance", "redirectUris", "signInAudience", "accountEnabled", "operation")
# Where a member stands in a body: at the top, in a resource's properties, in any of what nests.
WRAPS = (lambda body: body, lambda body: {"properties": body},
    lambda body: {name: body for name in ("attributes", "key", "policy", "credentials", "passwordProfile", "passwordCredential",
    "release_policy", "org_details")} | {"contacts": [body],
        "properties": {"attributes": body, "accessPolicies": [body], "permissions": [body], "principals": [body]}})


class Canaries:
	def __init__(self):
		self.prefix = "Cnry" + uuid.uuid4().hex[:10]
		self.placed = []

	def new(self, *where):
		"""A text no one else has; ${where} says of which field it was."""
		self.placed.append(where)
		return f"{self.prefix}x{len(self.placed) - 1:06d}z"

	def found_in(self, content):
		"""The fields whose canaries are there as they are; those in another encoding are "coded"."""
		seen = {self.placed[int(number)] for number in re.findall(rb"%sx(\d{6})z" % self.prefix.encode(), content)}
		plain = self.prefix.encode()
		for form in encodings(self.prefix):
			if form != plain and form in content:
				seen.add(("coded", form))
		return seen


@pytest.fixture(scope="module")
def place(tmp_path_factory):
	one = Server(tmp_path_factory.mktemp("canary"), ("main",), ("--log-level", "debug")).start()
	yield one
	one.stop()


@pytest.fixture(scope="module")
def canaries():
	return Canaries()


def fields(canaries, row, token):
	"""Headers with a canary each."""
	return {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "User-Agent": canaries.new("user-agent"),
	    "x-ms-client-request-id": canaries.new("x-ms-client-request-id"), "Cookie": f"a={canaries.new('cookie')}",
	    "Referer": f"https://x/{canaries.new('referer')}",
	    "X-Api-Key": canaries.new("a header"), "If-None-Match": canaries.new("a header"),
	    "Proxy-Authorization": canaries.new("a header"), "Forwarded": canaries.new("a header"),
	    "X-IDENTITY-HEADER": canaries.new("a header"), "x-ms-correlation-request-id": canaries.new("a header"),
	    "Accept-Language": canaries.new("a header")}


def target(server, canaries, row, version):
	path = filled(row["path"].replace("{scope}", server.scope("main")), server)
	path = path.split("/")
	path[-1] = canaries.new("path") if re.search(r"\}$", row["path"]) else path[-1]
	query = {"" if row["plane"] == "graph" else "api-version": version, canaries.new("query", "a name", row["name"]): "x"}
	query |= {name: canaries.new("query", name, row["name"]) for name in PARAMETERS}
	return "/".join(path), {name: value for name, value in query.items() if name}


PARAMETERS = ("$filter", "$skiptoken", "$select", "$top", "$search", "maxresults", "access_token", "client_secret", "code", "sig")
FILTERS = ("name eq '%s'", "name eq '%s' and", "%s eq 'x'", "displayName eq '%s'", "startswith(displayName,'%s')",
    "principalId eq '%s'", "assignedTo('%s')", "tagName eq '%s'",
    "resourceType eq '%s'", "id in ('%s')", "%s(displayName,'x')")
HOSTS = {"vault": "main.vault", "management": "management", "graph": "graph", "login": "login", "any": "login"}


def send(server, row, path, query, body, headers):
	return server.send(row["method"], server.host(HOSTS[row["plane"]]),
	    path + ("?" + urllib.parse.urlencode(query) if query else ""), body, headers)


def audience(server, row):
	return {"vault": server.resource, "graph": f"https://graph.localhost:{server.port}"}.get(row["plane"], server.management)


def test_rows(place, canaries):
	"""Every row, by an administrator, by nobody, and with a token that is a canary; each header, each parameter."""
	for row in ROWS:
		version = "7.4" if row["plane"] == "vault" else version_for(row)
		good = place.admin.token(audience(place, row))
		# Of an unknown key, whose name the refusal repeats in the token's first part: the others are not repeated.
		unknown = f'{b64(json.dumps({"alg": "RS256", "kid": "unknown"}).encode())}.{b64(json.dumps({"sub": canaries.new("token")}).encode())}.{canaries.new("token")}'
		for token in (good, unknown, canaries.new("token"),
		    f"{canaries.new('token')}.{canaries.new('token')}.{canaries.new('token')}",
		    good.rsplit(".", 1)[0] + "." + canaries.new("token")):
			path, query = target(place, canaries, row, version)
			send(place, row, path, query, None, fields(canaries, row, token))
			if "api-version" in query:
				send(place, row, path, query | {"api-version": canaries.new("api-version")}, None,
				    fields(canaries, row, token))
			for name in list(query):
				if name != "api-version" and token is good:
					send(place, row, path,
					    {each: query[each] for each in ("api-version", name) if each in query}, None,
					    fields(canaries, row, token))
		for filter_of in FILTERS if row["method"] == "GET" and row["plane"] in ("management", "graph") else ():
			query = ({} if row["plane"] == "graph" else {"api-version": version}) | {"$filter": filter_of % canaries.new("query", "$filter", row["name"])}
			send(place, row, path, query, None, {"Authorization": f"Bearer {good}"})


def test_bodies(place, canaries):
	"""Every row that takes a body, with every member that any body has, at every place; a refusal repeats no secret."""
	rows = {row["name"]: row for row in ROWS if row["method"] in ("PUT", "POST", "PATCH") and row["plane"] in ("vault",
	    "management", "graph") and row["guard"] != "public"}
	for row in rows.values():
		version = {} if row["plane"] == "graph" else {"api-version": "7.4" if row["plane"] == "vault" else version_for(row)}
		headers = {"Authorization": f"Bearer {place.admin.token(audience(place, row))}", "Content-Type": "application/json"}
		path = filled(row["path"].replace("{scope}", place.scope("main")), place)
		for member in SECRET + OTHERS:
			kind = "secret member" if member in SECRET else "member"
			for wrap in WRAPS[:1 if member in ("unknownMember", "@odata.id") else None]:
				canary = canaries.new(kind, member, row["name"])
				body = wrap({member: {"a": canary} if member == "tags" else canary})
				reply = send(place, row, path, version, json.dumps(body).encode(), headers)
				if reply.status >= 400 and kind == "secret member":
					assert canary not in str(reply.body), (row, body, reply)
		for broken in ('{"%s":', '{"a":"%s"', '{"%s":1,"%s":1}', "%s", '["%s"]', '{"a":"%s\\ud800"}', '{"a":{"%s":{"b":[}'):
			canary = canaries.new("a broken body")
			reply = send(place, row, path, version, broken.replace("%s", canary).encode(), headers)
			assert canary not in str(reply.body), reply


def numbers_of(key):
	private = key.private_numbers()
	if isinstance(key, ec.EllipticCurvePrivateKey):
		return [private.private_value.to_bytes(32, "big")]
	return [each.to_bytes((each.bit_length() + 7) // 8, "big") for each in (private.d, private.p, private.q, private.dmp1,
	    private.iqmp)]


@pytest.fixture(scope="module")
def material():
	"""Octets that were in requests, to be searched for in the forms that files might have them."""
	return []


def test_what_is_taken_in(place, canaries, material):
	"""Values, keys, files, passwords and credentials that are accepted, kept, used and given out again."""
	vault, secret = place.vault("main"), lambda what: canaries.new("secret member", what, "taken in")
	name = unique("in")
	vault.set(name, secret("value"), contentType=secret("contentType"), tags={"t": secret("tags")})
	blob = vault.backup(name)
	material.append(base64.urlsafe_b64decode(blob + "===")[200:260])
	key, certificates = chain()
	password = secret("pwd")
	material.extend(numbers_of(key))
	file = make_pfx(key, certificates, password.encode())
	material.append(base64.b64decode(file)[100:160])
	vault.post(f"/certificates/{name}c/import", {"value": file, "pwd": secret("pwd")}).expect(400)
	vault.post(f"/certificates/{name}c/import", {"value": file, "pwd": password, "tags": {"t": secret("tags")}}).expect(200)
	pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
	vault.put(f"/secrets/{name}p", {"value": pem}).expect(200)
	for made in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())):
		material.extend(numbers_of(made))
		algorithm = jwt.algorithms.RSAAlgorithm if isinstance(made, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
		jwk = json.loads(algorithm.to_jwk(made))
		jwk.pop("key_ops", None)
		vault.put(f"/keys/{name}-{jwk['kty'].lower()}", {"key": jwk}).expect(200)
		vault.put(f"/keys/{name}-{jwk['kty'].lower()}x", {"key": jwk | {"d": "AQAB"}}).expect(400)
	octets = uuid.uuid4().bytes * 2
	material.append(octets)
	cipher = vault.post(f"/keys/{name}-rsa/encrypt", {"alg": "RSA-OAEP-256", "value": b64(octets)}).expect(200).json["value"]
	assert vault.post(f"/keys/{name}-rsa/decrypt", {"alg": "RSA-OAEP-256", "value": cipher}).expect(200).json["value"] == b64(octets)
	vault.put("/certificates/issuers/" + name, {"provider": "DigiCert",
	    "credentials": {"account_id": secret("account_id"), "pwd": secret("pwd")}}).expect(200)
	vault.put("/certificates/contacts", {"contacts": [{"email": "a@example.com", "name": secret("name")}]}).expect(200)
	path = f"{place.scope('main')}/secrets/{name}m"
	place.manage("PUT", path, {"properties": {"value": secret("value"), "contentType": secret("contentType")}},
	    version="2023-07-01").expect(200)


def b64(octets):
	return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def test_people_and_programs(place, canaries, material):
	"""Passwords, client secrets, and every field of the authority's forms, right and wrong."""
	secret = lambda what: canaries.new("secret member", what, "sign-in")  # noqa: E731
	upn, password = f"{unique('person')}@strongroom.localhost", secret("password")
	body = {"accountEnabled": True, "displayName": "x", "mailNickname": "x", "userPrincipalName": upn,
	    "passwordProfile": {"password": password, "forceChangePasswordNextSignIn": False}}
	made = place.graph("POST", "/users", body).expect(201).json
	place.graph("PATCH", f"/users/{made['id']}", {"passwordProfile": {"password": (changed := secret("password")),
	    "forceChangePasswordNextSignIn": False}}).expect(204)
	someone = place.make_principal()
	material.append(someone.secret.encode())
	headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": canaries.new("user-agent"),
	    "Cookie": f"__Host-x={canaries.new('cookie')}"}

	def ask(path="oauth2/v2.0/token", method="POST", **form):
		encoded = urllib.parse.urlencode(form)
		query, data = (f"?{encoded}", None) if method == "GET" else ("", encoded.encode())
		return place.send(method, place.host("login"), f"/{place.tenant}/{path}{query}", data, headers)
	az, scope = "04b07795-8ddb-461a-bbee-02f9e1bf7b46", f"{place.resource}/.default offline_access"
	tokens = ask(grant_type="password", client_id=az, username=upn, password=changed, scope=scope).expect(200).json
	again = ask(grant_type="refresh_token", client_id=az, refresh_token=tokens["refresh_token"], scope=scope).expect(200).json
	application = ask(grant_type="client_credentials", client_id=someone.client_id, client_secret=someone.secret,
	    scope=f"{place.resource}/.default").expect(200).json
	for token in (tokens["access_token"], application["access_token"], again["access_token"]):
		place.vault("main").get("/secrets", token=token)
		material.extend([token.split(".")[2].encode(), token.split(".")[1][:80].encode()])
	material.extend([tokens["refresh_token"].encode(), again["refresh_token"].encode()])
	place.graph("POST", "/me/changePassword", {"currentPassword": secret("currentPassword"), "newPassword": secret("newPassword")})
	members = ("client_secret", "client_assertion", "password", "refresh_token", "code", "code_verifier", "device_code",
	    "assertion", "state", "login_hint", "nonce",
	    "code_challenge", "unknown", "id_token_hint", "claims", "requested_token_use", "client_assertion_type")
	for grant in ("password", "client_credentials", "refresh_token", "authorization_code",
	    "urn:ietf:params:oauth:grant-type:device_code", "magic",
	    "urn:ietf:params:oauth:grant-type:jwt-bearer"):
		for name in members:
			form = {"grant_type": grant, "client_id": someone.client_id if grant == "client_credentials" else az,
			    "scope": scope, "username": upn, "redirect_uri": "http://localhost:1"}
			canary = canaries.new("secret member" if name != "unknown" else "form", name, "sign-in")
			reply = ask(**form | {name: canary})
			assert canary not in str(reply.body), (grant, name, reply)
	for path in ("oauth2/v2.0/authorize", "oauth2/authorize", "oauth2/v2.0/logout", "oauth2/deviceauth", "login",
	    "oauth2/v2.0/devicecode", "userrealm/x", "discovery/instance"):
		for method in ("GET", "POST"):
			for name in (*members, "post_logout_redirect_uri", "redirect_uri", "flow", "user_code", "passwd", "_csrf"):
				ask(path, method, **{"client_id": az, "response_type": "code", "scope": scope,
				    name: canaries.new("form", name, path)})


def files(server):
	return [path for path in server.folder.rglob("*") if path.is_file() and not path.is_symlink()]


def test_nothing_is_found(place, canaries, material):
	"""While it runs, and after it has stopped: only what ALLOWED names, and there only."""
	assert len(canaries.placed) > 10000 and material
	for running in (True, False):
		if not running:
			place.stop()
		seen_in_audit, read = set(), 0
		for path in files(place):
			content = path.read_bytes()
			read += len(content)
			found = canaries.found_in(content)
			# Records of changes are in the store, too, until the log is synced.
			audit = path.parent.name == "audit" or path.name.startswith("store.db")
			if path.parent.name == "audit":
				seen_in_audit |= found
			wrong = {each for each in found if not (audit and (each[0] in ALLOWED or each[:2] in REPEATED))}
			assert not wrong, (path, sorted(map(str, {each[:2] for each in wrong})), sorted(map(str, wrong))[:20])
			for octets in material:
				for form in (octets, octets[::-1], octets.hex().encode(), base64.b64encode(octets)[:-4],
				    base64.urlsafe_b64encode(octets)[:-4]):
					assert form not in content, (path, octets[:20])
		assert read > 100000
		for kind in ALLOWED:
			assert any(each[0] == kind for each in seen_in_audit), f"{kind} is where it is allowed: the search finds what is there"
	place.start()
