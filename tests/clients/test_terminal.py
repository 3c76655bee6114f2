"""What a person sees at a terminal: how far long work is, and words completed by real shells."""
import os
import re
import subprocess

import pytest

from strongroom import BINARY, SANITIZER_OPTIONS, Server
from terminal import Shell, said

ERASE = b"\r\033[K"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
	"""A server that was at work and is stopped, and whom its backups are sealed to."""
	server = Server(tmp_path_factory.mktemp("stopped")).start()
	for number in range(200):
		server.vault("main").set(f"s-{number}", "v" * 1000)
	server.stop()
	subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=backup",
	    "-keyout", server.folder / "key", "-out", server.folder / "pem"], check=True, capture_output=True)
	return server


def commands(server):
	file, key, data = server.folder / "backup", server.folder / "key", server.data
	return {
		"audit verify": (["--data", data], rb"verifying: \d+ of \d+ lines"),
		"rekey": (["--data", data], rb"wrapping: \d+ of \d+ keys"),
		"backup create": ([file, "--data", data, "--backup-recipient", server.folder / "pem"], rb"writing: \d+ of \d+ documents"),
		"backup verify": ([file, key], rb"restoring: \d+ of \d+ KB"),
		"backup restore": ([file, key, "--data", server.folder / "restored"], rb"restoring: \d+ of \d+ KB"),
	}


def test_how_far_it_is(stopped):
	for name, (arguments, line) in commands(stopped).items():
		text, code = said([BINARY, *name.split(), *arguments])
		assert code == 0, (name, text)
		assert re.match(ERASE.replace(b"[", rb"\[") + line, text), (name, text)
		assert text.endswith(ERASE) and b"\n" not in text and b"\033[3" not in text, (name, text)


def test_where_nobody_looks(stopped):
	"""A file, a pipe, a terminal without a cursor: nothing of it.  In order: verify and restore need what create makes."""
	for variables in ({"TERM": "xterm"}, {"TERM": "xterm", "CLICOLOR_FORCE": "1"}):
		(stopped.folder / "backup").unlink(missing_ok=True)
		subprocess.run(["rm", "-rf", stopped.folder / "restored"], check=True)
		for name, (arguments, _) in commands(stopped).items():
			done = subprocess.run([BINARY, *name.split(), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
			    timeout=60, env=os.environ | SANITIZER_OPTIONS | variables)
			assert (done.returncode, done.stderr) == (0, ""), name
			assert "\033" not in done.stdout and "\r" not in done.stdout
	text, code = said([BINARY, "audit", "verify", "--data", stopped.data], TERM="dumb")
	assert (text, code) == (b"", 0)


def test_failing_it_leaves_no_half_line(stopped, tmp_path):
	"""The line is gone before the error is said."""
	(file := tmp_path / "backup").write_bytes(b"")
	file.unlink()
	done = subprocess.run([BINARY, "backup", "create", file, "--data", stopped.data, "--backup-recipient", stopped.folder / "pem"],
	    capture_output=True, env=os.environ | SANITIZER_OPTIONS)
	assert done.returncode == 0, done.stderr
	content = bytearray(file.read_bytes())
	content[-1000] ^= 1
	file.write_bytes(content)
	text, code = said([BINARY, "backup", "verify", file, stopped.folder / "key"])
	assert code == 1 and re.search(rb"\d KB\r\033\[Kstrongroom backup verify: [^\r]+\r\n$", text), text


def test_help_has_no_colours():
	for words in (["help"], ["help", "settings"], ["--help"], ["nothing"], ["rekey", "--nothing", "1"]):
		for stream in ("stdout", "stderr"):
			assert b"\033" not in said([BINARY, *words], stream)[0], words


def test_help_of_one_command():
	for words in ("doctor", "backup create", "access explain", "completion"):
		said = subprocess.run([BINARY, "help", *words.split()], check=True, capture_output=True, text=True,
		    env=os.environ | SANITIZER_OPTIONS).stdout
		assert said.startswith(f"strongroom {words}"), said
		for line in said.splitlines():
			assert line == line.rstrip(), (words, line)
		assert "\n\n\n" not in said, said


# Completion.  The shells know a function of the program's name that shows what it was called with.

SHELLS = {
	"bash": (["bash", "--norc", "--noprofile", "-i"], "bind 'set bell-style none'; . {file}; strongroom() {{ printf '<%s>' \"$@\"; echo; }}"),
	"zsh": (["zsh", "-f", "-i"], "fpath=({folder} $fpath); autoload -U compinit; compinit -u -d {folder}/dump; "
	    "strongroom() {{ printf '<%s>' \"$@\"; echo }}"),
	"fish": (["fish", "--no-config", "-i"], "source {file}; function strongroom; printf '<%s>' $argv; echo; end"),
}

TYPED = [
	("strongroom doc\t", "<doctor>"),
	("strongroom acc\texpl\tv w x --dat\td", "<access><explain><v><w><x><--data><d>"),
	("strongroom rek\t--public-p\t9", "<rekey><--public-port><9>"),
	("strongroom serve --conf\tx", "<serve><--config><x>"),
	("strongroom fetch-cert v n --rel\tx", "<fetch-cert><v><n><--reload><x>"),
	("strongroom agent ru\t--sett\tx", "<agent><run><--settings><x>"),
	("strongroom help rek\t", "<help><rekey>"),
	("strongroom backup create some-fi\t", "<backup><create><some-file>"),
]


@pytest.mark.parametrize("name", SHELLS)
def test_completion_in_a_real_shell(tmp_path, name):
	told = subprocess.run([BINARY, "completion", name], check=True, capture_output=True, env=os.environ | SANITIZER_OPTIONS).stdout
	(file := tmp_path / "_strongroom").write_bytes(told)
	(tmp_path / "some-file").touch()
	command, prepare = SHELLS[name]
	shell = Shell(*command, HOME=str(tmp_path))
	try:
		shell.type(f"cd {tmp_path}; {prepare.format(file=file, folder=tmp_path)}; echo rea''dy\n", "ready")
		for keys, shown in TYPED:
			shell.type(keys + "\n", shown)
	finally:
		shell.close()


def test_fish_describes():
	told = subprocess.run([BINARY, "completion", "fish"], check=True, capture_output=True, text=True, env=os.environ | SANITIZER_OPTIONS).stdout

	def offered(line):
		done = subprocess.run(["fish", "--no-config", "-c", told + "\ncomplete -C $argv[1]", line], check=True, capture_output=True, text=True)
		assert not done.stderr, done.stderr
		return dict(row.partition("\t")[::2] for row in done.stdout.splitlines())

	overview = subprocess.run([BINARY, "help"], check=True, capture_output=True, text=True, env=os.environ | SANITIZER_OPTIONS).stdout
	firsts = {name.split()[0] for name in re.findall(r"^  ([a-z-]+(?: [a-z]+)?) ", overview, re.M)}
	assert set(offered("strongroom ")) == firsts
	assert offered("strongroom init")["init"].endswith("prints the administrator's credentials once")
	assert set(offered("strongroom backup ")) == {"create", "verify", "restore", "status"}
	settings = re.findall(r"^\| `([a-z-]+)` \|", subprocess.run([BINARY, "settings"], check=True, capture_output=True, text=True,
	    env=os.environ | SANITIZER_OPTIONS).stdout, re.M)
	assert set(offered("strongroom rekey --")) == {"--config", *(f"--{setting}" for setting in settings)}
	assert set(offered("strongroom fetch-cert v n --")) == {"--pem", "--reload", "--every"}


@pytest.mark.parametrize("page", ["strongroom.1", "strongroom.conf.5"])
def test_manuals_are_well_formed(tmp_path, page):
	told = subprocess.run([BINARY, "manual", page], check=True, capture_output=True, env=os.environ | SANITIZER_OPTIONS).stdout
	(file := tmp_path / page).write_bytes(told)
	for command in (["mandoc", "-T", "lint", "-W", "warning", file], ["groff", "-man", "-Tutf8", "-ww", "-z", file],
	    ["man", "--warnings", "-l", file]):
		done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
		assert (done.returncode, done.stderr) == (0, ""), (command, done.stdout, done.stderr)
