"""Azure's management libraries for Python, unmodified: vaults, roles, identities, groups."""
import uuid

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.models import RoleAssignmentCreateParameters
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.resource.resources import ResourceManagementClient

from strongroom import ROLES, unique

GROUP = "sdk-group"


@pytest.fixture(scope="module")
def client(shared):
	"""Make a management client of a class, for the administrator or another principal."""

	def make(kind, principal=None):
		one = principal or shared.admin
		credential = ClientSecretCredential(shared.tenant, one.client_id, one.secret,
		    authority=f"https://login.localhost:{shared.port}", disable_instance_discovery=True)
		return kind(credential, shared.subscription, base_url=shared.management, polling_interval=0,
		    credential_scopes=[f"{shared.management}/.default"])

	client = make(ResourceManagementClient)
	client.resource_groups.create_or_update(GROUP, {"location": "westeurope", "tags": {"made": "by-sdk"}})
	return make


@pytest.fixture(scope="module")
def vaults(client):
	return client(KeyVaultManagementClient).vaults


def parameters(shared, **properties):
	return {"location": "westeurope", "tags": {"team": "blue"}, "properties": {
	    "tenantId": shared.tenant, "sku": {"family": "A", "name": "standard"},
	    "enableRbacAuthorization": True, **properties}}


def make(vaults, shared, name=None, **properties):
	return vaults.begin_create_or_update(GROUP, name or unique("sdk-kv"),
	    parameters(shared, **properties)).result()


def refused(code, call, *arguments, status=None):
	with pytest.raises(HttpResponseError) as said:
		answer = call(*arguments)
		if hasattr(answer, "result"):
			answer.result()
		elif hasattr(answer, "__next__"):
			next(answer)
	assert said.value.error.code == code, said.value
	if status:
		assert said.value.status_code == status
	return said.value.message


def test_create_and_get(vaults, shared):
	made = make(vaults, shared, softDeleteRetentionInDays=7)
	got = vaults.get(GROUP, made.name)
	assert got.properties.vault_uri == shared.url(made.name) + "/"
	assert got.properties.soft_delete_retention_in_days == 7
	assert got.properties.enable_soft_delete is True
	assert got.tags == {"team": "blue"}
	assert got.system_data.created_by
	shared.vault(made.name).set("x")


def test_update(vaults, shared):
	made = make(vaults, shared)
	changed = vaults.update(GROUP, made.name, {"tags": {"team": "red"}, "properties": {
	    "enabledForDeployment": True, "enablePurgeProtection": True}})
	assert (changed.tags, changed.properties.enabled_for_deployment) == ({"team": "red"}, True)
	assert changed.properties.enable_purge_protection is True
	assert vaults.get(GROUP, made.name).properties.enable_purge_protection is True


def test_lists(vaults, shared):
	names = {make(vaults, shared).name for _ in range(3)}
	assert names <= {each.name for each in vaults.list_by_resource_group(GROUP)}
	assert names <= {each.name for each in vaults.list_by_subscription()}
	assert names <= {each.name for each in vaults.list()}
	assert names <= {each.name for each in vaults.list_by_resource_group(GROUP, top=1)}


def test_life(vaults, shared):
	made = make(vaults, shared)
	vault = shared.vault(made.name)
	vault.set("kept", "value")
	vaults.delete(GROUP, made.name)
	with pytest.raises(ResourceNotFoundError):
		vaults.get(GROUP, made.name)
	vault.get("/secrets/kept").expect(404, "VaultNotFound")
	assert made.name in [each.name for each in vaults.list_deleted()]
	deleted = vaults.get_deleted(made.name, "westeurope")
	assert deleted.properties.vault_id == made.id
	assert (deleted.properties.scheduled_purge_date - deleted.properties.deletion_date).days == 90
	refused("ConflictError", vaults.begin_create_or_update, GROUP, made.name, parameters(shared), status=409)
	vaults.begin_create_or_update(GROUP, made.name, {"location": "westeurope", "properties": {
	    "tenantId": shared.tenant, "sku": {"family": "A", "name": "standard"}, "createMode": "recover"}}).result()
	assert vault.value("kept") == "value"
	vaults.delete(GROUP, made.name)
	vaults.begin_purge_deleted(made.name, "westeurope").result()
	assert made.name not in [each.name for each in vaults.list_deleted()]


def test_name_availability(vaults, shared):
	ask = lambda name: vaults.check_name_availability({"name": name, "type": "Microsoft.KeyVault/vaults"})
	assert ask(unique("free-kv")).name_available is True
	made = make(vaults, shared)
	taken = ask(made.name.upper())
	assert (taken.name_available, taken.reason) == (False, "AlreadyExists")
	vaults.delete(GROUP, made.name)
	assert ask(made.name).name_available is False, "a deleted vault holds its name"
	assert ask("1x").reason == "AccountNameInvalid"


def test_access_policies(vaults, shared, principal):
	made = make(vaults, shared, enableRbacAuthorization=False, accessPolicies=[])
	reader = principal()
	vault = shared.vault(made.name, reader)
	vault.get("/secrets").expect(403, "Forbidden", "ForbiddenByPolicy")
	entry = lambda *secrets: {"properties": {"accessPolicies": [{"tenantId": shared.tenant,
	    "objectId": reader.object_id, "permissions": {"secrets": list(secrets)}}]}}
	vaults.update_access_policy(GROUP, made.name, "add", entry("list"))
	vault.get("/secrets").expect(200)
	vault.put("/secrets/x", {"value": "y"}).expect(403, "Forbidden", "ForbiddenByPolicy")
	vaults.update_access_policy(GROUP, made.name, "add", entry("set"))
	vault.put("/secrets/x", {"value": "y"}).expect(200)
	vault.get("/secrets").expect(200)
	vaults.update_access_policy(GROUP, made.name, "replace", entry("get"))
	assert vault.value("x") == "y"
	vault.get("/secrets").expect(403)
	vaults.update_access_policy(GROUP, made.name, "remove", entry("get"))
	vault.get("/secrets/x").expect(403)


def test_roles(client, vaults, shared, principal):
	roles = client(AuthorizationManagementClient)
	made, reader = make(vaults, shared), principal()
	vault = shared.vault(made.name, reader)
	vault.get("/secrets").expect(403, "Forbidden", "ForbiddenByRbac")
	found = list(roles.role_definitions.list(made.id, filter="roleName eq 'Key Vault Secrets User'"))
	assert [each.name for each in found] == [ROLES["Key Vault Secrets User"]]
	assignment = roles.role_assignments.create(made.id, str(uuid.uuid4()), RoleAssignmentCreateParameters(
	    role_definition_id=found[0].id, principal_id=reader.object_id, principal_type="ServicePrincipal"))
	vault.get("/secrets").expect(200)
	listed = list(roles.role_assignments.list_for_scope(made.id, filter="atScope()"))
	assert assignment.id in [each.id for each in listed]
	mine = roles.role_assignments.list_for_subscription(filter=f"principalId eq '{reader.object_id}'")
	assert [each.id for each in mine] == [assignment.id]
	roles.role_assignments.delete_by_id(assignment.id)
	vault.get("/secrets").expect(403)


def test_custom_role(client, vaults, shared, principal):
	roles = client(AuthorizationManagementClient)
	made, reader, name = make(vaults, shared), principal(), str(uuid.uuid4())
	scope = f"/subscriptions/{shared.subscription}"
	role = roles.role_definitions.create_or_update(scope, name, {"role_name": f"Lister {name}",
	    "description": "lists", "role_type": "CustomRole", "assignable_scopes": [scope],
	    "permissions": [{"actions": [], "not_actions": [], "data_actions": [
	        "Microsoft.KeyVault/vaults/secrets/*"], "not_data_actions": [
	        "Microsoft.KeyVault/vaults/secrets/getSecret/action"]}]})
	shared.assign(reader, name, made.id)
	vault = shared.vault(made.name, reader)
	vault.put("/secrets/x", {"value": "y"}).expect(200)
	vault.get("/secrets/x").expect(403)
	assert role.id in [each.id for each in roles.role_definitions.list(scope, filter="type eq 'CustomRole'")]
	refused("RoleDefinitionHasAssignments", roles.role_definitions.delete, scope, name)


def test_managed_identity(client, shared):
	identities = client(ManagedServiceIdentityClient).user_assigned_identities
	made = identities.create_or_update(GROUP, unique("identity"), {"location": "westeurope"})
	assert made.tenant_id == shared.tenant
	assert made.client_id and made.principal_id
	assert made.name in [each.name for each in identities.list_by_resource_group(GROUP)]
	shared.assign(made.principal_id, "Key Vault Reader", shared.scope("access"))
	identities.delete(GROUP, made.name)
	assert made.name not in [each.name for each in identities.list_by_subscription()]


def test_groups(client):
	groups = client(ResourceManagementClient).resource_groups
	name = unique("group")
	groups.create_or_update(name, {"location": "northeurope"})
	assert groups.check_existence(name.upper())
	assert groups.update(name, {"tags": {"a": "b"}}).tags == {"a": "b"}
	assert name in [each.name for each in groups.list()]
	groups.begin_delete(name).result()
	assert not groups.check_existence(name)
	refused("ResourceGroupNotFound", groups.get, name, status=404)


def test_resources(client, vaults, shared):
	made = make(vaults, shared)
	resources = client(ResourceManagementClient).resources
	found = list(resources.list(filter=f"resourceType eq 'Microsoft.KeyVault/vaults' and name eq '{made.name}'"))
	assert [each.id for each in found] == [made.id]
	assert made.id in [each.id for each in resources.list_by_resource_group(GROUP)]


def test_providers(client):
	providers = client(ResourceManagementClient).providers
	mine = providers.get("Microsoft.KeyVault")
	assert "vaults" in [each.resource_type for each in mine.resource_types]
	assert providers.register("Microsoft.KeyVault").registration_state == "Registered"
	assert "Microsoft.ManagedIdentity" in [each.namespace for each in providers.list()]


def test_refusals(client, vaults, shared, principal):
	for name in ("1leading", "a", "double--hyphen", "trailing-", "x" * 25):
		refused("VaultNameNotValid", vaults.begin_create_or_update, GROUP, name, parameters(shared), status=400)
	for wrong in ({"softDeleteRetentionInDays": 6}, {"softDeleteRetentionInDays": 91},
	    {"enableSoftDelete": False}, {"enablePurgeProtection": False}, {"sku": {"family": "A", "name": "gold"}},
	    {"sku": {"family": "B", "name": "standard"}}, {"tenantId": str(uuid.uuid4())}):
		name = unique("bad-kv")
		refused("BadRequest", vaults.begin_create_or_update, GROUP, name, parameters(shared, **wrong), status=400)
		refused("ResourceNotFound", vaults.get, GROUP, name, status=404)
	made = make(vaults, shared, enablePurgeProtection=True)
	for wrong in ({"enablePurgeProtection": False}, {"softDeleteRetentionInDays": 30}, {"enableSoftDelete": False}):
		refused("BadRequest", vaults.begin_create_or_update, GROUP, made.name, parameters(shared, **wrong))
	assert vaults.get(GROUP, made.name).properties.enable_purge_protection is True
	refused("ResourceGroupNotFound", vaults.begin_create_or_update, "no-such-group", unique("kv"),
	    parameters(shared), status=404)
	refused("VaultAlreadyExists", vaults.begin_create_or_update, "dev", made.name, parameters(shared), status=409)
	stranger = client(KeyVaultManagementClient, principal()).vaults
	refused("AuthorizationFailed", stranger.get, GROUP, made.name, status=403)
	refused("AuthorizationFailed", stranger.begin_create_or_update, GROUP, unique("kv"), parameters(shared))


def test_a_vault_writer_cannot_let_itself_in(client, vaults, shared, principal):
	"""Key Vault Contributor writes vaults; what is in them stays closed to it."""
	made = make(vaults, shared)
	writer = principal(("Key Vault Contributor", made.id))
	mine = client(KeyVaultManagementClient, writer).vaults
	assert mine.update(GROUP, made.name, {"tags": {"by": "writer"}}).tags == {"by": "writer"}
	vault = shared.vault(made.name, writer)
	vault.get("/secrets").expect(403, "Forbidden", "ForbiddenByRbac")
	me = {"tenantId": shared.tenant, "objectId": writer.object_id, "permissions": {"secrets": ["all"]}}
	mine.update_access_policy(GROUP, made.name, "add", {"properties": {"accessPolicies": [me]}})
	vault.get("/secrets").expect(403, "Forbidden", "ForbiddenByRbac")
	said = refused("AuthorizationFailed", mine.update, GROUP, made.name,
	    {"properties": {"enableRbacAuthorization": False}}, status=403)
	assert "Microsoft.Authorization/roleAssignments/write" in said
	said = refused("AuthorizationFailed", mine.begin_create_or_update, GROUP, made.name,
	    parameters(shared, enableRbacAuthorization=False, accessPolicies=[me]), status=403)
	refused("AuthorizationFailed", client(AuthorizationManagementClient, writer).role_assignments.create,
	    made.id, str(uuid.uuid4()), RoleAssignmentCreateParameters(
	        role_definition_id=f"{made.id}/providers/Microsoft.Authorization/roleDefinitions/"
	        + ROLES["Key Vault Administrator"], principal_id=writer.object_id), status=403)
	vault.get("/secrets").expect(403, "Forbidden", "ForbiddenByRbac")
	assert vaults.get(GROUP, made.name).properties.enable_rbac_authorization is True
