"""Who may do what, and why: the reports agree with what is enforced, and the commands tell them."""
import subprocess
import uuid

import pytest

from strongroom import unique

GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
SET = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
REPORTS = "/providers/Strongroom.Authorization/"


def run(server, *arguments):
	done = server.cli("access", *arguments)
	assert done.returncode == 0, done.stderr
	return done.stdout


def explain(server, scope, who, action, **more):
	return server.manage("POST", f"{scope}{REPORTS}explain", {"principalId": who, "action": action, **more}) \
	    .expect(200).json


@pytest.fixture(scope="module")
def group(shared):
	name = unique("reports")
	made = shared.graph("POST", "/groups", {"displayName": name, "mailNickname": name, "mailEnabled": False,
	    "securityEnabled": True})
	return made.expect(201).json["id"]


def test_explain_and_what_happens(shared, principal, group):
	reader = principal()
	scope, vault = shared.scope("access-two"), shared.vault("access-two", reader)
	told = explain(shared, scope, reader.object_id, GET)
	assert (told["allowed"], told["reason"], told["model"]) == (False, "NoAssignment", "RoleAssignments")
	vault.get("/secrets/x").expect(403)

	shared.graph("POST", f"/groups/{group}/members/$ref", {
	    "@odata.id": f"https://graph.localhost/v1.0/directoryObjects/{reader.object_id}"}).expect(204)
	body = shared.assignment(group, "Key Vault Secrets User")
	body["properties"]["principalType"] = "Group"
	above = f"{shared.group_scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
	shared.manage("PUT", above, body).expect(201)
	told = explain(shared, scope, reader.client_id, GET)
	assert (told["allowed"], told["isDataAction"]) == (True, True)
	assert told["roleAssignment"]["id"] == above and told["roleAssignment"]["inherited"] is True
	assert told["through"]["groupId"] == group
	vault.get("/secrets/x").expect(404)
	assert explain(shared, scope, reader.object_id, SET)["allowed"] is False

	deny = f"{scope}/providers/Microsoft.Authorization/denyAssignments/{uuid.uuid4()}"
	shared.manage("PUT", deny, {"properties": {"denyAssignmentName": "not these", "permissions": [{
	    "dataActions": ["*"]}], "principals": [{"id": group, "type": "Group"}]}}).expect(201)
	told = explain(shared, scope, reader.object_id, GET)
	assert (told["allowed"], told["reason"]) == (False, "DenyAssignment")
	assert told["denyAssignment"]["id"] == deny
	vault.get("/secrets/x").expect(403)
	said = run(shared, "explain", "access-two", reader.object_id, GET)
	assert said.startswith("REFUSED") and "not these" in said and deny in said
	shared.manage("DELETE", deny)
	said = run(shared, "explain", scope, reader.client_id, GET)
	assert said.startswith("ALLOWED") and "Key Vault Secrets User (inherited)" in said and group in said
	assert run(shared, "explain", scope, reader.client_id, "secrets/getSecret/action") == said
	shared.unassign(above)
	vault.get("/secrets/x").expect(403)


def test_explain_names_and_strangers(shared, principal):
	stranger, scope = principal(), shared.scope("access-two")
	for wrong in (str(uuid.uuid4()), "nobody@example.org", "", "x" * 200):
		reply = shared.manage("POST", f"{scope}{REPORTS}explain", {"principalId": wrong, "action": GET})
		assert reply.status == 400, reply
	shared.manage("POST", f"{scope}{REPORTS}explain", {"principalId": stranger.object_id, "action": GET},
	    principal=stranger).expect(403, "AuthorizationFailed")
	shared.manage("GET", f"{scope}{REPORTS}effectiveAccess", principal=stranger).expect(403, "AuthorizationFailed")


def test_who(shared, principal, group):
	name = unique("who-kv")
	shared.manage("PUT", shared.scope(name), {"location": "westeurope", "properties": {
	    "tenantId": shared.tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}},
	    version="2023-07-01").expect(201)
	reader = principal(("Key Vault Reader", shared.scope(name)), name=f"reader of {name}")
	listed = shared.manage("GET", f"{shared.scope(name)}{REPORTS}effectiveAccess").expect(200).json["value"]
	mine = [each for each in listed if each["principalId"] == reader.object_id]
	assert [(each["roleName"], each["inherited"]) for each in mine] == [("Key Vault Reader", False)]
	shared.graph("POST", f"/groups/{group}/members/$ref", {
	    "@odata.id": f"https://graph.localhost/v1.0/directoryObjects/{reader.object_id}"}).expect(204)
	body = shared.assignment(group, "Key Vault Secrets User")
	body["properties"]["principalType"] = "Group"
	shared.manage("PUT", f"{shared.scope(name)}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}",
	    body).expect(201)
	listed = shared.manage("GET", f"{shared.scope(name)}{REPORTS}effectiveAccess").expect(200).json["value"]
	members = next(each["members"] for each in listed if each["principalId"] == group)
	assert reader.object_id in [each["principalId"] for each in members]
	assert ("Owner", True) in [(each["roleName"], each["inherited"]) for each in listed]
	said = run(shared, "who", name)
	assert any(f"reader of {name}" in line and "Key Vault Reader" in line and "here: " in line
	    for line in said.splitlines())
	assert any("by membership" in line and reader.object_id in line for line in said.splitlines())
	assert any("Owner" in line and "inherited from /subscriptions/" in line for line in said.splitlines())


def test_coverage_before_the_switch(shared, principal):
	"""What the report says would be lost is lost by the switch; what it proposes keeps it."""
	name, user, writer = unique("switch-kv"), principal(), principal()
	entry = lambda one, *secrets: {"tenantId": shared.tenant, "objectId": one.object_id,
	    "permissions": {"secrets": list(secrets)}}
	body = {"location": "westeurope", "properties": {"tenantId": shared.tenant,
	    "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": False,
	    "accessPolicies": [entry(user, "get", "list"), entry(writer, "get", "list", "set", "delete")]}}
	scope = shared.scope(name)
	shared.manage("PUT", scope, body, version="2023-07-01").expect(201)
	shared.vault(name, writer).set("x")
	told = explain(shared, scope, user.object_id, GET)
	assert (told["allowed"], told["model"]) == (True, "AccessPolicies")
	assert explain(shared, scope, user.object_id, SET)["allowed"] is False
	shared.assign(user, "Key Vault Secrets User", scope)

	report = shared.manage("GET", f"{scope}{REPORTS}coverage").expect(200).json
	of = {each["objectId"]: each for each in report["value"]}
	assert of[user.object_id]["covered"] is True
	assert of[writer.object_id]["covered"] is False and SET in of[writer.object_id]["missing"]
	proposed = [role["roleName"] for role in of[writer.object_id]["proposedRoles"]]
	assert proposed == ["Key Vault Secrets Officer"]
	said = run(shared, "coverage", name)
	assert f"{writer.object_id}: would lose access" in said and "Key Vault Secrets Officer" in said
	assert f"{user.object_id}: covered by roles" in said and "1 of 2" in said

	shared.manage("PATCH", scope, {"properties": {"enableRbacAuthorization": True}}, version="2023-07-01").expect(200)
	shared.vault(name, user).get("/secrets/x").expect(200)
	shared.vault(name, writer).get("/secrets/x").expect(403, "Forbidden", "ForbiddenByRbac")
	shared.assign(writer, "Key Vault Secrets Officer", scope)
	shared.vault(name, writer).set("x", "again")


def test_commands_need_their_arguments(shared):
	for wrong in (("explain",), ("explain", "access"), ("who",), ("coverage",)):
		assert shared.cli("access", *wrong).returncode == 1
	done = shared.cli("access", "who", "no-such-vault")
	assert done.returncode == 1 and "no vault" in done.stderr
