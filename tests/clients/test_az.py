"""The az command, as its users type it: secrets and keys."""
import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from az import az_for


class Secrets:
	def __init__(self, az):
		self.run, self.fails, self.all = az.run, az.fails, az

	def __call__(self, *arguments):
		return self.all(*arguments)

	def secret(self, verb, *arguments):
		return self.all("keyvault", "secret", verb, "--vault-name", "az-cli", *arguments)

	def key(self, verb, *arguments):
		return self.all("keyvault", "key", verb, "--vault-name", "az-cli", *arguments)


@pytest.fixture(scope="module")
def az(shared, tmp_path_factory):
	return Secrets(az_for(shared, tmp_path_factory.mktemp("az")))


def test_account(az, shared):
	account = az("account", "show")
	assert account["environmentName"] == "Strongroom"
	assert account["id"] == shared.subscription
	assert (account["tenantId"], account["state"]) == (shared.tenant, "Enabled")
	assert account["user"] == {"name": shared.env["AZURE_CLIENT_ID"], "type": "servicePrincipal"}


def test_cloud_knows_the_vaults(az, shared):
	cloud = az("cloud", "show")
	assert cloud["suffixes"]["keyvaultDns"] == f".vault.localhost:{shared.port}"
	assert cloud["endpoints"]["resourceManager"].rstrip("/") == shared.management
	assert cloud["endpoints"]["activeDirectory"].rstrip("/").startswith(f"https://login.localhost:{shared.port}")


def test_set_show_versions_attributes(az, shared):
	first = az.secret("set", "-n", "web", "--value", "one", "--tags", "team=a", "tier=b",
	    "--content-type", "text/plain", "--expires", "2050-02-02T00:00:00Z",
	    "--not-before", "2015-02-02T00:00:00Z")
	assert first["value"] == "one"
	assert first["id"].startswith(f"{shared.url('az-cli')}/secrets/web/")
	assert first["contentType"] == "text/plain"
	assert first["tags"].items() >= {"team": "a", "tier": "b"}.items()
	assert first["attributes"]["expires"] == "2050-02-02T00:00:00+00:00"
	assert first["attributes"]["notBefore"] == "2015-02-02T00:00:00+00:00"
	assert first["attributes"]["recoveryLevel"] == "Recoverable+Purgeable"
	second = az.secret("set", "-n", "web", "--value", "zwei ü")

	assert az.secret("show", "-n", "web")["value"] == "zwei ü"
	assert az("keyvault", "secret", "show", "--id", first["id"])["value"] == "one"
	versions = az.secret("list-versions", "-n", "web")
	assert {each["id"] for each in versions} == {first["id"], second["id"]}

	changed = az.secret("set-attributes", "-n", "web", "--enabled", "false", "--tags", "x=y")
	assert (changed["attributes"]["enabled"], changed["tags"]) == (False, {"x": "y"})
	said = az.fails(1, "keyvault", "secret", "show", "--vault-name", "az-cli", "-n", "web")
	assert "(Forbidden)" in said and "SecretDisabled" in said
	assert "Operation get is not allowed on a disabled secret." in said


def test_list(az):
	az.secret("set", "-n", "listed", "--value", "x")
	assert "listed" in [each["name"] for each in az.secret("list")]
	assert len(az.secret("list", "--maxresults", "1")) == 1


def test_file_encodings(az, tmp_path):
	"""A file goes in and comes out; az keeps its encoding in a tag and reads it back."""
	source, target = tmp_path / "in.bin", tmp_path / "out.bin"
	source.write_bytes(bytes(range(256)))
	made = az.secret("set", "-n", "file", "--file", source, "--encoding", "base64")
	assert made["tags"]["file-encoding"] == "base64"
	az.secret("download", "-n", "file", "--file", target)
	assert target.read_bytes() == source.read_bytes()


def test_life(az, tmp_path):
	blob = tmp_path / "life.backup"
	made = az.secret("set", "-n", "life", "--value", "long")
	az.secret("backup", "-n", "life", "--file", blob)
	deleted = az.secret("delete", "-n", "life")
	assert deleted["recoveryId"].endswith("/deletedsecrets/life")
	assert "life" in [each["name"] for each in az.secret("list-deleted")]
	assert az.secret("show-deleted", "-n", "life")["id"] == made["id"]

	said = az.fails(1, "keyvault", "secret", "set", "--vault-name", "az-cli", "-n", "life", "--value", "x")
	assert "(Conflict)" in said and "ObjectIsDeletedButRecoverable" in said
	assert "is currently in a deleted but recoverable state" in said

	assert az.secret("recover", "-n", "life")["id"] == made["id"]
	assert az.secret("show", "-n", "life")["value"] == "long"
	az.secret("delete", "-n", "life")
	az.secret("purge", "-n", "life")
	restored = az.secret("restore", "--file", blob)
	assert restored["id"] == made["id"]
	assert az.secret("show", "-n", "life")["value"] == "long"
	said = az.fails(1, "keyvault", "secret", "restore", "--vault-name", "az-cli", "--file", blob)
	assert "(Conflict) There was a conflict restoring the secret" in said


# Keys

def test_key_life(az):
	first = az.key("create", "-n", "life", "--kty", "EC", "--curve", "P-384", "--tags", "team=a")
	second = az.key("create", "-n", "life", "--kty", "EC", "--curve", "P-521", "--ops", "sign", "verify")
	assert (first["key"]["kty"], first["key"]["crv"], first["tags"]) == ("EC", "P-384", {"team": "a"})
	assert second["key"]["keyOps"] == ["sign", "verify"]
	assert az.key("show", "-n", "life")["key"]["kid"] == second["key"]["kid"]
	assert {each["kid"] for each in az.key("list-versions", "-n", "life")} == \
	    {first["key"]["kid"], second["key"]["kid"]}
	assert "life" in [each["name"] for each in az.key("list")]
	changed = az.key("set-attributes", "-n", "life", "--enabled", "false", "--expires", "2050-02-02T00:00:00Z")
	assert changed["attributes"]["enabled"] is False
	assert changed["attributes"]["expires"] == "2050-02-02T00:00:00+00:00"
	assert az.key("delete", "-n", "life")["recoveryId"].endswith("/deletedkeys/life")
	assert "life" in [each["name"] for each in az.key("list-deleted")]
	said = az.fails(1, "keyvault", "key", "create", "--vault-name", "az-cli", "-n", "life", "--kty", "EC")
	assert "(Conflict)" in said and "ObjectIsDeletedButRecoverable" in said
	assert az.key("recover", "-n", "life")["key"]["kid"] == second["key"]["kid"]
	az.key("delete", "-n", "life")
	az.key("purge", "-n", "life")
	said = az.fails(3, "keyvault", "key", "show", "--vault-name", "az-cli", "-n", "life")
	assert "(KeyNotFound) A key with (name/id) life was not found in this key vault." in said


def test_key_use(az):
	az.key("create", "-n", "use", "--kty", "RSA")
	digest = base64.b64encode(bytes(range(32))).decode()
	sealed = az.key("encrypt", "-n", "use", "-a", "RSA-OAEP-256", "--value", "text", "--data-type", "plaintext")
	opened = az.key("decrypt", "-n", "use", "-a", "RSA-OAEP-256", "--value", sealed["result"], "--data-type", "plaintext")
	assert opened["result"] == "text"
	signed = az.key("sign", "-n", "use", "-a", "PS256", "--digest", digest)
	for shown, valid in ((digest, True), (base64.b64encode(bytes(32)).decode(), False)):
		verified = az.key("verify", "-n", "use", "-a", "PS256", "--digest", shown, "--signature", signed["signature"])
		assert verified["isValid"] is valid


def test_key_import_and_download(az, tmp_path):
	private, public = tmp_path / "private.pem", tmp_path / "public.pem"
	key = rsa.generate_private_key(65537, 2048)
	private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
	    serialization.NoEncryption()))
	az.key("import", "-n", "brought", "--pem-file", private)
	az.key("download", "-n", "brought", "--file", public, "--encoding", "PEM")
	shown = serialization.load_pem_public_key(public.read_bytes())
	assert shown.public_numbers() == key.public_key().public_numbers()


def test_missing(az):
	said = az.fails(3, "keyvault", "secret", "show", "--vault-name", "az-cli", "-n", "nothing")
	assert "(SecretNotFound) A secret with (name/id) nothing was not found in this key vault." in said


def test_bad_name(az):
	said = az.fails(1, "keyvault", "secret", "set", "--vault-name", "az-cli", "-n", "bad_name", "--value", "x")
	assert "(BadParameter) The request URI contains an invalid name: bad_name" in said


def test_wrong_password(az, shared, principal):
	said = az.fails(1, "login", "--service-principal", "-u", principal().client_id, "-p", "not-it",
	    "--tenant", shared.tenant)
	assert "AADSTS7000215" in said
