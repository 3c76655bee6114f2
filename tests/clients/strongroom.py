"""A server to test, and plain HTTPS to it.

SDKs and HTTP libraries smooth over what the tests must send as it is (double slashes, PUTs without
a body, odd verbs), so requests are made with http.client.  Whatever is asked, an answer of 500 or
more is a failure of its own.
"""
import base64
import contextlib
import ctypes
import http.client
import itertools
import json
import os
import re
import shlex
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("STRONGROOM_BINARY") or ROOT / "build" / "strongroom").absolute()
VERSION = "7.4"
GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
SANITIZER_OPTIONS = {"ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1"}
SANITIZER_FAULT = re.compile(r"ERROR: (Address|Leak)Sanitizer|runtime error:")

ROLES = {
	"Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
	"Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
	"Key Vault Administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
	"Key Vault Certificates Officer": "a4417e6f-fecd-4de8-b567-7b0420556985",
	"Key Vault Certificate User": "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
	"Key Vault Contributor": "f25e0fa2-a7c8-4377-a976-54943a77a395",
	"Key Vault Crypto Officer": "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
	"Key Vault Crypto User": "12338af0-0e69-4776-bea7-57ae8d297424",
	"Key Vault Reader": "21090545-7ca7-4776-b22c-e363652d74d2",
	"Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
	"Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
}

running = []  # servers, so that a failing test can show what they said

_counter = itertools.count()


def unique(prefix="s"):
	"""A name no test has used."""
	return f"{prefix}-{next(_counter)}"


def wait_until(condition, seconds=30):
	"""What ${condition} returns, once that is true."""
	deadline = time.monotonic() + seconds
	while not (value := condition()):
		assert time.monotonic() < deadline
		time.sleep(0.1)
	return value


def free_port():
	"""A port that is free on both loopback addresses."""
	while True:
		with socket.socket(socket.AF_INET6) as six, socket.socket(socket.AF_INET) as four:
			six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
			four.bind(("127.0.0.1", 0))
			port = four.getsockname()[1]
			try:
				six.bind(("::1", port))
			except OSError:
				continue
			return port


def claims(token):
	"""What a token says, unverified."""
	part = token.split(".")[1]
	return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def _no_duplicates(pairs):
	members = dict(pairs)
	assert len(members) == len(pairs), f"duplicate members in a reply: {pairs}"
	return members


class Reply:
	def __init__(self, status, fields, body):
		self.status = status
		self.fields = fields
		self.body = body

	def header(self, name):
		values = [value for key, value in self.fields if key.lower() == name.lower()]
		assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
		return values[0] if values else None

	@property
	def json(self):
		return json.loads(self.body.decode("utf-8"), object_pairs_hook=_no_duplicates)

	@property
	def error(self):
		return self.json["error"]

	@property
	def inner(self):
		return self.error.get("innererror", {}).get("code")

	def expect(self, status, code=None, inner=None):
		"""Itself, after a look at the status and the error's codes."""
		assert self.status == status, f"{self.status} instead of {status}: {self.body[:600]!r}"
		if code is not None:
			assert (self.error["code"], self.inner) == (code, inner), self.body
		return self

	def __repr__(self):
		return f"<Reply {self.status} {self.body[:300]!r}>"


class Connection(http.client.HTTPSConnection):
	"""To the loopback address, whatever the name: machines differ in what they resolve."""

	def __init__(self, host, port, context, address="127.0.0.1", timeout=60):
		super().__init__(host, port, context=context, timeout=timeout)
		self.address = address
		self.tls = context

	def connect(self):
		plain = socket.create_connection((self.address, self.port), self.timeout)
		plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		self.sock = self.tls.wrap_socket(plain, server_hostname=self.host)

	def exchange(self, method, target, body=None, headers=()):
		"""One request; ${headers} is a list of pairs or a dict, ${body} bytes or None."""
		fields = list(headers.items()) if isinstance(headers, dict) else list(headers)
		names = {name.lower() for name, _ in fields}
		self.putrequest(method, target, skip_host="host" in names, skip_accept_encoding=True)
		if not names & {"content-length", "transfer-encoding"}:
			if body is not None or method in ("PUT", "POST", "PATCH"):
				fields.append(("Content-Length", str(len(body or b""))))
		for name, value in fields:
			self.putheader(name, value)
		self.endheaders(body)
		answer = self.getresponse()
		return Reply(answer.status, answer.getheaders(), answer.read())


def _die_with_parent():
	ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Server:
	"""A development server with a data folder of its own."""

	def __init__(self, folder, vaults=("main",), options=(), user=None, environment=None,
	    binary=None, prepare=None):
		self.folder = Path(folder)
		self.folder.mkdir(parents=True, exist_ok=True)
		self.data = self.folder / "data"
		self.log = self.folder / "server.log"
		self.vaults = list(vaults)
		self.options = [str(option) for option in options]
		self.user = user or {}  # whose process it is, in Popen's words
		self.environment = environment or {}
		self.binary = Path(binary or BINARY)
		self.prepare = prepare
		self.tolerated = ()  # statuses over 500 that are no fault of the server's
		self.port = free_port()
		self.process = None
		self.env = {}
		self.local = threading.local()

	@property
	def sanitized(self):
		return b"__asan_init" in self.binary.read_bytes()

	def resident(self):
		"""The memory it has, in KiB."""
		with open(f"/proc/{self.process.pid}/status") as status:
			return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

	# Life

	def command(self):
		names = [part for name in self.vaults for part in ("--vault", name)]
		return [self.binary, "dev", "--data", self.data, "--port", str(self.port), *names, *self.options]

	def spawn(self):
		def prepare():
			_die_with_parent()
			if self.prepare:
				self.prepare()

		environment = {
			"PATH": os.environ.get("PATH", ""),
			**SANITIZER_OPTIONS,
			**{name: value for name, value in os.environ.items() if name in SANITIZER_OPTIONS},
			**self.environment,
		}
		with open(self.log, "ab") as log:
			self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
			    stderr=log, cwd=self.folder, env=environment, preexec_fn=prepare, **self.user)

	def start(self, seconds=int(os.environ.get("STRONGROOM_START_SECONDS", 30))):
		assert self.binary.exists(), f"no server at {self.binary}: build it, or set STRONGROOM_BINARY"
		offset = self.log.stat().st_size if self.log.exists() else 0
		self.spawn()
		running.append(self)
		deadline = time.monotonic() + seconds
		while not re.search(r"^ready\b", self.output(offset), re.M):
			code = self.process.poll()
			if code is not None or time.monotonic() > deadline:
				self.kill()
				raise AssertionError(f"the server did not start (exit code {code}):\n{self.output(offset)}")
			time.sleep(0.005)
		self.env = self.read_env()
		self.context = ssl.create_default_context(cafile=str(self.env["STRONGROOM_CA"]))
		return self

	def wait(self, seconds=60):
		try:
			return self.process.wait(seconds)
		finally:
			if self.process.poll() is not None and self in running:
				running.remove(self)

	def kill(self, number=signal.SIGKILL):
		if self.process.poll() is None:
			self.process.send_signal(number)
		return self.wait()

	def stop(self):
		"""Stop it as its users do; a sanitizer's complaint is a failure."""
		self.forget_connections()
		code = self.kill(signal.SIGTERM)
		assert not self.faults(), "\n".join(self.faults())
		assert code == 0, f"exit code {code} after SIGTERM:\n{self.tail()}"

	def restart(self):
		self.stop()
		return self.start()

	def output(self, offset=0):
		with open(self.log, "rb") as log:
			log.seek(offset)
			return log.read().decode("utf-8", "replace")

	def tail(self, lines=60):
		"""The last it said since it was ready."""
		said = re.split(r"(?m)^ready\b.*\n", self.output())[-1]
		return "\n".join(said.splitlines()[-lines:])

	def faults(self):
		"""What a sanitizer complained about, with the first lines of each stack."""
		lines = self.output().splitlines()
		return ["\n".join(lines[at:at + 16]) for at, line in enumerate(lines) if SANITIZER_FAULT.search(line)]

	def read_env(self):
		env = {}
		for line in (self.data / "env").read_text().splitlines():
			words = shlex.split(line, comments=True)
			if words[:1] == ["export"]:
				name, value = words[1].split("=", 1)
				env[name] = value
		return env

	def cli(self, *arguments, timeout=60):
		"""Run a command of the binary on this server's data folder."""
		done = subprocess.run([self.binary, *arguments, "--data", self.data], cwd=self.folder,
		    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
		    env=SANITIZER_OPTIONS | dict(os.environ))
		assert not SANITIZER_FAULT.search(done.stderr), done.stderr
		return done

	def advance(self, duration):
		done = self.cli("clock", "advance", duration)
		assert done.returncode == 0, done.stderr

	# Names

	def host(self, label):
		return f"{label}.localhost:{self.port}"

	def url(self, vault):
		return f"https://{vault}.vault.localhost:{self.port}"

	@property
	def resource(self):
		return f"https://vault.localhost:{self.port}"

	@property
	def management(self):
		return f"https://management.localhost:{self.port}"

	@property
	def tenant(self):
		return self.env["STRONGROOM_TENANT"]

	@property
	def subscription(self):
		return self.env["AZURE_SUBSCRIPTION_ID"]

	@property
	def group_scope(self):
		return f"/subscriptions/{self.subscription}/resourceGroups/dev"

	def scope(self, vault=None, secret=None):
		path = f"/subscriptions/{self.subscription}"
		if vault:
			path = f"{self.group_scope}/providers/Microsoft.KeyVault/vaults/{vault}"
		return path + (f"/secrets/{secret}" if secret else "")

	@property
	def admin(self):
		return Principal(self, self.env["AZURE_CLIENT_ID"], self.env["AZURE_CLIENT_SECRET"])

	def vault(self, name, principal=None, version=VERSION):
		return Vault(self, name, principal or self.admin, version)

	# HTTPS

	def connection(self, host, address="127.0.0.1", timeout=60):
		"""A new connection to a host[:port] of ours."""
		return Connection(host.split(":")[0], self.port, self.context, address, timeout)

	def forget_connections(self):
		self.local = threading.local()

	def send(self, method, host, target, body=None, headers=()):
		"""One request, on this thread's connection to ${host}; a stale one is made anew, once."""
		pool = self.local.__dict__
		known = host in pool
		connection = pool.setdefault(host, None) or self.connection(host)
		pool[host] = connection
		try:
			reply = connection.exchange(method, target, body, headers)
		except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLError):
			connection.close()
			del pool[host]
			if known:
				return self.send(method, host, target, body, headers)
			raise
		assert reply.status < 500 or reply.status in self.tolerated, f"{method} {host}{target[:200]} -> {reply.status} {reply.body[:600]!r}"
		return reply

	def manage(self, method, path, body=None, version="2022-04-01", principal=None):
		return self._bearer(method, "management", f"{path}?api-version={version}", body,
		    (principal or self.admin).token(self.management))

	def graph(self, method, path, body=None, principal=None):
		token = (principal or self.admin).token(f"https://graph.localhost:{self.port}")
		return self._bearer(method, "graph", "/v1.0" + path, body, token)

	def _bearer(self, method, label, target, body, token):
		headers = {"Authorization": f"Bearer {token}"}
		if body is not None:
			headers["Content-Type"] = "application/json"
			body = json.dumps(body).encode()
		return self.send(method, self.host(label), target, body, headers)

	# Principals and roles

	def make_principal(self, name=None, secret=True, certificate=None):
		"""An application with its service principal; ${certificate} is DER."""
		body = {"displayName": name or unique("app")}
		if certificate:
			body["keyCredentials"] = [{"type": "AsymmetricX509Cert", "usage": "Verify",
			    "key": base64.b64encode(certificate).decode()}]
		application = self.graph("POST", "/applications", body).expect(201).json
		text = None
		if secret:
			added = self.graph("POST", f"/applications/{application['id']}/addPassword",
			    {"passwordCredential": {"displayName": "test"}})
			text = added.expect(200).json["secretText"]
		return Principal(self, application["appId"], text, application)

	def assign(self, principal, role, scope, name=None):
		"""Give a role; returns the assignment's id."""
		path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name or uuid.uuid4()}"
		self.manage("PUT", path, self.assignment(principal, role)).expect(201)
		return path

	def assignment(self, principal, role):
		definitions = f"{self.scope()}/providers/Microsoft.Authorization/roleDefinitions"
		return {"properties": {"roleDefinitionId": f"{definitions}/{ROLES.get(role, role)}",
		    "principalId": getattr(principal, "object_id", principal),
		    "principalType": "ServicePrincipal"}}

	def unassign(self, path):
		self.manage("DELETE", path).expect(200)


class Principal:
	"""Somebody who can sign in with a client secret."""

	def __init__(self, server, client_id, secret, application=None):
		self.server = server
		self.client_id = client_id
		self.secret = secret
		self.application = application

	def sign_in(self, scope, tenant=None, secret=None):
		form = {"grant_type": "client_credentials", "client_id": self.client_id,
		    "client_secret": secret or self.secret, "scope": scope}
		return self.server.send("POST", self.server.host("login"),
		    f"/{tenant or self.server.tenant}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode(),
		    {"Content-Type": "application/x-www-form-urlencoded"})

	def token(self, resource=None):
		resource = resource or self.server.resource
		cache = self.server.__dict__.setdefault("tokens", {})
		key = (self.client_id, resource)
		if key not in cache:
			cache[key] = self.sign_in(f"{resource}/.default").expect(200).json["access_token"]
		return cache[key]

	@property
	def object_id(self):
		return claims(self.token())["oid"]


class Vault:
	"""A vault as one principal sees it."""

	def __init__(self, server, name, principal, version=VERSION):
		self.server = server
		self.name = name
		self.principal = principal
		self.version = version
		self.host = server.host(f"{name}.vault")
		self.url = server.url(name)

	def request(self, method, path, body=None, *, query=None, token=None, headers=None):
		"""${query} is the whole query string; ${token} False sends none."""
		fields = dict(headers or {})
		if token is not False:
			fields.setdefault("Authorization", f"Bearer {token or self.principal.token()}")
		if body is not None:
			fields.setdefault("Content-Type", "application/json")
			if not isinstance(body, bytes):
				body = json.dumps(body).encode()
		target = path + "?" + (f"api-version={self.version}" if query is None else query)
		return self.server.send(method, self.host, target.removesuffix("?"), body, fields)

	def get(self, path, **more):
		return self.request("GET", path, **more)

	def put(self, path, body=None, **more):
		return self.request("PUT", path, body, **more)

	def post(self, path, body=None, **more):
		return self.request("POST", path, body, **more)

	def patch(self, path, body=None, **more):
		return self.request("PATCH", path, body, **more)

	def delete(self, path, **more):
		return self.request("DELETE", path, **more)

	# Shorthand for what most tests begin with

	def set(self, name, value="value", **members):
		return self.put(f"/secrets/{name}", {"value": value, **members}).expect(200).json

	def value(self, name, version=""):
		return self.get(f"/secrets/{name}/{version}").expect(200).json["value"]

	def remove(self, name):
		return self.delete(f"/secrets/{name}").expect(200).json

	def backup(self, name):
		return self.post(f"/secrets/{name}/backup").expect(200).json["value"]

	def follow(self, url):
		"""GET a nextLink as it is."""
		assert url.startswith(self.url + "/"), url
		return self.server.send("GET", self.host, url[len(self.url):], None,
		    {"Authorization": f"Bearer {self.principal.token()}"})

	def pages(self, path, maxresults=None, **more):
		"""The pages of a list, each a reply's JSON; ${more} is asked for on the first."""
		query = urllib.parse.urlencode({"api-version": self.version, **({"maxresults": maxresults} if maxresults else {}), **more})
		page = self.get(path, query=query).expect(200).json
		while True:
			yield page
			if page["nextLink"] is None:
				return
			page = self.follow(page["nextLink"]).expect(200).json

	def items(self, path, maxresults=None, **more):
		return [item for page in self.pages(path, maxresults, **more) for item in page["value"]]


def version_of(bundle):
	return bundle["id"].rsplit("/", 1)[1]


def memory_of(pid):
	"""What a process has in memory, region by region; a sanitizer's shadow left out."""
	with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
		for line in maps:
			span, rights = line.split()[:2]
			begin, end = (int(edge, 16) for edge in span.split("-"))
			if rights.startswith("r") and end - begin < 2 ** 30 and "[v" not in line:
				with contextlib.suppress(OSError):
					memory.seek(begin)
					yield memory.read(end - begin)
