"""Many slow connections, many that come and go, and too much of everything: with the memory flat."""
import concurrent.futures
import os
import resource
import socket
import ssl
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clients"))
from strongroom import Server, unique  # noqa: E402

# The whole is 10000 and 100000: script/soak.  What this process and the server may open decides how many at a time.
SLOW = int(os.environ.get("STRONGROOM_FAULT_SLOW", 400))
COMING = int(os.environ.get("STRONGROOM_FAULT_CONNECTIONS", 2000))
EACH_KIB = 64  # of memory, a connection that says nothing may take at most


@pytest.fixture(scope="module")
def server(tmp_path_factory):
	files = SLOW + 500
	soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
	if hard < files:
		pytest.skip(f"{SLOW} connections take {files} descriptors; the limit is {hard}")
	resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, files), hard))
	one = Server(tmp_path_factory.mktemp("connections"), options=("--connections", SLOW + 200,
	    "--connections-per-address", "0"))
	one.start()
	one.vault("main").set("steady", "as ever")
	yield one
	one.stop()


def flat(server, before, limit):
	"""It takes no more than ${limit} KiB more than it did; a sanitizer keeps what was freed, so it is not held to that."""
	now = server.resident()
	assert server.sanitized or now - before < limit, f"memory grew from {before} to {now} KiB"
	return now - before


def steady(server):
	assert server.vault("main").value("steady") == "as ever"


def slow_connections(server, begin):
	held = []
	for _ in range(SLOW):
		one = socket.create_connection(("127.0.0.1", server.port), 30)
		held.append(one)
		begin(one)
	return held


@pytest.mark.parametrize("begin", (lambda one: None, lambda one: one.send(b"\x16\x03\x01"),
    lambda one: one.send(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc" + b"\x03" * 200)), ids=("silent", "three bytes", "half a hello"))
def test_slow(server, begin):
	"""They take no thread, little memory, and nobody's turn."""
	before = server.resident()
	held = slow_connections(server, begin)
	began = time.monotonic()
	for _ in range(20):
		steady(server)
	took = flat(server, before, EACH_KIB * SLOW + 8192)
	print(f"{len(held)} slow connections: {took} KiB more, 20 reads in {time.monotonic() - began:.2f} s")
	for one in held:
		one.close()
	steady(server)


def test_slow_requests(server):
	"""The handshake done, the head coming a byte at a time."""
	before = server.resident()
	held = [server.connection("main.vault.localhost") for _ in range(SLOW // 4)]
	for one in held:
		one.connect()
		one.sock.send(b"GET /secrets/x HTTP/1.1\r\nHo")
	steady(server)
	flat(server, before, 4 * EACH_KIB * len(held) + 8192)
	for one in held:
		one.sock.send(b"s")
		one.close()
	steady(server)


def come_and_go(server, count):
	for index in range(count):
		one = socket.create_connection(("127.0.0.1", server.port), 30)
		if index % 4 == 1:
			one.send(b"\x16\x03\x01\x02\x00\x01")
		elif index % 4 == 2:
			one.send(b"GET / HTTP/1.0\r\n\r\n")
		elif index % 40 == 3:
			with server.context.wrap_socket(one, server_hostname="main.vault.localhost") as tls:
				tls.send(b"GET /healthstatus HTTP/1.1\r\n" if index % 80 == 3 else b"\x00\xff" * 50)
		one.close()


def test_connect_and_disconnect(server):
	def many(count):
		with concurrent.futures.ThreadPoolExecutor(8) as pool:
			for done in [pool.submit(come_and_go, server, count // 8) for _ in range(8)]:
				done.result()
		steady(server)

	many(COMING // 4)
	first = server.resident()
	many(COMING)
	print(f"{COMING} connections: from {first} KiB, {flat(server, first, 4096 + first // 10)} KiB more")


OVERSIZED = {
	"path": b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
	"a field": b"GET /healthstatus HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nX: " + b"a" * 500000 + b"\r\n\r\n",
	"fields": b"GET /healthstatus HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
	"length": b"PUT /secrets/x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n",
	"huge length": b"PUT /secrets/x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: " + b"9" * 400 + b"\r\n\r\n",
	"a chunk": b"PUT /secrets/x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
	"a token": b"GET /secrets HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer " + b"a.b.c" * 50000 + b"\r\n\r\n",
	"no TLS": None,
}


@pytest.mark.parametrize("what", OVERSIZED)
def test_oversized(server, what):
	content = OVERSIZED[what]
	before = server.resident()
	for _ in range(20):
		if content is None:
			one = socket.create_connection(("127.0.0.1", server.port), 30)
			content_now = b"x" * 1000000
		else:
			connection = server.connection("main.vault.localhost", timeout=30)
			connection.connect()
			one = connection.sock
			content_now = content.replace(b"{host}", f"main.vault.localhost:{server.port}".encode())
		answer = b""
		try:
			one.sendall(content_now)
			while piece := one.recv(65536):
				answer += piece
		except (ConnectionError, ssl.SSLError):
			pass  # It need not listen to the end.
		one.close()
		assert not answer or answer.split()[1][:1] == b"4" or content is None, answer[:200]
	steady(server)
	flat(server, before, 16384)


def test_oversized_values(server):
	vault = server.vault("main")
	before = server.resident()
	for _ in range(5):
		vault.put(f"/secrets/{unique()}", {"value": "x" * 26000}).expect(400)
		vault.put(f"/secrets/{unique()}", {"value": "x", "tags": {str(n): "y" for n in range(1000)}}).expect(400)
		assert vault.put(f"/secrets/{unique()}", b'{"value":"' + b"x" * 3000000 + b'"}').status in (400, 413)
	flat(server, before, 32768)
	steady(server)
