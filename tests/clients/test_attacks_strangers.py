"""Every row of the table of operations, asked by nobody, and with tokens that are good for something else: only what
PUBLIC names is answered."""
import time

import pytest

from strongroom import Server, unique
from test_federation import AUDIENCE, SUBJECT, issuer  # noqa: F401: a fixture
from test_rows import PUBLIC, ROWS, filled, version_for

HOSTS = {"vault": "main.vault", "management": "management", "graph": "graph", "login": "login", "any": "login"}
GUARDED = [row for row in ROWS if row["guard"] != "public"]
# Rows that answer strangers; a row that is to join them is written here, too.
WRITTEN = {
	"Health", "SignIn.Discovery", "SignIn.Token", "SignIn.Authorize", "SignIn.Logout", "SignIn.Device", "SignIn.DeviceCode",
	"SignIn.Page", "MetadataEndpoints", "AuthorityRootGet", "AuthorityIntermediateGet", "AuthorityCrlGet", "AuthorityOcsp", "AuthorityOcspGet",
}


def target(row, server):
	version = "7.4" if row["plane"] == "vault" else version_for(row)
	path = filled(row["path"].replace("{scope}", server.scope("main")), server)
	return path + ("" if row["plane"] == "graph" else f"?api-version={version}")


def ask(server, row, authorization=None, host=None, body=b"{}"):
	headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization is not None else {})
	if host:
		headers["Host"] = server.host(host)
	return server.send(row["method"], server.host(HOSTS[row["plane"]]), target(row, server),
	    body if row["method"] in ("PUT", "POST", "PATCH") else None, headers)


def sweep(server, authorization=None, host=None, rows=None):
	"""Rows that are not refused with 401 and a challenge."""
	answered = []
	for row in rows or GUARDED:
		reply = ask(server, row, authorization and authorization(row), host and host(row))
		if reply.status != 401 or not reply.header("WWW-Authenticate"):
			answered.append((row["method"], row["path"], reply))
		elif row["method"] != "HEAD":
			assert set(reply.json) == {"error"}, reply
	return answered


def test_the_public_rows_are_written_down():
	public = {row["name"] for row in ROWS if row["guard"] == "public"}
	assert public == WRITTEN
	assert all(PUBLIC.fullmatch(name) for name in public)
	assert len(GUARDED) > 250, "the table is read"


def test_nobody(shared):
	assert sweep(shared) == []


@pytest.mark.parametrize("value", ["Bearer ", "Bearer x", "Bearer null", "Bearer undefined", "Bearer ..", "Basic YWRtaW46YWRtaW4=",
    "PoP x", "Negotiate", "Bearer\tx", "bearer", "Token x", "Bearer %00"], ids=repr)
def test_no_token(shared, value):
	assert sweep(shared, lambda row: value) == []


def test_without_a_body(shared):
	"""Nor do empty or broken bodies come before the token."""
	for row in GUARDED:
		for body in (b"", b"{", b"\xff" * 100):
			assert ask(shared, row, body=body).status == 401, row


def test_of_another_plane(shared):
	"""A token of the administrator's, good on the other planes."""
	resources = {"vault": shared.resource, "management": shared.management, "graph": f"https://graph.localhost:{shared.port}"}
	for plane, resource in resources.items():
		bearer = f"Bearer {shared.admin.token(resource)}"
		assert sweep(shared, lambda row: bearer, rows=[row for row in GUARDED if row["plane"] != plane]) == []


def test_at_the_wrong_name(shared):
	"""Rows do not answer under another plane's name, nor under names that are nobody's; with a token of that name or not."""
	resources = {"main.vault": shared.resource, "management": shared.management, "graph": f"https://graph.localhost:{shared.port}",
	    "login": shared.resource, "nobody": shared.resource, "vault": shared.resource, "x.management": shared.management,
	    "main.vault.localhost": shared.resource, "main.vaultx": shared.resource, "mainvault": shared.resource}
	for host, resource in resources.items():
		for authorization in (None, f"Bearer {shared.admin.token(resource)}"):
			for row in GUARDED:
				if HOSTS[row["plane"]] == host:
					continue
				reply = ask(shared, row, authorization, host)
				assert reply.status in (400, 401, 404, 405), (host, row, reply)


def test_of_another_tenant(tenants):
	"""Its administrator, with tokens for the right audience, at the vault and the subscription of the first tenant."""
	server, foreign, _ = tenants
	rows = [row for row in GUARDED if row["plane"] == "vault"
	    or (row["plane"] == "management" and ("{subscription}" in row["path"] or "{scope}" in row["path"]))]
	for row in rows:
		bearer = f"Bearer {foreign.token(server.resource if row['plane'] == 'vault' else server.management)}"
		reply = ask(server, row, bearer, "mine.vault" if row["plane"] == "vault" else None)
		assert reply.status == 401, (row, reply)


class Outsider:
	"""Somebody with the issuer's tokens only."""

	def __init__(self, server, principal):
		self.client_id = principal.client_id
		self.object_id = server.graph("GET", f"/servicePrincipals(appId='{self.client_id}')").expect(200).json["id"]


@pytest.fixture(scope="module")
def trusting(issuer, tmp_path_factory):  # noqa: F811
	"""A server that takes an outside issuer's tokens whole, for an owner with every right: their times can be chosen."""
	server = Server(tmp_path_factory.mktemp("trusting"), options=("--federation-ca", issuer.ca)).start()
	owner = server.make_principal(secret=False)
	server.graph("POST", f"/applications/{owner.application['id']}/federatedIdentityCredentials", {
	    "name": "web", "issuer": issuer.url, "subject": SUBJECT, "audiences": [AUDIENCE]}).expect(201)
	server.owner = Outsider(server, owner)
	for role in ("Owner", "Key Vault Administrator"):
		server.assign(server.owner, role, server.scope())
	path = f"/providers/Strongroom.Identity/trustedIssuers/{unique('cluster')}"
	server.manage("PUT", path, {"properties": {"issuer": issuer.url, "audiences": [AUDIENCE]}})
	vault, deadline = server.vault("main"), time.monotonic() + 20
	while vault.get("/secrets", token=issuer.token()).status == 401:
		assert time.monotonic() < deadline, "the issuer's tokens are not taken"
		time.sleep(0.1)  # its keys are fetched behind the first request
	yield server
	server.stop()


def test_out_of_its_time(trusting, issuer):  # noqa: F811
	"""Expired, not yet valid, or without an end; at the edge of the clocks' difference that is put up with (300 s)."""
	rows, now, vault = [row for row in GUARDED if row["plane"] in ("vault", "management")], int(time.time()), trusting.vault("main")
	for claims in ({"exp": now - 310}, {"nbf": now + 3300, "exp": now + 3600}):
		bearer = f"Bearer {issuer.token(**claims)}"
		assert sweep(trusting, lambda row: bearer, rows=rows) == []
	for claims, status in (({"exp": -310}, 401), ({"exp": -200}, 200), ({"nbf": 200}, 200), ({"nbf": 400}, 401)):
		told = {name: int(time.time()) + seconds for name, seconds in claims.items()}
		assert vault.get("/secrets", token=issuer.token(**told)).status == status, claims
	now = int(time.time())
	for claims, status in (({"exp": 0}, 401), ({"exp": -1}, 401),
	    ({"exp": 1e300}, 401), ({"exp": str(now + 600)}, 401), ({"exp": None}, 401), ({"exp": [now + 600]}, 401), ({"exp": True}, 401),
	    ({"nbf": str(now)}, 401), ({"exp": now + 600.5}, 200)):
		assert vault.get("/secrets", token=issuer.token(**claims)).status == status, claims


def test_outside_tokens_open_no_directory(trusting, issuer):  # noqa: F811
	bearer = f"Bearer {issuer.token()}"
	assert sweep(trusting, lambda row: bearer, rows=[row for row in GUARDED if row["plane"] == "graph"]) == []
