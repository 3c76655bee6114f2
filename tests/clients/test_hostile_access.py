"""What somebody might try who has some rights, to get others: lists, conditions, names that come back."""
import uuid

import pytest

from strongroom import unique

VAULTS = "Microsoft.KeyVault/vaults"
VERSION = "2023-07-01"
AUTHORIZATION = "providers/Microsoft.Authorization"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


def vault_body(server, **properties):
	return {"location": "westeurope", "properties": {"tenantId": server.tenant,
	    "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True, **properties}}


@pytest.fixture
def group(shared):
	path = f"{shared.scope()}/resourceGroups/{unique('hostile')}"
	shared.manage("PUT", path, {"location": "westeurope"}, version="2021-04-01").expect(201)
	return path


@pytest.fixture
def two(shared, group):
	"""Two vaults of a group: what one may see, and what one may not."""
	paths = [f"{group}/providers/{VAULTS}/{unique(name)}" for name in ("seen", "hidden")]
	for path in paths:
		shared.manage("PUT", path, vault_body(shared), version=VERSION).expect(201)
	return paths


def deny(server, scope, principal, actions, who=None, **more):
	path = f"{scope}/{AUTHORIZATION}/denyAssignments/{uuid.uuid4()}"
	body = {"properties": {"denyAssignmentName": "no", "permissions": [{"actions": actions}],
	    "principals": [{"id": getattr(principal, "object_id", principal)}], **more}}
	server.manage("PUT", path, body, principal=who).expect(201)
	return path


def listed(server, group, principal):
	"""The names of vaults in all lists that have them."""
	subscription = server.scope()
	lists = [(f"{group}/providers/{VAULTS}", VERSION), (f"{subscription}/providers/{VAULTS}", VERSION),
	    (f"{group}/resources", "2021-04-01"), (f"{subscription}/resources", "2021-04-01")]
	names = []
	for path, version in lists:
		reply = server.manage("GET", path, version=version, principal=principal)
		if reply.status == 200:
			names += [item["name"] for item in reply.json["value"]]
	return set(names)


def test_lists_mind_denials_below(shared, group, two, principal):
	seen, hidden = two
	reader = principal((READER, shared.scope()))
	assert {path.rsplit("/", 1)[1] for path in two} <= listed(shared, group, reader)
	deny(shared, hidden, reader, ["*/read"])
	shared.manage("GET", hidden, version=VERSION, principal=reader).expect(403)
	names = listed(shared, group, reader)
	assert seen.rsplit("/", 1)[1] in names and hidden.rsplit("/", 1)[1] not in names


@pytest.mark.parametrize("condition", ("@Resource[Microsoft.KeyVault/vaults:name] StringNotStartsWith 'hidden'",
    "!(@Resource[Microsoft.KeyVault/vaults:name] StringStartsWith 'hidden')"))
def test_lists_mind_conditions(shared, group, two, principal, condition):
	seen, hidden = two
	reader = principal()
	body = shared.assignment(reader, READER)
	body["properties"] |= {"condition": condition, "conditionVersion": "2.0"}
	shared.manage("PUT", f"{shared.scope()}/{AUTHORIZATION}/roleAssignments/{uuid.uuid4()}", body).expect(201)
	shared.manage("GET", seen, version=VERSION, principal=reader).expect(200)
	shared.manage("GET", hidden, version=VERSION, principal=reader).expect(403)
	names = listed(shared, group, reader)
	assert seen.rsplit("/", 1)[1] in names and hidden.rsplit("/", 1)[1] not in names


def test_groups_are_listed_by_their_own_action(shared, group, principal):
	role = str(uuid.uuid4())
	body = {"properties": {"roleName": f"groups {role}", "type": "CustomRole", "assignableScopes": [shared.scope()],
	    "permissions": [{"actions": ["Microsoft.Resources/subscriptions/resourceGroups/read"]}]}}
	shared.manage("PUT", f"{shared.scope()}/{AUTHORIZATION}/roleDefinitions/{role}", body).expect(201)
	one = principal((role, shared.scope()))
	names = [item["name"] for item in shared.manage("GET", f"{shared.scope()}/resourceGroups?$top=1000".split("?")[0],
	    version="2021-04-01", principal=one).expect(200).json["value"]]
	assert group.rsplit("/", 1)[1] in names


def test_rights_given_before_there_was_anything(shared, group, principal):
	"""They were given to something else of that name, or to nothing: a new vault begins without."""
	path = f"{group}/providers/{VAULTS}/{unique('early')}"
	early = principal(("Key Vault Administrator", path))
	shared.manage("PUT", path, vault_body(shared), version=VERSION).expect(201)
	shared.vault(path.rsplit("/", 1)[1], early).get("/secrets").expect(403)
	late = principal(("Key Vault Administrator", path))
	shared.vault(path.rsplit("/", 1)[1], late).get("/secrets").expect(200)
	shared.manage("DELETE", path, version=VERSION).expect(200)
	meanwhile = principal(("Key Vault Administrator", path))
	shared.manage("PUT", path, vault_body(shared, createMode="recover"), version=VERSION).expect(200)
	for one in (early, late, meanwhile):
		shared.vault(path.rsplit("/", 1)[1], one).get("/secrets").expect(403)


def test_a_group_of_an_old_name(shared, principal):
	path = f"{shared.scope()}/resourceGroups/{unique('again')}"
	early = principal(("Owner", path))
	shared.manage("PUT", path, {"location": "westeurope"}, version="2021-04-01").expect(201)
	shared.manage("GET", path, version="2021-04-01", principal=early).expect(403)


def test_recovery_brings_what_was_there(shared, group, principal):
	"""createMode "recover" changes no model, policies or rules on the way."""
	path = f"{group}/providers/{VAULTS}/{unique('back')}"
	shared.manage("PUT", path, vault_body(shared), version=VERSION).expect(201)
	name = path.rsplit("/", 1)[1]
	shared.vault(name).set("s", "v")
	writer = principal(("Contributor", group))
	mine = {"tenantId": shared.tenant, "objectId": writer.object_id, "permissions": {"secrets": ["all"]}}
	taking = {"enableRbacAuthorization": False, "accessPolicies": [mine]}
	shared.manage("PUT", path, vault_body(shared, **taking), version=VERSION, principal=writer).expect(403)
	shared.manage("PATCH", path, {"properties": taking}, version=VERSION, principal=writer).expect(403)
	shared.manage("DELETE", path, version=VERSION, principal=writer).expect(200)
	shared.manage("PUT", path, vault_body(shared, **taking), version=VERSION, principal=writer).expect(409)
	back = shared.manage("PUT", path, vault_body(shared, createMode="recover", **taking), version=VERSION, principal=writer).expect(200)
	assert back.json["properties"]["enableRbacAuthorization"] is True and not back.json["properties"]["accessPolicies"]
	shared.vault(name, writer).get("/secrets/s").expect(403)
	assert shared.vault(name).get("/secrets/s").expect(200).json["value"] == "v"


def test_the_model_with_a_condition(shared, group, two, principal):
	"""Who may give one role only may not open the vault by its other model."""
	vault = two[0]
	giver = principal(("Key Vault Contributor", vault))
	body = shared.assignment(giver, "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9")  # User Access Administrator
	body["properties"] |= {"conditionVersion": "2.0", "condition":
	    "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] GuidEquals " + READER}
	shared.manage("PUT", f"{vault}/{AUTHORIZATION}/roleAssignments/{uuid.uuid4()}", body).expect(201)
	shared.manage("PATCH", vault, {"properties": {"enableRbacAuthorization": False}}, version=VERSION, principal=giver).expect(403)
	assert shared.manage("GET", vault, version=VERSION).json["properties"]["enableRbacAuthorization"] is True


EVERYONE = "00000000-0000-0000-0000-000000000000"


def test_nobody_locks_out_those_above(shared, group, two, principal):
	"""An owner of a vault denies everything to everybody: who owns more can end it, who owns the same can't."""
	vault = two[0]
	owner, other, above = (principal(("Owner", scope)) for scope in (vault, vault, group))
	path = deny(shared, vault, EVERYONE, ["*"], owner)
	for one in (owner, other, above):
		shared.manage("GET", vault, version=VERSION, principal=one).expect(403)
	for one in (owner, other):
		shared.manage("DELETE", path, principal=one).expect(403)
	shared.manage("DELETE", f"{vault}/{AUTHORIZATION}/locks/x", version="2020-05-01", principal=above).expect(403)
	shared.manage("DELETE", path, principal=above).expect(200)
	shared.manage("GET", vault, version=VERSION, principal=owner).expect(200)


def test_a_denial_further_up_holds(shared, group, two, principal):
	"""What was denied at the group is not ended, nor what is below it, by who has a right between them."""
	vault = two[0]
	owner = principal(("Owner", group))
	below = deny(shared, vault, owner, ["*"])
	above = deny(shared, group, owner, ["*"])
	for path in (below, above):
		shared.manage("DELETE", path, principal=owner).expect(403)
	shared.manage("DELETE", above).expect(200)
	shared.manage("DELETE", below, principal=owner).expect(200)


def test_lists_of_large_vaults(server):
	"""However much each of them holds: a page ends early, and all of them come."""
	one = server()
	group = f"{one.scope()}/resourceGroups/large"
	one.manage("PUT", group, {"location": "local"}, version="2021-04-01").expect(201)
	policies = [{"tenantId": one.tenant, "objectId": str(uuid.uuid4()),
	    "permissions": {"keys": ["get", "list", "sign"], "secrets": ["get", "list"], "certificates": ["get", "list"]}}
	    for _ in range(1024)]
	made = set()
	for _ in range(24):
		name = unique("large")
		one.manage("PUT", f"{group}/providers/{VAULTS}/{name}", vault_body(one, enableRbacAuthorization=False,
		    accessPolicies=policies), version=VERSION).expect(201)
		made.add(name)
	page, listed, pages = one.manage("GET", f"{group}/providers/{VAULTS}", version=VERSION).expect(200).json, set(), 1
	while True:
		listed |= {each["name"] for each in page["value"]}
		if "nextLink" not in page:
			break
		host = one.host("management")
		target = page["nextLink"].split(f"//{host}", 1)[1]
		target = target[target.index("/"):]
		page = one.send("GET", host, target, None,
		    {"Authorization": f"Bearer {one.admin.token(one.management)}"}).expect(200).json
		pages += 1
	assert listed == made and pages > 1
