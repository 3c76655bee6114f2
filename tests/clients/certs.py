"""Certificates in tests: making them, waiting for them, and files to import."""
import base64
import datetime
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

SELF = {"x509_props": {"subject": "CN=example.test"}, "issuer": {"name": "Self"},
    "key_props": {"kty": "EC", "crv": "P-256"}}
PFX, PEM = "application/x-pkcs12", "application/x-pem-file"
IN_PROGRESS = ("Pending certificate created. Certificate request is in progress. This may take some time based on "
    "the issuer provider. Please check again later.")
TO_MERGE = "Pending certificate created. Please Perform Merge to complete the request."


def merged(base, **sections):
	"""A policy with some of its sections' members changed."""
	result = {name: dict(value) for name, value in base.items()}
	for name, members in sections.items():
		if isinstance(members, dict):
			result.setdefault(name, {}).update(members)
		else:
			result[name] = members
	return result


def begin(vault, name, policy=SELF, **body):
	return vault.post(f"/certificates/{name}/create", {"policy": policy, **body}).expect(202)


def wait(vault, name, status="completed", seconds=30):
	until = time.monotonic() + seconds
	while True:
		pending = vault.get(f"/certificates/{name}/pending").expect(200).json
		if pending["status"] != "inProgress" or time.monotonic() > until:
			assert pending["status"] == status, pending
			return pending
		time.sleep(0.2)


def create(vault, name, policy=SELF, **body):
	begin(vault, name, policy, **body)
	wait(vault, name)
	return vault.get(f"/certificates/{name}").expect(200).json


def leaf_of(bundle):
	return x509.load_der_x509_certificate(base64.b64decode(bundle["cer"]))


def csr_of(pending):
	return x509.load_der_x509_csr(base64.b64decode(pending["csr"]))


def pfx_of(secret, password=None):
	"""What is in a certificate's secret: key, certificate, others."""
	assert secret["contentType"] == PFX
	return pkcs12.load_key_and_certificates(base64.b64decode(secret["value"]), password)


def spki(key):
	return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def new_key(kind="P-256"):
	if kind.startswith("RSA"):
		return rsa.generate_private_key(65537, int(kind[4:]))
	return ec.generate_private_key({"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1,
	    "P-256K": ec.SECP256K1}[kind]())


def name_of(text):
	return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def issue(public, subject, key, issuer=None, ca=False, days=90, start=None, more=()):
	"""A certificate of ${public}, signed by ${key}."""
	now = start or datetime.datetime.now(datetime.timezone.utc)
	built = (x509.CertificateBuilder().subject_name(name_of(subject)).issuer_name(name_of(issuer or subject))
	    .public_key(public).serial_number(x509.random_serial_number())
	    .not_valid_before(now - datetime.timedelta(minutes=10)).not_valid_after(now + datetime.timedelta(days=days))
	    .add_extension(x509.BasicConstraints(ca, None), True))
	for extension in more:
		built = built.add_extension(extension, False)
	return built.sign(key, hashes.SHA256())


def chain(kind="P-256", subject="leaf.test"):
	"""A key with its certificate, the intermediate's and the root's."""
	root, middle, key = new_key(), new_key(), new_key(kind)
	return key, [issue(key.public_key(), subject, middle, "middle"),
	    issue(middle.public_key(), "middle", root, "root", ca=True),
	    issue(root.public_key(), "root", root, ca=True)]


def pem_of(key, certificates):
	return "".join([key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
	    serialization.NoEncryption()).decode()] if key else []) + "".join(
	    each.public_bytes(serialization.Encoding.PEM).decode() for each in certificates)


def make_pfx(key, certificates, password=b""):
	how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
	return base64.b64encode(pkcs12.serialize_key_and_certificates(b"x", key, certificates[0], certificates[1:],
	    how)).decode()


def der(certificate):
	return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
