"""Every row with the first, second, third … of its allocations failing.

What is asked must be answered, or the connection be closed where there is no memory to answer with; an error has changed
nothing; a success is recorded; the next request works; and in the end the audit log verifies.
"""
import http.client
import os
import re
import sqlite3
import ssl
import time

import pytest

from rows import REFUSED, ROWS, World
from shim import FaultyServer

# At most so many of a request's allocations fail, spread over all it makes; script/soak asks for more.
EACH = int(os.environ.get("STRONGROOM_FAULT_ALLOCATIONS", 8))
RUN = 50  # so many allocations behind it fail, too: what waits for memory is answered in the end

# Written by the server at its own time.
BEHIND = re.compile(rb"audit/|due/|slow/|away/|dev/clock|.*/mail/|v/[^/]*/cp/")


class Bench:
	def __init__(self, folder):
		self.server = FaultyServer(folder)
		self.server.tolerated = (500, 503)
		self.server.start()
		self.faults = self.server.faults_told
		self.world = World(self.server)
		self.server.vault("main").set("steady", "as ever")
		self.connections = {}
		self.store = sqlite3.connect(f"file:{self.server.data}/store.db?mode=ro", uri=True, isolation_level=None)
		self.tried = self.refused = self.dropped = 0

	def documents(self):
		found = self.store.execute("SELECT key, rev FROM doc").fetchall()
		return {key: revision for key, revision in found if not BEHIND.match(key)}

	def settled(self):
		"""No certificate (vault/due.h) is being made, no group deleted (arm/group.h), which an earlier request asked for."""
		until = time.monotonic() + 60
		while self.store.execute("SELECT 1 FROM doc WHERE key > ? AND key < ? AND instr(key, ?) OR key > ? AND key < ?",
		    (b"due/", b"due0", b"/7/", b"gd/", b"gd0")).fetchall():
			assert time.monotonic() < until
			time.sleep(0.05)

	def connect(self, host):
		if host not in self.connections:
			self.connections[host] = self.server.connection(host, timeout=20)
			# The handshake is behind it only when something was answered.
			self.connections[host].exchange("GET", "/healthstatus")
		return self.connections[host]

	def send(self, asked):
		"""A reply, or None when the connection ended without one."""
		try:
			return self.connect(asked.host).exchange(asked.method, asked.target, asked.body, asked.headers)
		except (http.client.HTTPException, ConnectionError, ssl.SSLError):
			assert self.server.process.poll() is None, f"the server died: {self.server.process.returncode}\n{self.server.tail()}"
			self.connections.pop(asked.host).close()
			return None

	def steady(self, what):
		"""The next request works; but a change whose record could not be written first has to be caught up with."""
		until = time.monotonic() + 10
		while (reply := self.server.vault("main").get("/secrets/steady")).status == 503 and time.monotonic() < until:
			assert "audit log" in reply.error["message"], f"after {what}: {reply}"
			time.sleep(0.05)
		assert reply.status == 200 and reply.json["value"] == "as ever", f"after {what}: {reply}"

	def count(self, row):
		"""How many allocations it takes when all goes well, which it must."""
		asked = self.world.ask(row)
		if idle := self.connections.pop(asked.host, None):  # closed by now, when rows of other hosts took long
			idle.close()
		self.connect(asked.host)
		self.faults.memory.off()
		self.faults.memory.seen = 0
		reply = self.send(asked)
		assert reply is not None and (reply.status < 400 or row["name"] in REFUSED and reply.status < 500), reply
		return self.faults.memory.seen

	def one(self, row, asked, first, times):
		"""Ask with the allocation ${first} failing, and more: whether ${asked} has changed nothing."""
		self.settled()
		before = self.documents()
		self.connect(asked.host)
		self.faults.memory.arm(first, times)
		reply = self.send(asked)
		self.faults.memory.off()
		failed = self.faults.memory.failed > 0
		self.tried += failed
		what = f"{row['name']} {asked.method} {asked.target}, allocation {first} of {times}: {reply}"
		self.steady(what)
		if reply is None:
			self.dropped += 1
			return False
		assert failed or reply.status < 500, what
		if reply.status < 400:
			assert row["name"] != "KeyVerify" or reply.json["value"] is True, what
			return False
		assert reply.status in (500, 503) or row["name"] in REFUSED, f"the client is blamed: {what}"
		self.refused += 1
		after = self.documents()
		changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
		assert not changed, f"{what}, but it changed {changed}"
		return True


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
	one = Bench(tmp_path_factory.mktemp("memory"))
	yield one
	one.store.close()
	print(f"{one.tried} failing allocations: {one.refused} requests refused, {one.dropped} connections closed")
	one.server.stop()
	verified = one.server.cli("audit", "verify")
	assert verified.returncode == 0, verified.stdout + verified.stderr


def label(row):
	return f"{row['name']} {row['method']} {row['path']}"


def spread(count):
	"""At most EACH numbers of 1 to ${count}, with both ends."""
	if count <= EACH:
		return range(1, count + 1)
	return sorted({1 + index * (count - 1) // (EACH - 1) for index in range(EACH)})


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_row(bench, row):
	bench.count(row)  # fills caches
	count = bench.count(row)
	asked = bench.world.ask(row)
	for times in (1, RUN):
		for first in spread(count):
			if not bench.one(row, asked, first, times):
				asked = bench.world.ask(row)
	bench.count(row)
