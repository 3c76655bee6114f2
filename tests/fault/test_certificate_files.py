"""strongroom fetch-cert on a disk that fails or is full, and killed at any call it makes.

Whoever reads its files has one version's key and certificates, the one before or the new one, in all three files; nobody else
can read them at any moment; and the next run puts right what there is, and leaves nothing else.
"""
import errno
import os
import shutil
import signal
import stat
import subprocess

import pytest
from cryptography import x509

from shim import DIE, FOREVER, Faults
from certs import chain, pem_of
from strongroom import SANITIZER_FAULT, Server, unique
from test_fetch import Fetch, by_secret, match

EACH = 12 * int(os.environ.get("STRONGROOM_FAULT_CALLS", 2))
CALLS = ("write", "sync", "rename", "truncate", "open")
SUFFIXES = ("key", "pem", "combined.pem")
FAILURES = ((DIE, 0, 1), (DIE, 100, 1), (errno.EIO, 0, 1), (errno.ENOSPC, 100, 1), (errno.ENOSPC, 0, FOREVER))
READER = 65534
POOL = [pem_of(*chain()) for _ in range(4)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
	one = Server(tmp_path_factory.mktemp("fetch"), ("sdk",)).start()
	yield one
	one.stop()


class Renewals:
	"""A folder of one certificate's files, and what may be in them."""

	def __init__(self, server, place, name="tls"):
		self.faults = Faults(place / "faults") if not (place / "faults").exists() else None
		self.folder = place / name
		self.folder.mkdir(0o700, exist_ok=True)
		self.fetch = Fetch(server, self.folder, by_secret(server), unique("web"))
		self.old = self.new = None
		self.given = None  # the mode and the reader of the versions, when they are somebody's

	def renew(self):
		"""A new version is in the vault; the files are of the one before."""
		self.old = self.new
		self.new = POOL[POOL.index(self.old) - 1] if self.old else POOL[0]
		self.fetch.vault.set(self.fetch.name, self.new, contentType="application/x-pem-file")

	def run(self, *how):
		"""Once; with something failing: its exit code."""
		if not how:
			self.fetch.run()
			return 0
		self.faults.fail(CALLS, f"/{self.folder.name}", *how)
		done = subprocess.run(self.fetch.command(), env=self.fetch.env | self.faults.environment, capture_output=True, text=True, timeout=60)
		self.faults.off()
		assert not SANITIZER_FAULT.search(done.stderr), done.stderr
		assert done.returncode in (0, 1, -signal.SIGKILL) and (done.returncode != 1 or done.stderr), done
		return done.returncode

	def count(self):
		self.renew()
		assert self.run(errno.EIO, 0, FOREVER) == 0
		return self.faults.files.seen

	def check(self, *may):
		"""What is there is of one of these, None: nothing; and for nobody else to read."""
		there = [self.fetch.path(suffix).exists() for suffix in SUFFIXES]
		current = (self.folder / f".{self.fetch.name}" / "current").exists()
		if not current:
			assert None in may and not any(there)
		elif not all(there):  # the first time, before all three names are there
			assert None in may
		else:
			key, pem, combined = (self.fetch.path(suffix).read_bytes() for suffix in SUFFIXES)
			assert combined == key + pem and match(key, pem)
			assert any(text and x509.load_pem_x509_certificates(text.encode() if isinstance(text, str) else text)[0] ==
			    x509.load_pem_x509_certificates(pem)[0] for text in may)
		for path in self.folder.rglob("*"):
			found = path.lstat()
			if stat.S_ISREG(found.st_mode):
				assert stat.S_IMODE(found.st_mode) == 0o600, path
			elif stat.S_ISDIR(found.st_mode):
				allowed = (0o700, 0o711) if self.given else (0o700,)
				assert stat.S_IMODE(found.st_mode) in allowed, path
		if self.given and current:
			versions = self.folder / f".{self.fetch.name}" / "current"
			assert stat.S_IMODE(versions.stat().st_mode) == 0o711
			assert {path.stat().st_uid for path in versions.iterdir() if path.name.endswith(".pem")} == {READER}

	def tidy(self):
		"""After a good run: the new one, the one before, and nothing else."""
		name = self.fetch.name
		assert sorted(path.name for path in self.folder.iterdir()) == sorted([f".{name}", *(f"{name}.{suffix}" for suffix in SUFFIXES)])
		versions = [path for path in (self.folder / f".{name}").iterdir() if not path.is_symlink()]
		assert len(versions) <= 2
		current = self.folder / f".{name}" / "current"
		assert sorted(path.name for path in current.iterdir()) == ["chain.pem", "combined.pem", "key.pem"]

	def give_away(self):
		versions = self.folder / f".{self.fetch.name}"
		for path in (versions, versions / "current"):
			path.chmod(0o711)
		for path in (versions / "current").iterdir():
			os.chown(path, READER, -1)
		self.given = True


def spread(count):
	return sorted({1 + index * (count - 1) // (EACH - 1) for index in range(EACH)})


@pytest.mark.parametrize("code, partly, times", FAILURES)
@pytest.mark.parametrize("given", (False, True), ids=("ours", "a reader's"))
def test_renewals(server, tmp_path, given, code, partly, times):
	if given and os.geteuid() != 0:
		pytest.skip("only root gives files away")
	one = Renewals(server, tmp_path)
	one.renew()
	one.run()
	if given:
		one.give_away()
	calls = one.count()
	one.check(one.new)
	kept = 0
	for first in spread(calls):
		one.renew()
		status = one.run(code, partly, first, times)
		assert status != -signal.SIGKILL or code == DIE
		one.check(*((one.new,) if status == 0 else (one.old, one.new)))
		kept += one.fetch.path("pem").read_text() not in one.new
		one.run()
		one.check(one.new)
		one.tidy()
	print(f"{len(spread(calls))} of {calls} calls, {kept} times the version before stayed")
	assert kept > 3


@pytest.mark.parametrize("code, partly, times", FAILURES)
def test_the_first_time(server, tmp_path, code, partly, times):
	calls = Renewals(server, tmp_path / "counted" if not (tmp_path / "counted").mkdir() else None).count()
	for first in spread(calls):
		(place := tmp_path / str(first)).mkdir()
		one = Renewals(server, place)
		one.renew()
		status = one.run(code, partly, first, times)
		one.check(*((one.new,) if status == 0 else (None, one.new)))
		one.renew()
		one.run()
		one.check(one.new)
		one.tidy()


def test_full_disk(server, tmp_path):
	"""A disk with so many pages left, and so many names."""
	(disk := tmp_path / "disk").mkdir()
	if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=64,mode=0711", "none", disk], capture_output=True).returncode != 0:
		pytest.skip("mounting is not permitted; test_renewals has the same by the shim")
	try:
		one = Renewals(server, disk)
		one.renew()
		one.run()
		filler, failed = disk / "filler", 0
		for pages in range(8):
			one.renew()
			room = shutil.disk_usage(disk).free // 4096 - pages
			filler.write_bytes(b"x" * room * 4096)
			failed += attempt(one)
			filler.unlink()
			one.run()
			one.check(one.new)
			one.tidy()
		assert failed > 2
		for names in range(10):
			one.renew()
			free = os.statvfs(disk).f_ffree - names
			for number in range(free):
				(disk / f"name-{number}").touch()
			failed += attempt(one)
			for number in range(free):
				(disk / f"name-{number}").unlink()
			one.run()
			one.check(one.new)
			one.tidy()
		assert failed > 6
	finally:
		subprocess.run(["umount", "-l", disk], check=True)


def attempt(one):
	"""Whether it did not work."""
	done = subprocess.run(one.fetch.command(), env=one.fetch.env, capture_output=True, text=True, timeout=60)
	assert done.returncode in (0, 1) and not SANITIZER_FAULT.search(done.stderr), done.stderr
	assert done.returncode == 0 or "No space left" in done.stderr, done.stderr
	one.check(*((one.new,) if done.returncode == 0 else (one.old, one.new)))
	return done.returncode
