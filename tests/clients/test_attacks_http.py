"""Request smuggling: whatever two servers in a row could read in two ways is refused here, and what is behind it is
not read at all.  Every row is sent over TLS to the real listener, with a request hidden where another reader would
see one."""
import re
import socket

import pytest

from strongroom import unique
from test_protocol import raw, raw_status

BODY = b'{"value":"x"}'


class Wire:
	"""An authorised writer's bytes, with a second request hidden in or behind the first."""

	def __init__(self, server, vault):
		self.server, self.vault = server, vault
		self.name, self.hidden = unique("front"), unique("smuggled")
		self.bearer = f"Authorization: Bearer {server.admin.token()}\r\n"

	def head(self, name, fields, line_end="\r\n", version="HTTP/1.1"):
		text = f"PUT /secrets/{name}?api-version=7.4 {version}\r\nHost: {self.vault.host}\r\n{self.bearer}{fields}\r\n"
		return text.replace("\r\n", line_end).encode("latin-1")

	@property
	def smuggled(self):
		return self.head(self.hidden, f"Connection: close\r\nContent-Length: {len(BODY)}\r\n") + BODY

	def refused(self, data):
		"""One answer, a refusal; neither of the two was done, and the connection is over."""
		answer = raw(self.server, data)
		status = raw_status(answer)
		assert status in (400, 405, 413, 417, 431), answer[:300]
		assert len(re.findall(rb"HTTP/1\.1 \d{3} ", answer)) == 1, answer
		assert re.search(rb"\r\nConnection: close\r\n", answer, re.I), answer
		for name in (self.name, self.hidden):
			self.vault.get(f"/secrets/{name}").expect(404)
		return status


@pytest.fixture
def wire(shared, main):
	return Wire(shared, main)


# What says the body's length in two ways.  {n}: the hidden request's length.
AMBIGUOUS = [
	"Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: {n}\r\n",
	"Content-Length: 0\r\nContent-Length: {n}\r\n", "Content-Length: {n}\r\nContent-Length: {n}\r\n",
	"Content-Length: {n}, {n}\r\n", "Content-Length: +{n}\r\n", "Content-Length: 0x10\r\n", "Content-Length: {n} 0\r\n",
	"Content-Length: {n}.0\r\n", "Content-Length: {n}e0\r\n", "Content-Length: \r\n", "Content-Length: ,{n}\r\n",
	"Content-Length: 18446744073709551616\r\n", "Content-Length: -1\r\n", "Content-Length:\x0b{n}\r\n", "Content-Length: \xb2\r\n",
	"Content-Length : {n}\r\n", "Content-Length\t: {n}\r\n", " Content-Length: {n}\r\n", "Content-Length:\r\n {n}\r\n",
	"Content-Length: {n}\r\n Transfer-Encoding: chunked\r\n", "X: y\r\n Content-Length: {n}\r\n",
	"Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunkedx\r\n", "Transfer-Encoding: chunked, identity\r\n",
	"Transfer-Encoding: identity\r\n", "Transfer-Encoding: identity, chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
	"Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
	"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked;q=1\r\n",
	"Transfer-Encoding: \"chunked\"\r\n", "Transfer-Encoding:\x0bchunked\r\n", "Transfer-Encoding: \x0cchunked\r\n",
	"Transfer-Encoding: chunked\x00\r\n", "Transfer-Encoding: \x00chunked\r\n", "Transfer-Encoding : chunked\r\n",
	" Transfer-Encoding: chunked\r\n", "Transfer-Encoding:\r\n chunked\r\n", "X: y\r\n Transfer-Encoding: chunked\r\n",
	"Transfer_Encoding\x00: chunked\r\nContent-Length: {n}\r\n", "Transfer-Encoding: ch\xfcnked\r\n", "Transfer-Encoding: \r\n",
	"X: y\rTransfer-Encoding: chunked\r\n", "X: y\nTransfer-Encoding: chunked\r\n", "X: y\r\rContent-Length: {n}\r\n",
	"X: y\r\r\nContent-Length: {n}\r\n", "X: y\x00\r\nContent-Length: {n}\r\n", "\r\r\nContent-Length: {n}\r\n",
	"Host: other.vault.localhost\r\nContent-Length: {n}\r\n", "Host : other\r\nContent-Length: {n}\r\n",
	"Expect: 100-continue, x\r\nContent-Length: {n}\r\n",
]


@pytest.mark.parametrize("fields", AMBIGUOUS, ids=repr)
def test_two_lengths(wire, fields):
	head = wire.head(wire.name, fields.format(n=len(wire.smuggled)))
	wire.refused(head + b"0\r\n\r\n" + wire.smuggled)


@pytest.mark.parametrize("chunks", [
	b"\r\n", b"g\r\n", b"0x5\r\n", b"-1\r\n", b" 5\r\n", b"+5\r\n", b"5 \rX", b"5\n", b"5\r\rhello", b"00000000000000005g\r\n",
	b"ffffffffffffffff\r\n", b"10000000000000000\r\n", b"80000000\r\n", b"7fffffffffffffff\r\n",
	b"5\r\nhello0\r\n\r\n", b"5\r\nhell\r\n0\r\n\r\n", b"5\r\nhelloo\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello\r0\r\n\r\n",
	b"5;\nx\r\nhello\r\n0\r\n\r\n", b"5;x\ny\r\nhello\r\n0\r\n\r\n", b"5;x\ry\r\nhello\r\n0\r\n\r\n", b"5;" + b"x" * 40000 + b"\r\n",
	b"0\r\nX: y\r\n z\r\n\r\n", b"0\r\nX: y\rZ: z\r\n\r\n", b"0\r\nX : y\n\r\n", b"0\r\n" + b"X: y\r\n" * 20000,
	b"0\n\n", b"0\r\n\n", b"0\r\r\n", b"0;\n\r\n",
], ids=lambda chunks: repr(chunks[:40]))
def test_chunks(wire, chunks):
	wire.refused(wire.head(wire.name, "Transfer-Encoding: chunked\r\n") + chunks + wire.smuggled)


@pytest.mark.parametrize("line_end", ["\n", "\r", "\n\r", "\r\r\n", "\x85", "\u2028".encode().decode("latin-1")], ids=repr)
def test_line_ends(wire, line_end):
	"""None but CRLF ends a line of a head."""
	answer = raw(wire.server, wire.head(wire.name, "Content-Length: 0\r\n", line_end) + b"\r\n\r\n" + wire.smuggled)
	assert re.findall(rb"HTTP/1\.1 (\d{3}) ", answer) == [b"400"]
	wire.vault.get(f"/secrets/{wire.hidden}").expect(404)


@pytest.mark.parametrize("line", [
	"GET https://main.vault.localhost/secrets HTTP/1.1", "GET http://other.vault.localhost/secrets HTTP/1.1",
	"GET main.vault.localhost:443 HTTP/1.1", "OPTIONS * HTTP/1.1", "GET secrets HTTP/1.1", "GET /secrets", "GET /secrets HTTP/0.9",
	"GET /secrets HTTP/2", "GET /secrets HTTP/2.0", "GET /secrets HTTP/1.2", "GET /secrets HTTP/01.1", "GET /secrets HTTP/1.1 HTTP/1.1",
	"GET /secrets http/1.1", "GET /secrets HTTPS/1.1", "GET  /secrets HTTP/1.1", "GET\t/secrets HTTP/1.1", "GET /secrets\tHTTP/1.1",
	" GET /secrets HTTP/1.1", "GET /sec rets HTTP/1.1", "GET /secrets#x HTTP/1.1", "GET /secrets\x00 HTTP/1.1",
	"GET /secrets\xff HTTP/1.1",
	"CONNECT other.vault.localhost:443 HTTP/1.1", "CONNECT /secrets HTTP/1.1", "TRACE /secrets HTTP/1.1", "TRACK /secrets HTTP/1.1",
	"PRI * HTTP/2.0", "G\x00T /secrets HTTP/1.1", "get /secrets HTTP/1.1", "\u0047\u0045\u0054\xa0/secrets HTTP/1.1",
], ids=repr)
def test_request_lines(wire, line):
	head = f"{line}\r\nHost: {wire.vault.host}\r\n{wire.bearer}\r\n".encode("latin-1")
	wire.refused(head + wire.smuggled)


@pytest.mark.parametrize("preface", [
	b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0", b"\x16\x03\x01\x00\x05hello", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\0",
	b"PROXY TCP4 203.0.113.7 127.0.0.1 1 443\r\n", b"\x80\x2e\x01\x00\x02", b"SSH-2.0-x\r\n", b"EHLO x\r\n", b"\0" * 64,
], ids=repr)
def test_other_protocols(wire, preface):
	"""HTTP/2 by prior knowledge, TLS in TLS, the PROXY protocol behind TLS, mail: none of them is spoken."""
	wire.refused(preface + wire.smuggled)


def test_upgrades_are_not_taken_up(wire):
	"""The connection stays HTTP/1.1; what follows is its next request."""
	for offer in ("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
	    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n",
	    "Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n"):
		head = f"GET /secrets/none?api-version=7.4 HTTP/1.1\r\nHost: {wire.vault.host}\r\n{wire.bearer}"
		answer = raw(wire.server, (head + offer + "\r\n" + head + "Connection: close\r\n\r\n").encode())
		assert re.findall(rb"HTTP/1\.1 (\d{3}) ", answer) == [b"404", b"404"]
		assert b"Switching" not in answer


def test_hop_by_hop_fields_take_nothing_away(wire):
	"""`Connection: authorization` is for forwarders, who take the field off; here it stays."""
	wire.vault.set(wire.name, "there")
	head = (f"GET /secrets/{wire.name}?api-version=7.4 HTTP/1.1\r\nHost: {wire.vault.host}\r\n{wire.bearer}"
	    "Connection: close, authorization, host\r\n\r\n")
	assert raw_status(raw(wire.server, head.encode())) == 200


def test_trailers_are_no_fields(wire):
	"""Neither a token nor a length nor a host comes behind the body."""
	head = (f"PUT /secrets/{wire.name}?api-version=7.4 HTTP/1.1\r\nHost: {wire.vault.host}\r\nTrailer: Authorization\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n").encode()
	trailers = f"{wire.bearer}Content-Length: {len(wire.smuggled)}\r\nHost: other.vault.localhost\r\nX-HTTP-METHOD: DELETE\r\n".encode()
	chunks = b"%x\r\n%s\r\n0\r\n" % (len(BODY), BODY)
	end = f"GET /healthstatus HTTP/1.1\r\nHost: {wire.vault.host}\r\nConnection: close\r\n\r\n".encode()
	answer = raw(wire.server, head + chunks + trailers + b"\r\n" + end)
	assert re.findall(rb"HTTP/1\.1 (\d{3}) ", answer) == [b"401", b"200"]
	wire.vault.get(f"/secrets/{wire.name}").expect(404)


def test_a_refused_body_is_no_request(wire):
	"""Who announces a body and is refused before or while it comes has none of it taken for the next request."""
	size = len(wire.smuggled)
	stranger = f"PUT /secrets/{wire.name}?api-version=7.4 HTTP/1.1\r\nHost: {wire.vault.host}\r\n"
	for more in ("", "Expect: 100-continue\r\n"):
		end = f"GET /healthstatus HTTP/1.1\r\nHost: {wire.vault.host}\r\nConnection: close\r\n\r\n".encode()
		answer = raw(wire.server, f"{stranger}{more}Content-Length: {size}\r\n\r\n".encode() + wire.smuggled + end)
		assert [status for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer) if status != b"100"] == [b"401", b"200"], answer
		wire.vault.get(f"/secrets/{wire.hidden}").expect(404)
	wire.refused(wire.head(wire.name, "Content-Length: 9999999\r\n") + wire.smuggled)
	wire.refused(wire.head(wire.name, "Expect: 100-continue\r\nContent-Length: 9999999\r\n") + wire.smuggled)
	wire.refused(wire.head(wire.name, "Content-Length: 4\r\n", version="HTTP/1.1 ") + wire.smuggled)


@pytest.mark.parametrize("twice", ["Authorization: Bearer x\r\n", "authorization:\r\n", "X-HTTP-METHOD: GET\r\nX-HTTP-METHOD: PUT\r\n"],
    ids=repr)
def test_fields_that_come_twice(wire, twice):
	"""One reader takes the first, another one the last: neither is taken."""
	wire.refused(wire.head(wire.name, f"{twice}Content-Length: {len(BODY)}\r\n") + BODY + wire.smuggled)


def test_bodies_of_requests_without(wire):
	"""A GET's body is its own, and read to the end."""
	wire.vault.set(wire.name, "there")
	head = f"GET /secrets/{wire.name}?api-version=7.4 HTTP/1.1\r\nHost: {wire.vault.host}\r\n{wire.bearer}"
	answer = raw(wire.server, f"{head}Content-Length: {len(wire.smuggled)}\r\n\r\n".encode() + wire.smuggled
	    + f"{head}Connection: close\r\n\r\n".encode())
	assert re.findall(rb"HTTP/1\.1 (\d{3}) ", answer) == [b"200", b"200"]
	wire.vault.get(f"/secrets/{wire.hidden}").expect(404)


def test_http_1_0(wire):
	"""One request a connection; no chunks; a length holds."""
	head = wire.head(wire.name, f"Connection: keep-alive\r\nContent-Length: {len(BODY)}\r\n", version="HTTP/1.0")
	answer = raw(wire.server, head + BODY + wire.smuggled)
	assert re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer) == [b"200"]
	wire.vault.get(f"/secrets/{wire.hidden}").expect(404)
	wire.name = unique("front")
	wire.refused(wire.head(wire.name, "Transfer-Encoding: chunked\r\n", version="HTTP/1.0") + b"0\r\n\r\n" + wire.smuggled)


@pytest.mark.parametrize("fields", ["".join(f"X-{number}: y\r\n" for number in range(5000)), "X" * 70000 + ": y\r\n",
    "X: " + "y" * 70000 + "\r\n", "X" * 70000], ids=["many", "a long name", "a long value", "no colon"])
def test_oversized_heads(wire, fields):
	assert wire.refused(wire.head(wire.name, fields + "Content-Length: 0\r\n") + wire.smuggled) in (400, 431)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_replies_do_not_split(wire, method):
	"""What a client sends comes back in no header, and in no body that a browser would run."""
	evil = "x%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a<script>"
	for host in (wire.vault.host, wire.server.host("login"), wire.server.host("management"), wire.server.host("graph")):
		for path in (f"/secrets/{evil}", f"/{evil}/oauth2/v2.0/authorize", f"/{evil}"):
			reply = wire.server.send(method, host,
			    f"{path}?api-version={evil}&client_id={evil}&redirect_uri={evil}&state={evil}", None,
			    {"x-ms-client-request-id": "a\tb", "Origin": "https://evil.example",
			    "Authorization": f"Bearer {wire.server.admin.token()}"})
			assert reply.header("Set-Cookie") is None or "a=b" not in reply.header("Set-Cookie")
			assert reply.header("Access-Control-Allow-Origin") is None and reply.header("Location") is None
			assert b"<script>" not in reply.body or "json" in reply.header("Content-Type")
			assert reply.header("X-Content-Type-Options") == "nosniff" or not reply.body


def test_half_a_request_holds_up_nobody(wire):
	"""While one dribbles a head, and another one a body, others are answered."""
	open_ones = []
	for part in (b"GET /sec", wire.head(wire.name, "Content-Length: 100\r\n") + b"x",
	    wire.head(wire.name, "Transfer-Encoding: chunked\r\n")):
		for _ in range(20):
			plain = socket.create_connection(("127.0.0.1", wire.server.port), 30)
			open_ones.append(wire.server.context.wrap_socket(plain, server_hostname="main.vault.localhost"))
			open_ones[-1].sendall(part)
	wire.vault.set(unique("meanwhile"), "x")
	for one in open_ones:
		one.close()
	wire.vault.get(f"/secrets/{wire.name}").expect(404)
