"""Azure's own Python library for certificates, unmodified: the life of a certificate."""
import base64

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.keyvault.certificates import (CertificateClient, CertificateContentType, CertificatePolicy, KeyType,
    KeyVaultCertificateIdentifier, LifetimeAction, WellKnownIssuerNames)
from azure.keyvault.secrets import SecretClient
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from certs import chain, issue, make_pfx, new_key, pem_of, spki
from sdk import failure
from strongroom import unique


@pytest.fixture(scope="module")
def client(shared):
	with CertificateClient(shared.url("sdk"), DefaultAzureCredential()) as client:
		yield client


@pytest.fixture(scope="module")
def secrets(shared):
	with SecretClient(shared.url("sdk"), DefaultAzureCredential()) as client:
		yield client


@pytest.fixture
def name():
	return unique("py")


def policy(**more):
	return CertificatePolicy(**{"issuer_name": WellKnownIssuerNames.self, "subject": "CN=sdk.test",
	    "key_type": KeyType.ec, **more})


def make(client, name, **more):
	return client.begin_create_certificate(name, policy(), _polling_interval=1, **more).result()


def test_create_get(client, secrets, name):
	made = client.begin_create_certificate(name, policy(san_dns_names=["a.test"], validity_in_months=3,
	    lifetime_actions=[LifetimeAction("EmailContacts", days_before_expiry=9)]), tags={"a": "b"},
	    _polling_interval=1).result()
	assert made.name == name and made.properties.tags == {"a": "b"} and made.properties.enabled
	got = client.get_certificate(name)
	leaf = x509.load_der_x509_certificate(bytes(got.cer))
	assert got.properties.expires_on == leaf.not_valid_after_utc and got.properties.not_before == leaf.not_valid_before_utc
	assert got.policy.san_dns_names == ["a.test"] and got.policy.lifetime_actions[0].days_before_expiry == 9
	version = client.get_certificate_version(name, got.properties.version)
	assert version.cer == got.cer and version.id == got.id
	parsed = KeyVaultCertificateIdentifier(got.id)
	assert (parsed.vault_url, parsed.name, parsed.version) == (client.vault_url, name, got.properties.version)
	secret = secrets.get_secret(name)
	assert secret.properties.key_id == got.key_id and secret.id == got.secret_id
	key, certificate, _ = pkcs12.load_key_and_certificates(base64.b64decode(secret.value), None)
	assert certificate == leaf and spki(key.public_key()) == spki(leaf.public_key())


def test_operations(client, name):
	poller = client.begin_create_certificate(name, policy(), _polling_interval=1)
	operation = client.get_certificate_operation(name)
	assert operation.csr and operation.issuer_name == "Self"
	cancelled = client.cancel_certificate_operation(name)
	assert cancelled.cancellation_requested
	poller.wait()
	assert client.get_certificate_operation(name).status == "cancelled"
	client.delete_certificate_operation(name)
	assert failure(ResourceNotFoundError, client.get_certificate_operation, name) == (
	    404, "PendingCertificateNotFound", None)
	assert make(client, name).cer


def test_update(client, name):
	make(client, name)
	changed = client.update_certificate_properties(name, enabled=False, tags={"c": "d"})
	assert changed.properties.enabled is False and changed.properties.tags == {"c": "d"}
	before = client.get_certificate_policy(name)
	before._validity_in_months = 7
	assert client.update_certificate_policy(name, before).validity_in_months == 7


def test_delete_recover_purge(client, name):
	made = make(client, name)
	deleted = client.begin_delete_certificate(name, _polling_interval=1).result()
	assert deleted.recovery_id and deleted.scheduled_purge_date > deleted.deleted_on
	assert name in [each.name for each in client.list_deleted_certificates()]
	with pytest.raises(ResourceExistsError):
		client.begin_create_certificate(name, policy())
	assert client.begin_recover_deleted_certificate(name, _polling_interval=1).result().id == made.id
	client.begin_delete_certificate(name, _polling_interval=1).wait()
	client.purge_deleted_certificate(name)
	assert failure(ResourceNotFoundError, client.get_deleted_certificate, name)[0] == 404


def test_lists(client, name):
	first, second = make(client, name), make(client, name)
	ids = {each.id for each in client.list_properties_of_certificate_versions(name)}
	assert ids == {first.id, second.id}
	listed = [each for each in client.list_properties_of_certificates(max_page_size=2) if each.name == name]
	assert len(listed) == 1 and bytes(listed[0].x509_thumbprint) == bytes(second.properties.x509_thumbprint)


@pytest.mark.parametrize("kind", ["RSA 2048", "P-384"])
def test_import(client, name, kind):
	key, certificates = chain(kind)
	made = client.import_certificate(name, base64.b64decode(make_pfx(key, certificates, b"secret")), password="secret")
	assert bytes(made.cer) == certificates[0].public_bytes(serialization.Encoding.DER)
	made = client.import_certificate(name, pem_of(key, certificates).encode(), policy=CertificatePolicy(
	    issuer_name="Unknown", content_type=CertificateContentType.pem))
	assert made.policy.content_type == "application/x-pem-file"
	assert failure(HttpResponseError, client.import_certificate, name, b"nothing")[0] == 400


def test_merge(client, name):
	client.begin_create_certificate(name, policy(issuer_name=WellKnownIssuerNames.unknown), _polling_interval=1)
	request = x509.load_der_x509_csr(client.get_certificate_operation(name).csr)
	ca = new_key()
	leaf = issue(request.public_key(), "sdk.test", ca, "ca")
	der = leaf.public_bytes(serialization.Encoding.DER)
	assert bytes(client.merge_certificate(name, [der]).cer) == der


def test_backup_restore(client, name):
	made = make(client, name)
	blob = client.backup_certificate(name)
	client.begin_delete_certificate(name, _polling_interval=1).wait()
	client.purge_deleted_certificate(name)
	assert client.restore_certificate_backup(blob).id == made.id
