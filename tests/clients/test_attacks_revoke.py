"""Taken away while it is used: six connections use a right without pause, then it ends.  No request that began after the
change was acknowledged succeeds, on whichever loop it comes; there is no delay to wait for."""
import threading
import time
import uuid

import pytest

from strongroom import Server, claims, unique, wait_until
from test_attacks_strangers import Outsider
from test_federation import AUDIENCE, SUBJECT, exchange, issuer  # noqa: F401: a fixture
from test_signin import AZ_CLIENT, User, ask, code_for, redeem

THREADS, BEFORE, AFTER = 6, 0.4, 0.5  # seconds, at least


@pytest.fixture(scope="module")
def server(tmp_path_factory, issuer):  # noqa: F811
	"""With more loops than a small machine has, so that changes have to reach all of them."""
	one = Server(tmp_path_factory.mktemp("revoke"), ("main", "policies"), ("--loops", "4", "--federation-ca", issuer.ca)).start()
	yield one
	one.stop()


class Use:
	"""Threads that do ${act} on connections of their own; when each began, and whether it succeeded."""

	def __init__(self, act, good=(200, 201, 204)):
		self.act, self.good, self.over, self.seen, self.failure = act, good, False, [], None
		self.threads = [threading.Thread(target=self.run) for _ in range(THREADS)]

	def run(self):
		try:
			while not self.over:
				began = time.monotonic()
				self.seen.append((began, self.act().status in self.good))
		except BaseException as failure:
			self.failure = failure

	def while_revoking(self, revoke):
		for thread in self.threads:
			thread.start()
		try:
			time.sleep(BEFORE)
			wait_until(lambda: self.failure or sum(good for _, good in self.seen) > THREADS)  # it is used
			revoke()
			acknowledged = time.monotonic()
			time.sleep(AFTER)
			wait_until(lambda: self.failure or sum(began > acknowledged for began, _ in self.seen) >= 2 * THREADS)
		finally:
			self.over = True
			for thread in self.threads:
				thread.join()
		if self.failure:
			raise self.failure
		after = [good for began, good in self.seen if began > acknowledged]
		assert not any(after), f"{sum(after)} of {len(after)} succeeded after the end"


class Bench:
	"""A secret, a key, and somebody with rights over them by one assignment."""

	def __init__(self, server):
		self.server = server
		self.secret, self.key = unique("used"), unique("used")
		self.admin = server.vault("main")
		self.admin.set(self.secret, "x")
		self.admin.post(f"/keys/{self.key}/create", {"kty": "EC"}).expect(200)
		self.someone = server.make_principal()
		self.assignments = [server.assign(self.someone, role,
		    server.scope("main")) for role in ("Key Vault Secrets Officer", "Key Vault Crypto Officer")]
		self.vault = server.vault("main", self.someone)
		self.body = {"alg": "ES256", "value": "A" * 43}

	def read(self):
		return self.vault.get(f"/secrets/{self.secret}")

	def sign(self):
		return self.vault.post(f"/keys/{self.key}/sign", self.body)

	def write(self):
		return self.vault.put(f"/secrets/{self.secret}", {"value": "y"})

	def list(self):
		return self.vault.get("/secrets")


def principal_of(bench):
	return bench.server.graph("GET", f"/servicePrincipals(appId='{bench.someone.client_id}')").expect(200).json["id"]


def unassign(bench):
	for path in bench.assignments:
		bench.server.unassign(path)


def deny(bench):
	path = f"{bench.server.scope('main')}/providers/Microsoft.Authorization/denyAssignments/{uuid.uuid4()}"
	bench.server.manage("PUT", path, {"properties": {"denyAssignmentName": "no", "permissions": [{"dataActions": ["*"]}],
	    "principals": [{"id": bench.someone.object_id}]}}).expect(201)


def disable_principal(bench):
	bench.server.graph("PATCH", f"/servicePrincipals/{principal_of(bench)}", {"accountEnabled": False}).expect(204)


def delete_principal(bench):
	bench.server.graph("DELETE", f"/servicePrincipals/{principal_of(bench)}").expect(204)


def delete_application(bench):
	bench.server.graph("DELETE", f"/applications/{bench.someone.application['id']}").expect(204)


def disable_secret(bench):
	bench.admin.patch(f"/secrets/{bench.secret}", {"attributes": {"enabled": False}}).expect(200)


def delete_secret(bench):
	bench.admin.remove(bench.secret)


def disable_key(bench):
	bench.admin.patch(f"/keys/{bench.key}", {"attributes": {"enabled": False}}).expect(200)


def forbid_signing(bench):
	bench.admin.patch(f"/keys/{bench.key}", {"key_ops": ["verify"]}).expect(200)


def delete_key(bench):
	bench.admin.delete(f"/keys/{bench.key}").expect(200)


def purge_key(bench):
	delete_key(bench)
	bench.admin.delete(f"/deletedkeys/{bench.key}").expect(204)


ROWS = [
	(unassign, "read"), (unassign, "write"), (unassign, "list"), (unassign, "sign"), (deny, "read"), (deny, "sign"),
	(disable_principal, "read"), (disable_principal, "sign"),
	(delete_principal, "read"), (delete_application, "read"), (delete_application, "sign"), (disable_secret, "read"),
	(delete_secret, "read"), (delete_secret, "write"),
	(disable_key, "sign"), (forbid_signing, "sign"), (delete_key, "sign"), (purge_key, "sign"),
]


@pytest.mark.parametrize("revoke, use", ROWS, ids=[f"{revoke.__name__}-{use}" for revoke, use in ROWS])
def test_a_right_ends(server, revoke, use):
	bench = Bench(server)
	Use(getattr(bench, use)).while_revoking(lambda: revoke(bench))


def test_a_slow_signature_is_not_begun_after_the_end(server):
	"""On a thread of its own, where nobody else waits; behind others: test_queues.py."""
	bench = Bench(server)
	bench.admin.post(f"/keys/{bench.key}-slow/create", {"kty": "RSA", "key_size": 4096}).expect(200)
	Use(lambda: bench.vault.post(f"/keys/{bench.key}-slow/sign",
	    {"alg": "RS256", "value": "A" * 43})).while_revoking(lambda: unassign(bench))


def test_a_role_shrinks(server):
	role = str(uuid.uuid4())
	path = f"{server.scope()}/providers/Microsoft.Authorization/roleDefinitions/{role}"

	def define(*actions):
		reply = server.manage("PUT", path, {"properties": {"roleName": role, "type": "CustomRole",
		    "assignableScopes": [server.scope()],
		    "permissions": [{"actions": ["Microsoft.Nothing/x"], "dataActions": list(actions)}]}})
		assert reply.status in (200, 201), reply
	define("Microsoft.KeyVault/vaults/secrets/*")
	bench = Bench(server)
	unassign(bench)
	server.assign(bench.someone, role, server.scope("main"))
	Use(bench.read).while_revoking(lambda: define("Microsoft.KeyVault/vaults/keys/*"))


def test_a_membership_ends(server):
	"""A group has the right; two groups deep."""
	bench = Bench(server)
	unassign(bench)
	groups = [server.graph("POST", "/groups", {"displayName": name, "mailEnabled": False, "securityEnabled": True,
	    "mailNickname": name}).expect(201).json["id"]
	    for name in (unique("team"), unique("team"))]

	def reference(of):
		return {"@odata.id": f"https://graph.localhost:{server.port}/v1.0/directoryObjects/{of}"}
	server.graph("POST", f"/groups/{groups[0]}/members/$ref", reference(groups[1])).expect(204)
	server.graph("POST", f"/groups/{groups[1]}/members/$ref", reference(principal_of(bench))).expect(204)
	body = server.assignment(groups[0], "Key Vault Secrets Officer")
	body["properties"]["principalType"] = "Group"
	server.manage("PUT", f"{server.scope('main')}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}", body).expect(201)
	Use(bench.read).while_revoking(lambda: server.graph("DELETE", f"/groups/{groups[0]}/members/{groups[1]}/$ref").expect(204))


def vault_body(server, **properties):
	return {"location": "local", "properties": {"tenantId": server.tenant, "sku": {"family": "A", "name": "standard"}, **properties}}


def test_an_access_policy_ends(server):
	bench = Bench(server)
	path, vault = server.scope("policies"), server.vault("policies", bench.someone)
	policy = {"tenantId": server.tenant, "objectId": bench.someone.object_id, "permissions": {"secrets": ["get", "set"]}}
	server.manage("PUT", path, vault_body(server, enableRbacAuthorization=False, accessPolicies=[policy]),
	    version="2023-07-01").expect(200)
	vault.put("/secrets/s", {"value": "x"}).expect(200)
	Use(lambda: vault.get("/secrets/s")).while_revoking(lambda: server.manage("PUT", f"{path}/accessPolicies/remove",
	    {"properties": {"accessPolicies": [policy]}}, version="2023-07-01").expect(200))


def test_the_network_is_closed_and_the_vault_deleted(server):
	bench = Bench(server)
	name, closed = unique("net"), {"bypass": "None", "defaultAction": "Deny"}
	path = f"{server.group_scope}/providers/Microsoft.KeyVault/vaults/{name}"
	server.manage("PUT", path, vault_body(server, enableRbacAuthorization=True), version="2023-07-01").expect(201)
	server.assign(bench.someone, "Key Vault Secrets Officer", path)
	vault = server.vault(name, bench.someone)
	vault.put("/secrets/s", {"value": "x"}).expect(200)
	Use(lambda: vault.get("/secrets/s")).while_revoking(lambda: server.manage("PUT", path,
	    vault_body(server, enableRbacAuthorization=True, networkAcls=closed),
	    version="2023-07-01").expect(200))
	server.manage("PUT", path, vault_body(server, enableRbacAuthorization=True,
	    networkAcls={"bypass": "None", "defaultAction": "Allow"}), version="2023-07-01").expect(200)
	Use(lambda: vault.get("/secrets/s")).while_revoking(lambda: server.manage("DELETE", path, version="2023-07-01").expect(200))


# Tokens: what gives them ends at once; one that is out already is good until its principal or its rights end

def sign_in(one, **more):
	return one.sign_in(f"{one.server.resource}/.default", **more)


def test_a_client_secret_is_removed(server):
	bench = Bench(server)
	application = bench.someone.application["id"]
	(credential,) = server.graph("GET", f"/applications/{application}").expect(200).json["passwordCredentials"]
	token = bench.someone.token()
	Use(lambda: sign_in(bench.someone)).while_revoking(lambda: server.graph("POST", f"/applications/{application}/removePassword",
	    {"keyId": credential["keyId"]}).expect(204))
	# As documented: what was given before is good until it expires, unless its holder is disabled, too.
	bench.vault.get(f"/secrets/{bench.secret}", token=token).expect(200)
	disable_principal(bench)
	bench.vault.get(f"/secrets/{bench.secret}", token=token).expect(401)


def test_a_disabled_principal_gets_no_token(server):
	bench = Bench(server)
	Use(lambda: sign_in(bench.someone)).while_revoking(lambda: disable_principal(bench))


def federated(server, issuer):  # noqa: F811
	workload = server.make_principal(secret=False)
	made = server.graph("POST", f"/applications/{workload.application['id']}/federatedIdentityCredentials", {
	    "name": "web", "issuer": issuer.url, "subject": f"{SUBJECT}:{workload.client_id}", "audiences": [AUDIENCE]}).expect(201).json
	return workload, made["id"], f"{SUBJECT}:{workload.client_id}"


def test_a_federated_credential_ends(server, issuer):  # noqa: F811
	workload, credential, subject = federated(server, issuer)
	exchange(server, workload, issuer.token(sub=subject)).expect(200)
	Use(lambda: exchange(server, workload, issuer.token(sub=subject))).while_revoking(lambda: server.graph("DELETE",
	    f"/applications/{workload.application['id']}/federatedIdentityCredentials/{credential}").expect(204))


def test_a_managed_identity_is_deleted(server, issuer):  # noqa: F811
	"""Both what it does with a token it has, and getting another one."""
	name, version = unique("id"), "2023-01-31"
	path = f"{server.group_scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
	for again in range(2):
		made = server.manage("PUT", path, {"location": "local"}, version=version).expect(201).json["properties"]
		subject = f"{SUBJECT}:{name}:{again}"
		server.manage("PUT", f"{path}/federatedIdentityCredentials/web",
		    {"properties": {"issuer": issuer.url, "subject": subject, "audiences": [AUDIENCE]}},
		    version=version).expect(201)
		server.assign(made["principalId"], "Key Vault Secrets Officer", server.scope("main"))

		class Identity:
			client_id = made["clientId"]
		token = exchange(server, Identity, issuer.token(sub=subject)).expect(200).json["access_token"]
		assert claims(token)["oid"] == made["principalId"]
		act = (lambda: server.vault("main").get("/secrets", token=token),
		    lambda: exchange(server, Identity, issuer.token(sub=subject)))[again]
		Use(act).while_revoking(lambda: server.manage("DELETE", path, version=version).expect(200))
		server.vault("main").get("/secrets", token=token).expect(401)


def test_trust_in_an_issuer_ends(server, issuer):  # noqa: F811
	workload, _, subject = federated(server, issuer)
	owner = Outsider(server, workload)
	server.assign(owner, "Key Vault Secrets Officer", server.scope("main"))
	path = f"/providers/Strongroom.Identity/trustedIssuers/{unique('cluster')}"
	server.manage("PUT", path, {"properties": {"issuer": issuer.url, "audiences": [AUDIENCE]}})
	token, vault, deadline = issuer.token(sub=subject), server.vault("main"), time.monotonic() + 20
	while vault.get("/secrets", token=token).status == 401:
		assert time.monotonic() < deadline
		time.sleep(0.1)
	Use(lambda: vault.get("/secrets", token=token)).while_revoking(lambda: server.manage("DELETE", path))


# Once is once, however many come at the same moment

def together(act):
	"""What ${THREADS} threads are answered that begin at once."""
	gate, replies = threading.Barrier(THREADS), []

	def run():
		gate.wait()
		replies.append(act())
	threads = [threading.Thread(target=run) for _ in range(THREADS)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	assert len(replies) == THREADS
	return replies


def test_a_code_is_good_once(shared):
	"""One is given something, or none when the others were told to end it before it was kept; and it is ended."""
	user, given = User(shared), 0
	for _ in range(50):
		verifier, code = code_for(shared, user, scope=f"{shared.resource}/.default offline_access")
		replies = together(lambda: redeem(shared, code, verifier))
		tokens = [reply.expect(200).json["refresh_token"] for reply in replies if reply.status != 400]
		assert len(tokens) <= 1, replies
		for token in tokens:  # A code that came twice ends what the first was given.
			ask(shared, {"grant_type": "refresh_token", "client_id": AZ_CLIENT, "refresh_token": token}).expect(400)
		given += len(tokens)
		if given == 3:
			break
	assert given, "nobody was ever given anything"
	verifier, code = code_for(shared, user, scope=f"{shared.resource}/.default offline_access")
	token = redeem(shared, code, verifier).expect(200).json["refresh_token"]
	ask(shared, {"grant_type": "refresh_token", "client_id": AZ_CLIENT, "refresh_token": token}).expect(200)


def test_a_purged_name_is_made_once(server):
	"""Nor are two objects made of one name, or two purged of one."""
	admin = server.vault("main")
	for _ in range(5):
		name = unique("once")
		admin.set(name, "x")
		admin.remove(name)
		assert sorted(reply.status for reply in together(lambda: admin.delete(f"/deletedsecrets/{name}"))) == [204] + [404] * (THREADS - 1)
