"""What waits for its turn to burn: vaults take turns within bounds, who left is passed over, and rights, principals and keys
that went meanwhile are missed."""
import json
import os
import select
import time

import pytest

from keys import bring, rsa_in, rsa_jwk, rsa_key
from strongroom import Server, unique

EACH = 64  # that wait to be made, of one vault
CORES = os.cpu_count()
FILL = 75 * CORES  # signatures that are asked for first: some tenths of a second


SIGN = {"alg": "RS256", "value": "A" * 43}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
	one = Server(tmp_path_factory.mktemp("queues"), ("main", "other"), ("--throttle", "0", "--connections-per-address", "0")).start()
	yield one
	one.stop()


@pytest.fixture(scope="module")
def busy(server):
	"""Connections on which much can be asked of a vault, and what to ask."""
	vault = server.vault("main")
	return [Asked(vault) for _ in range(FILL)], rsa_in(vault, unique("busy"), 4096)[0].path


class Asked:
	"""A request on a connection of its own, whose reply is not waited for."""

	def __init__(self, vault):
		self.vault, self.connection = vault, vault.server.connection(vault.host)
		self.send("GET", "/keys")
		assert self.reply()[0] in (200, 403)

	def send(self, method, path, body=None):
		self.connection.request(method, f"{path}?api-version={self.vault.version}", None if body is None else json.dumps(body),
		    {"Authorization": f"Bearer {self.vault.principal.token()}", "Content-Type": "application/json"})

	def answered(self):
		return bool(select.select([self.connection.sock], [], [], 0)[0])

	def reply(self):
		answer = self.connection.getresponse()
		return answer.status, dict(answer.getheaders()), answer.read()

	def leave(self):
		self.connection.close()


def imports(vault, count):
	asked = [Asked(vault) for _ in range(count)]
	for one in asked:
		one.send("PUT", f"/keys/{unique('made')}", {"key": rsa_jwk(rsa_key(4096))})
	return asked


def names(vault):
	return {item["kid"].rsplit("/", 1)[1] for item in vault.items("/keys")}


class Bench:
	"""Somebody who signs, with a key."""

	def __init__(self, server):
		self.server, self.admin = server, server.vault("main")
		self.path = rsa_in(self.admin, unique("used"))[0].path
		self.name = "/".join(self.path.split("/")[:3])
		self.someone = server.make_principal()
		self.assignment = server.assign(self.someone, "Key Vault Crypto User", server.scope("main"))
		self.vault = server.vault("main", self.someone)

	def unassign(self):
		self.server.unassign(self.assignment)

	def disable_principal(self):
		found = self.server.graph("GET", f"/servicePrincipals(appId='{self.someone.client_id}')").expect(200).json["id"]
		self.server.graph("PATCH", f"/servicePrincipals/{found}", {"accountEnabled": False}).expect(204)

	def disable_key(self):
		self.admin.patch(self.path, {"attributes": {"enabled": False}}).expect(200)

	def forbid_signing(self):
		self.admin.patch(self.path, {"key_ops": ["verify"]}).expect(200)

	def delete_key(self):
		self.admin.delete(self.name).expect(200)

	def change_nothing(self):
		self.admin.get(self.name).expect(200)

	def change_something(self):
		self.admin.set(unique(), "x")


@pytest.mark.parametrize("change, status", [("unassign", 403), ("disable_principal", 401), ("disable_key", 403),
    ("forbid_signing", 403), ("delete_key", 404), ("change_nothing", 200), ("change_something", 200)])
def test_what_waits_is_asked_again(server, busy, change, status):
	"""Acknowledged before its turn: it is not done."""
	for _ in range(5):
		bench = Bench(server)
		before, path = busy
		mine = [Asked(bench.vault) for _ in range(3)]
		for one in before:
			one.send("POST", f"{path}/sign", SIGN)
		for one in mine:
			one.send("POST", f"{bench.path}/sign", SIGN)
		getattr(bench, change)()
		# A core's threads may have one of them in hand when no other is left before it.
		waited = not any(one.answered() for one in mine) and sum(not one.answered() for one in before) > 2 * CORES
		assert {one.reply()[0] for one in before} == {200}
		replies = [one.reply() for one in mine]
		if waited:
			assert [reply[0] for reply in replies] == [status] * 3, replies
			return
	pytest.fail("nothing had to wait")


def test_who_imports_holds_up_nobody_who_signs(server):
	bench, key = imports(server.vault("main"), 20), rsa_in(server.vault("other"), unique())[0]
	for _ in range(10):
		key.vault.post(f"{key.path}/sign", SIGN).expect(200)
	assert sum(not one.answered() for one in bench) > 2, "they were still waiting"
	for one in bench:
		one.leave()


def test_who_imports_much_waits_for_oneself(server):
	"""One of another vault comes behind those that are being worked on and one more."""
	many = imports(server.vault("main"), 20)
	before = sum(one.answered() for one in many)
	bring(server.vault("other"), unique(), rsa_jwk(rsa_key(4096)))
	assert sum(one.answered() for one in many) <= before + 3 + CORES
	for one in many:
		one.leave()


def test_who_left_is_passed_over(server):
	vault = server.vault("main")
	known = names(vault)
	for one in imports(vault, 30):
		one.leave()
	bring(vault, unique(), rsa_jwk(rsa_key(4096)))
	assert len(names(vault) - known) < 15


def test_a_vaults_line_is_bounded(server):
	"""Beyond it that vault is told to come later, and no other one."""
	vault, other = server.vault("main"), server.vault("other")
	many = imports(vault, EACH + 30)
	deadline = time.monotonic() + 30
	while sum(one.answered() for one in many) < 10:
		assert time.monotonic() < deadline
		time.sleep(0.05)
	replies = [one.reply() for one in many if one.answered()]
	for status, headers, body in replies:
		assert status in (200, 429), body
		if status == 429:
			assert 1 <= int(headers["Retry-After"]) <= 10 and json.loads(body)["error"]["code"] == "Throttled"
	assert 429 in {status for status, _, _ in replies}
	other.post(f"/keys/{unique()}/create", {"kty": "RSA"}).expect(200)
	for one in many:
		one.leave()
