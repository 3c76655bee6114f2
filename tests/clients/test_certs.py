"""Certificates on the wire: made, imported, merged, told, listed, changed, deleted and brought back."""
import base64
import datetime
import hashlib
import json
import re
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtensionOID

from certs import (IN_PROGRESS, PEM, PFX, SELF, TO_MERGE, begin, chain, create, csr_of, der, issue, leaf_of,
    make_pfx, merged, new_key, pem_of, pfx_of, spki, wait)
from strongroom import Server, unique, version_of

NOT_FOUND = ("A certificate with (name/id) {} was not found in this key vault. If you recently deleted this "
    "certificate you may be able to recover it using the correct recovery command. For help resolving this "
    "issue, please see https://go.microsoft.com/fwlink/?linkid=2125182")
UNKNOWN = {"x509_props": {"subject": "CN=merged.test"}, "issuer": {"name": "Unknown"},
    "key_props": {"kty": "EC", "crv": "P-256"}}
MISMATCH = ("The public key of the end-entity certificate in the specified X.509 certificate content does not match "
    "the public part of the specified private key. Please check if certificate is valid.")


@pytest.fixture
def name():
	return unique("c")


def key_id(bundle):
	return bundle["id"].replace("/certificates/", "/keys/")


def openssl(*arguments, data=b""):
	return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True).stdout


# Create

def test_create_on_the_wire(main, name):
	reply = begin(main, name)
	pending = reply.json
	assert list(pending) == ["id", "issuer", "csr", "cancellation_requested", "status", "status_details", "request_id"]
	assert pending["id"] == f"{main.url}/certificates/{name}/pending" and pending["issuer"] == {"name": "Self"}
	assert (pending["status"], pending["status_details"]) == ("inProgress", IN_PROGRESS)
	assert reply.header("location") == (f"{main.url}/certificates/{name}/pending?api-version=7.4&request_id="
	    + pending["request_id"]) or pending["request_id"] in reply.header("location")
	assert reply.header("retry-after") == "10"
	polled = main.get(f"/certificates/{name}/pending").expect(200)
	if polled.json["status"] == "inProgress":
		assert polled.json == pending and polled.header("retry-after") == "10"
	done = wait(main, name)
	assert list(done) == ["id", "issuer", "csr", "cancellation_requested", "status", "target", "request_id"]
	assert done["target"] == f"{main.url}/certificates/{name}"
	made = main.get(f"/certificates/{name}").expect(200).json
	assert list(made) == ["id", "kid", "sid", "x5t", "cer", "attributes", "policy", "pending"]
	leaf = leaf_of(made)
	assert made["attributes"]["nbf"] == int(leaf.not_valid_before_utc.timestamp())
	# It is signed first, and then there: the second may be another one.
	assert 0 <= made["attributes"]["created"] - 600 - made["attributes"]["nbf"] <= 10
	assert made["attributes"]["exp"] == int(leaf.not_valid_after_utc.timestamp())
	digest = hashlib.sha1(base64.b64decode(made["cer"])).digest()
	assert made["x5t"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
	assert spki(csr_of(done).public_key()) == spki(leaf.public_key()) and csr_of(done).is_signature_valid


POLICIES = {
	"RSA": merged(SELF, key_props={"kty": "RSA", "crv": None}),
	"RSA 3072": merged(SELF, key_props={"kty": "RSA", "key_size": 3072, "crv": None}),
	**{crv: merged(SELF, key_props={"crv": crv}) for crv in ("P-256", "P-384", "P-521", "P-256K")},
	"EC sized": merged(SELF, key_props={"crv": None, "key_size": 384}),
}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_keys_and_secrets_belong_together(main, name, policy, tmp_path):
	made = create(main, name, policy)
	key = main.get(f"/keys/{name}/{version_of(made)}").expect(200).json
	secret = main.get(f"/secrets/{name}/{version_of(made)}").expect(200).json
	assert key["managed"] is secret["managed"] is True and "exportable" not in key["attributes"]
	assert secret["kid"] == made["kid"] == key["key"]["kid"] and secret["id"] == made["sid"]
	private, leaf, others = pfx_of(secret)
	assert leaf == leaf_of(made) and spki(private.public_key()) == spki(leaf.public_key()) and not others
	for each in (key, secret):
		assert [each["attributes"][member] for member in ("nbf", "exp")] == [
		    made["attributes"][member] for member in ("nbf", "exp")]
	(tmp_path / "leaf.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
	if policy["key_props"].get("crv") != "P-256K":
		openssl("verify", "-CAfile", tmp_path / "leaf.pem", tmp_path / "leaf.pem")
	(tmp_path / "secret.pfx").write_bytes(base64.b64decode(secret["value"]))
	assert b"PRIVATE KEY" in openssl("pkcs12", "-in", tmp_path / "secret.pfx", "-passin", "pass:", "-nodes", "-legacy")


def test_what_a_certificate_says(shared, name):
	main = shared.vault("main", version="7.6")
	policy = merged(SELF, x509_props={"subject": "C=AT, S=Tirol, L=Innsbruck, O=\"A, B\", CN=example.test",
	    "sans": {"dns_names": ["a.test", "*.b.test"], "emails": ["x@y.test"], "upns": ["u@y.test"],
	        "uris": ["https://c.test/d"], "ipAddresses": ["192.0.2.7", "2001:db8::1"]},
	    "ekus": ["1.3.6.1.5.5.7.3.1"], "key_usage": ["keyCertSign", "digitalSignature", "cRLSign"],
	    "validity_months": 5, "basic_constraints": {"ca": True}})
	made = create(main, name, policy)
	text = openssl("x509", "-inform", "DER", "-noout", "-text", "-ext",
	    "subjectAltName,keyUsage,extendedKeyUsage,basicConstraints", data=base64.b64decode(made["cer"])).decode()
	for part in ("C = AT, ST = Tirol, L = Innsbruck, O = \"A, B\", CN = example.test", "DNS:a.test", "DNS:*.b.test",
	    "email:x@y.test", "URI:https://c.test/d", "IP Address:192.0.2.7", "Digital Signature, Certificate Sign, CRL Sign",
	    "TLS Web Server Authentication", "CA:TRUE"):
		assert part in text, text
	assert made["policy"]["x509_props"]["key_usage"] == ["cRLSign", "digitalSignature", "keyCertSign"]
	assert made["policy"]["x509_props"]["sans"] == {kind: policy["x509_props"]["sans"][kind] for kind in
	    ("emails", "dns_names", "upns", "uris", "ipAddresses")}
	assert main.get(f"/keys/{name}").json["key"]["key_ops"] == ["sign", "verify"]
	names = leaf_of(made).extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
	assert len(list(names)) == 7


def test_operations_follow_the_usages(main, name):
	made = create(main, name, merged(POLICIES["RSA"], x509_props={"key_usage": ["dataEncipherment", "keyEncipherment",
	    "nonRepudiation"]}))
	assert main.get(f"/keys/{name}").json["key"]["key_ops"] == ["encrypt", "decrypt", "sign", "verify", "wrapKey",
	    "unwrapKey"]
	kid = made["kid"].removeprefix(main.url)
	value = main.post(f"{kid}/encrypt", {"alg": "RSA-OAEP", "value": "AAAA"}).expect(200).json["value"]
	assert main.post(f"{kid}/decrypt", {"alg": "RSA-OAEP", "value": value}).expect(200).json["value"] == "AAAA"


def test_defaults(main, name):
	policy = create(main, name, {"x509_props": {"subject": "CN=d"}, "issuer": {"name": "Self"}})["policy"]
	assert policy.pop("id") == f"{main.url}/certificates/{name}/policy"
	attributes = policy.pop("attributes")
	assert attributes["enabled"] is True and attributes["created"] == attributes["updated"]
	assert policy == {"key_props": {"exportable": True, "kty": "RSA", "key_size": 2048, "reuse_key": False},
	    "secret_props": {"contentType": PFX}, "x509_props": {"subject": "CN=d",
	        "ekus": ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"], "key_usage": ["digitalSignature", "keyEncipherment"],
	        "validity_months": 12, "basic_constraints": {"ca": False}},
	    "lifetime_actions": [{"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "AutoRenew"}}],
	    "issuer": {"name": "Self"}}


def test_pem_and_what_may_not_leave(main, name):
	create(main, name, merged(SELF, secret_props={"contentType": PEM}))
	value = main.get(f"/secrets/{name}").json["value"]
	assert value.startswith("-----BEGIN PRIVATE KEY-----\n") and value.count("-----BEGIN CERTIFICATE-----") == 1
	create(main, name, merged(SELF, key_props={"exportable": False}, secret_props={"contentType": PEM}))
	assert "PRIVATE" not in main.get(f"/secrets/{name}").json["value"]
	create(main, name, merged(SELF, key_props={"exportable": False}))
	secret = main.get(f"/secrets/{name}").json
	assert b"PRIVATE" not in openssl("pkcs12", "-in", "/dev/stdin", "-passin", "pass:", "-nodes", "-legacy",
	    data=base64.b64decode(secret["value"]))
	assert len(main.items(f"/certificates/{name}/versions")) == 3


def test_versions_and_reuse_of_the_key(main, name):
	policy = merged(SELF, key_props={"reuse_key": True})
	first = create(main, name, policy, tags={"a": "b"})
	assert first["tags"] == {"a": "b"}
	main.post(f"/certificates/{name}/create", {}).expect(202)
	wait(main, name)
	second = main.get(f"/certificates/{name}").json
	assert first["id"] != second["id"] and first["x5t"] != second["x5t"] and "tags" not in second
	assert spki(leaf_of(first).public_key()) == spki(leaf_of(second).public_key())
	create(main, name, SELF)
	third = main.get(f"/certificates/{name}").json
	assert spki(leaf_of(third).public_key()) != spki(leaf_of(second).public_key())
	for each in (first, second, third):
		bundle = main.get(each["id"].removeprefix(main.url)).expect(200).json
		assert bundle["cer"] == each["cer"] and "policy" not in bundle and "pending" not in bundle
		assert leaf_of(each) == pfx_of(main.get(each["sid"].removeprefix(main.url)).json)[1]
	listed = main.items(f"/certificates/{name}/versions")
	assert {item["id"] for item in listed} == {first["id"], second["id"], third["id"]}
	assert all(list(item) in (["id", "x5t", "attributes", "subject"], ["id", "x5t", "attributes", "tags", "subject"])
	    for item in listed)
	assert {item["kid"] for item in main.items(f"/keys/{name}/versions")} == {e["kid"] for e in (first, second, third)}


# Policies out of rule

BAD_POLICIES = {
	"no subject": {"issuer": {"name": "Self"}},
	"empty subject": merged(SELF, x509_props={"subject": ""}),
	"subject is none": merged(SELF, x509_props={"subject": "no name"}),
	"NUL in subject": merged(SELF, x509_props={"subject": "CN=a\0b"}),
	"hex NUL": merged(SELF, x509_props={"subject": "CN=a\\00b"}),
	"long subject": merged(SELF, x509_props={"subject": "CN=" + "a" * 60 + ",OU=" + "b" * 60 + ",O=" + "c" * 60 + ",L=" + "d" * 60}),
	"NUL in name": merged(SELF, x509_props={"sans": {"dns_names": ["a\0.test"]}}),
	"address": merged(SELF, x509_props={"sans": {"ipAddresses": ["300.1.1.1"]}}),
	"names": merged(SELF, x509_props={"sans": {"dns_names": ["a.test"] * 501}}),
	"eku": merged(SELF, x509_props={"ekus": ["serverAuth"]}),
	"usage": merged(SELF, x509_props={"key_usage": ["sign"]}),
	"0 months": merged(SELF, x509_props={"validity_months": 0}),
	"1201 months": merged(SELF, x509_props={"validity_months": 1201}),
	"-1 months": merged(SELF, x509_props={"validity_months": -1}),
	"oct": merged(SELF, key_props={"kty": "oct", "crv": None}),
	"kty": merged(SELF, key_props={"kty": "DSA"}),
	"crv": merged(SELF, key_props={"crv": "P-192"}),
	"crv of RSA": merged(SELF, key_props={"kty": "RSA"}),
	"1024 bits": merged(SELF, key_props={"kty": "RSA", "key_size": 1024, "crv": None}),
	"4097 bits": merged(SELF, key_props={"kty": "RSA", "key_size": 4097, "crv": None}),
	"size of curve": merged(SELF, key_props={"key_size": 384}),
	"HSM": merged(SELF, key_props={"kty": "EC-HSM"}),
	"content type": merged(SELF, secret_props={"contentType": "text/plain"}),
	"percentage 0": merged(SELF, lifetime_actions=[{"trigger": {"lifetime_percentage": 0}, "action": {"action_type": "AutoRenew"}}]),
	"percentage 100": merged(SELF, lifetime_actions=[{"trigger": {"lifetime_percentage": 100}, "action": {"action_type": "AutoRenew"}}]),
	"days": merged(SELF, lifetime_actions=[{"trigger": {"days_before_expiry": 325}, "action": {"action_type": "AutoRenew"}}]),
	"two triggers": merged(SELF, lifetime_actions=[{"trigger": {"days_before_expiry": 3, "lifetime_percentage": 4},
	    "action": {"action_type": "AutoRenew"}}]),
	"no trigger": merged(SELF, lifetime_actions=[{"action": {"action_type": "AutoRenew"}}]),
	"action": merged(SELF, lifetime_actions=[{"trigger": {"days_before_expiry": 3}, "action": {"action_type": "Explode"}}]),
	"renews unknown": merged(UNKNOWN, lifetime_actions=[{"trigger": {"days_before_expiry": 3}, "action": {"action_type": "AutoRenew"}}]),
	"list": [],
	"sans list": merged(SELF, x509_props={"sans": []}),
}


@pytest.mark.parametrize("policy", BAD_POLICIES.values(), ids=BAD_POLICIES)
def test_policies_out_of_rule(main, name, policy):
	reply = main.post(f"/certificates/{name}/create", {"policy": policy}).expect(400)
	assert reply.error["code"] == "BadParameter"
	nothing_is_left(main, name)


def nothing_is_left(vault, name):
	vault.get(f"/certificates/{name}").expect(404, "CertificateNotFound")
	vault.get(f"/certificates/{name}/pending").expect(404, "PendingCertificateNotFound")
	vault.get(f"/keys/{name}").expect(404)
	vault.get(f"/secrets/{name}").expect(404)
	vault.set(name, "the name is free")


def test_bad_requests(main, name):
	main.post(f"/certificates/{name}/create", {}).expect(400, "BadParameter")
	main.post("/certificates/a_b/create", {"policy": SELF}).expect(400, "BadParameter")
	main.post(f"/certificates/{name}/create", {"policy": merged(SELF, issuer={"name": "nobody"})}).expect(404,
	    "CertificateIssuerNotFound")
	main.post(f"/certificates/{name}/create", {"policy": SELF, "tags": {str(i): "" for i in range(16)}}).expect(400)
	assert main.get(f"/certificates/{name}").error["message"] == NOT_FOUND.format(name)
	assert main.get(f"/certificates/{name}/{'0' * 32}").error["message"] == NOT_FOUND.format(f"{name}/versions/{'0' * 32}")
	nothing_is_left(main, name)


# Names

def test_reserved_names(main, other):
	"""A path means something else by them: what had such a name could not be read, nor deleted."""
	key, certificates = chain()
	for name in ("contacts", "Contacts", "restore"):
		for verb, body in (("create", {"policy": SELF}), ("import", {"value": make_pfx(key, certificates)})):
			reply = main.post(f"/certificates/{name}/{verb}", body).expect(400, "BadParameter")
			assert reply.error["message"] == f"The request URI contains an invalid name: {name}"
	main.post("/certificates/issuers/create", {"policy": SELF}).expect(405)
	for name in ("restore", "Restore"):
		main.post(f"/keys/{name}/create", {"kty": "EC"}).expect(400, "BadParameter")
	main.put("/secrets/restore", {"value": "x"}).expect(405)
	main.post("/keys/contacts/create", {"kty": "EC"}).expect(200)
	main.delete("/keys/contacts").expect(200)


@pytest.mark.parametrize("kind", ["secret", "key"])
def test_name_of_a_stand_alone_object(main, name, kind):
	if kind == "secret":
		main.set(name)
	else:
		main.post(f"/keys/{name}/create", {"kty": "EC"}).expect(200)
	key, certificates = chain()
	main.post(f"/certificates/{name}/create", {"policy": SELF}).expect(409, "Conflict")
	main.post(f"/certificates/{name}/import", {"value": make_pfx(key, certificates)}).expect(409, "Conflict")
	main.delete(f"/{kind}s/{name}").expect(200)
	main.post(f"/certificates/{name}/create", {"policy": SELF}).expect(409, "Conflict", "ObjectIsDeletedButRecoverable")
	main.get(f"/certificates/{name}").expect(404)


def test_managed_ones_are_left_alone(main, name):
	made = create(main, name)
	blob = {"kty": "EC"}
	for reply in (main.put(f"/secrets/{name}", {"value": "x"}), main.patch(f"/secrets/{name}", {"tags": {}}),
	    main.delete(f"/secrets/{name}"), main.post(f"/secrets/{name}/backup")):
		reply.expect(403, "Forbidden", "SecretManagedByKeyVault")
	for reply in (main.post(f"/keys/{name}/create", blob), main.patch(f"/keys/{name}", {"tags": {}}),
	    main.delete(f"/keys/{name}"), main.post(f"/keys/{name}/backup"), main.post(f"/keys/{name}/rotate"),
	    main.put(f"/keys/{name}/rotationpolicy", {"attributes": {}})):
		reply.expect(403, "Forbidden", "KeyManagedByKeyVault")
	assert main.delete(f"/secrets/{name}").error["message"] == (
	    'Operation "delete" is not allowed as this object\'s lifetime is managed by Key Vault.')
	item, = [each for each in main.items("/secrets") if each["id"].endswith("/" + name)]
	assert item["managed"] is True and "kid" not in item
	item, = [each for each in main.items("/keys") if each["kid"].endswith("/" + name)]
	assert item["managed"] is True
	main.delete(f"/certificates/{name}").expect(200)
	for kind, inner in (("secrets", "Secret"), ("keys", "Key")):
		assert main.get(f"/deleted{kind}/{name}").expect(200).json["managed"] is True
		main.post(f"/deleted{kind}/{name}/recover").expect(403, "Forbidden", f"{inner}ManagedByKeyVault")
		main.delete(f"/deleted{kind}/{name}").expect(403, "Forbidden", f"{inner}ManagedByKeyVault")
	main.post(f"/deletedcertificates/{name}/recover").expect(200)
	assert main.get(f"/certificates/{name}").json["id"] == made["id"]


# Life

def test_delete_recover_purge(main, name):
	made = create(main, name)
	deleted = main.delete(f"/certificates/{name}").expect(200).json
	assert list(deleted)[:3] == ["recoveryId", "deletedDate", "scheduledPurgeDate"]
	assert {member: deleted[member] for member in made} == made
	for kind in ("certificates", "keys", "secrets"):
		main.get(f"/{kind}/{name}").expect(404)
	assert main.get(f"/deletedcertificates/{name}").json == deleted
	item, = [each for each in main.items("/deletedcertificates") if each["id"].endswith("/" + name)]
	assert list(item) == ["recoveryId", "deletedDate", "scheduledPurgeDate", "id", "x5t", "attributes"]
	main.post(f"/certificates/{name}/create", {"policy": SELF}).expect(409, "Conflict", "ObjectIsDeletedButRecoverable")
	assert main.post(f"/deletedcertificates/{name}/recover").expect(200).json == made
	assert main.get(f"/secrets/{name}").expect(200).json["id"] == made["sid"]
	assert main.get(f"/keys/{name}").expect(200).json["key"]["kid"] == made["kid"]
	main.delete(f"/certificates/{name}").expect(200)
	main.delete(f"/deletedcertificates/{name}").expect(204)
	for kind in ("certificates", "keys", "secrets"):
		main.get(f"/deleted{kind}/{name}").expect(404)
	assert main.get(f"/deletedcertificates/{name}").error["message"] == f"Deleted Certificate not found: {name}"
	assert main.post(f"/certificates/{name}/backup").error["message"] == f"Certificate not found: {name}"
	nothing_is_left(main, name)


@pytest.fixture
def other(shared):
	return shared.vault("cert-copies")


def test_backup_and_restore(main, other, name):
	first, second = create(main, name, tags={"a": "1"}), create(main, name, merged(SELF, secret_props={"contentType": PEM}))
	blob = main.post(f"/certificates/{name}/backup").expect(200).json
	secrets = [main.get(each["sid"].removeprefix(main.url)).json["value"] for each in (first, second)]
	main.post("/certificates/restore", blob).expect(409, "Conflict")
	restored = other.post("/certificates/restore", blob).expect(200).json
	second.pop("pending")
	assert restored == {**second, **{member: second[member].replace(main.url, other.url) for member in ("id", "kid", "sid")},
	    "policy": {**second["policy"], "id": f"{other.url}/certificates/{name}/policy"}}
	for each, value in zip((first, second), secrets):
		assert other.get(each["sid"].removeprefix(main.url)).expect(200).json["value"] == value
	kid = first["kid"].removeprefix(main.url)
	digest = base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()
	signature = other.post(f"{kid}/sign", {"alg": "ES256", "value": digest}).expect(200).json["value"]
	assert main.post(f"{kid}/verify", {"alg": "ES256", "digest": digest, "value": signature}).json["value"] is True
	other.put(f"/secrets/{name}", {"value": "x"}).expect(403, "Forbidden", "SecretManagedByKeyVault")
	for damaged in (blob["value"][:-8], "A" * 100, blob["value"][:60] + "AAAA" + blob["value"][64:]):
		other.post("/certificates/restore", {"value": damaged}).expect(400, "Malformed backup blob")
	other.post("/secrets/restore", blob).expect(400, "Malformed backup blob")
	# The name of a stand-alone secret is not taken over.
	third = unique("c")
	create(main, third)
	blob = main.post(f"/certificates/{third}/backup").expect(200).json
	other.set(third)
	other.post("/certificates/restore", blob).expect(409, "Conflict")
	other.get(f"/certificates/{third}").expect(404)
	other.get(f"/keys/{third}").expect(404)


def test_a_key_that_may_not_leave_stays(main, name):
	"""Also when its policy says otherwise later: then another key is made, which is used again from then on."""
	create(main, name, merged(SELF, key_props={"exportable": False, "reuse_key": True}))
	main.patch(f"/certificates/{name}/policy", {"key_props": {"exportable": True, "reuse_key": True}}).expect(200)
	made = [spki(leaf_of(main.get(f"/certificates/{name}").json).public_key())]
	for _ in range(2):
		main.post(f"/certificates/{name}/create", {}).expect(202)
		wait(main, name)
		private, leaf, _ = pfx_of(main.get(f"/secrets/{name}").expect(200).json)
		assert spki(private.public_key()) == spki(leaf.public_key())
		made.append(spki(leaf.public_key()))
	assert made[0] != made[1] == made[2]


def test_update(main, name):
	made = create(main, name)
	version = version_of(made)
	changed = main.patch(f"/certificates/{name}", {"tags": {"a": "b"}, "attributes": {"enabled": False}}).expect(200).json
	assert changed["tags"] == {"a": "b"} and changed["attributes"]["enabled"] is False and "policy" in changed
	main.get(f"/secrets/{name}").expect(403, "Forbidden", "SecretDisabled")
	assert main.get(f"/keys/{name}").json["attributes"]["enabled"] is False
	main.post(f"/keys/{name}/sign", {"alg": "ES256", "value": "A" * 43}).expect(403, "Forbidden", "KeyDisabled")
	changed = main.patch(f"/certificates/{name}/{version}", {"attributes": {"enabled": True}}).expect(200).json
	assert list(changed) == ["id", "kid", "sid", "x5t", "cer", "attributes", "tags", "pending"]
	main.get(f"/secrets/{name}").expect(200)


@pytest.mark.parametrize("policy", [SELF, UNKNOWN], ids=["Self", "Unknown"])
def test_update_before_the_first_version(main, name, policy):
	"""What was changed meanwhile holds when the certificate is there."""
	begin(main, name, policy, tags={"a": "1"})
	changed = main.patch(f"/certificates/{name}", {"tags": {"b": "2"}, "attributes": {"enabled": False}}).expect(200).json
	assert changed["tags"] == {"b": "2"} and changed["attributes"]["enabled"] is False
	main.patch(f"/certificates/{name}", {}).expect(200)
	wait(main, name) if policy is SELF else merge(main, name).expect(201)
	made = main.get(f"/certificates/{name}").expect(200).json
	assert made["tags"] == {"b": "2"} and made["attributes"]["enabled"] is False
	main.get(f"/secrets/{name}").expect(403, "Forbidden", "SecretDisabled")
	# Of another operation than its own a version knows nothing.
	begin(main, name, policy, tags={"c": "3"})
	main.patch(f"/certificates/{name}", {"tags": {"d": "4"}}).expect(200)
	wait(main, name) if policy is SELF else merge(main, name).expect(201)
	made = main.get(f"/certificates/{name}").expect(200).json
	assert made["tags"] == {"c": "3"} and made["attributes"]["enabled"] is True


def test_policy_update(main, name):
	create(main, name)
	before = main.get(f"/certificates/{name}/policy").expect(200).json
	after = main.patch(f"/certificates/{name}/policy", {"x509_props": {"validity_months": 6}}).expect(200).json
	assert after["x509_props"] == {**before["x509_props"], "validity_months": 6} and after["issuer"] == before["issuer"]
	assert main.get(f"/certificates/{name}").json["policy"] == after
	main.patch(f"/certificates/{name}/policy", {"x509_props": {"validity_months": 0}}).expect(400, "BadParameter")
	unknown = main.patch(f"/certificates/{name}/policy", {"issuer": {"name": "Unknown"}}).expect(200).json
	assert unknown["lifetime_actions"][0]["action"] == {"action_type": "EmailContacts"}
	assert main.patch(f"/certificates/{name}", {"policy": {"issuer": {"name": "Self"}, "key_props": {"kty": "RSA"}}}).expect(
	    200).json["policy"]["key_props"]["key_size"] == 2048
	main.get(f"/certificates/{unique('c')}/policy").expect(404, "CertificateNotFound")


# Pending operations

def test_while_one_is_in_progress(main, name):
	reply = begin(main, name, UNKNOWN)
	assert reply.header("retry-after") == "0" and reply.json["status_details"] == TO_MERGE
	key, certificates = chain()
	for verb, body in (("create", {"policy": SELF}), ("import", {"value": make_pfx(key, certificates)})):
		assert main.post(f"/certificates/{name}/{verb}", body).expect(409, "Forbidden").error["message"] == (
		    "A new key vault certificate can not be created or imported while a pending key vault certificate's "
		    "status is inProgress.")
	provisional = main.get(f"/certificates/{name}").expect(200).json
	assert list(provisional) == ["id", "attributes", "policy", "pending"]
	assert provisional["attributes"]["enabled"] is False
	main.get(f"/keys/{name}").expect(404)
	main.get(f"/secrets/{name}").expect(404)
	ids = lambda query="": [item["id"] for item in main.items("/certificates" + query)]  # noqa: E731
	assert f"{main.url}/certificates/{name}" not in ids()
	assert not main.items(f"/certificates/{name}/versions")
	listed = main.get("/certificates", query="api-version=7.4&includePending=true&maxresults=25").expect(200).json
	assert listed["value"]
	main.post(f"/certificates/{name}/backup").expect(400, "BadParameter")
	main.get(f"/certificates/{name}/pending", query=f"api-version=7.4&request_id={'0' * 32}").expect(404,
	    "PendingCertificateNotFound")


def test_pending_ones_of_all_pages(shared):
	"""The link to the next page asks for pending ones as the first page was."""
	lists = shared.vault("lists")
	names = {unique("waits") for _ in range(30)}
	for each in names:
		begin(lists, each, UNKNOWN)
	shown = {item["id"].rsplit("/", 1)[1] for item in lists.items("/certificates", includePending="true")}
	assert names <= shown
	assert not names & {item["id"].rsplit("/", 1)[1] for item in lists.items("/certificates")}


def test_cancel(main, name):
	begin(main, name)
	asked = main.patch(f"/certificates/{name}/pending", {"cancellation_requested": True}).expect(200).json
	assert asked["cancellation_requested"] is True and asked["status"] == "inProgress"
	gone = wait(main, name, "cancelled")
	assert "status_details" not in gone and "target" not in gone
	main.patch(f"/certificates/{name}/pending", {"cancellation_requested": True}).expect(400, "BadParameter")
	assert main.delete(f"/certificates/{name}/pending").expect(200).json == gone
	main.delete(f"/certificates/{name}/pending").expect(404, "PendingCertificateNotFound")
	assert "cer" not in main.get(f"/certificates/{name}").expect(200).json
	made = create(main, name)
	assert "cer" in made and len(main.items(f"/certificates/{name}/versions")) == 1
	begin(main, name, UNKNOWN)
	main.patch(f"/certificates/{name}/pending", {"cancellation_requested": True}).expect(200)
	wait(main, name, "cancelled")
	assert main.get(f"/certificates/{name}").json["id"] == made["id"]


def test_cancellation_taken_back(main, name):
	"""It goes on as before: one that waits for a merge still does, and is not signed by its own key."""
	ask = lambda value: main.patch(f"/certificates/{name}/pending", {"cancellation_requested": value}).expect(200).json  # noqa: E731
	begin(main, name, UNKNOWN)
	ask(True)
	assert ask(False)["cancellation_requested"] is False
	time.sleep(4)
	assert main.get(f"/certificates/{name}/pending").json["status"] == "inProgress"
	ask(True)
	wait(main, name, "cancelled")
	begin(main, name, UNKNOWN)
	ask(False)
	merge(main, name).expect(201)
	begin(main, name)
	ask(True), ask(False)
	wait(main, name)


def test_deleted_operation_never_completes(main, name):
	begin(main, name)
	main.delete(f"/certificates/{name}/pending").expect(200)
	time.sleep(4)
	assert "cer" not in main.get(f"/certificates/{name}").expect(200).json
	main.delete(f"/certificates/{name}").expect(200)
	main.delete(f"/deletedcertificates/{name}").expect(204)
	nothing_is_left(main, name)


def test_operation_of_a_deleted_certificate_goes_on_when_it_is_recovered(main, name):
	begin(main, name)
	main.delete(f"/certificates/{name}").expect(200)
	time.sleep(4)
	main.get(f"/keys/{name}").expect(404)
	main.post(f"/deletedcertificates/{name}/recover").expect(200)
	wait(main, name)
	assert "cer" in main.get(f"/certificates/{name}").json


def test_name_taken_meanwhile(main, name):
	begin(main, name)
	main.set(name)
	failed = wait(main, name, "failed")
	assert failed["error"]["code"] == "Conflict" and "secret" in failed["error"]["message"]
	main.get(f"/keys/{name}").expect(404)
	assert main.value(name) == "value"


def test_restart_in_between(tmp_path):
	server = Server(tmp_path, ["certs"]).start()
	vault = server.vault("certs")
	begin(vault, "c")
	begin(vault, "m", UNKNOWN)
	server.kill()
	server.start()
	vault = server.vault("certs")
	wait(vault, "c")
	assert pfx_of(vault.get("/secrets/c").expect(200).json)[1] == leaf_of(vault.get("/certificates/c").json)
	merge(vault, "m").expect(201)
	server.stop()


# Merge

def merge(vault, name, subject="merged.test", **how):
	request = csr_of(vault.get(f"/certificates/{name}/pending").expect(200).json)
	ca = new_key()
	leaf = issue(how.pop("public", request.public_key()), subject, ca, "ca", **how)
	root = issue(ca.public_key(), "ca", ca, ca=True)
	return vault.post(f"/certificates/{name}/pending/merge", {"x5c": [der(leaf), der(root)]})


def test_merge(main, name):
	begin(main, name, UNKNOWN, tags={"a": "b"})
	made = merge(main, name).expect(201).json
	assert list(made) == ["id", "kid", "sid", "x5t", "cer", "attributes", "tags", "policy", "pending"]
	assert made["tags"] == {"a": "b"} and made["attributes"]["enabled"] is True
	private, leaf, others = pfx_of(main.get(f"/secrets/{name}").expect(200).json)
	assert leaf == leaf_of(made) and len(others) == 1 and spki(private.public_key()) == spki(leaf.public_key())
	assert main.get(f"/certificates/{name}/pending").json["status"] == "completed"
	merge(main, name).expect(400, "BadParameter")


def test_merges_of_others(main, name):
	begin(main, name, UNKNOWN)
	assert merge(main, name, public=new_key().public_key()).expect(400, "BadParameter").error["message"] == MISMATCH
	long_ago = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
	merge(main, name, start=long_ago).expect(400, "CertificateExpired")
	for x5c in ([], ["AAAA"], ["not base64!"], [base64.b64encode(b"-----BEGIN").decode()]):
		assert "Unable to parse X5c" in main.post(f"/certificates/{name}/pending/merge", {"x5c": x5c}).expect(400,
		    "BadParameter").error["message"]
	main.post(f"/certificates/{name}/pending/merge", {}).expect(400, "BadParameter")
	main.post(f"/certificates/{name}/pending/merge", {"x5c": ["AAAA"] * 33}).expect(400, "BadParameter")
	assert main.get(f"/certificates/{name}/pending").json["status"] == "inProgress"
	merge(main, name).expect(201)
	third = unique("c")
	begin(main, third)
	merge(main, third).expect(403, "Forbidden")
	main.post(f"/certificates/{unique('c')}/pending/merge", {"x5c": ["AAAA"]}).expect(404, "CertificateNotFound")


# Import

@pytest.mark.parametrize("kind", ["RSA 2048", "RSA 4096", "P-256", "P-384", "P-521", "P-256K"])
@pytest.mark.parametrize("form", ["pfx", "password", "pem"])
def test_import(main, name, kind, form):
	if kind == "RSA 4096" and form != "pfx":
		pytest.skip("once is enough")
	key, certificates = chain(kind)
	body = {"pfx": lambda: {"value": make_pfx(key, certificates)},
	    "password": lambda: {"value": make_pfx(key, certificates, b"p\xc3\xa4ss"), "pwd": "päss"},
	    "pem": lambda: {"value": pem_of(key, reversed(certificates)),
	        "policy": {"secret_props": {"contentType": PEM}}}}[form]()
	made = main.post(f"/certificates/{name}/import", body).expect(200).json
	assert list(made) == ["id", "kid", "sid", "x5t", "cer", "attributes", "policy"]
	assert leaf_of(made) == certificates[0]
	assert made["policy"]["issuer"] == {"name": "Unknown"} and made["policy"]["x509_props"]["subject"] == "CN=leaf.test"
	secret = main.get(f"/secrets/{name}").expect(200).json
	if form == "pem":
		assert secret["value"] == pem_of(key, certificates)
	else:
		private, leaf, others = pfx_of(secret)
		assert spki(private.public_key()) == spki(key.public_key()) and [leaf, *others] == certificates
	jwk = main.get(f"/keys/{name}").json["key"]
	assert jwk["kty"] == ("RSA" if kind.startswith("RSA") else "EC")


def test_order_of_the_upload(main, name):
	key, certificates = chain()
	upside_down = [certificates[2], certificates[0], certificates[1]]
	made = main.post(f"/certificates/{name}/import", {"value": pem_of(key, upside_down), "preserveCertOrder": True,
	    "policy": {"secret_props": {"contentType": PEM}}}, query="api-version=7.6").expect(200).json
	assert made["preserveCertOrder"] is True and leaf_of(made) == certificates[0]
	assert main.get(f"/secrets/{name}").json["value"] == pem_of(key, upside_down)


def test_bad_imports(main, name):
	key, certificates = chain()
	good, stranger, weak = make_pfx(key, certificates, b"right"), new_key(), new_key("RSA 1024")
	bodies = {
		"wrong password": ({"value": good, "pwd": "wrong"}, "BadParameter"),
		"no password": ({"value": good}, "BadParameter"),
		"truncated": ({"value": good[:len(good) // 2 // 4 * 4], "pwd": "right"}, "BadParameter"),
		"not base64": ({"value": "!!!"}, "BadParameter"),
		"empty": ({"value": ""}, "BadParameter"),
		"rubbish": ({"value": "AAAA"}, "BadParameter"),
		"another's key": ({"value": pem_of(stranger, certificates)}, "BadParameter"),
		"1024 bits": ({"value": make_pfx(weak, [issue(weak.public_key(), "weak", weak)])}, "BadParameter"),
		"no key": ({"value": pem_of(None, certificates)}, "BadParameter"),
		"no certificate": ({"value": pem_of(key, [])}, "BadParameter"),
		"key properties": ({"value": good, "pwd": "right", "policy": {"key_props": {"kty": "RSA"}}}, "BadParameter"),
		"curve": ({"value": good, "pwd": "right", "policy": {"key_props": {"kty": "EC", "crv": "P-384"}}}, "BadParameter"),
		"content type": ({"value": good, "pwd": "right", "policy": {"secret_props": {"contentType": "x"}}}, "BadParameter"),
		"nothing": ({}, "BadParameter"),
	}
	for what, (body, code) in bodies.items():
		reply = main.post(f"/certificates/{name}/import", body)
		assert reply.status == 400 and reply.error["code"] == code, (what, reply)
	old = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
	expired = issue(key.public_key(), "old", key, start=old)
	main.post(f"/certificates/{name}/import", {"value": make_pfx(key, [expired])}).expect(400, "CertificateExpired")
	nothing_is_left(main, name)


def test_import_adds_a_version(main, name):
	made = create(main, name)
	key, certificates = chain("RSA 2048")
	imported = main.post(f"/certificates/{name}/import", {"value": make_pfx(key, certificates)}).expect(200).json
	assert imported["id"] != made["id"] and imported["policy"]["key_props"]["kty"] == "RSA"
	assert imported["policy"]["attributes"]["created"] == made["policy"]["attributes"]["created"]
	assert len(main.items(f"/certificates/{name}/versions")) == 2


def test_secret_as_pem(main, name):
	made = create(main, name)
	ask = lambda kind, version="2025-07-01": main.get(f"/secrets/{name}", query=f"api-version={version}&outContentType={kind}")  # noqa: E731
	reply = ask(PEM).expect(200).json
	assert reply["contentType"] == PEM and reply["value"].startswith("-----BEGIN PRIVATE KEY-----")
	assert x509.load_pem_x509_certificate(reply["value"].encode()) == leaf_of(made)
	assert ask(PFX).expect(200).json["contentType"] == PFX and ask(PEM, "7.4").json["contentType"] == PFX
	ask("text/plain").expect(400, "BadParameter")


def test_list(shared):
	vault = shared.vault("cert-lists")
	names = sorted(unique("cl") for _ in range(4))
	key, certificates = chain()
	for each in names:
		vault.post(f"/certificates/{each}/import", {"value": make_pfx(key, certificates)}).expect(200)
	listed = [item for item in vault.items("/certificates", maxresults=2) if item["id"].rsplit("/", 1)[1] in names]
	assert [item["id"] for item in listed] == [f"{vault.url}/certificates/{each}" for each in names]
	for item in listed:
		assert list(item) == ["id", "x5t", "attributes", "subject"] and item["subject"] == ""
		assert list(item["attributes"]) == ["enabled", "nbf", "exp", "created", "updated"]
	assert not re.search("BEGIN|PRIVATE", str(listed))


def test_in_the_audit_log(server):
	"""Each row's name, what it was about, and what came of it."""
	one = server(vaults=("one", "two"))
	vault, two = one.vault("one"), one.vault("two")
	made = create(vault, "a")
	version, path = version_of(made), "/certificates/a"
	key, certificates = chain()
	for step in (lambda: vault.get(f"{path}/{version}"), lambda: vault.patch(path, {"tags": {"a": "b"}}), lambda: vault.get(f"{path}/policy"),
	    lambda: vault.patch(f"{path}/policy", {"x509_props": {"validity_months": 0}}), lambda: vault.patch(f"{path}/policy", {}),
	    lambda: vault.get("/certificates"), lambda: vault.get(f"{path}/versions"),
	    lambda: two.post("/certificates/restore", vault.post(f"{path}/backup").json), lambda: vault.delete(path),
	    lambda: vault.get("/deletedcertificates"), lambda: vault.get("/deletedcertificates/a"), lambda: vault.post("/deletedcertificates/a/recover"),
	    lambda: vault.delete(path), lambda: vault.delete("/deletedcertificates/a"),
	    lambda: vault.post("/certificates/b/import", {"value": make_pfx(key, certificates)}),
	    lambda: vault.post("/certificates/c/import", {"value": "AAAA"}),
	    lambda: vault.post("/certificates/d/create", {"policy": UNKNOWN}), lambda: merge(vault, "d", public=key.public_key()),
	    lambda: merge(vault, "d"), lambda: vault.post("/certificates/d/create", {}),
	    lambda: vault.patch("/certificates/d/pending", {"cancellation_requested": True}), lambda: vault.delete("/certificates/d/pending")):
		step()
	one.stop()
	lines = [json.loads(line) for file in sorted((one.data / "audit").glob("audit-*.log")) for line in
	    file.read_bytes().rstrip(b"\0").decode().splitlines() if '"operationName":"Certificate' in line]
	told = [(line["operationName"].removeprefix("Certificate"), line["properties"].get("id", "").removeprefix(vault.url),
	    line["properties"]["httpStatusCode"]) for line in lines]
	one_of = lambda name: next(path for _, path, status in told if path.startswith(f"/certificates/{name}/") and status < 300)  # noqa: E731
	whole, brought, merged_one = (one_of(name) for name in "abd")
	assert [each for each in told if each[0] not in ("PendingGet", "Enroll")] == [
	    ("Create", path, 202), ("Get", whole, 200), ("Get", whole, 200), ("Update", whole, 200), ("PolicyGet", whole, 200),
	    ("PolicyUpdate", whole, 400), ("PolicyUpdate", whole, 200), ("List", "", 200), ("ListVersions", "", 200), ("Backup", whole, 200),
	    ("Restore", two.url + whole, 200), ("Delete", whole, 200), ("ListDeleted", "", 200), ("GetDeleted", path, 200), ("Recover", whole, 200),
	    ("Delete", whole, 200), ("Purge", path, 204), ("Import", brought, 200), ("Import", "", 400), ("Create", "/certificates/d", 202),
	    ("PendingMerge", merged_one, 400), ("PendingMerge", merged_one, 201), ("Create", "/certificates/d", 202),
	    ("PendingUpdate", "/certificates/d", 200), ("PendingDelete", "/certificates/d", 200)]
	assert whole == f"{path}/{version}"
	assert ("Enroll", f"{one.scope('one')}{path}", 200) in told and ("PendingGet", path, 200) in told


def test_nothing_is_on_the_disk(server):
	"""Private keys, passwords and what was refused: neither in the data folder nor in a log, sealed or not."""
	one, canary = server(), unique("canary") + "-4f1d0c7b"
	vault = one.vault("main")
	create(vault, "made")
	key, certificate, _ = pfx_of(vault.get("/secrets/made").json)
	value = make_pfx(key, [certificate], (canary + "-right").encode())
	vault.post("/certificates/brought/import", {"value": value, "pwd": canary + "-wrong"}).expect(400, "BadParameter")
	vault.post("/certificates/brought/import", {"value": value, "pwd": canary + "-right"}).expect(200)
	vault.post("/certificates/broken/import", {"value": base64.b64encode(canary.encode()).decode()}).expect(400)
	vault.put("/certificates/issuers/outside", {"provider": "DigiCert", "credentials": {"account_id": "7",
	    "pwd": canary + "-pwd"}}).expect(200)
	vault.put("/certificates/contacts", {"contacts": [{"email": "a@example.com", "name": canary}]}).expect(200)
	vault.post("/certificates/restore", {"value": canary}).expect(400)
	private = key.private_numbers().private_value.to_bytes(32, "big")
	one.stop()
	written = [path.read_bytes() for path in one.folder.rglob("*") if path.is_file()]
	assert any(b"CertificateImport" in each for each in written), "the audit log is among them"
	for hidden in (canary.encode(), private, private[::-1], base64.b64encode(private)[:40], base64.b64decode(value)[64:128]):
		assert not any(hidden in each for each in written), hidden
