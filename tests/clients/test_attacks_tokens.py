"""Tokens that lie in their head: signed rightly by an issuer that is trusted (so that nothing but the lie is wrong), by its
keys in other roles, or by keys that the token brings along.  At the vault, and where tokens are changed for tokens."""
import base64
import json
import time
import urllib.parse
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from strongroom import Server, claims
from test_attacks_strangers import trusting  # noqa: F401: a fixture
from test_federation import AUDIENCE, SUBJECT, Issuer, issuer  # noqa: F401: a fixture


def b64(data):
	if not isinstance(data, (bytes, str)):
		data = json.dumps(data)
	return base64.urlsafe_b64encode(data.encode() if isinstance(data, str) else data).rstrip(b"=").decode()


def payload(issuer, **more):  # noqa: F811
	now = int(time.time())
	return {"iss": issuer.url, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 600,
	    "jti": str(uuid.uuid4())} | more


def signed(issuer, head, body, key=None):  # noqa: F811
	"""RS256 over exactly these texts."""
	text = f"{b64(head)}.{b64(body)}"
	return f"{text}.{b64((key or issuer.key).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def refused(server, token):
	reply = server.vault("main").get("/secrets", token=token).expect(401, "Unauthorized")
	assert reply.header("WWW-Authenticate").startswith("Bearer authorization=")
	assert len(reply.body) < 2000


def head_of(issuer, **more):  # noqa: F811
	return {"alg": "RS256", "typ": "JWT", "kid": issuer.kid} | more


@pytest.fixture(autouse=True)
def still_trusted(request):
	"""Nothing is refused because the issuer itself is in disgrace, or its keys are gone."""
	yield
	if "trusting" in request.fixturenames:
		server, one = request.getfixturevalue("trusting"), request.getfixturevalue("issuer")
		server.vault("main").get("/secrets", token=signed(one, head_of(one), payload(one))).expect(200)


def test_the_forger_is_able(trusting, issuer):  # noqa: F811
	"""What all the others are one change away from."""
	exchanged(trusting, signed(issuer, head_of(issuer), payload(issuer))).expect(200)
	trusting.vault("main").get("/secrets", token=signed(issuer, head_of(issuer), payload(issuer))).expect(200)
	for typ in ("jwt", "at+jwt", "AT+JWT"):
		trusting.vault("main").get("/secrets", token=signed(issuer, head_of(issuer, typ=typ), payload(issuer))).expect(200)


LIES = [
	{"alg": "none"}, {"alg": "None"}, {"alg": "nOnE"}, {"alg": ""}, {"alg": None}, {"alg": ["RS256"]},
	{"alg": {"alg": "RS256"}}, {"alg": "RS256 "}, {"alg": "rs256"},
	{"alg": "RS256\0"}, {"alg": "HS256"}, {"alg": "HS384"}, {"alg": "HS512"}, {"alg": "RS1"}, {"alg": "MD5"},
	{"alg": "ES256"}, {"alg": "EdDSA"}, {"alg": "RSA1_5"}, {"alg": "dir"},
	{"alg": "RS384"}, {"alg": "RS512"}, {"alg": "PS256"}, {"alg": "A" * 5000},
	{"kid": "../../../../etc/passwd"}, {"kid": "/dev/null"}, {"kid": "' OR '1'='1"}, {"kid": "one' UNION SELECT 'x"},
	{"kid": "one\0"}, {"kid": "one\0two"}, {"kid": "ONE"}, {"kid": " one"},
	{"kid": "one/"}, {"kid": "|id"}, {"kid": "$(id)"}, {"kid": "%6fne"}, {"kid": "x" * 6000}, {"kid": ["one"]},
	{"kid": {"kid": "one"}}, {"kid": 1}, {"kid": True},
	{"kid": "https://evil.example/keys"}, {"kid": "{{7*7}}"}, {"kid": "\u202eeno"}, {"kid": "%s%n%n%n"},
	{"crit": ["exp"]}, {"crit": []}, {"crit": ["b64"], "b64": False}, {"crit": "x"}, {"crit": ["x"], "x": 1}, {"crit": None},
	{"typ": "JWE"}, {"typ": "JOSE"}, {"typ": "dpop+jwt"}, {"typ": "logout+jwt"}, {"typ": "secevent+jwt"},
	{"typ": "id_token"}, {"typ": ["JWT"]}, {"typ": 1},
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: str(lie)[:60])
def test_lies(trusting, issuer, lie):  # noqa: F811
	head = head_of(issuer, **lie)
	refused(trusting, signed(issuer, head, payload(issuer)))
	if "alg" in lie:
		token = signed(issuer, head, payload(issuer)).rsplit(".", 1)[0]
		for signature in ("", "AA", "AAAA"):
			refused(trusting, f"{token}.{signature}")


def test_no_key_of_the_tokens_own(trusting, issuer):  # noqa: F811
	"""Keys, certificates and addresses in the head are not looked at: neither alone nor beside a good name."""
	mine = rsa.generate_private_key(65537, 2048)
	public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(mine.public_key())) | {"kid": issuer.kid}
	asked = issuer.asked
	for brought in ({"jwk": public}, {"jku": f"https://localhost:{trusting.port}/keys"},
	    {"jku": "https://169.254.169.254/latest"}, {"jku": "file:///etc/passwd"},
	    {"x5u": "https://evil.example/x"}, {"x5c": [base64.b64encode(b"0" * 300).decode()]}, {"x5t": "AAAA"},
	    {"x5t#S256": "AAAA"}, {"jwk": {"kty": "oct", "k": "AAAA"}}):
		for kid in ({}, {"kid": "mine"}):
			refused(trusting, signed(issuer, head_of(issuer, **brought) | kid, payload(issuer), mine))
		nameless = {name: value for name, value in head_of(issuer, **brought).items() if name != "kid"}
		refused(trusting, signed(issuer, nameless, payload(issuer), mine))
	assert issuer.asked - asked <= 1, "nobody is asked for keys at a stranger's word"


def test_encodings(trusting, issuer):  # noqa: F811
	"""One spelling of a token: no padding, no other alphabet, no space, three parts."""
	token = signed(issuer, head_of(issuer), payload(issuer))
	head, body, signature = token.split(".")
	for other in (f"{head}=.{body}.{signature}", f"{head}.{body}=.{signature}", f"{head}.{body}.{signature}==",
	    f"{head}.{body}.{signature}.", f".{token}", f"{token}.{signature}",
	    f"{head}..{signature}", f"..{signature}", "." * 5000, f"{head}.{body}", head, f"{head}.{body}.{signature[:-1]}",
	    f"{head}.{body}.{signature}A", f"{head} .{body}.{signature}",
	    f"{head}.{body}.{signature[:20]} {signature[20:]}", f"{head}.{body}.{signature}\x0b",
	    f"{head}.{body}.{signature[:-2]}%3d", token.replace("-", "+").replace("_", "/") if "-" in token or "_" in token
	    else f"{token}+", f"{head}.{body}.{signature}, Bearer x", f"{head},{body},{signature}",
	    f"{head}.{body}.{signature}#x", json.dumps({"payload": body, "signatures": [
	    {"protected": head, "signature": signature}]}), f"{head}.{body}.{signature}.{body}.{head}"):
		reply = trusting.vault("main").get("/secrets", token=other)
		assert reply.status in (400, 401), (other[:80], reply)
	# The last character holds bits that do not count: only their one spelling is taken.
	last = signature[-1]
	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	twin = alphabet[alphabet.index(last) ^ 1]
	refused(trusting, f"{head}.{body}.{signature[:-1]}{twin}")


BODIES = [
	lambda body: json.dumps(body)[:-1] + ', "sub": "somebody:else"}',
	lambda body: '{"sub": "somebody:else", ' + json.dumps(body)[1:], lambda body: json.dumps(body)[:-1] + ', "s\\u0075b": "x"}',
	lambda body: json.dumps(body)[:-1] + ', "exp": 4102444800}', lambda body: json.dumps([body]),
	lambda body: json.dumps(json.dumps(body)), lambda body: "null", lambda body: "",
	lambda body: json.dumps(body) + " x", lambda body: json.dumps(body) + json.dumps(body),
	lambda body: "\ufeff" + json.dumps(body), lambda body: json.dumps(body).replace("{", "{\0"),
	lambda body: json.dumps(body | {"sub": [SUBJECT]}), lambda body: json.dumps(body | {"sub": {"a": SUBJECT}}),
	lambda body: json.dumps(body | {"sub": SUBJECT + "\0"}), lambda body: json.dumps(body | {"sub": " " + SUBJECT}),
	lambda body: json.dumps(body | {"iss": [body["iss"]]}), lambda body: json.dumps(body | {"iss": body["iss"] + "/"}),
	lambda body: json.dumps(body | {"iss": body["iss"].upper()}), lambda body: json.dumps(body | {"iss": body["iss"] + "?x"}),
	lambda body: json.dumps(body | {"iss": body["iss"] + "\0"}), lambda body: json.dumps(body | {"iss": ""}),
	lambda body: json.dumps({name: value for name, value in body.items() if name != "iss"}),
	lambda body: json.dumps(body | {"aud": []}), lambda body: json.dumps(body | {"aud": [[AUDIENCE]]}),
	lambda body: json.dumps(body | {"aud": {"a": AUDIENCE}}), lambda body: json.dumps(body | {"aud": AUDIENCE + "/"}),
	lambda body: json.dumps(body | {"aud": AUDIENCE.upper()}), lambda body: json.dumps(body | {"aud": "*"}),
	lambda body: json.dumps(body | {"aud": [AUDIENCE] * 100}), lambda body: json.dumps(body | {"aud": f"{AUDIENCE} other"}),
	lambda body: json.dumps({name: value for name, value in body.items() if name != "aud"}),
	lambda body: json.dumps({name: value for name, value in body.items() if name != "exp"}),
	lambda body: json.dumps(body)[:-1] + ', "x": ' + "[" * 2500 + "]" * 2500 + "}",
	lambda body: json.dumps(body)[:-1] + ', "x": "\\ud800"}',
	lambda body: json.dumps(body | {"sub": None}),
]


@pytest.mark.parametrize("bend", BODIES, ids=range(len(BODIES)))
def test_bent_claims(trusting, issuer, bend):  # noqa: F811
	refused(trusting, signed(issuer, head_of(issuer), bend(payload(issuer))))


def test_claims_of_ours_in_a_token_of_theirs(trusting, issuer):  # noqa: F811
	"""An outside issuer names subjects: claims that only the authority makes change nothing about who that is."""
	admin = claims(trusting.admin.token())
	told = {name: admin[name] for name in ("oid", "appid", "tid", "idtyp") if name in admin} | {"upn": "admin@example.org",
	    "roles": ["Owner"], "groups": [admin["oid"]], "wids": [
	    "62e90394-69f5-4237-9190-012177145e10"], "scp": "user_impersonation", "acr": "1"}
	refused(trusting, signed(issuer, head_of(issuer), payload(issuer, iss=admin["iss"], **told)))
	trusting.vault("main").get("/secrets", token=signed(issuer, head_of(issuer), payload(issuer, **told)),
	    headers={"x-ms-client-request-id": "told"}).expect(200)
	(line,) = [line for line in map(json.loads, audit_lines(trusting)) if line.get("correlationId") == "told"]
	assert line["identity"]["claim"]["oid"] == trusting.owner.object_id != admin["oid"]


def audit_lines(server):
	return [line for path in sorted((server.data / "audit").glob("audit-*.log")) for line in path.read_text().splitlines()]


def test_huge_tokens(trusting, issuer):  # noqa: F811
	for size in (8000, 12000, 15000):
		reply = trusting.vault("main").get("/secrets", token="A" * size)
		assert reply.status in (400, 401, 431)
	token = issuer.token()
	for more in (token + "A" * 9000, "A" * 9000 + token, token.replace(".", "." + "A" * 4000, 1)):
		assert trusting.vault("main").get("/secrets", token=more).status in (400, 401, 431)


# The same head, where a token of the issuer's is changed for one of the authority's

@pytest.mark.parametrize("lie", LIES, ids=lambda lie: str(lie)[:60])
def test_lies_for_tokens(trusting, issuer, lie):  # noqa: F811
	reply = exchanged(trusting, signed(issuer, head_of(issuer, **lie), payload(issuer)))
	assert reply.status in (400, 401) and "access_token" not in str(reply.body), reply


def exchanged(server, assertion):
	return post(server, {"grant_type": "client_credentials",
	    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
	    "client_id": server.owner.client_id, "scope": f"{server.resource}/.default", "client_assertion": assertion})


def post(server, form):
	return server.send("POST", server.host("login"), f"/{server.tenant}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode(),
	    {"Content-Type": "application/x-www-form-urlencoded"})


# Keys that an issuer shows, and that are no keys for this

def test_keys_of_other_kinds(tmp_path_factory):
	"""A key set with a symmetric key, a short one, one of exponent 1, one for encryption, an EC key: none of them opens."""
	one = Issuer(tmp_path_factory.mktemp("keys"))
	short, curve = rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1())
	good = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(one.key.public_key())) | {"kid": "one", "use": "sig", "alg": "RS256"}
	small = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(short.public_key())) | {"kid": "short", "use": "sig"}
	secret = b"0123456789abcdef0123456789abcdef"
	keys = [{"kty": "oct", "k": b64(secret), "kid": "oct", "alg": "HS256"}, small, good | {"kid": "flat", "e": "AQ"},
	    good | {"kid": "enc", "use": "enc"}, good]
	one.document = lambda path: {"issuer": one.url, "jwks_uri": f"{one.url}/keys"} if path.endswith("configuration") else {"keys": keys}
	server = Server(tmp_path_factory.mktemp("kinds"), options=("--federation-ca", one.ca)).start()
	try:
		workload = server.make_principal(secret=False)
		server.graph("POST", f"/applications/{workload.application['id']}/federatedIdentityCredentials",
		    {"name": "web", "issuer": one.url,
		    "subject": SUBJECT, "audiences": [AUDIENCE]}).expect(201)
		form = {"grant_type": "client_credentials",
		    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
		    "client_id": workload.client_id, "scope": f"{server.resource}/.default"}

		def ask(token):
			return post(server, form | {"client_assertion": token})
		ask(signed(one, head_of(one), payload(one))).expect(200)
		body = payload(one)
		curved = f"{b64({'alg': 'ES256', 'kid': 'one'})}.{b64(body)}"
		numbers = decode_dss_signature(curve.sign(curved.encode(), ec.ECDSA(hashes.SHA256())))
		number = int.from_bytes(b"\0\1" + b"\xff" * 202 + b"\0" + b"x" * 51, "big") % one.key.public_key().public_numbers().n
		for token in (jwt.encode(body, secret, "HS256", {"kid": "oct"}),
		    signed(one, head_of(one, kid="short"), body, short), signed(one, head_of(one, kid="enc"), body),
		    f"{b64(head_of(one, kid='flat'))}.{b64(body)}.{b64(number.to_bytes(256, 'big'))}",
		    f"{curved}.{b64(b''.join(each.to_bytes(32, 'big') for each in numbers))}",
		    f"{curved}.{b64(bytes(64))}", f"{b64(head_of(one))}.{b64(body)}.{b64(bytes(256))}",
		    f"{b64(head_of(one))}.{b64(body)}.{b64(b'0')}",
		    f"{b64(head_of(one))}.{b64(body)}.{b64(one.key.public_key().public_numbers().n.to_bytes(256, 'big'))}"):
			reply = ask(token)
			assert reply.status in (400, 401) and "access_token" not in str(reply.body), (token, reply)
	finally:
		server.stop()
		one.server.shutdown()


def test_signatures_of_another_padding(trusting, issuer):  # noqa: F811
	"""RS256 is PKCS#1 v1.5 over SHA-256 and nothing else, with all its bytes."""
	text = f"{b64(head_of(issuer))}.{b64(payload(issuer))}"
	for pad, digest in ((padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()),
	    (padding.PKCS1v15(), hashes.SHA1()), (padding.PKCS1v15(), hashes.SHA512()),
	    (padding.PKCS1v15(), hashes.SHA384())):
		refused(trusting, f"{text}.{b64(issuer.key.sign(text.encode(), pad, digest))}")
	fine = issuer.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
	n = issuer.key.public_key().public_numbers().n
	for signature in (b"\0" + fine, fine[1:], fine[:-1], fine + b"\0",
	    (int.from_bytes(fine, "big") + n).to_bytes(257, "big"), bytes(256), b"\xff" * 256):
		refused(trusting, f"{text}.{b64(signature)}")
