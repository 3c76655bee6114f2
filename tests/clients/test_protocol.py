"""The data plane on the wire, to the byte: what no SDK shows, and what every client relies on."""
import re
import socket
import ssl
import uuid

import pytest

from strongroom import GUID, unique, version_of

VERSIONS = ["2016-10-01", "7.0", "7.1", "7.2", "7.2-preview", "7.3", "7.3-preview", "7.4",
    "7.4-preview.1", "7.5", "7.5-preview.1", "7.6", "7.6-preview.1", "7.6-preview.2",
    "2025-06-01-preview", "2025-07-01", "2026-01-01-preview", "2026-03-01-preview", "2026-04-01"]


# Every operation on secrets: method, path.
OPERATIONS = [
	("PUT", "/secrets/n"), ("GET", "/secrets/n"), ("GET", "/secrets/n/"),
	("GET", "/secrets/n/0123456789abcdef0123456789abcdef"), ("PATCH", "/secrets/n"),
	("PATCH", "/secrets/n/0123456789abcdef0123456789abcdef"), ("DELETE", "/secrets/n"),
	("GET", "/secrets"), ("GET", "/secrets/n/versions"), ("POST", "/secrets/n/backup"),
	("POST", "/secrets/restore"), ("GET", "/deletedsecrets"), ("GET", "/deletedsecrets/n"),
	("POST", "/deletedsecrets/n/recover"), ("DELETE", "/deletedsecrets/n"),
]
# And what is none.
NONSENSE = [("GET", "/"), ("GET", "/nonsense"), ("POST", "/secrets/n"), ("PUT", "/secrets/a/b/c/d"),
    ("DELETE", "/secrets"), ("PATCH", "/deletedsecrets/n"), ("PUT", "/secrets/bad_name")]


def names(operations):
	return [f"{method} {path}" for method, path in operations]


@pytest.fixture
def name():
	return unique("p")


@pytest.fixture(scope="module")
def nobody(principal):
	return principal()


def raw(server, data, host="main.vault.localhost", seconds=30):
	"""Send bytes, return all that comes back until the server closes."""
	with server.context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), seconds),
	    server_hostname=host) as tls:
		answer = b""
		try:
			tls.sendall(data)
		except OSError:
			pass  # It may answer and close before it has read all.
		try:
			while part := tls.recv(65536):
				answer += part
		except OSError:
			pass
	return answer


def raw_status(answer):
	match = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
	assert match, f"no answer: {answer[:200]!r}"
	status = int(match[1])
	assert status < 500, answer[:400]
	return status


# The challenge

@pytest.mark.parametrize("method, path", OPERATIONS + NONSENSE, ids=names(OPERATIONS + NONSENSE))
def test_challenge(main, shared, method, path):
	reply = main.request(method, path, token=False)
	assert reply.status == 401
	assert reply.header("WWW-Authenticate") == (
		f'Bearer authorization="https://login.localhost:{shared.port}/{shared.tenant}", '
		f'resource="https://vault.localhost:{shared.port}"')
	assert reply.body == (b'{"error":{"code":"Unauthorized","message":'
		b'"AKV10000: Request is missing a Bearer or PoP token."}}')
	assert reply.header("Content-Type") == "application/json; charset=utf-8"


@pytest.mark.parametrize("query", ["", "api-version=1.0", "api-version="], ids=["none", "1.0", "empty"])
def test_challenge_comes_before_the_version(main, query):
	main.put("/secrets/n", query=query, token=False).expect(401, "Unauthorized")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 1000, b"x" * 30000],
    ids=["broken", "not UTF-8", "nested", "long"])
def test_challenge_comes_before_the_body(main, body):
	main.put("/secrets/n", body, token=False).expect(401, "Unauthorized")


@pytest.mark.parametrize("value", ["", "Basic YTpi", "Bearer", "Bearer ", "bearer", "PoP x", "Negotiate"],
    ids=repr)
def test_challenge_without_bearer(main, value):
	reply = main.get("/secrets", headers={"Authorization": value}, token=False).expect(401, "Unauthorized")
	assert reply.header("WWW-Authenticate").startswith("Bearer authorization=")


def test_challenge_of_an_unknown_vault(shared):
	shared.vault("nowhere").get("/secrets/n", token=False).expect(401, "Unauthorized")


def test_challenge_names_the_authority_the_client_used(shared, main):
	"""On both loopback addresses, whatever the case of the host."""
	host = f"MAIN.Vault.LocalHost:{shared.port}"
	for address in ("127.0.0.1", "::1"):
		connection = shared.connection(main.host, address)
		reply = connection.exchange("GET", "/secrets?api-version=7.4", None, {"Host": host})
		connection.close()
		assert f'resource="https://vault.localhost:{shared.port}"' in reply.header("WWW-Authenticate")


# Headers

COMMON = {
	"Cache-Control": r"no-cache", "Pragma": r"no-cache", "Expires": r"-1",
	"x-ms-keyvault-region": r"[a-z0-9]+", "x-ms-request-id": GUID,
	"x-ms-keyvault-service-version": r"\d+(\.\d+){2,3}",
	"x-ms-keyvault-network-info": r"conn_type=Ipv4;addr=127\.0\.0\.1;act_addr_fam=InterNetwork;",
	"Strict-Transport-Security": r"max-age=31536000;includeSubDomains",
	"X-Content-Type-Options": r"nosniff",
}


@pytest.mark.parametrize("method, path, body, token, status", [
	("PUT", "/secrets/head", {"value": "x"}, None, 200),
	("GET", "/secrets/head", None, None, 200),
	("GET", "/secrets/head", None, False, 401),
	("PUT", "/secrets/head", {}, None, 400),
	("GET", "/secrets/no-head", None, None, 404),
	("GET", "/nonsense", None, None, 404),
	("PUT", "/secrets", {}, None, 405),
	("GET", "/healthstatus", None, False, 200),
	("DELETE", "/secrets/head", None, None, 200),
	("PUT", "/secrets/head", {"value": "x"}, None, 409),
	("DELETE", "/deletedsecrets/head", None, None, 204),
])
def test_headers(main, method, path, body, token, status):
	correlation = str(uuid.uuid4())
	reply = main.request(method, path, body, token=token,
	    headers={"x-ms-client-request-id": correlation})
	assert reply.status == status
	for header, pattern in COMMON.items():
		assert re.fullmatch(pattern, reply.header(header) or ""), (header, reply.header(header))
	assert reply.header("x-ms-client-request-id") == correlation
	if status == 204:
		assert (reply.header("Content-Type"), reply.body) == (None, b"")
	else:
		assert reply.header("Content-Type") == "application/json; charset=utf-8"
		assert b'": ' not in reply.body and b", " not in re.sub(rb'"[^"]*"', b"", reply.body)  # compact
	assert (reply.header("WWW-Authenticate") is not None) == (status == 401)
	for telltale in ("Server", "X-Powered-By", "ETag"):
		assert reply.header(telltale) is None
	if token is None and status in (200, 204):
		assert re.fullmatch(GUID, reply.header("x-ms-keyvault-rbac-assignment-id") or "")


def test_request_ids_differ(main):
	replies = [main.get("/secrets/none") for _ in range(3)]
	assert len({reply.header("x-ms-request-id") for reply in replies}) == 3
	assert replies[0].header("x-ms-client-request-id") is None


@pytest.mark.parametrize("value", ["not a guid", "x" * 2000, "quote\"and\\slash"], ids=["text", "long", "quote"])
def test_odd_correlation(main, value):
	reply = main.get("/secrets/none", headers={"x-ms-client-request-id": value})
	assert reply.status in (404, 400)


def test_health(shared, main):
	reply = main.get("/healthstatus", query="", token=False).expect(200)
	assert isinstance(reply.json, dict) and len(reply.body) < 200


# Versions of the API

@pytest.mark.parametrize("version", VERSIONS + ["7.4-PREVIEW.1", "2025-06-01-Preview"])
def test_version_is_known(main, version, name):
	main.put(f"/secrets/{name}", {"value": "x"}, query=f"api-version={version}").expect(200)


@pytest.mark.parametrize("version", ["1.0", "7", "7.40", "2015-01-01", "latest", "7.4%20", "x" * 500])
def test_version_is_unknown(main, version):
	reply = main.get("/secrets/n", query=f"api-version={version}").expect(400, "BadParameter")
	shown = version.replace("%20", " ")
	assert reply.error["message"].startswith(f"The specified version ({shown[:100]}")
	if len(version) < 100:
		assert reply.error["message"] == (f"The specified version ({shown}) is not recognized. "
			"Consider using the latest supported version (2026-04-01).")


@pytest.mark.parametrize("query", ["", "api-version=", "x=y", "apiversion=7.4"])
def test_version_is_missing(main, query):
	reply = main.get("/secrets/n", query=query).expect(400, "BadParameter")
	assert reply.error["message"]


@pytest.mark.parametrize("query", ["api%2Dversion=7.4", "API-Version=7.4", "x=y&api-version=7.4",
    "api-version=7%2E4", "api-version=7.4&api-version=7.4"])
def test_version_spelled_otherwise(main, query, name):
	main.put(f"/secrets/{name}", {"value": "x"}, query=query).expect(200)


def test_attributes_by_version(main, name):
	main.set(name, attributes={"nbf": 1, "exp": 2})
	expected = ["enabled", "nbf", "exp", "created", "updated", "recoveryLevel"]
	for version in VERSIONS:
		query = f"api-version={version}"
		bundle = main.get(f"/secrets/{name}", query=query).expect(200).json
		days = [] if version in ("2016-10-01", "7.0") else ["recoverableDays"]
		assert list(bundle["attributes"]) == expected + days, version
		assert set(bundle) == {"value", "id", "attributes"}, version
		item = main.get(f"/secrets/{name}/versions", query=query).expect(200).json["value"][0]
		assert list(item["attributes"]) == expected + days, version


# Paths

@pytest.mark.parametrize("form", ["/secrets/{}", "/secrets/{}/", "//secrets/{}", "///secrets/{}/",
    "/SECRETS/{}", "/Secrets/{}/", "/secret%73/{}"])
def test_path_forms(main, form, name):
	made = main.set(name)
	reply = main.get(form.format(name)).expect(200)
	assert reply.json == made
	assert main.put(form.format(name), {"value": "new"}).expect(200).json["value"] == "new"
	main.patch(form.format(name), {"tags": {"a": "b"}}).expect(200)


def test_keywords_in_any_case(main, name):
	main.set(name)
	main.get(f"/secrets/{name}/VERSIONS").expect(200)
	main.get(f"/secrets/{name}/versions/").expect(200)
	blob = main.post(f"/Secrets/{name}/Backup").expect(200).json["value"]
	main.delete(f"/SECRETS/{name}").expect(200)
	main.get(f"/DeletedSecrets/{name}/").expect(200)
	main.get("/deletedsecrets/").expect(200)
	main.post(f"/deletedSecrets/{name}/RECOVER").expect(200)
	main.post("/secrets/Restore", {"value": blob}).expect(409)


def test_names_in_any_case(main):
	name = unique("CamelCase")
	first = main.set(name, "one")
	second = main.set(name.upper(), "two")
	assert first["id"].split("/")[4] == name
	assert second["id"].split("/")[4] == name, "the creator's spelling is kept"
	assert main.value(name.lower()) == "two"
	assert main.value(name.lower(), version_of(first).upper()) == "one"
	assert len(main.items(f"/secrets/{name.lower()}/versions")) == 2
	deleted = main.remove(name.swapcase())
	assert deleted["recoveryId"] == f"{main.url}/deletedsecrets/{name}"
	main.put(f"/secrets/{name.lower()}", {"value": "x"}).expect(409, "Conflict", "ObjectIsDeletedButRecoverable")
	main.delete(f"/deletedsecrets/{name.upper()}").expect(204)


def test_host_in_any_case(shared, main, name):
	made = main.set(name)
	connection = shared.connection(main.host)
	reply = connection.exchange("GET", f"/secrets/{name}?api-version=7.4", None,
	    {"Host": f"Main.VAULT.Localhost:{shared.port}", "Authorization": f"Bearer {shared.admin.token()}"})
	connection.close()
	assert reply.expect(200).json["id"] == made["id"]


def test_unknown_vault(shared):
	reply = shared.vault("nowhere").get("/secrets/n").expect(404, "VaultNotFound")
	assert reply.header("x-ms-request-id")


@pytest.mark.parametrize("method, path", [("GET", "/"), ("GET", "/nonsense"), ("GET", "/secrets/a/b/c"),
    ("POST", "/secrets/a/b/nonsense"), ("GET", "/secretsx"), ("GET", "/deletedsecrets/a/b/c"),
    ("GET", "/%2e%2e/secrets"), ("GET", "/secrets/../secrets"), ("GET", "/secrets/%00")])
def test_unknown_route(main, method, path):
	reply = main.request(method, path)
	assert reply.status in (400, 404), reply
	if "%" not in path and ".." not in path:
		assert reply.status == 404
	assert reply.error["code"]


@pytest.mark.parametrize("method, path", [("POST", "/secrets/n"), ("PUT", "/secrets"), ("DELETE", "/secrets"),
    ("PATCH", "/secrets"), ("DELETE", "/secrets/n/0123456789abcdef0123456789abcdef"),
    ("PUT", "/secrets/n/versions"), ("DELETE", "/secrets/n/backup"), ("PUT", "/secrets/n/backup"),
    ("PATCH", "/deletedsecrets/n"), ("PUT", "/deletedsecrets/n"), ("POST", "/deletedsecrets/n"),
    ("DELETE", "/deletedsecrets"), ("GET", "/deletedsecrets/n/recover")])
def test_wrong_verb(main, method, path):
	main.request(method, path).expect(405, "MethodNotAllowed")


@pytest.mark.parametrize("verb", ["HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW", "get", "X" * 200])
def test_odd_verb(shared, main, verb):
	request = (f"{verb} /secrets/n?api-version=7.4 HTTP/1.1\r\nHost: {main.host}\r\nConnection: close\r\n"
		f"Authorization: Bearer {shared.admin.token()}\r\n\r\n")
	assert raw_status(raw(shared, request.encode())) in (400, 404, 405)


def test_method_override(main, name):
	def override(verb, path, body=None):
		return main.post(path, body, headers={"X-HTTP-METHOD": verb})

	assert override("PUT", f"/secrets/{name}", {"value": "x"}).expect(200).json["value"] == "x"
	assert override("PATCH", f"/secrets/{name}", {"tags": {"a": "b"}}).expect(200).json["tags"] == {"a": "b"}
	override("DELETE", f"/secrets/{name}").expect(200)
	override("DELETE", f"/deletedsecrets/{name}").expect(204)
	main.get(f"/secrets/{name}").expect(404)


def test_method_override_only_of_post(main, name):
	main.set(name)
	main.get(f"/secrets/{name}", headers={"X-HTTP-METHOD": "DELETE"})
	main.get(f"/secrets/{name}").expect(200)


# HTTP itself

def test_chunked_body(shared, main, name):
	body = b'{"value":"in chunks"}'
	chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
	request = (f"PUT /secrets/{name}?api-version=7.4 HTTP/1.1\r\nHost: {main.host}\r\nConnection: close\r\n"
		f"Transfer-Encoding: chunked\r\nAuthorization: Bearer {shared.admin.token()}\r\n\r\n").encode()
	assert raw_status(raw(shared, request + chunks)) == 200
	assert main.value(name) == "in chunks"


@pytest.mark.parametrize("fields", [
	"Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
	"Content-Length: -1\r\n", "Content-Length: 99999999999999999999\r\n", "Content-Length: 2x\r\n",
	"Host: other.vault.localhost\r\n", "Bad Name: x\r\n", "X-Folded: a\r\n b\r\n", "X: a\0b\r\n",
	"Transfer-Encoding: gzip, chunked, identity\r\n",
], ids=repr)
def test_malformed_head(shared, main, fields):
	request = (f"PUT /secrets/n?api-version=7.4 HTTP/1.1\r\nHost: {main.host}\r\nConnection: close\r\n"
		f"Authorization: Bearer {shared.admin.token()}\r\n{fields}\r\n{{}}")
	answer = raw(shared, request.encode())
	assert raw_status(answer) in (400, 411, 413, 501)
	assert answer.count(b"HTTP/1.1 ") == 1


def test_head_too_large(shared, main):
	request = f"GET /secrets/n HTTP/1.1\r\nHost: {main.host}\r\nConnection: close\r\n"
	request += "".join(f"X-Filler-{i}: {'y' * 1000}\r\n" for i in range(200)) + "\r\n"
	assert raw_status(raw(shared, request.encode())) in (400, 413, 431)


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 16 * 1024 * 1024])
def test_body_too_large(shared, main, name, size):
	head = (f"PUT /secrets/{name}?api-version=7.4 HTTP/1.1\r\nHost: {main.host}\r\nConnection: close\r\n"
		f"Authorization: Bearer {shared.admin.token()}\r\nContent-Length: {size}\r\n\r\n").encode()
	assert raw_status(raw(shared, head)) == 413, "refused by its announced length alone"
	assert raw_status(raw(shared, head + b'{"value":"' + b"x" * (size - 12) + b'"}')) == 413
	chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
	chunked = head.replace(b"Content-Length: %d" % size, b"Transfer-Encoding: chunked")
	assert raw_status(raw(shared, chunked + chunk * (size // 65536 + 1))) == 413
	main.get(f"/secrets/{name}").expect(404)


def test_pipelined_requests(shared, main, name):
	"""Answered in order, on one connection."""
	main.set(name, "piped")
	head = f"Host: {main.host}\r\nAuthorization: Bearer {shared.admin.token()}\r\n"
	request = "".join(f"GET /secrets/{path}?api-version=7.4 HTTP/1.1\r\n{head}{close}\r\n" for path, close in
	    ((name, ""), ("nothing", ""), (name, "Connection: close\r\n")))
	assert re.findall(rb"HTTP/1\.1 (\d+)", raw(shared, request.encode())) == [b"200", b"404", b"200"]


# Order of checks

def test_order_of_checks(main, shared, nobody, name):
	denied = shared.vault("main", nobody)
	bad = {"token": "garbage"}
	main.put("/secrets/bad_name", b"{", query="api-version=1", **bad).expect(401)
	denied.put("/secrets/bad_name", b"{", query="api-version=1").expect(400, "BadParameter")
	denied.put("/secrets/bad_name", b"{").expect(403, "Forbidden", "ForbiddenByRbac")
	denied.put(f"/secrets/{name}", b"{").expect(403, "Forbidden", "ForbiddenByRbac")
	denied.get(f"/secrets/{name}").expect(403, "Forbidden", "ForbiddenByRbac")
	main.set(name, attributes={"enabled": False})
	main.remove(name)
	main.put("/secrets/bad_name", {"value": "x"}).expect(400, "BadParameter")
	main.put(f"/secrets/{name}", b"{").expect(400, "BadParameter")
	main.put(f"/secrets/{name}", {"value": "x"}).expect(409, "Conflict", "ObjectIsDeletedButRecoverable")
	main.get(f"/secrets/{name}").expect(404, "SecretNotFound")
	main.get(f"/deletedsecrets/{name}").expect(403, "Forbidden", "SecretDisabled")


# The management plane, as far as clients need it to come this far

def test_metadata(shared):
	host = shared.host("management")
	new = shared.send("GET", host, "//metadata/endpoints?api-version=2022-09-01").expect(200).json
	assert new["suffixes"]["keyVaultDns"] == f"vault.localhost:{shared.port}"
	assert new["resourceManager"].rstrip("/") == shared.management
	assert new["authentication"]["audiences"][0].rstrip("/") == shared.management
	assert new["authentication"]["loginEndpoint"].startswith(f"https://login.localhost:{shared.port}")
	(older,) = shared.send("GET", host, "/metadata/endpoints?api-version=2019-05-01").expect(200).json
	assert older["suffixes"]["keyVaultDns"] == new["suffixes"]["keyVaultDns"]
	oldest = shared.send("GET", host, "/metadata/endpoints?api-version=2015-01-01").expect(200).json
	assert oldest["authentication"]["loginEndpoint"] and oldest["graphEndpoint"]


def test_subscriptions(shared):
	(found,) = shared.manage("GET", "/subscriptions", version="2022-12-01").expect(200).json["value"]
	assert found["subscriptionId"] == shared.subscription
	assert (found["tenantId"], found["state"]) == (shared.tenant, "Enabled")
	(tenant,) = shared.manage("GET", "/tenants", version="2022-12-01").expect(200).json["value"]
	assert tenant["tenantId"] == shared.tenant


def test_management_challenge(shared):
	reply = shared.send("GET", shared.host("management"), "/subscriptions?api-version=2022-12-01")
	reply.expect(401, "AuthenticationFailed")
	assert reply.header("WWW-Authenticate").startswith("Bearer ")


def test_environment(shared):
	"""DIR/env and what `strongroom env` prints are the same, and complete."""
	done = shared.cli("env")
	assert done.returncode == 0
	assert [line for line in done.stdout.splitlines() if line.startswith("export ")] == \
	    [line for line in (shared.data / "env").read_text().splitlines() if line.startswith("export ")]
	env = shared.env
	assert env["AZURE_AUTHORITY_HOST"] == f"https://login.localhost:{shared.port}"
	assert env["AZURE_TENANT_ID"] == "adfs"
	assert env["STRONGROOM_MANAGEMENT"] == shared.management
	assert env["KEYVAULT_URL"] == env["KEYVAULT_URL_MAIN"] == shared.url("main")
	assert env["KEYVAULT_URL_AZ_CLI"] == shared.url("az-cli")
	for name in ("STRONGROOM_CA", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
		assert open(env[name]).read().count("BEGIN CERTIFICATE") >= 1


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_versions(shared):

	for version, accepted in ((ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True),
	    (ssl.TLSVersion.TLSv1_1, False)):
		context = ssl.create_default_context(cafile=shared.env["STRONGROOM_CA"])
		context.set_ciphers("DEFAULT:@SECLEVEL=0")
		context.minimum_version = context.maximum_version = version
		plain = socket.create_connection(("127.0.0.1", shared.port))
		try:
			with context.wrap_socket(plain, server_hostname="main.vault.localhost") as tls:
				assert accepted and tls.version() == version.name.replace("_", ".")
		except ssl.SSLError:
			assert not accepted
