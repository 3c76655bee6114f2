"""Issuers and contacts of certificates on the wire, and by Azure's own library."""
import json
import subprocess

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.keyvault.certificates import AdministratorContact, CertificateClient, CertificateContact

from sdk import failure
from strongroom import BINARY, unique

ISSUERS = "/certificates/issuers"
CONTACTS = "/certificates/contacts"
PASSWORD = "correct-horse-battery-staple"
DIRECTORY = "https://ca.example/directory"
KEY = "MDEyMzQ1Njc4OWFiY2RlZg"


@pytest.fixture
def name():
	return unique("issuer")


@pytest.fixture(scope="module")
def client(shared):
	with CertificateClient(shared.url("sdk"), DefaultAzureCredential()) as client:
		yield client


def test_life(main, name):
	path = f"{ISSUERS}/{name}"
	made = main.put(path, {"provider": "DigiCert", "credentials": {"account_id": "me", "pwd": PASSWORD},
	    "org_details": {"id": "org", "admin_details": []}}).expect(200).json
	assert list(made) == ["id", "provider", "credentials", "org_details", "attributes"]
	assert made["id"] == main.url + path
	assert made["credentials"] == {"account_id": "me"}
	assert list(made["org_details"].items()) == [("id", "org"), ("zip", 0), ("admin_details", [])]
	assert made["attributes"]["enabled"] is True
	assert main.get(path).expect(200).json == made
	assert main.get(path.upper().replace(ISSUERS.upper(), ISSUERS)).expect(200).json == made
	changed = main.request("PATCH", path, {"attributes": {"enabled": False}, "provider": "GlobalSign"})
	assert changed.expect(200).json["provider"] == "GlobalSign"
	assert changed.json["credentials"] == made["credentials"] and changed.json["attributes"]["enabled"] is False
	assert main.delete(path).expect(200).json == changed.json
	for reply in (main.get(path), main.delete(path)):
		assert reply.expect(404, "CertificateIssuerNotFound").error["message"] == "Issuer not found"
	reply = main.request("PATCH", path, {}).expect(404, "CertificateIssuerNotFound")
	assert reply.error["message"] == f"Issuer {name} not found"


def test_replaced_as_a_whole(main, name):
	path = f"{ISSUERS}/{name}"
	first = main.put(path, {"provider": "Test", "credentials": {"account_id": "me", "pwd": PASSWORD}}).expect(200).json
	second = main.put(f"{ISSUERS}/{name.upper()}", {"provider": "Strongroom"}).expect(200).json
	assert "credentials" not in second and second["id"] == first["id"]
	assert second["attributes"]["created"] == first["attributes"]["created"]
	main.delete(path).expect(200)


@pytest.mark.parametrize("body", [{}, {"provider": None}, {"provider": "Let's Encrypt"}, {"provider": 1},
    {"provider": "Test", "credentials": []}, {"provider": "Test", "credentials": {"account_id": "a" * 257}},
    {"provider": "Test", "credentials": {"account_id": "a\r\nb"}}, {"provider": "Test", "credentials": {"pwd": "p" * 1025}},
    {"provider": "Test", "org_details": {"admin_details": [{}] * 11}},
    {"provider": "Test", "org_details": {"admin_details": [{"email": "a@b\r\nBcc: c@d"}]}},
    {"provider": "Test", "attributes": {"enabled": "yes"}}, {"provider": "ACME"},
    {"provider": "ACME", "org_details": {"id": "http://ca.example/directory"}},
    {"provider": "ACME", "org_details": {"id": DIRECTORY}, "credentials": {"account_id": "kid"}},
    {"provider": "ACME", "org_details": {"id": DIRECTORY}, "credentials": {"account_id": "kid", "pwd": "*" * 30}}],
    ids=lambda body: json.dumps(body)[:60])
def test_bad_issuers(main, name, body):
	main.put(f"{ISSUERS}/{name}", body).expect(400, "BadParameter")
	main.get(f"{ISSUERS}/{name}").expect(404)


def test_bad_updates_change_nothing(main, name):
	path = f"{ISSUERS}/{name}"
	main.put(path, {"provider": "ACME", "org_details": {"id": DIRECTORY},
	    "credentials": {"account_id": "kid", "pwd": KEY}}).expect(200)
	before = main.get(path).json
	for body in ({"org_details": {"id": "ftp://x"}}, {"credentials": {"account_id": ""}}, {"provider": "Nobody"}):
		main.request("PATCH", path, body).expect(400, "BadParameter")
	assert main.get(path).json == before
	main.delete(path).expect(200)


@pytest.mark.parametrize("bad", ["Self", "unknown", "bad_name", "a.b", "n" * 128])
def test_bad_names(main, bad):
	reply = main.put(f"{ISSUERS}/{bad}", {"provider": "Test"}).expect(400, "BadParameter")
	assert reply.error["message"] == f"The request URI contains an invalid name: {bad}"


def test_pages(shared):
	vault = shared.vault("lists")
	names = sorted(unique("page") for _ in range(27))
	for each in names:
		vault.put(f"{ISSUERS}/{each}", {"provider": "Test"}).expect(200)
	listed = vault.get(ISSUERS).expect(200).json
	assert len(listed["value"]) == 25 and list(listed["value"][0].items()) == [
	    ("id", f"{vault.url}{ISSUERS}/{names[0]}"), ("provider", "Test")]
	rest = vault.request("GET", ISSUERS, query=listed["nextLink"].split("?")[1]).expect(200).json
	assert rest["nextLink"] is None
	assert [item["id"].rsplit("/")[-1] for item in listed["value"] + rest["value"]] == names
	one = vault.request("GET", ISSUERS, query="api-version=7.4&maxresults=1").expect(200).json
	assert len(one["value"]) == 1 and one["nextLink"].endswith("&maxresults=1")
	for query in ("maxresults=0", "maxresults=26", "$skiptoken=x"):
		vault.request("GET", ISSUERS, query=f"api-version=7.4&{query}").expect(400, "BadParameter")
	for each in names:
		vault.delete(f"{ISSUERS}/{each}").expect(200)


def test_contacts(main):
	main.delete(CONTACTS)
	for reply in (main.get(CONTACTS), main.delete(CONTACTS)):
		assert reply.expect(404, "ContactsNotFound").error["message"] == "Contacts not found"
	people = [{"email": "a@example.com", "name": "José", "phone": "1"}, {"email": "b@example.com"}]
	made = main.put(CONTACTS, {"contacts": people}).expect(200).json
	assert list(made.items()) == [("id", main.url + CONTACTS), ("contacts", people)]
	assert main.get(CONTACTS).expect(200).json == made
	for bad in ({}, {"contacts": None}, {"contacts": [{}]}, {"contacts": [{"name": "nobody"}]}, {"contacts": people * 26},
	    {"contacts": [{"email": "a@b\r\nBcc: c@d"}]}, {"contacts": [{"email": "a@b", "name": "x\ny"}]}, {"contacts": "a@b"}):
		main.put(CONTACTS, bad).expect(400, "BadParameter")
	assert main.get(CONTACTS).json == made
	assert main.put(CONTACTS, {"contacts": people[1:]}).expect(200).json["contacts"] == people[1:]
	assert main.delete(CONTACTS).expect(200).json["contacts"] == people[1:]
	main.get(CONTACTS).expect(404)


@pytest.mark.parametrize("version", ["2016-10-01", "7.0", "7.3", "7.6", "2025-07-01", "2026-04-01"])
def test_versions(shared, name, version):
	vault = shared.vault("other", version=version)
	made = vault.put(f"{ISSUERS}/{name}", {"provider": "Test"}).expect(200).json
	assert list(made) == ["id", "provider", "attributes"]
	assert list(made["attributes"]) == ["enabled", "created", "updated"]
	vault.put(CONTACTS, {"contacts": [{"email": "a@b"}]}).expect(200)
	vault.delete(CONTACTS).expect(200)
	vault.delete(f"{ISSUERS}/{name}").expect(200)


def test_library_issuers(client, name):
	made = client.create_issuer(name, "Test", account_id="me", password=PASSWORD, organization_id="org",
	    admin_contacts=[AdministratorContact(first_name="J", last_name="D", email="j@example.com", phone="1")])
	assert (made.name, made.provider, made.account_id, made.password) == (name, "Test", "me", None)
	assert made.organization_id == "org" and made.admin_contacts[0].email == "j@example.com"
	changed = client.update_issuer(name, account_id="you", enabled=False)
	assert (changed.account_id, changed.enabled, changed.organization_id) == ("you", False, "org")
	assert name in [each.name for each in client.list_properties_of_issuers()]
	assert client.get_issuer(name).account_id == "you"
	client.delete_issuer(name)
	assert failure(ResourceNotFoundError, client.get_issuer, name)[:2] == (404, "CertificateIssuerNotFound")


def test_library_contacts(client):
	people = [CertificateContact(email="a@example.com", name="A", phone="1"), CertificateContact(email="b@example.com")]
	assert [each.email for each in client.set_contacts(people)] == ["a@example.com", "b@example.com"]
	assert client.get_contacts()[0].name == "A"
	assert len(client.delete_contacts()) == 2
	assert failure(ResourceNotFoundError, client.get_contacts)[:2] == (404, "ContactsNotFound")


def test_passwords_are_nowhere(server, name):
	"""Not in a reply, nor in anything the server writes; a vault's purge takes the rest."""
	one = server(vaults=("one",))
	vault = one.vault("one")
	path = f"{ISSUERS}/{name}"
	replies = [vault.put(path, {"provider": "Test", "credentials": {"account_id": "the-account", "pwd": PASSWORD}}),
	    vault.request("PATCH", path, {"credentials": {"account_id": "the-account"}}), vault.get(path), vault.get(ISSUERS)]
	assert all(reply.status == 200 and PASSWORD.encode() not in reply.body for reply in replies)
	one.stop()
	for file in one.folder.rglob("*"):
		if file.is_file():
			content = file.read_bytes()
			assert PASSWORD.encode() not in content and b"the-account" not in content, file


def test_in_the_audit_log(server, name):
	one = server(vaults=("one",))
	vault = one.vault("one")
	path = f"{ISSUERS}/{name}"
	vault.put(path, {"provider": "Test"}).expect(200)
	vault.request("PATCH", path, {}).expect(200)
	vault.get(path).expect(200)
	vault.get(ISSUERS).expect(200)
	vault.delete(path).expect(200)
	vault.put(CONTACTS, {"contacts": [{"email": "a@b"}]}).expect(200)
	vault.get(CONTACTS).expect(200)
	vault.delete(CONTACTS).expect(200)
	one.stop()
	lines = [json.loads(line) for file in sorted((one.data / "audit").glob("audit-*.log")) for line in
	    file.read_bytes().rstrip(b"\0").decode().splitlines() if '"operationName":"Certificate' in line]
	assert [(line["operationName"], line["properties"].get("id")) for line in lines] == [
	    ("CertificateIssuerSet", vault.url + path), ("CertificateIssuerUpdate", vault.url + path),
	    ("CertificateIssuerGet", vault.url + path), ("CertificateIssuersList", None),
	    ("CertificateIssuerDelete", vault.url + path), ("CertificateContactsSet", vault.url + CONTACTS),
	    ("CertificateContactsGet", vault.url + CONTACTS), ("CertificateContactsDelete", vault.url + CONTACTS)]


def test_access_policies(shared):
	"""Each row asks for its own permission in the older model."""
	rows = json.loads(subprocess.run([BINARY, "operations"], capture_output=True, check=True).stdout)
	assert {row["name"] for row in rows if "Issuer" in row["name"] and row["plane"] == "vault"} == {"CertificateIssuersList",
	    "CertificateIssuerSet", "CertificateIssuerUpdate", "CertificateIssuerGet", "CertificateIssuerDelete"}
	robot = shared.make_principal()
	permitted = {"listissuers": [("GET", ISSUERS)], "getissuers": [("GET", f"{ISSUERS}/x")],
	    "setissuers": [("PUT", f"{ISSUERS}/x"), ("PATCH", f"{ISSUERS}/x")], "deleteissuers": [("DELETE", f"{ISSUERS}/x")],
	    "managecontacts": [(method, CONTACTS) for method in ("PUT", "GET", "DELETE")]}
	manages = [call for name, calls in permitted.items() if name != "managecontacts" for call in calls]
	vault = shared.vault("policies", robot)
	scope = f"{shared.group_scope}/providers/Microsoft.KeyVault/vaults/policies"

	def allow(*permissions):
		body = {"location": "local", "properties": {"tenantId": shared.tenant, "enableRbacAuthorization": False,
		    "sku": {"family": "A", "name": "standard"}, "accessPolicies": [{"tenantId": shared.tenant,
		        "objectId": robot.object_id, "permissions": {"certificates": list(permissions)}}]}}
		assert shared.manage("PUT", scope, body, version="2023-07-01").status in (200, 201)

	for permission, calls in [*permitted.items(), ("manageissuers", manages), ("get", []), ("list", [])]:
		allow(permission)
		for method, path in manages + permitted["managecontacts"]:
			status = vault.request(method, path, {}).status
			assert (status != 403) == ((method, path) in calls), (permission, method, path, status)
