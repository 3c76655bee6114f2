"""A terminal (a pty) with a program in it."""
import os
import pty
import select
import subprocess
import time

from strongroom import SANITIZER_OPTIONS


def _rest(leader):
	text = b""
	try:
		while piece := os.read(leader, 65536):
			text += piece
	except OSError:
		pass  # Linux's end of a terminal
	os.close(leader)
	return text


def said(command, stream="stderr", **variables):
	"""What ${command} writes to a terminal as its ${stream}, and how it ended; the other streams are no terminals."""
	leader, follower = pty.openpty()
	streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL) | {stream: follower}
	done = subprocess.Popen(list(map(str, command)), env=os.environ | {"TERM": "xterm"} | SANITIZER_OPTIONS | variables, **streams)
	os.close(follower)
	text = _rest(leader)
	return text, done.wait(60)


class Shell:
	"""An interactive shell, typed into."""

	def __init__(self, *command, **variables):
		self.pid, self.fd = pty.fork()
		if self.pid == 0:
			os.execvpe(command[0], command, os.environ | {"TERM": "xterm", "PS1": "> "} | variables)
		self.text = b""

	def type(self, keys, until, seconds=30):
		"""Type, then wait for ${until} on the screen: what was shown since."""
		self.text = b""
		os.write(self.fd, keys.encode())
		end = time.monotonic() + seconds
		while until.encode() not in self.text:
			assert time.monotonic() < end, (keys, self.text)
			if select.select([self.fd], [], [], 0.2)[0]:
				self.text += os.read(self.fd, 65536)
		return self.text.decode(errors="replace")

	def close(self):
		os.close(self.fd)  # it is hung up
		os.waitpid(self.pid, 0)
