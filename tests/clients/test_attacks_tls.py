"""What a scanner of TLS asks, asked in every run: hellos made by hand, so that old and broken ones can be sent at all."""
import os
import re
import socket
import ssl
import struct
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

NAME = "main.vault.localhost"
TLS12, TLS13 = 0x0303, 0x0304
ALERTS = {10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
    47: "illegal_parameter", 50: "decode_error",
    70: "protocol_version", 80: "internal_error", 86: "inappropriate_fallback", 109: "missing_extension",
    110: "unsupported_extension", 112: "unrecognized_name",
    120: "no_application_protocol"}
# ECDHE with an EC certificate, AEAD only; and TLS 1.3's.
CIPHERS_12 = {0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02C: "ECDHE-ECDSA-AES256-GCM-SHA384", 0xCCA9: "ECDHE-ECDSA-CHACHA20-POLY1305"}
CIPHERS_13 = {0x1301, 0x1302, 0x1303}
GROUPS = {0x0017: "P-256", 0x001D: "X25519"}
SIGNATURES = [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601]
ALL_CIPHERS = [number for high in (0x00, 0x13, 0x56, 0xC0, 0xCC, 0xD0) for number in range(high << 8,
    (high << 8) + 256) if number not in (0x00FF, 0x5600)]


def extension(number, body):
	return struct.pack("!HH", number, len(body)) + body


def vector(body, size=2):
	return len(body).to_bytes(size, "big") + body


def numbers(values):
	return vector(b"".join(struct.pack("!H", value) for value in values))


def name_of(host, kind=0):
	return extension(0, vector(bytes([kind]) + vector(host if isinstance(host, bytes) else host.encode())))


def hello(version=TLS12, ciphers=tuple(CIPHERS_12), compressions=b"\0", groups=tuple(GROUPS), signatures=tuple(SIGNATURES),
    more=b"", sni=NAME, versions=None,
    session=b"", record=0x0301):
	parts = (name_of(sni) if sni else b"") + extension(10, numbers(groups)) + extension(11, b"\1\0") + extension(13,
	    numbers(signatures)) + more
	if versions:
		parts += extension(43, vector(b"".join(struct.pack("!H", each) for each in versions), 1)) + extension(51, vector(b""))
	body = struct.pack("!H", min(version, TLS12)) + os.urandom(32) + vector(session,
	    1) + numbers(ciphers) + vector(compressions, 1) + vector(parts)
	return records(b"\1" + len(body).to_bytes(3, "big") + body, record)


def records(message, version=0x0301, kind=22, size=16384):
	return b"".join(struct.pack("!BHH", kind, version,
	    len(part)) + part for part in (message[at:at + size] for at in range(0, len(message), size)))


def answer(server, data, seconds=10):
	"""The first bytes of the server's answer: (kind, body) of its first record; None: it closed."""
	with socket.create_connection(("127.0.0.1", server.port), seconds) as plain:
		try:
			plain.sendall(data)
			got = b""
			while len(got) < 5 or len(got) < 5 + struct.unpack("!H", got[3:5])[0]:
				part = plain.recv(16384)
				if not part:
					return None
				got += part
		except ConnectionError:
			return None
	return got[0], got[5:5 + struct.unpack("!H", got[3:5])[0]]


def alert_of(reply):
	"""The alert's name; "closed"; or None for a hello."""
	if reply is None:
		return "closed"
	return ALERTS.get(reply[1][1], str(reply[1][1])) if reply[0] == 21 else None


class Chosen:
	"""What a ServerHello says."""

	def __init__(self, reply):
		assert reply is not None and reply[0] == 22 and reply[1][0] == 2, f"no ServerHello: {alert_of(reply)}"
		body = reply[1][4:]
		self.version, self.random = struct.unpack("!H", body[:2])[0], body[2:34]
		at = 35 + body[34]
		self.session = body[35:at]
		self.cipher, self.compression = struct.unpack("!HB", body[at:at + 3])
		rest, self.extensions = body[at + 5:4 + int.from_bytes(reply[1][1:4], "big")], {}
		while len(rest) >= 4:
			number, size = struct.unpack("!HH", rest[:4])
			self.extensions[number] = rest[4:4 + size]
			rest = rest[4 + size:]


def test_a_hello_is_answered(shared):
	"""What all the others are one change away from."""
	chosen = Chosen(answer(shared, hello()))
	assert (chosen.version, chosen.compression) == (TLS12, 0) and chosen.cipher in CIPHERS_12


@pytest.mark.parametrize("version", [0x0002, 0x0200, 0x0300, 0x0301, 0x0302])
def test_old_versions(shared, version):
	"""SSL 2 and 3, TLS 1.0 and 1.1: with all the ciphers there ever were."""
	assert alert_of(answer(shared, hello(version, ALL_CIPHERS))) in ("protocol_version", "closed", "decode_error", "handshake_failure")


def test_ssl_2_hello(shared):
	body = b"\1\0\2" + struct.pack("!HHH", 9, 0, 16) + b"\1\0\x80\7\0\xc0\5\0\x80" + os.urandom(16)
	with socket.create_connection(("127.0.0.1", shared.port), 10) as plain:
		plain.sendall(struct.pack("!H", 0x8000 | len(body)) + body)
		got = plain.recv(1000)
		assert got == b"" or got[0] == 21


@pytest.mark.parametrize("versions", [[0x0301], [0x0302, 0x0301], [0x0300], [0x7F1C], [0x0305], [0x0A0A], [0xFEFD]], ids=str)
def test_versions_by_extension(shared, versions):
	assert alert_of(answer(shared, hello(TLS12, [*CIPHERS_13, *CIPHERS_12], versions=versions))) == "protocol_version"


def test_fallback_is_noticed(shared):
	"""A client that was talked down to TLS 1.2 says so (RFC 7507), and is told."""
	assert alert_of(answer(shared, hello(TLS12, [*CIPHERS_12, 0x5600]))) == "inappropriate_fallback"


def test_downgrade_is_marked(shared):
	"""RFC 8446, section 4.1.3: a client that can do more sees it in the server's random bytes."""
	assert Chosen(answer(shared, hello())).random.endswith(b"DOWNGRD\1")


def enumerate_ciphers(server, offered, **more):
	left, found = list(offered), set()
	while left:
		reply = answer(server, hello(ciphers=left, **more))
		if alert_of(reply) is not None:
			return found
		found.add(Chosen(reply).cipher)
		left = [each for each in left if each not in found]
	return found


def test_ciphers(shared):
	"""Of all that have a number, those only: no NULL, EXPORT, anonymous, RC4, 3DES, CBC, RSA key exchange, DHE, PSK, SRP."""
	assert enumerate_ciphers(shared, ALL_CIPHERS) == set(CIPHERS_12)
	assert enumerate_ciphers(shared, ALL_CIPHERS, versions=[TLS13]) == CIPHERS_13
	for cipher in (0x0000, 0x0004, 0x000A, 0x0017, 0x002F, 0x0035, 0x009C, 0x009E, 0xC009, 0xC013, 0xC023, 0xC02F, 0xC0A4,
	    0x1304, 0x1305):
		assert alert_of(answer(shared, hello(ciphers=[cipher]))) == "handshake_failure"


def test_the_server_chooses(shared):
	"""The strongest that both have, or the client's ChaCha20 when it prefers that: never its weakest for its asking."""
	orders = (list(CIPHERS_12), list(reversed(CIPHERS_12)))
	assert len({Chosen(answer(shared, hello(ciphers=order))).cipher for order in orders}) == 1


def test_groups(shared):
	"""Neither small curves, nor finite fields (Logjam)."""
	known = [*range(1, 0x1F), *range(0x100, 0x105), 0xFF01, 0xFF02]
	good = {group for group in known if alert_of(answer(shared, hello(groups=[group]))) is None}
	assert good == {0x0017}, "in TLS 1.2 the group of the certificate's key has to be among the client's"
	assert alert_of(answer(shared, hello(groups=[0x001D, 0x0017]))) is None
	for group in known:
		reply = answer(shared, hello(ciphers=tuple(CIPHERS_13), groups=[group], versions=[TLS13]))
		assert (alert_of(reply) is None) == (group in GROUPS), hex(group)


@pytest.mark.parametrize("signatures", [[0x0201], [0x0203], [0x0101], [0x0301, 0x0303], [0x0303], [0x0202]], ids=str)
def test_signatures_of_old(shared, signatures):
	"""Nothing is signed with MD5, SHA-1 or SHA-224."""
	assert alert_of(answer(shared, hello(signatures=signatures))) in ("handshake_failure", "internal_error", "illegal_parameter")


def test_compression(shared):
	"""CRIME: offered, and not taken; offered alone, refused."""
	assert Chosen(answer(shared, hello(compressions=b"\1\0"))).compression == 0
	assert alert_of(answer(shared, hello(compressions=b"\1"))) in ("illegal_parameter", "decode_error", "handshake_failure")
	assert alert_of(answer(shared, hello(ciphers=tuple(CIPHERS_13), compressions=b"\1\0", versions=[TLS13]))) == "illegal_parameter"


def test_renegotiation_is_the_safe_one(shared):
	"""RFC 5746 is spoken, and a first hello with somebody's earlier verify data is refused."""
	assert Chosen(answer(shared, hello(ciphers=[*CIPHERS_12, 0x00FF]))).extensions[0xFF01] == b"\0"
	assert alert_of(answer(shared, hello(more=extension(0xFF01, vector(b"x" * 12, 1))))) == "handshake_failure"


def test_extended_master_secret(shared):
	assert Chosen(answer(shared, hello(more=extension(23, b"")))).extensions[23] == b""


def test_no_heartbeat(shared):
	"""Heartbleed's extension is not echoed, and a heartbeat ends the connection."""
	assert 15 not in Chosen(answer(shared, hello(more=extension(15, b"\1")))).extensions
	for early in (b"", hello(more=extension(15, b"\1"))):
		with socket.create_connection(("127.0.0.1", shared.port), 10) as plain:
			plain.sendall(early + records(b"\1\x40\0", kind=24))
			got = b""
			try:
				while part := plain.recv(65536):
					got += part
			except ConnectionError:
				pass
			assert len(got) < 5000 and b"\x18\x03" not in got[-70:]


def test_a_session_id_is_not_made_longer(shared):
	"""Ticketbleed: what comes back of a session id is what was sent, or nothing."""
	for size in (0, 1, 16, 31, 32):
		session = os.urandom(size)
		for ticket in (b"", os.urandom(200)):
			assert Chosen(answer(shared, hello(session=session, more=extension(35, ticket)))).session in (b"", session)


@pytest.mark.parametrize("name", ["", "a" * 300, "a" * 60000, "main.vault.localhost\0.evil", b"\xff\xfe", "127.0.0.1", "xn--",
    ".", "*.vault.localhost"], ids=lambda name: repr(name[:30]))
def test_names(shared, name):
	"""Whatever the name: an answer or an alert, and the next client is served."""
	raw = name if isinstance(name, bytes) else name.encode()
	reply = answer(shared, hello(sni=raw if len(raw) < 60000 else raw[:60000]))
	assert alert_of(reply) in (None, "decode_error", "unrecognized_name", "illegal_parameter", "closed")
	assert Chosen(answer(shared, hello()))


def test_odd_hellos(shared):
	"""Twice the same extension, several names, no extension at all, one that lies about its length, and noise."""
	good = hello()
	for data in (hello(more=name_of("other.vault.localhost")), hello(more=extension(10, numbers(GROUPS))),
	    good[:-1] + b"\xff", good[:60],
	    hello(more=extension(0x1234, b"x" * 30000)), hello(more=extension(16, b"\0\1\0")), hello(ciphers=[]),
	    hello(session=b"x" * 33), hello(compressions=b""),
	    records(b"\1\xff\xff\xff" + b"x" * 100), records(b"\2\0\0\0"), records(b"\1", kind=20), records(b"\2\x28", kind=21),
	    records(b"GET / HTTP/1.1\r\n\r\n", kind=23),
	    struct.pack("!BHH", 22, 0x0301, 0xFFFF) + b"x" * 1000, struct.pack("!BHH", 22, 0x0301, 0) * 5000,
	    records(b"\1\0", kind=21) * 5000, b"\x16\x03\x01" + b"\0" * 5000,
	    hello(groups=[]), hello(signatures=[])):
		with socket.create_connection(("127.0.0.1", shared.port), 10) as plain:
			try:
				plain.sendall(data)
				plain.shutdown(socket.SHUT_WR)
				while plain.recv(65536):
					pass
			except OSError:
				pass
	assert Chosen(answer(shared, hello()))


def test_a_hello_in_crumbs(shared):
	"""In records of one byte: put together, or refused; nobody waits for long."""
	message = hello()[5:]
	reply = answer(shared, records(message, size=1))
	assert alert_of(reply) in (None, "unexpected_message", "decode_error", "handshake_failure", "closed", "illegal_parameter")


def test_change_cipher_spec_too_early(shared):
	"""CVE-2014-0224: in the middle of the handshake it ends it."""
	with socket.create_connection(("127.0.0.1", shared.port), 10) as plain:
		plain.sendall(hello())
		plain.recv(65536)
		plain.sendall(records(b"\1", TLS12, 20) + records(b"\x14" + b"\0\0\x0c" + b"x" * 12, TLS12))
		got = b""
		try:
			while part := plain.recv(65536):
				got += part
		except ConnectionError:
			pass
	assert got == b"" or b"\x15\x03\x03\0\2\2" in got


@pytest.mark.parametrize("protocols", [["h2"], ["http/1.0"], ["ftp"], ["smtp"], ["h2c", "spdy/3.1"], ["http/1.1 "],
    ["HTTP/1.1"], ["x" * 255]], ids=str)
def test_other_protocols(shared, protocols):
	"""ALPACA: a connection meant for another protocol is not taken for ours."""
	offer = vector(b"".join(vector(each.encode(), 1) for each in protocols))
	assert alert_of(answer(shared, hello(more=extension(16, offer)))) == "no_application_protocol"


# Sessions

def connect(server, name=NAME, session=None, context=None, version=None):
	context = context or ssl.create_default_context(cafile=server.env["STRONGROOM_CA"])
	if version:
		context.minimum_version = context.maximum_version = version
	plain = socket.create_connection(("127.0.0.1", server.port), 10)
	return context, context.wrap_socket(plain, server_hostname=name, session=session)


def get(tls, server, vault, token):
	authorization = f"Authorization: Bearer {token}\r\n" if token else ""
	tls.sendall(f"GET /secrets?api-version=7.4 HTTP/1.1\r\nHost: {vault}.vault.localhost:{server.port}\r\n{authorization}\r\n".encode())
	return int(re.match(rb"HTTP/1\.1 (\d+)", tls.recv(65536))[1])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_carries_no_rights(shared, principal, version):
	"""Resumed under another vault's name: TLS goes on, and the token decides, as ever."""
	someone = principal(("Key Vault Secrets User", shared.scope("main")))
	context, first = connect(shared, version=version)
	assert get(first, shared, "main", shared.admin.token()) == 200
	session = first.session
	first.close()
	for name in (NAME, "other.vault.localhost"):
		_, again = connect(shared, name, session, context)
		assert get(again, shared, "other", None) == 401
		assert get(again, shared, "other", someone.token()) == 403
		assert get(again, shared, "main", None) == 401
		again.close()


def test_sessions_of_another_server(shared, server):
	"""Nor is a ticket of another installation worth anything here."""
	one = server()
	context = ssl.create_default_context(cafile=shared.env["STRONGROOM_CA"])
	context.load_verify_locations(one.env["STRONGROOM_CA"])
	_, first = connect(one, context=context)
	assert get(first, one, "main", None) == 401
	session = first.session
	first.close()
	_, again = connect(shared, session=session, context=context)
	assert get(again, shared, "main", None) == 401 and not again.session_reused
	again.close()
	one.restart()
	_, later = connect(one, session=session, context=context)
	assert get(later, one, "main", None) == 401 and not later.session_reused, "a ticket's key lives as long as the process"
	later.close()


def s_client(server, *options, data=b""):
	return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", NAME, "-CAfile",
	    server.env["STRONGROOM_CA"],
	    "-verify_return_error", *options], input=data, capture_output=True, timeout=30, check=False)


def test_no_early_data(shared, tmp_path):
	"""0-RTT could be replayed: no ticket allows it, and it is not read when it comes."""
	session, early = tmp_path / "session", tmp_path / "early"
	early.write_bytes(f"GET /healthstatus HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
	request = f"GET /healthstatus HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode()
	done = s_client(shared, "-tls1_3", "-sess_out", str(session), "-ign_eof", data=request)
	assert b"200 OK" in done.stdout, done.stderr
	told = subprocess.run(["openssl", "sess_id", "-in", str(session), "-noout", "-text"], capture_output=True, text=True,
	    check=True).stdout
	assert "Max Early Data: 0" in told
	done = s_client(shared, "-tls1_3", "-sess_in", str(session), "-early_data", str(early), "-ign_eof", data=request)
	assert b"Early data was accepted" not in done.stdout


def test_no_client_certificate_is_asked_for(shared):
	done = s_client(shared, "-tls1_2", data=b"")
	assert b"No client certificate CA names sent" in done.stdout and b"Verify return code: 0 (ok)" in done.stdout
	assert b"Secure Renegotiation IS supported" in done.stdout and b"Compression: NONE" in done.stdout


def test_renegotiation_is_refused(shared):
	"""By its client: an alert, and no second handshake."""
	process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{shared.port}", "-servername", NAME,
	    "-tls1_2", "-CAfile", shared.env["STRONGROOM_CA"]],
	    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	try:
		time.sleep(0.5)
		process.stdin.write(b"R\n")
		process.stdin.flush()
		said = process.communicate(timeout=20)[0]
	finally:
		process.kill()
	assert b"RENEGOTIATING" in said and re.search(rb"no renegotiation|alert|unexpected", said.split(b"RENEGOTIATING")[1]), said[-500:]


# Certificates

def chain_of(server):
	done = s_client(server, "-showcerts")
	return [x509.load_pem_x509_certificate(each) for each in re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", done.stdout, re.S)]


def test_certificates(shared, tmp_path):
	"""The chain is whole, in order, strict, short-lived, for servers only, and says nothing but its names."""
	leaf, *rest = dict.fromkeys(chain_of(shared))
	(root,) = x509.load_pem_x509_certificates(open(shared.env["STRONGROOM_CA"], "rb").read())[:1]
	assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey) and leaf.public_key().key_size >= 256
	for one in (leaf, *rest, root):
		assert isinstance(one.signature_hash_algorithm, (hashes.SHA256, hashes.SHA384)) and one.version == x509.Version.v3
		assert 60 < one.serial_number.bit_length() < 160
	assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days <= 8
	get = leaf.extensions.get_extension_for_oid
	assert list(get(ExtensionOID.EXTENDED_KEY_USAGE).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
	assert get(ExtensionOID.BASIC_CONSTRAINTS).value.ca is False
	usage = get(ExtensionOID.KEY_USAGE).value
	assert usage.digital_signature and not usage.key_cert_sign and not usage.key_encipherment
	names = get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
	assert all(name.endswith("localhost") for name in names.get_values_for_type(x509.DNSName)) and "*.localhost" not in names.get_values_for_type(x509.DNSName)
	authority = root.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS)
	assert authority.critical and authority.value.ca and root.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE).critical
	(tmp_path / "leaf.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
	(tmp_path / "chain.pem").write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in rest))
	done = subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", NAME,
	    "-CAfile", shared.env["STRONGROOM_CA"],
	    *(["-untrusted", str(tmp_path / "chain.pem")] if rest else []), str(tmp_path / "leaf.pem")], capture_output=True,
	    text=True, check=False)
	assert done.returncode == 0, done.stdout + done.stderr
