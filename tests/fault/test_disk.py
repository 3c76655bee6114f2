"""Disks that fail under a running server: what was acknowledged is there, what was refused is not, and it recovers by itself.

Every write, sync, rename, truncation and reservation fails, for a while and singly; in the store and in the audit log; with an
I/O error, no space left, and halfway.  Then the server is killed, started again, and asked for everything.
"""
import errno
import os
import shutil
import subprocess
import time
import uuid

import pytest

from shim import FaultyServer
from strongroom import unique, wait_until

EACH = int(os.environ.get("STRONGROOM_FAULT_CALLS", 2))  # more of them: script/soak
STORE, LOG = "/store.db", "/audit/"

# What fails, where, how: and whether a change may be acknowledged meanwhile.
LASTING = {
	"store: I/O error": (("write",), STORE, errno.EIO, 0, False),
	"store: full": (("write",), STORE, errno.ENOSPC, 0, False),
	"store: full halfway": (("write",), STORE, errno.ENOSPC, 700, False),
	"store: short writes": (("write",), STORE, 0, 700, True),
	"store: no sync": (("sync",), STORE, errno.EIO, 0, False),
	"store: nothing can be cut": (("truncate",), STORE, errno.EIO, 0, True),
	"log: I/O error": (("write",), LOG, errno.EIO, 0, True),
	"log: full": (("write", "reserve"), LOG, errno.ENOSPC, 0, True),
	"log: full halfway": (("write",), LOG, errno.ENOSPC, 100, True),
	"log: full halfway, and stays torn": (("write", "truncate"), LOG, errno.EIO, 100, True),
	"log: short writes": (("write",), LOG, 0, 100, True),
	"log: no sync": (("sync",), LOG, errno.EIO, 0, True),
	"log: no names": (("rename",), "audit-", errno.EIO, 0, True),
	"all: I/O error": (("write", "sync", "rename", "truncate", "reserve"), "/data/", errno.EIO, 0, False),
	"all: full": (("write", "reserve"), "/data/", errno.ENOSPC, 300, False),
}


class Ledger:
	"""What the server has said of secrets; it is held to every word of it."""

	def __init__(self, server):
		self.server, self.facts, self.answered = server, {}, {}
		self.acknowledged = self.refused = 0

	def ask(self, method, path, body=None):
		correlation = str(uuid.uuid4())
		reply = self.server.vault("main").request(method, path, body, headers={"x-ms-client-request-id": correlation})
		self.answered[correlation] = reply.status
		return reply

	def change(self, name, value):
		"""Set it, or delete it when ${value} is None."""
		reply = self.ask("PUT", f"/secrets/{name}", {"value": value}) if value is not None \
		    else self.ask("DELETE", f"/secrets/{name}")
		assert reply.status in (200, 500, 503), reply
		if reply.status == 200:
			self.facts[name] = value
			self.acknowledged += 1
		else:
			assert reply.error["message"], "it says what is wrong"
			self.facts.setdefault(name, None)
			self.refused += 1
		return reply

	def some(self):
		name = unique("fact")
		return [self.change(name, "first"), self.change(name, "second")] + \
		    ([self.change(name, None)] if self.facts[name] else [])

	def check(self):
		for name, value in self.facts.items():
			reply = self.ask("GET", f"/secrets/{name}")
			assert (reply.status, reply.json.get("value")) == ((404, None) if value is None else (200, value)), \
			    f"{name} was said to be {value}: {reply}"


class Bench:
	def __init__(self, folder):
		self.server = FaultyServer(folder, options=("--audit-segment-mb", "1"))
		self.server.tolerated = (500, 503)
		self.server.start()
		self.faults = self.server.faults_told
		self.ledger = Ledger(self.server)

	def recover(self):
		"""Without a restart: a tick of the audit log may have to pass."""
		self.faults.off()
		until = time.monotonic() + 20
		while self.ledger.change(unique("well"), "again").status != 200:
			assert time.monotonic() < until, f"it does not recover:\n{self.server.tail()}"
			time.sleep(0.05)

	def judge(self):
		"""Kill it, start it, and hold it to what it said; the log, too."""
		self.ledger.check()
		self.server.kill()
		self.server.forget_connections()
		self.server.start()
		self.ledger.check()
		self.server.stop()
		verified = self.server.cli("audit", "verify")
		assert verified.returncode == 0, verified.stdout + verified.stderr
		logged = b"".join(path.read_bytes() for path in sorted((self.server.data / "audit").glob("audit-*.log")))
		missing = [correlation for correlation, status in self.ledger.answered.items()
		    if status < 400 and logged.count(correlation.encode()) != 1]
		assert not missing, f"answered, and not recorded once: {missing[:5]}"
		self.server.start()


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
	one = Bench(tmp_path_factory.mktemp("disk"))
	yield one
	one.server.stop()
	print(f"{one.ledger.acknowledged} changes acknowledged, {one.ledger.refused} refused")


@pytest.mark.parametrize("what", LASTING)
def test_while_it_lasts(bench, what):
	calls, path, code, partly, may = LASTING[what]
	ledger = bench.ledger
	ledger.some()
	offset = bench.server.log.stat().st_size
	bench.faults.fail(calls, path, code, partly)
	replies = [reply for _ in range(4) for reply in ledger.some()]
	if not may:
		assert all(reply.status >= 500 for reply in replies), replies
	if bench.faults.files.failed and code and any(reply.status >= 500 for reply in replies):
		said = bench.server.output(offset)
		assert "event=store.unwritable" in said or "event=audit.failed" in said, said
	bench.recover()
	ledger.some()
	bench.judge()


@pytest.mark.parametrize("path", (STORE, LOG))
@pytest.mark.parametrize("calls", (("write",), ("sync",), ("write", "sync", "truncate", "rename", "reserve", "open")))
@pytest.mark.parametrize("code, partly", ((errno.EIO, 0), (errno.ENOSPC, 50), (0, 50)))
def test_one_call(bench, path, calls, code, partly):
	"""The first, the second, the third … fails, and none other."""
	if code == 0 and calls != ("write",):
		pytest.skip("only writes can be short")
	for first in range(1, EACH + 1):
		bench.faults.fail(calls, path, code, partly, first, 1)
		bench.ledger.some()
		bench.recover()
	bench.judge()


@pytest.fixture
def small(tmp_path):
	"""A server on a disk of its own, of 16 MB."""
	disk = tmp_path / "disk"
	disk.mkdir()
	if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", disk], capture_output=True).returncode != 0:
		pytest.skip("mounting is not permitted; test_while_it_lasts has the same by the shim")
	try:
		one = Bench(disk / "server")
		yield one
		one.server.stop()
	finally:
		subprocess.run(["umount", "-l", disk], check=True)


def test_full_disk(small):
	"""Changes are refused as soon as they can't be kept; reads as soon as they can't be recorded; then all goes on."""
	ledger, server = small.ledger, small.server
	ledger.some()
	ledger.change("known", "before")
	filler = server.folder / "filler"
	with open(filler, "wb") as file:
		file.truncate(0)
		while (room := shutil.disk_usage(server.folder).free) > 0:
			file.write(b"x" * room)
			file.flush()
	refused = None
	for number in range(2000):
		if ledger.change(f"full-{number}", "x" * 5000).status != 200:
			refused = number
			break
	assert refused is not None, "there was room for everything"
	# The log has its space ahead: what can be recorded is answered.
	read = ledger.ask("GET", "/secrets/known").expect(200)
	assert read.json["value"] == "before"
	count = 0
	while ledger.ask("GET", "/secrets/known").status == 200:
		count += 1
		assert count < 20000, "the log has no end"
	reply = ledger.ask("GET", "/secrets/known").expect(503)
	assert "audit log" in reply.error["message"]
	print(f"{refused} changes were kept, {count} reads recorded")
	said = server.output()
	assert "event=store.unwritable" in said and "event=audit.failed" in said, said
	filler.unlink()
	small.recover()
	ledger.some()
	small.judge()


def test_what_is_due_waits(tmp_path):
	"""While nothing can be written, what is due is tried by one change a second, and not each of it with a line in the server's log."""
	server = FaultyServer(tmp_path, ("main",), ("--retention", "main=7"))
	server.tolerated = (500, 503)
	server.start()
	vault, names = server.vault("main"), [unique("due") for _ in range(50)]
	for name in names:
		vault.set(name, "x")
		vault.remove(name)
	vault.post("/keys/turns/create", {"kty": "RSA"}).expect(200)
	vault.put("/keys/turns/rotationpolicy", {"lifetimeActions": [{"trigger": {"timeAfterCreate": "P7D"}, "action": {"type": "Rotate"}}],
	    "attributes": {"expiryTime": "P60D"}}).expect(200)
	server.faults_told.fail(("write",), STORE, errno.ENOSPC)
	vault.put("/secrets/no", {"value": "x"}).expect(503)
	server.faults_told.off()
	server.advance("8d")
	server.faults_told.fail(("write",), STORE, errno.ENOSPC)
	time.sleep(4)
	failed = server.log.read_text().count("event=due.failed")
	assert failed <= 4, f"{failed} lines"
	server.faults_told.off()
	until = time.monotonic() + 60
	while vault.items("/deletedsecrets") or len(vault.items("/keys/turns/versions")) < 2:
		assert time.monotonic() < until, server.tail()
		time.sleep(0.1)
	server.stop()


def test_the_log_recovers_while_what_is_due_stands_still(tmp_path):
	"""A thread of its own looks after the log: a disk that does not answer to a job keeps no reader waiting."""
	server = FaultyServer(tmp_path, ("main",), ("--retention", "main=7"))
	server.tolerated = (503,)
	server.start()
	faults, vault = server.faults_told, server.vault("main")
	vault.set("due", "x")
	vault.remove("due")
	connection = server.connection(vault.host)  # made now: certificates of then are not yet good

	def ask():
		return connection.exchange("GET", "/secrets?api-version=7.4").status

	assert ask() == 401
	faults.fail(("write",), LOG, errno.EIO)
	wait_until(lambda: ask() == 503)
	wait_until(lambda: "event=audit.trouble" in server.output())  # who looks after it has been there, and waits for no change
	# Nobody but what is due changes anything now, as long as the log can't be written.
	faults.hold(STORE)
	faults.control.clock = 8 * 86400 * 10 ** 9
	wait_until(lambda: faults.held.failed == 1)
	assert ask() == 503
	faults.heal()
	wait_until(lambda: ask() == 401)
	assert faults.held.first == 1, "it still stands"
	connection.close()
	faults.control.clock = 0
	faults.off()
	wait_until(lambda: vault.get("/deletedsecrets/due").status == 404)
	server.stop()
	assert server.cli("audit", "verify").returncode == 0
