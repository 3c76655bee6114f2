"""Whose tokens are taken, and how they are had."""
import base64
import hashlib
import hmac
import json
import re
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from strongroom import GUID, claims

@pytest.fixture(scope="module")
def keys(shared):
	reply = shared.send("GET", shared.host("login"), f"/{shared.tenant}/discovery/v2.0/keys").expect(200)
	return reply.json["keys"]


def b64(data):
	return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def refused(vault, token, pattern="AKV"):
	reply = vault.get("/secrets", token=token).expect(401, "Unauthorized")
	assert reply.header("WWW-Authenticate").startswith("Bearer authorization=")
	assert re.match(pattern, reply.error["message"]), reply.error["message"]
	return reply


def test_token_claims(shared):
	said = claims(shared.admin.token())
	assert said["tid"] == shared.tenant
	assert said["appid"] == shared.env["AZURE_CLIENT_ID"]
	assert said["aud"] == shared.resource
	assert said["iss"].endswith(f"/{shared.tenant}/")
	assert said["idtyp"] == "app" and re.fullmatch(GUID, said["oid"])
	assert said["nbf"] <= time.time() < said["exp"]


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "..", "a.b.c.d", "e30.e30.e30", "x" * 5000, "é", "a b c"])
def test_token_garbage(main, token):
	main.get("/secrets", headers={"Authorization": f"Bearer {token}".encode().decode("latin-1")}, token=False
	    ).expect(401, "Unauthorized")


def test_token_unsigned(main, shared):
	payload = shared.admin.token().split(".")[1]
	for algorithm in ("none", "None", "NONE", "nOnE", ""):
		header = b64(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
		refused(main, f"{header}.{payload}.")
		refused(main, f"{header}.{payload}.AAAA")
	original = shared.admin.token().split(".")
	refused(main, f"{original[0]}.{original[1]}.")


def test_token_signed_with_the_public_key(main, shared, keys):
	"""The public key is no HMAC secret."""
	header = jwt.get_unverified_header(shared.admin.token())
	key = next(key for key in keys if key["kid"] == header["kid"])
	public = jwt.PyJWK(key).key
	for secret in (public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
	    public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
	    key["n"].encode()):
		signed = b64(json.dumps({**header, "alg": "HS256"}).encode()) + "." + shared.admin.token().split(".")[1]
		refused(main, f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}")


def test_token_of_another_key(main, shared):
	"""With our key's name, with its own key inside, and with an unknown name."""
	key = rsa.generate_private_key(65537, 2048)
	header = jwt.get_unverified_header(shared.admin.token())
	said = claims(shared.admin.token())
	public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
	for headers in ({"kid": header["kid"]}, {"kid": "nobody's"}, {"kid": header["kid"], "jwk": public}, {}):
		refused(main, jwt.encode(said, key, "RS256", headers=headers))
	refused(main, jwt.encode({**said, "exp": int(time.time()) - 3600}, key, "RS256", headers={"kid": header["kid"]}))
	refused(main, jwt.encode({**said, "iss": "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/"}, key,
	    "RS256", headers={"kid": header["kid"]}))


def test_token_changed(main, shared, principal):
	header, payload, signature = shared.admin.token().split(".")
	other = principal().token().split(".")
	refused(main, f"{header}.{payload}.{other[2]}")
	refused(main, f"{header}.{other[1]}.{signature}")
	longer = {**claims(shared.admin.token()), "exp": int(time.time()) + 10 ** 6}
	refused(main, f"{header}.{b64(json.dumps(longer).encode())}.{signature}")
	refused(main, f"{header}.{payload}.{signature[:-6]}")
	refused(main, f"{header}.{payload}.{signature}AAAA")
	main.get("/secrets").expect(200)


def test_token_of_another_installation(main, server):
	refused(main, server(vaults=["main"]).admin.token())


def test_token_for_another_audience(main, shared):
	for resource in (shared.management, f"https://graph.localhost:{shared.port}"):
		reply = refused(main, shared.admin.token(resource), "AKV10022: Invalid audience. Expected ")
		assert reply.error["message"].endswith(f"found: {resource}.")
		assert shared.resource in reply.error["message"]


def test_vault_token_elsewhere(main, shared):
	headers = {"Authorization": f"Bearer {shared.admin.token()}"}
	for label, target in (("management", "/subscriptions?api-version=2022-12-01"), ("graph", "/v1.0/applications")):
		assert shared.send("GET", shared.host(label), target, None, headers).status == 401


def test_token_for_the_vaults_application_id(main, shared):
	token = shared.admin.token("cfa8b339-82a2-471a-a3c9-0fc0be7a4093")
	main.get("/secrets", token=token).expect(200)


def test_token_in_any_case_of_bearer(main, shared):
	for scheme in ("bearer", "BEARER"):
		main.get("/secrets", token=False, headers={"Authorization": f"{scheme} {shared.admin.token()}"}).expect(200)


# The authority

def test_discovery(shared):
	for tenant in (f"{shared.tenant}/v2.0", "adfs", f"{shared.tenant}", "common/v2.0", "organizations/v2.0"):
		found = shared.send("GET", shared.host("login"), f"/{tenant}/.well-known/openid-configuration").expect(200).json
		for member in ("issuer", "token_endpoint", "authorization_endpoint", "jwks_uri"):
			assert found[member].startswith("https://login.localhost:"), member
			assert str(shared.port) in found[member]


@pytest.mark.parametrize("change, status, code", [
	({"client_secret": "wrong"}, 401, 7000215), ({"client_id": str(uuid.uuid4())}, 400, 700016),
	({"grant_type": "nonsense"}, 400, None), ({"scope": None}, 400, None), ({"client_secret": None}, 401, None),
	({"grant_type": None}, 400, None),
], ids=str)
def test_token_refusals(shared, change, status, code):
	form = {"grant_type": "client_credentials", "client_id": shared.env["AZURE_CLIENT_ID"],
	    "client_secret": shared.env["AZURE_CLIENT_SECRET"], "scope": f"{shared.resource}/.default", **change}
	body = "&".join(f"{name}={value}" for name, value in form.items() if value is not None).encode()
	reply = shared.send("POST", shared.host("login"), f"/{shared.tenant}/oauth2/v2.0/token", body,
	    {"Content-Type": "application/x-www-form-urlencoded"})
	assert reply.status in (400, 401)
	error = reply.json
	assert {"error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id"} <= set(error)
	assert error["error_description"].startswith(f"AADSTS{error['error_codes'][0]}: ")
	if code:
		assert (reply.status, error["error_codes"]) == (status, [code])


def test_unknown_tenant(shared):
	reply = shared.admin.sign_in(f"{shared.resource}/.default", tenant=str(uuid.uuid4()))
	assert reply.status == 400 and reply.json["error_codes"] == [90002]
