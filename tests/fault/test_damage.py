"""Files that are damaged while the server is away: refused with a clear message, never served."""
import os
import random
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clients"))
from strongroom import BINARY, SANITIZER_FAULT, SANITIZER_OPTIONS, Server  # noqa: E402

PAGES = int(os.environ.get("STRONGROOM_FAULT_PAGES", 12))  # of the store are damaged, one after the other
PAGE = 4096
SECRETS = {f"kept-{index}": f"value {index} " + "x" * 900 for index in range(60)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
	"""A server with secrets, a key and a large log, stopped."""
	one = Server(tmp_path_factory.mktemp("whole")).start()
	vault = one.vault("main")
	for name, value in SECRETS.items():
		vault.set(name, value)
	vault.post("/keys/kept/create", {"kty": "EC"}).expect(200)
	one.stop()
	return one


@pytest.fixture
def copy(whole, tmp_path):
	one = Server(tmp_path)
	shutil.copytree(whole.data, one.data)
	one.tolerated = (500, 503)
	yield one
	if one.process and one.process.poll() is None:
		one.stop()
	assert not one.faults(), one.faults()


def refusal(server):
	"""What it says when it does not start; None when it does."""
	try:
		server.start()
	except AssertionError:
		code, said = server.process.returncode, server.output()
		assert code is not None and code > 0, f"it did not end by itself ({code}): {said}"
		assert not SANITIZER_FAULT.search(said), said
		return said
	return None


def refused(server, pattern):
	said = refusal(server)
	assert said is not None, "it serves what is damaged"
	assert re.search(pattern, said, re.I), said


def change(path, at, new):
	with open(path, "r+b") as file:
		file.seek(at)
		file.write(new)


@pytest.mark.parametrize("left", (0, 1, 99, 100, PAGE - 1, PAGE, PAGE + 1, 10 * PAGE, -PAGE, -1))
def test_truncated_store(copy, left):
	path = copy.data / "store.db"
	os.truncate(path, left if left >= 0 else path.stat().st_size + left)
	refused(copy, r"store")


def test_no_store(copy):
	"""A log and a key without their store: not a new installation."""
	(copy.data / "store.db").unlink()
	refused(copy, r"store|audit|root key")


@pytest.mark.parametrize("bytes_", ("page", "bit"))
def test_damaged_pages(copy, bytes_):
	"""Found at start, or when it is read: what is answered is right or an error, and nothing is missing."""
	seed = os.environ.get("STRONGROOM_FAULT_SEED") or uuid.uuid4().hex
	print(f"STRONGROOM_FAULT_SEED={seed}")
	chance = random.Random(seed + bytes_)
	path = copy.data / "store.db"
	good = path.read_bytes()
	found = 0
	for page in chance.sample(range(1, len(good) // PAGE), min(PAGES, len(good) // PAGE - 1)):
		at = page * PAGE + chance.randrange(PAGE)
		path.write_bytes(good)
		if bytes_ == "page":
			change(path, page * PAGE, chance.randbytes(PAGE))
		else:
			change(path, at, bytes([good[at] ^ 1 << chance.randrange(8)]))
		if refusal(copy) is not None:
			found += 1
			os.truncate(copy.log, 0)
			continue
		for name, value in SECRETS.items():
			reply = copy.vault("main").get(f"/secrets/{name}")
			found += reply.status >= 500
			assert reply.status in (200, 500, 503), f"page {page}, byte {at}: {name}: {reply}"
			assert reply.status != 200 or reply.json["value"] == value, f"page {page}, byte {at}"
		copy.kill()
		copy.forget_connections()
		for rest in copy.data.glob("store.db-*"):
			rest.unlink()
	assert found or bytes_ == "bit", "damage was never found"


@pytest.mark.parametrize("content", (b"", b"\n", b"short", b"\x00" * 82, None))
def test_damaged_root_key(copy, content):
	path = copy.data / "root.key"
	if content is None:
		path.unlink()
	else:
		path.write_bytes(content)
	refused(copy, r"root key")


def test_other_root_key(copy):
	path = copy.data / "root.key"
	text = path.read_bytes()
	at = len(text) // 2
	change(path, at, b"0" if text[at:at + 1] != b"0" else b"1")
	refused(copy, r"key")


def log_of(server):
	return sorted((server.data / "audit").glob("audit-*.log"))[-1]


def cut_end(path, lines):
	os.truncate(path, len(b"".join(lines[:-3])))


def cut_to_nothing(path, lines):
	os.truncate(path, 0)


def remove(path, lines):
	path.unlink()


def change_one(path, lines):
	path.write_bytes(b"".join(lines).replace(b'"resultType":"Success"', b'"resultType":"Success!"', 1))


def drop_one(path, lines):
	path.write_bytes(b"".join(lines[:4] + lines[5:]))


def flip(path, lines):
	change(path, len(b"".join(lines)) // 2, b"\xff")


@pytest.mark.parametrize("damage", (cut_end, cut_to_nothing, remove, change_one, drop_one, flip), ids=lambda one: one.__name__)
def test_damaged_log(copy, damage):
	"""The server does not hide it: it refuses, or `audit verify` still says so when it has run."""
	path = log_of(copy)
	damage(path, path.read_bytes().splitlines(True))
	if refusal(copy) is None:
		copy.vault("main").set("later", "x")
		copy.stop()
	verified = copy.cli("audit", "verify")
	assert verified.returncode != 0 and verified.stderr.strip(), "the log is found to be whole"


@pytest.mark.parametrize("text", (b"\x00\x01\x02", b"port = banana\n", b"nonsense = 1\n", b"[", b"port = 84", b"data\n", b"=" * 100000))
def test_damaged_settings(tmp_path, text):
	path = tmp_path / "settings"
	path.write_bytes(text if text != b"port = 84" else b"data = " + str(tmp_path / "none").encode() + b"\nport = 84zz")
	done = subprocess.run([BINARY, "serve", "--config", path], capture_output=True, text=True, timeout=60,
	    env=SANITIZER_OPTIONS)
	assert done.returncode > 0 and done.stderr.strip(), done
	assert not SANITIZER_FAULT.search(done.stderr), done.stderr
