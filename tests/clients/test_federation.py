"""An outside issuer, as a Kubernetes cluster or a CI system is one: its tokens instead of secrets."""
import base64
import datetime
import hmac
import http.server
import json
import ssl
import threading
import time
import uuid

import jwt
import pytest
from azure.identity import WorkloadIdentityCredential
from azure.keyvault.secrets import SecretClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from strongroom import free_port, unique

SUBJECT = "system:serviceaccount:shop:web"
AUDIENCE = "api://AzureADTokenExchange"


class Issuer:
	"""A real HTTPS server with a discovery document and keys, under an authority of its own."""

	def __init__(self, folder):
		self.port = free_port()
		self.url = f"https://localhost:{self.port}/cluster"
		self.key = rsa.generate_private_key(65537, 2048)
		self.kid = "one"
		self.asked = 0
		self.ca = folder / "ca.pem"
		key = ec.generate_private_key(ec.SECP256R1())
		name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
		now = datetime.datetime.now(datetime.timezone.utc)
		certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
		    .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
		    .not_valid_after(now + datetime.timedelta(days=1))
		    .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
		    .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
		    .sign(key, hashes.SHA256()))
		self.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
		(folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM,
		    serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
		issuer = self

		class Handler(http.server.BaseHTTPRequestHandler):
			def do_GET(self):
				issuer.asked += 1
				body = json.dumps(issuer.document(self.path)).encode()
				self.send_response(200)
				self.send_header("Content-Type", "application/json")
				self.send_header("Content-Length", str(len(body)))
				self.end_headers()
				self.wfile.write(body)

			def log_message(self, *arguments):
				pass

		self.server = http.server.ThreadingHTTPServer(("localhost", self.port), Handler)
		context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		context.load_cert_chain(self.ca, folder / "key.pem")
		self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
		threading.Thread(target=self.server.serve_forever, daemon=True).start()

	def document(self, path):
		if path.endswith("openid-configuration"):
			return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
		key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
		return {"keys": [key | {"kid": self.kid, "use": "sig", "alg": "RS256"}]}

	def token(self, key=None, algorithm="RS256", headers=None, **claims):
		now = int(time.time())
		claims = {"iss": self.url, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 600,
		    "jti": str(uuid.uuid4())} | claims
		return jwt.encode(claims, key or self.key, algorithm, {"kid": self.kid} | (headers or {}))


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
	one = Issuer(tmp_path_factory.mktemp("issuer"))
	yield one
	one.server.shutdown()


@pytest.fixture(scope="module")
def place(issuer, tmp_path_factory):
	"""A server that trusts the issuer's certificates, and an application with an outside credential."""
	from strongroom import Server

	server = Server(tmp_path_factory.mktemp("federation"), options=("--federation-ca", issuer.ca)).start()
	workload = server.make_principal(secret=False)
	server.graph("POST", f"/applications/{workload.application['id']}/federatedIdentityCredentials", {
	    "name": "web", "issuer": issuer.url, "subject": SUBJECT, "audiences": [AUDIENCE]}).expect(201)
	principals = server.graph("GET", f"/servicePrincipals(appId='{workload.client_id}')").expect(200).json
	server.assign(principals["id"], "Key Vault Secrets Officer", server.scope("main"))
	yield server, workload
	server.stop()


def exchange(server, workload, token):
	import urllib.parse

	form = {"grant_type": "client_credentials", "client_id": workload.client_id,
	    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
	    "client_assertion": token, "scope": f"{server.resource}/.default"}
	return server.send("POST", server.host("login"), f"/{server.tenant}/oauth2/v2.0/token",
	    urllib.parse.urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"})


def test_workload_identity(place, issuer, tmp_path, monkeypatch):
	"""The library reads the token from a file, as a pod's."""
	server, workload = place
	path = tmp_path / "token"
	path.write_text(issuer.token() + "\n")
	monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.env["REQUESTS_CA_BUNDLE"])
	credential = WorkloadIdentityCredential(tenant_id=server.tenant, client_id=workload.client_id,
	    token_file_path=str(path), authority=f"https://login.localhost:{server.port}", disable_instance_discovery=True)
	client = SecretClient(server.url("main"), credential)
	client.set_secret("by-workload", "no secret anywhere")
	assert server.vault("main").value("by-workload") == "no secret anywhere"


@pytest.mark.parametrize("claims", ({"sub": "system:serviceaccount:shop:other"}, {"aud": "api://other"},
    {"sub": SUBJECT.upper()}, {"exp": 1}, {"nbf": 4102444800}, {"aud": []}, {"sub": ""}))
def test_other_claims(place, issuer, claims):
	server, workload = place
	reply = exchange(server, workload, issuer.token(**claims))
	assert reply.status in (400, 401) and "access_token" not in reply.json, reply


def test_other_keys(place, issuer):
	server, workload = place
	other = rsa.generate_private_key(65537, 2048)
	public = issuer.key.public_key().public_bytes(serialization.Encoding.DER,
	    serialization.PublicFormat.SubjectPublicKeyInfo)
	head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": issuer.kid}).encode()).rstrip(b"=")
	none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=")
	signed = head + b"." + issuer.token().split(".")[1].encode()
	confused = signed + b"." + base64.urlsafe_b64encode(hmac.digest(public, signed, "sha256")).rstrip(b"=")
	for token in (issuer.token(key=other), issuer.token(key=other, headers={"kid": "two"}),
	    confused.decode(), signed.replace(head, none).decode() + ".",
	    issuer.token(iss=issuer.url + "/"), issuer.token(iss=issuer.url.replace("localhost", "LOCALHOST")),
	    issuer.token(iss="https://169.254.169.254/cluster")):
		reply = exchange(server, workload, token)
		assert reply.status in (400, 401) and "access_token" not in reply.json, reply


def test_keys_are_kept(place, issuer):
	server, workload = place
	exchange(server, workload, issuer.token()).expect(200)
	asked = issuer.asked
	for _ in range(5):
		exchange(server, workload, issuer.token()).expect(200)
	assert issuer.asked == asked


def test_trusted_whole(place, issuer):
	"""Its tokens are good at the vault itself, for the one they name; until the trust ends."""
	server, workload = place
	path = f"/providers/Strongroom.Identity/trustedIssuers/{unique('cluster')}"
	token = issuer.token(aud=AUDIENCE)
	vault = server.vault("main")
	vault.request("GET", "/secrets", token=token).expect(401)
	made = server.manage("PUT", path, {"properties": {"issuer": issuer.url, "audiences": [AUDIENCE]}})
	assert made.status in (200, 201), made
	deadline = time.monotonic() + 20
	while vault.request("GET", "/secrets", token=token).status == 401 and time.monotonic() < deadline:
		time.sleep(0.1)  # its keys are fetched behind the first request
	vault.request("GET", "/secrets", token=token).expect(200)
	vault.request("GET", "/secrets", token=issuer.token(sub="somebody:else")).expect(401)
	stranger = server.make_principal()
	server.manage("PUT", path, {"properties": {"issuer": issuer.url, "audiences": [AUDIENCE]}},
	    principal=stranger).expect(403)
	reply = server.manage("DELETE", path)
	assert reply.status in (200, 204)
	vault.request("GET", "/secrets", token=token).expect(401)
