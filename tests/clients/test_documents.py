"""The commands that the documents about the original print, run as they are printed.

Only the placeholders are filled in; az is told where the server is, once, and nothing else.
"""
import json
import subprocess
import sys

import pytest

from az import az_for
from strongroom import unique

VAULT = "/subscriptions/<sub-id>/resourceGroups/myRG/providers/Microsoft.KeyVault/vaults"

CREATE = """\
az keyvault create \\
--name myapp-prod-kv \\
--resource-group myRG \\
--location eastus2 \\
--sku standard \\
--enable-rbac-authorization true \\
--enable-purge-protection true \\
--retention-days 90 \\
--default-action Deny \\
--bypass AzureServices
"""

SHOW = """\
az keyvault show --name myapp-prod-kv --query '{
name: name,
rbacAuthorization: properties.enableRbacAuthorization,
purgeProtection: properties.enablePurgeProtection,
softDelete: properties.enableSoftDelete,
softDeleteRetention: properties.softDeleteRetentionInDays,
networkDefaultAction: properties.networkAcls.defaultAction
}'
"""

CHECKS = {
	'az keyvault show --name myvault \\\n--query "properties.enableRbacAuthorization"': True,
	'az keyvault show --name myvault \\\n--query "{ softDelete: properties.enableSoftDelete, '
	'purgeProtection: properties.enablePurgeProtection, retention: properties.softDeleteRetentionInDays }"':
	    {"softDelete": True, "purgeProtection": True, "retention": 90},
	'az keyvault show --name myvault \\\n--query "{ publicAccess: properties.publicNetworkAccess, '
	'defaultAction: properties.networkAcls.defaultAction }"':
	    {"publicAccess": "Disabled", "defaultAction": "Deny"},
}

# Who gets which role by which words; the last two show the scope by a command of their own.
ASSIGNMENTS = {
	"managed identity": ("<managed-identity-principal-id>", "Key Vault Secrets User", f"""\
# Grant a web app's managed identity read access to secrets
az role assignment create \\
--assignee <managed-identity-principal-id> \\
--role "Key Vault Secrets User" \\
--scope {VAULT}/myapp-prod-kv
"""),
	"pipeline": ("<cicd-service-principal-id>", "Key Vault Secrets Officer", f"""\
# Grant the CI/CD pipeline write access to secrets only
az role assignment create \\
--assignee <cicd-service-principal-id> \\
--role "Key Vault Secrets Officer" \\
--scope {VAULT}/myapp-prod-kv
"""),
	"developers": ("<dev-group-object-id>", "Key Vault Secrets User", f"""\
# Grant developers read-only access in non-production
az role assignment create \\
--assignee-object-id <dev-group-object-id> \\
--assignee-principal-type Group \\
--role "Key Vault Secrets User" \\
--scope {VAULT}/myapp-dev-kv
"""),
	"platform team": ("<platform-group-object-id>", "Key Vault Administrator", f"""\
# Grant the platform team full admin access
az role assignment create \\
--assignee-object-id <platform-group-object-id> \\
--assignee-principal-type Group \\
--role "Key Vault Administrator" \\
--scope {VAULT}/myapp-prod-kv
"""),
	"certificate automation": ("<cert-automation-principal-id>", "Key Vault Certificates Officer", f"""\
# Grant certificate automation access to certificates only
az role assignment create \\
--assignee <cert-automation-principal-id> \\
--role "Key Vault Certificates Officer" \\
--scope {VAULT}/myapp-prod-kv
"""),
	"from a policy": ("<object-id-from-access-policy>", "Key Vault Secrets User", """\
# Example: objectId with secrets [get, list] -> Key Vault Secrets User
az role assignment create \\
--assignee-object-id <object-id-from-access-policy> \\
--role "Key Vault Secrets User" \\
--scope $(az keyvault show --name myapp-prod-kv --query id -o tsv)
"""),
	# In the documents these two ask `az webapp` and `az storage` for the principal.
	"web app": ("<web-app-principal-id>", "Key Vault Secrets User", """\
az role assignment create \\
--assignee <web-app-principal-id> \\
--role "Key Vault Secrets User" \\
--scope $(az keyvault show --name myapp-prod-kv --query id -o tsv)
"""),
	"storage account": ("<storage-principal-id>", "Key Vault Crypto Service Encryption User", """\
az role assignment create \\
--assignee <storage-principal-id> \\
--role "Key Vault Crypto Service Encryption User" \\
--scope $(az keyvault show --name myapp-prod-kv --query id -o tsv)
"""),
}

LIST_ON_VAULT = f"""\
# Verify all role assignments on the vault
az role assignment list \\
--scope {VAULT}/myapp-prod-kv \\
--output table
"""

LIST_QUERY = """\
az role assignment list --scope \\
"/subscriptions/<sub>/resourceGroups/<rg>/providers/Microsoft.KeyVault/vaults/myvault" \\
--query "[].{principal: principalName, role: roleDefinitionName}" -o table
"""

MIGRATE_LIST = """\
# Step 1: List current access policies to understand existing permissions
az keyvault show --name myapp-prod-kv \\
--query 'properties.accessPolicies[].{
objectId: objectId,
secretPerms: permissions.secrets,
keyPerms: permissions.keys,
certPerms: permissions.certificates
}' --output table
"""

MIGRATE_SWITCH = """\
# Step 3: Switch authorization model to RBAC
# WARNING: Access policies are removed immediately. Ensure all RBAC assignments
# are in place before running this command.
az keyvault update \\
--name myapp-prod-kv \\
--enable-rbac-authorization true
# Step 4: Verify access still works
az keyvault secret list --vault-name myapp-prod-kv --output table
"""

KEY_CREATE = """\
# Create an RSA key in Key Vault
az keyvault key create \\
--vault-name myapp-prod-kv \\
--name storage-encryption-key \\
--kty RSA \\
--size 3072 \\
--ops encrypt decrypt wrapKey unwrapKey \\
--protection software
"""

KEY_ROTATION = """\
# Enable auto-rotation for the key
az keyvault key rotation-policy update \\
--vault-name myapp-prod-kv \\
--name storage-encryption-key \\
--value '{
"lifetimeActions": [
{
"trigger": { "timeBeforeExpiry": "P30D" },
"action": { "type": "Rotate" }
},
{
"trigger": { "timeBeforeExpiry": "P15D" },
"action": { "type": "Notify" }
}
],
"attributes": {
"expiryTime": "P1Y"
}
}'
"""

KEY_BACKUP = """\
# Backup a key
az keyvault key backup \\
--vault-name myapp-prod-kv \\
--name storage-encryption-key \\
--file ./backups/storage-encryption-key.backup
"""

# A program; its indentation is lost where it is printed.
ENVELOPE = """\
from azure.identity import DefaultAzureCredential
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm
from cryptography.fernet import Fernet
import base64
import json
credential = DefaultAzureCredential()
key_client = KeyClient(
vault_url="https://myapp-prod-kv.vault.azure.net",
credential=credential
)
# Get the Key Vault key (KEK)
key = key_client.get_key("data-encryption-kek")
crypto_client = CryptographyClient(key, credential=credential)
def encrypt_data(plaintext: bytes) -> dict:
	\"\"\"Encrypt data using envelope encryption.\"\"\"
	# Step 1: Generate a local data encryption key (DEK)
	dek = Fernet.generate_key()
	fernet = Fernet(dek)
	# Step 2: Encrypt data locally with the DEK (fast, symmetric)
	ciphertext = fernet.encrypt(plaintext)
	# Step 3: Wrap (encrypt) the DEK with the Key Vault key (KEK)
	wrapped_dek = crypto_client.wrap_key(
	algorithm="RSA-OAEP-256",
	key=dek
	)
	# Step 4: Return the encrypted data + wrapped DEK
	return {
	"ciphertext": base64.b64encode(ciphertext).decode(),
	"wrapped_dek": base64.b64encode(wrapped_dek.encrypted_key).decode(),
	"kek_id": key.id,
	"algorithm": "RSA-OAEP-256"
	}
def decrypt_data(envelope: dict) -> bytes:
	\"\"\"Decrypt envelope-encrypted data.\"\"\"
	# Step 1: Unwrap the DEK using Key Vault
	wrapped_dek = base64.b64decode(envelope["wrapped_dek"])
	unwrapped = crypto_client.unwrap_key(
	algorithm=envelope["algorithm"],
	encrypted_key=wrapped_dek
	)
	# Step 2: Decrypt data locally with the DEK
	fernet = Fernet(unwrapped.key)
	ciphertext = base64.b64decode(envelope["ciphertext"])
	return fernet.decrypt(ciphertext)
# Usage
encrypted = encrypt_data(b"sensitive patient data")
decrypted = decrypt_data(encrypted) # b"sensitive patient data"
"""


class Reader:
	"""Somebody following the documents, with a server, an az and placeholders of their own."""

	def __init__(self, server, az):
		self.server, self.az = server, az
		self.filled = {"<sub-id>": server.subscription, "<sub>": server.subscription, "<rg>": "myRG"}

	def run(self, script):
		for placeholder, text in self.filled.items():
			script = script.replace(placeholder, text)
		done = self.az.shell(script)
		assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
		return done.stdout

	def json(self, script):
		return json.loads(self.run(script))


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
	from strongroom import Server

	server = Server(tmp_path_factory.mktemp("documents")).start()
	reader = Reader(server, az_for(server, tmp_path_factory.mktemp("az")))
	reader.run("az group create --name myRG --location eastus2")
	yield reader
	server.stop()


@pytest.fixture(scope="module")
def production(reader):
	return reader.json(CREATE)


def test_create(reader, production):
	properties = production["properties"]
	assert production["id"] == f"{VAULT}/myapp-prod-kv".replace("<sub-id>", reader.server.subscription)
	assert (production["location"], production["type"]) == ("eastus2", "Microsoft.KeyVault/vaults")
	assert properties["vaultUri"] == reader.server.url("myapp-prod-kv") + "/"
	assert properties["sku"] == {"family": "A", "name": "standard"}
	assert properties["provisioningState"] == "Succeeded"
	assert properties["networkAcls"]["bypass"] == "AzureServices"


def test_show(reader, production):
	assert reader.json(SHOW) == {
	    "name": "myapp-prod-kv", "rbacAuthorization": True, "purgeProtection": True, "softDelete": True,
	    "softDeleteRetention": 90, "networkDefaultAction": "Deny"}


def test_checks(reader):
	reader.run("az keyvault create --name myvault --resource-group myRG --enable-purge-protection true "
	    "--default-action Deny --public-network-access Disabled")
	for script, answer in CHECKS.items():
		assert reader.json(script) == answer, script
	assert "Disabled" in reader.run("az keyvault update --name myvault --public-network-access Disabled "
	    "--query properties.publicNetworkAccess")
	assert reader.run(LIST_QUERY).strip() == ""


def test_default_is_rbac(reader):
	made = reader.json("az keyvault create --name myapp-dev-kv --resource-group myRG")
	assert made["properties"]["enableRbacAuthorization"] is True
	assert made["location"] == "eastus2", "the group's"


@pytest.fixture(scope="module")
def principals(reader, production):
	"""A principal of each kind that the documents speak of."""
	az, server = reader.az, reader.server
	identity = az("identity", "create", "--name", "myid", "--resource-group", "myRG")
	filled = {"<managed-identity-principal-id>": identity["principalId"]}
	for name in ("<cicd-service-principal-id>", "<cert-automation-principal-id>"):
		filled[name] = server.make_principal().client_id
	for name in ("<dev-group-object-id>", "<platform-group-object-id>"):
		filled[name] = az("ad", "group", "create", "--display-name", name.strip("<>"),
		    "--mail-nickname", name.strip("<>"))["id"]
	for name in ("<object-id-from-access-policy>", "<web-app-principal-id>", "<storage-principal-id>"):
		filled[name] = server.make_principal().object_id
	reader.filled |= filled
	return filled


@pytest.mark.parametrize("form", ASSIGNMENTS)
def test_role_assignment(reader, principals, form):
	placeholder, role, script = ASSIGNMENTS[form]
	made = reader.json(script)
	assert made["scope"].endswith(("/vaults/myapp-prod-kv", "/vaults/myapp-dev-kv"))
	again = reader.json(script)
	assert again["id"] == made["id"], "az finds the one that is there"
	listed = reader.json(f"az role assignment list --scope {made['scope']}")
	mine = [each for each in listed if each["id"] == made["id"]]
	assert [each["roleDefinitionName"] for each in mine] == [role]
	assert mine[0]["principalName"]
	if "group" in placeholder:
		assert mine[0]["principalType"] == "Group"


def test_role_assignment_list(reader, principals):
	table = reader.run(LIST_ON_VAULT)
	for role in ("Key Vault Administrator", "Key Vault Secrets Officer"):
		assert role in table


def test_migration(reader):
	"""From access policies to roles, step by step."""
	server = reader.server
	policy = server.make_principal()
	reader.run("az keyvault create --name migrate-kv --resource-group myRG --enable-rbac-authorization false")
	reader.run(f"az keyvault set-policy --name migrate-kv --object-id {policy.object_id} "
	    "--secret-permissions get list")
	before = server.vault("migrate-kv", policy)
	before.get("/secrets").expect(200)
	before.put("/secrets/x", {"value": "x"}).expect(403, "Forbidden", "ForbiddenByPolicy")
	mine = lambda script: script.replace("myapp-prod-kv", "migrate-kv")
	assert policy.object_id in reader.run(mine(MIGRATE_LIST))
	reader.run(f"az role assignment create --assignee-object-id {policy.object_id} "
	    '--assignee-principal-type ServicePrincipal --role "Key Vault Secrets User" '
	    "--scope $(az keyvault show --name migrate-kv --query id -o tsv)")
	reader.run(mine(MIGRATE_SWITCH))
	before.get("/secrets").expect(200)
	shown = reader.json("az keyvault show --name migrate-kv")
	assert shown["properties"]["enableRbacAuthorization"] is True


def test_network(reader):
	reader.run("az keyvault create --name walled-kv --resource-group myRG")
	vault = reader.server.vault("walled-kv")
	vault.set("x")
	reader.run("az keyvault update --name walled-kv --default-action Deny")
	vault.get("/secrets/x").expect(403, "Forbidden", "ForbiddenByFirewall")
	reader.run("az keyvault network-rule add --name walled-kv --ip-address 127.0.0.0/8")
	vault.get("/secrets/x").expect(200)
	rules = reader.json("az keyvault network-rule list --name walled-kv")
	assert [rule["value"] for rule in rules["ipRules"]] == ["127.0.0.0/8"]
	reader.run("az keyvault network-rule remove --name walled-kv --ip-address 127.0.0.0/8")
	vault.get("/secrets/x").expect(403, "Forbidden", "ForbiddenByFirewall")
	reader.run("az keyvault update --name walled-kv --bypass AzureServices --default-action Allow")
	vault.get("/secrets/x").expect(200)
	reader.run("az keyvault update \\\n--name walled-kv \\\n--public-network-access Disabled")
	vault.get("/secrets/x").expect(403, "Forbidden", "ForbiddenByConnection")


def test_delete_recover_purge(reader):
	name = unique("gone-kv")
	reader.run(f"az keyvault create --name {name} --resource-group myRG")
	vault = reader.server.vault(name)
	vault.set("kept", "through it all")
	assert name in [each["name"] for each in reader.json("az keyvault list")]
	reader.run(f"az keyvault delete --name {name}")
	vault.get("/secrets/kept").expect(404, "VaultNotFound")
	assert name in reader.run("az keyvault list-deleted --output table")
	assert name not in [each["name"] for each in reader.json("az keyvault list")]
	assert reader.json(f"az keyvault show-deleted --name {name}")["properties"]["vaultId"].endswith(name)
	said = reader.az.fails(1, "keyvault", "create", "--name", name, "--resource-group", "myRG")
	assert "deleted state" in said
	reader.run(f"az keyvault recover --name {name}")
	assert vault.value("kept") == "through it all"
	reader.run(f"az keyvault delete --name {name}")
	reader.run(f"az keyvault purge --name {name}")
	assert name not in reader.run("az keyvault list-deleted --output table")
	reader.run(f"az keyvault create --name {name} --resource-group myRG")
	vault.get("/secrets/kept").expect(404, "SecretNotFound")


def test_purge_protected(reader):
	name = unique("held-kv")
	reader.run(f"az keyvault create --name {name} --resource-group myRG --enable-purge-protection true")
	reader.run(f"az keyvault delete --name {name}")
	assert "MethodNotAllowed" in reader.az.fails(1, "keyvault", "purge", "--name", name)
	reader.run(f"az keyvault recover --name {name}")


def test_create_for_rbac(reader, production):
	"""An application with a secret and a role, in one command; then it reads."""
	reader.run("az keyvault create --name robot-kv --resource-group myRG")
	reader.server.vault("robot-kv").set("x", "read by a robot")
	scope = reader.run("az keyvault show --name robot-kv --query id -o tsv").strip()
	made = reader.json(f'az ad sp create-for-rbac --name robot --role "Key Vault Secrets User" --scopes {scope}')
	from strongroom import Principal

	robot = Principal(reader.server, made["appId"], made["password"])
	assert reader.server.vault("robot-kv", robot).value("x") == "read by a robot"
	reader.run(f"az ad sp credential reset --id {made['appId']}")
	robot.sign_in(f"{reader.server.resource}/.default").expect(401)
	reader.run(f"az ad sp delete --id {made['appId']}")


def test_group_delete(reader):
	name = unique("group-kv")
	reader.run(f"az group create --name throwaway --location eastus2 && az keyvault create --name {name} "
	    "--resource-group throwaway")
	reader.run("az group delete --name throwaway --yes")
	assert reader.run("az group exists --name throwaway").strip() == "false"
	assert name in reader.run("az keyvault list-deleted --query '[].name' -o tsv").split()


PRINTED = (
	"az keyvault update \\\n--name myapp-prod-kv \\\n--enable-rbac-authorization true",
	"az keyvault update \\\n--name myapp-prod-kv \\\n--bypass AzureServices",
	"az keyvault update \\\n--name myapp-prod-kv \\\n--public-network-access Disabled",
	"az keyvault delete --name myapp-prod-kv",  # not printed, but there has to be something to recover
	"# List soft-deleted vaults in the subscription\naz keyvault list-deleted --output table",
	"az keyvault recover --name myapp-prod-kv",
	MIGRATE_LIST,
)


def test_the_rest_as_printed(reader, production):
	said = [reader.run(script) for script in PRINTED]
	assert "myapp-prod-kv" in said[4]
	assert reader.json(SHOW)["networkDefaultAction"] == "Deny", "recovered as it was"
	assert reader.json("az keyvault show --name myapp-prod-kv")["properties"]["publicNetworkAccess"] == "Disabled"


# Keys

@pytest.fixture(scope="module")
def keys(reader, production):
	"""The vault, open to this machine for as long."""
	reader.run("az keyvault update --name myapp-prod-kv --default-action Allow --public-network-access Enabled")
	yield reader.server.vault("myapp-prod-kv")
	reader.run("az keyvault update --name myapp-prod-kv --default-action Deny")


@pytest.fixture(scope="module")
def encryption_key(reader, keys):
	return reader.json(KEY_CREATE)


def test_key_create(encryption_key, keys):
	made = encryption_key["key"]
	assert made["kid"].startswith(f"{keys.url}/keys/storage-encryption-key/") and made["kty"] == "RSA"
	assert made["keyOps"] == ["encrypt", "decrypt", "wrapKey", "unwrapKey"]
	assert keys.get("/keys/storage-encryption-key").expect(200).json["key"]["kid"] == made["kid"]
	assert len(made["n"]) == 512, "3072 bits"


def test_key_backup(reader, encryption_key, keys, tmp_path):
	reader.run(f"mkdir {tmp_path}/backups\ncd {tmp_path}\n{KEY_BACKUP}")
	reader.run("az keyvault create --name myapp-dr-kv --resource-group myRG")
	reader.run(f"az keyvault key restore --vault-name myapp-dr-kv --file {tmp_path}/backups/storage-encryption-key.backup")
	copy = reader.json("az keyvault key show --vault-name myapp-dr-kv --name storage-encryption-key")
	assert copy["key"]["n"] == encryption_key["key"]["n"]


def test_envelope_encryption(reader, keys):
	reader.run("az keyvault key create --vault-name myapp-prod-kv --name data-encryption-kek")
	program = ENVELOPE.replace("https://myapp-prod-kv.vault.azure.net", keys.url)
	done = subprocess.run([sys.executable, "-c", program + "print(json.dumps(encrypted), decrypted)"], text=True,
	    env={**reader.az.env, **reader.server.env}, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
	assert done.returncode == 0, done.stderr
	assert done.stdout.endswith(" b'sensitive patient data'\n")
	assert f'"kek_id": "{keys.url}/keys/data-encryption-kek/' in done.stdout


def test_key_rotation_policy(reader, encryption_key):
	policy = reader.json(KEY_ROTATION)
	assert policy["expiresIn"] == "P1Y"
	assert [(each["action"], each["timeBeforeExpiry"]) for each in policy["lifetimeActions"]] == \
	    [("Rotate", "P30D"), ("Notify", "P15D")]
