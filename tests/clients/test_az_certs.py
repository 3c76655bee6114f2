"""The az command for certificates, as its users type it; what the documents print, as it is printed."""
import base64
import subprocess

import pytest

from az import az_for
from certs import chain, make_pfx, pem_of
from strongroom import unique

CREATE = """\
az keyvault certificate create \\
--vault-name az-cli \\
--name internal-api-cert \\
--policy '{
"issuerParameters": { "name": "Self" },
"keyProperties": {
"exportable": true,
"keySize": 2048,
"keyType": "RSA",
"reuseKey": false
},
"secretProperties": {
"contentType": "application/x-pkcs12"
},
"x509CertificateProperties": {
"subject": "CN=api.internal.contoso.com",
"subjectAlternativeNames": {
"dnsNames": [
"api.internal.contoso.com",
"*.api.internal.contoso.com"
]
},
"validityInMonths": 12,
"keyUsage": ["digitalSignature", "keyEncipherment"]
},
"lifetimeActions": [
{
"trigger": { "daysBeforeExpiry": 30 },
"action": { "actionType": "AutoRenew" }
}
]
}'
"""

IMPORT = """\
az keyvault certificate import \\
--vault-name az-cli \\
--name wildcard-cert \\
--file ./wildcard-contoso.pfx \\
--password "PfxPassword123"
"""

DIGICERT = """\
az keyvault certificate create \\
--vault-name az-cli \\
--name public-api-cert \\
--policy '{
"issuerParameters": {
"name": "DigiCertIssuer",
"certificateType": "OV-SSL"
},
"keyProperties": {
"exportable": true,
"keySize": 2048,
"keyType": "RSA"
},
"x509CertificateProperties": {
"subject": "CN=api.contoso.com",
"validityInMonths": 12
},
"lifetimeActions": [
{
"trigger": { "daysBeforeExpiry": 60 },
"action": { "actionType": "AutoRenew" }
},
{
"trigger": { "daysBeforeExpiry": 30 },
"action": { "actionType": "EmailContacts" }
}
]
}'
"""

LIST = """\
az keyvault certificate list \\
--vault-name az-cli \\
--query '[].{name:name, expires:attributes.expires, enabled:attributes.enabled}' \\
--output table
"""

BACKUP = """\
az keyvault certificate backup \\
--vault-name az-cli \\
--name wildcard-cert \\
--file ./backups/wildcard-cert.backup
"""


@pytest.fixture(scope="module")
def az(shared, tmp_path_factory):
	return az_for(shared, tmp_path_factory.mktemp("az"))


def certificate(az, verb, *arguments):
	return az("keyvault", "certificate", verb, "--vault-name", "az-cli", *arguments)


def test_documents(az, tmp_path):
	key, certificates = chain("RSA 2048", "*.contoso.com")
	(tmp_path / "backups").mkdir()
	(tmp_path / "wildcard-contoso.pfx").write_bytes(base64.b64decode(make_pfx(key, certificates, b"PfxPassword123")))
	for script in (CREATE, IMPORT, LIST, BACKUP):
		done = az.shell(f"cd {tmp_path}\n{script}")
		assert done.returncode == 0, done.stderr
		if script is LIST:
			assert "wildcard-cert" in done.stdout and "internal-api-cert" in done.stdout
	made = certificate(az, "show", "-n", "internal-api-cert")
	assert made["policy"]["x509CertificateProperties"]["subject"] == "CN=api.internal.contoso.com"
	assert made["policy"]["lifetimeActions"][0]["trigger"]["daysBeforeExpiry"] == 30
	assert (tmp_path / "backups" / "wildcard-cert.backup").stat().st_size > 1000


def test_documents_digicert(az, shared):
	"""Nobody here asks DigiCert: the operation says so, and there is no certificate."""
	done = az.shell(DIGICERT)
	assert done.returncode != 0 and "Issuer DigiCertIssuer not found" in done.stderr, done
	assert "public-api-cert" not in [each["name"] for each in certificate(az, "list", "--include-pending")]
	az("keyvault", "certificate", "issuer", "create", "--vault-name", "az-cli", "--issuer-name", "DigiCertIssuer",
	    "--provider-name", "DigiCert", "--account-id", "1", "--password", "2")
	az.shell(DIGICERT)  # az 2 can't show a failed operation: its SDK looks for an error in every error, without end
	operation = az("rest", "--url", f"{shared.url('az-cli')}/certificates/public-api-cert/pending?api-version=7.4", "--resource", shared.resource)
	assert operation["issuer"] == {"name": "DigiCertIssuer", "cty": "OV-SSL"} and operation["csr"]
	assert operation["status"] == "failed" and operation["error"] == {"code": "Certificate issuer error",
	    "message": "The issuer's provider could not be reached from here."}
	assert "public-api-cert" not in [each["name"] for each in certificate(az, "list")]
	made = certificate(az, "show", "-n", "public-api-cert")
	assert made["attributes"]["enabled"] is False and made["kid"] is made["sid"] is None
	actions = made["policy"]["lifetimeActions"]
	assert [(each["trigger"]["daysBeforeExpiry"], each["action"]["actionType"]) for each in actions] == [(60, "AutoRenew"), (30, "EmailContacts")]


def test_life(az, tmp_path):
	name, file = unique("az"), tmp_path / "file"
	key, certificates = chain()
	file.write_text(pem_of(key, certificates))
	made = certificate(az, "import", "-n", name, "-f", file)
	certificate(az, "download", "-n", name, "-f", tmp_path / "out.pem")
	assert b"leaf.test" in subprocess.run(["openssl", "x509", "-in", tmp_path / "out.pem", "-noout", "-subject"],
	    capture_output=True, check=True).stdout
	certificate(az, "backup", "-n", name, "-f", tmp_path / "blob")
	certificate(az, "set-attributes", "-n", name, "--enabled", "false", "--tags", "a=b")
	assert certificate(az, "show", "-n", name)["tags"] == {"a": "b"}
	certificate(az, "set-attributes", "-n", name, "--enabled", "true")
	az("keyvault", "secret", "download", "--vault-name", "az-cli", "-n", name, "-f", tmp_path / "secret.pem")
	assert (tmp_path / "secret.pem").read_text() == pem_of(key, certificates)
	certificate(az, "delete", "-n", name)
	assert name in [each["name"] for each in certificate(az, "list-deleted")]
	assert certificate(az, "recover", "-n", name)["id"] == made["id"]
	certificate(az, "delete", "-n", name)
	certificate(az, "purge", "-n", name)
	assert certificate(az, "restore", "-f", tmp_path / "blob")["id"] == made["id"]
