"""A server whose system calls and allocations fail when a test says so; shim.c is the side inside it."""
import ctypes
import errno
import mmap
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clients"))
from strongroom import BINARY, Server  # noqa: E402

LIBRARY = BINARY.parent / "tests" / "faults.so"
FOREVER = 2 ** 62
DIE = -1  # in place of an error's number: the process is killed then and there

# The classes of calls that can fail, in shim.c's order.
CALLS = ("write", "sync", "rename", "truncate", "reserve", "open", "read")


class Plan(ctypes.Structure):
	"""Of the calls of a class, the one with the number ${first} fails, and the ${times} - 1 behind it."""

	_fields_ = [(name, ctypes.c_int64) for name in ("first", "times", "seen", "failed")]

	def arm(self, first=1, times=FOREVER):
		self.first = 0
		self.seen = self.failed = 0
		self.times = times
		self.first = first

	def off(self):
		self.first = 0


class Control(ctypes.Structure):
	_fields_ = [("memory", Plan), ("files", Plan), *((name, ctypes.c_int64)
	    for name in ("calls", "code", "partly", "clock")), ("path", ctypes.c_char * 256), ("held", Plan),
	    ("held_path", ctypes.c_char * 256)]


class Faults:
	"""What shall fail, for all servers started with ${environment}."""

	def __init__(self, path):
		path.write_bytes(bytes(max(ctypes.sizeof(Control), mmap.PAGESIZE)))
		with open(path, "r+b") as file:
			self.map = mmap.mmap(file.fileno(), 0)
		self.control = Control.from_buffer(self.map)
		self.memory, self.files, self.held = self.control.memory, self.control.files, self.control.held
		options = os.environ.get("ASAN_OPTIONS", "exitcode=99")
		self.environment = {"LD_PRELOAD": str(LIBRARY), "STRONGROOM_FAULTS": str(path),
		    "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0:allocator_may_return_null=1"}

	def fail(self, calls, path, code=errno.EIO, partly=0, first=1, times=FOREVER):
		"""Calls of the classes ${calls} on files whose path holds ${path}; code 0 of a write: it is short."""
		self.files.off()
		self.control.calls = sum(1 << CALLS.index(call) for call in calls)
		self.control.code = code
		self.control.partly = partly
		self.control.path = path.encode()
		self.files.arm(first, times)

	def hold(self, path):
		"""Syncs of files whose path holds ${path} don't come back before all is off."""
		self.control.held_path = path.encode()
		self.held.arm()

	def heal(self):
		"""Nothing fails any more; what is held stays so."""
		self.memory.off()
		self.files.off()
		self.control.calls = 0

	def off(self):
		self.heal()
		self.held.off()


class FaultyServer(Server):
	def __init__(self, folder, *arguments, **options):
		folder.mkdir(parents=True, exist_ok=True)
		assert LIBRARY.exists(), f"no {LIBRARY}: build with -Dtests=enabled"
		self.faults_told = Faults(folder / "faults")
		super().__init__(folder, *arguments, environment=self.faults_told.environment, **options)
