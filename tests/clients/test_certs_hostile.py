"""Certificates: files and requests that somebody broke, or made to break something.

Each is refused with the original's status and code, or taken for what it is; and of what was refused nothing is
left: certificates, keys, secrets, deleted ones and pending operations are what they were.
"""
import base64
import contextlib
import datetime
import random
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.x509.oid import NameOID

from certs import (PEM, SELF, begin, chain, create, csr_of, der, issue, leaf_of, make_pfx, merged, name_of, new_key,
    pem_of, pfx_of, spki, wait)
from strongroom import unique

UNKNOWN = {"x509_props": {"subject": "CN=merged.test"}, "issuer": {"name": "Unknown"}, "key_props": {"kty": "EC", "crv": "P-256"}}
LISTS = ("certificates", "keys", "secrets", "deletedcertificates", "deletedkeys", "deletedsecrets")
SECONDS = 30  # more than any refusal takes, and much less than what a huge count would


@pytest.fixture
def vault(shared):
	return shared.vault("cert-hostile")


@pytest.fixture
def name():
	return unique("h")


def listed(vault, path):
	"""All of a list's items; unlike Vault.items with certificates that are not there yet."""
	page = vault.get(path, query="api-version=7.4&maxresults=25&includePending=true").expect(200).json
	items = page["value"]
	while page["nextLink"]:
		page = vault.follow(page["nextLink"]).expect(200).json
		items += page["value"]
	return items


def whole(vault):
	"""What a vault holds, as far as lists and operations tell."""
	lists = {path: listed(vault, "/" + path) for path in LISTS}
	pending = [vault.get(f"{item['id'].removeprefix(vault.url)}/pending").body for item in lists["certificates"]]
	return lists, pending


@contextlib.contextmanager
def unchanged(vault):
	before = whole(vault)
	yield
	assert whole(vault) == before


def put_away(vault, name):
	vault.delete(f"/certificates/{name}").expect(200)
	vault.delete(f"/deletedcertificates/{name}").expect(204)


def bring(vault, name, value, pem=False, **body):
	if pem:
		body.setdefault("policy", {"secret_props": {"contentType": PEM}})
	return vault.post(f"/certificates/{name}/import", {"value": value, **body})


def refused(vault, name, value, code="BadParameter", **more):
	began = time.monotonic()
	reply = bring(vault, name, value, **more).expect(400, code)
	assert time.monotonic() - began < SECONDS
	return reply.error["message"]


def flips(data, count, seed):
	"""Copies of some bytes, each with one bit turned around."""
	dice = random.Random(seed)
	for _ in range(count):
		copy, bit = bytearray(data), dice.randrange(len(data) * 8)
		copy[bit // 8] ^= 1 << bit % 8
		yield bytes(copy)


def pem_block(label, data):
	text = base64.encodebytes(data).decode()
	return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"


# Broken files

def test_truncated_pfx(vault, name):
	key, certificates = chain()
	pfx = base64.b64decode(make_pfx(key, certificates, b"right"))
	with unchanged(vault):
		for at in [*range(24), *range(24, len(pfx), len(pfx) // 40), len(pfx) - 1]:
			refused(vault, name, base64.b64encode(pfx[:at]).decode(), pwd="right")
		refused(vault, name, base64.b64encode(pfx + b"\0").decode(), pwd="right")
		refused(vault, name, base64.b64encode(pfx * 2).decode(), pwd="right")


def test_truncated_pem(vault, name):
	key, certificates = chain()
	text = pem_of(key, certificates)
	end = text.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE----")
	with unchanged(vault):
		for at in [*range(1, 40), *range(40, end, end // 40), end]:
			refused(vault, name, text[:at], pem=True)


@pytest.mark.parametrize("form", ["pfx", "pem", "der"])
def test_turned_bits(vault, name, form):
	"""What is taken all the same is that key's certificate."""
	key, certificates = chain()
	leaf = certificates[0].public_bytes(serialization.Encoding.DER)
	start = {"pfx": base64.b64decode(make_pfx(key, certificates, b"right")), "pem": pem_of(key, certificates[:1]).encode(),
	    "der": leaf}[form]
	before = whole(vault)
	for data in flips(start, 80, form):
		if form == "pem" and not data.isascii():
			continue  # no text
		value = {"pfx": lambda data: base64.b64encode(data).decode(), "pem": bytes.decode,
		    "der": lambda data: pem_of(key, []) + pem_block("CERTIFICATE", data)}[form](data)
		reply = bring(vault, name, value, pem=form != "pfx", pwd="right")
		if reply.status == 200:
			assert spki(leaf_of(reply.json).public_key()) == spki(key.public_key())
			vault.get(f"/secrets/{name}").expect(200)
			put_away(vault, name)
		else:
			reply.expect(400, "BadParameter")
	assert whole(vault) == before


def test_other_things(vault, name):
	key, certificates = chain()
	alone = der(certificates[0])
	with unchanged(vault):
		for value in (alone, base64.b64encode(b"\x30\x80" * 1000).decode(), base64.b64encode(bytes(10000)).decode(),
		    base64.b64encode(b"\x30\x84\x7f\xff\xff\xff").decode(), "-----BEGIN ", "-----BEGIN CERTIFICATE-----",
		    pem_block("CERTIFICATE", b""), pem_of(key, []) + pem_block("CERTIFICATE", b"\x30\x00"), "\0", "\ufeff" + pem_of(key, certificates)):
			refused(vault, name, value)
			refused(vault, name, value, pem=True)
		for body in ({"value": None}, {"value": 7}, {"value": [alone]}, {"value": alone, "pwd": 7}, {"value": alone, "pwd": []},
		    {"value": alone, "policy": 7}, [], 7, {"value": alone, "preserveCertOrder": "yes"}, {"value": alone, "attributes": []}):
			vault.post(f"/certificates/{name}/import", body, query="api-version=7.6").expect(400, "BadParameter")
		for raw in (b"", b"{", b"\xff\xfe", b'{"value":"\xff"}', b'{"value":"\\ud800"}', b"[" * 5000, b'{"value":' * 200):
			vault.post(f"/certificates/{name}/import", raw).expect(400)


def test_too_large(vault, name):
	key, certificates = chain()
	text = pem_of(key, certificates)
	with unchanged(vault):
		refused(vault, name, text + "\n" * (256 * 1024), pem=True)
		refused(vault, name, "A" * (400 * 1024))
		refused(vault, name, text + pem_block("CERTIFICATE", bytes(70000)), pem=True)
		for size in (1, 8):
			reply = vault.post(f"/certificates/{name}/import", b'{"value":"' + b"A" * (size << 20) + b'"}')
			assert reply.status in (400, 413), reply
			vault.server.forget_connections()


# Passwords, and what they are stretched by

def openssl_pfx(folder, key, certificates, *options, password="right"):
	(folder / "in.pem").write_text(pem_of(key, certificates))
	made = subprocess.run(["openssl", "pkcs12", "-export", "-in", folder / "in.pem", "-passout", "pass:" + password, *options],
	    capture_output=True, check=True, timeout=60).stdout
	return base64.b64encode(made).decode()


def test_passwords(vault, name, tmp_path):
	key, certificates = chain()
	good, without = make_pfx(key, certificates, b"right"), make_pfx(key, certificates)
	empty = openssl_pfx(tmp_path, key, certificates, password="")
	with unchanged(vault):
		# Zeros alone are the empty password: it is repeated to fill a block (RFC 7292, appendix B.2).
		for pwd in ("", "Right", "right ", "right\0", "\0", "r" * 200, "ř" * 200):
			assert "password" in refused(vault, name, good, pwd=pwd)
			if pwd.strip("\0") != "":
				refused(vault, name, without, pwd=pwd)
				refused(vault, name, empty, pwd=pwd)
		assert "password" in refused(vault, name, good, pwd=None)
		refused(vault, name, good, pwd="r" * 201)
		refused(vault, name, good, pwd="r" * 100000)
	for value in (without, empty):
		for body in ({}, {"pwd": ""}, {"pwd": None}):
			bring(vault, name, value, **body).expect(200)
			put_away(vault, name)
	bring(vault, name, good, pwd="right").expect(200)


def length_of(size):
	if size < 128:
		return bytes([size])
	data = size.to_bytes((size.bit_length() + 7) // 8, "big")
	return bytes([0x80 | len(data)]) + data


def elements(data):
	at = 0
	while at < len(data):
		tag, size, begin = data[at], data[at + 1], at + 2
		if size & 0x80:
			begin, size = begin + (size & 0x7f), int.from_bytes(data[begin:begin + (size & 0x7f)], "big")
		yield tag, data[begin:begin + size]
		at = begin + size


def with_mac_iterations(pfx, count):
	"""A PFX whose MAC asks for other iterations: the last number in it, two levels down."""
	(_, body), = elements(pfx)
	*front, (tag, mac) = elements(body)
	*inner, (number, _) = elements(mac)
	assert number == 2
	join = lambda parts: b"".join(bytes([tag]) + length_of(len(value)) + value for tag, value in parts)  # noqa: E731
	return join([(0x30, join([*front, (tag, join([*inner, (number, count)]))]))])


@pytest.mark.parametrize("count", [b"\x7f\xff\xff\xff", b"\x0f\x42\x41", b"\x7f" + b"\xff" * 7, b"\x01" + bytes(40), b"\0", b"\xff", b"\x80\0\0\0", b""],
    ids=["2^31", "a million", "2^63", "2^320", "0", "-1", "-2^31", "none"])
def test_iterations_of_the_mac(vault, name, tmp_path, count):
	key, certificates = chain()
	pfx = with_mac_iterations(base64.b64decode(openssl_pfx(tmp_path, key, certificates)), count)
	with unchanged(vault):
		message = refused(vault, name, base64.b64encode(pfx).decode(), pwd="right")
		assert "iterations" in message or count == b"", message


def test_iterations_of_the_keys(vault, name, tmp_path):
	"""The MAC is right, so that only they can be what is wrong."""
	key, certificates = chain()
	with unchanged(vault):
		for options in (["-iter", "1000001"], ["-iter", "700000", "-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES"]):
			pfx = openssl_pfx(tmp_path, key, certificates, "-nomaciter", *options)
			assert "iterations" in refused(vault, name, pfx, pwd="right")
		refused(vault, name, openssl_pfx(tmp_path, key, certificates, "-nomac"), pwd="right")
	bring(vault, name, openssl_pfx(tmp_path, key, certificates, "-iter", "100000"), pwd="right").expect(200)


# Keys

def test_keys_that_no_vault_keeps(vault, name):
	keys = {"RSA 1024": new_key("RSA 1024"), "RSA 2056": new_key("RSA 2056"), "P-224": ec.generate_private_key(ec.SECP224R1()),
	    "brainpool": ec.generate_private_key(ec.BrainpoolP256R1()), "Ed25519": ed25519.Ed25519PrivateKey.generate(),
	    "DSA": dsa.generate_private_key(2048)}
	with unchanged(vault):
		for what, key in keys.items():
			digest = None if what == "Ed25519" else hashes.SHA256()
			now = datetime.datetime.now(datetime.timezone.utc)
			certificate = (x509.CertificateBuilder().subject_name(name_of("odd")).issuer_name(name_of("odd")).public_key(key.public_key())
			    .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9)).sign(key, digest))
			refused(vault, name, pem_of(key, [certificate]), pem=True)
			refused(vault, name, make_pfx(key, [certificate], b"right"), pwd="right")


def test_keys_and_certificates_that_do_not_belong_together(vault, name, tmp_path):
	key, certificates = chain()
	stranger, others = chain()
	locked = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
	    serialization.BestAvailableEncryption(b"right")).decode()
	old = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
	    serialization.BestAvailableEncryption(b"right")).decode()
	public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
	bundles = {
		"another's": pem_of(stranger, certificates),
		"the authority's": pem_of(key, certificates[1:]),
		"two keys": pem_of(key, []) + pem_of(stranger, others + certificates),
		"the same key twice": pem_of(key, []) + pem_of(key, certificates),
		"encrypted": locked + pem_of(None, certificates),
		"encrypted of old": old + pem_of(None, certificates),
		"public key": public + pem_of(None, certificates),
		"public key, too": public + pem_of(key, certificates),
		"unknown block": pem_block("DH PARAMETERS", b"\x30\x00") + pem_of(key, certificates),
		"label": pem_of(key, certificates).replace("CERTIFICATE-----", "CERTIFICATE -----", 1),
		"half a block": pem_of(key, certificates[:1]) + "-----BEGIN CERTIFICATE-----\n",
		"block in a block": pem_of(key, []) + "-----BEGIN CERTIFICATE-----\n" + pem_of(None, certificates),
	}
	with unchanged(vault):
		for what, value in bundles.items():
			reply = bring(vault, name, value, pem=True)
			assert (reply.status, reply.error["code"]) == (400, "BadParameter"), (what, reply)
		for what, options in (("no key", ["-nokeys"]), ("no certificate", ["-nocerts"])):
			assert refused(vault, name, openssl_pfx(tmp_path, key, certificates, *options), pwd="right"), what


def test_what_is_between_the_blocks(vault, name):
	key, certificates = chain()
	rubbish = "subject=CN = leaf.test\nBag Attributes: \x01\x7f<>--- ----- -----BEGINCERTIFICATE-----\n\n"
	text = rubbish + "".join(part + rubbish for part in [pem_of(key, []), *(pem_of(None, [each]) for each in certificates)])
	made = bring(vault, name, text, pem=True).expect(200).json
	assert leaf_of(made) == certificates[0]
	assert vault.get(f"/secrets/{name}").expect(200).json["value"] == pem_of(key, certificates)


# Chains

def test_repetitions(vault, name):
	key, certificates = chain()
	bring(vault, name, pem_of(key, certificates * 4), pem=True).expect(200)
	assert vault.get(f"/secrets/{name}").expect(200).json["value"] == pem_of(key, certificates)
	bring(vault, name, make_pfx(key, [*certificates, *certificates[1:]])).expect(200)
	private, leaf, others = pfx_of(vault.get(f"/secrets/{name}").expect(200).json)
	assert [leaf, *others] == certificates


def test_circle(vault, name):
	"""Two authorities that vouch for each other."""
	one, two, key = new_key(), new_key(), new_key()
	circle = [issue(key.public_key(), "leaf.test", one, "one"), issue(one.public_key(), "one", two, "two", ca=True),
	    issue(two.public_key(), "two", one, "one", ca=True)]
	for order in ([0, 1, 2], [2, 1, 0]):
		bring(vault, name, pem_of(key, [circle[at] for at in order]), pem=True).expect(200)
		assert vault.get(f"/secrets/{name}").expect(200).json["value"] == pem_of(key, circle)
	loop = issue(key.public_key(), "one", one, "one")  # says that it is its own issuer, and is not
	bring(vault, name, pem_of(key, [loop, *circle[1:]]), pem=True).expect(200)


def tower(height):
	"""A key and so many certificates, the last being the root's."""
	keys = [new_key() for _ in range(height)]
	names = [f"level {at}" for at in range(height)]
	return keys[0], [issue(keys[at].public_key(), names[at], keys[min(at + 1, height - 1)], names[min(at + 1, height - 1)], ca=at > 0)
	    for at in range(height)]


def test_deep_chains(vault, name):
	key, certificates = tower(100)
	with unchanged(vault):
		for value in (pem_of(key, certificates), pem_of(key, reversed(certificates)), pem_of(key, certificates[:33]), pem_of(key, certificates[:11])):
			refused(vault, name, value, pem=True)
		refused(vault, name, make_pfx(key, certificates))
	bring(vault, name, pem_of(key, reversed(certificates[:10])), pem=True).expect(200)
	assert vault.get(f"/secrets/{name}").expect(200).json["value"] == pem_of(key, certificates[:10])


def test_a_crowd_of_one_name(vault, name):
	"""Many authorities of the name that has signed, none of them that one: looking has an end."""
	key, certificates = chain()
	crowd = [issue(new_key().public_key(), "middle", new_key(), "middle", ca=True) for _ in range(28)]
	began = time.monotonic()
	bring(vault, name, pem_of(key, [certificates[0], *crowd]), pem=True).expect(200)
	assert time.monotonic() - began < SECONDS
	assert leaf_of(vault.get(f"/certificates/{name}").json) == certificates[0]


# Names

def test_zeros_in_names(vault, name):
	key = new_key()
	alternative = lambda *names: [x509.SubjectAlternativeName(names)]  # noqa: E731
	good = issue(key.public_key(), "good.test", key, more=alternative(x509.DNSName("good.test"), x509.RFC822Name("a@good.test"),
	    x509.UniformResourceIdentifier("https://good.test/")))
	with unchanged(vault):
		for text in (b"good.test", b"a@good.test", b"https://good.test/"):
			whole_one = good.public_bytes(serialization.Encoding.DER)
			at = whole_one.rindex(text)
			broken = whole_one[:at] + b"g\0" + whole_one[at + 2:]
			refused(vault, name, pem_of(key, []) + pem_block("CERTIFICATE", broken), pem=True)
		at = whole_one.index(b"good.test")  # the issuer's, and so on
		for _ in range(2):
			broken = whole_one[:at + 4] + b"\0" + whole_one[at + 5:]
			refused(vault, name, pem_of(key, []) + pem_block("CERTIFICATE", broken), pem=True)
			at = whole_one.index(b"good.test", at + 1)
	bring(vault, name, pem_of(key, [good]), pem=True).expect(200)


def test_long_and_strange_names(vault, name):
	key = new_key()
	for subject in ("", " ", "a,b=c;d+e\"<>#\\", "\u202e\u2028", "\U0001f512" * 10, "*." + "a." * 25):
		attributes = [x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else []
		now = datetime.datetime.now(datetime.timezone.utc)
		certificate = (x509.CertificateBuilder().subject_name(x509.Name(attributes)).issuer_name(name_of("i")).public_key(key.public_key())
		    .serial_number(2 ** 158).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=36500)).sign(key, hashes.SHA256()))
		reply = bring(vault, name, pem_of(key, [certificate]), pem=True)
		if reply.status == 200:
			assert leaf_of(vault.get(f"/certificates/{name}").expect(200).json) == certificate
			put_away(vault, name)
		else:
			reply.expect(400, "BadParameter")
	vault.get(f"/certificates/{name}").expect(404)


# Policies

def test_policies(vault, name):
	"""Beside those of test_certs: with what is there already, by each way that they come."""
	made = create(vault, name)
	bad = ({"x509_props": {"subject": "CN=a\0"}}, {"x509_props": {"validity_months": 0}}, {"x509_props": {"sans": {"dns_names": [""]}}},
	    {"x509_props": {"sans": {"dns_names": [7]}}}, {"x509_props": {"ekus": ["1.2." + "9" * 300]}}, {"x509_props": {"ekus": ["9.9.9"]}},
	    {"key_props": {"kty": "oct"}}, {"key_props": {"key_size": 2 ** 63}}, {"key_props": {"key_size": 2048.5}}, {"key_props": {"crv": "P-256\0"}},
	    {"secret_props": {"contentType": ""}}, {"lifetime_actions": [{}] * 100}, {"lifetime_actions": {}}, {"issuer": {"name": ""}},
	    {"issuer": {"name": "a/../b"}}, {"attributes": 7}, {"x509_props": []}, 7, "x")
	with unchanged(vault):
		for policy in bad:
			for reply in (vault.patch(f"/certificates/{name}/policy", policy), vault.patch(f"/certificates/{name}", {"policy": policy}),
			    vault.post(f"/certificates/{name}/create", {"policy": merged(SELF, **policy) if isinstance(policy, dict) else policy})):
				assert reply.status in (400, 404), (policy, reply)
				assert reply.error["code"] == {400: "BadParameter", 404: "CertificateIssuerNotFound"}[reply.status], (policy, reply)
		assert vault.get(f"/certificates/{name}").expect(200).json == made


def test_policies_of_imports(vault, name):
	key, certificates = chain()
	value = make_pfx(key, certificates)
	with unchanged(vault):
		for policy in ({"key_props": {"kty": "RSA"}}, {"key_props": {"kty": "EC", "crv": "P-521"}}, {"key_props": {"kty": "EC-HSM", "exportable": True}},
		    {"secret_props": {"contentType": "text/html"}}, {"issuer": {"name": "not/a name"}}, {"lifetime_actions": [{"trigger": {"lifetime_percentage": 100},
		    "action": {"action_type": "EmailContacts"}}]}, {"lifetime_actions": [{"trigger": {}, "action": {}}]}, 7):
			reply = bring(vault, name, value, policy=policy)
			assert (reply.status, reply.error["code"]) == (400, "BadParameter"), (policy, reply)
		bring(vault, name, value, policy={"issuer": {"name": "nobody"}}).expect(404, "CertificateIssuerNotFound")
		for tags in ({str(at): "" for at in range(16)}, {"a": 7}, {"a" * 257: ""}, {"a": "b" * 257}, [], 7):
			bring(vault, name, value, tags=tags).expect(400, "BadParameter")


# Merges

def signed(request, key=None, start=None, more=(), public=None, subject="merged.test"):
	ca = key or new_key()
	leaf = issue(public or request.public_key(), subject, ca, "ca", start=start, more=more)
	return leaf, issue(ca.public_key(), "ca", ca, ca=True)


def merge(vault, name, x5c):
	return vault.post(f"/certificates/{name}/pending/merge", {"x5c": x5c})


def test_broken_merges(vault, name):
	pending = begin(vault, name, UNKNOWN).json
	leaf, root = signed(csr_of(pending))
	raw = base64.b64decode(der(leaf))
	with unchanged(vault):
		for at in [*range(12), *range(12, len(raw), len(raw) // 30), len(raw) - 1]:
			merge(vault, name, [base64.b64encode(raw[:at]).decode(), der(root)]).expect(400, "BadParameter")
		merge(vault, name, [base64.b64encode(raw + b"\0").decode()]).expect(400, "BadParameter")
		merge(vault, name, [der(leaf), der(root)[:-8]]).expect(400, "BadParameter")
		merge(vault, name, [der(root)]).expect(400, "BadParameter")
		merge(vault, name, [base64.b64encode(pem_of(None, [leaf]).encode()).decode() + "!"]).expect(400, "BadParameter")
		key, certificates = tower(12)
		deep = [der(signed(csr_of(pending), key)[0]), *map(der, certificates)]
		for x5c in (None, 7, "x", {}, [7], [None], [[der(leaf)]], ["A" * 300000], [der(leaf)] * 33, deep * 2 + deep[:9]):
			merge(vault, name, x5c).expect(400, "BadParameter")
		foreign = [der(each) for each in signed(csr_of(pending), public=new_key().public_key())]
		assert "does not match" in merge(vault, name, foreign).expect(400, "BadParameter").error["message"]
		old = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
		merge(vault, name, [der(each) for each in signed(csr_of(pending), start=old)]).expect(400, "CertificateExpired")
		zero = raw.replace(b"merged.test", b"merged\0test")
		merge(vault, name, [base64.b64encode(zero).decode()]).expect(400, "BadParameter")
	for data in flips(raw, 60, "merge"):
		reply = merge(vault, name, [base64.b64encode(data).decode(), der(root)])
		if reply.status == 201:  # a signature is its reader's to verify
			assert spki(leaf_of(reply.json).public_key()) == spki(csr_of(pending).public_key())
			pending = begin(vault, name, UNKNOWN).json
			raw = base64.b64decode(der(signed(csr_of(pending))[0]))
		else:
			assert reply.status == 400 and reply.error["code"] in ("BadParameter", "CertificateExpired"), reply
	merge(vault, name, [der(each) for each in signed(csr_of(pending))]).expect(201)


def test_merges_of_what_is_over(vault, name):
	pending = begin(vault, name, UNKNOWN).json
	x5c = [der(each) for each in signed(csr_of(pending))]
	vault.patch(f"/certificates/{name}/pending", {"cancellation_requested": True}).expect(200)
	merge(vault, name, x5c).expect(400, "BadParameter")
	wait(vault, name, "cancelled")
	with unchanged(vault):
		merge(vault, name, x5c).expect(400, "BadParameter")
	vault.delete(f"/certificates/{name}/pending").expect(200)
	merge(vault, name, x5c).expect(404, "PendingCertificateNotFound")
	# The next one has another key.
	begin(vault, name, UNKNOWN)
	with unchanged(vault):
		merge(vault, name, x5c).expect(400, "BadParameter")
	vault.delete(f"/certificates/{name}").expect(200)
	with unchanged(vault):
		merge(vault, name, x5c).expect(404, "CertificateNotFound")
		vault.patch(f"/certificates/{name}/pending", {"cancellation_requested": True}).expect(404)
	vault.delete(f"/deletedcertificates/{name}").expect(204)


def test_repeated_and_shuffled_merge(vault, name):
	pending = begin(vault, name, UNKNOWN).json
	leaf, root = signed(csr_of(pending))
	made = merge(vault, name, [der(root), der(leaf), der(root), der(leaf)]).expect(201).json
	assert leaf_of(made) == leaf
	_, first, others = pfx_of(vault.get(f"/secrets/{name}").expect(200).json)
	assert [first, *others] == [leaf, root]


def test_while_one_is_in_progress(vault, name):
	"""The operation that waits stays as it is, whatever is tried meanwhile."""
	copy = create(vault, name)
	blob = vault.post(f"/certificates/{name}/backup").expect(200).json
	begin(vault, name, UNKNOWN)
	key, certificates = chain()
	with unchanged(vault):
		vault.post(f"/certificates/{name}/create", {}).expect(409, "Forbidden")
		vault.post(f"/certificates/{name}/create", {"policy": 7}).expect(400, "BadParameter")
		bring(vault, name, make_pfx(key, certificates)).expect(409, "Forbidden")
		vault.post("/certificates/restore", blob).expect(409, "Conflict")
		for body in ({}, {"cancellation_requested": "yes"}, {"cancellation_requested": None}, []):
			vault.patch(f"/certificates/{name}/pending", body).expect(400, "BadParameter")
	assert vault.get(f"/certificates/{name}").json["id"] == copy["id"]


# Names that are others'

def test_stand_alone_ones_on_a_certificates_name(vault, name):
	apart = unique("h")
	vault.set(apart)
	vault.post(f"/keys/{apart}/create", {"kty": "EC"}).expect(200)
	blobs = {kind: vault.post(f"/{kind}/{apart}/backup").expect(200).json for kind in ("keys", "secrets")}
	for kind in ("keys", "secrets"):
		vault.delete(f"/{kind}/{apart}").expect(200)
		vault.delete(f"/deleted{kind}/{apart}").expect(204)
	create(vault, apart)
	with unchanged(vault):
		for kind, blob in blobs.items():
			vault.post(f"/{kind}/restore", blob).expect(409, "Conflict")
		jwk = {"kty": "EC", "crv": "P-256", **{part: "AQ" for part in "xyd"}}
		assert vault.put(f"/keys/{apart}", {"key": jwk}).status in (400, 403)
		vault.post(f"/keys/{apart}/rotate").expect(403, "Forbidden", "KeyManagedByKeyVault")
	vault.delete(f"/certificates/{apart}").expect(200)
	with unchanged(vault):
		vault.put(f"/secrets/{apart}", {"value": "x"}).expect(409, "Conflict", "ObjectIsDeletedButRecoverable")
		vault.post(f"/keys/{apart}/create", {"kty": "EC"}).expect(409, "Conflict", "ObjectIsDeletedButRecoverable")
		for kind, blob in blobs.items():
			vault.post(f"/{kind}/restore", blob).expect(409)
		bring(vault, apart, make_pfx(*chain())).expect(409, "Conflict", "ObjectIsDeletedButRecoverable")
	vault.post(f"/deletedcertificates/{apart}/recover").expect(200)


@pytest.mark.parametrize("kind", ["keys", "secrets"])
def test_deleted_stand_alone_ones(vault, name, kind):
	"""They keep their name, also from what is imported and restored."""
	create(vault, name)
	blob = vault.post(f"/certificates/{name}/backup").expect(200).json
	put_away(vault, name)
	if kind == "keys":
		vault.post(f"/keys/{name}/create", {"kty": "EC"}).expect(200)
	else:
		vault.set(name)
	vault.delete(f"/{kind}/{name}").expect(200)
	with unchanged(vault):
		bring(vault, name, make_pfx(*chain())).expect(409, "Conflict", "ObjectIsDeletedButRecoverable")
		vault.post("/certificates/restore", blob).expect(409)
	vault.post(f"/deleted{kind}/{name}/recover").expect(200)
	with unchanged(vault):
		bring(vault, name, make_pfx(*chain())).expect(409, "Conflict")
		vault.post("/certificates/restore", blob).expect(409, "Conflict")
