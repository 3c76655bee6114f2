"""A PKCS#11 token that vanishes while sixteen clients use and make keys in it.

While it is away what needs it is refused with 503, and nothing else is; nobody dies; when it is back all goes on by itself, and
everything that was answered is so.
"""
import collections
import json
import os
import random
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clients"))
from hsm import Token, premium, shown  # noqa: E402
from keys import RSA_ENCRYPTION, b64, create, digest_for, encrypts, key_of, unb64, verifies, version_of  # noqa: E402
from strongroom import Server, unique  # noqa: E402

CLIENTS = 16
NOBODY = 65534


def moved_away(token):
	token.tokens.rename(away := token.tokens.with_name("away"))
	return lambda: away.rename(token.tokens)


def empty(token):
	"""Its reader has another token in it, or none."""
	token.tokens.rename(away := token.tokens.with_name("away"))
	token.tokens.mkdir()
	if os.geteuid() == 0:
		os.chown(token.tokens, NOBODY, NOBODY)

	def back():
		token.tokens.rename(token.tokens.with_name(unique("was")))
		away.rename(token.tokens)
	return back


def unreadable(token):
	"""The server is not root's: see the fixture."""
	token.tokens.chmod(0)
	return lambda: token.tokens.chmod(0o700)


WAYS = (moved_away, empty, unreadable)


class Client(threading.Thread):
	"""One who does one kind of thing with the token's keys, and holds the server to every answer."""

	def __init__(self, bench, number):
		super().__init__()
		self.bench, self.random = bench, random.Random(number)
		self.vault = bench.server.vault("premium")
		self.work = [self.sign, self.unwrap, self.make, self.rotate][number % 4]
		self.answered = {}  # correlation -> status
		self.counts = collections.Counter()
		self.name, self.made, self.refused, self.versions = f"c{number}", [], [], []
		self.wrong = []
		if self.work == self.rotate:
			self.versions.append(create(self.vault, self.name, "EC-HSM"))

	def ask(self, path, body):
		correlation, began = str(uuid.uuid4()), time.monotonic()
		reply = self.vault.post(path, body, headers={"x-ms-client-request-id": correlation})
		self.answered[correlation] = reply.status
		self.counts[reply.status] += 1
		if reply.status not in (200, 503):
			self.wrong.append(f"{path}: {reply}")
		# What began while it was away and ended while it was can't have had it.
		if reply.status == 200 and self.bench.away_throughout(began, time.monotonic()):
			self.wrong.append(f"{path} was answered by a token that was away")
		return reply

	def sign(self):
		algorithm, bundle = self.random.choice((("ES256", self.bench.ec), ("PS256", self.bench.rsa)))
		digest = digest_for(algorithm, self.random.randbytes(32))
		path = bundle["key"]["kid"].removeprefix(self.vault.url)
		reply = self.ask(f"{path}/sign", {"alg": algorithm, "value": b64(digest)})
		if reply.status == 200 and not verifies(shown(bundle), algorithm, digest, unb64(reply.json["value"])):
			self.wrong.append(f"a wrong signature by {path}")

	def unwrap(self):
		secret, algorithm = self.random.randbytes(32), self.random.choice(sorted(RSA_ENCRYPTION))
		path = self.bench.rsa["key"]["kid"].removeprefix(self.vault.url)
		wrapped = encrypts(shown(self.bench.rsa), algorithm, secret)
		reply = self.ask(f"{path}/unwrapkey", {"alg": algorithm, "value": b64(wrapped)})
		if reply.status == 200 and unb64(reply.json["value"]) != secret:
			self.wrong.append(f"{algorithm} unwrapped something else")

	def make(self):
		name = unique(self.name)
		kty = {"kty": "RSA-HSM"} if self.random.random() < 0.1 else {"kty": "EC-HSM"}
		reply = self.ask(f"/keys/{name}/create", kty)
		if reply.status == 200:
			self.made.append(reply.json)
		else:
			self.refused.append(name)

	def rotate(self):
		reply = self.ask(f"/keys/{self.name}/rotate", None)
		if reply.status == 200:
			self.versions.append(reply.json)

	def run(self):
		try:
			while not self.bench.over.is_set() and not self.wrong:
				self.work()
				time.sleep(0.05 if self.work in (self.make, self.rotate) else 0.01)
		except BaseException as failure:
			self.wrong.append(repr(failure))


class Neighbour(Client):
	"""One who needs no token: in another vault, and with a key of software in the same one."""

	def __init__(self, bench, number):
		super().__init__(bench, number)
		self.work = self.live
		self.other = bench.server.vault("main")

	def live(self):
		for reply in (self.other.put(f"/secrets/{self.name}", {"value": self.name}), self.other.get(f"/secrets/{self.name}"),
		    self.other.post(f"/keys/{self.name}/create", {"kty": "EC"}), self.vault.get("/keys/ec"),
		    self.vault.post("/keys/software/sign", {"alg": "ES256", "value": b64(digest_for("ES256"))})):
			self.counts[reply.status] += 1
			if reply.status != 200:
				self.wrong.append(f"{reply}")


class Bench:
	def __init__(self, server, token):
		self.server, self.token, self.over = server, token, threading.Event()
		vault = premium(server)
		self.ec, self.rsa = create(vault, "ec", "EC-HSM"), create(vault, "rsa", "RSA-HSM")
		create(vault, "software", "EC")
		self.spans = []  # [away from, until]
		server.tolerated = (503,)

	def away_throughout(self, began, ended):
		return any(began > since and ended < until for since, until in list(self.spans))

	def vanish(self, way, seconds):
		back = way(self.token)
		self.spans.append([time.monotonic(), float("inf")])
		time.sleep(seconds)
		self.spans[-1][1] = time.monotonic()
		back()


@pytest.fixture
def bench():
	with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # pytest's own lets nobody else through
		folder = Path(folder)
		folder.chmod(0o711)
		(folder / "token").mkdir()
		token = Token(folder / "token")
		user = {}
		if os.geteuid() == 0:  # whom a mode stops
			user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
			(folder / "server").mkdir()
			for path in (folder, *folder.rglob("*")):
				os.chown(path, NOBODY, NOBODY)
		server = Server(folder / "server", options=token.options, environment=token.environment, user=user)
		server.start()
		yield Bench(server, token)
		if server.process.poll() is None:
			server.stop()


def recovered(clients, seconds=60):
	"""Everybody is served again, without anybody's doing."""
	before = [client.counts[200] for client in clients]
	until = time.monotonic() + seconds
	while not all(client.counts[200] > count or client.wrong for client, count in zip(clients, before)):
		assert time.monotonic() < until, [client.counts for client in clients]
		time.sleep(0.1)


def check_keys(vault, clients):
	for client in clients:
		for bundle in client.made + client.versions:
			digest = digest_for("RS256")
			algorithm = "RS256" if bundle["key"]["kty"] == "RSA-HSM" else "ES256"
			signature = key_of(vault, bundle).use("sign", algorithm, digest)
			assert verifies(shown(bundle), algorithm, digest, signature)
		for name in client.refused:
			assert vault.get(f"/keys/{name}").status == 404, f"{name} was refused, and is there"
		if client.versions:
			found = {item["kid"].rsplit("/", 1)[1] for item in vault.items(f"/keys/{client.name}/versions")}
			assert found == set(map(version_of, client.versions)), client.name


def check_log(server, clients):
	logged = collections.defaultdict(list)
	for path in sorted((server.data / "audit").glob("audit-*.log")):
		for line in path.read_text().splitlines():
			record = json.loads(line)
			if "operationName" in record:
				logged[record["correlationId"]].append(record["properties"]["httpStatusCode"])
	for client in clients:
		for correlation, status in client.answered.items():
			assert logged[correlation] == [status], f"answered {status}, logged as {logged[correlation]}"


def test_vanishes_under_load(bench):
	server = bench.server
	clients = [Client(bench, number) for number in range(CLIENTS)]
	neighbours = [Neighbour(bench, CLIENTS + number) for number in range(2)]
	everybody = clients + neighbours
	for client in everybody:
		client.start()
	try:
		for way in WAYS * int(os.environ.get("STRONGROOM_FAULT_VANISHINGS", 1)):
			recovered(everybody)
			time.sleep(2)
			before = [(client.counts[503], client.counts[200]) for client in everybody]
			bench.vanish(way, 2.5)
			for client, (refused, served) in zip(everybody, before):
				assert not client.wrong, (way.__name__, client.wrong)
				if client in clients:
					assert client.counts[503] > refused, f"{client.name} was not told ({way.__name__})"
				else:
					assert client.counts[200] > served, f"{client.name} had to wait ({way.__name__})"
			assert server.process.poll() is None, server.tail()
		recovered(everybody)
	finally:
		bench.over.set()
		for client in everybody:
			client.join(60)
	assert not any(client.is_alive() for client in everybody)
	wrong = [text for client in everybody for text in client.wrong]
	assert not wrong, wrong[:5]
	print(f"{sum(c.counts[200] for c in clients)} answers by the token, {sum(c.counts[503] for c in clients)} refused; "
	    f"{sum(len(c.made) for c in clients)} keys made, {sum(len(c.versions) for c in clients)} rotated; "
	    f"{sum(c.counts[200] for c in neighbours)} answers that need no token")

	check_keys(bench.server.vault("premium"), clients)
	server.kill()
	server.forget_connections()
	server.start()
	check_keys(bench.server.vault("premium"), clients)
	server.stop()
	for path in server.data.rglob("*"):  # it is us who look at it now
		os.chown(path, os.geteuid(), os.getegid())
	verified = server.cli("audit", "verify")
	assert verified.returncode == 0, verified.stderr
	check_log(server, clients)
