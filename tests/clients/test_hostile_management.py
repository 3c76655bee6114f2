"""Requests that nobody means well with: every row of resource management and of Graph, with paths, queries and bodies
bent out of shape, by an administrator.  No reply is the server's own fault, and a refusal changes nothing."""
import copy
import json
import os
import random
import re
import subprocess
import time
import urllib.parse
import uuid

import pytest

from strongroom import BINARY, unique
from test_rows import version_for

SEED = int(os.environ.get("STRONGROOM_SEED", "1"))
SECONDS = float(os.environ.get("STRONGROOM_HOSTILE_SECONDS", "40"))

ROWS = [row for row in json.loads(subprocess.run([BINARY, "operations"], capture_output=True, check=True).stdout)
    if row["plane"] in ("management", "graph") and row["guard"] != "public"]
CHANGES = ("PUT", "POST", "PATCH", "DELETE")

TEXTS = ("", " ", "x", "x" * 300, "x" * 70000, "\x00", "a\x00b", "\x7f", "..", "/", "//", "*", "%", "%s%n", "'", "''", "\\", "\"",
    "ünï", "𝕏" * 200, "\u202e", "null", "0", "-1", "{}", "'; --", "<script>", "00000000-0000-0000-0000-000000000000",
    "/subscriptions/x", "/subscriptions//resourceGroups/../x", "https://", "0.0.0.0/0", "::ffff:1.2.3.4/128")
VALUES = (None, True, False, 0, -1, 2 ** 31, 2 ** 63, -(2 ** 63) - 1, 1e308, 0.5, [], {}, [[]], [{}], [None], [None] * 3000,
    {"": ""}, {"x": {"y": {"z": []}}}, {"k" * 5000: "v"}, *TEXTS)
RAW = (b"", b"{", b"[]", b"null", b"\"x\"", b"\xef\xbb\xbf{}", b"\xff\xfe", b"{\"a\":\"\\ud800\"}", b"{\"a\":1e999999}", b"{}{}",
    b"[" * 60000, b"{\"a\":" * 20000, b"{\"properties\":" + b"[" * 200 + b"]" * 200 + b"}", b"{\"a\":\"" + b"x" * 3000000 + b"\"}",
    b"{\"tags\":{" + b",".join(b"\"t%d\":\"v\"" % i for i in range(30000)) + b"}}", b"{\"properties\":{},\"properties\":{}}",
    b"{\"properties\":{\"a\\u0000\":1}}", b"{\"properties\":{\"value\":\"\xc3\x28\"}}")
FILTERS = ("", "'", "x eq", "a eq 'b' and", "(" * 500, "not " * 500, "startswith(displayName,", "principalId eq 'x'",
    "assignedTo('x')", "atScope() and atScope()", "name eq '" + "''" * 2000 + "'", "displayName eq null",
    "tagName eq 'a' and tagValue eq 'b' or name eq 'c'", "\x00", "id in ('a','b'", "members/any(x:x/id eq 'y')")
QUERIES = ("$top=0", "$top=-1", "$top=99999999999999999999", "$top=abc", "$top=1", "$skiptoken=x", "$skiptoken=" + "A" * 3000,
    "$skiptoken=%ff", "$skip=5", "$select=id,id,nothing", "$select=" + "a," * 3000, "$expand=members", "$count=true", "$count=maybe",
    "$orderby=displayName desc", "$search=\"displayName:a\"", "$search=\"", "api-version=2022-04-01", "api-version=%00", "=", "&&&=&",
    "%", "%zz=1", "a" * 5000)
HEADERS = (("If-Match", "*"), ("If-Match", "x" * 4000), ("If-None-Match", "*"), ("ConsistencyLevel", "eventual"),
    ("X-HTTP-METHOD", "PURGE"), ("X-HTTP-METHOD", "DELETE"), ("Content-Type", "text/plain"), ("Content-Type", "application/json;charset=x"),
    ("Content-Encoding", "gzip"), ("x-ms-client-request-id", "\xff\x01"), ("x-ms-correlation-request-id", "nothing"),
    ("Accept", "image/png"), ("Accept-Language", "x" * 9000), ("Prefer", "return=minimal"))
BENT = ("..", ".", "%2e%2e", "%2F", "%00", "%01", "%ff", "%C3%BC", "%F0%9D%95%8F", "%", "%zz", "*", "'", "%27", "''", "(", "a%2Fb", "x" * 300,
    "x" * 5000, "providers", "%20", "+", "-", "a.", "null", "$ref", "00000000-0000-0000-0000-000000000000")


class Target:
	"""What the rows are about: a few of everything, made anew when somebody has deleted it."""

	def __init__(self, server):
		self.server = server
		tenant, subscription = server.tenant, server.scope()
		self.group = f"{subscription}/resourceGroups/canary"
		self.vault = f"{self.group}/providers/Microsoft.KeyVault/vaults/canary-kv"
		self.identity = f"{self.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/canary-id"
		self.names = {kind: str(uuid.uuid4()) for kind in ("role", "assignment", "deny")}
		server.manage("PUT", self.group, {"location": "westeurope"}, version="2021-04-01").expect(201)
		self.policy = {"tenantId": tenant, "objectId": str(uuid.uuid4()), "permissions": {"secrets": ["get"]}}
		self.bodies = {"VaultPut": {"location": "westeurope", "tags": {"a": "b"}, "properties": {"tenantId": tenant,
		    "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True, "accessPolicies": [self.policy],
		    "networkAcls": {"defaultAction": "Allow", "bypass": "None", "ipRules": [{"value": "9.9.9.9/32"}]}}}}
		server.manage("PUT", self.vault, self.bodies["VaultPut"], version="2023-07-01").expect(201)
		server.manage("PUT", self.identity, {"location": "westeurope"}, version="2023-01-31").expect(201)
		self.user = server.graph("POST", "/users", self.person("canary")).expect(201).json["id"]
		self.team = server.graph("POST", "/groups", self.team_body()).expect(201).json["id"]
		self.application = server.graph("POST", "/applications", {"displayName": "canary"}).expect(201).json
		self.fill_bodies(tenant, subscription)
		for kind, row, path in (("role", "RoleDefinitionPut", "roleDefinitions"), ("assignment", "RoleAssignmentPut", "roleAssignments"),
		    ("deny", "DenyAssignmentPut", "denyAssignments")):
			server.manage("PUT", f"{self.vault}/providers/Microsoft.Authorization/{path}/{self.names[kind]}",
			    self.bodies[row]).expect(201)
		server.manage("PUT", f"{self.group}/providers/Microsoft.Authorization/locks/canary", self.bodies["LockPut"],
		    version="2020-05-01").expect(201)

	def person(self, name):
		return {"displayName": name, "userPrincipalName": f"{name}@strongroom.localhost", "mailNickname": name, "accountEnabled": True,
		    "passwordProfile": {"password": "Xy7-" + uuid.uuid4().hex, "forceChangePasswordNextSignIn": False}}

	def team_body(self):
		return {"displayName": "canary", "mailNickname": "canary", "mailEnabled": False, "securityEnabled": True}

	def fill_bodies(self, tenant, subscription):
		permissions = [{"actions": ["Microsoft.Nothing/x/read"], "notActions": [], "dataActions": [], "notDataActions": []}]
		definition = f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{self.names['role']}"
		credential = {"name": "canary", "issuer": "https://issuer.example", "subject": "s", "audiences": ["api://x"]}
		placed = {"location": "westeurope", "tags": {"a": "b"}}
		reference = {"@odata.id": f"https://graph.localhost:{self.server.port}/v1.0/directoryObjects/{self.user}"}
		self.bodies |= {
			"VaultPatch": {"tags": {"c": "d"}, "properties": {"accessPolicies": [self.policy]}},
			"VaultAccessPolicyChange": {"properties": {"accessPolicies": [self.policy]}},
			"VaultSecretPut": {"tags": {}, "properties": {"value": "v", "contentType": "t", "attributes": {"enabled": True, "exp": 4102444800}}},
			"VaultCheckName": {"name": "canary-kv", "type": "Microsoft.KeyVault/vaults"},
			"RoleDefinitionPut": {"properties": {"roleName": "canary", "description": "d", "type": "CustomRole",
			    "assignableScopes": [subscription], "permissions": permissions}},
			"RoleAssignmentPut": {"properties": {"roleDefinitionId": definition, "principalId": self.user, "principalType": "User",
			    "conditionVersion": "2.0", "condition": "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'x'"}},
			"DenyAssignmentPut": {"properties": {"denyAssignmentName": "canary", "permissions": permissions,
			    "principals": [{"id": self.user}], "excludePrincipals": [{"id": self.team}]}},
			"LockPut": {"properties": {"level": "CanNotDelete", "notes": "n"}},
			"TagsPut": {"properties": {"tags": {"a": "b"}}},
			"TagsPatch": {"operation": "Merge", "properties": {"tags": {"a": "c"}}},
			"AccessExplain": {"principalId": self.user, "action": "Microsoft.KeyVault/vaults/read", "isDataAction": False},
			"SubscriptionAliasPut": {"properties": {"displayName": "canary", "workload": "Production"}},
			"SubscriptionRename": {"subscriptionName": "Strongroom"},
			"TrustedIssuerPut": {"properties": {"issuer": "https://issuer.example", "audiences": ["a"], "subjectClaim": "sub"}},
			"MachinePut": placed | {"identity": {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {self.identity: {}}},
			    "properties": {"osName": "linux"}},
			"FederatedIdentityCredentialPut": {"properties": {k: v for k, v in credential.items() if k != "name"}},
			"FederatedIdentityCredential.Create": credential,
			"User.Create": self.person("other"), "User.Update": {"displayName": "canary", "passwordProfile": {"password": "x"}},
			"User.ChangePassword": {"currentPassword": "a", "newPassword": "b"},
			"Group.Create": self.team_body(), "Group.Update": {"displayName": "canary"},
			"Group.AddMember": reference, "DirectoryRole.AddMember": reference,
			"Application.Create": {"displayName": "other", "keyCredentials": [{"type": "AsymmetricX509Cert", "usage": "Verify", "key": "AAAA"}]},
			"Application.Update": {"displayName": "canary", "identifierUris": ["api://canary"]},
			"Application.AddPassword": {"passwordCredential": {"displayName": "x", "endDateTime": "2030-01-01T00:00:00Z"}},
			"Application.RemovePassword": {"keyId": str(uuid.uuid4())},
			"ServicePrincipal.Create": {"appId": self.application["appId"]},
			"DirectoryObject.GetByIds": {"ids": [self.user, self.team], "types": ["user", "group"]},
			"ClockAdvance": {"duration": "x"},
			"placed": placed,
			"ids": {"groupIds": [self.team], "ids": [self.team], "securityEnabledOnly": False},
		}

	def body(self, row):
		name = row["name"]
		for known in (name, name.replace("Patch", "Put"), name.replace("Update", "Create")):
			if known in self.bodies:
				return json.loads(json.dumps(self.bodies[known]))
		return json.loads(json.dumps(self.bodies["ids" if row["plane"] == "graph" else "placed"]))

	def path(self, row, chance):
		"""The row's path, mostly about what is there."""
		last = {"roleDefinitions": self.names["role"], "roleAssignments": self.names["assignment"],
		    "denyAssignments": self.names["deny"], "locks": "canary"}
		path = row["path"].replace("{scope}", chance.choice((self.vault, self.group)))
		for word, name in last.items():
			path = path.replace(f"/{word}/{{name}}", f"/{word}/{name}")
		path = path.replace("/vaults/{vault}", "/vaults/canary-kv").replace("/vaults/{name}", "/vaults/canary-kv")
		path = path.replace("userAssignedIdentities/{identity}", "userAssignedIdentities/canary-id")
		path = path.replace("userAssignedIdentities/{name}", "userAssignedIdentities/canary-id").replace("/providers/{namespace}", "/providers/Microsoft.KeyVault")
		for start, id in (("/users/", self.user), ("/groups/", self.team), ("/applications/", self.application["id"]),
		    ("/servicePrincipals/", self.application["id"]), ("/directoryObjects/", self.user)):
			path = path.replace(start + "{id}", start + id)
		path = re.sub(r"/subscriptions/\{\w+\}", self.server.scope(), path)
		path = re.sub(r"/(resourceGroups)/\{\w+\}", r"/\1/canary", path, flags=re.I)
		path = path.replace("{location}", "westeurope").replace("{appId}", self.application["appId"]).replace("{member}", self.user)
		path = path.replace("{kind}", chance.choice(("add", "replace", "remove")))
		return re.sub(r"\{[\w.]+\}", lambda _: chance.choice((str(uuid.UUID(int=chance.getrandbits(128))), "canary", "other")), path)

	def seen(self):
		"""What is there of the canaries, as far as it can be asked for."""
		authorization = f"{self.vault}/providers/Microsoft.Authorization"
		manage = [(self.group, "2021-04-01"), (self.vault, "2023-07-01"), (self.identity, "2023-01-31"),
		    (f"{self.group}/providers/Microsoft.Authorization/locks", "2020-05-01"), (f"{self.vault}/secrets", "2023-07-01"),
		    (f"{self.group}/resources", "2021-04-01"), (f"{self.server.scope()}", "2021-04-01")]
		manage += [(f"{authorization}/{kind}", "2022-04-01") for kind in ("roleAssignments", "denyAssignments", "roleDefinitions")]
		graph = (f"/users/{self.user}", f"/groups/{self.team}", f"/groups/{self.team}/members", f"/applications/{self.application['id']}",
		    f"/applications/{self.application['id']}/federatedIdentityCredentials", "/servicePrincipals", "/users", "/groups")
		replies = [self.server.manage("GET", path, version=version) for path, version in manage]
		replies += [self.server.graph("GET", path) for path in graph]
		return [reply.body if reply.status < 400 else reply.status for reply in replies]

	def renew(self):
		"""What somebody has deleted: other objects by the same names."""
		server = self.server
		if server.graph("GET", f"/users/{self.user}").status == 404:
			self.user = server.graph("POST", "/users", self.person(unique("canary"))).expect(201).json["id"]
		if server.graph("GET", f"/groups/{self.team}").status == 404:
			self.team = server.graph("POST", "/groups", self.team_body()).expect(201).json["id"]
		if server.graph("GET", f"/applications/{self.application['id']}").status == 404:
			self.application = server.graph("POST", "/applications", {"displayName": "canary"}).expect(201).json
		self.fill_bodies(server.tenant, server.scope())


def bend(value, chance):
	"""${value} with one thing in it that should not be."""
	if not isinstance(value, (dict, list)) or not value or chance.random() < 0.15:
		return copy.deepcopy(chance.choice(VALUES))
	key = chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
	how = chance.random()
	if how < 0.75:
		value[key] = bend(value[key], chance)
	elif how < 0.85:
		del value[key]
	elif isinstance(value, dict):
		value[chance.choice((*TEXTS[:8], str(key).upper(), "@odata.type", "id", "name", "type"))] = copy.deepcopy(chance.choice(VALUES))
	else:
		value *= chance.choice((2, 30, 1500))
	return value


def twice(text, chance):
	"""A member given twice."""
	places = [match.start() for match in re.finditer(rb'"\w+":', text)]
	if not places:
		return text
	at = chance.choice(places)
	return text[:at] + re.match(rb'"\w+":', text[at:])[0] + b"null," + text[at:]


def bent_body(target, row, chance):
	if row["method"] == "GET":
		return None
	how = chance.random()
	if how < 0.15:
		return chance.choice(RAW)
	value = target.body(row)
	if how > 0.3:
		value = bend(value, chance)
	if how > 0.9:
		value = bend(value, chance) if isinstance(value, (dict, list)) else value
	text = json.dumps(value, separators=(",", ":"), ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
	if how < 0.3:
		text = twice(text, chance) if chance.random() < 0.5 else text[:chance.randrange(len(text))]
	return text


def bent_path(path, chance):
	parts = path.split("/")
	at = chance.randrange(1, len(parts))
	how = chance.random()
	if how < 0.5:
		parts[at] = chance.choice(BENT)
	elif how < 0.7:
		parts.insert(at, chance.choice(("", *BENT, "providers/Microsoft.KeyVault")))
	elif how < 0.8:
		del parts[at]
	elif how < 0.9:
		parts[at] = parts[at].upper() if chance.random() < 0.5 else "".join(f"%{ord(c):02x}" for c in parts[at] if ord(c) < 256)
	else:
		parts += chance.choice((("",), ("providers", "x"), ("*",), ("..",), ("x",) * 60))
	return "/".join(parts)


def bent_query(version, chance):
	parts = [f"api-version={version}"] if chance.random() < 0.9 else []
	if chance.random() < 0.5:
		parts.append(chance.choice(QUERIES))
	if chance.random() < 0.3:
		parts.append("$filter=" + urllib.parse.quote(chance.choice(FILTERS)))
	chance.shuffle(parts)
	return "&".join(part.replace(" ", "%20").replace('"', "%22") for part in parts)


def send_bent(target, row, chance):
	server, graph = target.server, row["plane"] == "graph"
	path, bent = target.path(row, chance), chance.random()
	body = bent_body(target, row, chance) if bent < 0.8 else json.dumps(target.body(row)).encode()
	if bent > 0.6:
		path = bent_path(path, chance)
	query = bent_query(version_for(row), chance)
	headers = {"Authorization": "Bearer " + server.admin.token(server.host("graph").join(("https://", "")) if graph else server.management),
	    "Content-Type": "application/json"}
	if chance.random() < 0.2:
		headers |= dict([chance.choice(HEADERS)])
	if row["method"] == "GET":
		body = None
	path = urllib.parse.quote(path, safe="/%:@$&'()*+,;=!~-._")
	return server.send(row["method"], server.host("graph" if graph else "management"), f"{path}?{query}", body, headers)


def harmless(row):
	"""The clock is everybody's, and a lock that forbids changes would make what comes after it dull."""
	return row["name"] != "ClockAdvance"


def test_nothing_breaks(server):
	one = server(vaults=("main",), options=())
	target, chance = Target(one), random.Random(SEED)
	end, sent, refused, changed = time.monotonic() + SECONDS, 0, 0, 0
	seen, rows = target.seen(), list(filter(harmless, ROWS))
	while time.monotonic() < end:
		chance.shuffle(rows)
		for row in rows:
			if time.monotonic() > end:
				break
			replies = [send_bent(target, row, chance) for _ in range(4)]
			sent += len(replies)
			refused += sum(reply.status >= 400 for reply in replies)
			if row["method"] not in CHANGES:
				continue
			now = target.seen()
			if all(reply.status >= 400 for reply in replies):
				assert now == seen, f"seed {SEED}: refused requests of {row['name']} changed something"
			if now != seen:
				changed += 1
				target.renew()
				now = target.seen()
			seen = now
	assert sent > len(rows) and refused > sent / 3 and changed > 0, (sent, refused, changed)
	print(sent, refused, changed)
	assert one.process.poll() is None
	one.stop()
	assert one.cli("audit", "verify").returncode == 0
