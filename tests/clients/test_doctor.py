"""`strongroom doctor` finds what it is there to find; help, manuals and completion know every command and setting."""
import datetime
import os
import re
import resource
import shutil
import subprocess
import tempfile
import types
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from strongroom import BINARY, SANITIZER_OPTIONS, Server
from terminal import said

TRUST = ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "JAVA_TOOL_OPTIONS")


def certificate(path, days):
	key = ec.generate_private_key(ec.SECP256R1())
	now, name = datetime.datetime.now(datetime.UTC), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "other")])
	made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - datetime.timedelta(90),
	    now + datetime.timedelta(days, 60)).sign(key, hashes.SHA256())
	path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
	return path


def look(one, *options, **variables):
	"""The findings, {thing: (finding, text)}, and the exit code."""
	environment = {name: value for name, value in os.environ.items() if name not in TRUST} | SANITIZER_OPTIONS | variables
	done = subprocess.run([BINARY, "doctor", "--data", one.data, "--port", str(one.port), *options],
	    env=environment, capture_output=True, text=True, timeout=120)
	assert "\033" not in done.stdout, "colours where there is no terminal"
	findings = {}
	for word, thing, text in re.findall(r"^(ok|advice|WRONG) +(.{16}) (.*(?:\n {25}.*)*)", done.stdout, re.M):
		if findings.get(thing.strip(), ("",))[0] != "WRONG":
			findings[thing.strip()] = (word, text)
	return findings, done.returncode


def trust_of(one):
	return {name: one.env[name] for name in TRUST if name in one.env}


def test_all_is_well(server):
	one = server()
	findings, code = look(one, **trust_of(one))
	assert code == 0, findings
	for thing in ("data folder", "settings", "disk", "certificate", "names", "server", "curl", "Python, az", "Node", "Go", ".NET"):
		assert findings[thing][0] == "ok", (thing, findings)
	# Without env's variables it says what to do, and that is no failure.
	findings, code = look(one)
	assert code == 0
	for thing, line in (("curl", "CURL_CA_BUNDLE={}/ca-bundle.pem"), ("Python, az", "REQUESTS_CA_BUNDLE={}/ca-bundle.pem"),
	    ("Node", "NODE_EXTRA_CA_CERTS={}/ca.pem"), ("Go", "SSL_CERT_FILE={}/ca-bundle.pem"),
	    (".NET", "SSL_CERT_FILE={}/ca-bundle.pem")):
		assert findings[thing][0] == "advice" and f"export {line.format(one.data)}" in findings[thing][1]


@pytest.mark.parametrize("variable, things", [("CURL_CA_BUNDLE", ["curl"]), ("REQUESTS_CA_BUNDLE", ["Python, az"]),
    ("NODE_EXTRA_CA_CERTS", ["Node"]), ("SSL_CERT_FILE", ["Go", ".NET"])])
def test_a_bundle_that_lacks_the_authority(shared, tmp_path, variable, things):
	wrong = certificate(tmp_path / "other.pem", 10)
	for file in (wrong, tmp_path / "absent.pem"):
		findings, code = look(shared, **(trust_of(shared) | {variable: str(file)}))
		assert code == 1
		assert {thing for thing, (word, _) in findings.items() if word == "WRONG"} == set(things), findings


def test_java(shared, tmp_path):
	findings, _ = look(shared)
	assert findings["Java"][0] == "advice"
	lines = re.sub(r"\n {25}", "\n", findings["Java"][1]).split("\n", 1)[1]
	script = lines + f'\nexec {BINARY} doctor --data {shared.data} --port {shared.port}'
	done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120,
	    env=os.environ | trust_of(shared) | SANITIZER_OPTIONS)
	assert re.search(r"^ok +Java +trusts the server, by .*trust.p12$", done.stdout, re.M), done.stdout + done.stderr
	findings, code = look(shared, JAVA_TOOL_OPTIONS=f"-Djavax.net.ssl.trustStore={tmp_path}/absent", **trust_of(shared))
	assert (findings["Java"][0], code) == ("WRONG", 1)


def test_the_folder(server, tmp_path):
	one = server()
	for path, mode in ((one.data, 0o755), (one.data / "root.key", 0o640)):
		before = path.stat().st_mode
		path.chmod(mode)
		findings, code = look(one)
		assert (findings["data folder"][0], code) == ("WRONG", 1) and f" {path}" in findings["data folder"][1]
		path.chmod(before)
	if os.geteuid() == 0:
		segment = next((one.data / "audit").iterdir())
		os.chown(segment, 12345, -1)
		findings, code = look(one)
		assert (findings["data folder"][0], code) == ("WRONG", 1) and segment.name in findings["data folder"][1]
		os.chown(segment, 0, -1)
	one.stop()
	findings, code = look(one)
	assert findings["server"][0] == "WRONG" and findings["data folder"][0] == "ok" and code == 1
	(one.data / "root.key").rename(tmp_path / "away")
	assert "root.key" in look(one)[0]["data folder"][1]
	shutil.rmtree(one.data)
	assert "strongroom init" in look(one)[0]["data folder"][1]


@pytest.mark.skipif(os.geteuid() != 0, reason="a user of its own needs root")
def test_the_limits_are_the_servers(tmp_path):
	folder = Path(tempfile.mkdtemp(prefix="strongroom-doctor-"))
	try:
		os.chown(folder, 23456, 23456)
		binary = Path(shutil.copy(BINARY, folder / "strongroom"))
		one = Server(folder, binary=binary, user={"user": 23456, "group": 23456, "extra_groups": []},
		    prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))).start()
		findings, code = look(one, **trust_of(one))
		assert code == 0
		assert findings["data folder"][0] == "ok" and "of user 23456" in findings["data folder"][1]
		assert findings["open files"] == ("advice", findings["open files"][1]) and "512 are allowed" in findings["open files"][1]
		assert look(one, "--connections", "300", **trust_of(one))[0]["open files"][0] == "ok"
		one.stop()
	finally:
		shutil.rmtree(folder)


def test_names_files_and_certificates(shared, tmp_path):
	findings, code = look(shared, "--domain", "nowhere.invalid")
	assert (findings["names"][0], findings["server"][0], code) == ("WRONG", "WRONG", 1)
	secret = tmp_path / "pin"
	secret.write_text("1234")
	secret.chmod(0o644)
	hsm = ("--hsm-token", "t", "--hsm-pin-file", secret, "--hsm-module")
	told = look(shared, *hsm, BINARY)[0]["settings"]
	assert told[0] == "WRONG" and f"chmod o= {secret}" in told[1]
	secret.chmod(0o600)
	told = look(shared, *hsm, "/absent.so")[0]["settings"]
	assert told[0] == "WRONG" and "/absent.so" in told[1] and "chmod" not in told[1]
	assert look(shared, *hsm, BINARY)[0]["settings"][0] == "ok"
	for days, word in ((5, "advice"), (300, "ok"), (-1, "WRONG")):
		findings, _ = look(shared, "--certificate", certificate(tmp_path / "own.pem", days), "--certificate-key", secret)
		assert findings["certificate"][0] == word, (days, findings["certificate"])
	(tmp_path / "none.pem").write_text("-----BEGIN CERTIFICATE-----\nnothing\n")
	findings, _ = look(shared, "--certificate", tmp_path / "none.pem", "--certificate-key", secret)
	assert findings["certificate"][0] == "WRONG"


@pytest.mark.skipif(os.geteuid() != 0, reason="a user of its own needs root")
def test_files_are_the_servers_to_read():
	"""Root looks, and may read all; the server is the data folder's owner, and may not."""
	folder = Path(tempfile.mkdtemp(prefix="strongroom-doctor-"))
	try:
		one = types.SimpleNamespace(data=folder / "data", port=1)
		one.data.mkdir(0o700)
		os.chown(one.data, 23456, 23456)
		folder.chmod(0o755)
		secret = folder / "password"
		secret.write_text("1234")

		def told(owner, group, mode):
			os.chown(secret, owner, group)
			secret.chmod(mode)
			return look(one, "--smtp-url", "smtp://localhost:1", "--smtp-from", "a@b", "--smtp-user", "a",
			    "--smtp-password-file", secret)[0]["settings"]

		for owner, group, mode, word in ((0, 0, 0o600, "WRONG"), (0, 23456, 0o600, "WRONG"), (0, 0, 0o640, "WRONG"),
		    (0, 23456, 0o640, "ok"), (23456, 0, 0o600, "ok"), (23456, 23456, 0o000, "WRONG")):
			found = told(owner, group, mode)
			assert found[0] == word, (owner, group, oct(mode), found)
			assert word == "ok" or f"{secret}: Permission denied, to the data folder's owner" in " ".join(found[1].split()), found
		folder.chmod(0o700)  # it can't be reached
		assert told(23456, 23456, 0o600)[0] == "WRONG"
	finally:
		shutil.rmtree(folder)


def test_colours_on_a_terminal(shared):
	def told(**variables):
		return said([BINARY, "doctor", "--data", shared.data, "--port", shared.port], "stdout", **variables)[0]

	assert b"\033[32mok" in told()
	assert b"\033" not in told(NO_COLOR="1") and b"\033" not in told(TERM="dumb")


def run(*arguments):
	return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=30, env=os.environ | SANITIZER_OPTIONS)


def every_setting():
	return re.findall(r"^\| `([a-z-]+)` \|", run("settings").stdout, re.M)


def every_command():
	return re.findall(r"^  ([a-z-]+(?: [a-z]+)?) ", run("help").stdout, re.M)


def test_help():
	overview = run("help")
	assert overview.returncode == 0 and overview.stdout == run("--help").stdout == run().stdout == run("-h").stdout
	assert max(map(len, overview.stdout.splitlines())) <= 80
	assert len(every_command()) > 20
	for name in every_command():
		if name == "settings":
			continue  # `help settings` is about the settings themselves
		one = run("help", *name.split())
		assert one.returncode == 0 and one.stdout.startswith(f"strongroom {name}")
		assert one.stdout == run(*name.split(), "--help").stdout
	settings = run("help", "settings").stdout
	assert re.findall(r"^  --([a-z-]+)", settings, re.M) == every_setting()
	assert run("help", "nothing").returncode == 1 and run("nothing").returncode == 1


def test_manuals():
	commands, settings = run("manual", "strongroom.1").stdout, run("manual", "strongroom.conf.5").stdout
	for name in every_command():
		assert f"\n\\fB{name}\\fR".replace("-", "\\-") in commands
	for name in every_setting():
		assert f"\n\\fB{name}\\fR\n".replace("-", "\\-") in settings
	for page in (commands, settings):
		assert page.startswith(".TH STRONGROOM")
		for line in page.splitlines():
			assert not re.match(r"[.'](?!TH |SH |TP$|br$|B |BR |I )", line), line
	assert run("manual", "other.1").returncode == 1 and run("manual").returncode == 1


def complete(tmp_path, *words):
	(tmp_path / "completion").write_text(run("completion", "bash").stdout)
	script = '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _strongroom; echo "${COMPREPLY[*]}"'
	done = subprocess.run(["bash", "-euc", script, tmp_path / "completion", "strongroom", *words], capture_output=True, text=True)
	assert not done.stderr
	return done.stdout.split()


def test_completion(tmp_path):
	firsts = list(dict.fromkeys(name.split()[0] for name in every_command()))
	assert complete(tmp_path, "") == firsts
	assert complete(tmp_path, "doc") == ["doctor"]
	for first in firsts:
		seconds = [name.split()[1] for name in every_command() if name.startswith(first + " ")]
		if seconds:
			assert complete(tmp_path, first, "") == seconds
	assert complete(tmp_path, "serve", "--") == ["--config", *(f"--{name}" for name in every_setting())]
	assert complete(tmp_path, "access", "explain", "v", "w", "--dat") == ["--data"]
	assert complete(tmp_path, "fetch-cert", "v", "n", "--") == ["--pem", "--reload", "--every"]
	assert complete(tmp_path, "help", "rek") == ["rekey"]
	assert run("completion", "tcsh").returncode == 1
