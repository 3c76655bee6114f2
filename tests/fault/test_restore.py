"""Backups of the whole server while calls fail, the disk is full, or the process dies at any call it makes.

A file that has a backup's name is one.  A data folder that is restored to is whole, or empty again; or, after a kill, nobody
serves it and the next restore fills it.
"""
import contextlib
import errno
import os
import shutil
import signal
import subprocess

import pytest

from shim import DIE, FOREVER, Faults, FaultyServer
from strongroom import Server, unique
from test_backup import NAME, Writers, backups, fine, keys, made, records, refused, run, wait_for  # noqa: F401 (fixtures among them)

EACH = 4 * int(os.environ.get("STRONGROOM_FAULT_CALLS", 2))
LAST = 14  # of a restore: everything gets its name
CALLS = ("write", "sync", "rename", "truncate", "reserve", "open")
WHOLE = ["audit", "root.key", "store.db"]

pytestmark = pytest.mark.timeout(300 + 30 * EACH)


@pytest.fixture
def faults(tmp_path):
	return Faults(tmp_path / "faults")


def spread(count):
	"""At most EACH numbers of 1 to ${count}, and the last ones."""
	assert count > LAST
	return sorted({1 + index * (count - 1) // (EACH - 1) for index in range(EACH)} | set(range(count - LAST, count + 1)))


def count_calls(faults, path, command):
	faults.fail(CALLS, path, first=FOREVER)
	fine(command())
	faults.off()
	return faults.files.seen


def names(folder):
	return sorted(path.name for path in folder.iterdir())


def is_whole(data):
	assert names(data) == WHOLE
	fine(run("audit", "verify", "--data", data))


@pytest.mark.parametrize("partly", (0, 100))
def test_restore_killed_at_any_call(made, keys, tmp_path, faults, partly):  # noqa: F811
	def restore(data, environment=()):
		return run("backup", "restore", made, keys / "rsa.key", "--data", data, environment=environment)

	(tmp_path / "to").mkdir()
	calls = count_calls(faults, "/to/", lambda: restore(tmp_path / "to" / "counted", faults.environment))
	whole = halves = 0
	for first in spread(calls):
		data = tmp_path / "to" / f"data-{first}"
		faults.fail(CALLS, "/to/", DIE, partly, first, 1)
		code = restore(data, faults.environment).returncode
		faults.off()
		if code == 0:  # it made a call less than when they were counted
			is_whole(data)
			continue
		assert code == -signal.SIGKILL, first
		if (data / "root.key").exists():
			whole += 1
			is_whole_but_for_the_stage(data)
			continue
		for command in (("audit", "verify"), ("rekey",), ("init",)):
			done = run(*command, "--data", data)
			if (data / "root.key.restoring").exists():
				refused(done, "A restore to the data folder")
			elif command == ("init",):
				shutil.rmtree(data, ignore_errors=True)  # killed before it had begun: an empty folder, which may become anything
		halves += (data / "store.db").exists()
		fine(restore(data))
		is_whole(data)
	print(f"killed at {len(spread(calls))} of {calls} calls, {halves} times with some of it in its place, {whole} with all")
	assert halves > 1 and whole


def is_whole_but_for_the_stage(data):
	assert [name for name in names(data) if not name.startswith("restoring-")] == WHOLE
	fine(run("audit", "verify", "--data", data))


@pytest.mark.parametrize("code, partly, times", ((errno.EIO, 0, 1), (errno.ENOSPC, 100, 1), (errno.ENOSPC, 0, FOREVER)))
def test_restore_on_a_failing_disk(made, keys, tmp_path, faults, code, partly, times):  # noqa: F811
	def restore(data, environment=()):
		return run("backup", "restore", made, keys / "rsa.key", "--data", data, environment=environment)

	(tmp_path / "to").mkdir()
	calls = count_calls(faults, "/to/", lambda: restore(tmp_path / "to" / "counted", faults.environment))
	failed = done_without = 0
	for first in spread(calls):
		data = tmp_path / "to" / f"data-{first}"
		if there := first % 2:
			data.mkdir()
		faults.fail(CALLS, "/to/", code, partly, first, times)
		done = restore(data, faults.environment)
		faults.off()
		if done.returncode == 0:  # what failed can be done without: emptying the store's WAL, say
			is_whole(data)
			done_without += 1
			continue
		failed += 1
		assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("strongroom backup restore: "), (first, done)
		assert data.exists() == bool(there) and (not there or not names(data)), first
	assert failed > done_without


def test_restore_to_a_small_disk(made, keys, tmp_path):  # noqa: F811
	"""A data folder that is a disk of its own, with less and less too little room."""
	data = tmp_path / "disk"
	data.mkdir()
	size, tries = 64, 0
	while True:
		if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", data], capture_output=True).returncode != 0:
			pytest.skip("mounting is not permitted; test_restore_on_a_failing_disk has the same by the shim")
		try:
			done = run("backup", "restore", made, keys / "rsa.key", "--data", data)
			if done.returncode == 0:
				is_whole(data)
				break
			assert done.returncode == 1 and names(data) == [], done
		finally:
			subprocess.run(["umount", "-l", data], check=True)
		size, tries = size + 192, tries + 1
		assert size < 65536
	assert tries > 2


def test_one_restore_at_a_time(made, keys, tmp_path):  # noqa: F811
	"""Of many at once one goes through, and the others say why not."""
	started = [subprocess.Popen([str(part) for part in (Server(tmp_path / unique()).binary, "backup", "restore", made, keys / "rsa.key",
	    "--data", tmp_path / "data")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(6)]
	said = [process.communicate(timeout=120)[1] for process in started]
	assert sorted(process.returncode for process in started) == [0] + [1] * 5, said
	for process, text in zip(started, said):
		assert process.returncode == 0 or "another restore" in text or "not empty" in text, text
	is_whole(tmp_path / "data")


@pytest.mark.parametrize("code, partly", ((DIE, 0), (DIE, 100), (errno.EIO, 0), (errno.ENOSPC, 100)))
def test_create_beside_a_server(tmp_path, keys, faults, code, partly):  # noqa: F811
	server = Server(tmp_path / "server").start()
	for number in range(4):
		server.vault("main").set(f"large-{number}", "v" * 20000)

	def create(file, environment=()):
		return run("backup", "create", file, "--data", server.data, "--backup-recipient", keys / "rsa.pem", environment=environment)

	(folder := tmp_path / "to").mkdir()
	given = 0
	with Writers(server, 1) if code != DIE else contextlib.nullcontext():  # killed: at each of the same calls
		calls = count_calls(faults, str(tmp_path), lambda: create(folder / "counted", faults.environment))
		for first in spread(calls):
			file = folder / f"b-{first}"
			faults.fail(CALLS, str(tmp_path), code, partly, first, 1)
			done = create(file, faults.environment)
			faults.off()
			assert done.returncode in (0, 1, -signal.SIGKILL), done
			if file.exists():
				given += 1
				fine(run("backup", "verify", file, keys / "rsa.key"))
				file.unlink()
			else:
				assert done.returncode != 0
			if done.returncode == 1:
				assert done.stderr.splitlines()[-1].startswith("strongroom backup create: ")
			if code != DIE:
				assert names(folder) == ["counted"] and not list(server.data.glob("restoring-*")), first
	assert given
	for left in server.data.glob("restoring-*"):
		os.utime(left, (1, 1))
	fine(create(folder / "last"))
	assert not list(server.data.glob("restoring-*"))
	fine(run("backup", "verify", folder / "last", keys / "rsa.key"))
	print(f"{len(spread(calls))} of some {calls} calls; {given} times there was a backup all the same")
	server.stop()
	fine(server.cli("audit", "verify"))


def test_the_servers_own_backup_killed(tmp_path, keys):  # noqa: F811
	"""The server dies while it makes one: no half of it is left when it is up again, and the backup comes then."""
	(folder := tmp_path / "backups").mkdir()
	server = FaultyServer(tmp_path / "server", options=("--backup-folder", folder, "--backup-recipient", keys / "rsa.pem"))
	faults = server.faults_told
	server.start()
	server.vault("main").set("large", "v" * 20000)
	wait_for(lambda: backups(folder))
	wait_for(lambda: records(server))
	dead = 0
	for first in (1, 2, 4, 7):
		server.stop()
		for path in folder.iterdir():
			path.unlink()
		faults.fail(CALLS, "/backups/", DIE, 50, first, 1)
		server.spawn()
		try:
			server.wait(60)
			dead += 1
		except subprocess.TimeoutExpired:
			server.kill()  # there were not so many calls
		faults.off()
		server.forget_connections()
		for left in server.data.glob("restoring-*"):
			os.utime(left, (1, 1))
		for path in backups(folder):
			fine(run("backup", "verify", path, keys / "rsa.key"))
		server.start()
		assert server.vault("main").value("large") == "v" * 20000
		made_now = wait_for(lambda: backups(folder))
		assert len(made_now) == 1
		wait_for(lambda: names(folder) == [made_now[0].name] and not list(server.data.glob("restoring-*")))
		fine(run("backup", "verify", made_now[0], keys / "rsa.key"))
	assert dead > 1
	server.stop()
	fine(server.cli("audit", "verify"))


def test_the_servers_own_backup_on_a_full_disk(tmp_path, keys):  # noqa: F811
	"""It is told, leaves nothing, is no matter for who asks, and comes when there is room."""
	(folder := tmp_path / "backups").mkdir()
	server = FaultyServer(tmp_path / "server", options=("--backup-folder", folder, "--backup-recipient", keys / "rsa.pem"))
	server.faults_told.fail(("write",), "/backups/", errno.ENOSPC, 300)
	server.start()
	line = wait_for(lambda: records(server))[0]
	assert '"resultType":"Failed"' in line and "can't be written" in line
	server.vault("main").set("meanwhile", "kept")
	assert names(folder) == [] and not list(server.data.glob("restoring-*"))
	assert "event=backup.failed" in server.output()
	server.faults_told.off()
	server.restart()
	made_file = wait_for(lambda: backups(folder))[0]
	assert NAME.match(made_file.name)
	wait_for(lambda: len(records(server)) == 2)
	server.stop()
	fine(run("backup", "verify", made_file, keys / "rsa.key"))
