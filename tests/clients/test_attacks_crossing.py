"""From one tenant or vault into another, by what somebody rightly has in the first: tokens, ids, versions, backups, links
to next pages, credentials."""
import json
import re
import urllib.parse
import uuid

import pytest

from certs import SELF
from strongroom import Principal, unique, version_of

VERSION = "2023-07-01"


class Company:
	"""A tenant as its administrator sees it, with a vault that holds one of everything."""

	def __init__(self, server, administrator, tenant, subscription, vault):
		self.server, self.admin, self.tenant, self.subscription = server, administrator, tenant, f"/subscriptions/{subscription}"
		group = f"{self.subscription}/resourceGroups/{vault}"
		server.manage("PUT", group, {"location": "westeurope"}, version="2021-04-01", principal=administrator).expect(201)
		self.group, self.path = group, f"{group}/providers/Microsoft.KeyVault/vaults/{vault}"
		server.manage("PUT", self.path, {"location": "westeurope", "properties": {"tenantId": tenant,
		    "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}}, version=VERSION,
		    principal=administrator).expect(201)
		self.vault = server.vault(vault, administrator)
		self.secret, self.versions = f"of {vault}", {}
		for _ in range(3):
			self.versions["secrets"] = version_of(self.vault.set("s", self.secret))
		self.versions["keys"] = self.vault.post("/keys/k/create", {"kty": "EC"}).expect(200).json["key"]["kid"].rsplit("/", 1)[1]
		for number in range(30):
			self.vault.set(f"{vault}-{number:02}", self.secret)
		self.group_id = server.graph("POST", "/groups", {"displayName": vault, "mailEnabled": False, "securityEnabled": True,
		    "mailNickname": vault}, administrator).expect(201).json["id"]
		self.application = server.graph("POST", "/applications", {"displayName": vault}, administrator).expect(201).json
		self.app_secret = server.graph("POST", f"/applications/{self.application['id']}/addPassword",
		    {"passwordCredential": {"displayName": "x"}}, administrator).expect(200).json["secretText"]
		self.role = str(uuid.uuid4())
		server.manage("PUT", f"{self.subscription}/providers/Microsoft.Authorization/roleDefinitions/{self.role}",
		    {"properties": {"roleName": vault, "type": "CustomRole", "assignableScopes": [self.subscription],
		        "permissions": [{"actions": ["*"], "dataActions": ["*"]}]}}, principal=administrator).expect(201)

	def certify(self, name):
		self.vault.post(f"/certificates/{name}/create", {"policy": SELF}).expect(202)
		while "cer" not in (made := self.vault.get(f"/certificates/{name}").json):
			assert self.vault.get(f"/certificates/{name}/pending").expect(200).json["status"] in ("inProgress", "completed")
		self.versions["certificates"] = made["id"].rsplit("/", 1)[1]


@pytest.fixture(scope="module")
def companies(tenants):
	server, foreign, said = tenants
	ours = Company(server, server.admin, server.tenant, server.subscription, "ours-kv")
	theirs = Company(server, foreign, said["STRONGROOM_TENANT"], said["AZURE_SUBSCRIPTION_ID"], "theirs-kv")
	for one in (ours, theirs):
		one.certify("c")
	yield ours, theirs


def both_ways(companies):
	ours, theirs = companies
	return ((ours, theirs), (theirs, ours))


def untold(reply, victim):
	assert victim.secret not in str(reply.body), reply
	return reply


def test_challenges_by_tenant(companies):
	"""A vault's challenge names its tenant; where no vault is, it is as that of the home tenant's."""
	ours, theirs = companies

	def challenged(host):
		reply = ours.server.send("GET", host, "/secrets?api-version=7.4", None, {}).expect(401)
		return reply.header("WWW-Authenticate"), reply.body

	assert challenged(ours.server.host("nobody-kv.vault")) == challenged(ours.vault.host)
	assert f"/{ours.tenant}\"" in challenged(ours.vault.host)[0]
	assert f"/{theirs.tenant}\"" in challenged(theirs.vault.host)[0]


def test_vaults_of_the_other_tenant(companies):
	for thief, victim in both_ways(companies):
		for path in ("/secrets/s", "/secrets", f"/secrets/s/{victim.versions['secrets']}", "/keys/k", "/certificates/c",
		    "/deletedsecrets", "/nonsense"):
			token = thief.admin.token()
			untold(victim.vault.get(path, token=token), victim).expect(401, "Unauthorized")
			# Nor at one's own vault's address with the other's name in the path, or its id where one's own belongs.
			reply = thief.vault.get("/" + urllib.parse.quote(victim.vault.url + path, safe=""))
			assert reply.status in (400, 404)
	for thief, victim in both_ways(companies):
		for token in (thief.admin.token(thief.server.management),):
			reply = thief.server.send("GET", thief.server.host("management"), f"{victim.path}?api-version={VERSION}", None,
			    {"Authorization": f"Bearer {token}"})
			reply.expect(401, "InvalidAuthenticationTokenTenant")


def test_versions_of_elsewhere(companies, shared):
	"""A version's id is good below its own object only: not in another vault, tenant, kind or name."""
	for thief, victim in both_ways(companies):
		for kind, name in (("secrets", "s"), ("keys", "k"), ("certificates", "c")):
			reply = untold(thief.vault.get(f"/{kind}/{name}/{victim.versions[kind]}"), victim)
			assert reply.status == 404, reply
			thief.vault.patch(f"/{kind}/{name}/{victim.versions[kind]}", {"attributes": {"enabled": False}}).expect(404)
	main, other = shared.vault("main"), shared.vault("other")
	one, two = unique("one"), unique("two")
	version = version_of(main.set(one, "x"))
	main.set(two, "y")
	other.set(one, "z")
	for vault, path in ((main, f"/secrets/{two}/{version}"), (other, f"/secrets/{one}/{version}"), (main, f"/keys/{one}/{version}"),
	    (main, f"/certificates/{one}/{version}")):
		assert vault.get(path).status == 404
	main.remove(one)
	main.delete(f"/deletedsecrets/{one}").expect(204)
	main.set(one, "a new one of that name")
	main.get(f"/secrets/{one}/{version}").expect(404)


def test_signatures_by_another_vaults_key(companies):
	for thief, victim in both_ways(companies):
		body = {"alg": "ES256", "value": "A" * 43}
		thief.vault.post(f"/keys/k/{victim.versions['keys']}/sign", body).expect(404)
		victim.vault.post("/keys/k/sign", body, token=thief.admin.token()).expect(401)


def test_backups_of_another_tenant(companies):
	"""A backup opens in its own tenant's vaults only."""
	for thief, victim in both_ways(companies):
		name = unique("kept")
		victim.vault.set(name, victim.secret)
		victim.vault.post(f"/keys/{name}k/create", {"kty": "EC"}).expect(200)
		victim.certify(name + "c")
		for kind, name in (("secrets", name), ("keys", name + "k"), ("certificates", name + "c")):
			blob = victim.vault.post(f"/{kind}/{name}/backup").expect(200).json["value"]
			reply = untold(thief.vault.post(f"/{kind}/restore", {"value": blob}), victim)
			assert reply.status in (400, 403), reply
			thief.vault.get(f"/{kind}/{name}").expect(404)
			victim.vault.delete(f"/{kind}/{name}").expect(200)
			victim.vault.delete(f"/deleted{kind}/{name}").expect(204)
			for other in {"secrets", "keys", "certificates"} - {kind}:
				victim.vault.post(f"/{other}/restore", {"value": blob}).expect(400)
			victim.vault.post(f"/{kind}/restore", {"value": blob}).expect(200)


def skip_token(link):
	return re.search(r"skiptoken=([^&]+)", link)[1]


def test_pages_of_elsewhere(companies, shared, principal):
	"""A link to a next page says where it goes on, not what may be seen: it is good for its own list only."""
	for thief, victim in both_ways(companies):
		link = victim.vault.get("/secrets", query="api-version=7.4&maxresults=5").expect(200).json["nextLink"]
		thief.vault.get("/secrets", query=f"api-version=7.4&$skiptoken={skip_token(link)}").expect(400, "BadParameter")
		path = link[len(victim.vault.url):]
		untold(thief.server.send("GET", victim.vault.host, path, None,
		    {"Authorization": f"Bearer {thief.admin.token()}"}), victim).expect(401)
		for kind in ("keys", "certificates", "deletedsecrets", "deletedkeys", "deletedcertificates",
		    "secrets/s/versions", "certificates/issuers"):
			victim.vault.get(f"/{kind}", query=f"api-version=7.4&$skiptoken={skip_token(link)}").expect(400, "BadParameter")
		victim.vault.get("/secrets", query=f"api-version=7.4&$skiptoken={skip_token(link)}").expect(200)
	# In the same vault, for somebody who may not list.
	vault = shared.vault("main")
	for _ in range(3):
		vault.set(unique("page"))
	link = vault.get("/secrets", query="api-version=7.4&maxresults=1").expect(200).json["nextLink"]
	nobody = shared.vault("main", principal())
	shared.send("GET", nobody.host, link[len(nobody.url):], None, {"Authorization": f"Bearer {nobody.principal.token()}"}).expect(403)
	shared.send("GET", nobody.host, link[len(nobody.url):]).expect(401)


def test_pages_of_resource_management_and_of_the_directory(companies):
	for thief, victim in both_ways(companies):
		server = thief.server
		for number in range(3):
			for one in (thief, victim):
				server.manage("PUT", f"{one.subscription}/resourceGroups/page-{number}",
				    {"location": "westeurope"}, version="2021-04-01",
				    principal=one.admin)
		lists = [("management", f"{victim.subscription}/resourceGroups", f"{thief.subscription}/resourceGroups",
		    "api-version=2021-04-01&$top=1"),
		    ("graph", "/v1.0/groups", "/v1.0/users", "$top=1"), ("graph", "/v1.0/groups", "/v1.0/groups", "$top=1")]
		server.graph("POST", "/groups", {"displayName": "x", "mailEnabled": False, "securityEnabled": True,
		    "mailNickname": unique("x")}, victim.admin)
		for host, from_list, to_list, query in lists:
			audience = server.management if host == "management" else f"https://graph.localhost:{server.port}"

			def get(one, path):
				return server.send("GET", server.host(host), path, None,
				    {"Authorization": f"Bearer {one.admin.token(audience)}"})
			page = get(victim, f"{from_list}?{query}").expect(200).json
			link = page.get("nextLink") or page.get("@odata.nextLink")
			assert link, page
			stolen = get(thief, f"{to_list}?{query}&$skiptoken={skip_token(link)}")
			direct = get(thief, link.split(str(server.port), 1)[1])
			if host == "management":
				stolen.expect(400)
				direct.expect(401)
			else:  # There a link holds a place among ids, which says nothing: lists are the caller's own tenant's.
				theirs = {each["id"] for each in get(victim, from_list).expect(200).json["value"]}
				for reply in (stolen, direct):
					assert not theirs & {each["id"] for each in reply.expect(200).json["value"]}


def test_directories_are_apart(companies):
	"""Neither read, nor changed, nor made a member: another tenant's objects are not there."""
	for thief, victim in both_ways(companies):
		graph, server = thief.server.graph, thief.server
		mine = thief.admin
		for path in (f"/groups/{victim.group_id}", f"/applications/{victim.application['id']}",
		    f"/applications(appId='{victim.application['appId']}')",
		    f"/directoryObjects/{victim.group_id}"):
			graph("GET", path, principal=mine).expect(404)
			if "directoryObjects" not in path:
				graph("PATCH", path, {"displayName": "taken"}, mine).expect(404)
				graph("DELETE", path, principal=mine).expect(404)
		graph("POST", f"/applications/{victim.application['id']}/addPassword", {"passwordCredential": {}}, mine).expect(404)
		graph("POST", f"/applications/{victim.application['id']}/federatedIdentityCredentials",
		    {"name": "x", "issuer": "https://x.example",
		    "subject": "x", "audiences": ["x"]}, mine).expect(404)
		reference = {"@odata.id": f"https://graph.localhost:{server.port}/v1.0/directoryObjects/{victim.group_id}"}
		assert graph("POST", f"/groups/{thief.group_id}/members/$ref", reference, mine).status in (400, 404)
		assert graph("POST", f"/groups/{victim.group_id}/members/$ref", reference, mine).status == 404
		assert graph("POST", "/directoryObjects/getByIds", {"ids": [victim.group_id]}, mine).expect(200).json["value"] == []
		administrators = "/directoryRoles(roleTemplateId='62e90394-69f5-4237-9190-012177145e10')/members"
		reference["@odata.id"] = reference["@odata.id"].replace(victim.group_id, victim.admin.object_id)
		assert graph("POST", administrators + "/$ref", reference, mine).status in (400, 404)
		assert victim.admin.object_id not in str(graph("GET", administrators, principal=mine).expect(200).body)
		graph("GET", f"/groups/{victim.group_id}", principal=victim.admin).expect(200)


def test_roles_of_another_tenant(companies):
	for thief, victim in both_ways(companies):
		manage, mine = thief.server.manage, thief.admin
		authorization = "/providers/Microsoft.Authorization"
		for scope in (thief.path, thief.subscription):
			body = {"properties": {"roleDefinitionId": f"{victim.subscription}{authorization}/roleDefinitions/{victim.role}",
			    "principalId": thief.admin.object_id}}
			reply = manage("PUT", f"{scope}{authorization}/roleAssignments/{uuid.uuid4()}", body, principal=mine)
			assert reply.status in (400, 404), reply
		for scope in (victim.path, victim.subscription, victim.group):
			for kind in ("roleAssignments", "roleDefinitions", "denyAssignments", "locks"):
				manage("GET", f"{scope}{authorization}/{kind}", principal=mine,
				    version="2020-05-01" if kind == "locks" else "2022-04-01").expect(401)
		body = {"properties": {"roleName": unique("reach"), "type": "CustomRole", "assignableScopes": [victim.subscription],
		    "permissions": [{"actions": ["*"]}]}}
		reply = manage("PUT", f"{thief.subscription}{authorization}/roleDefinitions/{uuid.uuid4()}", body, principal=mine)
		assert reply.status in (400, 401, 403), reply
		assert manage("GET", f"{thief.subscription}{authorization}/roleDefinitions/{victim.role}", principal=mine).status == 404


def test_credentials_at_the_other_tenant(companies):
	"""An application signs in where it is registered; a token names the tenant of the keys that signed it."""
	for thief, victim in both_ways(companies):
		here = Principal(thief.server, thief.application["appId"], thief.app_secret)
		there = Principal.sign_in(here, f"{thief.server.resource}/.default", victim.tenant)
		assert there.status in (400, 401) and "access_token" not in there.json
		fine = Principal.sign_in(here, f"{thief.server.resource}/.default", thief.tenant).expect(200).json
		untold(victim.vault.get("/secrets/s", token=fine["access_token"]), victim).expect(401)
		header, _, signature = fine["access_token"].split(".")
		other = victim.admin.token().split(".")
		for forged in (f"{header}.{other[1]}.{signature}", f"{other[0]}.{other[1]}.{signature}",
		    f"{other[0]}.{fine['access_token'].split('.', 1)[1]}"):
			victim.vault.get("/secrets/s", token=forged).expect(401)
	for one in companies:
		for name in ("common", "organizations", "adfs"):
			reply = Principal.sign_in(Principal(one.server, companies[1].application["appId"], companies[1].app_secret),
			    f"{one.server.resource}/.default", name)
			assert reply.status in (400, 401), reply


def test_policies_naming_another_tenant(companies):
	"""A vault in the other model lets in its own tenant's people only, whatever its policies say."""
	for thief, victim in both_ways(companies):
		server = thief.server
		path = f"{victim.group}/providers/Microsoft.KeyVault/vaults/{unique('pol')}-{victim.vault.name}"
		policy = {"objectId": thief.admin.object_id, "permissions": {"secrets": ["all"]}}
		body = {"location": "westeurope", "properties": {"tenantId": victim.tenant, "sku": {"family": "A", "name": "standard"},
		    "enableRbacAuthorization": False, "accessPolicies": [policy | {"tenantId": thief.tenant}]}}
		server.manage("PUT", path, body, version=VERSION, principal=victim.admin).expect(400)
		body["properties"]["accessPolicies"] = [policy | {"tenantId": victim.tenant},
		    policy | {"tenantId": victim.tenant, "objectId": victim.admin.object_id}]
		server.manage("PUT", path, body, version=VERSION, principal=victim.admin).expect(201)
		server.vault(path.rsplit("/", 1)[1], victim.admin).get("/secrets").expect(200)
		server.vault(path.rsplit("/", 1)[1], thief.admin).get("/secrets").expect(401)
		body["properties"]["tenantId"] = thief.tenant
		moved = server.manage("PUT", path + "x", body, version=VERSION, principal=victim.admin)
		assert 400 <= moved.status < 500, "no vault of one tenant's subscription is another tenant's"


def test_one_vaults_writer_at_the_next(shared, main, other, principal):
	"""Same tenant: rights at one vault are none at another, whatever is carried over."""
	name = unique("carried")
	main.set(name, "mine")
	other.set(name, "theirs")
	someone = principal(("Key Vault Administrator", shared.scope("main")))
	here, there = shared.vault("main", someone), shared.vault("other", someone)
	blob, foreign = here.post(f"/secrets/{name}/backup").expect(200).json["value"], other.backup(name)
	here.post("/keys/carried/create", {"kty": "EC"})
	there.post("/secrets/restore", {"value": blob}).expect(403)
	for path in (f"/secrets/{name}", "/secrets", f"/secrets/{name}/versions", "/keys", "/certificates", "/deletedsecrets"):
		assert "theirs" not in str(there.get(path).expect(403).body)
	# Who has another vault's backup (a right of its own there) may restore it where he may restore: as documented.
	main.remove(name)
	main.delete(f"/deletedsecrets/{name}").expect(204)
	assert json.loads(here.post("/secrets/restore", {"value": foreign}).expect(200).body)["id"].startswith(main.url)
