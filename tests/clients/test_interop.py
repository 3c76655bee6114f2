"""Every client × key type × algorithm × direction of matrix.py, against one server with a token behind it."""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import interop_openssl
import matrix
from hsm import Token, premium
from keys import b64, ec_jwk, ec_key, rsa_jwk, rsa_key
from strongroom import ROOT, Server

HERE, CACHE = Path(__file__).parent, ROOT / ".cache"
USER = [f"Microsoft.KeyVault/vaults/keys/{verb}/action" for verb in ("encrypt", "decrypt", "wrap", "unwrap", "sign", "verify")]
OPS = {"sign": ["sign", "verify"], "encrypt": ["encrypt", "decrypt"], "wrap": ["wrapKey", "unwrapKey"]}


@pytest.fixture(scope="module")
def one(tmp_path_factory):
	token = Token(tmp_path_factory.mktemp("token"))
	server = Server(tmp_path_factory.mktemp("interop"), options=token.options, environment=token.environment).start()
	yield server
	server.stop()


def key_for(kind):
	"""What a client makes a key of: its JWK and private key, or a length."""
	family, size = kind.split(" ")
	uses = matrix.TYPES[kind]
	key = {"type": kind, "name": kind.replace(" ", "-"), "hsm": family.endswith("-HSM"), "uses": uses,
	    "ops": [op for use in uses if uses[use] for op in OPS[use]]}
	if family.startswith("oct"):
		return {**key, "bits": int(size)}
	private = rsa_key(int(size)) if family.startswith("RSA") else ec_key(size)
	jwk = rsa_jwk(private) if family.startswith("RSA") else ec_jwk(private, size)
	pem, der = (private.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption()) for encoding in (Encoding.PEM, Encoding.DER))
	return {**key, "jwk": jwk, "pem": pem.decode(), "pkcs8": b64(der)}


@pytest.fixture(scope="module")
def plan(one, tmp_path_factory):
	"""What there is to do, who does it and where; a user may use keys but not read them."""
	premium(one)
	user, role = one.make_principal(), str(uuid.uuid4())
	one.manage("PUT", f"{one.scope()}/providers/Microsoft.Authorization/roleDefinitions/{role}",
	    {"properties": {"roleName": "use", "type": "CustomRole", "assignableScopes": [one.scope()],
	        "permissions": [{"actions": [], "notActions": [], "dataActions": USER, "notDataActions": []}]}}).expect(201)
	one.assign(user, role, one.scope())
	plan = {"vault": one.url("premium"), "authority": f"https://{one.host('login')}", "tenant": one.tenant,
	    **{name: {"id": each.client_id, "secret": each.secret} for name, each in (("admin", one.admin), ("user", user))},
	    "keys": [key_for(kind) for kind in matrix.TYPES]}
	path = tmp_path_factory.mktemp("plan") / "plan.json"
	path.write_text(json.dumps(plan))
	return path


def trust_store(one, folder):
	"""Java's own way to trust one more authority."""
	store = folder / "trust.p12"
	subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "strongroom", "-file", one.env["STRONGROOM_CA"],
	    "-keystore", store, "-storetype", "PKCS12", "-storepass", "changeit"], check=True, capture_output=True)
	return store


@pytest.fixture(scope="module")
def lines(one, plan, tmp_path_factory):
	"""Client -> its lines; two run at a time."""
	folder = tmp_path_factory.mktemp("trust")
	ca = one.env["STRONGROOM_CA"]
	store = trust_store(one, folder)
	commands = {
		"python": ([sys.executable, HERE / "interop_python.py"], {"REQUESTS_CA_BUNDLE": ca}),
		"node": (["node", HERE / "interop.mjs"], {"NODE_EXTRA_CA_CERTS": ca}),
		"go": ([CACHE / "interop-go" / "interop"], {"SSL_CERT_FILE": ca}),
		"java": (["java", f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit",
		    "-cp", f"{CACHE / 'interop-java' / 'classes'}:{CACHE / 'interop-java' / 'lib'}/*", "Interop"], {}),
	}

	def run(client):
		if client == "openssl":
			made = interop_openssl.run(one.vault("premium"), json.loads(plan.read_text()), folder)
			return [line.split("\t") for line in made]
		command, environment = commands[client]
		done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280,
		    env={"PATH": f"{CACHE / 'venv' / 'bin'}:{os.environ['PATH']}", "HOME": str(folder), "INTEROP_PLAN": str(plan),
		        **environment})
		assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-4000:]
		return [line.split("\t") for line in done.stdout.splitlines()]

	with concurrent.futures.ThreadPoolExecutor(2) as pool:
		runs = {client: pool.submit(run, client) for client in matrix.CLIENTS}
	return lambda client: runs[client].result()


@pytest.mark.parametrize("kind", matrix.TYPES)
@pytest.mark.parametrize("client", matrix.CLIENTS)
def test_cells(lines, client, kind):
	mine = [line for line in lines(client) if line[1] == kind]
	assert [line for line in mine if line[0] != client or line[5] != "ok"] == []
	did = [tuple(line[1:5]) for line in mine]
	assert sorted(did) == sorted(matrix.expected(client, kind))


@pytest.mark.parametrize("what", matrix.LIFE)
@pytest.mark.parametrize("client", ["go", "java"])
def test_life(lines, client, what):
	assert [line[2:] for line in lines(client) if line[1] == what] == [["life", step, "", "ok"] for step in matrix.LIFE[what]]


@pytest.mark.parametrize("client", matrix.CLIENTS)
def test_nothing_else(lines, client):
	assert {line[1] for line in lines(client)} <= {*matrix.TYPES, *matrix.LIFE}


# The page

PAGE = ROOT / "docs" / "interop.md"


def block(heading, language):
	section = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
	(found,) = re.findall(rf"```{language}\n(.*?)```", section, re.S)
	return found


def test_table_of_the_page():
	"""docs/interop.md says what is tested here: matrix.py prints its table."""
	assert matrix.table() in PAGE.read_text()


def follow(one, folder, script, **environment):
	"""What a newcomer's shell prints after `. .strongroom/env`."""
	done = subprocess.run(["bash", "-ec", script], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
	    timeout=280, env={"PATH": os.environ["PATH"], "HOME": str(folder), **one.env, **environment})
	assert done.returncode == 0, done.stderr
	return done.stdout


def test_go_of_the_page(one, tmp_path):
	for name in ("go.mod", "go.sum"):
		shutil.copy(ROOT / "tests" / "interop" / "go" / name, tmp_path)
	(tmp_path / "main.go").write_text(block("Go", "go"))
	said = follow(one, tmp_path, f"{block('Go', 'sh')}\n{CACHE}/go/bin/go run .", GOTOOLCHAIN="local", GOMODCACHE=str(CACHE / "go-modules"),
	    GOCACHE=str(CACHE / "go-build"), GOFLAGS="-modcacherw")
	assert said == "64 bytes by go\n"


def test_java_of_the_page(one, tmp_path):
	(tmp_path / "Example.java").write_text(block("Java", "java"))
	said = follow(one, tmp_path, f"{block('Java', 'sh')}\njava -cp '{CACHE}/interop-java/lib/*' Example.java")
	assert said == "64 bytes by java\n"
