"""Network rules by the address that a forwarder tells, end to end."""
import ipaddress
import socket
import struct

import pytest

import strongroom


def header(client):
	"""PROXY protocol, version 2: a TCP connection of ${client}."""
	address = ipaddress.ip_address(client)
	family, to = (0x11, ipaddress.ip_address("10.0.0.1")) if address.version == 4 else \
	    (0x21, ipaddress.ip_address("2001:db8::1"))
	body = address.packed + to.packed + struct.pack("!HH", 40000, 443)
	return b"\r\n\r\n\x00\r\nQUIT\n" + bytes((0x21, family)) + struct.pack("!H", len(body)) + body


class Forwarded(strongroom.Connection):
	"""What a forwarder sends for a client of its own."""

	client = "203.0.113.7"

	def connect(self):
		plain = socket.create_connection((self.address, self.port), self.timeout)
		plain.sendall(header(self.client))
		self.sock = self.tls.wrap_socket(plain, server_hostname=self.host)


@pytest.fixture
def behind(server, monkeypatch):
	"""A server behind a forwarder; every request comes from Forwarded.client."""
	monkeypatch.setattr(strongroom, "Connection", Forwarded)
	return server(options=("--proxy-from", "127.0.0.0/8"))


def put(one, **acls):
	one.manage("PUT", one.scope("main"), {"location": "local", "properties": {"tenantId": one.tenant,
	    "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True, "networkAcls": acls}},
	    version="2023-07-01").expect(200)


def test_rules_by_the_clients_address(behind, monkeypatch):
	one = behind
	one.vault("main").set("x")

	def ask(client):
		monkeypatch.setattr(Forwarded, "client", client)
		one.forget_connections()
		return one.vault("main").get("/secrets/x")

	rules = ["203.0.113.0/24", "198.51.100.7", "2001:db8:1::/48"]
	put(one, bypass="None", defaultAction="Deny", ipRules=[{"value": rule} for rule in rules])
	for client in ("203.0.113.200", "198.51.100.7", "2001:db8:1::9"):
		ask(client).expect(200)
	for client in ("203.0.114.1", "198.51.100.8", "2001:db8:2::1", "127.0.0.1"):
		said = ask(client).expect(403, "Forbidden", "ForbiddenByFirewall").error["message"]
		assert f"Client address: {client}" in said
	put(one, bypass="None", defaultAction="Allow")
	ask("203.0.114.1").expect(200)


def test_strangers_are_not_told_of_rules(behind):
	put(behind, bypass="None", defaultAction="Deny")
	behind.vault("main").request("GET", "/secrets/x", token=False).expect(401)


def test_a_header_from_elsewhere_is_no_header(server):
	one = server()
	with socket.create_connection(("127.0.0.1", one.port), 10) as plain:
		plain.sendall(header("203.0.113.7"))
		assert plain.recv(100)[:1] in (b"\x15", b""), "a TLS alert, or nothing"


def test_trusted_service(server):
	one = server(options=())
	service = one.make_principal()
	one.assign(service, "Key Vault Secrets Officer", one.scope("main"))
	put(one, bypass="AzureServices", defaultAction="Deny")
	one.vault("main", service).get("/secrets").expect(403, "Forbidden", "ForbiddenByFirewall")
	one.options = ["--trusted-services", service.client_id]
	one.restart()
	one.vault("main", service).get("/secrets").expect(200)
	one.vault("main").get("/secrets").expect(403, "Forbidden", "ForbiddenByFirewall")
	put(one, bypass="None", defaultAction="Deny")
	one.vault("main", service).get("/secrets").expect(403, "Forbidden", "ForbiddenByFirewall")
