"""A server's life: stopped, restarted, aged, rekeyed, cut off, and what it leaves on the disk."""
import base64
import contextlib
import http.client
import json
import os
import pwd
import resource
import shutil
import signal
import stat
import subprocess
import threading
import time
import uuid

import pytest

from strongroom import BINARY, Server, claims, memory_of, version_of

DAY = 86400


def eventually(check, seconds=20):
	"""Wait for what the server does in its own time."""
	deadline = time.monotonic() + seconds
	while not (result := check()):
		assert time.monotonic() < deadline, "it did not happen"
		time.sleep(0.05)
	return result


# Restarts

def test_restart_keeps_everything(server):
	one = server(vaults=["main", "other"], options=["--retention", "other=7"])
	main, other = one.vault("main"), one.vault("other")
	versions = [main.set("s", str(i), tags={"n": str(i)}, contentType="t", attributes={"exp": 99}) for i in range(3)]
	main.patch(f"/secrets/s/{version_of(versions[0])}", {"attributes": {"enabled": False}}).expect(200)
	other.set("gone", "x")
	deleted = other.remove("gone")
	reader = one.make_principal()
	one.assign(reader, "Key Vault Reader", one.scope("main"))
	removed = one.assign(reader, "Key Vault Secrets User", one.scope("other"))
	one.unassign(removed)
	before = (main.get("/secrets").body, main.get("/secrets/s/versions").body, main.get("/secrets/s").body,
	    other.get("/deletedsecrets").body)
	env, authority = one.env, (one.data / "ca.pem").read_bytes()
	old_token = one.admin.token()

	for _ in range(2):
		one.restart()
		assert one.env == env and (one.data / "ca.pem").read_bytes() == authority
		assert (main.get("/secrets").body, main.get("/secrets/s/versions").body, main.get("/secrets/s").body,
		    other.get("/deletedsecrets").body) == before
		main.get("/secrets", token=old_token).expect(200)
		main.get(f"/secrets/s/{version_of(versions[0])}").expect(403, "Forbidden", "SecretDisabled")
		one.vault("main", reader).get("/secrets").expect(200)
		one.vault("main", reader).get("/secrets/s").expect(403)
		one.vault("other", reader).get("/secrets").expect(403)
		one.tokens.clear()
		main.get("/secrets/s").expect(200)
	assert other.get("/deletedsecrets/gone").expect(200).json == deleted
	other.post("/deletedsecrets/gone/recover").expect(200)
	assert other.value("gone") == "x"


def test_second_server_on_the_folder_is_refused(server):
	one = server()
	two = Server(one.folder)
	two.log = one.folder / "second.log"
	with pytest.raises(AssertionError, match=r"did not start \(exit code 1\)"):
		two.start(10)
	one.vault("main").get("/secrets").expect(200)


def test_vaults_can_be_added(server):
	one = server(vaults=["main"])
	one.vault("main").set("s", "kept")
	one.vaults = ["main", "late-one"]
	one.restart()
	assert one.env["KEYVAULT_URL_LATE_ONE"] == one.url("late-one")
	one.vault("late-one").set("s", "x")
	assert one.vault("main").value("s") == "kept"


@pytest.mark.parametrize("option, value", [("--vault", "a"), ("--vault", "bad_name"), ("--vault", "9lives"),
    ("--vault", "two--hyphens"), ("--vault", "ends-"), ("--vault", "x" * 25), ("--port", "99999"), ("--port", "abc"),
    ("--retention", "main=6"), ("--retention", "main=91"), ("--retention", "nowhere=9"), ("--purge-protection", "nowhere"), ("--nonsense", "x")])
def test_bad_options(tmp_path, option, value):
	one = Server(tmp_path, options=[option, value])
	with pytest.raises(AssertionError, match=r"did not start \(exit code [12]\)"):
		try:
			one.start(10)
		finally:
			one.kill()
	assert not one.faults()


def test_files_are_private(server):
	one = server()
	one.vault("main").set("s")
	assert stat.S_IMODE(one.data.stat().st_mode) & 0o077 == 0
	for path in one.data.rglob("*"):
		if path.name not in ("ca.pem", "ca-bundle.pem"):
			assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


# Time

def test_retention(server):
	one = server(vaults=["main", "protected", "short"], options=["--purge-protection", "protected",
	    "--retention", "short=7"])
	vaults = {name: one.vault(name) for name in one.vaults}
	for vault in vaults.values():
		vault.set("s", "x")
		vault.remove("s")
		vault.set("stays", "y")

	def state(name):
		return vaults[name].get("/deletedsecrets/s").status

	one.advance("6d")
	time.sleep(1.5)
	assert [state(name) for name in vaults] == [200, 200, 200]
	one.advance("1d")
	eventually(lambda: state("short") == 404)
	assert vaults["short"].items("/deletedsecrets") == []
	vaults["short"].set("s", "the name is free")
	one.advance("82d")
	time.sleep(1.5)
	assert (state("main"), state("protected")) == (200, 200)
	one.advance("1d")
	eventually(lambda: state("main") == 404 and state("protected") == 404)
	for name in ("main", "protected"):
		vaults[name].put("/secrets/s", {"value": "free"}).expect(200)
		vaults[name].get("/deletedsecrets/s").expect(404, "SecretNotFound")
		assert vaults[name].value("stays") == "y"


def test_retention_while_stopped(server):
	"""What fell due is done by the next start; the moved clock is remembered."""
	one = server(vaults=["main"])
	main = one.vault("main")
	main.set("s", "x")
	deleted = main.remove("s")
	one.advance("89d")
	one.restart()
	assert main.get("/deletedsecrets/s").expect(200).json == deleted
	one.advance("1d")
	one.restart()
	eventually(lambda: main.get("/deletedsecrets/s").status == 404)


def test_clock_moves_the_vault_not_the_tokens(server):
	one = server(vaults=["main"])
	main = one.vault("main")
	token = one.admin.token()
	one.advance("400d")
	made = main.put("/secrets/s", {"value": "x"}, token=token).expect(200).json
	assert abs(made["attributes"]["created"] - (time.time() + 400 * DAY)) < 30
	fresh = one.admin.sign_in(f"{one.resource}/.default").expect(200).json["access_token"]
	assert abs(claims(fresh)["iat"] - time.time()) < 30
	main.get("/secrets/s", token=fresh).expect(200)
	one.forget_connections()
	main.get("/secrets/s", token=fresh).expect(200)


@pytest.mark.parametrize("duration", ["", "x", "-1d", "1", "99999999999999d", "1d1", "d"])
def test_bad_duration(server, duration):
	one = server()
	done = one.cli("clock", "advance", duration)
	assert done.returncode not in (0, -signal.SIGSEGV, -signal.SIGABRT) and done.stderr
	made = one.vault("main").set("s")
	assert abs(made["attributes"]["created"] - time.time()) < 30


# Keys

def put_root_key(one, key):
	path = one.data / "root.key"
	path.touch()
	path.chmod(0o600)
	path.write_bytes(key)


def test_rekey(server):
	one = server(vaults=["main", "other"])
	main = one.vault("main")
	made = [main.set("s", str(i)) for i in range(3)]
	one.vault("other").set("o", "x")
	one.vault("other").remove("o")
	blob = main.backup("s")
	before = (one.data / "root.key").read_bytes()
	refused = one.cli("rekey")
	assert refused.returncode != 0 and (one.data / "root.key").read_bytes() == before, "only a stopped server's"
	assert main.value("s") == "2"
	one.stop()

	done = one.cli("rekey")
	assert done.returncode == 0, done.stderr
	after = (one.data / "root.key").read_bytes()
	assert after != before
	one.start()
	assert [main.value("s", version_of(bundle)) for bundle in made] == ["0", "1", "2"]
	one.vault("other").post("/deletedsecrets/o/recover").expect(200)
	main.remove("s")
	main.delete("/deletedsecrets/s").expect(204)
	main.post("/secrets/restore", {"value": blob}).expect(200)
	assert main.value("s") == "2"
	one.stop()
	assert one.cli("audit", "verify").returncode == 0

	put_root_key(one, before)
	with pytest.raises(AssertionError, match="did not start"):
		one.start(10)
	put_root_key(one, after)
	one.start()
	assert main.value("s") == "2"


@pytest.mark.parametrize("spoil", [
	lambda path, key: path.unlink(),
	lambda path, key: path.write_bytes(b""),
	lambda path, key: path.write_bytes(key[:-1]),
	lambda path, key: path.write_bytes(key[:30] + (b"1" if key[30:31] == b"0" else b"0") + key[31:]),
	lambda path, key: path.chmod(0o644),
], ids=["missing", "empty", "cut", "changed", "open to others"])
def test_root_key_is_spoilt(server, spoil):
	one = server()
	one.vault("main").set("s")
	one.stop()
	path = one.data / "root.key"
	key = path.read_bytes()
	spoil(path, key)
	with pytest.raises(AssertionError, match=r"did not start \(exit code 1\)"):
		one.start(10)
	put_root_key(one, key)
	one.start()
	one.vault("main").get("/secrets/s").expect(200)


# Stopping

def test_requests_in_flight_are_answered(server):
	"""Half of each request has arrived when the server is told to stop."""
	one = server()
	main = one.vault("main")
	head = (f"Host: {main.host}\r\nAuthorization: Bearer {one.admin.token()}\r\n"
		"Content-Type: application/json\r\nContent-Length: 18\r\n\r\n")
	waiting = []
	for i in range(16):
		connection = one.connection(main.host)
		connection.connect()
		connection.sock.sendall(f"PUT /secrets/flight-{i}?api-version=7.4 HTTP/1.1\r\n{head}".encode() + b'{"value":')
		waiting.append(connection)
	time.sleep(1)
	one.process.send_signal(signal.SIGTERM)
	time.sleep(0.3)
	for connection in waiting:
		connection.sock.sendall(b'"landed"}')
	answers = []
	for connection in waiting:
		connection.sock.settimeout(20)
		answer = b""
		with contextlib.suppress(OSError):
			while part := connection.sock.recv(65536):
				answer += part
		answers.append(answer.split(b"\r\n")[0])
	assert answers == [b"HTTP/1.1 200 OK"] * 16
	assert one.wait() == 0 and not one.faults()
	one.start()
	assert [main.value(f"flight-{i}") for i in range(16)] == ["landed"] * 16


def test_stop_under_load(server):
	"""Every answer is whole, and what was answered is there afterwards."""
	one = server()
	main = one.vault("main")
	token = one.admin.token()
	done, cut = [], []

	def load(worker):
		connection = one.connection(main.host)
		for i in range(10 ** 6):
			name = f"load-{worker}-{i}"
			try:
				reply = connection.exchange("PUT", f"/secrets/{name}?api-version=7.4", b'{"value":"x"}',
				    {"Authorization": f"Bearer {token}"})
				assert reply.status == 200 and reply.json["value"] == "x"
				done.append((name, version_of(reply.json)))
			except (OSError, http.client.HTTPException) as error:
				cut.append(error)
				return

	threads = [threading.Thread(target=load, args=[worker]) for worker in range(16)]
	for thread in threads:
		thread.start()
	eventually(lambda: len(done) > 50)
	one.process.send_signal(signal.SIGTERM)
	for thread in threads:
		thread.join(30)
	assert one.wait() == 0 and not one.faults()
	assert len(done) > 50 and len(cut) == 16
	assert not [error for error in cut if type(error).__name__ == "IncompleteRead"], "an answer was cut short"
	assert one.cli("audit", "verify").returncode == 0
	one.start()
	for name, version in done:
		main.get(f"/secrets/{name}/{version}").expect(200)


# What is left behind

def encodings(value):
	"""The forms in which a text could lie around."""
	raw = value.encode()
	forms = {raw, raw.hex().encode(), raw.hex().upper().encode(), value.encode("utf-16-le"),
	    value.encode("utf-16-be"), raw[::-1]}
	for shift in range(3):  # base64 depends on where in a group of three bytes it starts
		text = base64.b64encode(b"\0" * shift + raw)
		inner = text[4 if shift else 0:len(text) // 4 * 4 - 4]
		forms |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
	return forms


def assert_nowhere(folder, values, ignore=()):
	assert values
	for path in folder.rglob("*"):
		if path.is_file() and path.name not in ignore:
			content = path.read_bytes()
			for value in values:
				for form in encodings(value):
					assert form not in content, f"{value} in {path}"


def test_values_are_nowhere_on_the_disk(server, tmp_path):
	one = server()
	main = one.vault("main")
	secret, changed, purged, long = (f"canary-{uuid.uuid4()}" for _ in range(4))
	tag = f"canary-{uuid.uuid4()}"
	main.set("s", secret, tags={"note": tag}, contentType=tag)
	main.set("s", changed)
	main.set("long", "x" * 20000 + long)
	main.set("purged", purged)
	main.value("s")
	blob = main.backup("s")
	main.patch("/secrets/s", {"tags": {"note": tag}, "value": secret}).expect(200)
	main.put("/secrets/bad_name", {"value": secret}).expect(400)
	main.put("/secrets/s", {"value": secret, "tags": {"a": 1}}).expect(400)
	main.put("/secrets/s", f'{{"value":"{secret}"'.encode()).expect(400)
	main.put("/secrets/s", {"value": secret}, token="garbage").expect(401)
	main.put("/secrets/s", {"value": secret}, query="api-version=1").expect(400)
	main.remove("s")
	main.put("/secrets/s", {"value": secret}).expect(409)
	main.remove("purged")
	main.delete("/deletedsecrets/purged").expect(204)
	main.post("/secrets/restore", {"value": blob}).expect(409)
	signature = one.admin.token().split(".")[2]
	for running in (True, False):
		if not running:
			one.stop()
		assert_nowhere(one.folder, [secret, changed, purged, long, tag])
		assert_nowhere(one.folder, [signature, blob[100:160]])
		assert_nowhere(one.folder, [one.env["AZURE_CLIENT_SECRET"]], ignore=["env"])
	# The search does find what is there.
	(tmp_path / "control").write_bytes(b"..." + base64.b64encode(b"{" + secret.encode() + b"}"))
	with pytest.raises(AssertionError, match="control"):
		assert_nowhere(tmp_path, [secret])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a process that dumps no core")
def test_values_are_nowhere_in_memory(server):
	"""Once their request is answered."""
	one = server()
	main = one.vault("main")
	value, tag = f"canary-{uuid.uuid4()}", f"canary-{uuid.uuid4()}"
	main.set("s", value, tags={"note": tag})
	assert main.value("s") == value
	main.put("/secrets/s", f'{{"value":"{value}"'.encode()).expect(400)
	main.backup("s")
	main.remove("s")
	hidden = [value, tag, one.env["AZURE_CLIENT_SECRET"], one.admin.token().split(".")[2]]

	def seen(texts):
		counts = [0] * len(texts)
		for region in memory_of(one.process.pid):
			counts = [count + region.count(text.encode()) for count, text in zip(counts, texts)]
		return counts

	eventually(lambda: seen(hidden) == [0] * 4)
	assert seen([one.tenant])[0], "the search finds what is there"


def unprivileged_user():
	"""Whose processes the next tests look at, in Popen's words: root may see everything."""
	if os.geteuid():
		return {}
	nobody = pwd.getpwnam("nobody")
	return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def allow_cores():
	resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)


@pytest.fixture
def unprivileged(tmp_path_factory):
	"""A server that could dump core, as a user's own process."""
	folder = tmp_path_factory.mktemp("unprivileged")
	binary = folder / "strongroom"
	shutil.copy(BINARY, binary)
	user = unprivileged_user()
	if user:
		os.chown(folder, user["user"], user["group"])
		for parent in list(folder.parents)[:-1]:
			if not parent.stat().st_mode & stat.S_IXOTH:
				parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
	one = Server(folder, binary=binary, user=user, prepare=allow_cores,
	    environment={"ASAN_OPTIONS": "disable_coredump=0:handle_abort=0"})
	yield one.start()
	if one.process.poll() is None:
		one.stop()


def test_memory_is_not_for_others(unprivileged):
	"""Not even for other processes of the same user."""
	def reads(pid, name):
		return not subprocess.run(["head", "-c", "1", f"/proc/{pid}/{name}"], stdout=subprocess.DEVNULL,
		    stderr=subprocess.DEVNULL, **unprivileged_user()).returncode

	pid = unprivileged.process.pid
	assert os.stat(f"/proc/{pid}/mem").st_uid == 0, "a dumpable process's files belong to its user"
	control = subprocess.Popen(["sleep", "60"], **unprivileged_user())
	try:
		for name in ("maps", "environ"):
			assert reads(control.pid, name) and not reads(pid, name), name
		assert not reads(pid, "mem")
	finally:
		control.kill()
		control.wait()


def dumps_core(process):
	"""Send it SIGABRT; whether the kernel wrote a core."""
	process.send_signal(signal.SIGABRT)
	_, status = os.waitpid(process.pid, 0)
	process.returncode = os.waitstatus_to_exitcode(status)
	assert process.returncode == -signal.SIGABRT
	return os.WCOREDUMP(status)


def test_no_core_dump(unprivileged):
	unprivileged.vault("main").set("s")
	control = subprocess.Popen(["sleep", "60"], cwd=unprivileged.folder, preexec_fn=allow_cores,
	    **unprivileged_user())
	time.sleep(0.2)
	can_dump = dumps_core(control)
	for core in unprivileged.folder.glob("core*"):
		core.unlink()
	assert not dumps_core(unprivileged.process)
	unprivileged.wait()
	assert not list(unprivileged.folder.rglob("core*"))
	if not can_dump:
		pytest.skip("nothing dumps core on this machine: that the server doesn't proves nothing")


def test_stopping_does_not_wait_for_keys_to_be_made(server):
	"""What waits to be made when the time to drain is over is dropped, and recorded as refused."""
	one = server(options=["--drain-seconds", 1])
	main, count = one.vault("main"), 60
	main.principal.token()

	def make(number):
		with contextlib.suppress(OSError, http.client.HTTPException, AssertionError):
			main.post(f"/keys/k{number}/create", {"kty": "RSA", "key_size": 4096})

	threads = [threading.Thread(target=make, args=(number,)) for number in range(count)]
	for thread in threads:
		thread.start()
	time.sleep(1.5)
	eventually(lambda: main.items("/keys"), 60)  # they came, and the others wait
	one.process.send_signal(signal.SIGTERM)
	assert one.wait(120) == 0
	for thread in threads:
		thread.join()
	made = [line["properties"]["httpStatusCode"] for line in records(one) if line["operationName"] == "KeyCreate"]
	assert set(made) <= {200, 503} and made.count(503) > count // 3
	one.start()
	assert len(one.vault("main").items("/keys")) == made.count(200)


# The audit log

def records(one):
	"""The log's lines, checkpoints left out."""
	lines = []
	for path in sorted((one.data / "audit").glob("audit-*.log")):
		lines += [json.loads(line) for line in path.read_text().splitlines()]
	return [line for line in lines if "operationName" in line]


LOGGED = [
	# method, path, body, status, operationName
	("PUT", "/secrets/s", {"value": "x"}, 200, "SecretSet"),
	("GET", "/secrets/s", None, 200, "SecretGet"),
	("GET", "/secrets/missing", None, 404, "SecretGet"),
	("PATCH", "/secrets/s", {}, 200, "SecretUpdate"),
	("PUT", "/secrets/bad_name", {"value": "x"}, 400, "SecretSet"),
	("PUT", "/secrets/s", {}, 400, "SecretSet"),
	("GET", "/secrets", None, 200, "SecretList"),
	("GET", "/secrets/s/versions", None, 200, "SecretListVersions"),
	("POST", "/secrets/s/backup", None, 200, "SecretBackup"),
	("POST", "/secrets/restore", {"value": "AAAA"}, 400, "SecretRestore"),
	("DELETE", "/secrets/s", None, 200, "SecretDelete"),
	("PUT", "/secrets/s", {"value": "x"}, 409, "SecretSet"),
	("GET", "/deletedsecrets", None, 200, "SecretListDeleted"),
	("GET", "/deletedsecrets/s", None, 200, "SecretGetDeleted"),
	("POST", "/deletedsecrets/s/recover", None, 200, "SecretRecover"),
	("DELETE", "/secrets/s", None, 200, "SecretDelete"),
	("DELETE", "/deletedsecrets/s", None, 204, "SecretPurge"),
]
SIGNATURES = {200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 409: "Conflict"}


def test_audit_record_of_every_request(server):
	one = server()
	main = one.vault("main")
	said = claims(one.admin.token())
	expected = {}
	for method, path, body, status, operation in LOGGED:
		correlation = str(uuid.uuid4())
		reply = main.request(method, path, body, headers={"x-ms-client-request-id": correlation,
		    "User-Agent": "the-tests/1.0"})
		assert reply.status == status, (method, path, reply)
		expected[correlation] = (method, path, status, operation)
	by_id = {}
	for line in records(one):
		by_id.setdefault(line["correlationId"], []).append(line)
	resource_id = one.scope("main").upper()
	for correlation, (method, path, status, operation) in expected.items():
		(line,) = by_id[correlation]
		assert (line["operationName"], line["operationVersion"], line["category"]) == (operation, "7.4", "AuditEvent")
		assert (line["resultType"] == "Success") == (status < 400)
		assert line["resultSignature"] == SIGNATURES[status]
		assert line["properties"]["httpStatusCode"] == status
		assert line["resourceId"].upper() == resource_id
		assert line["callerIpAddress"] == "127.0.0.1"
		assert isinstance(line["durationMs"], str) and float(line["durationMs"]) >= 0
		assert line["time"].endswith("Z") and len(line["time"]) == 28
		identity = line["identity"]["claim"]
		assert said["oid"] in identity.values() and identity["appid"] == said["appid"]
		properties = line["properties"]
		assert properties["clientInfo"] == "the-tests/1.0"
		assert properties["requestUri"].startswith(f"{main.url}{path}")
		if path != "/secrets/bad_name" and "restore" not in path:
			assert properties["isRbacAuthorized"] is True and properties["appliedAssignmentId"]
		assert (line["resultDescription"] != "") if status >= 400 else True


def test_audit_record_of_keys(server):
	"""What is known of the key when it is done, or refused."""
	one = server()
	main = one.vault("main", version="2025-07-01")
	ec, rsa, symmetric = ({"type": "EC", "size": 384, "curve": "P-384"}, {"type": "RSA", "size": 2048},
	    {"type": "oct", "size": 256})
	asked = [
		("POST", "/keys/ec/create", {"kty": "EC", "crv": "P-384"}, 200, ec),
		("POST", "/keys/rsa/create", {"kty": "RSA"}, 200, rsa),
		("POST", "/keys/oct/create", {"kty": "oct", "key_size": 256}, 200, symmetric),
		("GET", "/keys/ec", None, 200, ec),
		("POST", "/keys/rsa/encrypt", {"alg": "RSA-OAEP", "value": "AAAA"}, 200, rsa),
		("POST", "/keys/rsa/decrypt", {"alg": "RSA-OAEP", "value": "AAAA"}, 400, rsa),
		("PATCH", "/keys/ec", {"attributes": {"enabled": False}}, 200, ec),
		("POST", "/keys/ec/sign", {"alg": "ES384", "value": "A" * 64}, 403, ec),
		("GET", "/keys", None, 200, None), ("GET", "/keys/none", None, 404, None),
		("DELETE", "/keys/ec", None, 200, ec), ("GET", "/deletedkeys/ec", None, 200, ec),
		("PUT", "/secrets/s", {"value": "x"}, 200, None),
	]
	for number, (method, path, body, status, _) in enumerate(asked):
		main.request(method, path, body, headers={"x-ms-client-request-id": f"asked-{number}"}).expect(status)
	lines = {line["correlationId"]: line["properties"] for line in records(one)}
	for number, (*_, path, body, status, properties) in enumerate(asked):
		assert lines[f"asked-{number}"].get("keyProperties") == properties, path


def test_audit_record_of_refusals(server):
	one = server()
	main = one.vault("main")
	stranger = one.make_principal()
	ids = [str(uuid.uuid4()) for _ in range(4)]
	main.get("/secrets/s", token=False, headers={"x-ms-client-request-id": ids[0]}).expect(401)
	main.get("/secrets/s", token="a.b.c", headers={"x-ms-client-request-id": ids[1]}).expect(401)
	one.vault("main", stranger).get("/secrets/s", headers={"x-ms-client-request-id": ids[2]}).expect(403)
	main.get("/nonsense", headers={"x-ms-client-request-id": ids[3]}).expect(404)
	lines = {line["correlationId"]: line for line in records(one)}
	for i in (0, 1):
		assert lines[ids[i]]["operationName"] == "Authentication"
		assert (lines[ids[i]]["resultSignature"], lines[ids[i]]["properties"]["httpStatusCode"]) == \
		    ("Unauthorized", 401)
	denied = lines[ids[2]]
	assert (denied["operationName"], denied["resultSignature"]) == ("SecretGet", "Forbidden")
	assert stranger.object_id in denied["identity"]["claim"].values()
	assert denied["properties"]["isRbacAuthorized"] is False
	assert lines[ids[3]]["properties"]["httpStatusCode"] == 404


def test_audit_record_of_the_management_plane(server):
	one = server()
	principal = one.make_principal()
	assignment = one.assign(principal, "Key Vault Reader", one.scope("main"))
	one.unassign(assignment)
	text = json.dumps(records(one))
	assert assignment.rsplit("/", 1)[1] in text
	assert principal.secret not in text and one.admin.secret not in text


def test_audit_lines_cannot_be_forged_by_clients(server):
	one = server()
	evil = 'x","operationName":"SecretGet","a":"'
	one.vault("main").get("/secrets/s", headers={"x-ms-client-request-id": evil, "User-Agent": evil + "\\"})
	one.vault("main").get("/secrets/%0A%22%7D", query="api-version=7.4&x=%0a{%22operationName%22:1}")
	for line in records(one):
		assert line["operationName"] != 1
	one.stop()
	assert one.cli("audit", "verify").returncode == 0


def chain_file(one):
	return sorted((one.data / "audit").glob("audit-*.log"))[-1]


def cut_line(lines):
	del lines[len(lines) // 2]


def swap_lines(lines):
	lines[3], lines[4] = lines[4], lines[3]


def change_status(lines):
	index = next(i for i, line in enumerate(lines) if b'"httpStatusCode":404' in line)
	lines[index] = lines[index].replace(b'"httpStatusCode":404', b'"httpStatusCode":200')


def change_byte(lines):
	line = bytearray(lines[len(lines) // 2])
	line[len(line) // 2] ^= 1
	lines[len(lines) // 2] = bytes(line)


def cut_end(lines):
	del lines[-3:]


def cut_start(lines):
	del lines[:2]


def repeat_line(lines):
	lines.insert(4, lines[4])


def add_line(lines):
	lines.append(lines[-1].replace(b'"seq":', b'"seq":1'))


def empty(lines):
	lines.clear()


@pytest.mark.parametrize("tamper", [cut_line, swap_lines, change_status, change_byte, cut_end, cut_start, repeat_line,
    add_line, empty], ids=lambda tamper: tamper.__name__)
def test_tampering_shows(server, tamper):
	one = server()
	for i in range(10):
		one.vault("main").set(f"s-{i}")
		one.vault("main").get(f"/secrets/missing-{i}").expect(404)
	one.stop()
	verified = one.cli("audit", "verify")
	assert verified.returncode == 0, verified.stderr
	path = chain_file(one)
	original = path.read_bytes()
	lines = original.splitlines(keepends=True)
	tamper(lines)
	path.write_bytes(b"".join(lines))
	found = one.cli("audit", "verify")
	assert found.returncode == 1, found.stdout + found.stderr
	path.write_bytes(original)
	assert one.cli("audit", "verify").returncode == 0


def test_a_lost_log_shows(server):
	one = server()
	one.vault("main").set("s")
	one.stop()
	chain_file(one).unlink()
	assert one.cli("audit", "verify").returncode == 1
