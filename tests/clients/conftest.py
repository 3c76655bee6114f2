"""One server for the whole session, and private ones for tests that stop them or move their clock."""
import datetime
import os

import pytest
from azure.identity import CertificateCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import strongroom
from hsm import Token
from pebble import Pebble
from strongroom import Principal, Server, claims

VAULTS = ("main", "other", "protected", "short", "lists", "sdk", "node-sdk", "az-cli", "access",
    "access-two", "rows", "schema",
    "cert-lists", "cert-copies", "cert-hostile")

# What a developer's shell may have set, and azure-identity would act upon.
FOREIGN = ("AZURE_", "IDENTITY_", "MSI_", "IMDS_", "KEYVAULT_", "STRONGROOM_")


def pytest_sessionstart():
	if not strongroom.BINARY.exists():
		pytest.exit(f"no server at {strongroom.BINARY}: build it, or set STRONGROOM_BINARY", 1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
	report = yield
	if report.failed:
		for server in strongroom.running:
			if said := server.tail():
				report.sections.append((f"server log ({server.log})", said))
	return report


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
	"""The session's server.  Its environment is this process's, as after `. DIR/env`."""
	server = Server(tmp_path_factory.mktemp("shared"), VAULTS,
	    ("--purge-protection", "protected", "--retention", "short=7"))
	server.start()
	patch = pytest.MonkeyPatch()
	for name in list(os.environ):
		if name.startswith(FOREIGN) and name != "STRONGROOM_BINARY":
			patch.delenv(name)
	for name, value in server.env.items():
		patch.setenv(name, value)
	yield server
	patch.undo()
	server.stop()


@pytest.fixture(autouse=True)
def alive(request):
	"""A test that kills the shared server fails; the others don't."""
	yield
	if "shared" in request.fixturenames:
		shared = request.getfixturevalue("shared")
		code = shared.process.poll()
		if code is not None:
			said = "\n".join(shared.faults()[-2:]) or shared.tail()
			shared.forget_connections()
			shared.start()
			pytest.fail(f"the server died with exit code {code}:\n{said}")


@pytest.fixture
def server(tmp_path_factory):
	"""Make private servers: server(vaults=…, options=…), started."""
	made = []

	def make(*arguments, **options):
		one = Server(tmp_path_factory.mktemp("private"), *arguments, **options)
		made.append(one)
		return one.start()

	yield make
	for one in made:
		if one.process and one.process.poll() is None:
			one.stop()
		assert not one.faults(), "\n".join(one.faults())


@pytest.fixture(scope="session")
def principal(shared):
	"""Make principals on the shared server: principal(("role", scope), …)."""

	def make(*roles, **options):
		one = shared.make_principal(**options)
		for role, scope in roles:
			shared.assign(one, role, scope)
		return one

	return make


@pytest.fixture(scope="session")
def main(shared):
	return shared.vault("main")


@pytest.fixture(scope="session")
def other(shared):
	return shared.vault("other")


@pytest.fixture(scope="module")
def tenants(tmp_path_factory):
	"""A server with two tenants: the first one's administrator and the other's."""
	server = Server(tmp_path_factory.mktemp("tenants"), ("mine",)).start()
	server.stop()
	done = server.cli("tenant", "create", "Other")
	assert done.returncode == 0, done.stderr
	said = dict(line.removeprefix("export ").replace("'", "").split("=", 1) for line in done.stdout.splitlines()
	    if line.startswith("export "))
	server.start()
	foreign = Principal(server, said["AZURE_CLIENT_ID"], said["AZURE_CLIENT_SECRET"])
	tenant = said["STRONGROOM_TENANT"]
	foreign.sign_in_home, foreign.sign_in = foreign.sign_in, lambda scope: Principal.sign_in(foreign, scope, tenant)
	yield server, foreign, said
	server.stop()


@pytest.fixture(scope="session")
def certified(shared, tmp_path_factory):
	"""A principal that signs in with a certificate; its .pem holds the key and the certificate."""
	key = rsa.generate_private_key(65537, 2048)
	subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "robot")])
	now = datetime.datetime.now(datetime.timezone.utc)
	certificate = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
	    .public_key(key.public_key()).serial_number(x509.random_serial_number())
	    .not_valid_before(now - datetime.timedelta(days=1))
	    .not_valid_after(now + datetime.timedelta(days=30)).sign(key, hashes.SHA256()))
	robot = shared.make_principal(secret=False,
	    certificate=certificate.public_bytes(serialization.Encoding.DER))
	robot.pem = tmp_path_factory.mktemp("certificate") / "robot.pem"
	robot.pem.write_bytes(key.private_bytes(serialization.Encoding.PEM,
	    serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
	    + certificate.public_bytes(serialization.Encoding.PEM))
	credential = CertificateCredential(shared.tenant, robot.client_id, str(robot.pem),
	    disable_instance_discovery=True)
	object_id = claims(credential.get_token(f"{shared.resource}/.default").token)["oid"]
	for vault in ("sdk", "node-sdk"):
		shared.assign(object_id, "Key Vault Secrets Officer", shared.scope(vault))
	return robot


@pytest.fixture
def token(tmp_path):
	return Token(tmp_path)


@pytest.fixture
def pebble(tmp_path):
	"""Makes ACME servers."""
	made = []

	def make(**options):
		made.append(Pebble(tmp_path / f"pebble-{len(made)}", **options))
		return made[-1].start()

	yield make
	for each in made:
		each.stop()
