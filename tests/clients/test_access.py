"""Who may do what: roles, scopes, and how fast a change of them counts."""
import re
import uuid

import pytest

from strongroom import ROLES, claims, unique

# What each row needs, as a caller of the vault meets it: name, call, the data action.
ACTIONS = {
	"get": (lambda v, n: v.get(f"/secrets/{n}"), "getSecret/action"),
	"set": (lambda v, n: v.put(f"/secrets/{n}", {"value": "x"}), "setSecret/action"),
	"update": (lambda v, n: v.patch(f"/secrets/{n}", {}), "update/action"),
	"list": (lambda v, n: v.get("/secrets"), "readMetadata/action"),
	"versions": (lambda v, n: v.get(f"/secrets/{n}/versions"), "readMetadata/action"),
	"backup": (lambda v, n: v.post(f"/secrets/{n}/backup"), "backup/action"),
	"delete": (lambda v, n: v.delete(f"/secrets/{n}"), "delete"),
	"list deleted": (lambda v, n: v.get("/deletedsecrets"), "readMetadata/action"),
	"get deleted": (lambda v, n: v.get(f"/deletedsecrets/{n}"), "readMetadata/action"),
	"recover": (lambda v, n: v.post(f"/deletedsecrets/{n}/recover"), "recover/action"),
	"purge": (lambda v, n: v.delete(f"/deletedsecrets/{n}"), "purge/action"),
	"restore": (lambda v, n: v.post("/secrets/restore", {"value": "AAAA"}), "restore/action"),
}
READ = {"list", "versions", "list deleted", "get deleted"}
ALLOWED = {
	"Key Vault Administrator": set(ACTIONS),
	"Key Vault Secrets Officer": set(ACTIONS),
	"Key Vault Secrets User": READ | {"get"},
	"Key Vault Certificate User": READ | {"get"},
	"Key Vault Reader": READ,
	"Key Vault Contributor": set(),
	"Key Vault Crypto Officer": set(),
	"Key Vault Certificates Officer": set(),
	"Owner": set(),
	"Contributor": set(),
}


@pytest.fixture
def name():
	return unique("a")


@pytest.fixture(scope="module")
def vault(shared):
	return shared.vault("access")


@pytest.fixture(scope="module")
def seen_by(shared, principal):
	"""The vault as somebody with one role on it sees it."""
	made = {}

	def make(role):
		if role not in made:
			made[role] = shared.vault("access", principal((role, shared.scope("access"))))
		return made[role]

	return make


def denied(reply):
	return reply.expect(403, "Forbidden", "ForbiddenByRbac")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("role", ALLOWED)
def test_role(vault, seen_by, role, action, name):
	vault.set(name)
	if action in ("recover", "purge", "get deleted"):
		vault.remove(name)
	reply = ACTIONS[action][0](seen_by(role), name)
	if action not in ALLOWED[role]:
		text = denied(reply).error["message"]
		assert f"Action: 'Microsoft.KeyVault/vaults/secrets/{ACTIONS[action][1]}'\r\n" in text
	elif action == "restore":
		reply.expect(400, "Malformed backup blob")
	else:
		assert reply.status in (200, 204), reply


def test_no_role(shared, principal, name):
	stranger = shared.vault("access", principal())
	for action, (call, _) in ACTIONS.items():
		denied(call(stranger, name))


def test_denial_text(shared, principal, vault, name):
	vault.set(name)
	stranger = principal()
	said = claims(stranger.token())
	reply = denied(shared.vault("access", stranger).get(f"/secrets/{name}"))
	assert list(reply.error) == ["code", "message", "innererror"]
	lines = reply.error["message"].split("\r\n")
	assert "\n" not in "".join(lines)
	resource = f"{shared.scope('access')}/secrets/{name}".replace("resourceGroups", "resourcegroups") \
	    .replace("Microsoft.KeyVault", "microsoft.keyvault")
	caller = f"appid={said['appid']};oid={said['oid']};iss={said['iss']}"
	assert lines[:2] == ["Caller is not authorized to perform action on resource.",
	    "If role assignments, deny assignments or role definitions were changed recently, please observe "
	    "propagation time."]
	assert re.fullmatch(r"Caller: (name=[^;]*;)?" + re.escape(caller), lines[2])
	assert lines[3:7] == ["Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'",
	    f"Resource: '{resource}'", "Assignment: (not found)", "DenyAssignmentId: null"]
	assert lines[7] in ("DecisionReason: null", "DecisionReason: 'DeniedWithNoValidRBAC' ")
	assert re.fullmatch(r"Vault: access;location=\w+", lines[8])
	assert lines[9:] == [""]


def test_denial_text_of_a_list(shared, principal):
	text = denied(shared.vault("access", principal()).get("/secrets")).error["message"]
	assert "providers/microsoft.keyvault/vaults/access'\r\n" in text, "a list is evaluated at the vault"


def test_denied_is_the_same_for_missing(shared, principal, vault, name):
	"""Whether a secret exists is nothing a stranger learns."""
	stranger = shared.vault("access", principal())
	vault.set(name)
	there = denied(stranger.get(f"/secrets/{name}")).body
	missing = denied(stranger.get("/secrets/no-such-one")).body
	assert there.replace(name.encode(), b"*") == missing.replace(b"no-such-one", b"*")


# Scopes

def test_role_at_one_secret(shared, principal, vault, name):
	vault.set(name, "mine")
	vault.set(f"{name}-other", "not mine")
	officer = shared.vault("access", principal(("Key Vault Secrets Officer", shared.scope("access", name))))
	assert officer.value(name) == "mine"
	officer.set(name, "changed")
	officer.patch(f"/secrets/{name}", {"tags": {"a": "b"}}).expect(200)
	for call in (officer.get, officer.delete):
		denied(call(f"/secrets/{name}-other"))
	denied(officer.put(f"/secrets/{name}-new", {"value": "x"}))
	denied(officer.get("/secrets"))
	denied(officer.get("/deletedsecrets"))
	denied(officer.get(f"/secrets/{name}x"))
	denied(officer.get(f"/secrets/{name[:-1]}"))
	denied(shared.vault("access-two", officer.principal).get(f"/secrets/{name}"))
	officer.remove(name)
	officer.post(f"/deletedsecrets/{name}/recover").expect(200)
	officer.remove(name)
	officer.delete(f"/deletedsecrets/{name}").expect(204)


def test_role_at_one_secret_in_any_case(shared, principal, vault):
	name = unique("CaseScope")
	vault.set(name, "mine")
	reader = principal(("Key Vault Secrets User", shared.scope("access", name.upper())))
	assert shared.vault("access", reader).value(name.lower()) == "mine"


def test_role_at_a_vault_ends_there(shared, principal, name):
	one = principal(("Key Vault Secrets Officer", shared.scope("access")))
	shared.vault("access", one).set(name)
	denied(shared.vault("access-two", one).put(f"/secrets/{name}", {"value": "x"}))


@pytest.mark.parametrize("level", ["group", "subscription"])
def test_role_is_inherited(shared, principal, name, level):
	scope = {"group": shared.group_scope, "subscription": shared.scope()}[level]
	officer = principal(("Key Vault Secrets Officer", scope))
	for vault in ("access", "access-two"):
		shared.vault(vault, officer).set(name)


def test_scope_in_any_case(shared, principal, name):
	scope = shared.scope("access").replace("resourceGroups/dev", "RESOURCEGROUPS/DEV").replace("access", "Access")
	shared.vault("access", principal(("Key Vault Secrets Officer", scope))).set(name)


def test_another_group_grants_nothing(shared, principal, name):
	scope = shared.scope("access").replace("/resourceGroups/dev/", "/resourceGroups/other/")
	one = principal()
	path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
	reply = shared.manage("PUT", path, shared.assignment(one, "Key Vault Secrets Officer"))
	assert reply.status in (201, 404)
	denied(shared.vault("access", one).put(f"/secrets/{name}", {"value": "x"}))


# Changes

def test_changes_count_at_once(shared, principal, vault, name):
	vault.set(name, "x")
	one = principal()
	view = shared.vault("access", one)
	for role, expected in (("Key Vault Secrets User", 200), ("Key Vault Reader", 403)) * 3:
		assert view.get(f"/secrets/{name}").status == 403
		assignment = shared.assign(one, role, shared.scope("access"))
		assert view.get(f"/secrets/{name}").status == expected
		assert view.get("/secrets").status == 200
		shared.unassign(assignment)
		assert view.get("/secrets").status == 403


def test_changes_count_on_every_loop(server):
	"""The next request may come on any connection, which may belong to any loop."""
	one = server(options=("--loops", "4"))
	one.vault("main").set("x")
	reader = one.make_principal()
	headers = {"Authorization": f"Bearer {reader.token()}"}
	connections = [one.connection(one.host("main.vault")) for _ in range(24)]
	ask = lambda: {each.exchange("GET", "/secrets/x?api-version=7.4", None, headers).status for each in connections}
	for _ in range(5):
		assert ask() == {403}
		assignment = one.assign(reader, "Key Vault Secrets User", one.scope("main"))
		assert ask() == {200}
		one.unassign(assignment)
	assert ask() == {403}
	for each in connections:
		each.close()


def test_one_of_two_assignments_is_enough(shared, principal, vault, name):
	vault.set(name, "x")
	one = principal()
	narrow = shared.assign(one, "Key Vault Secrets User", shared.scope("access", name))
	wide = shared.assign(one, "Key Vault Secrets User", shared.group_scope)
	view = shared.vault("access", one)
	shared.unassign(wide)
	reply = view.get(f"/secrets/{name}").expect(200)
	assert reply.header("x-ms-keyvault-rbac-assignment-id") == narrow.rsplit("/", 1)[1]
	shared.unassign(narrow)
	denied(view.get(f"/secrets/{name}"))


def test_a_new_secret_of_that_name_is_another_grant(shared, principal, vault, name):
	"""An assignment on a name stays with the name: that is how the original has it."""
	vault.set(name, "first")
	reader = shared.vault("access", principal(("Key Vault Secrets User", shared.scope("access", name))))
	vault.remove(name)
	vault.delete(f"/deletedsecrets/{name}").expect(204)
	vault.set(name, "second")
	assert reader.value(name) == "second"


# Assignments themselves

def assignments(shared, scope, **more):
	path = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
	return shared.manage("GET", path, **more).expect(200).json["value"]


def test_assignment_reply(shared, principal):
	one, name = principal(), str(uuid.uuid4())
	path = f"{shared.scope('access')}/providers/Microsoft.Authorization/roleAssignments/{name}"
	made = shared.manage("PUT", path, shared.assignment(one, "Key Vault Reader")).expect(201).json
	assert made["name"] == name and made["type"] == "Microsoft.Authorization/roleAssignments"
	assert made["id"].lower() == path.lower()
	properties = made["properties"]
	assert properties["principalId"] == one.object_id
	assert properties["roleDefinitionId"].endswith(ROLES["Key Vault Reader"])
	assert properties["scope"].lower() == shared.scope("access").lower()
	assert made["id"] in [each["id"] for each in assignments(shared, shared.scope("access"))]
	assert shared.manage("GET", path).expect(200).json == made
	gone = shared.manage("DELETE", path).expect(200).json
	assert gone["id"] == made["id"]
	assert made["id"] not in [each["id"] for each in assignments(shared, shared.scope("access"))]
	assert shared.manage("DELETE", path).status in (200, 204)
	shared.manage("GET", path).expect(404)


def test_assignment_refusals(shared, principal):
	one = principal()
	path = f"{shared.scope('access')}/providers/Microsoft.Authorization/roleAssignments"
	good = shared.assignment(one, "Key Vault Reader")
	first, second = uuid.uuid4(), uuid.uuid4()
	shared.manage("PUT", f"{path}/{first}", good).expect(201)
	shared.manage("PUT", f"{path}/{second}", good).expect(409, "RoleAssignmentExists")
	shared.manage("PUT", f"{path}/{second}", shared.assignment(str(uuid.uuid4()), "Key Vault Reader")
	    ).expect(400, "PrincipalNotFound")
	assert shared.manage("PUT", f"{path}/{second}", shared.assignment(one, str(uuid.uuid4()))
	    ).error["code"] == "RoleDefinitionDoesNotExist"
	for name in ("not-a-guid", "x" * 300):
		assert shared.manage("PUT", f"{path}/{name}", good).status == 400
	for body in ({}, {"properties": {}}, {"properties": None}, {"properties": "x"}, [],
	    {"properties": {"principalId": one.object_id}}, {"properties": {"principalId": 7, "roleDefinitionId": 7}}):
		assert shared.manage("PUT", f"{path}/{second}", body).status == 400, body
	assert shared.manage("PUT", f"{path}/{second}", good, version="").status == 400


def test_granting_needs_the_right(shared, principal, name):
	"""A vault's writers cannot let themselves or others in."""
	for role in ("Key Vault Administrator", "Key Vault Contributor", "Contributor"):
		one = principal((role, shared.scope("access")))
		path = f"{shared.scope('access')}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
		shared.manage("PUT", path, shared.assignment(one, "Key Vault Secrets Officer"), principal=one
		    ).expect(403, "AuthorizationFailed")
	owner = principal(("Owner", shared.scope("access")))
	path = f"{shared.scope('access')}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
	shared.manage("PUT", path, shared.assignment(owner, "Key Vault Secrets Officer"), principal=owner).expect(201)
	shared.vault("access", owner).set(name)
	elsewhere = path.replace("/vaults/access/", "/vaults/access-two/")
	shared.manage("PUT", elsewhere, shared.assignment(owner, "Key Vault Reader"), principal=owner
	    ).expect(403, "AuthorizationFailed")


def test_assignments_are_not_for_strangers(shared, principal):
	one = principal()
	path = f"{shared.scope('access')}/providers/Microsoft.Authorization/roleAssignments"
	reply = shared.manage("GET", path, principal=one)
	assert reply.status == 403 or reply.json["value"] == []
	(grant, *_) = assignments(shared, shared.scope())
	shared.manage("DELETE", grant["id"], principal=one).expect(403, "AuthorizationFailed")


def test_graph_is_not_for_strangers(shared, principal):
	one = principal(("Owner", shared.scope("access")))
	reply = shared.graph("POST", "/applications", {"displayName": "mine"}, principal=one)
	assert reply.status == 403
	admin = shared.admin.client_id
	(found,) = [each for each in shared.graph("GET", f"/applications?$filter=appId eq '{admin}'".replace(" ", "%20")
	    ).expect(200).json["value"] if each["appId"] == admin]
	reply = shared.graph("POST", f"/applications/{found['id']}/addPassword", {}, principal=one)
	assert reply.status == 403


def test_role_definitions(shared):
	path = f"{shared.scope()}/providers/Microsoft.Authorization/roleDefinitions"
	listed = shared.manage("GET", path).expect(200).json["value"]
	roles = {each["properties"]["roleName"]: each for each in listed}
	for role, guid in ROLES.items():
		assert roles[role]["name"] == guid
		assert roles[role]["id"] == f"{path}/{guid}"
		assert roles[role]["properties"]["type"] == "BuiltInRole"

	def actions(role):
		(permission,) = roles[role]["properties"]["permissions"]
		assert permission["notDataActions"] == []
		return sorted(permission["dataActions"])

	prefix = "Microsoft.KeyVault/vaults/"
	assert actions("Key Vault Secrets User") == [prefix + "secrets/getSecret/action",
	    prefix + "secrets/readMetadata/action"]
	assert actions("Key Vault Reader") == [prefix + "*/read", prefix + "secrets/readMetadata/action"]
	assert actions("Key Vault Secrets Officer") == [prefix + "secrets/*"]
	assert actions("Key Vault Administrator") == [prefix + "*"]
	assert actions("Owner") == actions("Key Vault Contributor") == []

	found = shared.send("GET", shared.host("management"),
	    f"{path}?$filter=roleName%20eq%20'Key%20Vault%20Reader'&api-version=2022-04-01", None,
	    {"Authorization": f"Bearer {shared.admin.token(shared.management)}"}).expect(200).json["value"]
	assert [each["name"] for each in found] == [ROLES["Key Vault Reader"]]
