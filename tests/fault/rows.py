"""A good request for every row, about things that are there, as often as it is wanted."""
import json
import re
import subprocess
import sys
import urllib.parse
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clients"))
from openapi import NEWEST, Document  # noqa: E402
from strongroom import BINARY, unique  # noqa: E402
from test_hostile_management import Target  # noqa: E402
from test_rows import version_for  # noqa: E402
from test_schema import BODIES, SUBJECTS, Bench  # noqa: E402
from test_signin import AZ_CLIENT, User, authorize_url  # noqa: E402

ROWS = json.loads(subprocess.run([BINARY, "operations"], capture_output=True, check=True).stdout)
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# Rows whose good request takes more around it than one server; what is asked of them here is refused.
REFUSED = {
	"KeyRelease", "KeyGetAttestation",         # an attestation authority, a token
	"AuthorityRevoke", "AuthorityOcsp", "AuthorityOcspGet", "AuthorityRootGet", "AuthorityIntermediateGet",
	"AuthorityCrlGet",
	"SignIn.Page",                             # a page's own form
	"OperationResult",                         # no such thing is ever under way
}


def bare(path):
	"""A path by its shape, whatever its parameters are called, and without a version."""
	return re.sub(r"\{[^}]+\}", "{}", path).rstrip("/")


OPERATIONS = {(operation.method, bare(operation.path)): operation for collection in ("secrets", "keys", "certificates")
	for operation in Document(NEWEST, collection).operations.values()}


class Asked:
	"""A request that can be sent again and again, as long as it has changed nothing."""

	def __init__(self, host, method, target, body=None, token=None, kind=None):
		self.host, self.method, self.target = host, method, target
		self.body = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
		self.headers = dict(kind or (JSON if body is not None else {}))
		if token:
			self.headers["Authorization"] = f"Bearer {token}"


class World(Target):
	def __init__(self, server):
		super().__init__(server)
		# A lock keeps others from deleting: locks have a group of their own.
		server.manage("DELETE", f"{self.group}/providers/Microsoft.Authorization/locks/canary",
		    version="2020-05-01").expect(200)
		self.locked = f"{server.scope()}/resourceGroups/locked"
		server.manage("PUT", self.locked, {"location": "westeurope"}, version="2021-04-01").expect(201)
		self.user_made = User(server, "fault-user")
		self.benches = {collection: Bench(server.vault("main", version=NEWEST), collection)
		    for collection in ("secrets", "keys", "certificates")}
		self.graph_resource = f"https://graph.localhost:{server.port}"

	def ask(self, row):
		"""A request for the row; what it is about is made first."""
		return getattr(self, f"ask_{row['plane']}")(row)

	def ask_any(self, row):
		return Asked(self.server.host("login"), row["method"], row["path"])

	# Vaults

	def ask_vault(self, row):
		host, token = self.server.host("main.vault"), self.server.admin.token()
		key = row["method"], bare(row["path"])
		operation = OPERATIONS.get(key) or OPERATIONS.get((key[0], key[1].removesuffix("/{}"))) \
		    or OPERATIONS.get((key[0], key[1] + "/{}")) or next((each for (method, path), each in OPERATIONS.items()
		        if method == key[0] and path.replace("/{}/{}/", "/{}/") == key[1].replace("/{}/{}/", "/{}/")), None)
		if operation is None or row["name"] in REFUSED:
			return Asked(host, row["method"], self.filled(row["path"]) + f"?api-version={NEWEST}",
			    {} if row["method"] != "GET" else None, token)
		bench = self.benches[operation.document_collection]
		name = self.subject(bench, operation)
		body = BODIES[operation.name](bench, name) if operation.body else None
		path = re.sub(r"\{name\}", name, row["path"])
		if "{version}" in path:
			path = path.replace("{version}", bench.version(name))
		return Asked(host, row["method"], f"{path}?api-version={NEWEST}", body, token)

	def subject(self, bench, operation):
		if operation.name in ("CreateKey", "SetSecret", "ImportKey", "SetCertificateIssuer"):
			return unique("new")
		return SUBJECTS.get(operation.name, Bench.keep)(bench)

	# Resource management

	def filled(self, path, name=None):
		server = self.server
		path = path.replace("{scope}", self.locked if "/locks" in path else self.vault).replace("{kind}", "add").replace("{location}", "westeurope")
		path = path.replace("/locks/{name}", "/locks/canary").replace("/vaults/{vault}", "/vaults/canary-kv")
		path = path.replace("/vaults/{name}", "/vaults/canary-kv")
		path = re.sub(r"/userAssignedIdentities/\{\w+\}", "/userAssignedIdentities/canary-id", path)
		for word, kind in (("roleDefinitions", "role"), ("roleAssignments", "assignment"), ("denyAssignments", "deny")):
			path = path.replace(f"/{word}/{{name}}", f"/{word}/{self.names[kind]}")
		path = re.sub(r"/subscriptions/\{\w+\}", server.scope(), path)
		path = re.sub(r"/resourceGroups/\{\w+\}", "/resourceGroups/canary", path).replace("{space}", "Microsoft.KeyVault")
		return re.sub(r"\{[\w.]+\}", name or "canary", path)

	def manage_new(self, row, make):
		"""The row's path with a name of its own at the end; ${make}: it is there."""
		if row["name"].startswith("TrustedIssuer"):  # there may be only so many
			listed = self.server.manage("GET", "/providers/Strongroom.Identity/trustedIssuers").expect(200).json["value"]
			for each in listed:
				self.server.manage("DELETE", f"/providers/Strongroom.Identity/trustedIssuers/{each['name']}").expect(200)
		if row["name"].startswith("DenyAssignment"):
			at = self.filled(row["path"]).rsplit("/", 1)[0]
			for each in self.server.manage("GET", at, version=version_for(row)).expect(200).json["value"]:
				if each["name"] != self.names["deny"]:
					self.server.manage("DELETE", f"{at}/{each['name']}", version=version_for(row)).expect(200)
		name = str(uuid.uuid4()) if "Microsoft.Authorization/" in row["path"] else "x" + uuid.uuid4().hex[:15]
		head, _ = row["path"].rsplit("/", 1)
		if "{identity}" in head:  # it may have only so many
			identity = "x" + uuid.uuid4().hex[:15]
			self.server.manage("PUT", self.identity.replace("canary-id", identity), {"location": "westeurope"},
			    version="2023-01-31").expect(201)
			head = head.replace("{identity}", identity)
		if row["name"].startswith("Tags"):
			path = self.filled(row["path"])
		else:
			path = f"{self.filled(head)}/{name}"
		if make:
			put = next(each for each in ROWS if each["path"] == row["path"] and each["method"] == "PUT")
			reply = self.server.manage("PUT", path, self.named(put, name), version=version_for(put))
			assert reply.status < 300, reply
		return path, name

	def named(self, row, name):
		body = self.body(row)
		if row["name"] == "RoleDefinitionPut":
			body["properties"]["roleName"] = name
		if row["name"] == "TrustedIssuerPut":
			body["properties"]["issuer"] = f"https://{name}.example"
		if row["name"] == "FederatedIdentityCredentialPut":
			body["properties"]["subject"] = name
		if row["name"] == "RoleAssignmentPut":
			body["properties"]["principalId"] = self.server.graph("POST", "/users", self.person(unique("holder"))).json["id"]
		if row["name"] == "VaultPut":
			del body["properties"]["networkAcls"]
		return body

	def ask_management(self, row):
		method, name = row["method"], None
		if row["name"] == "VaultPurge" or row["name"] == "VaultGetDeleted":
			path = self.deleted_vault(row)
		elif row["name"] == "VaultAccessPolicyChange":
			path = self.filled(row["path"])
		elif method == "PUT":
			path, name = self.manage_new(row, False)
		elif method == "DELETE" and row["name"] not in REFUSED:
			path, _ = self.manage_new(row, True)
		elif method in ("GET", "HEAD", "PATCH") and row["path"].endswith("}") and any(
		    each["path"] == row["path"] and each["method"] == "PUT" for each in ROWS):
			path, _ = self.manage_new(row, True)
		else:
			path = self.filled(row["path"])
		body = None
		if method in ("PUT", "POST", "PATCH"):
			body = self.named(row, name) if name else self.body(row)
		if row["name"] in ("VaultCheckName", "ManagedHsmCheckName"):
			kind = "vaults" if row["name"].startswith("V") else "managedHSMs"
			body = {"name": "free-" + uuid.uuid4().hex[:8], "type": f"Microsoft.KeyVault/{kind}"}
		if row["name"] == "ClockAdvance":
			body = {"advance": 1}
		return Asked(self.server.host("management"), method, f"{path}?api-version={version_for(row)}", body,
		    self.server.admin.token(self.server.management))

	def deleted_vault(self, row):
		put = next(each for each in ROWS if each["name"] == "VaultPut")
		path, name = self.manage_new(put, True)
		self.server.manage("DELETE", path, version=version_for(put)).expect(200)
		return self.filled(row["path"].replace("{vault}", name))

	# The directory

	def ask_graph(self, row):
		server, path, name = self.server, row["path"], row["name"]
		token = server.admin.token(self.graph_resource)
		if re.search("/me(/|$)", path):
			who = User(server, unique("changer")) if name == "User.ChangePassword" else self.user_made
			token = who.grant(scope=f"{self.graph_resource}/.default").expect(200).json["access_token"]
		person = lambda: server.graph("POST", "/users", self.person(unique("someone"))).expect(201).json["id"]
		body = self.body(row) if row["method"] in ("POST", "PATCH") else None
		fresh = row["method"] == "DELETE" or name.endswith((".Update", "Password")) \
		    or name.startswith("Federated")
		if name == "User.Create":
			body = self.person(unique("someone"))
		elif name == "User.Update":
			body = {"displayName": "another"}
		elif name in ("Application.Update", "ServicePrincipal.Update"):
			body = {"displayName": "another"} if name.startswith("A") else {"accountEnabled": True}
		elif name == "User.ChangePassword":
			body = {"currentPassword": who.password, "newPassword": "Another-horse-" + uuid.uuid4().hex}
		elif name.endswith("AddMember"):
			body = {"@odata.id": f"{self.graph_resource}/v1.0/directoryObjects/{person()}"}
		elif name == "Application.Create":
			body = {"displayName": unique("app")}
		elif name == "ServicePrincipal.Create":
			body = {"appId": server.graph("POST", "/applications", {"displayName": unique("app")}).expect(201).json["appId"]}
		user, team, application = self.user, self.team, self.application
		if fresh:
			user = person()
			team = server.graph("POST", "/groups", self.team_body()).expect(201).json["id"]
			application = server.graph("POST", "/applications", {"displayName": unique("app")}).expect(201).json
		path = self.directory_path(row, path, user, team, application, person)
		if name.startswith("FederatedIdentityCredential") and body:
			body |= {"name": unique("credential"), "subject": unique("subject")}
			if row["method"] == "PATCH":
				body = {"subject": unique("subject")}
		if name.endswith("RemovePassword"):
			added = server.graph("POST", path.removeprefix("/v1.0").replace("remove", "add"), self.bodies["Application.AddPassword"])
			body = {"keyId": added.expect(200).json["keyId"]}
		return Asked(server.host("graph"), row["method"], path, body, token)

	def directory_path(self, row, path, user, team, application, person):
		server = self.server
		graph = lambda method, path, body=None: server.graph(method, path, body)
		service = None
		if "servicePrincipals" in path:
			known = graph("GET", f"/servicePrincipals(appId='{application['appId']}')")
			service = (known if known.status == 200 else
			    graph("POST", "/servicePrincipals", {"appId": application["appId"]}).expect(201)).json["id"]
		if "{member}" in path or (row["name"] == "DirectoryRole.RemoveMember"):
			gone = person()
			parent = f"/groups/{team}" if "{member}" in path else path.removeprefix("/v1.0").split("/members")[0]
			graph("POST", f"{parent}/members/$ref", {"@odata.id": f"{self.graph_resource}/v1.0/directoryObjects/{gone}"}).expect(204)
			path = path.replace("{member}", gone).replace("/members/{id}/", f"/members/{gone}/")
		if "{credential}" in path:
			made = graph("POST", f"/applications/{application['id']}/federatedIdentityCredentials",
			    self.bodies["FederatedIdentityCredential.Create"] | {"name": unique("credential"), "subject": unique("s")})
			path = path.replace("{credential}", made.expect(201).json["id"])
		for start, id in (("/users/", user), ("/groups/", team), ("/applications/", application["id"]),
		    ("/servicePrincipals/", service), ("/directoryObjects/", user)):
			path = path.replace(start + "{id}", f"{start}{id}")
		return path.replace("{appId}", application["appId"])

	# Sign-in

	def ask_login(self, row):
		server = self.server
		path = row["path"].replace("{tenant}", server.tenant).replace("{user}", self.user_made.upn)
		body, kind = None, None
		if row["name"] == "SignIn.Discovery" and path.endswith("instance"):
			path += f"?api-version=1.1&authorization_endpoint=https://login.localhost:{server.port}/{server.tenant}/oauth2/v2.0/authorize"
		if row["name"] == "SignIn.Authorize":
			path += "?" + authorize_url(server)[1].split("?", 1)[1]
		if row["method"] == "POST":
			what = {"scope": f"{server.resource}/.default"} if "/v2.0/" in path else {"resource": server.resource}
			form = {"client_id": AZ_CLIENT}
			if row["name"] == "SignIn.Token":
				form = {"grant_type": "client_credentials", "client_id": server.admin.client_id,
				    "client_secret": server.admin.secret}
			form |= what
			body, kind = urllib.parse.urlencode(form).encode(), FORM
		return Asked(server.host("login"), row["method"], path, body, kind=kind)


for each in OPERATIONS.values():
	each.document_collection = each.path.split("/")[1].removeprefix("deleted") if each.path != "/rng" else "keys"
