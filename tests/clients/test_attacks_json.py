"""Bodies that are there to hurt a parser, or to be read in two ways: at every row that takes one, with every right."""
import gzip
import json
import time
import urllib.parse
import uuid

import pytest

from certs import SELF
from strongroom import Server, unique
from test_rows import ROWS, filled, version_for

WRITING = [row for row in ROWS if row["method"] in ("PUT", "POST", "PATCH") and row["plane"] in ("vault", "management", "graph")
    and row["guard"] != "public"]
# Rows whose body is read by a table or by hand: what is no JSON object is told so, before anything else is looked at.
STRICT = {"SecretSet", "SecretUpdate", "SecretRestore", "KeyCreate", "KeyImport", "KeyUpdate", "KeyRestore", "KeySign",
    "KeyVerify", "KeyEncrypt",
    "KeyDecrypt", "KeyWrap", "KeyUnwrap", "KeyRelease", "KeyRotationPolicySet", "CertificateCreate", "CertificateImport",
    "CertificateUpdate",
    "CertificatePolicyUpdate", "CertificateRestore", "CertificateIssuerSet", "CertificateIssuerUpdate", "CertificateContactsSet",
    "RandomBytesGet", "VaultPut", "RoleAssignmentPut", "RoleDefinitionPut", "DenyAssignmentPut", "LockPut", "ResourceGroupPut",
    "Application.Create", "User.Create", "Group.Create", "TrustedIssuerPut"}

BROKEN = {
	"open": b"{", "open string": b'{"value":"x', "array": b"[]", "text": b'"x"', "number": b"1", "null": b"null",
	"trailing comma": b'{"value":"x",}', "two": b'{"value":"x"}{"value":"y"}', "behind": b'{"value":"x"} x',
	"comment": b'{"value":"x"/**/}',
	"line comment": b'{"value":"x"//\n}', "single quotes": b"{'value':'x'}", "bare name": b'{value:"x"}',
	"tab in a text": b'{"value":"a\tb"}',
	"line in a text": b'{"value":"a\nb"}', "NUL in a text": b'{"value":"a\0b"}', "NUL behind": b'{"value":"x"}\0',
	"NUL before": b'\0{"value":"x"}',
	"NaN": b'{"value":NaN}', "Infinity": b'{"attributes":{"exp":Infinity}}', "hexadecimal": b'{"attributes":{"exp":0x10}}',
	"octal": b'{"attributes":{"exp":010}}', "plus": b'{"attributes":{"exp":+1}}', "dot": b'{"attributes":{"exp":1.}}',
	"1e999": b'{"attributes":{"exp":1e999}}',
	"huge integer": b'{"attributes":{"exp":' + b"9" * 400 + b"}}",
	"one more than 63 bits": b'{"attributes":{"exp":9223372036854775808}}',
	"True": b'{"value":True}', "bad escape": b'{"value":"\\x41"}', "short escape": b'{"value":"\\u12"}',
	"lone high": b'{"value":"\\ud800"}', "lone low": b'{"value":"\\udc00"}', "wrong order": b'{"value":"\\udc00\\ud800"}',
	"high twice": b'{"value":"\\ud800\\ud800"}',
	"high and a letter": b'{"value":"\\ud800x"}', "lone in a name": b'{"\\ud800":"x"}', "NUL in a name": b'{"a\\u0000":"x"}',
	"overlong": b'{"value":"\xc0\xaf"}', "CESU": b'{"value":"\xed\xa0\x80\xed\xb0\x80"}',
	"beyond": b'{"value":"\xf4\x90\x80\x80"}', "cut": b'{"value":"\xe2\x82"}',
	"Latin-1": b'{"value":"\xe4"}', "invalid name": b'{"\xff":"x"}', "BOM": b'\xef\xbb\xbf{"value":"x"}',
	"UTF-16": '{"value":"x"}'.encode("utf-16"),
	"UTF-32": '{"value":"x"}'.encode("utf-32-le"), "gzip": gzip.compress(b'{"value":"x"}'),
	"xml": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
	"yaml": b"value: x\n", "form": b"value=x", "callback": b'x({"value":"x"})', "twice": b'{"value":"x","value":"y"}',
	"twice by escape": b'{"value":"x","valu\\u0065":"y"}', "twice below": b'{"attributes":{"enabled":true,"enabled":false}}',
	"twice in tags": b'{"tags":{"a":"b","a":"c"}}', "properties twice": b'{"properties":{},"properties":{}}',
	"deep arrays": b"[" * 100000, "deep objects": b'{"a":' * 50000, "deep and closed": b'{"a":' * 5000 + b"1" + b"}" * 5000,
	"deep tags": b'{"tags":' + b'{"a":' * 3000 + b"1" + b"}" * 3001,
	"deep, well formed": b'{"properties":' + b"[" * 4000 + b"]" * 4000 + b"}",
}

# Fine as JSON, but what none of our bodies is.
LARGE = {
	"many members": b"{" + b",".join(b'"m%d":0' % number for number in range(60000)) + b"}",
	"many tags": b'{"tags":{' + b",".join(b'"t%d":"v"' % number for number in range(40000)) + b"}}",
	"colliding names": b"{" + b",".join(b'"%s":0' % name for name in (b"Aa" * number + b"BB" * (12 - number) + b"%d" % number for number in range(13))) + b"}",
	"many items": b'{"properties":{"accessPolicies":[' + b",".join([b"{}"] * 100000) + b"]}}",
	"many nulls": b'{"key_ops":[' + b",".join([b"null"] * 100000) + b"]}",
	"many contacts": b'{"contacts":[' + b",".join([b'{"email":"a@b.example"}'] * 20000) + b"]}",
	"many conditions": b'{"release_policy":{"data":"' + b"A" * 900000 + b'"}}',
	"a long name": b'{"' + b"n" * 900000 + b'":1}', "a long text": b'{"displayName":"' + b"x" * 900000 + b'"}',
	"escapes": b'{"value":"' + b"\\u0041" * 150000 + b'"}',
	"a long number": b'{"attributes":{"exp":0.' + b"1" * 300000 + b"}}",
	"small exponent": b'{"attributes":{"exp":1e-' + b"9" * 100000 + b"}}", "white space": b" " * 900000 + b"{}",
	"spaces inside": b'{"value"' + b" " * 900000 + b':"x"}',
	"wide and deep": b'{"properties":' + b'{"a":[{"b":{}},' * 600 + b"1" + b"]}" * 600 + b"}",
	"prototype": b'{"__proto__":{"enabled":true},"constructor":{"prototype":{}}}',
}


def send(server, row, body, **headers):
	label = {"vault": "rows.vault", "management": "management", "graph": "graph"}[row["plane"]]
	audience = {"vault": server.resource, "management": server.management,
	    "graph": f"https://graph.localhost:{server.port}"}[row["plane"]]
	version = "" if row["plane"] == "graph" else "?api-version=" + ("7.4" if row["plane"] == "vault" else version_for(row))
	began = time.monotonic()
	reply = server.send(row["method"], server.host(label),
	    filled(row["path"].replace("{scope}", server.scope("rows")), server) + version, body,
	    {"Authorization": f"Bearer {server.admin.token(audience)}", "Content-Type": "application/json", **headers})
	assert time.monotonic() - began < 60, (row, body[:60])
	return reply


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
	"""A server of their own: what takes no body, as un-registering a provider, is done whatever is sent."""
	one = Server(tmp_path_factory.mktemp("attacked"), ("rows",)).start()
	yield one
	one.stop()


def test_the_strict_rows_are_there():
	assert STRICT <= {row["name"] for row in WRITING} and len(WRITING) > 110


@pytest.mark.parametrize("what", BROKEN)
def test_broken(attacked, what):
	"""Refused wherever a body is read; never taken by half."""
	for row in WRITING:
		reply = send(attacked, row, BROKEN[what])
		if row["name"] in STRICT:
			assert reply.status == 400, (row, reply)
		assert reply.status in (200, 201, 204, 400, 403, 404, 405, 409), (row, reply)


@pytest.mark.parametrize("what", LARGE)
def test_large(attacked, what):
	"""At a row of every kind: reading these takes its time."""
	for row in {row["name"]: row for row in WRITING if row["name"] in STRICT}.values():
		reply = send(attacked, row, LARGE[what])
		assert reply.status in (200, 201, 202, 204, 400, 403, 404, 405, 409, 413, 429), (row, reply)
		assert len(reply.body) < 20000, "what was sent does not come back"


def test_memory_is_given_back(attacked):
	"""After all of them, several times over, the server is not larger than before (a sanitizer's own needs apart)."""
	row = next(row for row in WRITING if row["name"] == "SecretSet")
	sweep = [body for body in LARGE.values()] + [BROKEN["deep and closed"], BROKEN["deep tags"]]
	for body in sweep:
		send(attacked, row, body)
	before = attacked.resident()
	for _ in range(5):
		for body in sweep:
			send(attacked, row, body)
	assert attacked.resident() - before < (300 if attacked.sanitized else 40) * 1024


@pytest.mark.parametrize("headers", [{"Content-Encoding": "gzip"}, {"Content-Encoding": "br"},
    {"Content-Type": "application/xml"}, {"Content-Type": "text/plain"},
    {"Content-Type": "application/json; charset=utf-16"}, {"Content-Type": "multipart/form-data; boundary=x"}], ids=str)
def test_encodings(shared, main, headers):
	"""A body is JSON in UTF-8 whatever its fields say; nothing is unpacked (no bomb), no other form is guessed."""
	name = unique("encoded")
	bomb = gzip.compress(b" " * 50_000_000 + b'{"value":"x"}')
	main.put(f"/secrets/{name}", bomb, headers=headers).expect(400)
	main.put(f"/secrets/{name}", b"--x\r\n\r\nvalue=x\r\n--x--", headers=headers).expect(400)
	main.get(f"/secrets/{name}").expect(404)


# Two readers of one body

@pytest.mark.parametrize("first, second", [('"enabled":false', '"enabled":true'), ('"exp":1', '"exp":4102444800')])
def test_the_first_or_the_last(main, first, second):
	name = unique("pair")
	for body in ('{"value":"x","attributes":{%s,%s}}', '{"value":"x","attributes":{%s},"attributes":{%s}}'):
		main.put(f"/secrets/{name}", (body % (first, second)).encode()).expect(400, "BadParameter")
	main.get(f"/secrets/{name}").expect(404)


@pytest.mark.parametrize("member", ["Value", "VALUE", "value ", " value", "value\\u0000", "val\\u0075e\\u200b", "\\uff56alue"])
def test_names_of_members_are_exact_or_nothing(main, member):
	"""In another spelling a member is another member, which is not looked at: the value that is there counts, or its lack is told."""
	name = unique("member")
	reply = main.put(f"/secrets/{name}", f'{{"{member}":"two"}}'.encode())
	if reply.status == 200:
		assert member.lower() == "value" and main.value(name) == "two"
		main.put(f"/secrets/{name}", f'{{"value":"one","{member}":"two"}}'.encode()).expect(400)
	else:
		reply.expect(400)
		main.get(f"/secrets/{name}").expect(404)


def test_numbers_are_whole(main):
	name = unique("number")
	for number in ("1.0", "1e3", "1.5", "-1", "-0.0", "9223372036854775808", "99999999999999999999", "1e18", "true", '"1"', "[1]"):
		main.put(f"/secrets/{name}", f'{{"value":"x","attributes":{{"exp":{number}}}}}'.encode()).expect(400, "BadParameter")
	main.get(f"/secrets/{name}").expect(404)
	for number, kept in (("null", None), ("4102444800", 4102444800), ("253402300800", 253402300800), ("9223372036854775807", 2 ** 63 - 1)):
		reply = main.put(f"/secrets/{name}", f'{{"value":"x","attributes":{{"exp":{number}}}}}'.encode())
		assert reply.expect(200).json["attributes"].get("exp") == kept, number


def test_what_is_kept_comes_back_the_same(main):
	"""Texts at the edges: the last of every length of UTF-8, non-characters, right-to-left marks, as they were sent."""
	name = unique("edges")
	for value in ("\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff", "\U00010000",
	    "\U0010ffff", "\u202e\u2066", "a\u0301", "\u00e1", "\x1b[31m",
	    "</script>", "\\", "\"", "\u2028"):
		assert main.set(name, value, tags={"t": value})["value"] == value
		bundle = main.get(f"/secrets/{name}").expect(200).json
		assert (bundle["value"], bundle["tags"]) == (value, {"t": value})


def test_forms(shared):
	"""The authority's bodies are forms: no member twice, nothing but a form, not too many, and no reading of JSON instead."""
	fields = {"grant_type": "client_credentials", "client_id": shared.env["AZURE_CLIENT_ID"],
	    "client_secret": shared.env["AZURE_CLIENT_SECRET"],
	    "scope": f"{shared.resource}/.default"}
	good = urllib.parse.urlencode(fields)

	def ask(body, kind="application/x-www-form-urlencoded"):
		return shared.send("POST", shared.host("login"), f"/{shared.tenant}/oauth2/v2.0/token", body, {"Content-Type": kind})
	ask(good.encode()).expect(200)
	for body in (good + "&client_id=" + str(uuid.uuid4()), good + "&grant_type=password", good + "&client%5Fsecret=x",
	    good + "&" + "x=y&" * 100000,
	    good.replace("client_credentials", "client_credentials%00"), good + "&x=\0", json.dumps(fields), "", "=" * 500000, "&" * 500000,
	    "%" * 1000, good.replace("=", "%3d"),
	    "x" * 900000, good + "&scope=" + "x" * 300000):
		assert "access_token" not in str(ask(body.encode()).body), body[:80]
	assert "access_token" not in str(ask(json.dumps(fields).encode(), "application/json").body)
	assert "access_token" not in str(ask(b"", "application/x-www-form-urlencoded").body)


def test_certificates_with_policies_of_any_depth(main):
	"""What nests in an accepted body nests so far only."""
	name = unique("nested")
	for policy in ({**SELF, "x509_props": SELF["x509_props"] | {"sans": {"dns_names": ["a.example"] * 20000}}},
	    {**SELF, "lifetime_actions": [{"trigger": {"days_before_expiry": 1}, "action": {"action_type": "AutoRenew"}}] * 5000},
	    {**SELF, "x509_props": SELF["x509_props"] | {"ekus": ["1." + "2." * 20000 + "3"]}},
	    {**SELF, "x509_props": SELF["x509_props"] | {"subject": "CN=" + "x" * 500000}},
	    {**SELF, "x509_props": SELF["x509_props"] | {"subject": ",".join(["OU=x"] * 30000)}}):
		main.post(f"/certificates/{name}/create", {"policy": policy}).expect(400)
	main.get(f"/certificates/{name}").expect(404)
