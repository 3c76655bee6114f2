"""strongroom fetch-cert: a vault's certificate as files, renewed under a server that uses them."""
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certs import PEM, PFX, chain, create, make_pfx, merged, pem_of, SELF, spki
from strongroom import BINARY, SANITIZER_FAULT, SANITIZER_OPTIONS, free_port, unique, version_of
from test_agent import agent  # noqa: F401 (a fixture)


class Fetch:
	"""The command, for one certificate into one folder."""

	def __init__(self, shared, folder, env, name):
		self.folder, self.name, self.vault = folder, name, shared.vault("sdk")
		self.env = {"PATH": os.environ["PATH"], "STRONGROOM_CA": shared.env["STRONGROOM_CA"],
		    **SANITIZER_OPTIONS, **env}

	def command(self, *more):
		return [BINARY, "fetch-cert", self.vault.url, self.name, "--pem", self.folder, *more]

	def run(self, *more, fine=True):
		done = subprocess.run(self.command(*more), env=self.env, capture_output=True, text=True, timeout=60)
		assert not SANITIZER_FAULT.search(done.stderr), done.stderr
		assert "PRIVATE" not in done.stdout + done.stderr
		assert done.returncode == (0 if fine else 1), done.stderr
		return done.stderr

	def put(self, kind=PEM, subject=None):
		key, certificates = chain(subject=subject or unique("leaf"))
		value = pem_of(key, certificates) if kind == PEM else make_pfx(key, certificates)
		self.vault.set(self.name, value, contentType=kind)
		return key, certificates

	def path(self, suffix="pem"):
		return self.folder / f"{self.name}.{suffix}"

	def state(self):
		"""Everything there, with when it was touched."""
		return sorted((str(path), os.lstat(path).st_ino, os.lstat(path).st_mtime_ns)
		    for path in self.folder.rglob("*"))


def match(key, pem):
	key = serialization.load_pem_private_key(key, None)
	return spki(key.public_key()) == spki(x509.load_pem_x509_certificates(pem)[0].public_key())


def by_secret(shared):
	names = ("AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
	return {name: shared.env[name] for name in names}


@pytest.fixture
def fetch(shared, tmp_path):
	folder = tmp_path / "tls"
	folder.mkdir(0o700)
	return Fetch(shared, folder, by_secret(shared), unique("web"))


@pytest.mark.parametrize("kind", (PEM, PFX))
def test_files(fetch, kind):
	key, certificates = fetch.put(kind)
	fetch.run()
	pem = fetch.path().read_bytes()
	assert x509.load_pem_x509_certificates(pem) == certificates
	assert match(fetch.path("key").read_bytes(), pem)
	assert fetch.path("combined.pem").read_bytes() == fetch.path("key").read_bytes() + pem
	for suffix in ("key", "pem", "combined.pem"):
		assert stat.S_IMODE(fetch.path(suffix).stat().st_mode) == 0o600
	before = fetch.state()
	fetch.run()
	assert fetch.state() == before
	fetch.put(kind)
	fetch.run()
	assert fetch.path().read_bytes() != pem
	assert match(fetch.path("key").read_bytes(), fetch.path().read_bytes())


@pytest.mark.parametrize("kind", (PEM, PFX))
def test_certificate_of_the_vault(fetch, kind):
	made = create(fetch.vault, fetch.name, merged(SELF, secret_props={"contentType": kind}))
	fetch.run()
	assert os.readlink(fetch.folder / f".{fetch.name}" / "current") == version_of(made)
	assert match(fetch.path("key").read_bytes(), fetch.path().read_bytes())


@pytest.mark.parametrize("shape", ("App Service", "IMDS"))
def test_managed_identity(agent, shared, tmp_path, shape):  # noqa: F811
	env = agent.env if shape == "App Service" else {"AZURE_POD_IDENTITY_AUTHORITY_HOST": agent.base}
	fetch = Fetch(shared, tmp_path, env, unique("web"))
	tmp_path.chmod(0o700)
	fetch.put()
	fetch.run()
	fetch.env["AZURE_CLIENT_ID"] = agent.identity["properties"]["clientId"]
	fetch.put()
	fetch.run()
	fetch.env["AZURE_CLIENT_ID"] = shared.env["AZURE_CLIENT_ID"]
	assert "Identity not found" in fetch.run(fine=False)


def test_identity_endpoint_is_local(fetch):
	for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
		del fetch.env[name]
	# Whoever connects to that address, which is none of the loopback's, comes to this machine all the same.
	with socket.create_server(("127.0.0.1", 0)) as listener:
		address = f"0.0.0.0:{listener.getsockname()[1]}"
		fetch.env |= {"IDENTITY_ENDPOINT": f"http://{address}/token", "IDENTITY_HEADER": "x"}
		assert address in fetch.run(fine=False)
		listener.setblocking(False)
		with pytest.raises(BlockingIOError):  # no connection was tried
			listener.accept()


def test_name_of_the_vault(fetch):
	fetch.put()
	done = subprocess.run([BINARY, "fetch-cert", "sdk", fetch.name, "--pem", fetch.folder], env=fetch.env,
	    capture_output=True, text=True, timeout=60)
	assert done.returncode == 0 and fetch.path().exists(), done.stderr


def test_reload_on_change_only(fetch, tmp_path):
	log = tmp_path / "reloads"
	fetch.put()
	reload = ("--reload", f"readlink {fetch.folder}/.{fetch.name}/current >>{log}")
	for _ in range(2):
		fetch.run(*reload)
	assert len(log.read_text().splitlines()) == 1
	fetch.put()
	assert "exit code 3" in fetch.run("--reload", "exit 3", fine=False)
	renewed = fetch.path().read_bytes()
	fetch.vault.patch(f"/secrets/{fetch.name}/", {"attributes": {"enabled": False}}).expect(200)
	assert "is disabled" in fetch.run(*reload, fine=False)  # the reload was due all the same
	assert len(log.read_text().splitlines()) == 2
	assert fetch.path().read_bytes() == renewed
	fetch.vault.patch(f"/secrets/{fetch.name}/", {"attributes": {"enabled": True}}).expect(200)
	fetch.run(*reload)
	assert len(set(log.read_text().splitlines())) == 2


def test_what_is_gone_leaves_the_files(fetch, shared):
	fetch.put()
	fetch.run()
	before = fetch.state()
	key, certificates = chain()
	fetch.vault.set(fetch.name, pem_of(key, certificates), contentType=PEM,
	    attributes={"exp": int(time.time()) - 60})
	assert "has expired" in fetch.run(fine=False)
	for value, kind, why in (("x", "text/plain", "no certificate's"), ("eA==", PFX, "PKCS#12 X.509 certificate content can not be read"),
	    (pem_of(None, certificates), PEM, "Private key is not specified"),
	    (pem_of(chain()[0], certificates), PEM, "does not belong to any of the certificates")):
		fetch.vault.set(fetch.name, value, contentType=kind)
		assert why in fetch.run(fine=False)
	fetch.vault.remove(fetch.name)
	assert "deleted, or never made" in fetch.run(fine=False)
	stranger = shared.make_principal()
	fetch.env |= {"AZURE_CLIENT_ID": stranger.client_id, "AZURE_CLIENT_SECRET": stranger.secret}
	assert "403" in fetch.run(fine=False)
	assert fetch.state() == before


def test_folders_of_others(fetch):
	fetch.put()
	fetch.folder.chmod(0o770)
	assert "others may write" in fetch.run(fine=False)
	fetch.folder.chmod(0o700)
	fetch.path("key").write_text("mine")
	assert "no link of ours" in fetch.run(fine=False)
	assert fetch.path("key").read_text() == "mine" and not fetch.path().exists()
	assert "what is" in fetch.run("--relaod", "x", fine=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_reader_of_its_own(shared):
	"""As docs/fetch-cert.md says for a server that does not read as root: once, and renewals keep it."""
	user = {"user": 65534, "group": 65534, "extra_groups": []}
	with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # pytest's own lets nobody through
		fetch = Fetch(shared, pathlib.Path(folder), by_secret(shared), unique("web"))

		def read():
			return subprocess.run(["cat", fetch.path("combined.pem")], capture_output=True, **user).stdout

		fetch.put()
		fetch.run()
		versions = fetch.folder / f".{fetch.name}"
		for path in (fetch.folder, versions, versions / "current"):
			path.chmod(0o711)
		assert read() == b""
		for path in (versions / "current").iterdir():
			os.chown(path, user["user"], -1)
		first = read()
		assert first == fetch.path("combined.pem").read_bytes()
		for _ in range(2):
			fetch.put()
			fetch.run()
			assert read() == fetch.path("combined.pem").read_bytes() != first
		assert stat.S_IMODE((versions / "current").stat().st_mode) == 0o711


def test_vault_away(server, tmp_path):
	one = server(("sdk",))
	tmp_path.chmod(0o700)
	fetch = Fetch(one, tmp_path, by_secret(one), "web")
	fetch.put()
	with open(tmp_path.parent / "fetch.log", "w+") as log:
		process = subprocess.Popen(fetch.command("--every", "1s"), env=fetch.env, stderr=log)
		try:
			until(lambda: fetch.path().exists())
			first = fetch.path().read_bytes()
			one.stop()
			log_path = tmp_path.parent / "fetch.log"
			until(lambda: "fetch.failed" in log_path.read_text())
			assert fetch.path().read_bytes() == first
			one.start()
			fetch.put()
			until(lambda: fetch.path().read_bytes() != first)
		finally:
			process.send_signal(signal.SIGTERM)
			process.wait(30)
		assert not SANITIZER_FAULT.search(log_path.read_text())


def until(done, seconds=40):
	end = time.monotonic() + seconds
	while not done():
		assert time.monotonic() < end
		time.sleep(0.05)


def read_pair(folder, name):
	"""Key and chain of one version, however often it is renewed meanwhile."""
	while True:
		try:
			at = os.open(folder / f".{name}" / "current", os.O_RDONLY | os.O_DIRECTORY)
			try:
				return [open(os.open(file, os.O_RDONLY, dir_fd=at), "rb").read()
				    for file in ("key.pem", "chain.pem")]
			finally:
				os.close(at)
		except FileNotFoundError:
			continue  # two renewals went by


def test_a_reader_sees_pairs(fetch):
	fetch.put()
	fetch.run()
	pool = [pem_of(*chain()) for _ in range(8)]
	seen, wrong, over = set(), [], threading.Event()

	def read():
		while not over.is_set():
			key, pem = read_pair(fetch.folder, fetch.name)
			combined = fetch.path("combined.pem").read_bytes()
			seen.add(pem)
			if not match(key, pem) or not match(combined, combined):
				wrong.append((key, pem))
			time.sleep(0.002)

	reader = threading.Thread(target=read)
	reader.start()
	for at in range(200):
		fetch.vault.set(fetch.name, pool[at % len(pool)], contentType=PEM)
		fetch.run()
	over.set()
	reader.join()
	assert not wrong and len(seen) > len(pool) // 2
	kept = [path.name for path in (fetch.folder / f".{fetch.name}").iterdir() if not path.is_symlink()]
	assert len(kept) == 2


NGINX = """
daemon off; master_process on; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
worker_shutdown_timeout 60s;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port} ssl; keepalive_timeout 60s;
    ssl_certificate {pem}; ssl_certificate_key {key};
    location / {{ root {folder}/www; }}
  }}
}}
"""


def dial(port, root):
	context = ssl.create_default_context(cadata=root.public_bytes(serialization.Encoding.PEM).decode())
	plain = socket.create_connection(("127.0.0.1", port), 60)
	return context.wrap_socket(plain, server_hostname="leaf.test")


@pytest.mark.skipif(not shutil.which("nginx"), reason="no nginx")
def test_nginx_keeps_connections(fetch, tmp_path):
	tmp_path.chmod(0o711)
	(tmp_path / "www").mkdir()
	body = os.urandom(32 * 1024 * 1024)  # more than sockets hold while nobody reads
	(tmp_path / "www" / "slow").write_bytes(body)
	_, (_, _, old_root) = put_named(fetch)
	fetch.run()
	port = free_port()
	settings = tmp_path / "nginx.conf"
	settings.write_text(("user root;\n" if os.geteuid() == 0 else "") + NGINX.format(folder=tmp_path, port=port,
	    pem=fetch.path(), key=fetch.path("key")))
	nginx = subprocess.Popen(["nginx", "-c", settings, "-p", tmp_path, "-e", tmp_path / "error.log"])
	try:
		until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
		kept = dial(port, old_root)
		kept.sendall(b"GET /slow HTTP/1.1\r\nHost: leaf.test\r\nConnection: close\r\n\r\n")
		got = kept.recv(2048)
		_, (_, _, new_root) = put_named(fetch)
		fetch.run("--reload", f"nginx -c {settings} -p {tmp_path} -e {tmp_path}/error.log -s reload")
		until(lambda: serves(port, new_root))
		pieces = [got]  # the rest is still under way
		while piece := kept.recv(65536):
			pieces.append(piece)
		assert b"".join(pieces).split(b"\r\n\r\n", 1)[1] == body
		assert not serves(port, old_root)
	finally:
		nginx.terminate()
		nginx.wait(30)
	assert not re.search(r"\[(emerg|alert)\]", (tmp_path / "error.log").read_text())


def put_named(fetch):
	"""With a name in it that a client verifies."""
	from certs import issue, new_key
	root, middle, key = new_key(), new_key(), new_key()
	names = [x509.SubjectAlternativeName([x509.DNSName("leaf.test")])]
	certificates = [issue(key.public_key(), "leaf.test", middle, "middle", more=names),
	    issue(middle.public_key(), "middle", root, "root", ca=True),
	    issue(root.public_key(), "root", root, ca=True)]
	fetch.vault.set(fetch.name, pem_of(key, certificates), contentType=PEM)
	return key, certificates


def serves(port, root):
	try:
		dial(port, root).close()
		return True
	except ssl.SSLCertVerificationError:
		return False
