"""The control plane on the wire: what is wrong with a request, and that nothing changed by it."""
import json
import urllib.parse
import uuid

import pytest

from strongroom import claims, unique

VAULTS = "Microsoft.KeyVault/vaults"


@pytest.fixture(scope="module")
def group(shared):
	name = unique("group")
	path = f"{shared.scope()}/resourceGroups/{name}"
	shared.manage("PUT", path, {"location": "westeurope"}, version="2021-04-01").expect(201)
	return path


def vault_body(server, **properties):
	return {"location": "westeurope", "properties": {"tenantId": server.tenant,
	    "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True, **properties}}


def put(server, path, body=None, version="2023-07-01", principal=None):
	return server.manage("PUT", path, vault_body(server) if body is None else body, version=version,
	    principal=principal)


def get(server, path, version="2023-07-01", principal=None):
	return server.manage("GET", path, version=version, principal=principal)


@pytest.fixture
def vault(shared, group):
	path = f"{group}/providers/{VAULTS}/{unique('kv')}"
	put(shared, path).expect(201)
	return path


# Ids

@pytest.mark.parametrize("middle", ("/..", "/%2e%2e", "//..//", "/%2F..", "/."))
def test_paths_that_climb(shared, group, vault, middle):
	name = vault.rsplit("/", 1)[1]
	for path in (f"{group}{middle}/providers/{VAULTS}/{name}", f"{group}/providers/{VAULTS}{middle}/{name}",
	    f"{vault}{middle}"):
		reply = shared.manage("DELETE", path, version="2023-07-01")
		assert reply.status in (400, 404, 405), reply
	get(shared, vault).expect(200)


def test_ids_in_any_case(shared, vault):
	for path in (vault.upper(), vault.lower(), vault.replace("resourceGroups", "resourcegroups")):
		assert get(shared, path).expect(200).json["id"] == vault
	assert put(shared, vault.upper()).expect(200).json["id"] == vault


def test_encoded_scope(shared, vault):
	"""The newest libraries encode the slashes of a scope."""
	path = "/" + urllib.parse.quote(vault[1:], safe="") + "/providers/Microsoft.Authorization/roleAssignments"
	assert shared.manage("GET", path).expect(200).json["value"] is not None


@pytest.mark.parametrize("size", (100, 300, 2000, 7000))
def test_long_ids(shared, group, size):
	for path in (f"{group}/providers/{VAULTS}/{'a' * size}", f"{group}{'b' * size}",
	    f"{group}/providers/{'c' * size}/things/x", f"/subscriptions/{'d' * size}"):
		for method in ("GET", "PUT", "DELETE"):
			reply = shared.manage(method, path, {} if method == "PUT" else None, version="2021-04-01")
			assert 400 <= reply.status < 500, reply


def test_empty_segments(shared, vault):
	assert get(shared, vault.replace("/providers/", "//providers///")).expect(200).json["id"] == vault
	assert get(shared, vault + "/").expect(200).json["id"] == vault


def test_ten_kilobytes(shared, group):
	"""Too long for a head at all."""
	token = shared.admin.token(shared.management)
	connection = shared.connection(shared.host("management"))
	reply = connection.exchange("GET", f"{group}/{'x' * 70000}?api-version=2021-04-01", None,
	    {"Authorization": f"Bearer {token}"})
	assert reply.status in (404, 414, 431), reply


# Versions

def test_versions(shared, vault):
	token = shared.admin.token(shared.management)
	bare = lambda query: shared.send("GET", shared.host("management"), f"{vault}{query}", None,
	    {"Authorization": f"Bearer {token}"})
	bare("").expect(400, "MissingApiVersionParameter")
	said = bare("?api-version=1999-01-01").expect(400, "NoRegisteredProviderFound").error["message"]
	assert "2023-07-01" in said and "'vaults'" in said
	bare("?api-version=nonsense").expect(400)
	bare("?api%2Dversion=2023-07-01").expect(200)
	bare("?API-VERSION=2023-07-01").expect(200)
	for version in ("2015-06-01", "2022-07-01", "2023-02-01", "2024-11-01", "2025-05-01", "2026-02-01", "2026-05-15"):
		bare(f"?api-version={version}").expect(200)


@pytest.mark.parametrize("version, rbac", (("2015-06-01", False), ("2022-07-01", False), ("2025-05-01", False),
    ("2026-02-01", True), ("2026-05-15", True)))
def test_default_model_by_version(shared, group, version, rbac):
	path = f"{group}/providers/{VAULTS}/{unique('model-kv')}"
	body = vault_body(shared)
	del body["properties"]["enableRbacAuthorization"]
	body["properties"]["accessPolicies"] = []
	made = put(shared, path, body, version).expect(201).json
	assert bool(made["properties"].get("enableRbacAuthorization")) is rbac
	again = put(shared, path, body, "2026-02-01").expect(200).json
	assert bool(again["properties"].get("enableRbacAuthorization")) is rbac, "an update never changes it by itself"


# Two planes

def test_tokens_of_the_other_plane(shared, vault, main):
	data, management = shared.admin.token(shared.resource), shared.admin.token(shared.management)
	shared.send("GET", shared.host("management"), f"{vault}?api-version=2023-07-01", None,
	    {"Authorization": f"Bearer {data}"}).expect(401)
	main.request("GET", "/secrets", token=management).expect(401)
	shared.send("GET", shared.host("management"), f"{vault}?api-version=2023-07-01").expect(401, "AuthenticationFailed")


def test_rights_of_the_other_plane(shared, vault, principal):
	"""An owner of the vault reads no secret; who reads secrets can't touch the vault."""
	name = vault.rsplit("/", 1)[1]
	owner = principal(("Owner", vault))
	get(shared, vault, principal=owner).expect(200)
	shared.vault(name, owner).get("/secrets").expect(403, "Forbidden", "ForbiddenByRbac")
	reader = principal(("Key Vault Administrator", vault))
	shared.vault(name, reader).get("/secrets").expect(200)
	put(shared, vault, principal=reader).expect(403, "AuthorizationFailed")
	shared.manage("DELETE", vault, version="2023-07-01", principal=reader).expect(403, "AuthorizationFailed")
	get(shared, vault).expect(200)


# Vaults

BAD = {
	"retention too short": {"softDeleteRetentionInDays": 6},
	"retention too long": {"softDeleteRetentionInDays": 91},
	"retention is text": {"softDeleteRetentionInDays": "90"},
	"no soft delete": {"enableSoftDelete": False},
	"purge protection off": {"enablePurgeProtection": False},
	"tier": {"sku": {"family": "A", "name": "platinum"}},
	"family": {"sku": {"family": "C", "name": "standard"}},
	"no tier": {"sku": None},
	"tenant": {"tenantId": str(uuid.uuid4())},
	"tenant is none": {"tenantId": "mine"},
	"default action": {"networkAcls": {"defaultAction": "Maybe"}},
	"bypass": {"networkAcls": {"bypass": "Everybody"}},
	"address": {"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "300.1.1.1"}]}},
	"block": {"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "10.0.0.0/33"}]}},
	"public access": {"publicNetworkAccess": "Sometimes"},
	"create mode": {"createMode": "borrow"},
	"policy without object": {"enableRbacAuthorization": False, "accessPolicies": [{"tenantId": str(uuid.uuid4()),
	    "permissions": {"secrets": ["get"]}}]},
	"unknown permission": {"enableRbacAuthorization": False, "accessPolicies": [{"tenantId": str(uuid.uuid4()),
	    "objectId": str(uuid.uuid4()), "permissions": {"secrets": ["peek"]}}]},
	"a flag is text": {"enabledForDeployment": "yes"},
}


@pytest.mark.parametrize("what", BAD)
def test_properties_out_of_rule(shared, group, vault, what):
	path = f"{group}/providers/{VAULTS}/{unique('bad-kv')}"
	put(shared, path, vault_body(shared, **BAD[what])).expect(400)
	get(shared, path).expect(404, "ResourceNotFound")
	if what == "no tier":
		return  # one that is there keeps its own
	before = get(shared, vault).json
	put(shared, vault, vault_body(shared, **BAD[what])).expect(400)
	after = get(shared, vault).json
	assert after["properties"] == before["properties"]


@pytest.mark.parametrize("name", ("1abc", "ab", "a" * 25, "a--b", "abc-", "a_b", "a.b", "-abc", "ünï"))
def test_vault_names(shared, group, name):
	path = f"{group}/providers/{VAULTS}/{urllib.parse.quote(name)}"
	put(shared, path).expect(400, "VaultNameNotValid")


@pytest.mark.parametrize("body", (b"", b"{", b"[]", b"null", b'{"location":5}', b'{"properties":[]}',
    b'{"location":"westeurope","location":"eastus"}', b'{"properties":{"sku":"standard"}}', b"\xff\xfe{}"))
def test_bodies(shared, group, body):
	path = f"{group}/providers/{VAULTS}/{unique('kv')}"
	token = shared.admin.token(shared.management)
	reply = shared.send("PUT", shared.host("management"), f"{path}?api-version=2023-07-01", body,
	    {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
	assert reply.status == 400, reply
	get(shared, path).expect(404)


def test_locations(shared, group, vault):
	moved = vault_body(shared) | {"location": "eastus"}
	reply = put(shared, vault, moved)
	assert reply.status in (400, 409), reply
	put(shared, f"{group}/providers/{VAULTS}/{unique('kv')}", vault_body(shared) | {"location": "West Europe"}) \
	    .expect(201)
	put(shared, f"{group}/providers/{VAULTS}/{unique('kv')}", vault_body(shared) | {"location": "atlantis"}).expect(400)
	without = vault_body(shared)
	del without["location"]
	put(shared, f"{group}/providers/{VAULTS}/{unique('kv')}", without).expect(400)


def test_retention_is_fixed(shared, group):
	path = f"{group}/providers/{VAULTS}/{unique('kv')}"
	put(shared, path, vault_body(shared, softDeleteRetentionInDays=10)).expect(201)
	said = put(shared, path, vault_body(shared, softDeleteRetentionInDays=20)).expect(400, "BadRequest").error
	assert "softDeleteRetentionInDays" in said["message"]
	shared.manage("PATCH", path, {"properties": {"softDeleteRetentionInDays": 20}}, version="2023-07-01").expect(400)
	assert get(shared, path).json["properties"]["softDeleteRetentionInDays"] == 10


def test_purge_protection_is_one_way(shared, group):
	path = f"{group}/providers/{VAULTS}/{unique('kv')}"
	put(shared, path, vault_body(shared, enablePurgeProtection=True)).expect(201)
	said = put(shared, path, vault_body(shared, enablePurgeProtection=False)).expect(400, "BadRequest").error
	assert said["message"] == ('The property "enablePurgeProtection" cannot be set to false. Enabling the purge '
	    "protection for a vault is an irreversible action.")
	body = vault_body(shared)
	assert put(shared, path, body).expect(200).json["properties"]["enablePurgeProtection"] is True
	shared.manage("DELETE", path, version="2023-07-01").expect(200)
	name = path.rsplit("/", 1)[1]
	purge = f"{shared.scope()}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/{name}"
	shared.manage("POST", purge + "/purge", version="2023-07-01").expect(405, "MethodNotAllowed")
	get(shared, purge).expect(200)


def test_names_are_global(shared, group, vault):
	name = vault.rsplit("/", 1)[1]
	elsewhere = f"{shared.group_scope}/providers/{VAULTS}/{name.upper()}"
	put(shared, elsewhere).expect(409, "VaultAlreadyExists")
	get(shared, vault).expect(200)


def test_unknown_things(shared, group):
	scope = shared.scope()
	get(shared, f"{group}/providers/{VAULTS}/none").expect(404, "ResourceNotFound")
	get(shared, f"{scope}/resourceGroups/none", "2021-04-01").expect(404, "ResourceGroupNotFound")
	get(shared, f"{scope}/resourceGroups/none/providers/{VAULTS}/none").expect(404)
	get(shared, f"{group}/providers/Microsoft.Nothing/things/x").expect(404, "InvalidResourceNamespace")
	get(shared, f"{group}/providers/Microsoft.KeyVault/things/x").expect(404, "InvalidResourceType")
	get(shared, f"/subscriptions/{uuid.uuid4()}/resourceGroups").expect(404, "SubscriptionNotFound")
	get(shared, f"/subscriptions/nonsense/resourceGroups/none/providers/{VAULTS}/x").expect(400, "InvalidSubscriptionId")
	get(shared, f"{scope}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/none") \
	    .expect(404, "DeletedVaultNotFound")


# Secrets by resource management

def test_secret_of_a_template(shared, vault, principal):
	"""Who writes vaults may put a secret into one, and never sees a value."""
	name = vault.rsplit("/", 1)[1]
	writer = principal(("Contributor", vault))
	made = shared.manage("PUT", f"{vault}/secrets/fromtemplate", {"properties": {"value": "hidden",
	    "contentType": "text/plain", "attributes": {"enabled": True}}}, version="2023-07-01", principal=writer)
	assert made.status in (200, 201), made
	for reply in (made, get(shared, f"{vault}/secrets/fromtemplate", principal=writer).expect(200),
	    get(shared, f"{vault}/secrets", principal=writer).expect(200)):
		assert b"hidden" not in reply.body
	assert shared.vault(name).value("fromtemplate") == "hidden"
	shared.vault(name, writer).get("/secrets/fromtemplate").expect(403)


# Roles

def test_bad_assignments(shared, vault, principal):
	reader = principal()
	path = lambda name=None: f"{vault}/providers/Microsoft.Authorization/roleAssignments/{name or uuid.uuid4()}"
	good = lambda **change: {"properties": shared.assignment(reader, "Key Vault Reader")["properties"] | change}
	nobody, role = str(uuid.uuid4()), str(uuid.uuid4())
	shared.manage("PUT", path(), good(principalId=nobody)).expect(400, "PrincipalNotFound")
	shared.manage("PUT", path(), good(principalId="x")).expect(400)
	shared.manage("PUT", path(), good(roleDefinitionId=f"/providers/Microsoft.Authorization/roleDefinitions/{role}"))\
	    .expect(400, "RoleDefinitionDoesNotExist")
	shared.manage("PUT", path("not-a-guid"), good()).expect(400)
	shared.manage("PUT", path(), good(condition="@Resource[foo] StringEquals 'x'", conditionVersion="2.0")).expect(400)
	shared.manage("PUT", path(), good(condition="(((", conditionVersion="2.0")).expect(400)
	name = str(uuid.uuid4())
	shared.manage("PUT", path(name), good()).expect(201)
	shared.manage("PUT", path(), good()).expect(409, "RoleAssignmentExists")
	other = principal()
	shared.manage("PUT", path(name), good(principalId=other.object_id)).expect(400, "RoleAssignmentUpdateNotPermitted")
	listed = shared.manage("GET", f"{vault}/providers/Microsoft.Authorization/roleAssignments").json["value"]
	assert [each["name"] for each in listed if each["properties"]["scope"] == vault] == [name]


def test_role_outside_its_scopes(shared, group, vault, principal):
	name = str(uuid.uuid4())
	shared.manage("PUT", f"{group}/providers/Microsoft.Authorization/roleDefinitions/{name}", {"properties": {
	    "roleName": f"narrow {name}", "type": "CustomRole", "assignableScopes": [group], "permissions": [
	        {"actions": ["Microsoft.KeyVault/vaults/read"]}]}}).expect(201)
	body = shared.assignment(principal(), name)
	there = f"{shared.scope('main')}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
	reply = shared.manage("PUT", there, body)
	assert reply.status in (400, 403), reply
	shared.manage("GET", there).expect(404)
	shared.manage("PUT", f"{vault}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", body).expect(201)


def test_condition(shared, group, principal):
	name = unique("cond-kv")
	path = f"{group}/providers/{VAULTS}/{name}"
	put(shared, path).expect(201)
	reader, vault = principal(), shared.vault(name)
	for secret in ("blue-one", "red-one"):
		vault.set(secret)
	body = shared.assignment(reader, "Key Vault Secrets User")
	body["properties"] |= {"conditionVersion": "2.0", "condition":
	    "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'blue-'"}
	shared.manage("PUT", f"{path}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", body).expect(201)
	mine = shared.vault(name, reader)
	mine.get("/secrets/blue-one").expect(200)
	mine.get("/secrets/red-one").expect(403, "Forbidden", "ForbiddenByRbac")
	mine.get("/secrets").expect(403)


def test_deny_wins(shared, group, principal):
	name = unique("deny-kv")
	path = f"{group}/providers/{VAULTS}/{name}"
	put(shared, path).expect(201)
	reader = principal(("Key Vault Administrator", path))
	mine = shared.vault(name, reader)
	mine.set("x")
	deny = f"{path}/providers/Microsoft.Authorization/denyAssignments/{uuid.uuid4()}"
	shared.manage("PUT", deny, {"properties": {"denyAssignmentName": "no reading", "permissions": [
	    {"dataActions": ["Microsoft.KeyVault/vaults/secrets/getSecret/action"]}],
	    "principals": [{"id": reader.object_id, "type": "ServicePrincipal"}]}}).expect(201)
	said = mine.get("/secrets/x").expect(403, "Forbidden", "ForbiddenByRbac").error["message"]
	assert deny.rsplit("/", 1)[1] in said
	mine.get("/secrets").expect(200)
	explained = shared.manage("POST", f"{path}/secrets/x/providers/Strongroom.Authorization/explain", {
	    "principalId": reader.object_id, "action": "Microsoft.KeyVault/vaults/secrets/getSecret/action",
	    "isDataAction": True}).expect(200).body
	assert deny.rsplit("/", 1)[1].encode() in explained
	reply = shared.manage("DELETE", deny)
	assert reply.status in (200, 204)
	mine.get("/secrets/x").expect(200)


def test_what_stays_at_a_deleted_vault(shared, group, principal):
	"""Roles given there go; a deny does not: who deletes and recovers vaults may not lift it."""
	name = unique("stay-kv")
	path = f"{group}/providers/{VAULTS}/{name}"
	put(shared, path).expect(201)
	reader = principal(("Key Vault Secrets User", path))
	shared.vault(name).set("x")
	shared.vault(name, reader).get("/secrets/x").expect(200)
	deny = f"{path}/providers/Microsoft.Authorization/denyAssignments/{uuid.uuid4()}"
	shared.manage("PUT", deny, {"properties": {"denyAssignmentName": "stays", "permissions": [
	    {"dataActions": ["Microsoft.KeyVault/vaults/secrets/setSecret/action"]}],
	    "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}]}}).expect(201)
	shared.vault(name).put("/secrets/x", {"value": "y"}).expect(403)
	writer = principal(("Contributor", shared.scope()))
	shared.manage("DELETE", path, version="2023-07-01", principal=writer).expect(200)
	recover = {"location": "westeurope", "properties": {"tenantId": shared.tenant, "createMode": "recover",
	    "sku": {"family": "A", "name": "standard"}}}
	assert put(shared, path, recover, principal=writer).status in (200, 201)
	shared.vault(name, reader).get("/secrets/x").expect(403)
	shared.vault(name).get("/secrets/x").expect(200)
	shared.vault(name).put("/secrets/x", {"value": "y"}).expect(403)
	shared.manage("DELETE", deny, principal=writer).expect(403, "AuthorizationFailed")
	shared.manage("DELETE", deny).expect(200)
	shared.vault(name).put("/secrets/x", {"value": "y"}).expect(200)


def test_locks(shared, group, principal):
	path = f"{group}/providers/{VAULTS}/{unique('lock-kv')}"
	put(shared, path).expect(201)
	lock = f"{path}/providers/Microsoft.Authorization/locks/hold"
	shared.manage("PUT", lock, {"properties": {"level": "CanNotDelete"}}, version="2020-05-01").expect(201)
	shared.manage("DELETE", path, version="2023-07-01").expect(409, "ScopeLocked")
	put(shared, path).expect(200)
	shared.manage("DELETE", group, version="2021-04-01").expect(409, "ScopeLocked")
	shared.manage("PUT", lock, {"properties": {"level": "ReadOnly"}}, version="2020-05-01").expect(200)
	put(shared, path).expect(409, "ScopeLocked")
	get(shared, path).expect(200)
	reply = shared.manage("DELETE", lock, version="2020-05-01")
	assert reply.status in (200, 204)
	shared.manage("DELETE", path, version="2023-07-01").expect(200)


# Tenants

def test_tenants_are_apart(tenants):
	server, foreign, said = tenants
	mine = server.scope("mine")
	server.vault("mine").set("x")
	get(server, mine, principal=foreign).expect(401, "InvalidAuthenticationTokenTenant")
	get(server, server.scope() + "/resourceGroups", "2021-04-01", principal=foreign).expect(401)
	server.vault("mine", foreign).get("/secrets/x").expect(401)
	listed = server.manage("GET", "/subscriptions", version="2022-12-01", principal=foreign).expect(200).json["value"]
	assert [each["subscriptionId"] for each in listed] == [said["AZURE_SUBSCRIPTION_ID"]]
	assert claims(foreign.token())["tid"] == said["STRONGROOM_TENANT"]
	server.graph("GET", f"/servicePrincipals/{server.admin.object_id}", principal=foreign).expect(404)
	body = server.assignment(foreign, "Key Vault Reader")
	server.manage("PUT", f"{mine}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", body) \
	    .expect(400, "PrincipalNotFound")


def test_second_tenant_has_vaults_of_its_own(tenants):
	server, foreign, said = tenants
	scope = f"/subscriptions/{said['AZURE_SUBSCRIPTION_ID']}/resourceGroups/theirs"
	server.manage("PUT", scope, {"location": "westeurope"}, version="2021-04-01", principal=foreign).expect(201)
	body = vault_body(server, tenantId=said["STRONGROOM_TENANT"])
	taken = put(server, f"{scope}/providers/{VAULTS}/mine", body, principal=foreign)
	taken.expect(409, "VaultAlreadyExists")
	put(server, f"{scope}/providers/{VAULTS}/theirs", body, principal=foreign).expect(201)
	server.vault("theirs", foreign).set("y")
	server.vault("theirs").get("/secrets/y").expect(401)


# Evidence

def test_administration_is_recorded(server):
	one = server()
	path = f"{one.scope()}/resourceGroups/audited"
	one.manage("PUT", path, {"location": "westeurope"}, version="2021-04-01").expect(201)
	vault = f"{path}/providers/{VAULTS}/audited-kv"
	put(one, vault).expect(201)
	stranger = one.make_principal()
	get(one, vault, principal=stranger).expect(403)
	object_id = claims(stranger.token(one.management))["oid"]
	one.stop()
	lines = [json.loads(line) for segment in sorted((one.data / "audit").glob("*")) if segment.is_file()
	    for line in segment.read_text(errors="replace").splitlines() if '"operationName"' in line]
	mine = [line for line in lines if line.get("resourceId", "").endswith("/VAULTS/AUDITED-KV")
	    and line["category"] == "Administrative"]
	written, refused = mine[0], mine[-1]
	assert written["identity"]["authorization"]["action"] == "Microsoft.KeyVault/vaults/write"
	assert (written["resultType"], refused["resultType"]) == ("Success", "Failed")
	assert refused["identity"]["claim"]["oid"] == object_id
	assert refused["properties"]["httpStatusCode"] == 403
	done = one.cli("audit", "verify")
	assert done.returncode == 0, done.stderr
