"""Backups of the whole server: made under load, restored elsewhere, and every kind of damage refused."""
import collections
import os
import re
import resource
import shutil
import signal
import subprocess
import threading
import time

import pytest

from hsm import premium, shown
from keys import create, digest_for, key_of, verifies
from strongroom import BINARY, SANITIZER_OPTIONS, Server, unique

NAME = re.compile(r"strongroom-[0-9a-f]{8}-\d{8}T\d{6}Z\.backup$")


def run(*arguments, environment=(), **more):
	done = subprocess.run([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
	    env=SANITIZER_OPTIONS | dict(os.environ) | dict(environment), **more)
	assert "Sanitizer" not in done.stderr, done.stderr
	return done


def fine(done):
	assert done.returncode == 0, done.stderr
	return done.stdout


def refused(done, why):
	assert done.returncode == 1 and why in done.stderr, (done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
	"""Recipients: certificates and keys of either kind."""
	folder = tmp_path_factory.mktemp("recipients")
	for name, kind in (("rsa", ("rsa:2048",)), ("ec", ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")), ("other", ("rsa:2048",))):
		subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-keyout", folder / f"{name}.key",
		    "-out", folder / f"{name}.pem", "-subj", "/CN=backup"], check=True, capture_output=True)
	return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory, keys):
	"""A server with a little in it, and a backup of it; it is stopped then."""
	server = Server(tmp_path_factory.mktemp("backed-up")).start()
	for number in range(20):
		server.vault("main").set(f"s-{number}", "v" * 20000)
	server.stop()
	fine(server.cli("backup", "create", server.folder / "file", "--backup-recipient", keys / "rsa.pem"))
	return server.folder / "file"


def audit_log(server):
	return "".join(path.read_text() for path in sorted((server.data / "audit").glob("*.log")))


def restored(file, key, folder, like):
	"""A server on what the backup holds, at the names and the port of the first one."""
	server = Server(folder)
	fine(run("backup", "restore", file, key, "--data", server.data))
	assert (server.data.stat().st_mode & 0o777, (server.data / "root.key").stat().st_mode & 0o777,
	    (server.data / "store.db").stat().st_mode & 0o777) == (0o700, 0o600, 0o600)
	assert sorted(path.name for path in server.data.iterdir()) == ["audit", "root.key", "store.db"]
	fine(run("audit", "verify", "--data", server.data))
	server.port = like.port
	return server.start()


class Writers:
	"""Threads that set secrets, and remember when each was acknowledged."""

	def __init__(self, server, threads=4):
		self.server, self.done, self.stop, self.failure = server, {}, False, None
		self.threads = [threading.Thread(target=self.write, args=(number,)) for number in range(threads)]

	def write(self, number):
		vault, count = self.server.vault("main"), 0
		try:
			while not self.stop:
				name = f"w-{number}-{count}"
				vault.set(name, f"value of {name}")
				self.done[name] = time.monotonic()
				count += 1
				time.sleep(0.01)  # every one of them is looked for, several times
		except BaseException as failure:
			self.failure = failure

	def __enter__(self):
		for thread in self.threads:
			thread.start()
		return self

	def __exit__(self, *_):
		self.stop = True
		for thread in self.threads:
			thread.join()
		assert not self.failure, self.failure


@pytest.mark.parametrize("kind", ("rsa", "ec"))
def test_under_load_and_elsewhere(tmp_path, keys, kind):
	server = Server(tmp_path / "first").start()
	vault = server.vault("main")
	key = vault.post("/keys/k/create", {"kty": "EC", "crv": "P-256"}).expect(200).json["key"]
	with Writers(server) as writers:
		files = []
		for number in range(3):
			known = len(writers.done)
			wait_for(lambda: len(writers.done) > known + 40)
			began = time.monotonic()
			fine(server.cli("backup", "create", tmp_path / f"b-{number}", "--backup-recipient", keys / f"{kind}.pem"))
			files.append((tmp_path / f"b-{number}", began))
	server.stop()
	for number, (file, began) in enumerate(files):
		assert file.stat().st_mode & 0o777 == 0o600
		fine(run("backup", "verify", file, keys / f"{kind}.key"))
		other = restored(file, keys / f"{kind}.key", tmp_path / f"r-{number}", server)
		facts = [name for name, at in writers.done.items() if at < began]
		assert facts
		for name in facts:
			assert other.vault("main").value(name) == f"value of {name}"
		# Its keys are those the first one had, and it goes on.
		assert other.vault("main").get("/keys/k").expect(200).json["key"] == key
		other.vault("main").set("after", "new")
		other.stop()
		# The log goes on where the backup's ends, no line of a change missing or double.
		fine(other.cli("audit", "verify"))
		set_lines = collections.Counter(re.findall(r'"operationName":"SecretSet"[^\n]*?/secrets/([\w-]+)', audit_log(other)))
		assert [name for name in facts if set_lines[name] != 1] == []


def test_the_log_without_what_was_archived(tmp_path, keys):
	"""Old segments may be put away: backups go on, and what is left of the log is looked at as before."""
	server = Server(tmp_path / "one", options=("--audit-segment-mb", "1")).start()
	vault = server.vault("main")
	first = server.data / "audit" / f"audit-{1:020}.log"
	while len(list(first.parent.glob("*.log"))) < 2:
		for _ in range(200):
			vault.get("/secrets")
	server.stop()
	first.rename(tmp_path / first.name)
	server.start()
	vault.set("behind", "it")
	fine(server.cli("backup", "create", tmp_path / "rest", "--backup-recipient", keys / "ec.pem"))
	server.stop()
	other = tmp_path / "other"
	fine(run("backup", "restore", tmp_path / "rest", keys / "ec.key", "--data", other))
	strict = run("audit", "verify", "--data", other)
	assert strict.returncode != 0 and "where 1 is due" in strict.stderr
	(tmp_path / first.name).rename(other / "audit" / first.name)
	fine(run("audit", "verify", "--data", other))


def test_every_piece_counts(made, keys, tmp_path):
	"""Whatever is changed, cut, doubled or moved: refused, and nothing stays."""
	whole = made.read_bytes()
	envelope = 20 + 4 + int.from_bytes(whole[20:24], "big")
	pieces, at = [], envelope
	while at < len(whole):
		end = at + 4 + int.from_bytes(whole[at:at + 4], "big")
		pieces.append(whole[at:end])
		at = end
	assert len(pieces) >= 4 and b"".join(pieces) == whole[envelope:]
	head = whole[:envelope]

	def flipped(at):
		return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]

	damaged = [flipped(at) for at in (0, 19, 21, 30, envelope - 1)]
	at = envelope
	for piece in pieces:
		damaged += [flipped(at + 1), flipped(at + 5), flipped(at + len(piece) // 2), flipped(at + len(piece) - 1)]
		at += len(piece)
	damaged += [
		b"", whole[:10], head, whole[:-1], whole + b"x", whole + pieces[-1], head + b"".join(pieces[:-1]),
		head + b"".join(pieces[1:]), head + pieces[1] + pieces[0] + b"".join(pieces[2:]),
		head + pieces[0] + pieces[0] + b"".join(pieces[1:]), head + pieces[0] + b"".join(pieces[2:]),
	]
	for number, content in enumerate(damaged):
		file, data = tmp_path / "damaged", tmp_path / f"data-{number}"
		file.write_bytes(content)
		done = run("backup", "restore", file, keys / "rsa.key", "--data", data)
		assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("strongroom backup restore: "), (number, done)
		assert not data.exists(), number
	scratch = tmp_path / "scratch"
	scratch.mkdir()
	refused(run("backup", "verify", file, keys / "rsa.key", environment={"TMPDIR": str(scratch)}), "damaged")
	assert not list(scratch.iterdir())


def test_backups_do_not_mix(made, keys, tmp_path):
	"""A piece of another backup of the same server, to the same recipient, in the same place."""
	fine(run("backup", "create", tmp_path / "second", "--data", made.parent / "data", "--backup-recipient", keys / "rsa.pem"))
	one, two = made.read_bytes(), (tmp_path / "second").read_bytes()
	envelope = 24 + int.from_bytes(one[20:24], "big")
	assert envelope == 24 + int.from_bytes(two[20:24], "big")
	for mixed in (one[:envelope] + two[envelope:], one[:envelope + 4 + 131100] + two[envelope + 4 + 131100:]):
		(tmp_path / "mixed").write_bytes(mixed)
		refused(run("backup", "verify", tmp_path / "mixed", keys / "rsa.key"), "damaged")


def test_wrong_recipient(made, keys, tmp_path):
	refused(run("backup", "restore", made, keys / "other.key", "--data", tmp_path / "data"), "another key")
	refused(run("backup", "restore", made, keys / "ec.key", "--data", tmp_path / "data"), "another key")
	refused(run("backup", "restore", made, keys / "rsa.pem", "--data", tmp_path / "data"), "private key")
	refused(run("backup", "restore", made, tmp_path / "none", "--data", tmp_path / "data"), "can't be read")
	assert not (tmp_path / "data").exists()


def test_nothing_is_overwritten(made, keys, tmp_path):
	"""Neither a data folder, least of all a live one, nor a backup."""
	data = made.parent / "data"
	before = {path.name: path.stat().st_mtime_ns for path in data.iterdir()}
	refused(run("backup", "restore", made, keys / "rsa.key", "--data", data), "not empty")
	assert {path.name: path.stat().st_mtime_ns for path in data.iterdir()} == before
	(tmp_path / "there").write_text("mine")
	refused(run("backup", "create", tmp_path / "there", "--data", data, "--backup-recipient", keys / "rsa.pem"), "already")
	assert (tmp_path / "there").read_text() == "mine"
	# An empty folder is filled: a disk of its own has one from the start.  What a killed restore has left is not in the way.
	(left := tmp_path / "empty" / "restoring-a1b2c3" / "audit").mkdir(parents=True)
	(left / "audit-00000000000000000001.log").write_text("half")
	refused(run("backup", "restore", made, keys / "rsa.key", "--data", tmp_path / "empty"), "not empty")  # one may be under way
	os.utime(left.parent, (1, 1))
	fine(run("backup", "restore", made, keys / "rsa.key", "--data", tmp_path / "empty"))


def test_no_secret_is_in_it_in_the_clear(made):
	content, root = made.read_bytes(), (made.parent / "data" / "root.key").read_text().split()[1]
	assert root.encode() not in content and bytes.fromhex(root) not in content
	assert b"SecretSet" not in content and b"v" * 100 not in content


def limit_files():
	signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
	resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


def test_full_disk(made, keys, tmp_path):
	"""No half of a backup has a name, and no half of a data folder is there."""
	refused(run("backup", "create", tmp_path / "new", "--data", made.parent / "data", "--backup-recipient", keys / "rsa.pem",
	    preexec_fn=limit_files), "can't be written")
	assert not list(tmp_path.iterdir())
	assert run("backup", "restore", made, keys / "rsa.key", "--data", tmp_path / "data", preexec_fn=limit_files).returncode == 1
	assert not list(tmp_path.iterdir())


def test_killed_at_any_time(made, keys, tmp_path):
	"""What has the name of a backup is one; what a killed restore leaves is never served."""
	shutil.copytree(made.parent / "data", tmp_path / "data")
	whole = 0
	began = time.monotonic()
	fine(run("backup", "create", tmp_path / "first", "--data", tmp_path / "data", "--backup-recipient", keys / "rsa.pem"))
	took = time.monotonic() - began
	for number in range(24):
		file = tmp_path / f"b-{number}"
		process = subprocess.Popen([BINARY, "backup", "create", file, "--data", tmp_path / "data", "--backup-recipient", keys / "rsa.pem"],
		    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		time.sleep(took * number / 24)
		process.kill()
		process.wait()
		if file.exists():
			whole += 1
			fine(run("backup", "verify", file, keys / "rsa.key"))
	for folder in (left := list((tmp_path / "data").glob("restoring-*"))):
		os.utime(folder, (1, 1))
	fine(run("backup", "create", tmp_path / "last", "--data", tmp_path / "data", "--backup-recipient", keys / "rsa.pem"))
	assert whole < 24 and not list((tmp_path / "data").glob("restoring-*")), left
	began = time.monotonic()
	fine(run("backup", "restore", made, keys / "rsa.key", "--data", tmp_path / "data-first"))
	took = time.monotonic() - began
	for number in range(24):
		data = tmp_path / f"data-{number}"
		process = subprocess.Popen([BINARY, "backup", "restore", made, keys / "rsa.key", "--data", data],
		    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		time.sleep(took * number / 24)
		process.kill()
		process.wait()
		if (data / "root.key").exists():
			fine(run("audit", "verify", "--data", data))
		else:
			assert run("audit", "verify", "--data", data).returncode == 1


def test_damaged_store_is_not_backed_up(made, keys, tmp_path):
	shutil.copytree(made.parent / "data", tmp_path / "data")
	segment = next((tmp_path / "data" / "audit").glob("*.log"))
	content = bytearray(segment.read_bytes())
	content[len(content) // 2] ^= 1
	segment.write_bytes(content)
	done = run("backup", "create", tmp_path / "new", "--data", tmp_path / "data", "--backup-recipient", keys / "rsa.pem")
	refused(done, "audit-")
	assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
	assert not list((tmp_path / "data").glob("restoring-*"))


def test_recipient_must_be_one(made, keys, tmp_path):
	data = ("--data", made.parent / "data")
	refused(run("backup", "create", tmp_path / "new", *data), "backup-recipient")
	refused(run("backup", "create", tmp_path / "new", *data, "--backup-recipient", keys / "rsa.key"), "certificate")
	refused(run("backup", "create", tmp_path / "new", *data, "--backup-recipient", tmp_path / "none"), "no such file")
	assert not list(tmp_path.iterdir())


def test_the_root_key_is_the_one_of_then(made, keys, tmp_path):
	"""A backup needs no root key but its own, and a rotated one is in the next."""
	shutil.copytree(made.parent / "data", tmp_path / "data")
	fine(run("rekey", "--data", tmp_path / "data"))
	fine(run("backup", "verify", made, keys / "rsa.key"))
	fine(run("backup", "create", tmp_path / "new", "--data", tmp_path / "data", "--backup-recipient", keys / "rsa.pem"))
	for file, like in ((made, made.parent / "data"), (tmp_path / "new", tmp_path / "data")):
		data = tmp_path / f"restored-{file.name}"
		fine(run("backup", "restore", file, keys / "rsa.key", "--data", data))
		assert (data / "root.key").read_text() == (like / "root.key").read_text()
	# One that is lost is not made up for, before anything has a name.
	(tmp_path / "data" / "root.key").unlink()
	refused(run("backup", "create", tmp_path / "none", "--data", tmp_path / "data", "--backup-recipient", keys / "rsa.pem"), "root key")
	assert not (tmp_path / "none").exists()


def test_keys_of_a_token(tmp_path, keys, token):
	"""They stay in it: a restored server needs it."""
	first = Server(tmp_path / "first", options=token.options, environment=token.environment).start()
	bundle = create(premium(first), "k", "EC-HSM", crv="P-256")
	said = fine(first.cli("backup", "create", tmp_path / "file", "--backup-recipient", keys / "rsa.pem"))
	assert "keys in an HSM: 1;" in said
	first.stop()
	other = Server(tmp_path / "other", options=token.options, environment=token.environment)
	assert "keys in an HSM: 1;" in fine(run("backup", "restore", tmp_path / "file", keys / "rsa.key", "--data", other.data))
	other.port = first.port
	other.start()
	vault, digest = other.vault("premium"), digest_for("ES256")
	assert verifies(shown(bundle), "ES256", digest, key_of(vault, bundle).use("sign", "ES256", digest))
	other.stop()


# The server's own


def wait_for(what, seconds=60):
	deadline = time.monotonic() + seconds
	while not (found := what()):
		assert time.monotonic() < deadline, "it did not come"
		time.sleep(0.1)
	return found


def records(server):
	return [line for line in audit_log(server).splitlines() if '"operationName":"ServerBackup"' in line]


def backups(folder):
	return sorted(path for path in folder.iterdir() if NAME.match(path.name))


def test_the_servers_own_backups(tmp_path, keys):
	folder = tmp_path / "backups"
	folder.mkdir()
	options = ("--backup-folder", folder, "--backup-recipient", keys / "rsa.pem", "--backup-keep", 2)
	server = Server(tmp_path / "server", options=options).start()
	first = wait_for(lambda: backups(folder))[0]
	wait_for(lambda: records(server))
	server.stop()
	# Which of them are its own, the name says.
	own, other = first.name[:len("strongroom-01234567-")], "strongroom-00000000-"
	assert own != other
	first.unlink()
	for day in range(1, 4):
		(folder / f"{own}2020010{day}T000000Z.backup").write_text("old")
		(folder / f"{own}2999010{day}T000000Z.backup").write_text("of a clock that was wrong")
	(folder / f"{own}20200101T000000Z.backup.a1b2c3").write_text("left by a crash")
	alien = [f"{other}20200101T000000Z.backup", f"{other}20991231T000000Z.backup", f"{other}20200102T000000Z.backup.a1b2c3",
	    "strongroom-20200101T000000Z.backup", "else"]
	for name in alien:
		(folder / name).write_text("not ours")
	began = time.monotonic()
	server.start()
	new = wait_for(lambda: [path for path in backups(folder) if path.name.startswith(own) and not re.search("-2020|-2999", path.name)])[0]
	left = sorted([*alien, f"{own}20200103T000000Z.backup", new.name])
	wait_for(lambda: sorted(path.name for path in folder.iterdir()) == left)
	line = wait_for(lambda: records(server)[1:])[0]
	took = time.monotonic() - began + 1
	digest = subprocess.run(["sha256sum", new], capture_output=True, text=True, check=True).stdout.split()[0]
	assert '"resultType":"Success"' in line and f"{new.name} sha256 {digest}" in line
	status = ("backup", "status", *map(str, options))
	assert f"{new.name} is the newest of 2 " in fine(server.cli(*status))
	fine(run("backup", "verify", new, keys / "rsa.key"))
	# Not again at once, nor after a restart.
	server.restart()
	server.vault("main").set(unique(), "v")
	time.sleep(took)
	assert len(records(server)) == 2
	new.rename(folder / f"{own}20200104T000000Z.backup")
	refused(server.cli(*status), "overdue")
	server.stop()
	assert not list(server.data.glob("restoring-*"))


def test_two_servers_share_a_folder(tmp_path, keys):
	folder = tmp_path / "backups"
	folder.mkdir()
	options = ("--backup-folder", folder, "--backup-recipient", keys / "rsa.pem", "--backup-keep", 1)
	servers = [Server(tmp_path / name, options=options) for name in ("one", "two")]
	made = []
	for server in servers:
		server.start()
		made.append(wait_for(lambda: [path for path in backups(folder) if path not in made])[0])
		wait_for(lambda: records(server))
		server.stop()
	assert backups(folder) == sorted(made)
	for server, own in zip(servers, made):
		assert f"{own.name} is the newest of 1 " in fine(server.cli("backup", "status", *map(str, options)))


def test_a_failed_backup_is_told(tmp_path, keys):
	folder = tmp_path / "backups"
	options = ("--backup-folder", folder, "--backup-recipient", keys / "rsa.pem")
	server = Server(tmp_path / "server", options=options).start()
	line = wait_for(lambda: records(server))[0]
	assert '"resultType":"Failed"' in line and "can't be opened" in line
	assert "event=backup.failed" in server.output()
	status = ("backup", "status", *map(str, options))
	folder.mkdir()
	refused(server.cli(*status), "the last backup failed")
	server.restart()
	wait_for(lambda: backups(folder))
	wait_for(lambda: not (server.data / "backup.failed").exists())
	fine(server.cli(*status))
	# No answer is not a good one.
	(server.data / "backup.failed").mkdir()
	refused(server.cli(*status), "can't be read")
	server.stop()


def test_a_recipient_that_is_none_stops_the_start(tmp_path, keys):
	server = Server(tmp_path / "server", options=("--backup-folder", tmp_path, "--backup-recipient", keys / "rsa.key"))
	server.spawn()
	assert server.wait() != 0
	assert "backup-recipient" in server.output()
