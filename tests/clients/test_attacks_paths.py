"""Path tricks: one secret may be read, its neighbour may not.  However the neighbour, its vault or its host is spelt, the
answer is a refusal, or it is about the one that may be read."""
import json
import re
import socket
import ssl
import uuid

import pytest

from strongroom import ROLES, unique
from test_protocol import raw, raw_status
from test_signin import AZ_CLIENT, ask

CLOSED = f"never-{uuid.uuid4()}"


class Narrow:
	"""Somebody who may read the secret `open`, and nothing else of the vault."""

	def __init__(self, server, vault, principal):
		self.open, self.closed = unique("open"), unique("kclosed")
		vault.set(self.open, "fine")
		version = vault.set(self.closed, CLOSED)["id"].rsplit("/", 1)[1]
		self.server, self.version = server, version
		self.someone = principal(("Key Vault Secrets Officer", server.scope(vault.name, self.open)))
		self.vault = server.vault(vault.name, self.someone)
		self.vault.get(f"/secrets/{self.open}").expect(200)
		self.vault.get(f"/secrets/{self.closed}").expect(403)

	def get(self, path, **more):
		target = path.replace("OPEN", self.open).replace("CLOSED", self.closed).replace("VERSION", self.version)
		reply = self.vault.get(target, **more)
		assert CLOSED not in str(reply.body), target
		return reply


@pytest.fixture(scope="module")
def narrow(shared, main, principal):
	return Narrow(shared, main, principal)


CLIMBS = [
	"/secrets/OPEN/../CLOSED", "/secrets/OPEN/..%2fCLOSED", "/secrets/OPEN%2f..%2fCLOSED", "/secrets/OPEN%2F..%2FCLOSED",
	"/secrets/OPEN/%2e%2e/CLOSED", "/secrets/OPEN/.%2e/CLOSED", "/secrets/OPEN/%2E./CLOSED", "/secrets/OPEN/%252e%252e/CLOSED",
	"/secrets/OPEN/%252e%252e%252fCLOSED", "/secrets/OPEN/..%252fCLOSED", "/secrets/OPEN/..%5cCLOSED", "/secrets/OPEN\\..\\CLOSED",
	"/secrets/OPEN/..\\CLOSED", "/secrets/OPEN/..;/CLOSED", "/secrets/OPEN;/../CLOSED", "/secrets/OPEN/..;x=y/CLOSED",
	"/secrets/OPEN/%c0%ae%c0%ae/CLOSED", "/secrets/OPEN/%c0%2e%c0%2e/CLOSED", "/secrets/OPEN/%e0%80%ae%e0%80%ae/CLOSED",
	"/secrets/OPEN/%u002e%u002e/CLOSED", "/secrets/OPEN/%ef%bc%8e%ef%bc%8e/CLOSED", "/secrets/OPEN/%uff0e%uff0e/CLOSED",
	"/secrets/OPEN%c0%af..%c0%afCLOSED", "/secrets/OPEN%ef%bc%8fCLOSED", "/secrets/OPEN/./../CLOSED", "/secrets/OPEN//../CLOSED",
	"/secrets/OPEN/../../secrets/CLOSED", "/../secrets/CLOSED", "/./secrets/CLOSED", "/secrets/./CLOSED", "/secrets/CLOSED/.",
	"/secrets/CLOSED/..", "/secrets/CLOSED/VERSION/..", "/secrets/CLOSED%2fVERSION", "/secrets%2fCLOSED", "/%2fsecrets/CLOSED",
	"//secrets//CLOSED", "/secrets/CLOSED/", "/secrets/CLOSED//", "/secrets/CLOSED//VERSION", "///secrets/CLOSED///VERSION/",
	"/SECRETS/CLOSED", "/secrets/OPEN/VERSION", "/secrets/OPEN//VERSION", "/secrets/OPEN%20/../CLOSED",
	"/x/../secrets/CLOSED", "/healthstatus/../secrets/CLOSED", "/healthstatus/..%2fsecrets/CLOSED",
	"/healthstatus%2f..%2fsecrets%2fCLOSED",
	"/healthstatus;/secrets/CLOSED", "/authority/crl/../../secrets/CLOSED", "/authority/root/..%2f..%2fsecrets/CLOSED",
]
NULS = [
	"/secrets/CLOSED%00", "/secrets/OPEN%00CLOSED", "/secrets/CLOSED%00OPEN", "/secrets/OPEN%00/../CLOSED", "/secrets/CLOSED%2500",
	"/secrets/CLOSED%00/VERSION", "/secrets%00/CLOSED", "/secrets/CLOSED%0a", "/secrets/CLOSED%0d%0a", "/secrets/CLOSED%09",
	"/secrets/CLOSED%20",
	"/secrets/%20CLOSED", "/secrets/CLOSED%7f", "/secrets/CLOSED%08x", "/secrets/CLOSED+", "/secrets/CLOSED%3fapi-version=7.4",
	"/secrets/CLOSED%23", "/secrets/CLOSED;OPEN", "/secrets/CLOSED,OPEN", "/secrets/CLOSED.json", "/secrets/CLOSED.",
	"/secrets/CLOSED..",
	"/secrets/CLOSED~1", "/secrets/CLOSED::$DATA", "/secrets/CLOSED:", "/secrets/CLOSED*", "/secrets/CLOSED%",
	"/secrets/CLOSED%2", "/secrets/CLOSED%zz",
	"/secrets/CLOSED%ff", "/secrets/CLOSED%ed%a0%80", "/secrets/CLOSED%f4%90%80%80", "/secrets/CLOSED%c2%ad",
	"/secrets/CLOSED%e2%80%8b",
	"/secrets/CLOSED%ef%bb%bf", "/secrets/%ef%bb%bfCLOSED", "/secrets/CLOSED%cc%88", "/secrets/%e2%80%aeCLOSED",
	"/secrets/*", "/secrets/%2a", "/secrets/OPEN*",
]


@pytest.mark.parametrize("path", CLIMBS + NULS)
def test_a_neighbour_is_not_reached(narrow, path):
	reply = narrow.get(path)
	assert reply.status in (400, 403, 404), reply


@pytest.mark.parametrize("path", CLIMBS + NULS)
def test_nor_written_or_deleted(narrow, main, path):
	target = path.replace("OPEN", narrow.open).replace("CLOSED", narrow.closed).replace("VERSION", narrow.version)
	for method, body in (("PUT", {"value": "taken"}), ("PATCH", {"tags": {"a": "b"}}), ("DELETE", None)):
		reply = narrow.vault.request(method, target, body)
		assert reply.status in (400, 403, 404, 405), reply
	reply = main.get(f"/secrets/{narrow.closed}").expect(200).json
	assert reply["value"] == CLOSED and "tags" not in reply and reply["id"].endswith(narrow.version)


@pytest.mark.parametrize("fields", ["X-Original-URL: /secrets/CLOSED", "X-Rewrite-URL: /secrets/CLOSED",
    "X-Forwarded-Host: other.vault.localhost",
    "X-Forwarded-Prefix: /secrets/CLOSED", "Forwarded: host=other.vault.localhost", "X-Host: other.vault.localhost",
    "X-Forwarded-For: 127.0.0.1",
    "X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE", "X-HTTP-METHOD: DELETE", "Content-Location: /secrets/CLOSED",
    "X-MS-CLIENT-PRINCIPAL-ID: 00000000-0000-0000-0000-000000000000", "X-Forwarded-User: admin", "Cookie: access_token=x"])
def test_fields_lead_nowhere(narrow, fields):
	"""What forwarders and frameworks write there changes neither path, host, method nor caller."""
	name, value = fields.replace("CLOSED", narrow.closed).split(": ", 1)
	reply = narrow.get("/secrets/OPEN", headers={name: value}).expect(200)
	assert reply.json["value"] == "fine"
	assert narrow.vault.get(f"/secrets/{narrow.open}", token=False, headers={name: value}).status == 401


def test_queries_lead_nowhere(narrow):
	"""Nor do queries: neither a second path nor a token is taken from one."""
	token = narrow.server.admin.token()
	for query in (f"api-version=7.4&access_token={token}", f"api-version=7.4&token={token}",
	    f"api-version=7.4&Authorization=Bearer%20{token}",
	    "api-version=7.4&path=/secrets/CLOSED", "api-version=7.4&name=CLOSED", "api-version=7.4&X-HTTP-METHOD=DELETE"):
		narrow.get("/secrets/CLOSED", query=query).expect(403)
		narrow.get("/secrets/CLOSED", query=query, token=False).expect(401)


# Case and normalisation

# What some library's case folding or normalisation makes an ASCII letter of.
LOOKALIKES = {"k": ("\u212a", "\uff4b", "\U0001d424"), "s": ("\u017f", "\uff53"), "i": ("\u0131", "\u0130"),
    "a": ("\u0430", "\u00aa", "a\u0301"),
    "e": ("\u0435", "e\u0301"), "o": ("\u043e", "\u00ba", "\u0665"), "-": ("\u2010", "\u00ad", "\uff0d", "\u2212")}


def lookalikes(name):
	for letter, others in LOOKALIKES.items():
		for other in others:
			if letter in name:
				yield name.replace(letter, other, 1)


def quoted(text):
	return "".join(f"%{byte:02x}" for byte in text.encode())


def test_names_of_other_letters(narrow, main):
	"""They are no names: neither read as the name that they look like, nor made beside it."""
	name = unique("kiosk-casee")
	main.set(name, "x")
	for other in lookalikes(name):
		for kind in ("secrets", "keys", "certificates"):
			reply = main.get(f"/{kind}/{quoted(other)}")
			assert reply.status in (400, 404), (other, reply)
		main.put(f"/secrets/{quoted(other)}", {"value": "y"}).expect(400)
		assert main.post(f"/keys/{quoted(other)}/create", {"kty": "EC"}).status == 400
	assert main.value(name) == "x" and len(main.items(f"/secrets/{name}/versions")) == 1


def test_a_right_is_no_right_to_what_begins_alike(narrow, main):
	for other in (narrow.open + "x", narrow.open[:-1], narrow.open + "-1"):
		main.set(other, CLOSED)
		assert narrow.get(f"/secrets/{other}").status == 403
	narrow.vault.get("/secrets/" + narrow.open.swapcase()).expect(200)
	narrow.vault.get("/secrets/" + narrow.closed.swapcase()).expect(403)


def test_roles_in_odd_letters(shared, main, principal):
	"""A role is what its id says, in any case; whatever else is no role, and gives nothing."""
	definitions = f"{shared.scope()}/providers/Microsoft.Authorization/roleDefinitions"
	role = ROLES["Key Vault Secrets User"]
	name = unique("roles")
	main.set(name, CLOSED)
	for spelt in (role + "/", role + "%00", role + " ", role + ".", "{" + role + "}", role.replace("-", ""),
	    "Key Vault Secrets User", "key vault secrets user",
	    role + "/../" + ROLES["Owner"], role[:-1] + "\uff16", "*", "", "..", role + "\n"):
		someone = principal()
		body = shared.assignment(someone, role)
		body["properties"]["roleDefinitionId"] = f"{definitions}/{spelt}"
		reply = shared.manage("PUT",
		    f"{shared.scope('main')}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", body)
		assert 400 <= reply.status < 500, (spelt, reply)
		shared.vault("main", someone).get(f"/secrets/{name}").expect(403)
	someone = principal()
	body = shared.assignment(someone, role)
	body["properties"]["roleDefinitionId"] = f"{definitions}/{role}".upper()
	shared.manage("PUT", f"{shared.scope('main')}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", body).expect(201)
	shared.vault("main", someone).get(f"/secrets/{name}").expect(200)


@pytest.mark.parametrize("vault", ["main%00", "main.", "other/../main", "other%2f..%2fmain", "main%20", "ma%c4%b1n",
    "main%2fsecrets%2f..", "main;x",
    "main%252f", "%6dain%2f", "main//", "main/secrets/*", "*", "m?in"])
def test_scopes_bent(shared, principal, vault):
	"""An assignment at a scope spelt oddly is refused, or is one that gives nothing here."""
	someone = principal()
	path = f"{shared.scope(vault)}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}?api-version=2022-04-01"
	reply = shared.send("PUT", shared.host("management"), path,
	    json.dumps(shared.assignment(someone, "Key Vault Administrator")).encode(),
	    {"Authorization": f"Bearer {shared.admin.token(shared.management)}", "Content-Type": "application/json"})
	assert reply.status in (201, 400, 404, 405), reply
	given = reply.status == 201 and reply.json["properties"]["scope"].lower() == shared.scope("main").lower()
	assert given == (vault in ("main//", "%6dain%2f")), reply  # decoded once, then cut
	for name in ("main", "other"):
		shared.vault(name, someone).get("/secrets").expect(200 if given and name == "main" else 403)


def test_people_of_other_letters(shared):
	"""Nobody's sign-in name looks like another's by normalisation, and nobody signs in under one that does."""
	domain = shared.graph("GET", "/organization").expect(200).json["value"][0]["verifiedDomains"][0]["name"]
	name, password = unique("kiosk-asea").replace("-", ""), f"Xy7-{uuid.uuid4()}"
	body = {"accountEnabled": True, "displayName": name, "mailNickname": name, "userPrincipalName": f"{name}@{domain}",
	    "passwordProfile": {"password": password, "forceChangePasswordNextSignIn": False}}
	shared.graph("POST", "/users", body).expect(201)
	for other in [*lookalikes(name), name.upper(), name + "\0", " " + name, name + " ", name + "@" + domain]:
		reply = shared.graph("POST", "/users", body | {"userPrincipalName": f"{other}@{domain}"})
		assert reply.status == 400, (other, reply)

	def sign_in(called):
		return ask(shared, {"grant_type": "password", "client_id": AZ_CLIENT, "username": f"{called}@{domain}", "password": password,
		    "scope": f"{shared.resource}/.default"})

	sign_in(name).expect(200)
	for other in [*lookalikes(name), name + "\0", " " + name, name + " ", name + "@" + domain]:
		assert "access_token" not in str(sign_in(other).expect(400).body), other


# Hosts

def get_of(server, host, target="/secrets?api-version=7.4", sni="main.vault.localhost"):
	request = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {server.admin.token()}\r\nConnection: close\r\n\r\n"
	return raw(server, request.encode("latin-1"), sni)


@pytest.mark.parametrize("host", [
	"main.vault.localhost.:PORT", "main.vault.localhost..:PORT", ".main.vault.localhost:PORT", "main..vault.localhost:PORT",
	"main.vault..localhost:PORT",
	"main.vault.localhost.evil.example:PORT", "main.vault.localhost.localhost:PORT", "x.main.vault.localhost:PORT",
	"main.vault.evil.example",
	"main.vault.localhost:PORT@evil.example", "evil.example@main.vault.localhost:PORT", "main.vault.localhost:+1",
	"main.vault.localhost:0x1bb",
	"main.vault.localhost:99999", "main.vault.localhost:", "main.vault.localhost:PORT:PORT",
	"main.vault.localhost:PORT, other.vault.localhost:PORT",
	"main.vault.localhost:PORT other", "main.vault.localhost%00.evil.example", "main%2evault.localhost",
	"m\xe4in.vault.localhost", "main_vault.localhost",
	"main.vault.localhost/x", "main.vault.localhost\\x", "https://main.vault.localhost", "xn--mn-hia.vault.localhost:PORT",
	"127.0.0.1:PORT", "[::1]:PORT",
	"localhost:PORT", "vault.localhost:PORT", ".vault.localhost:PORT", "main.vault:PORT", "*.vault.localhost:PORT",
	"-.vault.localhost:PORT", "..:PORT",
	"main.vaults.localhost:PORT", "main.managedhsm.localhost:PORT", "main.vault.login.localhost:PORT", "login.vault.localhost:PORT",
])
def test_hosts(shared, host):
	"""A host is one spelling of a name, in any case; all else is no vault, although the token is good there."""
	answer = get_of(shared, host.replace("PORT", str(shared.port)))
	assert raw_status(answer) in (400, 401, 404), answer[:200]
	assert b"/secrets/" not in answer


def test_hosts_that_are_fine(shared):
	for host in (f"main.vault.localhost:{shared.port}", f"MAIN.VAULT.LOCALHOST:{shared.port}", f"mAiN.vault.LocalHost:{shared.port}"):
		assert raw_status(get_of(shared, host)) == 200


def test_the_targets_host_is_not_taken(shared):
	"""Absolute targets, which could name another host than the field, are refused."""
	for target in (f"https://main.vault.localhost:{shared.port}/secrets?api-version=7.4",
	    "http://other.vault.localhost/secrets", "//other.vault.localhost/secrets",
	    "/\\other.vault.localhost/secrets", "main.vault.localhost/secrets", "@other/secrets"):
		assert raw_status(get_of(shared, f"main.vault.localhost:{shared.port}", target)) in (400, 404)


def test_host_decides_not_sni(server):
	"""The name in TLS chooses nothing: the vault's rules and rights are those of the Host field's vault, whatever it was."""
	one = server(vaults=("open", "closed"))
	one.vault("open").set("s", "from open")
	one.vault("closed").set("s", "from closed")
	reader = one.make_principal()
	one.assign(reader, "Key Vault Secrets User", one.scope("open"))
	path = one.scope("closed")
	one.manage("PUT", path, {"location": "local", "properties": {"tenantId": one.tenant, "sku": {"family": "A", "name": "standard"},
	    "enableRbacAuthorization": True, "networkAcls": {"bypass": "None", "defaultAction": "Deny"}}}, version="2023-07-01").expect(200)

	def ask(sni, vault, who):
		connection = one.connection(f"{sni}:0")
		reply = connection.exchange("GET", "/secrets/s?api-version=7.4", None,
		    {"Host": f"{vault}.vault.localhost:{one.port}", "Authorization": f"Bearer {who.token()}"})
		connection.close()
		return reply

	for sni in ("open.vault.localhost", "closed.vault.localhost", "login.localhost", "graph.localhost", "nowhere.vault.localhost"):
		ask(sni, "closed", one.admin).expect(403, "Forbidden", "ForbiddenByFirewall")
		ask(sni, "closed", reader).expect(403)
		assert ask(sni, "open", reader).expect(200).json["value"] == "from open"
		ask(sni, "login", one.admin).expect(404)


def test_odd_names_in_tls(shared):
	"""No name, an address, or one that is nobody's: the same certificate, which the client then refuses itself."""
	for name in ("nobody.example", "main.vault.localhost.evil.example", "a" * 63 + ".vault.localhost.x"):
		with pytest.raises(ssl.SSLCertVerificationError):
			with socket.create_connection(("127.0.0.1", shared.port),
			    10) as plain, shared.context.wrap_socket(plain, server_hostname=name):
				pass
	assert re.match(rb"HTTP/1\.1 200", get_of(shared, f"main.vault.localhost:{shared.port}"))
