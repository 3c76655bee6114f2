"""Nothing acknowledged is lost, and every change is in the audit log once, whenever the server dies.

64 writers set, update, delete, recover and purge secrets, keys and certificates of their own, and give
and take roles, until the server is killed in the middle of it.  Started again, it must hold what each
writer was told, or that and the one change whose answer was under way; the log must verify, with one
record for every answered request.
"""
import collections
import http.client
import json
import os
import random
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clients"))
from certs import chain, pem_of  # noqa: E402
from strongroom import ROLES, Server  # noqa: E402

ROUNDS = int(os.environ.get("STRONGROOM_CRASH_ROUNDS", 50))
SECONDS = float(os.environ.get("STRONGROOM_CRASH_SECONDS", 240))
WRITERS = 64
VERSIONS = 8  # of an object, before its writer turns to the next
FILES = [pem_of(*chain()) for _ in range(8)]  # certificates to import


class Object:
	"""What a writer was told of one of its objects."""

	def __init__(self):
		self.versions = {}    # version -> value
		self.latest = None
		self.tag = None       # of the latest version
		self.state = "absent" # "live", "deleted"

	def copy(self):
		other = Object()
		other.__dict__ |= self.__dict__ | {"versions": dict(self.versions)}
		return other

	def apply(self, verb, value, version):
		"""The outcome of a change that was answered with success."""
		if verb == "set":
			self.versions[version] = value
			self.latest, self.tag, self.state = version, None, "live"
		elif verb == "update":
			self.tag = value
		elif verb == "delete":
			self.state = "deleted"
		elif verb == "recover":
			self.state = "live"
		elif verb == "purge":
			self.__init__()
		return self

	def __eq__(self, other):
		return self.__dict__ == other.__dict__

	def __repr__(self):
		return f"{self.state} latest={self.latest} tag={self.tag} {self.versions}"


class Kind:
	"""How a kind of object is changed and read."""

	host, api = "main.vault.localhost", "7.4"
	verbs = {"absent": ["set"], "live": ["set"] * 5 + ["update"] * 3 + ["delete"] * 2,
	    "deleted": ["recover", "recover", "purge"]}

	def __init__(self, collection, create, body, value):
		self.collection, self.body, self.value = collection, body, value
		self.requests = {
			"set": (*create, body),
			"update": ("PATCH", f"/{collection}/{{}}", lambda value: {"tags": {"tag": value}}),
			"delete": ("DELETE", f"/{collection}/{{}}", None),
			"recover": ("POST", f"/deleted{collection}/{{}}/recover", None),
			"purge": ("DELETE", f"/deleted{collection}/{{}}", None),
		}

	def token(self, server):
		return server.admin.token()

	def name(self, prefix, number):
		return f"{prefix}-{number}"

	def told(self, reply):
		"""What a set was answered with: version, value."""
		return self.version(reply.json), self.value(reply.json)

	@staticmethod
	def version(bundle):
		return (bundle.get("id") or bundle.get("kid") or bundle["key"]["kid"]).rsplit("/", 1)[1]

	def read(self, client, name):
		"""The object as the server has it."""
		found = Object()
		live = client.ask("GET", f"/{self.collection}/{name}")
		if live.status == 404:
			if client.ask("GET", f"/deleted{self.collection}/{name}").status == 404:
				return found
			# Only a recover shows its versions again; nobody asks for this one after us.
			found.state = "deleted"
			client.ask("POST", f"/deleted{self.collection}/{name}/recover").expect(200)
			live = client.ask("GET", f"/{self.collection}/{name}")
		else:
			found.state = "live"
		bundle = live.expect(200).json
		found.latest = self.version(bundle)
		found.tag = bundle.get("tags", {}).get("tag")
		listed = client.ask("GET", f"/{self.collection}/{name}/versions").expect(200).json["value"]
		for version in map(self.version, listed):
			found.versions[version] = self.value(client.ask("GET", f"/{self.collection}/{name}/{version}").expect(200).json)
		return found


class Roles(Kind):
	"""A role assignment is there or not; nothing is recovered."""

	host, api = "management.localhost", "2022-04-01"
	verbs = {"absent": ["set"], "live": ["delete"]}

	def __init__(self, server):
		self.server = server
		admin, scope = server.admin.object_id, server.scope()
		role = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{ROLES['Key Vault Reader']}"
		body = {"properties": {"roleDefinitionId": role, "principalId": admin, "principalType": "ServicePrincipal"}}
		self.requests = {"set": ("PUT", "{}", lambda value: body), "delete": ("DELETE", "{}", None)}

	def token(self, server):
		return server.admin.token(server.management)

	def name(self, prefix, number):
		return (f"{self.server.scope('main')}/secrets/{prefix}-{number}/providers/Microsoft.Authorization/"
		    f"roleAssignments/{uuid.uuid4()}")

	def told(self, reply):
		return None, None

	def read(self, client, name):
		found = Object()
		if client.ask("GET", name).status == 200:
			found.state = "live"
		return found


SECRETS = Kind("secrets", ("PUT", "/secrets/{}"), lambda value: {"value": value}, lambda bundle: bundle["value"])
KEYS = Kind("keys", ("POST", "/keys/{}/create"), lambda value: {"kty": "EC"}, lambda bundle: bundle["key"]["x"])
CERTIFICATES = Kind("certificates", ("POST", "/certificates/{}/import"),
    lambda value: {"value": FILES[int(value, 16) % len(FILES)]}, lambda bundle: bundle["cer"])


class Client:
	"""A connection that remembers what was answered: correlation id -> status."""

	def __init__(self, server, kind):
		self.connection = server.connection(kind.host, timeout=30)
		self.kind = kind
		self.token = kind.token(server)
		self.answered = {}

	def ask(self, method, path, body=None, correlation=None):
		correlation = correlation or str(uuid.uuid4())
		reply = self.connection.exchange(method, f"{path}?api-version={self.kind.api}",
		    json.dumps(body).encode() if body else None,
		    {"Authorization": f"Bearer {self.token}", "x-ms-client-request-id": correlation,
		        "Content-Type": "application/json"})
		self.answered[correlation] = reply.status
		return reply


class Writer(Client):
	def __init__(self, server, kind, prefix, seed):
		super().__init__(server, kind)
		self.prefix = prefix
		self.random = random.Random(seed)
		self.objects = {}
		self.pending = None  # (name, verb, value, correlation)
		self.surprise = None

	def next_change(self):
		name = known = None
		if self.objects:
			name, known = next(reversed(self.objects.items()))
			if len(known.versions) >= VERSIONS or self.random.random() < 0.05:
				known = None
		if known is None:
			name = self.kind.name(self.prefix, len(self.objects))
			known = self.objects[name] = Object()
		verb = self.random.choice(self.kind.verbs[known.state])
		return name, verb, self.random.randbytes(12).hex(), str(uuid.uuid4())

	def run(self):
		try:
			while True:
				self.pending = name, verb, value, correlation = self.next_change()
				method, path, body = self.kind.requests[verb]
				reply = self.ask(method, path.format(name), body and body(value), correlation)
				if reply.status not in (200, 201, 204):
					self.surprise = f"{verb} {name}: {reply}"
					return
				version = None
				if verb == "set":
					version, value = self.kind.told(reply)
				self.apply(self.objects[name], verb, value, version)
				self.pending = None
		except (OSError, http.client.HTTPException):
			pass  # It was killed.
		finally:
			self.connection.close()

	def apply(self, known, verb, value, version):
		if verb == "delete" and "deleted" not in self.kind.verbs:
			return known.apply("purge", None, None)
		if version is None and verb == "set":
			known.state = "live"
			return known
		return known.apply(verb, value, version)


class Checker(Client):
	def check(self, writer, name):
		"""Whether the pending change was made; None when there was none on this object."""
		told = writer.objects[name]
		found = writer.kind.read(self, name)
		if writer.pending and writer.pending[0] == name:
			_, verb, value, _ = writer.pending
			version = next(iter(set(found.versions) - set(told.versions)), None)
			if verb == "set" and writer.kind is not SECRETS:
				value = found.versions.get(version)  # the server's choice, or what it made of a file
			versioned = verb == "set" and not isinstance(writer.kind, Roles)
			if (version or not versioned) and found == writer.apply(told.copy(), verb, value, version):
				return True
			assert found == told, f"{name}: told {told}, pending {writer.pending}, found {found}"
			return False
		assert found == told, f"{name}: told {told}, found {found}"
		return None


class AuditLog:
	"""The log's records as they come: correlation id -> statuses."""

	def __init__(self, folder):
		self.folder = folder
		self.read_to = collections.Counter()
		self.records = collections.defaultdict(list)

	def read(self):
		for path in sorted(self.folder.glob("audit-*.log")):
			with open(path, "rb") as file:
				file.seek(self.read_to[path])
				content = file.read()
			content = content[:content.rfind(b"\n") + 1]
			self.read_to[path] += len(content)
			for line in content.splitlines():
				record = json.loads(line)
				if "operationName" in record:
					self.records[record["correlationId"]].append(record["properties"]["httpStatusCode"])


def one_round(server, number, seed):
	"""Load, kill, start again; returns the writers."""
	chance = random.Random(seed)
	kinds = [SECRETS] * 3 + [KEYS, CERTIFICATES, KEYS, SECRETS, Roles(server)]
	writers = [Writer(server, kinds[index % len(kinds)], f"r{number}-w{index}", f"{seed}-{index}")
	    for index in range(WRITERS)]
	threads = [threading.Thread(target=writer.run) for writer in writers]
	for thread in threads:
		thread.start()
	time.sleep(chance.uniform(0.1, 0.8))
	server.kill()
	for thread in threads:
		thread.join(40)
		assert not thread.is_alive()
	surprises = [writer.surprise for writer in writers if writer.surprise]
	assert not surprises, surprises[:3]
	if number % 5 == 4:  # Dying again while it recovers must do no harm either.
		server.spawn()
		time.sleep(chance.uniform(0, 0.08))
		server.process.kill()
		server.process.wait()
	server.forget_connections()
	server.start()
	return writers


def check_round(server, writers, log):
	"""Every secret, the log, and what became of the changes under way: (made, not made)."""
	def check(part):
		checker = Checker(server, part[0].kind)
		outcomes = [(writer, checker.check(writer, name)) for writer in part for name in writer.objects]
		checker.connection.close()
		return checker, outcomes

	# Every eighth writer is of the same kind.
	with ThreadPoolExecutor(8) as pool:
		checked = list(pool.map(check, [writers[index::8] for index in range(8)]))
	server.stop()
	verified = server.cli("audit", "verify")
	assert verified.returncode == 0, verified.stdout + verified.stderr

	log.read()
	for client in [*writers, *(checker for checker, _ in checked)]:
		for correlation, status in client.answered.items():
			assert log.records[correlation] == [status], f"{correlation}: answered {status}, logged {log.records[correlation]}"
	made = unmade = 0
	for writer, outcome in (pair for _, outcomes in checked for pair in outcomes):
		if outcome is None:
			continue
		logged = log.records[writer.pending[3]]
		assert len(logged) <= 1, f"{writer.pending} is logged as {logged}"
		assert bool(logged and logged[0] < 300) == outcome, f"{writer.pending}: made {outcome}, logged as {logged}"
		made, unmade = made + outcome, unmade + (not outcome)
	return made, unmade


@pytest.mark.timeout(SECONDS + 120)
def test_crash(tmp_path):
	seed = os.environ.get("STRONGROOM_CRASH_SEED") or uuid.uuid4().hex
	print(f"STRONGROOM_CRASH_SEED={seed}")
	server = Server(tmp_path)
	log = AuditLog(server.data / "audit")
	begun = time.monotonic()
	answered = made = unmade = 0
	for number in range(ROUNDS):
		server.start()
		writers = one_round(server, number, f"{seed}-{number}")
		outcome = check_round(server, writers, log)
		made, unmade = made + outcome[0], unmade + outcome[1]
		answered += sum(len(writer.answered) for writer in writers)
		assert time.monotonic() - begun < SECONDS, f"only {number + 1} rounds in {SECONDS:.0f} s"
	print(f"{ROUNDS} crashes, {answered} changes answered, {made + unmade} under way, {made} of them made")
	assert answered > 20 * ROUNDS, "too little happened for this to say anything"
	assert made + unmade > 5 * ROUNDS, "it did not die in the middle of it"
	twice = {correlation: statuses for correlation, statuses in log.records.items() if len(statuses) > 1}
	assert not twice, list(twice.items())[:5]
