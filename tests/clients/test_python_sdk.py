"""Azure's own Python libraries, unmodified: nothing is switched off, nothing is patched."""
import datetime
import uuid

import pytest
from azure.core.exceptions import (ClientAuthenticationError, HttpResponseError, ResourceExistsError,
    ResourceNotFoundError)
from azure.identity import (CertificateCredential, ClientSecretCredential, DefaultAzureCredential,
    EnvironmentCredential)
from azure.keyvault.secrets import ApiVersion, KeyVaultSecretIdentifier, SecretClient
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sdk import failure
from strongroom import unique

FAR = datetime.datetime(2050, 2, 2, tzinfo=datetime.timezone.utc)
PAST = datetime.datetime(2015, 2, 2, tzinfo=datetime.timezone.utc)


def by_secret(shared):
	return ClientSecretCredential("adfs", shared.env["AZURE_CLIENT_ID"],
	    shared.env["AZURE_CLIENT_SECRET"])


def by_secret_and_tenant(shared):
	return ClientSecretCredential(shared.tenant, shared.env["AZURE_CLIENT_ID"],
	    shared.env["AZURE_CLIENT_SECRET"], disable_instance_discovery=True)


@pytest.fixture(scope="module")
def client(shared):
	with SecretClient(shared.url("sdk"), DefaultAzureCredential()) as client:
		yield client


@pytest.fixture
def name():
	return unique("py")


# Credentials

@pytest.mark.parametrize("make", [by_secret, by_secret_and_tenant, lambda shared: EnvironmentCredential(),
    lambda shared: DefaultAzureCredential()],
    ids=["secret", "secret-tenant", "environment", "default"])
def test_credential(shared, make, name):
	with SecretClient(shared.url("sdk"), make(shared)) as client:
		client.set_secret(name, "opened")
		assert client.get_secret(name).value == "opened"


@pytest.mark.parametrize("tenant, options", [
	("adfs", {}),  # signs RS256, names the certificate by x5t
	(None, {"disable_instance_discovery": True}),  # signs PS256, names it by x5t#S256
	("adfs", {"send_certificate_chain": True}),
], ids=["RS256", "PS256", "x5c"])
def test_certificate_credential(shared, certified, tenant, options, name):
	credential = CertificateCredential(tenant or shared.tenant, certified.client_id, certified.pem,
	    **options)
	with SecretClient(shared.url("sdk"), credential) as client:
		client.set_secret(name, "by certificate")
		assert client.get_secret(name).value == "by certificate"


def test_another_certificate_is_refused(shared, certified, tmp_path):
	key = rsa.generate_private_key(65537, 2048).private_bytes(serialization.Encoding.PEM,
	    serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
	forged = tmp_path / "forged.pem"
	forged.write_text(key.decode() + certified.pem.read_text().split("-----END PRIVATE KEY-----\n")[1])
	credential = CertificateCredential("adfs", certified.client_id, str(forged))
	with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
		credential.get_token(f"{shared.resource}/.default")


@pytest.mark.parametrize("tenant, client_id, code", [
	("adfs", None, "AADSTS7000215"),
	("adfs", str(uuid.uuid4()), "AADSTS700016"),
], ids=["secret", "application"])
def test_wrong_credential(shared, tenant, client_id, code):
	credential = ClientSecretCredential(tenant, client_id or shared.env["AZURE_CLIENT_ID"], "not-it")
	with pytest.raises(ClientAuthenticationError, match=code):
		credential.get_token(f"{shared.resource}/.default")


# Secrets

def test_set_get(client, name):
	made = client.set_secret(name, "väl€ue 🗝\n\t\"\\", content_type="text/plain", tags={"a": "b", "ü": ""},
	    enabled=True, not_before=PAST, expires_on=FAR)
	got = client.get_secret(name)
	for secret in (made, got):
		properties = secret.properties
		assert (secret.name, secret.value) == (name, "väl€ue 🗝\n\t\"\\")
		assert (properties.content_type, properties.tags) == ("text/plain", {"a": "b", "ü": ""})
		assert (properties.enabled, properties.not_before, properties.expires_on) == (True, PAST, FAR)
		assert properties.recovery_level == "Recoverable+Purgeable"
		assert properties.recoverable_days == 90
		assert properties.created_on == properties.updated_on
		assert abs(properties.created_on - datetime.datetime.now(datetime.timezone.utc)) \
		    < datetime.timedelta(seconds=30)
		assert properties.vault_url == client.vault_url
		parsed = KeyVaultSecretIdentifier(secret.id)
		assert (parsed.vault_url, parsed.name, parsed.version) == \
		    (client.vault_url, name, properties.version)
	assert made.id == got.id


def test_versions(client, name):
	made = [client.set_secret(name, f"v{i}") for i in range(3)]
	listed = list(client.list_properties_of_secret_versions(name))
	assert {each.version for each in listed} == {each.properties.version for each in made}
	assert client.get_secret(name).value == "v2"
	for i, each in enumerate(made):
		assert client.get_secret(name, each.properties.version).value == f"v{i}"


def test_update(client, name):
	made = client.set_secret(name, "kept", content_type="one", tags={"old": "tag"})
	changed = client.update_secret_properties(name, content_type="two", tags={"new": "tag"},
	    expires_on=FAR)
	assert (changed.content_type, changed.tags, changed.expires_on) == ("two", {"new": "tag"}, FAR)
	assert changed.version == made.properties.version
	got = client.get_secret(name)
	assert (got.value, got.properties.content_type, got.properties.tags) == \
	    ("kept", "two", {"new": "tag"})


def test_disabled(client, name):
	client.set_secret(name, "hidden")
	client.update_secret_properties(name, enabled=False)
	assert failure(HttpResponseError, client.get_secret, name) == (403, "Forbidden", "SecretDisabled")
	assert [each.enabled for each in client.list_properties_of_secret_versions(name)] == [False]
	client.update_secret_properties(name, enabled=True)
	assert client.get_secret(name).value == "hidden"


def test_delete_recover_purge(client, name):
	made = client.set_secret(name, "comes back", tags={"a": "b"})
	poller = client.begin_delete_secret(name)
	deleted = poller.result()
	poller.wait()
	assert deleted.name == name
	assert deleted.recovery_id == f"{client.vault_url}/deletedsecrets/{name}"
	assert deleted.scheduled_purge_date - deleted.deleted_date == datetime.timedelta(days=90)
	assert deleted.properties.tags == {"a": "b"}
	assert failure(ResourceNotFoundError, client.get_secret, name)[:2] == (404, "SecretNotFound")
	assert client.get_deleted_secret(name).id == made.id
	assert name in [each.name for each in client.list_deleted_secrets()]
	assert name not in [each.name for each in client.list_properties_of_secrets()]

	recovery = client.begin_recover_deleted_secret(name)
	assert recovery.result().id == made.id
	recovery.wait()
	assert client.get_secret(name).value == "comes back"
	assert failure(ResourceNotFoundError, client.get_deleted_secret, name)[:2] == (404, "SecretNotFound")

	client.begin_delete_secret(name).wait()
	assert client.purge_deleted_secret(name) is None
	assert failure(ResourceNotFoundError, client.get_deleted_secret, name)[:2] == (404, "SecretNotFound")
	assert client.set_secret(name, "anew").id != made.id
	assert client.get_secret(name).value == "anew"


def test_deleted_name_is_taken(client, name):
	client.set_secret(name, "first")
	client.begin_delete_secret(name).wait()
	assert failure(ResourceExistsError, client.set_secret, name, "second") == \
	    (409, "Conflict", "ObjectIsDeletedButRecoverable")


def test_recover_of_live(client, name):
	client.set_secret(name, "alive")
	assert failure(HttpResponseError, client.begin_recover_deleted_secret, name) == \
	    (400, "MethodNotAllowed", "RequestNotAllowedOnNonDeletedObject")


def test_backup_restore(client, name):
	versions = {client.set_secret(name, f"v{i}").properties.version: f"v{i}" for i in range(3)}
	backup = client.backup_secret(name)
	assert failure(ResourceExistsError, client.restore_secret_backup, backup) == (409, "Conflict", None)
	client.begin_delete_secret(name).wait()
	assert failure(ResourceExistsError, client.restore_secret_backup, backup)[0] == 409
	client.purge_deleted_secret(name)
	restored = client.restore_secret_backup(backup)
	assert restored.name == name
	for version, value in versions.items():
		assert client.get_secret(name, version).value == value
	assert client.get_secret(name).value == "v2"
	assert restored.version == client.get_secret(name).properties.version


def test_restore_of_garbage(client):
	assert failure(HttpResponseError, client.restore_secret_backup, b"not a backup")[:2] == \
	    (400, "Malformed backup blob")


def test_missing(client, name):
	for call in (client.get_secret, client.backup_secret, client.begin_delete_secret,
	    client.update_secret_properties, client.begin_recover_deleted_secret,
	    client.get_deleted_secret, client.purge_deleted_secret):
		assert failure(ResourceNotFoundError, call, name) == (404, "SecretNotFound", None), call
	assert list(client.list_properties_of_secret_versions(name)) == []


def test_paging(shared):
	with SecretClient(shared.url("lists"), DefaultAzureCredential()) as client:
		names = [f"page-{i:02}" for i in range(60)]
		for each in names:
			client.set_secret(each, each)
		pages = [[item.name for item in page] for page in client.list_properties_of_secrets().by_page()]
		assert sorted(sum(pages, [])) == names
		assert all(len(page) <= 25 for page in pages) and len(pages) >= 3
		small = client.list_properties_of_secrets(max_page_size=7)
		assert [item.name for item in small] == names

		for each in names[:30]:
			client.begin_delete_secret(each).wait()
		assert sorted(item.name for item in client.list_deleted_secrets()) == names[:30]
		assert sorted(item.name for item in client.list_properties_of_secrets()) == names[30:]
		for each in names[:30]:
			client.purge_deleted_secret(each)
		assert list(client.list_deleted_secrets()) == []

		client.set_secret("many", "0")
		for i in range(1, 30):
			client.set_secret("many", str(i))
		versions = list(client.list_properties_of_secret_versions("many"))
		assert len({each.version for each in versions}) == 30 == len(versions)


def test_bad_request(client, name):
	for call, arguments in ((client.set_secret, ("bad_name", "v")),
	    (client.set_secret, (name, "v" * 25601)),
	    (lambda *a: client.set_secret(*a, tags={str(i): "" for i in range(16)}), (name, "v"))):
		assert failure(HttpResponseError, call, *arguments)[:2] == (400, "BadParameter")


def test_purge_protection(shared, name):
	with SecretClient(shared.url("protected"), DefaultAzureCredential()) as client:
		client.set_secret(name, "stays")
		client.begin_delete_secret(name).wait()
		assert failure(HttpResponseError, client.purge_deleted_secret, name)[:2] == (403, "Forbidden")
		assert client.get_deleted_secret(name).properties.recovery_level == "Recoverable"


def test_denied(shared, principal, name):
	nobody = principal()
	credential = ClientSecretCredential("adfs", nobody.client_id, nobody.secret)
	with SecretClient(shared.url("sdk"), credential) as client:
		assert failure(HttpResponseError, client.get_secret, name) == \
		    (403, "Forbidden", "ForbiddenByRbac")


@pytest.mark.parametrize("version", list(ApiVersion), ids=lambda version: version.value)
def test_api_version(shared, version, name):
	with SecretClient(shared.url("sdk"), DefaultAzureCredential(), api_version=version) as client:
		client.set_secret(name, "through the ages", tags={"a": "b"})
		assert client.get_secret(name).value == "through the ages"
		client.update_secret_properties(name, content_type="x")
		assert name in [each.name for each in client.list_properties_of_secrets()]
		client.begin_delete_secret(name).wait()
		client.begin_recover_deleted_secret(name).wait()
		assert client.get_secret(name).properties.content_type == "x"
